//! Stored credentials and private keys: on Wine they are keys of the registry,
//! and no VM reads the host's or another's.

use pinion_e2e::World;
use serde_json::{Value, json};

#[test]
fn credentials_and_private_keys_are_the_vms_own() {
    let world = World::new();
    for vm in ["one", "two"] {
        world.sleeper(vm, 60);
    }
    let name = format!("pinion-secret-{}", std::process::id());
    let host = |arguments: &[&str]| {
        let program = world.host.program("secrets").args(arguments);
        program.run().expect(0).json()
    };
    let inside = |vm: &str, arguments: &[&str]| {
        let output = world.exec(vm, "secrets", arguments);
        output.expect(0).json()
    };
    let found = |word: &str| json!({ "word": word, "listed": true, "container": 0 });
    let bad_keyset = 0x8009_0016_u32;
    let nothing = |told: &Value| {
        assert_eq!(told["word"], 1168, "not found: {told}");
        assert_eq!(told["listed"], false, "{told}");
        assert_eq!(told["container"], bad_keyset, "{told}");
    };
    host(&["write", &name, "of-the-host"]);
    let seen = host(&["read", &name]);
    let (one, two) = (
        inside("one", &["read", &name]),
        inside("two", &["read", &name]),
    );
    let written = inside("one", &["write", &name, "of-one"]);
    let (own, other) = (
        inside("one", &["read", &name]),
        inside("two", &["read", &name]),
    );
    let after = host(&["read", &name]);
    let gone = inside("one", &["delete", &name]);
    let left = inside("one", &["read", &name]);
    let still = host(&["read", &name]);
    host(&["delete", &name]);
    assert_eq!(seen, found("of-the-host"), "the host's own");
    nothing(&one);
    nothing(&two);
    assert_eq!(written, json!({ "error": 0, "container": 0 }));
    assert_eq!(own, found("of-one"), "inside");
    nothing(&other);
    assert_eq!(after, found("of-the-host"));
    assert_eq!(gone, json!({ "deleted": true, "container": 0 }));
    nothing(&left);
    assert_eq!(still, found("of-the-host"));
}

#[test]
fn no_merge_touches_the_hosts_credentials() {
    let world = World::new();
    let name = format!("pinion-merged-{}", std::process::id());
    let host = |arguments: &[&str]| {
        let program = world.host.program("secrets").args(arguments);
        program.run().expect(0).json()
    };
    host(&["write", &name, "of-the-host"]);
    let program = world.host.path_of("secrets");
    let writes = [
        "run", "--name", "writes", &program, "write", &name, "of-one",
    ];
    let _ = world.pinion(writes).run().expect(0);
    let key = r"HKCU\Software\Wine";
    let deletes = ["run", "--name", "deletes", "reg.exe", "delete", key, "/f"];
    let _ = world.pinion(deletes).run().expect(0);
    let told = |arguments: &[&str]| world.pinion(arguments).run().expect(0).json();
    let written = told(&["commit", "writes", "--ours", "--json"]);
    let again = told(&["commit", "writes", "--ours", "--json"]);
    let deleted = told(&["commit", "deletes", "--ours", "--json", "--key", key]);
    let text = world
        .pinion(["commit", "writes", "--dry-run"])
        .run()
        .expect(0);
    let seen = host(&["read", &name]);
    host(&["delete", &name]);
    let left = |told: &Value| -> Vec<String> {
        let left = told["left"].as_array().expect("a list");
        let names = left.iter().map(|one| one["name"].as_str().expect("a name"));
        names.map(str::to_owned).collect()
    };
    let credentials = format!(r"{key}\Credential Manager");
    assert!(left(&written).contains(&credentials), "{written}");
    let merged = written["changes"].to_string();
    assert!(!merged.contains("Credential Manager"), "{merged}");
    assert_eq!(left(&again), left(&written), "it stays the VM's");
    assert_eq!(left(&deleted), [key], "{deleted}");
    let line = format!("leave    {credentials}: ");
    assert!(text.stdout.contains(&line), "{}", text.stdout);
    let found = json!({ "word": "of-the-host", "listed": true, "container": 0 });
    assert_eq!(seen, found);
}
