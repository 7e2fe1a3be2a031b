//! Windows, window stations and desktops: a VM's members reach one another as
//! programs of the host do, and nobody else, by whatever name or number.

use std::collections::BTreeSet;

use pinion_e2e::{Output, Program, Running, World};
use serde_json::Value;

/// Class and title of windows that a test looks for.
const SOUGHT: &str = "pinion-e2e-sought";
/// Of those that are only there.
const OTHER: &str = "pinion-e2e-other";

/// A window, and the program that has it.
struct Served {
    running: Running,
    numbers: [String; 3],
}

impl Served {
    fn new(program: Program, class: &str) -> Self {
        let mut running = program.args(["serve", class, class]).spawn();
        let told = running.first_json();
        let number = |key: &str| told[key].as_u64().expect("a number").to_string();
        let numbers = [number("window"), number("thread"), number("process")];
        assert_ne!(numbers[0], "0", "no window: {told}");
        Self { running, numbers }
    }

    /// The arguments of `windows reach` for it.
    fn reach(&self) -> Vec<&str> {
        let [window, thread, process] = &self.numbers;
        vec!["reach", SOUGHT, SOUGHT, window, thread, process]
    }

    /// What it heard until now, as a set.
    fn heard(self, end: Output) -> BTreeSet<String> {
        end.ok();
        let output = self.running.wait();
        let last = output.stdout.lines().last().unwrap_or_default();
        let told: Value = serde_json::from_str(last).expect("what was heard");
        told["heard"]
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    }
}

/// The ways that did, or did not, succeed.
fn ways(told: &Value, succeeded: bool) -> Vec<&str> {
    let all = told.as_object().expect("an object").iter();
    all.filter(|(_, done)| done.as_bool() == Some(succeeded))
        .map(|(way, _)| way.as_str())
        .collect()
}

const ALL_MESSAGES: [&str; 9] = [
    "broadcast",
    "called-back",
    "data",
    "notified",
    "posted",
    "sent",
    "text",
    "timed",
    "to-thread",
];

#[test]
fn members_reach_one_another_as_on_the_host_and_nobody_else() {
    reach_one_another(&[]);
}

#[test]
fn on_the_users_desktop_members_reach_one_another_and_nobody_else() {
    reach_one_another(&["--desktop"]);
}

/// In VMs that are made with these options.
fn reach_one_another(options: &[&str]) {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let host = Served::new(world.host.program("windows"), SOUGHT);
    let run = |name| {
        let run = world.pinion(["run", "--rm", "--name", name]).args(options);
        Served::new(run.arg(&windows), SOUGHT)
    };
    let (one, two) = (run("one"), run("two"));
    let inside = |vm, arguments: &[&str]| world.exec(vm, "windows", arguments);
    let outside = |arguments: &[&str]| world.host.program("windows").args(arguments).run();

    let plain = outside(&host.reach()).expect(0).json();
    assert!(ways(&plain, true).len() > 40, "{plain}");
    let member = inside("one", &one.reach()).expect(0).json();
    // On one desktop the host may come by a VM's window first.
    let found_first = |way: &&str| options.is_empty() || !way.starts_with("FindWindow");
    let reached = |told| ways(told, true).into_iter().filter(found_first);
    assert!(
        reached(&member).eq(reached(&plain)),
        "inside against outside: {member}, {plain}"
    );

    for (who, target) in [("another VM's", &two), ("the host's", &host)] {
        let told = inside("one", &target.reach()).expect(0).json();
        assert_eq!(ways(&told, true), [""; 0], "a member reached {who}");
    }
    let [host, one, two] =
        [(host, None), (one, Some("one")), (two, Some("two"))].map(|(served, vm)| {
            let [window, ..] = served.numbers.clone();
            let end = match vm {
                Some(vm) => inside(vm, &["end", &window]),
                None => outside(&["end", &window]),
            };
            served.heard(end)
        });
    assert_eq!(Vec::from_iter(&host), ALL_MESSAGES);
    assert_eq!(one, host);
    assert_eq!(two, BTreeSet::new(), "heard from another VM");
}

