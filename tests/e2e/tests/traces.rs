//! Traces: what programs in a VM open, make and are refused is recorded when somebody wants it, and
//! shown by `pinion trace`.

use pinion_e2e::World;
use serde_json::Value;

/// `STATUS_ACCESS_DENIED`.
const DENIED: u64 = 0xC000_0022;

/// The events of a VM that `arguments` choose.
fn events(world: &World, vm: &str, arguments: &[&str]) -> Vec<Value> {
    let told = world
        .pinion(["trace", "--all", "--json"])
        .args(arguments)
        .arg(vm)
        .run()
        .expect(0);
    let events = told.stdout.lines();
    events
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

fn text<'e>(event: &'e Value, field: &str) -> &'e str {
    event[field].as_str().unwrap_or("")
}

/// A VM that has ended, in which the program `name` did this.
fn traced(world: &World, vm: &str, options: &[&str], name: &str, arguments: &[&str]) {
    let path = world.host.path_of(name);
    world
        .pinion(["run", "--trace", "--name", vm])
        .args(options)
        .arg(&path)
        .args(arguments)
        .run()
        .ok();
}

#[test]
fn names_of_objects_are_told_as_asked_and_as_given() {
    let world = World::new();
    let made = [
        "mutant:traced-m",
        "event:Global\\traced-e",
        "section:traced-f",
        "pipe:\\\\.\\pipe\\traced-p",
        "mailslot:\\\\.\\mailslot\\traced\\s",
        "nt-mutant:\\BaseNamedObjects\\traced-n",
    ];
    let mut arguments = vec!["create"];
    arguments.extend(made);
    traced(&world, "web", &[], "names", &arguments);
    let all = events(&world, "web", &["--name", "traced"]);
    for (call, channel, name, verdict) in [
        ("NtCreateMutant", "objects", "traced-m", "private"),
        ("NtCreateEvent", "objects", "Global\\traced-e", "private"),
        ("NtCreateSection", "sections", "traced-f", "private"),
        (
            "NtCreateNamedPipeFile",
            "pipes",
            "\\??\\pipe\\traced-p",
            "private",
        ),
        (
            "NtCreateMailslotFile",
            "mailslots",
            "\\??\\mailslot\\traced\\s",
            "private",
        ),
        (
            "NtCreateMutant",
            "objects",
            "\\BaseNamedObjects\\traced-n",
            "private",
        ),
    ] {
        let found = all
            .iter()
            .find(|event| text(event, "call") == call && text(event, "name") == name);
        let found = found.unwrap_or_else(|| panic!("{call} {name}: {all:#?}"));
        assert_eq!(text(found, "channel"), channel, "{found}");
        assert_eq!(text(found, "verdict"), verdict, "{found}");
        assert_eq!(found["status"], 0, "{found}");
        assert!(text(found, "program").ends_with("names.exe"), "{found}");
        let leaf = name.rsplit('\\').next().unwrap_or(name);
        assert!(text(found, "given").ends_with(leaf), "{found}");
        // A name that stands alone is the kernel's under another one.
        if name.starts_with('\\') {
            assert_ne!(text(found, "given"), name, "{found}");
        }
    }
    // Numbers only rise, times are of now, and filters leave out what they say.
    let numbers: Vec<_> = all.iter().map(|event| event["number"].as_u64()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let pipes = events(&world, "web", &["--name", "traced", "--channel", "pipes"]);
    assert!(!pipes.is_empty() && pipes.len() < all.len());
    let after = numbers[2].expect("a number").to_string();
    let rest = events(&world, "web", &["--name", "traced", "--after", &after]);
    assert_eq!(rest.len(), all.len() - 3);
    let summary = world
        .pinion(["trace", "--all", "--summary", "--name", "traced", "web"])
        .run()
        .expect(0);
    assert!(summary.stdout.contains("traced-m"), "{summary:#?}");
}

#[test]
fn a_refusal_is_told_with_its_rule() {
    let world = World::new();
    let deny = ["--deny", "objects=refused-*"];
    let path = world.host.path_of("names");
    world
        .pinion(["run", "--trace", "--name", "web"])
        .args(deny)
        .args([&path, "open", "mutant", "refused-m"])
        .run()
        .ok();
    let refused = events(
        &world,
        "web",
        &["--verdict", "refused", "--channel", "objects"],
    );
    let [event] = &refused[..] else {
        panic!("{refused:#?}")
    };
    assert_eq!(text(event, "name"), "refused-m");
    assert_eq!(
        (&event["status"], &event["rule"]),
        (&DENIED.into(), &0.into())
    );
}

#[test]
fn files_tell_whether_they_are_the_hosts_or_the_layers() {
    let world = World::new();
    let file = world.file("traced.txt", b"host");
    let line = format!("type {file} && echo x> {file}.new && del {file}");
    let path = "C:\\windows\\system32\\cmd.exe";
    world
        .pinion(["run", "--trace", "--name", "web", path, "/c", &line])
        .run()
        .ok();
    let all = events(
        &world,
        "web",
        &["--channel", "files", "--name", "traced.txt"],
    );
    let has = |verdict: &str| all.iter().any(|event| text(event, "verdict") == verdict);
    assert!(has("host") && has("layer"), "{all:#?}");
}

#[test]
fn processes_are_told_as_members_or_as_absent() {
    let world = World::new();
    let mut outside = world.host.program("child").args(["sleep", "60"]).spawn();
    let path = world.host.path_of("child");
    let pid = std::process::id().to_string();
    traced(&world, "web", &[], "child", &["alive", &pid]);
    outside.kill();
    let absent = events(
        &world,
        "web",
        &["--channel", "processes", "--verdict", "absent"],
    );
    let [event] = &absent[..] else {
        panic!("{absent:#?}")
    };
    assert_eq!(event["peer"]["pid"].to_string(), pid);
    assert_eq!(event["status"], 0xC000_000B_u64, "STATUS_INVALID_CID");
    let line = format!("{path} trivial");
    let cmd = "C:\\windows\\system32\\cmd.exe";
    world
        .pinion(["run", "--trace", "--name", "made", cmd, "/c", &line])
        .run()
        .ok();
    let made = events(
        &world,
        "made",
        &["--verdict", "member", "--name", "child.exe"],
    );
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!(text(&made[0], "call"), "NtCreateUserProcess");
    assert!(made[0]["peer"]["pid"].is_u64(), "{made:#?}");
}

#[test]
fn a_running_vm_records_as_long_as_somebody_looks() {
    let world = World::new();
    let child = world.host.path_of("child");
    world
        .pinion(["run", "-d", "--name", "web", &child, "sleep", "60"])
        .run()
        .ok();
    assert!(events(&world, "web", &[]).is_empty());
    let look = world
        .pinion(["trace", "--json", "--name", "looked-at", "web"])
        .spawn();
    let names = world.host.path_of("names");
    let recording = || {
        let told = world.pinion(["inspect", "web"]).run().expect(0).json();
        told["recording"].as_bool() == Some(true)
    };
    while !recording() {}
    world
        .pinion(["exec", "web", &names, "create", "mutant:looked-at"])
        .run()
        .ok();
    world.pinion(["kill", "web"]).run().ok();
    let seen = look.wait().expect(0);
    let line = seen.stdout.lines().next().unwrap_or_default();
    let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {seen:#?}"));
    assert_eq!(text(&event, "name"), "looked-at");
}

#[test]
fn a_refusal_is_explained_with_what_would_allow_it_and_what_that_opens() {
    let world = World::new();
    let deny = ["--deny", "objects=explained-*"];
    let path = world.host.path_of("names");
    world
        .pinion(["run", "--trace", "--name", "web"])
        .args(deny)
        .args([&path, "open", "mutant", "explained-m"])
        .run()
        .ok();
    let told = world
        .pinion(["explain", "web", "explained"])
        .run()
        .expect(0);
    for part in [
        "objects explained-m",
        "names.exe",
        "rule 0 of the VM's policy refuses the name",
        "before the rule in line",
        "verdict = \"allow\"",
        "programs inside and on the host",
    ] {
        assert!(told.stdout.contains(part), "{part}: {told:#?}");
    }
    let cases = world.pinion(["explain", "--json", "web", "explained"]);
    let cases = cases.run().expect(0).json();
    let case = &cases["cases"][0];
    assert_eq!(text(&case["last"], "verdict"), "refused", "{cases:#}");
    assert!(
        case["policy"]["open"]["to_allow"]["rule"].is_string(),
        "{cases:#}"
    );
    // By the process, too, and what nobody asked for is said to be so.
    let pid = case["last"]["pid"].to_string();
    let of_process = world.pinion(["explain", "web", &pid]).run().expect(0);
    assert!(of_process.stdout.contains("explained-m"), "{of_process:#?}");
    let unseen = world
        .pinion(["explain", "web", "nobody-asked"])
        .run()
        .expect(0);
    assert!(
        unseen.stdout.contains("has recorded no event"),
        "{unseen:#?}"
    );
    let told = world
        .pinion(["inspect", "--events", "web"])
        .run()
        .expect(0)
        .json();
    let refused = told["events"]["refused"].as_array().expect("a list");
    assert!(
        refused
            .iter()
            .any(|event| text(event, "name") == "explained-m"),
        "{told:#}"
    );
}

#[test]
fn figures_are_told_as_they_change() {
    let world = World::new();
    let child = world.host.path_of("child");
    world
        .pinion([
            "run", "-d", "--trace", "--name", "web", &child, "sleep", "60",
        ])
        .run()
        .ok();
    let stats = world
        .pinion(["stats", "--no-stream", "--json", "web"])
        .run()
        .expect(0)
        .json();
    assert_eq!(stats["name"], "web", "{stats}");
    // Wine tells of no handles.
    for field in ["memory", "processes", "events"] {
        assert!(stats[field].as_u64() > Some(0), "{field}: {stats}");
    }
    assert_eq!(stats["recording"], true, "{stats}");
    let top = world
        .pinion(["top", "-n", "1", "--json", "web"])
        .run()
        .expect(0)
        .stdout;
    // Its console host is another line, above it where it used the processor meanwhile.
    let main = top
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|process| process["main"] == true)
        .unwrap_or_else(|| panic!("{top}"));
    assert!(text(&main, "image").ends_with("child.exe"), "{top}");
    let metrics = world.pinion(["metrics"]).run().expect(0).stdout;
    for (name, least) in [("up", 1), ("processes", 1), ("events_total", 1)] {
        let begin = format!("pinion_vm_{name}{{vm=\"web\",id=\"");
        let line = metrics.lines().find(|line| line.starts_with(&begin));
        let line = line.unwrap_or_else(|| panic!("{name}: {metrics}"));
        let value = line.rsplit(' ').next().and_then(|value| value.parse().ok());
        assert!(value >= Some(least), "{line}");
    }
}

#[test]
fn what_a_program_needs_of_the_host_is_learned_and_enough() {
    let world = World::new();
    let held = ["create", "event:e2e-learned-e", "event:e2e-unasked-e"];
    let mut holder = world
        .host
        .program("names")
        .args(held)
        .args(["--hold", "60"])
        .spawn();
    holder.first_json();
    let names = world.host.path_of("names");
    let file = world.windows_work() + "\\learned.toml";
    let open = ["open", "event", "e2e-learned-e"];
    world
        .pinion(["learn", "-o", &file, "--", &names])
        .args(open)
        .run()
        .ok();
    let text = std::fs::read_to_string(world.work().join("learned.toml")).expect("a policy");
    assert!(
        text.contains("name = 'e2e-learned-e'") && !text.contains("unasked"),
        "{text}"
    );
    assert!(
        text.contains("names.exe (NtOpenEvent) wanted 'e2e-learned-e'"),
        "{text}"
    );
    assert_eq!(text.matches("[[rule]]").count(), 1, "{text}");
    let with = world
        .pinion(["run", "--rm", "--policy", &file, "--", &names])
        .args(open);
    assert_eq!(with.run().expect(0).json()["error"], 0);
    let without = world.pinion(["run", "--rm", "--", &names]).args(open);
    assert_eq!(without.run().expect(0).json()["error"], 2);
    assert!(world.names().is_empty(), "{:?}", world.names());
    // One that needs nothing is told so.
    let child = world.host.path_of("child");
    let nothing = world
        .pinion(["learn", "--", &child, "trivial"])
        .run()
        .expect(0);
    assert!(
        nothing.stdout.contains("it needs no policy"),
        "{nothing:#?}"
    );

    let other = world.file(
        "other.toml",
        text.replace("learned-e", "other-e").as_bytes(),
    );
    let told = world
        .pinion(["policy", "diff", &file, &other])
        .run()
        .expect(0)
        .stdout;
    let lines: Vec<&str> = told.lines().collect();
    assert!(
        lines[0].starts_with("- allow objects 'e2e-learned-e'"),
        "{told}"
    );
    assert!(
        lines[1].starts_with("+ allow objects 'e2e-other-e'"),
        "{told}"
    );
    let same = world
        .pinion(["policy", "diff", "--json", &file, &file])
        .run()
        .expect(0)
        .json();
    assert_eq!(same["added"].as_array().map(Vec::len), Some(0), "{same}");
}

#[test]
fn every_kind_of_name_is_learned_with_the_one_rule_that_it_needs() {
    let world = World::new();
    let kinds = [
        ("mutant", "e2e-learn-m", "objects"),
        ("semaphore", "e2e-learn-s", "objects"),
        ("timer", "e2e-learn-t", "objects"),
        ("section", "e2e-learn-f", "sections"),
        ("pipe", "\\\\.\\pipe\\e2e-learn-p", "pipes"),
        ("mutant", "Global\\e2e-learn-g", "objects"),
    ];
    let mut holder = world
        .host
        .program("names")
        .arg("create")
        .args(kinds.map(|(kind, name, _)| format!("{kind}:{name}")))
        .args(["--hold", "300"])
        .spawn();
    holder.first_json();
    let names = world.host.path_of("names");
    let file = world.windows_work() + "\\kind.toml";
    for (kind, name, channel) in kinds {
        let open = ["open", kind, name];
        world
            .pinion(["learn", "-o", &file, "--", &names])
            .args(open)
            .run()
            .ok();
        let text = std::fs::read_to_string(world.work().join("kind.toml")).expect("a policy");
        let leaf = name.rsplit('\\').next().unwrap_or(name);
        assert_eq!(text.matches("[[rule]]").count(), 1, "{kind}: {text}");
        assert!(text.contains(leaf), "{kind}: {text}");
        assert!(text.contains(&format!("'{channel}'")), "{kind}: {text}");
        let with = world.pinion(["run", "--rm", "--policy", &file, "--", &names]);
        let with = with.args(open).run().expect(0).json();
        // A pipe that somebody has just left is there, and busy.
        let is_busy = kind == "pipe" && with["error"] == 231;
        assert!(with["error"] == 0 || is_busy, "{kind}: {with} {text}");
        // Without its one rule it finds nothing: none is too many.
        let without = world.pinion(["run", "--rm", "--", &names]).args(open);
        assert_eq!(without.run().expect(0).json()["error"], 2, "{kind}");
    }
}

#[test]
fn new_names_deletions_and_values_are_told() {
    let world = World::new();
    let key = "HKCU\\Software\\PinionTraced";
    let steps = [
        "file-write",
        "C:\\traced-1.txt",
        "text",
        ";",
        "file-rename",
        "C:\\traced-1.txt",
        "C:\\traced-2.txt",
        ";",
        "file-delete",
        "C:\\traced-2.txt",
        ";",
        "key-create",
        key,
        ";",
        "key-set",
        key,
        "traced-value",
        "v",
        ";",
        "key-unset",
        key,
        "traced-value",
        ";",
        "key-delete",
        key,
    ];
    traced(&world, "web", &[], "files_keys", &steps);
    let all = events(&world, "web", &[]);
    for (call, name, channel) in [
        ("NtSetInformationFile", "traced-2.txt", "files"),
        ("NtSetValueKey", "traced-value", "registry"),
        ("NtDeleteValueKey", "traced-value", "registry"),
        ("NtDeleteKey", "PinionTraced", "registry"),
    ] {
        let is_it = |event: &&Value| {
            let has = |field| text(event, field).ends_with(name);
            text(event, "call") == call && (has("name") || has("given"))
        };
        let found = all.iter().find(is_it);
        let found = found.unwrap_or_else(|| panic!("{call} {name}: {all:#?}"));
        assert_eq!(text(found, "channel"), channel, "{found}");
        assert_eq!(found["status"], 0, "{found}");
    }
    // A file is deleted by an open that asks for the right to.
    let deletes = |event: &Value| {
        event["access"]
            .as_u64()
            .is_some_and(|access| access & 0x1_0000 != 0)
    };
    let deleted = all
        .iter()
        .any(|event| text(event, "given").ends_with("traced-2.txt") && deletes(event));
    assert!(deleted, "{all:#?}");
}

#[test]
fn the_server_of_a_pipe_that_is_opened_is_told() {
    let world = World::new();
    let names = world.host.path_of("names");
    let server = world
        .pinion(["run", "--trace", "--name", "web", "--", &names])
        .args(["serve", "\\\\.\\pipe\\traced-peer", "word"])
        .spawn();
    pinion_e2e::eventually(30, "the pipe is served", || {
        let call = world
            .pinion(["exec", "web", "--", &names])
            .args(["call", "\\\\.\\pipe\\traced-peer", "other"])
            .run();
        // It tells so when there is no pipe yet, and ends well.
        (call.code == 0 && call.json()["error"] == 0).then_some(())
    });
    server.wait().ok();
    let all = events(&world, "web", &["--name", "traced-peer"]);
    let made = all
        .iter()
        .find(|event| text(event, "call") == "NtCreateNamedPipeFile");
    let made = made.unwrap_or_else(|| panic!("{all:#?}"));
    let opened = all
        .iter()
        .find(|event| event["peer"]["pid"] == made["pid"] && event["pid"] != made["pid"]);
    let opened = opened.unwrap_or_else(|| panic!("{all:#?}"));
    assert_eq!(text(opened, "channel"), "pipes", "{opened}");
}

#[test]
fn a_program_of_the_host_is_watched_and_its_names_stay_the_hosts() {
    let world = World::new();
    let names = world.host.path_of("names");
    let file = world.windows_work() + "\\host.json";
    // The shell's child is watched, too.
    let mut watched = world
        .pinion([
            "trace", "--host", "--json", "-o", &file, "--", "cmd.exe", "/c",
        ])
        .args([&names, "create", "mutant:e2e-watched-m"])
        .args(["pipe:\\\\.\\pipe\\e2e-watched-p", "--hold", "20"])
        .spawn();
    watched.first_json();
    for (kind, name) in [
        ("mutant", "e2e-watched-m"),
        ("pipe", "\\\\.\\pipe\\e2e-watched-p"),
    ] {
        let opened = world
            .host
            .program("names")
            .args(["open", kind, name])
            .run()
            .expect(0)
            .json();
        assert_eq!(opened["error"], 0, "{opened}");
    }
    watched.wait().ok();
    let told = std::fs::read_to_string(world.work().join("host.json")).expect("events");
    let all: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for (call, name) in [
        ("NtCreateMutant", "e2e-watched-m"),
        ("NtCreateNamedPipeFile", "\\??\\pipe\\e2e-watched-p"),
    ] {
        let found = all
            .iter()
            .find(|event| text(event, "call") == call && text(event, "name") == name);
        let found = found.unwrap_or_else(|| panic!("{call} {name}: {told}"));
        assert_eq!(text(found, "given"), name, "{found}");
        assert_eq!(found["status"], 0, "{found}");
        assert!(text(found, "program").ends_with("names.exe"), "{found}");
    }
    let made = all
        .iter()
        .find(|event| text(event, "call") == "NtCreateUserProcess");
    let made = made.unwrap_or_else(|| panic!("{told}"));
    assert!(text(made, "program").ends_with("cmd.exe"), "{made}");
    let is_others = |event: &&Value| {
        !["host", "relative", "unknown", "member"].contains(&text(event, "verdict"))
    };
    let others: Vec<_> = all.iter().filter(is_others).collect();
    assert!(others.is_empty(), "{others:#?}");
    // What it writes is the host's, its exit code is the command's, and nothing is left of the VM.
    let written = world.windows_work() + "\\by-watched.txt";
    let write = format!("echo watched> {written}");
    world
        .pinion(["trace", "--host", "--", "cmd.exe", "/c", &write])
        .run()
        .ok();
    assert!(world.work().join("by-watched.txt").exists());
    let ended = world
        .pinion([
            "trace",
            "--host",
            "--summary",
            "--",
            "cmd.exe",
            "/c",
            "exit 7",
        ])
        .run()
        .expect(7);
    assert!(ended.stdout.contains("COUNT"), "{ended:#?}");
    assert!(world.names().is_empty(), "{:?}", world.names());
}

#[test]
fn windows_of_others_are_watched_on_the_host_too() {
    let world = World::new();
    let mut server = world
        .host
        .program("windows")
        .args(["serve", "e2e-watched", "Watched"])
        .spawn();
    let serving = server.first_json();
    let window = serving["window"].to_string();
    let ender = world.host.path_of("windows");
    let trace = ["trace", "--host", "--json", "--", &ender, "end", &window];
    let told = world.pinion(trace).run().expect(0).stdout;
    server.wait().ok();
    let events = told.lines().map(serde_json::from_str::<Value>);
    let of_server = events
        .filter_map(Result::ok)
        .find(|event| event["peer"]["pid"] == serving["process"]);
    let event = of_server.unwrap_or_else(|| panic!("no event of {serving}: {told}"));
    assert_eq!(text(&event, "channel"), "windows", "{event}");
    assert_eq!(text(&event, "verdict"), "host", "{event}");
}

#[test]
fn refusals_are_red_where_colours_are_wanted() {
    const RED: &str = "\u{1b}[31m";
    let world = World::new();
    let names = world.host.path_of("names");
    let run = ["run", "--trace", "--name", "web", "--deny"];
    let run = world.pinion(run).arg("objects=e2e-coloured-*");
    let asked = run.args(["--", &names, "open", "mutant", "e2e-coloured-m"]);
    asked.run().ok();
    let shown = |colour: &[&str]| {
        let trace = ["trace", "--all", "--name", "e2e-coloured-m"];
        let trace = world.pinion(trace).args(colour).arg("web").run();
        trace.expect(0).stdout
    };
    let always = shown(&["--color", "always"]);
    assert!(always.contains(&format!("{RED}refused")), "{always:?}");
    for plain in [&["--color", "never"][..], &["--color", "auto"], &[]] {
        let told = shown(plain);
        assert!(
            told.contains("refused") && !told.contains('\u{1b}'),
            "{told:?}"
        );
    }
}

#[test]
fn a_trace_that_cannot_be_shown_says_why() {
    let world = World::new();
    for (arguments, code) in [
        (&["trace", "none"][..], 120),
        (&["trace", "--channel", "nonsense", "--all", "none"], 2),
        (&["trace"], 2),
        (&["trace", "--file", "C:\\none.trace"], 125),
    ] {
        let told = world.pinion(arguments).run().expect(code);
        assert!(told.stderr.contains("pinion") || code == 2, "{told:#?}");
    }
}
