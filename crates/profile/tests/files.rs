//! Profiles as people write them: what is taken, what is wrong, and where.

use pinion_profile::{Health, Port, Profile};
use proptest::prelude::*;
use std::time::Duration;

fn faults(text: &str) -> Vec<String> {
    match Profile::parse(text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_full_profile_is_read() {
    let text = r#"
description = "a server"
ran_on = "Wine 8.0"
program = ['C:\srv\srv.exe', "-x"]
workdir = 'C:\srv'
services = ["RpcSs", "Mine"]
ports = ["8080:80", "8443:443"]

[[rule]]
channel = "pipes"
name = 'Licence'
direction = "out"
peer = "host"
verdict = "allow"

[health]
port = 80
path = "/up"
within = 5
"#;
    let profile = Profile::parse(text).expect("sound");
    assert_eq!(profile.program, [r"C:\srv\srv.exe", "-x"]);
    assert_eq!(profile.services, ["RpcSs", "Mine"]);
    assert_eq!(
        profile.ports[1],
        Port {
            host: 8443,
            vm: 443
        }
    );
    assert!(profile.policy.contains("Licence"), "{}", profile.policy);
    let health = Health {
        port: 80,
        path: Some("/up".into()),
        within: Duration::from_secs(5),
    };
    assert_eq!(profile.health, Some(health));
}

#[test]
fn what_is_wrong_is_told_by_line_and_column() {
    let least = "description = \"x\"\n";
    for (more, expected) in [
        ("colour = 1", "2:1: unknown field `colour`"),
        ("ports = [\"80\"]", "2:10: give HOST:VM"),
        ("ports = [\"0:80\"]", "2:10: give HOST:VM"),
        (
            "ports = [\"1:2\", \"1:3\"]",
            "2:17: the host's port 1 is there already",
        ),
        (
            "services = [\"a\", 'b\\c']",
            "2:18: no service has this name",
        ),
        ("services = [\"a\", \"A\"]", "2:18: 'A' is there already"),
        ("program = [\"\"]", "2:12: say something here"),
        ("workdir = \"a\\nb\"", "2:11: give one line"),
        ("[health]\nport = 70000", "3:8: give a port"),
        ("[health]\nport = 1\npath = \"x\"", "4:8: give a path"),
        ("[health]\nport = 1\nwithin = 0", "4:10: give seconds"),
        ("[health]", "2:1: missing field `port`"),
        ("[[rule]]\nchannel = \"nothing\"", "2:1: "),
        ("ports = 3", "2:9: invalid type"),
    ] {
        let all = faults(&format!("{least}{more}\n"));
        assert!(
            all.len() == 1 && all[0].starts_with(expected),
            "{more}: {all:?}"
        );
    }
    assert!(faults("")[0].contains("description"), "{:?}", faults(""));
    let two = faults("description = \"\"\nservices = [\"/\"]\nports = [\"x\"]\n");
    assert_eq!(two.len(), 3, "all are told, in order: {two:?}");
    assert!(
        two[0].starts_with("1:") && two[2].starts_with("3:"),
        "{two:?}"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        let _ = Profile::parse(&text);
    }

    #[test]
    fn damage_is_told_at_a_place_of_the_file(at in 0..400_usize, with in any::<char>()) {
        let mut text: Vec<char> = pinion_profile::find("iis").unwrap().text.chars().collect();
        let at = at.min(text.len() - 1);
        text[at] = with;
        let text: String = text.into_iter().collect();
        if let Err(faults) = Profile::parse(&text) {
            let lines = text.matches('\n').count() + 1;
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
        }
    }
}
