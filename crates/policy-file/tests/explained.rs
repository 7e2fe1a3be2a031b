//! What is said of names.

use pinion_policy::rules::Action;
use pinion_policy_file::explain::{Answer, By, Home, Vm, explain};
use pinion_policy_file::{Policy, fold};
use pinion_wire::rules::Rules;
use proptest::prelude::*;

const VM: Vm<'static> = Vm {
    session: 1,
    object_directory: r"\Sessions\1\BaseNamedObjects\Pinion-1",
    pipe_prefix: r"pinion-1\",
    computer_name: "HOST",
    address: [127, 77, 1, 2],
    has_http: false,
};

const POLICY: &str = r#"
[[rule]]
channel = "objects"
name = 'Global\shared*'
peer = "host"
verdict = "allow"

[[rule]]
channel = "pipes"
name = "secret*"
verdict = "deny"
message = "no"

[[rule]]
channel = "pipes"
name = "server"
direction = "out"
peer = "host"
verdict = "allow"

[[rule]]
channel = "alpc"
name = '\RPC Control\lsasspirpc'
peer = "host"
verdict = "deny"
"#;

const URLS: &str = r#"
[[rule]]
channel = "http"
name = 'http://+:8080/site/*'
peer = "host"
verdict = "allow"

[[rule]]
channel = "http"
name = "http*"
verdict = "deny"
"#;

#[test]
fn a_url_is_bound_to_the_vms_address_where_a_rule_allows_it() {
    let of = |text: &str, name: &str, has_http| {
        let policy = Policy::parse(text).expect("sound");
        let vm = Vm { has_http, ..VM };
        explain(&policy, &alone(&policy), vm, "http", name, fold)
    };
    let [make, open] = of(URLS, "http://+:8080/site/", false).expect("explained");
    assert_eq!((make.by, make.home), (By::Rule(0), Home::Host));
    assert_eq!(make.real.as_deref(), Some("http://127.77.1.2:8080/site/"));
    assert_eq!((open.by, open.home), (make.by, make.home));
    let [make, _] = of(URLS, "http://+:8081/", false).expect("explained");
    assert_eq!((make.by, make.home), (By::Rule(1), Home::Nowhere));
    for (has_http, home) in [(false, Home::Nowhere), (true, Home::Vm)] {
        let [make, _] = of("", "http://+:8081/", has_http).expect("explained");
        assert_eq!((make.by, make.home), (By::Default, home));
        let remedy = make.to_allow.expect("a remedy");
        let allowed = Policy::parse(&remedy.rule).expect("sound");
        assert_eq!(allowed.rules.len(), 1, "{}", remedy.rule);
    }
    for (name, word) in [
        ("x", "scheme"),
        ("http://10.0.0.1:80/", "ERROR_INVALID_NETNAME"),
    ] {
        let why = of(URLS, name, false).expect_err("no answer");
        assert!(why.contains(word), "{why}");
    }
}

/// What a policy compiles to where no other VM is there.
fn alone(policy: &Policy) -> Rules {
    policy.compiled().expect("fits")
}

/// What becomes of the name when it is made, and when it is opened.
fn told(channel: &str, name: &str) -> [Answer; 2] {
    let policy = Policy::parse(POLICY).expect("sound");
    explain(&policy, &alone(&policy), VM, channel, name, fold).expect("explained")
}

fn opened(channel: &str, name: &str) -> (By, Home, String) {
    let [_, open] = told(channel, name);
    assert_eq!(open.action, Action::Open);
    (open.by, open.home, open.real.unwrap_or_default())
}

#[test]
fn names_lead_where_the_rules_say() {
    for (channel, name, by, home, real) in [
        (
            "objects",
            r"Global\Shared1",
            By::Rule(0),
            Home::Host,
            r"\BaseNamedObjects\Shared1",
        ),
        (
            "objects",
            r"\BaseNamedObjects\shared",
            By::Rule(0),
            Home::Host,
            r"\BaseNamedObjects\shared",
        ),
        (
            "objects",
            "shared",
            By::Default,
            Home::Vm,
            r"\Sessions\1\BaseNamedObjects\Pinion-1\Sessions\1\BaseNamedObjects\shared",
        ),
        (
            "sections",
            r"Global\shared",
            By::Default,
            Home::Vm,
            r"\Sessions\1\BaseNamedObjects\Pinion-1\BaseNamedObjects\shared",
        ),
        ("pipes", r"\\.\pipe\SECRET", By::Rule(1), Home::Nowhere, ""),
        (
            "pipes",
            r"\\host\pipe\server",
            By::Rule(2),
            Home::Host,
            r"\Device\NamedPipe\server",
        ),
        (
            "pipes",
            "other",
            By::Default,
            Home::Vm,
            r"\Device\NamedPipe\pinion-1\other",
        ),
        (
            "mailslots",
            "server",
            By::Default,
            Home::Vm,
            r"\Device\MailSlot\pinion-1\server",
        ),
        (
            "alpc",
            r"\RPC Control\lsasspirpc",
            By::Rule(3),
            Home::Vm,
            r"\Sessions\1\BaseNamedObjects\Pinion-1\RPC Control\lsasspirpc",
        ),
    ] {
        assert_eq!(
            opened(channel, name),
            (by, home, real.into()),
            "{channel} {name}"
        );
    }
    let (by, home, _) = opened("ports", r"\RPC Control\lsasspirpc");
    assert!(matches!(by, By::PassList(_)) && home == Home::Host);
    let [make, _] = told("pipes", "server");
    assert_eq!((make.by, make.home), (By::Default, Home::Vm));
}

