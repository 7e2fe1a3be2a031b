//! Children: confined as their parent is, however they are started.

use pinion_e2e::World;

#[test]
fn children_started_in_every_way_are_in_the_vm() {
    let world = World::new();
    let outside = world
        .host
        .program("child")
        .arg("all")
        .run()
        .expect(0)
        .json();
    let inside = world.run("child", &["all"]).expect(0).json();
    let (outside, inside) = (outside["ways"].as_array(), inside["ways"].as_array());
    for (outside, inside) in outside
        .into_iter()
        .flatten()
        .zip(inside.into_iter().flatten())
    {
        if inside["way"] == "breakaway" && inside["started"] == false {
            // Refused as in any job that allows no breakaway: ERROR_ACCESS_DENIED.
            assert_eq!(inside["error"], 5, "{inside}");
            continue;
        }
        assert_eq!(inside["started"], true, "{inside}");
        assert_eq!(inside["sees"], true, "{inside}");
        assert_eq!(outside["sees"], true, "{outside}");
    }
}

#[test]
fn a_tree_of_children_is_confined_and_ends() {
    let world = World::new();
    let output = world.run("child", &["tree", "4"]).expect(0);
    assert_eq!(output.stdout.lines().count(), 5, "{output:?}");
}

#[test]
fn cmd_and_its_children_share_the_vms_names() {
    let world = World::new();
    let names = world.host.path_of("names");
    let line = format!("{names} create e2e-cmd --hold 0.1 & exit 5");
    let output = world
        .pinion(["run", "--rm", "cmd.exe", "/c", &line])
        .run()
        .expect(5);
    assert_eq!(output.json()["created"][0]["error"], 0);
}
