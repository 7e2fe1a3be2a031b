//! Installers inside: what they bring is in the VM's layer, works there, and is nowhere else.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::path::Path;

/// Whether a file of this name lies anywhere below a folder.
fn holds(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let path = entry.path();
        path.file_name().is_some_and(|found| found == name)
            || (entry.file_type().is_ok_and(|kind| kind.is_dir()) && holds(&path, name))
    })
}

fn setup(world: &World, vm: &str, arguments: &[&str]) -> Value {
    world.exec(vm, "setup", arguments).expect(0).json()
}

/// What an installed server is: its folder, its service, its class and its server's tag.
struct Installed<'a> {
    name: &'a str,
    service: &'a str,
    class: &'a str,
    tag: &'a str,
}

/// Judges that all of it is in the VM and works there, and none of it on the host or in another VM.
fn is_inside(world: &World, vm: &str, installed: &Installed<'_>) {
    let &Installed {
        name,
        service,
        class,
        tag,
    } = installed;
    let told = setup(world, vm, &["tell", name, service, class]);
    for there in ["file", "shortcut"] {
        assert_eq!(told[there], true, "{there}: {told}");
    }
    assert_eq!(told["service"], 1, "it is there, stopped: {told}");
    for text in ["key", "class"] {
        assert!(told[text].is_string(), "{text}: {told}");
    }
    let called = world.exec(vm, "com_server", &["call", class]);
    let called = called.expect(0).json();
    assert_eq!(called["new"]["tag"], tag, "{called}");
    let upper = world.upper(vm);
    assert!(holds(&upper, "worker.exe"), "{}", upper.display());
    assert!(holds(&upper, &format!("{name}.lnk")), "{}", upper.display());
    world.sleeper("other", 60);
    let nothing = json!({
        "file": false, "shortcut": false,
        "key": { "error": 2 }, "class": { "error": 2 }, "service": { "error": 1060 },
    });
    let other = setup(world, "other", &["tell", name, service, class]);
    assert_eq!(other, nothing, "in another VM");
    let host = world
        .host
        .program("setup")
        .args(["tell", name, service, class]);
    assert_eq!(host.run().expect(0).json(), nothing, "on the host");
}

#[test]
fn a_set_up_program_installs_inside() {
    const CLASS: &str = "{5A1C0F3E-7B1D-4C7E-9A70-50494E494F4E}";
    let world = World::new();
    world.sleeper("own", 200);
    let [worker, server] = ["service_worker", "com_server"].map(|name| world.host.path_of(name));
    let told = setup(
        &world,
        "own",
        &["own", "PinionOwn", &worker, &server, CLASS],
    );
    let expected = json!({ "keys": [0, 0, 0], "service": 0, "shortcut": "0x00000000" });
    assert_eq!(told, expected);
    is_inside(
        &world,
        "own",
        &Installed {
            name: "PinionOwn",
            service: "PinionOwn",
            class: CLASS,
            tag: "PinionOwn",
        },
    );
}
