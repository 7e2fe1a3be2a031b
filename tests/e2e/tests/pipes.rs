//! Named pipes as NT has them, also where a Wine has not.

use pinion_e2e::World;
use serde_json::json;

const ACCESS_DENIED: u32 = 5;
const STATUS_ACCESS_DENIED: u32 = 0xC000_0022;

#[test]
fn a_first_instance_is_the_first_and_each_vm_has_its_own() {
    let world = World::new();
    for vm in ["one", "two"] {
        world.sleeper(vm, 60);
    }
    let name = format!("pinion-first-{}", std::process::id());
    let path = world.host.path_of("first_instance");
    let arguments = ["exec", "one", &path, &name, "--hold", "60"];
    let mut holder = world.pinion(arguments).spawn();
    let held = holder.first_json();
    assert_eq!(held["held"], 0, "{held}");
    let other = world.exec("two", "first_instance", &[&name]);
    let same = world
        .exec("one", "first_instance", &[&name])
        .expect(0)
        .json();
    assert_eq!(same["first"], ACCESS_DENIED, "one holds it: {same}");
    for told in [held, other.expect(0).json()] {
        for step in ["first", "plain", "again", "native alone"] {
            assert_eq!(told[step], 0, "{step}: {told}");
        }
        for step in ["second", "behind a plain one"] {
            assert_eq!(told[step], ACCESS_DENIED, "{step}: {told}");
        }
        assert_eq!(told["native"], STATUS_ACCESS_DENIED, "{told}");
        for way in ["in", "out"] {
            assert_eq!(told[way], json!([0, ACCESS_DENIED]), "{told}");
        }
        assert_eq!(told["no direction"], 87, "{told}");
        assert_eq!(told["long"], 206, "{told}");
        assert_eq!(told["talk"], json!(["word", 4]), "{told}");
        assert_eq!(told["at once"]["both"], 0, "{told}");
    }
}