#[test]
fn a_vm_has_a_window_station_of_its_own() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let served = Served::new(
        world.pinion(["run", "--rm", "--name", "one", &windows]),
        OTHER,
    );
    let told = world.exec("one", "windows", &["station"]).expect(0).json();
    assert_eq!(told["station"], "WinSta0", "{told}");
    assert_eq!(told["desktop"], "Default", "{told}");
    assert_eq!(told["thread"], "Default", "{told}");
    assert_eq!(told["opened"], "WinSta0", "{told}");
    assert_eq!(told["stations"], serde_json::json!(["WinSta0"]), "{told}");
    assert_eq!(told["made"], true, "{told}");
    for name in ["__wineservice_winstation", "nobody's"] {
        let told = world
            .exec("one", "windows", &["station", name])
            .expect(0)
            .json();
        assert_eq!(told["station error"], 2, "{name}: {told}");
    }
    drop(served);
}

#[test]
fn a_vm_that_is_started_from_a_desktop_is_not_on_it() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let host = Served::new(world.host.program("windows"), OTHER);
    let [window, thread, process] = &host.numbers;
    // Wine's `start` has windows itself, so what it starts inherits its desktop.
    let start = world.host.any("start.exe").args(["/b", "/wait"]);
    let run = start
        .arg(world.pinion_path())
        .args(["run", "--rm", &windows]);
    let reach = ["reach", OTHER, OTHER, window, thread, process];
    let told = world.in_world(run.args(reach)).run().expect(0).json();
    assert_eq!(ways(&told, true), [""; 0], "{told}");
}

#[test]
fn the_clipboard_is_the_vms_own() {
    clipboards_are_apart(&[]);
}

#[test]
fn on_the_users_desktop_the_clipboard_is_the_vms_own() {
    clipboards_are_apart(&["--desktop"]);
}

/// In VMs that are made with these options.
fn clipboards_are_apart(options: &[&str]) {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let _host = Served::new(world.host.program("windows"), OTHER);
    let run = |name| {
        let run = world.pinion(["run", "--rm", "--name", name]).args(options);
        Served::new(run.arg(&windows), OTHER)
    };
    let (_one, _two) = (run("one"), run("two"));
    let inside = |vm, arguments: &[&str]| world.exec(vm, "windows", arguments).expect(0).json();
    let host = |arguments: &[&str]| {
        let output = world.host.program("windows").args(arguments).run();
        output.expect(0).json()
    };
    assert_eq!(host(&["clipboard", "set", "of the host"])["error"], 0);
    assert_eq!(inside("one", &["clipboard", "get"])["text"], Value::Null);
    assert_eq!(inside("one", &["clipboard", "set", "of one"])["error"], 0);
    assert_eq!(inside("one", &["clipboard", "get"])["text"], "of one");
    assert_eq!(inside("two", &["clipboard", "get"])["text"], Value::Null);
    assert_eq!(host(&["clipboard", "get"])["text"], "of the host");
}

#[test]
fn windows_start_no_explorer_inside() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let served = Served::new(
        world.pinion(["run", "--rm", "--name", "one", &windows]),
        OTHER,
    );
    let members = world.pinion(["ps", "one", "--json"]).run().expect(0).stdout;
    assert!(members.contains("windows.exe"), "{members}");
    assert!(!members.to_lowercase().contains("explorer"), "{members}");
    drop(served);
}

