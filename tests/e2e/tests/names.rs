//! Named objects: private to each VM, in every form, from the first instruction
//! on, and looking as they do on the host.

use pinion_e2e::{Program, Running, World};
use serde_json::Value;

fn holder(program: Program) -> (Running, Value) {
    let mut running = program.spawn();
    let first = running.first_json();
    (running, first)
}

fn existed(created: &Value) -> Vec<bool> {
    let all = created["created"].as_array().expect("a list");
    all.iter()
        .map(|one| one["existed"].as_bool().expect("a flag"))
        .collect()
}

const SAME: [&str; 9] = [
    "mutant:e2e-same",
    "event:Global\\e2e-same-event",
    "semaphore:Local\\e2e-same-semaphore",
    "timer:e2e-same-timer",
    "section:Global\\e2e-same-section",
    "job:e2e-same-job",
    "mailslot:\\\\.\\mailslot\\e2e\\same",
    "pipe:\\\\.\\pipe\\e2e-same",
    "nt-mutant:\\BaseNamedObjects\\e2e-same-nt",
];

#[test]
fn two_vms_and_the_host_hold_the_same_names() {
    let world = World::new();
    let names = world.host.path_of("names");
    let hold = |program: Program| holder(program.arg("create").args(SAME).args(["--hold", "30"]));
    let (_host, on_host) = hold(world.host.program("names"));
    let (_one, in_one) = hold(world.pinion(["run", "--rm", "--name", "one", &names]));
    let (_two, in_two) = hold(world.pinion(["run", "--rm", "--name", "two", &names]));
    for created in [&on_host, &in_one, &in_two] {
        assert_eq!(existed(created), [false; SAME.len()], "{created}");
        for one in created["created"].as_array().expect("a list") {
            assert_eq!(one["error"], 0, "{created}");
        }
    }
    // Another program of the VM finds them, so they are there, and the VM's.
    let again = world
        .exec("one", "names", &["create", "e2e-same"])
        .expect(0)
        .json();
    assert_eq!(existed(&again), [true]);
    for (kind, name) in SAME.iter().filter_map(|same| same.split_once(':')) {
        let opened = world
            .exec("one", "names", &["open", kind, name])
            .expect(0)
            .json();
        assert_eq!(opened["error"], 0, "{opened}");
    }
}

#[test]
fn objects_that_seldom_have_names_are_the_vms_own_too() {
    const COLLISION: u64 = 0xC000_0035;
    let world = World::new();
    let names = world.host.path_of("names");
    let debug = "nt-debugobject:\\BaseNamedObjects\\e2e-debug";
    let hold = |program: Program| holder(program.args(["create", debug, "--hold", "30"]));
    let (_host, on_host) = hold(world.host.program("names"));
    let (_one, in_one) = hold(world.pinion(["run", "--rm", "--name", "one", &names]));
    for created in [&on_host, &in_one] {
        assert_eq!(created["created"][0]["error"], 0, "{created}");
    }
    let again = world
        .exec("one", "names", &["create", debug])
        .expect(0)
        .json();
    assert_eq!(again["created"][0]["error"], COLLISION, "{again}");
}

#[test]
fn names_of_one_vm_are_not_there_in_another_nor_on_the_host() {
    let world = World::new();
    let names = world.host.path_of("names");
    let only: Vec<String> = SAME
        .iter()
        .map(|same| same.replace("same", "only"))
        .collect();
    let run = world.pinion(["run", "--rm", "--name", "one", &names, "create"]);
    let (_one, _) = holder(run.args(&only).args(["--hold", "30"]));
    world.sleeper("two", 60);
    for (kind, name) in only.iter().filter_map(|only| only.split_once(':')) {
        let inside = world
            .exec("two", "names", &["open", kind, name])
            .expect(0)
            .json();
        assert_ne!(inside["error"], 0, "{inside}");
        let host = world
            .host
            .program("names")
            .args(["open", kind, name])
            .run()
            .expect(0)
            .json();
        assert_ne!(host["error"], 0, "{host}");
        assert_eq!(
            inside["error"], host["error"],
            "a name that is not there looks the same: {name}"
        );
    }
}

#[test]
fn names_of_the_host_are_not_there_inside() {
    let world = World::new();
    let only: Vec<String> = SAME
        .iter()
        .map(|same| same.replace("same", "host"))
        .collect();
    let create = world
        .host
        .program("names")
        .arg("create")
        .args(&only)
        .args(["--hold", "60"]);
    let (_host, _) = holder(create);
    world.sleeper("one", 60);
    for (kind, name) in only.iter().filter_map(|only| only.split_once(':')) {
        let inside = world
            .exec("one", "names", &["open", kind, name])
            .expect(0)
            .json();
        assert_ne!(inside["error"], 0, "{inside}");
    }
}

