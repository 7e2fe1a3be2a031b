//! What rules do to names: allowed, left alone, denied.

use super::{
    DENIED, MISSING, STATUS_DENIED, allow, begun, deny, inside, kinds, last, on_host, open, out,
    rule, shared, sleeper, world,
};
use pinion_e2e::{Program, World};
use serde_json::json;

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