#[test]
fn atoms_are_the_vms_own_and_look_as_on_the_host() {
    const NAME: &str = "Pinion-e2e-Atom";
    let world = World::new();
    let windows = world.host.path_of("windows");
    let _one = Served::new(
        world.pinion(["run", "--rm", "--name", "one", &windows]),
        OTHER,
    );
    let _two = Served::new(
        world.pinion(["run", "--rm", "--name", "two", &windows]),
        OTHER,
    );
    let inside = |vm, arguments: [&str; 2]| {
        let arguments = ["atoms", arguments[0], arguments[1]];
        world.exec(vm, "windows", &arguments).expect(0).json()
    };
    let host = |arguments: [&str; 2]| {
        let program = world.host.program("windows").arg("atoms").args(arguments);
        program.run().expect(0).json()
    };
    assert_eq!(
        inside("one", ["all", "Pinion-e2e-All"]),
        host(["all", "Pinion-e2e-All"])
    );

    let of_host = host(["add", NAME])["atom"].to_string();
    for vm in ["one", "two"] {
        assert_eq!(inside(vm, ["find", NAME])["atom"], 0);
        let told = inside(vm, ["number", &of_host]);
        assert_eq!(
            (&told["name"], &told["format"]),
            (&"".into(), &"".into()),
            "{told}"
        );
        inside(vm, ["delete", &of_host]);
    }
    let of_one = inside("one", ["add", NAME])["atom"].to_string();
    assert_ne!(of_one, of_host);
    let told = inside("one", ["number", &of_one]);
    assert_eq!(
        (&told["name"], &told["format"]),
        (&NAME.into(), &NAME.into()),
        "{told}"
    );
    // Names of atoms have no case, as on the host.
    assert_eq!(
        inside("one", ["find", "pinion-E2E-atom"])["atom"].to_string(),
        of_one
    );
    assert_eq!(inside("two", ["find", NAME])["atom"], 0);
    assert_eq!(inside("two", ["number", &of_one])["name"], "");
    inside("two", ["delete", &of_one]);
    assert_eq!(inside("one", ["number", &of_one])["name"], NAME);
    assert_eq!(host(["number", &of_host])["name"], NAME);
    inside("one", ["delete", &of_one]);
    host(["delete", &of_host]);
}

/// Starts a program that holds something, and gives what it says at first.
fn held(program: Program) -> (Running, Value) {
    let mut running = program.spawn();
    let told = running.first_json();
    (running, told)
}

#[test]
fn dde_connects_within_a_vm_only() {
    const NAME: &str = "PinionE2eDde";
    let world = World::new();
    let windows = world.host.path_of("windows");
    let serve = ["dde", "serve", NAME];
    let run = |name| {
        held(
            world
                .pinion(["run", "--rm", "--name", name, &windows])
                .args(serve),
        )
    };
    let (_host, told) = held(world.host.program("windows").args(serve));
    assert_eq!(told["serves"], true);
    let (_two, told) = run("two");
    assert_eq!(told["serves"], true);
    let _one = Served::new(
        world.pinion(["run", "--rm", "--name", "one", &windows]),
        OTHER,
    );
    let connect = |vm| {
        let told = world.exec(vm, "windows", &["dde", "connect", NAME]);
        told.expect(0).json()["connected"] == true
    };
    assert!(!connect("one"), "to another VM or the host");
    assert!(connect("two"));
    let outside = world
        .host
        .program("windows")
        .args(["dde", "connect", NAME])
        .run();
    assert_eq!(outside.expect(0).json()["connected"], true);
}

#[test]
fn a_hot_key_is_taken_once_in_a_vm() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let run = |name| held(world.pinion(["run", "--rm", "--name", name, &windows, "hotkey"]));
    let (_host, of_host) = held(world.host.program("windows").arg("hotkey"));
    let (_one, of_one) = run("one");
    let (_two, of_two) = run("two");
    for told in [of_host, of_one, of_two] {
        assert_eq!(told["taken"], true);
    }
    let (_again, again) = held(world.pinion(["exec", "one", &windows, "hotkey"]));
    assert_eq!(again["taken"], false);
}

#[test]
fn on_the_users_desktop_no_hot_key_is_taken() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let run = world.pinion(["run", "--rm", "--desktop", &windows, "hotkey"]);
    let (_one, inside) = held(run);
    assert_eq!(inside["taken"], false);
    let (_host, outside) = held(world.host.program("windows").arg("hotkey"));
    assert_eq!(outside["taken"], true);
}

