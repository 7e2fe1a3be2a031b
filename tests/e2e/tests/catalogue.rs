//! The catalogue on the system that runs: `pinion doctor`, `pinion channels`,
//! and what happens where a call is not in it.

use pinion_e2e::World;
use serde_json::Value;

/// A call of ntdll that no DLL imports, and a name of a newer form in its place.
const ALTERED: [&str; 2] = ["NtLoadKey2", "NtLoadKey4"];

fn check<'a>(told: &'a Value, name: &str) -> &'a Value {
    told["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|check| check["check"] == name)
        .unwrap_or_else(|| panic!("no check {name}: {told}"))
}

#[test]
fn every_system_call_of_this_system_is_in_the_catalogue() {
    let world = World::new();
    let told = world.pinion(["doctor", "--json"]).run().expect(0).json();
    assert_eq!(told["unknown_calls"], serde_json::json!([]));
    for (dll, at_least) in [("ntdll.dll", 200), ("win32u.dll", 250)] {
        let detail = check(&told, dll)["detail"].as_str().expect("a text");
        let count = detail.split(' ').next().and_then(|n| n.parse::<u32>().ok());
        assert!(count.is_some_and(|n| n > at_least), "{dll}: {detail}");
        assert_eq!(check(&told, dll)["result"], "ok");
    }
}

#[test]
fn doctor_tells_of_the_system_the_agent_and_the_store() {
    let world = World::with_own_pinion();
    let told = world.pinion(["doctor", "--json"]).run().expect(0).json();
    assert!(told["wine"].is_string(), "{told}");
    for name in ["system", "processor", "agent", "store"] {
        assert_eq!(check(&told, name)["result"], "ok", "{told}");
    }
    assert_eq!(check(&told, "limits")["result"], "note", "{told}");
    let text = world.pinion(["doctor"]).run().expect(0).stdout;
    assert!(text.contains("CHECK"), "{text}");
    std::fs::write(world.agent(), b"MZ").expect("written");
    let told = world.pinion(["doctor", "--json"]).run().expect(125).json();
    assert_eq!(check(&told, "agent")["result"], "fail", "{told}");
    assert_eq!(check(&told, "store")["result"], "ok", "{told}");
}

#[test]
fn a_call_that_is_not_known_is_told_and_keeps_vms_from_starting() {
    let world = World::new();
    let pinion = world.pinion_path();
    let altered = |arguments: &[&str]| {
        world
            .in_world(world.host.program("altered"))
            .args(ALTERED)
            .arg(&pinion)
            .args(arguments)
    };
    let told = altered(&["doctor", "--json"]).run().expect(125).json();
    assert_eq!(told["unknown_calls"][0]["name"], ALTERED[1], "{told}");
    assert_eq!(told["unknown_calls"][0]["refused"], true, "{told}");
    assert_eq!(check(&told, "ntdll.dll")["result"], "fail", "{told}");

    let child = world.host.path_of("child");
    world
        .pinion(["create", "--name", "held", &child, "trivial"])
        .run()
        .ok();
    let refused = altered(&["supervise", "held"]).run().expect(125);
    for word in [ALTERED[1], "PINION_ALLOW_UNKNOWN_CALLS"] {
        assert!(refused.stdout.contains(word), "{word}: {refused:?}");
    }
    let allowed = altered(&["doctor", "--json"])
        .env("PINION_ALLOW_UNKNOWN_CALLS", "1")
        .run()
        .expect(0)
        .json();
    assert_eq!(allowed["unknown_calls"][0]["refused"], false, "{allowed}");
    let mut started = altered(&["supervise", "held"])
        .env("PINION_ALLOW_UNKNOWN_CALLS", "1")
        .spawn();
    let reply = started.first_json().to_string();
    assert!(reply.contains("supervisor_pid"), "{reply}");
    world.pinion(["rm", "-f", "held"]).run().ok();
}

#[test]
fn channels_lists_filters_and_tells() {
    let world = World::new();
    let list = |arguments: &[&str]| {
        let program = world.pinion(["channels"]).args(arguments);
        program.arg("--json").run().expect(0).json()
    };
    let all = list(&[]);
    assert!(all.as_array().expect("an array").len() > 50);
    let open = list(&["--state", "open"]);
    assert!(
        open.as_array()
            .expect("an array")
            .iter()
            .all(|c| c["state"] == "open")
    );
    let pipes = list(&["pipes"]);
    let calls = pipes[0]["calls"].as_array().expect("an array");
    assert!(
        calls
            .iter()
            .any(|call| call["name"] == "NtCreateNamedPipeFile")
    );
    let text = world.pinion(["channels", "pipes"]).run().expect(0).stdout;
    assert!(text.contains("NtCreateNamedPipeFile"), "{text}");
    let text = world.pinion(["channels"]).run().expect(0).stdout;
    assert!(text.contains("mailslots"), "{text}");
    let call = world.pinion(["channels", "--call", "NtOpenMutant"]).run();
    assert!(call.expect(0).stdout.contains("hooked"));
    for wrong in [
        &["--state", "shut"][..],
        &["nothing"],
        &["--call", "NtNothing"],
    ] {
        let output = world.pinion(["channels"]).args(wrong).run().expect(2);
        assert!(!output.stderr.is_empty(), "{output:?}");
    }
}