#[test]
fn what_no_rule_can_be_about_is_said() {
    let policy = Policy::default();
    for (channel, name, word) in [
        ("sockets", "x", "--network"),
        ("alpc", "x", r"\RPC Control\x"),
        ("pipes", r"\\.\mailslot\x", "no name of this channel"),
        ("pipes", "", "give a name"),
    ] {
        let why =
            explain(&policy, &alone(&policy), VM, channel, name, fold).expect_err("no answer");
        assert!(why.contains(word), "{why}");
    }
    // Such a name has an answer, and no rule would help.
    let [_, open] = told("pipes", "pinion-sv-1");
    assert_eq!((open.home, open.to_allow), (Home::Vm, None));
    let [_, open] = told("objects", r"\RPC Control\x");
    assert_eq!((open.home, open.to_allow), (Home::Vm, None));
}

#[test]
fn a_name_of_another_vm_needs_both_policies() {
    let out = |channel: &str, name: &str| {
        format!(
            "[[rule]]\nchannel = '{channel}'\nname = '{name}'\ndirection = 'out'\npeer = 'vm:db'\nverdict = 'allow'\n"
        )
    };
    let text = [out("pipes", "sql*"), out("sections", "Global\\*")].concat();
    let policy = Policy::parse(&text).expect("sound");
    let theirs = "[[rule]]
channel = 'pipes'
name = 'sql-admin'
peer = 'vm:web'
verdict = 'deny'
[[rule]]
channel = 'pipes'
name = 'sql-*'
direction = 'in'
peer = 'vm:web'
verdict = 'allow'
[[rule]]
channel = 'sections'
name = '*'
direction = 'in'
peer = 'vm:other'
verdict = 'allow'
";
    let theirs = Policy::parse(theirs).expect("sound");
    let rules = policy
        .compiled_among("web", |name| (name == "db").then(|| (10, theirs.clone())))
        .expect("fits");
    let told = |rules: &Rules, channel: &str, name: &str| {
        explain(&policy, rules, VM, channel, name, fold).expect("explained")
    };
    let [make, open] = told(&rules, "pipes", "SQL-1");
    assert_eq!((make.by, make.home), (By::Default, Home::Vm));
    assert_eq!((open.by, open.home), (By::Rule(0), Home::Peer(10)));
    let real = r"\Device\NamedPipe\pinion-000000000000000a\SQL-1";
    assert_eq!(open.real.as_deref(), Some(real));
    for (channel, name) in [
        ("pipes", "sql-admin"),
        ("pipes", "sql"),
        ("sections", r"Global\x"),
    ] {
        let [_, open] = told(&rules, channel, name);
        assert!(
            matches!(open.by, By::Shut(_)) && open.home == Home::Nowhere,
            "{name}"
        );
    }
    let [_, open] = told(&alone(&policy), "pipes", "sql-1");
    assert_eq!((open.by, open.home), (By::Shut(0), Home::Nowhere));
}

proptest! {
    /// What `to_allow` says is sound, and does what it says in the place that it names.
    #[test]
    fn the_remedy_helps(
        channel in "objects|sections|jobs|completions|pipes|mailslots|alpc|ports",
        name in r#"[a-z' \\"é]{1,8}|Global\\[a-z]{1,3}"#,
        denied in any::<bool>(),
    ) {
        let name = if channel == "alpc" || channel == "ports" { format!("\\{name}") } else { name };
        let deny = format!("[[rule]]\nchannel = \"{channel}\"\nname = \"?*\"\nverdict = \"deny\"\n");
        let before = Policy::parse(if denied { &deny } else { "" }).expect("sound");
        let Ok(answers) = explain(&before, &alone(&before), VM, &channel, &name, fold) else { return Ok(()) };
        for answer in answers {
            let Some(remedy) = answer.to_allow else { continue };
            let text = format!("{}{}", remedy.rule, if denied { &deny } else { "" });
            let after = Policy::parse(&text);
            prop_assert!(after.is_ok(), "{:?} in\n{}", after, text);
            let after = after.expect("sound");
            let again = explain(&after, &alone(&after), VM, &channel, &name, fold).expect("explained");
            let same = again.into_iter().find(|one| one.action == answer.action).expect("the same");
            prop_assert_eq!((same.by, same.home), (By::Rule(0), Home::Host));
        }
    }
}