#[test]
fn what_is_the_sessions_is_refused() {
    const ACCESS_DENIED: u32 = 5;
    const REQUIRES_INTERACTIVE_WINDOWSTATION: u32 = 1459;
    const DISP_CHANGE_FAILED: i32 = -1;
    let world = World::new();
    let told = world
        .pinion(["run", "--rm", &world.host.path_of("windows"), "session"])
        .run()
        .expect(0)
        .json();
    assert_eq!(told["read"], 1, "{told}");
    for (what, returned, error) in [
        ("setting", 0, REQUIRES_INTERACTIVE_WINDOWSTATION),
        ("colors", 0, REQUIRES_INTERACTIVE_WINDOWSTATION),
        ("displays", DISP_CHANGE_FAILED, ACCESS_DENIED),
    ] {
        let expected = serde_json::json!({ "returned": returned, "error": error });
        assert_eq!(told[what], expected, "{what}: {told}");
    }
}

#[test]
fn on_the_users_desktop_the_screen_is_not_read() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let outside = world.host.program("windows").arg("screen");
    let outside = outside.run().expect(0).json();
    let inside = |options: &[&str]| {
        let run = world.pinion(["run", "--rm"]).args(options);
        run.args([&windows, "screen"]).run().expect(0).json()
    };
    // A VM's own desktop is read as the user's outside.
    assert_eq!(inside(&[]), outside);
    let mut expected = outside.clone();
    // Drawing makes no system calls on Wine 8.
    if !world.host.is_wine_8() {
        let screen = [
            "blend",
            "copy",
            "display",
            "display by a wide handle",
            "mask",
            "pixel",
            "stretch",
            "turn",
            "whole window",
        ];
        for way in screen {
            assert_ne!(expected[way], Value::Null, "{expected}");
            expected[way] = false.into();
        }
    }
    assert_eq!(inside(&["--desktop"]), expected);
}

#[test]
fn the_pointer_is_not_the_hosts() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let outside = |words: &[&str]| {
        let program = world.host.program("windows").arg("pointer").args(words);
        program.run().expect(0).json()
    };
    let place = serde_json::json!([77, 13]);
    let _desktop = Served::new(world.host.program("windows"), OTHER);
    assert_eq!(outside(&["77", "13"]), place);
    assert_eq!(outside(&[]), place);
    let inside = |words: &[&str]| {
        let run = world.pinion(["run", "--rm", &windows, "pointer"]);
        run.args(words).run().expect(0).json()
    };
    assert_ne!(inside(&[]), place);
    inside(&["42", "17"]);
    assert_eq!(outside(&[]), place);
}

#[test]
fn on_the_users_desktop_titles_carry_the_vms_mark_and_are_told_without_it() {
    let world = World::new();
    let windows = world.host.path_of("windows");
    let told = |title: &str| serde_json::json!({ "title": title, "length": title.len() });
    for (name, mark, shown) in [
        ("one", &[][..], "[one] "),
        ("two", &["--title-mark", "# "], "# "),
        ("three", &["--title-mark", ""], ""),
    ] {
        let run = world.pinion(["run", "--rm", "--name", name, "--desktop"]);
        let run = run.args(mark).args([&windows, "titled", "Draft", "Notes"]);
        let (_running, own) = held(run);
        assert_eq!(own["made"], told("Draft"));
        assert_eq!(own["set"], told("Notes"));
        assert_eq!(own["ansi"], "Notes");
        assert_eq!(own["found"], true);
        assert_eq!(own["shell"], false, "it became the user's shell");
        let window = own["window"].to_string();
        let inside = world.exec(name, "windows", &["title", &window]);
        assert_eq!(inside.expect(0).json(), told("Notes"));
        let outside = world.host.program("windows").args(["title", &window]);
        let shown = format!("{shown}Notes");
        assert_eq!(outside.run().expect(0).json(), told(&shown));
    }
}
