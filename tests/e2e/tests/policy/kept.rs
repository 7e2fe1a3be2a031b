//! Where a VM has its policy from, and how long.

use super::{DENIED, MISSING, allow, begun, on_host, open, world};
use pinion_e2e::Program;
use serde_json::Value;

#[test]
fn options_are_rules_before_those_of_the_file() {
    let (world, policy) = world(&[allow("objects", "e2e-flag-*")]);
    let program = world.host.path_of("names");
    let names = ["e2e-flag-1", "e2e-flag-old", "Global\\e2e-flag-2"];
    let (_holder, _) = begun(
        on_host(&world)
            .arg("create")
            .args(names)
            .args(["--hold", "60"]),
    );
    let options = [
        "--allow",
        "objects=Global\\e2e-flag-?",
        "--deny",
        "objects=*-old",
    ];
    for (name, expected) in names.into_iter().zip([0, DENIED, 0]) {
        let run = world
            .pinion(["run", "--rm", "--policy", &policy])
            .args(options);
        assert_eq!(open(run.arg(&program), "mutant", name), expected, "{name}");
    }
    for (options, words) in [
        (
            ["--allow", "pipes"],
            ["--allow pipes:", "such as pipes=MyServer"],
        ),
        (["--deny", "sockets=x"], ["--deny sockets=x:", "--network"]),
        (
            ["--allow", "alpc=x"],
            ["--allow alpc=x:", "\\RPC Control\\x"],
        ),
        (
            ["--deny", "objects=*"],
            ["in front of the policy: 7:8:", "can never count"],
        ),
    ] {
        let run = world.pinion(["run", "--policy", &policy]).args(options);
        run.arg(&program).run().fails(2, &words);
    }
    assert_eq!(world.names(), [""; 0]);
}

#[test]
fn a_policy_is_kept_handed_on_changed_and_taken_away() {
    let (world, policy) = world(&[allow("objects", "e2e-kept")]);
    let program = world.host.path_of("names");
    let run = [
        "run", "--name", "web", "--policy", &policy, &program, "open", "mutant", "e2e-kept",
    ];
    let (_holder, _) = begun(on_host(&world).args(["create", "e2e-kept", "--hold", "100"]));
    let error = |program: Program| program.run().expect(0).json()["error"].as_u64();
    assert_eq!(error(world.pinion(run)), Some(0));
    assert_eq!(error(world.pinion(["start", "-a", "web"])), Some(0));
    // A clone has it, of the VM or of a snapshot, unless it is given another.
    world.pinion(["snapshot", "web", "ready"]).run().ok();
    for from in ["web", "ready"] {
        let clone = ["run", "--rm", "--from", from];
        assert_eq!(error(world.pinion(clone)), Some(0), "{from}");
        let clone = ["run", "--rm", "--from", from, "--policy", "none"];
        assert_eq!(error(world.pinion(clone)), Some(MISSING), "{from}");
    }
    // An archive has none: another host has other names.
    let archive = format!("{}\\web.tar.zst", world.windows_work());
    world.pinion(["export", "web", "-o", &archive]).run().ok();
    world.pinion(["import", &archive, "moved"]).run().ok();
    assert_eq!(world.inspect("moved")["policy"], Value::Null);
    assert!(
        world.inspect("web")["policy"]
            .as_str()
            .is_some_and(|text| text.contains("e2e-kept"))
    );
    // Another counts from the next start on.
    world
        .pinion(["update", "--policy", "none", "web"])
        .run()
        .ok();
    assert_eq!(error(world.pinion(["start", "-a", "web"])), Some(MISSING));
    world
        .pinion(["update", "--policy", &policy, "web"])
        .run()
        .ok();
    assert_eq!(error(world.pinion(["start", "-a", "web"])), Some(0));
}
