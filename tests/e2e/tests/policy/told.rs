//! What is told of a policy: its faults by line and column, and why a name is whose.

use super::{
    DENIED, MISSING, allow, begun, deny, inside, on_host, open, out, rule, sleeper, world,
};
use pinion_e2e::Program;
use serde_json::json;

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
