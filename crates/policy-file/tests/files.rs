//! Policies as people write them: what is taken, what is wrong, and where.

use pinion_policy::rules::Channel;
use pinion_policy_file::{Direction, Peer, Policy, Verdict};
use proptest::prelude::*;

/// A rule of these lines after its header.
fn rule(lines: &[&str]) -> String {
    format!("[[rule]]\n{}\n", lines.join("\n"))
}

fn faults(text: &str) -> Vec<String> {
    match Policy::parse(text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn the_fault(text: &str) -> String {
    let mut all = faults(text);
    assert_eq!(all.len(), 1, "{all:?} in\n{text}");
    all.remove(0)
}

#[test]
fn a_full_policy_is_read() {
    let text = r#"
# What web may do.
[[rule]]
channel = "pipes"
name = 'MyServer\*'
direction = "out"
peer = "host"
verdict = "allow"
message = "the licence server runs on the host"

[[rule]]
channel = "objects"
name = 'Global\MyApp'
peer = "host"
verdict = "allow"

[[rule]]
channel = "mailslots"
name = "*"
verdict = "deny"
"#;
    let policy = Policy::parse(text).expect("sound");
    let told: Vec<_> = policy
        .rules
        .iter()
        .map(|rule| {
            (
                rule.line,
                rule.channel,
                rule.direction,
                rule.peer.clone(),
                rule.verdict,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                3,
                Channel::Pipes,
                Direction::Out,
                Peer::Host,
                Verdict::Allow
            ),
            (
                11,
                Channel::Objects,
                Direction::Both,
                Peer::Host,
                Verdict::Allow
            ),
            (
                17,
                Channel::Mailslots,
                Direction::Both,
                Peer::Anyone,
                Verdict::Deny
            ),
        ]
    );
    let rules = policy.compiled().expect("fits");
    assert_eq!(rules.count, 3);
    assert_eq!(Policy::parse(""), Ok(Policy::default()));
    assert_eq!(Policy::parse("# nothing\n"), Ok(Policy::default()));
}

/// What docs/POLICY.md shows is a policy.
#[test]
fn the_example_is_sound() {
    let page = include_str!("../../../docs/POLICY.md");
    let example = page
        .split("```toml")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    let policy = Policy::parse(example).expect("sound");
    assert_eq!(policy.rules.len(), 4);
}

#[test]
fn what_is_no_policy_is_told_where_it_is() {
    let deny = ["channel = 'pipes'", "name = 'x'", "verdict = 'deny'"];
    for (text, place, word) in [
        (rule(&[deny[0], "nam = 'x'", deny[2]]), "3:1: ", "nam"),
        ("[rules]\n".into(), "1:2: ", "rules"),
        (
            format!("{}\nversion = 1\n", rule(&deny)),
            "6:1: ",
            "version",
        ),
        (rule(&[deny[0], deny[2]]), "1:1: ", "name"),
        (rule(&[deny[0], "name = 7", deny[2]]), "3:8: ", "integer"),
        (rule(&[deny[0], "name = 'x", deny[2]]), "3:10: ", ""),
        ("rule = 1\n".into(), "1:8: ", "sequence"),
    ] {
        let fault = the_fault(&text);
        assert!(
            fault.starts_with(place) && fault.contains(word),
            "{fault} for\n{text}"
        );
    }
    let fault = the_fault(&"#".repeat(70_000));
    assert!(fault.contains("at most 65536 bytes"), "{fault}");
}

/// Each wrong rule, where it is wrong, and a word of why or of what to do.
#[test]
fn what_cannot_be_enforced_is_never_accepted() {
    for (line, lines) in [
        (
            "2:11: --network",
            ["channel = 'sockets'", "name = '*'", "verdict = 'deny'"],
        ),
        (
            "2:11: pinion share",
            ["channel = 'files'", "name = '*'", "verdict = 'deny'"],
        ),
        (
            "2:11: lrpc",
            ["channel = 'rpc'", "name = '*'", "verdict = 'deny'"],
        ),
        (
            "2:11: objects themselves",
            ["channel = 'directories'", "name = '*'", "verdict = 'deny'"],
        ),
        (
            "2:11: window station",
            ["channel = 'clipboard'", "name = '*'", "verdict = 'deny'"],
        ),
        (
            "2:11: these are: objects",
            ["channel = 'pipe'", "name = '*'", "verdict = 'deny'"],
        ),
        (
            "4:11: \"allow\" or \"deny\"",
            ["channel = 'pipes'", "name = '*'", "verdict = 'maybe'"],
        ),
        (
            "4:11: add peer",
            ["channel = 'pipes'", "name = '*'", "verdict = 'allow'"],
        ),
    ] {
        told(line, &lines);
    }
    let allow = |channel, more| {
        [
            channel,
            "name = '*'",
            "verdict = 'allow'",
            "peer = 'host'",
            more,
        ]
    };
    told(
        "6:13: \"both\"",
        &allow("channel = 'pipes'", "direction = 'in'"),
    );
    told(
        "6:13: \"both\"",
        &allow("channel = 'objects'", "direction = 'out'"),
    );
    told(
        "6:13: \"out\"",
        &allow("channel = 'alpc'", "direction = 'both'"),
    );
    told(
        "6:13: --network",
        &allow("channel = 'http'", "direction = 'out'"),
    );
    told(
        "6:13: no direction",
        &allow("channel = 'pipes'", "direction = 'up'"),
    );
    let with = |peer| ["channel = 'pipes'", "name = '*'", "verdict = 'allow'", peer];
    told("5:8: 'db', \"in\"", &with("peer = 'vm:db'"));
    told("5:8: no name of a VM", &with("peer = 'vm:a b'"));
    let between =
        |channel, direction, verdict| [channel, "name = '*'", direction, "peer = 'vm:db'", verdict];
    told(
        "4:13: \"in\" when it is this VM's",
        &between(
            "channel = 'pipes'",
            "direction = 'both'",
            "verdict = 'allow'",
        ),
    );
    told(
        "4:13: only \"in\"",
        &between("channel = 'pipes'", "direction = 'out'", "verdict = 'deny'"),
    );
    told(
        "5:8: use a pipe",
        &between("channel = 'alpc'", "direction = 'out'", "verdict = 'allow'"),
    );
    told(
        "5:8: --network",
        &between("channel = 'http'", "direction = 'in'", "verdict = 'allow'"),
    );
    told("5:8: no peer", &with("peer = 'me'"));
    told("5:8: peer = \"host\"", &with("peer = 'anyone'"));
    let one = ["channel = 'events'", "name = '*'", "verdict = 'deny'"];
    told("2:11: no channel", &one);
    let message = [
        "channel = 'pipes'",
        "name = '*'",
        "verdict = 'deny'",
        "message = \"a\\nb\"",
    ];
    told("5:11: one line", &message);
}

fn told(expected: &str, lines: &[&str]) {
    let (place, word) = expected.split_once(' ').expect("a place and a word");
    let fault = the_fault(&rule(lines));
    assert!(
        fault.starts_with(&format!("{place} ")) && fault.contains(word),
        "{expected}: {fault}"
    );
}

#[test]
fn patterns_that_can_never_match_are_wrong() {
    for (channel, name, word) in [
        ("objects", r"\BaseNamedObjects\x", r"Global\NAME"),
        ("objects", r"Session\1\x", r"Local\NAME"),
        ("objects", r"a\b", "no backslash"),
        ("objects", r"*\b", "no backslash"),
        ("sections", "Global", "a directory's link"),
        ("jobs", r"Global\Local", "a directory's link"),
        ("completions", r"Global\", "no name is empty"),
        ("pipes", "", "no name is empty"),
        ("pipes", r"\\.\pipe\x", r"follows '\\.\pipe\'"),
        ("mailslots", r"\x", r"follows '\\.\mailslot\'"),
        ("pipes", "Pinion-sv-*", "Pinion's own"),
        ("alpc", "lsarpc", r"\RPC Control\lsarpc"),
        ("http", "+:8080", "scheme, host, port"),
    ] {
        let channel = format!("channel = '{channel}'");
        let name = format!("name = '{name}'");
        let direction = if channel.contains("alpc") {
            "direction = 'out'"
        } else if channel.contains("http") {
            "direction = 'in'"
        } else {
            "direction = 'both'"
        };
        let fault = the_fault(&rule(&[
            &channel,
            &name,
            "verdict = 'allow'",
            "peer = 'host'",
            direction,
        ]));
        assert!(
            fault.starts_with("3:8: ") && fault.contains(word),
            "{name}: {fault}"
        );
    }
    let long = format!("name = '{}'", "x".repeat(256));
    told(
        "3:8: at most 255",
        &["channel = 'pipes'", &long, "verdict = 'deny'"],
    );
    told(
        "3:8: NUL",
        &[
            "channel = 'pipes'",
            "name = \"a\\u0000\"",
            "verdict = 'deny'",
        ],
    );
    // A name of Pinion's own can be refused.
    assert!(
        faults(&rule(&[
            "channel = 'pipes'",
            "name = 'pinion-*'",
            "verdict = 'deny'"
        ]))
        .is_empty()
    );
}

#[test]
fn rules_that_can_never_count_are_wrong() {
    let one = |name: &str, more: &str| {
        let name = format!("name = '{name}'");
        rule(&["channel = 'pipes'", &name, more])
    };
    let deny = "verdict = 'deny'";
    let allow = "verdict = 'allow'\npeer = 'host'";
    for (first, second, word) in [
        (
            one("x", deny),
            one("X", allow),
            "contradicts the one in line 1",
        ),
        (one("x", deny), one("x", deny), "says again"),
        (
            one("a*", deny),
            one("ab*", allow),
            "can never count: the one in line 1 ('a*')",
        ),
        (one("*", allow), one("x?", deny), "can never count"),
    ] {
        let text = format!("{first}{second}");
        let fault = the_fault(&text);
        let line = first.lines().count() + 3;
        assert!(
            fault.starts_with(&format!("{line}:8: ")) && fault.contains(word),
            "{fault}"
        );
    }
    let of_vm = |name: &str, direction: &str, verdict: &str| {
        one(
            name,
            &format!("peer = 'vm:db'\ndirection = '{direction}'\nverdict = '{verdict}'"),
        )
    };
    let text = [of_vm("a*", "in", "allow"), of_vm("ab", "in", "deny")].concat();
    assert!(the_fault(&text).contains("can never count"));
    let text = [of_vm("a*", "out", "allow"), one("ab", allow)].concat();
    assert_eq!(faults(&text), [""; 0], "made it is the host's");
    for (first, second) in [
        (of_vm("ab", "in", "deny"), of_vm("a*", "in", "allow")),
        (of_vm("a", "in", "allow"), of_vm("a", "out", "allow")),
        (
            of_vm("a", "in", "allow"),
            of_vm("a", "in", "allow").replace("db", "other"),
        ),
        (one("a", deny), of_vm("a", "in", "allow")),
        (one("ab*", deny), one("a*", allow)),
        (
            one("x", "verdict = 'allow'\npeer = 'host'\ndirection = 'out'"),
            one("x", deny),
        ),
        (
            one("x", deny),
            one("x", allow).replace("pipes", "mailslots"),
        ),
        (
            one("x", allow).replace("pipes", "objects"),
            one(r"Global\x", deny).replace("pipes", "objects"),
        ),
    ] {
        assert_eq!(
            faults(&format!("{first}{second}")),
            [""; 0],
            "{first}{second}"
        );
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let wrong = rule(&["channel = 'files'", "name = 'x'", "verdict = 'deny'"]);
    assert_eq!(faults(&wrong.repeat(3)).len(), 3);
}

#[test]
fn too_many_vms_are_told() {
    let all = |count: usize| -> String {
        (0..count)
            .map(|n| {
                let (name, peer) = (format!("name = '{n}'"), format!("peer = 'vm:v{n}'"));
                rule(&[
                    "channel = 'pipes'",
                    &name,
                    &peer,
                    "direction = 'out'",
                    "verdict = 'allow'",
                ])
            })
            .collect()
    };
    assert_eq!(faults(&all(8)), [""; 0]);
    assert!(the_fault(&all(9)).contains("at most 8"));
}

#[test]
fn too_many_rules_are_told() {
    let all = |count: usize, length: usize| -> String {
        (0..count)
            .map(|n| {
                let name = format!("name = '{n:0>length$}'");
                rule(&["channel = 'pipes'", &name, "verdict = 'deny'"])
            })
            .collect()
    };
    assert_eq!(faults(&all(64, 32)), [""; 0]);
    assert!(the_fault(&all(65, 4)).contains("at most 64"));
    assert!(the_fault(&all(64, 33)).contains("at most 64"));
}

proptest! {
    #[test]
    fn garbage_never_panics(text in "[\\[\\]rule=\"'a*\\\\\n é]{0,60}") {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn odd_rules_never_panic(channel in "[a-z]{0,9}|pipes|objects|alpc", name in any::<String>(), peer in "[a-z:]{0,6}|host", verdict in "allow|deny|x") {
        let quote = |text: &str| format!("{text:?}");
        let text = rule(&[
            &format!("channel = {}", quote(&channel)),
            &format!("name = {}", quote(&name)),
            &format!("peer = {}", quote(&peer)),
            &format!("verdict = {}", quote(&verdict)),
        ]);
        let _ = Policy::parse(&text);
    }
}
