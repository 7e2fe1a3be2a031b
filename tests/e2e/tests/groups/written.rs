//! What groups are made from: their file, a profile, a state.

use crate::{Servers, get};
use pinion_e2e::{World, eventually};
use pinion_harness::group::PAGE;

#[test]
fn a_file_that_is_not_sound_is_told_by_line_and_column() {
    let world = World::new();
    let file = world.file(
        "bad.toml",
        b"command = ['x']\nport = 1\n[front]\nlisten = 'here'\nmode = 'vot'\n",
    );
    let output = world.pinion(["group", "check", &file]).run().expect(2);
    assert!(
        output.stderr.contains(":4:10: give an address"),
        "{output:?}"
    );
    assert!(
        output
            .stderr
            .contains(":5:8: 'vot' is none of balance, vote"),
        "{output:?}"
    );
    let told = world
        .pinion(["group", "check", "--json", &file])
        .run()
        .expect(2)
        .json();
    assert_eq!(
        (told["sound"].as_bool(), told["faults"][1]["line"].as_u64()),
        (Some(false), Some(5))
    );
    world
        .pinion(["group", "up", &file])
        .run()
        .fails(2, &["4:10", "1 more"]);
    world
        .pinion(["group", "status", "nobody"])
        .run()
        .fails(120, &["nobody"]);
}

#[test]
fn replicas_are_clones_of_one_state() {
    let servers = Servers::new("clones");
    let world = &servers.world;
    let page = servers.page();
    world
        .pinion([
            "run",
            "--name",
            "origin",
            "--",
            "cmd.exe",
            "/c",
            &format!("echo of the VM>{page}"),
        ])
        .run()
        .ok();
    let file = servers.file("clones", 18_108, "from = 'origin'\nreplicas = 2", "");
    let group = servers.up(&file, "clones");
    assert_eq!(get(18_108, "/"), (200, "of the VM\r\n".into()));
    // The VM goes on; replicas that come later are of the state at the beginning.
    world.pinion(["start", "-a", "origin"]).run().ok();
    world.pinion(["rm", "-f", "origin"]).run().ok();
    world.pinion(["group", "scale", "clones", "3"]).run().ok();
    world.pinion(["group", "rejuvenate", "clones"]).run().ok();
    eventually(60, "all are new", || {
        let status = group.status().expect("up");
        (status.serving == 3 && status.replicas.iter().all(|one| one.replica > 3)).then_some(())
    });
    for _ in 0..3 {
        assert_eq!(get(18_108, "/").1, "of the VM\r\n");
    }
    group.down().expect("down");
    assert_eq!(world.snapshots(), [] as [&str; 0]);
    assert_eq!(world.names(), [] as [&str; 0]);
}

#[test]
fn a_profile_says_what_replicas_run() {
    let servers = Servers::new("known");
    let (world, folder) = (&servers.world, &servers.folder);
    let text = format!(
        "description = 'this nginx'\nprogram = ['{folder}\\nginx.exe']\nworkdir = '{folder}'\nservices = ['RpcSs']\nports = ['18119:8091']\n[[rule]]\nchannel = 'pipes'\nname = 'forbidden'\nverdict = 'deny'\n[health]\nport = 8091\npath = '/index.html'\n"
    );
    let profile = world.file("this-nginx.toml", text.as_bytes());
    let front = "replicas = 1\nspares = 0\n[front]\nlisten = '127.0.0.1:18120'\n";
    let text = format!("from = '{profile}'\n{front}");
    let file = world.file("known.toml", text.as_bytes());
    let group = servers.up(&file, "known");
    assert_eq!(get(18_120, "/"), (200, PAGE.into()));
    let services = world.pinion(["services", "known.1"]).run().expect(0).stdout;
    assert!(
        services.to_ascii_lowercase().contains("rpcss"),
        "{services}"
    );
    let explained = world
        .pinion(["policy", "explain", "known.1", "pipes", "forbidden"])
        .run();
    assert!(
        explained.stdout.contains("deny") || explained.stdout.contains("refused"),
        "{explained:?}"
    );
    group.down().expect("down");
    // What is wrong with it is told where it is named.
    let _ = world.file("this-nginx.toml", b"description = ''\n");
    let checked = world.pinion(["group", "check", &file]).run().expect(2);
    assert!(
        checked.stderr.contains(":1:8: ") && checked.stderr.contains(":1:15: say something"),
        "{checked:?}"
    );
    let text = format!("from = 'C:\\no\\such.toml'\n{front}");
    let file = world.file("none.toml", text.as_bytes());
    world
        .pinion(["group", "up", &file])
        .run()
        .fails(2, &[":1:8: cannot read the profile"]);
}
