//! Policies: a name that is allowed is the host's own, both ways, and nothing else
//! is; a name that is denied is refused and the log says why; a policy that cannot
//! be carried out is told by line and column; what is explained is what happens.

use pinion_e2e::{Program, Running, World};
use serde_json::{Value, json};

/// Win32 errors (winerror.h) and statuses (ntstatus.h).
const MISSING: u64 = 2;
const DENIED: u64 = 5;
const STATUS_DENIED: u64 = 0xC000_0022;

/// One rule of a file.
fn rule(channel: &str, name: &str, more: &str) -> String {
    format!("[[rule]]\nchannel = \"{channel}\"\nname = '{name}'\n{more}\n\n")
}

fn allow(channel: &str, name: &str) -> String {
    rule(channel, name, "peer = \"host\"\nverdict = \"allow\"")
}

fn deny(channel: &str, name: &str) -> String {
    rule(
        channel,
        name,
        "verdict = \"deny\"\nmessage = \"not for web\"",
    )
}

fn out(channel: &str, name: &str) -> String {
    let more = "direction = \"out\"\npeer = \"host\"\nverdict = \"allow\"";
    rule(channel, name, more)
}

/// A world with a policy in a file, whose path is given.
fn world(policy: &[String]) -> (World, String) {
    let world = World::new();
    let file = world.file("policy.toml", policy.concat().as_bytes());
    (world, file)
}

/// A VM of this name with the policy that does nothing for a minute.
fn sleeper(world: &World, vm: &str, policy: &str) {
    let path = world.host.path_of("child");
    world
        .pinion([
            "run", "-d", "--name", vm, "--policy", policy, &path, "sleep", "60",
        ])
        .run()
        .ok();
}

/// The `names` program inside, or on the host.
fn inside(world: &World, vm: &str) -> Program {
    world.pinion(["exec", vm, &world.host.path_of("names")])
}

fn on_host(world: &World) -> Program {
    world.host.program("names")
}

/// Starts the program and takes its first answer.
fn begun(program: Program) -> (Running, Value) {
    let mut running = program.spawn();
    let first = running.first_json();
    (running, first)
}

/// The last line of JSON of a program that has ended.
fn last(running: Running) -> Value {
    let output = running.wait();
    let line = output.stdout.lines().last().map(str::to_owned);
    serde_json::from_str(&line.unwrap_or_default()).unwrap_or_else(|_| panic!("{output:#?}"))
}

fn open(program: Program, kind: &str, name: &str) -> u64 {
    let opened = program.args(["open", kind, name]).run().expect(0).json();
    opened["error"].as_u64().expect("an error")
}

