//! Wrong programs, names, ports and records: one line with the cause, the
//! documented exit code, and nothing half made left behind.

use pinion_e2e::World;
use std::net::TcpListener;

/// The headers of a PE image for the processor `machine`, and nothing after.
fn image(machine: u16, magic: u16) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 64;
    bytes.extend(b"PE\0\0");
    bytes.extend(machine.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(0x22_u16.to_le_bytes());
    bytes.extend(magic.to_le_bytes());
    bytes
}

#[test]
fn programs_that_cannot_run_leave_nothing() {
    let world = World::new();
    let text = world.file("text.exe", b"no program at all");
    let old = world.file("old.exe", &image(0x14c, 0x10b));
    let arm = world.file("arm.exe", &image(0xaa64, 0x20b));
    let batch = world.file("batch.cmd", b"echo hi\r\n");
    let folder = world.windows_work();
    let cases: [(&str, i32, &str); 7] = [
        ("no-such-program", 127, "no-such-program"),
        ("Z:\\no\\such\\program.exe", 127, "program.exe"),
        (&text, 126, "no PE"),
        (&old, 126, "32-bit"),
        (&arm, 126, "processor"),
        (&batch, 126, "cmd.exe /c"),
        (&folder, 126, "folder"),
    ];
    for (program, code, word) in cases {
        for verb in ["run", "create"] {
            world
                .pinion([verb, "--name", "x", program])
                .run()
                .fails(code, &[word]);
        }
        world
            .pinion(["run", "-d", program])
            .run()
            .fails(code, &[word]);
    }
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn a_missing_folder_is_told() {
    let world = World::new();
    let run = ["run", "-w", "Z:\\no\\such\\folder", "cmd.exe", "/c", "exit"];
    world
        .pinion(run)
        .run()
        .fails(126, &["Z:\\no\\such\\folder", "-w"]);
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn a_taken_name_is_told() {
    let world = World::new();
    world
        .pinion(["create", "--name", "web", "cmd.exe"])
        .run()
        .ok();
    for verb in ["run", "create"] {
        let again = world
            .pinion([verb, "--name", "WEB", "cmd.exe", "/c", "exit"])
            .run();
        again.fails(121, &["'web'", "pinion rm web"]);
    }
    assert_eq!(world.names(), ["web"]);
}

#[test]
fn a_vm_that_is_not_there_is_told() {
    let world = World::new();
    for arguments in [
        &["start", "web"][..],
        &["exec", "web", "cmd.exe"],
        &["stop", "web"],
        &["kill", "web"],
        &["pause", "web"],
        &["unpause", "web"],
        &["update", "--cpus", "1", "web"],
        &["wait", "web"],
        &["ps", "web"],
        &["inspect", "web"],
        &["logs", "web"],
        &["rm", "web"],
        &["rm", "-f", "web"],
    ] {
        world.pinion(arguments).run().fails(120, &["'web'"]);
    }
}

#[test]
fn a_vm_that_does_not_run_is_told() {
    let world = World::new();
    world
        .pinion(["create", "--name", "web", "cmd.exe"])
        .run()
        .ok();
    for arguments in [
        &["exec", "web", "cmd.exe", "/c", "exit"][..],
        &["kill", "web"],
        &["pause", "web"],
        &["unpause", "web"],
        &["wait", "web"],
        &["ps", "web"],
    ] {
        world
            .pinion(arguments)
            .run()
            .fails(123, &["'web'", "pinion start web"]);
    }
    world.pinion(["stop", "web"]).run().ok();
}

#[test]
fn a_port_in_use_is_told_and_leaves_nothing() {
    let world = World::new();
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener
        .local_addr()
        .expect("its address")
        .port()
        .to_string();
    let publish = format!("{port}:80");
    for detach in [false, true] {
        let options: &[&str] = if detach { &["-d"] } else { &[] };
        let run = world.pinion(["run", "-p", &publish]).args(options);
        run.args(["cmd.exe", "/c", "exit"])
            .run()
            .fails(121, &[&port, "-p"]);
        assert_eq!(world.folders(), [""; 0]);
    }
    world
        .pinion(["create", "--name", "web", "-p", &publish, "cmd.exe"])
        .run()
        .ok();
    world.pinion(["start", "web"]).run().fails(121, &[&port]);
    assert_eq!(world.inspect("web")["state"], "created");
}

#[test]
fn a_damaged_record_is_told_and_can_be_removed() {
    let world = World::new();
    for contents in ["", "{", "{\"format\":1}", "[]"] {
        world
            .pinion(["create", "--name", "web", "cmd.exe"])
            .run()
            .ok();
        std::fs::write(world.vm_folder("web").join("vm.json"), contents).expect("written");
        for arguments in [
            &["start", "web"][..],
            &["inspect", "web"],
            &["exec", "web", "cmd.exe"],
        ] {
            world
                .pinion(arguments)
                .run()
                .fails(122, &["vm.json", "'web'"]);
        }
        let listed = world.pinion(["ls", "--json"]).run().expect(0).json();
        assert_eq!(listed[0]["state"], "damaged", "{listed}");
        world.pinion(["rm", "web"]).run().ok();
        assert_eq!(world.folders(), [""; 0]);
    }
}

#[test]
fn a_record_of_a_newer_pinion_is_left_alone() {
    let world = World::new();
    world
        .pinion(["create", "--name", "web", "cmd.exe"])
        .run()
        .ok();
    let path = world.vm_folder("web").join("vm.json");
    let text = std::fs::read_to_string(&path).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    record["format"] = 99.into();
    std::fs::write(&path, record.to_string()).expect("written");
    world.pinion(["start", "web"]).run().fails(122, &["99"]);
}