#[test]
fn every_form_of_a_name_looks_as_on_the_host() {
    let world = World::new();
    let host = world
        .host
        .program("names")
        .arg("forms")
        .run()
        .expect(0)
        .json();
    let inside = world.run("names", &["forms"]).expect(0).json();
    let (host, inside) = (&host["forms"], &inside["forms"]);
    let (host, inside) = (
        host.as_array().expect("a list"),
        inside.as_array().expect("a list"),
    );
    assert_eq!(host.len(), inside.len());
    let differing: Vec<String> = host
        .iter()
        .zip(inside)
        .filter(|(host, inside)| host != inside)
        .map(|(host, inside)| format!("host {host}\ninside {inside}"))
        .collect();
    assert!(
        differing.is_empty(),
        "{} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
    assert!(host.iter().all(|form| form["ok"] != false), "{host:?}");
}

#[test]
fn links_and_names_without_room_look_as_on_the_host() {
    let world = World::new();
    let host = world.host.program("names").arg("links").run().expect(0);
    let inside = world.run("names", &["links"]).expect(0);
    assert_eq!(inside.json(), host.json());
}

#[test]
fn a_question_for_the_name_of_a_disconnected_pipe_harms_nobody() {
    const PIPE_DISCONNECTED: &str = "0xc00000b0";
    let world = World::new();
    world.sleeper("one", 60);
    let told = world
        .exec("one", "names", &["disconnected"])
        .expect(0)
        .json();
    for end in ["reader", "bare"] {
        assert_eq!(told[end]["disconnected"], 1, "{told}");
        let name = told[end]["connected"]["Ok"].as_str();
        let whole = format!("\\Device\\NamedPipe\\pinion-disconnected-{end}");
        assert_eq!(name, Some(whole.as_str()), "{told}");
        assert!(told[end]["object_name"]["Err"].is_string(), "{told}");
        assert_ne!(told[end]["file_name"], 0, "{told}");
        assert_eq!(told[end]["server_name"]["Ok"], whole, "{told}");
    }
    assert_eq!(told["reader"]["object_name"]["Err"], PIPE_DISCONNECTED);
    // The server of Wine, which all share, is the same: the VM is still there.
    world.exec("one", "names", &["create", "still-there"]).ok();
}

#[test]
fn the_real_names_of_another_vm_are_out_of_reach() {
    let world = World::new();
    let names = world.host.path_of("names");
    let run = world.pinion(["run", "--rm", "--name", "one", &names, "create"]);
    let (_one, _) = holder(run.args(["e2e-real", "pipe:\\\\.\\pipe\\e2e-real", "--hold", "40"]));
    let one = world.inspect("one");
    let directory = one["object_directory"].as_str().expect("a path").to_owned();
    world.sleeper("two", 60);
    let session = "Sessions\\1\\BaseNamedObjects\\e2e-real";
    for leaf in [
        "",
        "\\e2e-real",
        "\\BaseNamedObjects\\e2e-real",
        &format!("\\{session}"),
    ] {
        let path = format!("{directory}{leaf}");
        let tried = world
            .exec("two", "names", &["real", &path])
            .expect(0)
            .json();
        assert_eq!(tried["reached"], false, "{tried}");
        let own = world
            .exec("one", "names", &["real", &path])
            .expect(0)
            .json();
        assert_eq!(
            own["reached"], false,
            "its own VM has no such name either: {own}"
        );
    }
    let prefix = one["pipe_prefix"].as_str().expect("a prefix");
    let pipe = format!("\\\\.\\pipe\\{prefix}e2e-real");
    let on_host = world
        .host
        .program("names")
        .args(["open", "pipe", &pipe])
        .run()
        .expect(0)
        .json();
    assert_eq!(on_host["error"], 0, "the real name is right: {on_host}");
    let inside = world
        .exec("two", "names", &["open", "pipe", &pipe])
        .expect(0)
        .json();
    assert_ne!(inside["error"], 0, "{inside}");
}

#[test]
fn a_dll_main_and_a_tls_callback_are_confined() {
    let world = World::new();
    let early = world.host.path_of("early");
    let (_host, on_host) = holder(world.host.program("early").args(["--hold", "40"]));
    assert_eq!(
        (&on_host["dllmain_error"], &on_host["tls_error"]),
        (&0.into(), &0.into())
    );
    let run = world.pinion(["run", "--rm", "--name", "one", &early, "--hold", "30"]);
    let (_one, inside) = holder(run);
    assert_eq!(inside["dllmain_error"], 0, "{inside}");
    assert_eq!(inside["tls_error"], 0, "{inside}");
    let again = world.exec("one", "early", &[]).expect(0).json();
    assert_eq!(again["dllmain_error"], 183, "{again}");
    assert_eq!(again["tls_error"], 183, "{again}");
}