/// Names of each kind, with a word of the test's own: the host is all tests'.
fn kinds(word: &str) -> Vec<(&'static str, String)> {
    let of = |(kind, name): (&'static str, &str)| (kind, name.replace("shared", word));
    KINDS.map(of).into()
}

const KINDS: [(&str, &str); 8] = [
    ("mutant", "e2e-shared-m"),
    ("event", "Local\\e2e-shared-e"),
    ("semaphore", "e2e-shared-s"),
    ("timer", "E2E-shared-T"),
    ("section", "Global\\e2e-shared-f"),
    ("job", "e2e-shared-j"),
    ("pipe", "\\\\.\\pipe\\e2e-shared-p"),
    ("mailslot", "\\\\.\\mailslot\\e2e\\shared"),
];

fn shared(word: &str) -> Vec<String> {
    let all = [
        allow("objects", "e2e-shared-*"),
        allow("sections", "Global\\e2e-shared-?"),
        allow("jobs", "Local\\E2E-shared-?"),
        allow("pipes", "e2e-shared*"),
        allow("mailslots", "e2e\\shared*"),
    ];
    all.map(|rule| rule.replace("shared", word)).into()
}

#[test]
fn an_allowed_name_is_the_hosts_own_both_ways() {
    let (world, policy) = world(&shared("met"));
    sleeper(&world, "web", &policy);
    let all: Vec<_> = kinds("met")
        .iter()
        .map(|(kind, name)| format!("{kind}:{name}"))
        .collect();
    let hold = |program: Program| begun(program.arg("create").args(&all).args(["--hold", "30"]));
    for from_inside in [false, true] {
        let (holder, other) = if from_inside {
            (inside(&world, "web"), on_host as fn(&World) -> Program)
        } else {
            (
                on_host(&world),
                (|world| inside(world, "web")) as fn(&World) -> Program,
            )
        };
        let (mut holder, made) = hold(holder);
        for one in made["created"].as_array().expect("a list") {
            assert_eq!(one["error"], 0, "{made}");
        }
        for (kind, name) in kinds("met") {
            assert_eq!(
                open(other(&world), kind, &name),
                0,
                "{kind} {name}, {from_inside}"
            );
        }
        holder.kill();
    }
    // The full NT name is the same one, relative or not.
    let (_holder, _) = hold(on_host(&world));
    let absolute = "\\BaseNamedObjects\\Local\\e2e-met-f";
    assert_eq!(open(inside(&world, "web"), "nt-section", absolute), 0);
}

#[test]
fn all_else_stays_the_vms_own() {
    let (world, policy) = world(&shared("else"));
    sleeper(&world, "web", &policy);
    // Another directory, another channel, a name that only begins so.
    let others = [
        ("mutant", "Global\\e2e-else-m"),
        ("section", "e2e-else-f"),
        ("section", "Global\\e2e-else-ff"),
        ("job", "e2e-else-jj"),
        ("mutant", "e2e-els"),
        ("pipe", "\\\\.\\pipe\\e2e-els"),
        ("mailslot", "\\\\.\\mailslot\\e2e-else"),
        ("pipe", "\\\\.\\pipe\\e2e\\x"),
    ];
    let all: Vec<_> = others
        .iter()
        .map(|(kind, name)| format!("{kind}:{name}"))
        .collect();
    let (_holder, _) = begun(
        on_host(&world)
            .arg("create")
            .args(&all)
            .args(["--hold", "30"]),
    );
    for (kind, name) in others {
        assert_eq!(
            open(inside(&world, "web"), kind, name),
            MISSING,
            "{kind} {name}"
        );
    }
    // A VM without the policy meets none of it, and one with it meets the first
    // only where both are allowed the host's name.
    let shared: Vec<_> = kinds("else")
        .iter()
        .map(|(kind, name)| format!("{kind}:{name}"))
        .collect();
    let (_web, _) = begun(
        inside(&world, "web")
            .arg("create")
            .args(&shared)
            .args(["--hold", "30"]),
    );
    world.sleeper("plain", 60);
    sleeper(&world, "too", &policy);
    for (kind, name) in kinds("else") {
        assert_eq!(
            open(inside(&world, "plain"), kind, &name),
            MISSING,
            "{kind} {name}"
        );
        assert_eq!(open(inside(&world, "too"), kind, &name), 0, "{kind} {name}");
    }
}

#[test]
fn programs_inside_and_outside_talk_over_a_shared_name() {
    let (world, policy) = world(&shared("talk"));
    sleeper(&world, "web", &policy);
    let pipe = "\\\\.\\pipe\\e2e-talk-talk";
    let mailslot = "\\\\.\\mailslot\\e2e\\talk-1";
    let section = "Global\\e2e-talk-x";
    let both: [fn(&World) -> Program; 2] = [on_host, |world| inside(world, "web")];
    for (one, other) in [(both[0], both[1]), (both[1], both[0])] {
        let (server, ready) = begun(one(&world).args(["serve", pipe, "from the server"]));
        assert_eq!(ready["error"], 0);
        let called = other(&world).args(["call", pipe, "from the client"]).run();
        let expected = json!({"wait": 0, "error": 0, "heard": "from the server"});
        assert_eq!(called.expect(0).json(), expected);
        assert_eq!(last(server)["heard"], "from the client");

        let (reader, ready) = begun(one(&world).args(["read", mailslot]));
        assert_eq!(ready["error"], 0);
        let written = other(&world).args(["write", mailslot, "a letter"]).run();
        assert_eq!(written.expect(0).json()["error"], 0);
        assert_eq!(last(reader)["heard"], "a letter");

        let (_holder, _) = begun(one(&world).args(["section", section, "first", "--hold", "20"]));
        let seen = other(&world).args(["section", section, "second"]).run();
        assert_eq!(seen.expect(0).json()["heard"], "first");
    }
}

#[test]
fn a_pipe_that_is_allowed_out_is_not_served_to_the_host() {
    let (world, policy) = world(&[out("pipes", "e2e-out")]);
    sleeper(&world, "web", &policy);
    let pipe = "\\\\.\\pipe\\e2e-out";
    let (server, _) = begun(on_host(&world).args(["serve", pipe, "the host"]));
    let called = inside(&world, "web")
        .args(["call", pipe, "web"])
        .run()
        .expect(0)
        .json();
    assert_eq!(
        (&called["wait"], &called["heard"]),
        (&json!(0), &json!("the host"))
    );
    assert_eq!(last(server)["heard"], "web");
    let (_server, ready) = begun(inside(&world, "web").args(["serve", pipe, "web"]));
    assert_eq!(ready["error"], 0);
    assert_eq!(open(on_host(&world), "pipe", pipe), MISSING);
}

#[test]
fn no_policy_opens_the_pipes_of_pinion_and_of_other_vms() {
    let (world, policy) = world(&[
        allow("pipes", "*"),
        allow("objects", "*"),
        allow("mailslots", "*"),
    ]);
    sleeper(&world, "web", &policy);
    world.sleeper("other", 60);
    let pipe = "\\\\.\\pipe\\e2e-others";
    let (_server, _) =
        begun(inside(&world, "other").args(["create", &format!("pipe:{pipe}"), "--hold", "30"]));
    let other = world.inspect("other");
    let prefix = other["pipe_prefix"].as_str().expect("a prefix");
    let id = other["id"].as_str().expect("an id");
    for name in [
        format!("{prefix}e2e-others"),
        format!("{}e2e-others", prefix.to_uppercase()),
        format!("pinion-sv-{id}"),
        format!("pinion-ctl-{id}"),
    ] {
        let name = format!("\\\\.\\pipe\\{name}");
        assert_eq!(
            open(inside(&world, "web"), "pipe", &name),
            MISSING,
            "{name}"
        );
        if !name.to_lowercase().contains("ctl") {
            continue;
        }
        assert_eq!(
            open(on_host(&world), "pipe", &name),
            0,
            "it is there: {name}"
        );
    }
    // Names in the other VM's directory have more than one part.
    let directory = other["object_directory"].as_str().expect("a directory");
    let (_mutant, _) = begun(inside(&world, "other").args(["create", "e2e-mine", "--hold", "30"]));
    for form in [
        "\\Sessions\\1\\BaseNamedObjects\\e2e-mine",
        "\\BaseNamedObjects\\e2e-mine",
    ] {
        let name = format!("{directory}{form}");
        assert_ne!(open(inside(&world, "web"), "nt-mutant", &name), 0, "{name}");
    }
}

#[test]
fn a_denied_name_is_refused_and_the_log_says_why() {
    let (world, policy) = world(&[
        deny("objects", "e2e-no*"),
        deny("pipes", "e2e-no*"),
        rule(
            "pipes",
            "e2e-quiet",
            "direction = \"in\"\nverdict = \"deny\"",
        ),
        deny("mailslots", "e2e-no*"),
        deny("ports", "\\RPC Control\\e2e-no"),
    ]);
    sleeper(&world, "web", &policy);
    for (kind, name) in [
        ("mutant", "e2e-no1"),
        ("event", "Local\\E2E-NO2"),
        ("pipe", "\\\\.\\pipe\\e2e-no3"),
        ("mailslot", "\\\\.\\mailslot\\e2e-no4"),
    ] {
        assert_eq!(
            open(inside(&world, "web"), kind, name),
            DENIED,
            "{kind} {name}"
        );
        let made = inside(&world, "web")
            .args(["create", &format!("{kind}:{name}")])
            .run();
        assert_eq!(
            made.expect(0).json()["created"][0]["error"],
            DENIED,
            "{kind} {name}"
        );
    }
    let nt = "\\BaseNamedObjects\\Session\\1\\e2e-no5";
    assert_eq!(open(inside(&world, "web"), "nt-mutant", nt), STATUS_DENIED);
    // Nor by an open with the mark of an object that stays.
    let opened = world.exec("web", "machine_calls", &["open", "Session\\1\\e2e-no7"]);
    let status = opened.expect(0).json()["status"].clone();
    assert_eq!(status.as_u64(), Some(0xC000_0022));
    let called = inside(&world, "web")
        .args(["call", "\\\\.\\pipe\\e2e-no6", "x"])
        .run()
        .expect(0)
        .json();
    assert_eq!(called, json!({"error": DENIED, "wait": DENIED}));
    // One direction alone: it cannot be served, and is looked for.
    let quiet = "\\\\.\\pipe\\e2e-quiet";
    let made = inside(&world, "web")
        .args(["create", &format!("pipe:{quiet}")])
        .run()
        .expect(0)
        .json();
    assert_eq!(made["created"][0]["error"], DENIED);
    assert_eq!(open(inside(&world, "web"), "pipe", quiet), MISSING);
    // The name of a port is refused whatever the system does with ports.
    let port = |name: &str| {
        inside(&world, "web")
            .args(["port", name])
            .run()
            .expect(0)
            .json()
    };
    assert_eq!(port("\\RPC Control\\e2e-no")["status"], STATUS_DENIED);
    assert_ne!(port("\\RPC Control\\e2e-yes")["status"], STATUS_DENIED);
    // Names outside of the rules are there.
    let made = inside(&world, "web")
        .args(["create", "e2e-yes", "event:Global\\e2e-no1"])
        .run()
        .expect(0)
        .json();
    assert_eq!(made["created"][0]["error"], 0);
    assert_eq!(made["created"][1]["error"], 0);
    let log = world
        .pinion(["logs", "--supervisor", "web"])
        .run()
        .expect(0)
        .stdout;
    for words in [
        "refused e2e-no1: the policy's rule in line 1: not for web (status 0xc0000022)",
        "refused E2E-NO2: the policy's rule in line 1: not for web",
        "refused e2e-no3: the policy's rule in line 7: not for web",
        "refused e2e-quiet: the policy's rule in line 13 (status",
        "refused \\RPC Control\\e2e-no: the policy's rule in line 25",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
}

#[test]
fn a_policy_that_is_wrong_is_told_by_line_and_column_and_makes_nothing() {
    let (world, wrong) = world(&[
        allow("pipes", "x"),
        deny("sockets", "*"),
        allow("objects", "\\BaseNamedObjects\\x"),
        deny("pipes", "X"),
    ]);
    let checked = world.pinion(["policy", "check", &wrong]).run();
    let told: Vec<_> = checked.stderr.lines().collect();
    assert_eq!((checked.code, told.len()), (2, 3), "{checked:#?}");
    for (line, (place, word)) in told.iter().zip([
        ("8:11:", "--network"),
        ("15:8:", "'Global\\NAME'"),
        ("21:8:", "contradicts the one in line 1"),
    ]) {
        assert!(
            line.contains(&format!("policy.toml:{place}")) && line.contains(word),
            "{line}"
        );
    }
    let json = world
        .pinion(["policy", "check", "--json", &wrong])
        .run()
        .expect(2)
        .json();
    assert_eq!(json["sound"], false);
    assert_eq!(json["faults"][1]["line"], 15);
    assert_eq!(json["faults"][1]["column"], 8);
    let program = world.host.path_of("child");
    for verb in ["run", "create"] {
        let made = world
            .pinion([verb, "--policy", &wrong, &program, "exit", "0"])
            .run();
        made.fails(2, &["policy.toml:8:11:", "2 more"]);
    }
    assert_eq!(world.names(), [""; 0]);
    let none = world.pinion(["policy", "check", "C:\\none.toml"]).run();
    none.fails(125, &["none.toml"]);
    let sound = world.file("sound.toml", allow("pipes", "x").as_bytes());
    let checked = world.pinion(["policy", "check", &sound]).run().expect(0);
    assert!(checked.stdout.contains("1 rule, sound"), "{checked:#?}");

    // Of a VM that is there, the former one stays.
    world
        .pinion(["create", "--name", "web", "--policy", &sound, &program])
        .run()
        .ok();
    world
        .pinion(["update", "--policy", &wrong, "web"])
        .run()
        .fails(2, &["policy.toml:8:11:"]);
    let shown = world
        .pinion(["policy", "show", "--json", "web"])
        .run()
        .expect(0)
        .json();
    assert_eq!(shown["rules"][0]["name"], "x");
    assert_eq!(shown["rules"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["network"], "outbound");
    let shown = world
        .pinion(["policy", "show", "web"])
        .run()
        .expect(0)
        .stdout;
    for words in [
        "1     allow    pipes    x     both       host",
        "\\KnownDlls",
        "lsasspirpc",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }

    // One that is damaged in the record keeps the VM from starting.
    let record = world.vm_folder("web").join("vm.json");
    let text = std::fs::read_to_string(&record).expect("a record");
    std::fs::write(&record, text.replace("[[rule]]", "[[rules]]")).expect("written");
    world
        .pinion(["start", "web"])
        .run()
        .fails(122, &["the policy of the VM 'web' is damaged: 1:"]);
}

#[test]
fn what_is_explained_is_what_happens() {
    let (world, policy) = world(&[
        rule(
            "objects",
            "e2e-x-own*",
            "peer = \"host\"\nverdict = \"deny\"\nmessage = \"its own\"",
        ),
        allow("objects", "e2e-x*"),
        deny("objects", "Global\\e2e-x*"),
        out("pipes", "e2e-x-out*"),
        allow("pipes", "e2e-x-both*"),
        deny("pipes", "e2e-x*"),
    ]);
    sleeper(&world, "web", &policy);
    let names = [
        ("objects", "mutant", "e2e-x1"),
        ("objects", "event", "Local\\e2e-x2"),
        ("objects", "mutant", "Session\\1\\e2e-x3"),
        ("objects", "mutant", "E2E-X-OWN4"),
        ("objects", "mutant", "Global\\e2e-x5"),
        ("objects", "mutant", "e2e-y6"),
        ("sections", "section", "e2e-x7"),
        ("jobs", "job", "Global\\e2e-x8"),
        ("pipes", "pipe", "\\\\.\\pipe\\e2e-x-out9"),
        ("pipes", "pipe", "\\\\.\\pipe\\e2e-x-both10"),
        ("pipes", "pipe", "\\\\.\\pipe\\e2e-x11"),
        ("pipes", "pipe", "\\\\.\\pipe\\pinion-e2e-12"),
        ("mailslots", "mailslot", "\\\\.\\mailslot\\e2e-x13"),
    ];
    let all: Vec<_> = names
        .iter()
        .map(|(_, kind, name)| format!("{kind}:{name}"))
        .collect();
    let hold = |program: Program| begun(program.arg("create").args(&all).args(["--hold", "60"]));
    let explained = |channel: &str, name: &str| {
        let explain = ["policy", "explain", "--json", "web", channel, name];
        world.pinion(explain).run().expect(0).json()
    };
    {
        let (_host, _) = hold(on_host(&world));
        for (channel, kind, name) in names {
            let told = explained(channel, name);
            let expected = match told["open"]["leads_to"].as_str() {
                Some("host") => 0,
                Some("vm") => MISSING,
                _ => DENIED,
            };
            assert_eq!(
                open(inside(&world, "web"), kind, name),
                expected,
                "{name}: {told}"
            );
        }
    }
    let (_web, made) = hold(inside(&world, "web"));
    for (at, (channel, kind, name)) in names.into_iter().enumerate() {
        let told = explained(channel, name);
        let make = &told["make"];
        let refused = make["leads_to"] == "nowhere";
        let error = &made["created"][at]["error"];
        assert_eq!(*error == DENIED, refused, "{name}: {made} {told}");
        let expected = if make["leads_to"] == "host" {
            0
        } else {
            MISSING
        };
        assert_eq!(
            open(on_host(&world), kind, name),
            expected,
            "{name}: {told}"
        );
        // The real name is the kernel's.
        if let Some(real) = make["real_name"]
            .as_str()
            .filter(|_| make["leads_to"] == "vm")
        {
            let real_kind = match kind {
                "pipe" | "mailslot" => kind.to_owned(),
                kind => format!("nt-{kind}"),
            };
            let real = real.replace("\\Device\\NamedPipe", "\\\\.\\pipe");
            let real = real.replace("\\Device\\MailSlot", "\\\\.\\mailslot");
            assert_eq!(
                open(on_host(&world), &real_kind, &real),
                0,
                "{real}: {told}"
            );
        }
    }
    // What decides, and what would have to be said.
    let told = explained("objects", "e2e-x-own4");
    assert_eq!(
        (&told["open"]["by"], &told["open"]["rule"]["line"]),
        (&json!("rule"), &json!(1))
    );
    assert!(
        told["open"]["why"]
            .as_str()
            .is_some_and(|why| why.contains("its own")),
        "{told}"
    );
    let told = explained("pipes", "e2e-new");
    assert_eq!(told["open"]["by"], "default");
    let remedy = told["make"]["to_allow"]["rule"].as_str().expect("a rule");
    let better = world.file("better.toml", remedy.as_bytes());
    world
        .pinion(["update", "--policy", &better, "web"])
        .run()
        .ok();
    assert_eq!(explained("pipes", "e2e-new")["make"]["leads_to"], "host");
    let text = world
        .pinion([
            "policy",
            "explain",
            "web",
            "alpc",
            "\\RPC Control\\lsasspirpc",
        ])
        .run()
        .expect(0);
    assert!(
        text.stdout.contains("the pass list: LSA's logon"),
        "{text:#?}"
    );
    world
        .pinion(["policy", "explain", "web", "sockets", "x"])
        .run()
        .fails(2, &["--network"]);
}

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

/// A rule about the VM `peer`.
fn between(channel: &str, name: &str, direction: &str, peer: &str, verdict: &str) -> String {
    let more =
        format!("direction = \"{direction}\"\npeer = \"vm:{peer}\"\nverdict = \"{verdict}\"");
    rule(channel, name, &more)
}

#[test]
fn two_vms_meet_at_a_name_where_both_say_so() {
    let (world, theirs) = world(&[
        between("pipes", "e2e-sql-admin", "in", "web", "deny"),
        between("pipes", "e2e-sql-*", "in", "web", "allow"),
        between("objects", "e2e-flag*", "in", "web", "allow"),
        between("mailslots", "e2e-post", "in", "web", "allow"),
        between("mailslots", "e2e-other", "in", "third", "allow"),
    ]);
    let ours = [
        between("pipes", "e2e-sql*", "out", "db", "allow"),
        between("objects", "e2e-flag*", "out", "db", "allow"),
        between("mailslots", "*", "out", "db", "allow"),
        between("sections", "*", "out", "nobody", "allow"),
    ];
    let ours = world.file("web.toml", ours.concat().as_bytes());
    sleeper(&world, "db", &theirs);
    sleeper(&world, "web", &ours);
    let pipe = |name: &str| format!("\\\\.\\pipe\\{name}");

    let (server, _) = begun(inside(&world, "db").args(["serve", &pipe("e2e-sql-1"), "rows"]));
    let called = inside(&world, "web")
        .args(["call", &pipe("e2e-sql-1"), "query"])
        .run();
    assert_eq!(
        called.expect(0).json(),
        json!({"wait": 0, "error": 0, "heard": "rows"})
    );
    assert_eq!(last(server)["heard"], "query");
    let mailslot = "\\\\.\\mailslot\\e2e-post";
    let (reader, _) = begun(inside(&world, "db").args(["read", mailslot]));
    let written = inside(&world, "web")
        .args(["write", mailslot, "a letter"])
        .run();
    assert_eq!(written.expect(0).json()["error"], 0);
    assert_eq!(last(reader)["heard"], "a letter");

    // An object is the one that the other VM has, whoever makes it, and is called as
    // it was asked for.
    let (_theirs, _) =
        begun(inside(&world, "db").args(["create", "event:e2e-flag1", "--hold", "60"]));
    let (_ours, _) =
        begun(inside(&world, "web").args(["create", "event:e2e-flag2", "--hold", "60"]));
    for vm in ["web", "db"] {
        for name in ["e2e-flag1", "e2e-flag2"] {
            let opened = inside(&world, vm)
                .args(["open", "event", name])
                .run()
                .expect(0)
                .json();
            let called = format!("\\Sessions\\1\\BaseNamedObjects\\{name}");
            assert_eq!(
                (&opened["error"], &opened["called"]),
                (&json!(0), &json!(called)),
                "{vm}"
            );
        }
    }
    assert_eq!(open(on_host(&world), "event", "e2e-flag1"), MISSING);

    // What one of the two does not say stays shut.
    let all = ["e2e-sql-admin", "e2e-sql", "e2e-x"].map(|name| format!("pipe:{}", pipe(name)));
    let (_server, _) = begun(
        inside(&world, "db")
            .arg("create")
            .args(&all)
            .args(["--hold", "60"]),
    );
    assert_eq!(
        open(inside(&world, "web"), "pipe", &pipe("e2e-sql-admin")),
        DENIED
    );
    assert_eq!(
        open(inside(&world, "web"), "pipe", &pipe("e2e-sql")),
        DENIED
    );
    assert_eq!(open(inside(&world, "web"), "pipe", &pipe("e2e-x")), MISSING);
    assert_eq!(open(inside(&world, "web"), "section", "e2e-none"), DENIED);
    let other = "\\\\.\\mailslot\\e2e-other";
    assert_eq!(open(inside(&world, "web"), "mailslot", other), DENIED);
    let log = world
        .pinion(["logs", "--supervisor", "web"])
        .run()
        .expect(0)
        .stdout;
    for words in [
        "refused e2e-sql-admin: the policy's rule in line 1 leads to vm:db",
        "refused e2e-none: the policy's rule in line 22 leads to vm:nobody",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
    // Nothing is open the other way, nor to a third.
    let (_mine, _) = begun(inside(&world, "web").args(["create", &all[0], "--hold", "60"]));
    sleeper(&world, "third", &ours);
    let name = pipe("e2e-sql-1");
    let (_server, _) =
        begun(inside(&world, "db").args(["create", &format!("pipe:{name}"), "--hold", "60"]));
    assert_eq!(open(inside(&world, "third"), "pipe", &name), DENIED);
    assert_eq!(open(inside(&world, "web"), "pipe", &name), 0);

    let explain = |name: &str| {
        let explain = ["policy", "explain", "--json", "web", "pipes", name];
        world.pinion(explain).run().expect(0).json()
    };
    let told = explain("e2e-sql-1");
    let db = world.inspect("db");
    let real = format!(
        "\\Device\\NamedPipe\\{}e2e-sql-1",
        db["pipe_prefix"].as_str().expect("a prefix")
    );
    assert_eq!(
        (&told["open"]["leads_to"], &told["open"]["real_name"]),
        (&json!("peer"), &json!(real))
    );
    assert_eq!(told["make"]["leads_to"], "vm");
    assert_eq!(explain("e2e-sql-admin")["open"]["leads_to"], "nowhere");
}
