//! What the rules of a VM decide.

extern crate std;
use super::*;
use pinion_names::units::fold;
use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;

fn w(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn rule(channel: Channel, effect: Effect, actions: u8, places: u8) -> Rule {
    Rule {
        channel: channel as u8,
        effect: effect as u8,
        actions,
        places,
        ..Rule::EMPTY
    }
}

fn rules(all: &[(Rule, &str)]) -> Rules {
    let mut rules = Rules::EMPTY;
    for (rule, pattern) in all {
        rules.push(*rule, pattern.encode_utf16()).expect("room");
    }
    rules
}

fn decided(rules: &Rules, channel: Channel, action: Action, places: u8, name: &str) -> Verdict {
    decide(rules, channel, action, places, &w(name), fold)
}

#[test]
fn numbers_and_words_are_in_order() {
    for (number, channel) in Channel::ALL.iter().enumerate() {
        assert_eq!(*channel as usize, number);
        assert_eq!(Channel::named(channel.word()), Some(*channel));
    }
    assert_eq!(Channel::named("windows"), None);
}

#[test]
fn a_channel_is_the_hosts_where_a_rule_allows_some_of_it() {
    let allowed = |effect| {
        let rules = rules(&[
            (rule(Channel::Pipes, Effect::Host, 3, places::ANY), "*"),
            (rule(Channel::Http, effect, 1, places::ANY), "http://*"),
        ]);
        allows_host(&rules, Channel::Http)
    };
    assert!(allowed(Effect::Host));
    assert!(!allowed(Effect::Own) && !allowed(Effect::Refuse));
    assert!(!allows_host(&Rules::EMPTY, Channel::Http));
}

#[test]
fn the_first_rule_that_has_the_name_counts() {
    let rules = rules(&[
        (rule(Channel::Pipes, Effect::Own, 3, places::ANY), "a-b*"),
        (rule(Channel::Pipes, Effect::Host, 2, places::ANY), "a*"),
        (rule(Channel::Pipes, Effect::Refuse, 3, places::ANY), "*x"),
    ]);
    let of = |action, name| decided(&rules, Channel::Pipes, action, places::ANY, name);
    assert_eq!(of(Action::Open, "A-B1"), Verdict::Own(0));
    assert_eq!(of(Action::Open, "a1"), Verdict::Host(1));
    assert_eq!(of(Action::Make, "a1"), Verdict::Default);
    assert_eq!(of(Action::Make, "a1x"), Verdict::Refused(2));
    assert_eq!(of(Action::Open, "b"), Verdict::Default);
    let mailslot = decided(&rules, Channel::Mailslots, Action::Open, places::ANY, "a1");
    assert_eq!(mailslot, Verdict::Default);
}

#[test]
fn a_rule_is_of_its_directories() {
    let rules = rules(&[(rule(Channel::Objects, Effect::Host, 3, places::LOCAL), "x")]);
    let of = |places| decided(&rules, Channel::Objects, Action::Make, places, "X");
    assert_eq!(of(places::LOCAL), Verdict::Host(0));
    assert_eq!(of(places::GLOBAL), Verdict::Default);
    assert_eq!(of(places::ANY), Verdict::Host(0));
}

#[test]
fn no_rule_opens_pinions_own_pipes() {
    let rules = rules(&[(rule(Channel::Pipes, Effect::Host, 3, places::ANY), "*")]);
    for name in ["pinion-sv-1", "PINION-0000\\x"] {
        let of = decided(&rules, Channel::Pipes, Action::Open, places::ANY, name);
        assert_eq!(of, Verdict::Default, "{name}");
    }
}

#[test]
fn another_vms_name_is_had_only_where_both_say_so() {
    let peer = |effect, peer, actions| Rule {
        peer,
        ..rule(Channel::Pipes, effect, actions, places::ANY)
    };
    let mut rules = rules(&[
        (peer(Effect::Peer, 1, 2), "db*"),
        (peer(Effect::Peer, 2, 2), "gone*"),
        (peer(Effect::Inert, 0, 0), "*"),
        (peer(Effect::Reject, 1, 0), "db-secret*"),
        (peer(Effect::Admit, 1, 0), "db-*"),
        (peer(Effect::Admit, 2, 0), "*"),
        (peer(Effect::Admit, 0, 0), "*"),
    ]);
    rules.peers[1] = 7;
    let of = |action, name| decided(&rules, Channel::Pipes, action, places::ANY, name);
    assert_eq!(of(Action::Open, "DB-1"), Verdict::Peer(0, 7));
    assert_eq!(of(Action::Open, "db-secret1"), Verdict::Shut(0));
    assert_eq!(of(Action::Open, "db"), Verdict::Shut(0));
    assert_eq!(of(Action::Open, "gone"), Verdict::Shut(1));
    assert_eq!(of(Action::Open, "x"), Verdict::Default);
    assert_eq!(of(Action::Make, "db-1"), Verdict::Default);
}

#[test]
fn a_damaged_rule_opens_nothing() {
    let mut rules = rules(&[(rule(Channel::Pipes, Effect::Host, 3, places::ANY), "*")]);
    rules.rules[0].effect = 9;
    let of = decided(&rules, Channel::Pipes, Action::Open, places::ANY, "x");
    assert_eq!(of, Verdict::Refused(0));
}

fn any_rule() -> impl Strategy<Value = (Rule, String)> {
    let effect = prop_oneof![Just(Effect::Host), Just(Effect::Own), Just(Effect::Refuse)];
    let channel = prop_oneof![Just(Channel::Objects), Just(Channel::Pipes)];
    (channel, effect, 1_u8..4, 1_u8..4, "[ab*?]{1,3}").prop_map(
        |(channel, effect, actions, places, pattern)| {
            (rule(channel, effect, actions, places), pattern)
        },
    )
}

proptest! {
    /// A name is the host's only if a rule says so of this channel, action and
    /// directory, and no earlier rule decides it otherwise.
    #[test]
    fn nothing_is_the_hosts_without_a_rule(
        all in proptest::collection::vec(any_rule(), 0..6),
        action in prop_oneof![Just(Action::Make), Just(Action::Open)],
        places in 1_u8..4,
        name in "[abAB]{0,4}",
    ) {
        let borrowed: Vec<_> = all.iter().map(|(rule, pattern)| (*rule, pattern.as_str())).collect();
        let verdict = decided(&rules(&borrowed), Channel::Pipes, action, places, &name);
        let first = all.iter().position(|(rule, pattern)| {
            rule.channel == Channel::Pipes as u8
                && rule.actions & action.bit() != 0
                && rule.places & places != 0
                && pattern::matches(&w(pattern), &w(&name), fold)
        });
        match (verdict, first) {
            (Verdict::Default, None) => {}
            (Verdict::Host(number), Some(first)) => {
                prop_assert_eq!((number, Effect::Host as u8), (first, all[first].0.effect));
            }
            (Verdict::Own(number), Some(first)) => {
                prop_assert_eq!((number, Effect::Own as u8), (first, all[first].0.effect));
            }
            (Verdict::Refused(number), Some(first)) => {
                prop_assert_eq!((number, Effect::Refuse as u8), (first, all[first].0.effect));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
