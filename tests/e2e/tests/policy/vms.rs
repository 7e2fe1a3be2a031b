//! Names that two VMs share.

use super::{DENIED, MISSING, begun, inside, last, on_host, open, rule, sleeper, world};
use serde_json::json;

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
