//! What needs no VM: help, version, completion, wrong command lines.

use pinion_e2e::World;

#[test]
fn every_verb_has_help_with_an_example() {
    let world = World::new();
    let help = world.pinion(["help"]).run().expect(0).stdout;
    let verbs = [
        "run",
        "create",
        "start",
        "exec",
        "stop",
        "kill",
        "pause",
        "unpause",
        "update",
        "wait",
        "ps",
        "services",
        "profile",
        "ls",
        "inspect",
        "logs",
        "rm",
        "policy",
        "channels",
        "doctor",
        "completion",
    ];
    for verb in verbs {
        assert!(
            help.contains(&format!("\n  {verb} ")),
            "{verb} is not in {help}"
        );
        let text = world.pinion(["help", verb]).run().expect(0).stdout;
        assert!(
            text.contains(&format!("pinion {verb}")),
            "no example of {verb}: {text}"
        );
    }
    assert!(!help.contains("supervise"));
}

#[test]
fn exit_codes_are_a_topic_of_the_help() {
    let world = World::new();
    let text = world.pinion(["help", "exit-codes"]).run().expect(0).stdout;
    for code in ["2 ", "120", "121", "122", "123", "124", "125", "126", "127"] {
        assert!(text.contains(&format!(" {code}")), "{code}: {text}");
    }
}

#[test]
fn version_and_completion() {
    let world = World::new();
    let text = world.pinion(["version"]).run().expect(0).stdout;
    assert!(text.starts_with("pinion "), "{text}");
    let json = world.pinion(["version", "--json"]).run().expect(0).json();
    assert_eq!(
        text.trim(),
        format!("pinion {}", json["version"].as_str().expect("a version"))
    );
    for shell in ["bash", "zsh", "powershell"] {
        let script = world.pinion(["completion", shell]).run().expect(0).stdout;
        assert!(script.contains("unpause"), "{shell}");
    }
}

#[test]
fn wrong_command_lines_end_with_2_and_a_hint() {
    let world = World::new();
    let similar = world.pinion(["inspct", "web"]).run().expect(2);
    assert!(similar.stderr.contains("inspect"), "{similar:?}");
    let option = world
        .pinion(["run", "--nmae", "web", "cmd.exe"])
        .run()
        .expect(2);
    assert!(option.stderr.contains("--name"), "{option:?}");
    for arguments in [
        &["run"][..],
        &["run", "--memory", "much", "cmd.exe"],
        &["run", "-p", "0:80", "cmd.exe"],
        &["run", "--name", "no name", "cmd.exe"],
        &["run", "--name", "con", "cmd.exe"],
        &["run", "--cpus", "0", "cmd.exe"],
        &["stop", "-t", "-1", "web"],
        &["update", "web"],
        &["ls", "-q", "--json"],
        &["rm"],
    ] {
        let output = world.pinion(arguments).run().expect(2);
        assert!(!output.stderr.is_empty(), "{output:?}");
    }
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn an_empty_store_lists_nothing() {
    let world = World::new();
    assert_eq!(world.names(), [""; 0]);
    assert_eq!(
        world.pinion(["ls", "--json"]).run().expect(0).json(),
        serde_json::json!([])
    );
    assert_eq!(
        world.pinion(["ps", "--json"]).run().expect(0).json(),
        serde_json::json!([])
    );
}
