use std::time::Duration;

use proptest::prelude::*;

use crate::config::{Config, Mode};

const LEAST: &str = "command = ['a.exe']\nport = 80\n[front]\nlisten = '127.0.0.1:8080'\n";

/// What is wrong with it first, as it is shown.
fn fault(text: &str) -> String {
    match Config::parse(text) {
        Ok(config) => panic!("taken: {config:#?}"),
        Err(faults) => faults[0].to_string(),
    }
}

#[test]
fn defaults_are_sound() {
    let config = Config::parse(LEAST).unwrap();
    assert_eq!((config.replicas, config.spares), (3, 1));
    assert_eq!(config.front.mode, Mode::Balance);
    assert_eq!(config.check.http.as_deref(), Some("/"));
    assert_eq!(config.check.interval, Duration::from_secs(1));
    assert_eq!((config.replace.min_live, config.replace.surge), (2, 1));
    assert_eq!(config.replace.exposure, None);
    assert_eq!(config.quorum(), 2);
}

#[test]
fn a_bound_of_exposure_follows_from_the_age() {
    let config =
        Config::parse(&format!("{LEAST}[replace]\nevery = '20s'\ndrain = '2s'\n")).unwrap();
    assert_eq!(config.replace.exposure, Some(Duration::from_secs(42)));
}

const PROFILE: &str = "description = 'x'\nprogram = ['a.exe']\nworkdir = 'C:\\a'\nservices = ['s']\nports = ['8080:80']\n[[rule]]\nchannel = 'pipes'\nname = 'x'\nverdict = 'deny'\n[health]\nport = 81\npath = '/up'\nwithin = 7\n";

fn from_profile(text: &str, profile: &str) -> Result<Config, Vec<super::super::Fault>> {
    Config::parse_from(text, |name| {
        assert_eq!(name, "known");
        pinion_profile::Profile::parse(profile)
            .map(Some)
            .map_err(|faults| format!("known:{}", faults[0]))
    })
}

#[test]
fn what_a_profile_says_is_the_default() {
    let front = "[front]\nlisten = '127.0.0.1:8080'\n";
    let config = from_profile(&format!("from = 'known'\n{front}"), PROFILE).unwrap();
    assert_eq!((config.from, config.port), (None, 81));
    assert_eq!(config.command, ["a.exe"]);
    assert_eq!(config.workdir.as_deref(), Some("C:\\a"));
    assert_eq!(config.services, ["s"]);
    assert!(config.rules.contains("deny"));
    assert_eq!(config.check.http.as_deref(), Some("/up"));
    assert_eq!(config.check.grace, Duration::from_secs(7));
    // What the file says goes before it, and its health is of its own port only.
    let more = "from = 'known'\ncommand = ['b.exe']\nworkdir = 'D:\\'\nport = 80\n";
    let config = from_profile(&format!("{more}{front}"), PROFILE).unwrap();
    assert_eq!((config.port, config.check.http.as_deref()), (80, Some("/")));
    assert_eq!(config.command, ["b.exe"]);
    assert_eq!(config.workdir.as_deref(), Some("D:\\"));
    assert_eq!(config.check.grace, Duration::from_secs(30));
    // Accepting is enough where it says so.
    let accepts = "description = 'x'\nprogram = ['a.exe']\n[health]\nport = 81\n";
    let config = from_profile(&format!("from = 'known'\n{front}"), accepts).unwrap();
    assert_eq!(config.check.http, None);
}

#[test]
fn faults_of_a_profile_are_told_where_it_is_named() {
    let text = "replicas = 2\nfrom = 'known'\n[front]\nlisten = '127.0.0.1:8080'\n";
    let first = |profile: &str| from_profile(text, profile).unwrap_err()[0].to_string();
    let broken = first("description = ''\n");
    assert!(broken.starts_with("2:8: known:1:15: say"), "{broken}");
    let no_port = first("description = 'x'\nprogram = ['a']\n");
    assert!(no_port.starts_with("1:1: give the port"), "{no_port}");
    let none = first("description = 'x'\n[health]\nport = 81\n");
    assert!(
        none.starts_with("2:8: this profile names no program"),
        "{none}"
    );
}

#[test]
fn without_a_surge_there_is_no_spare() {
    let config = Config::parse(&format!("{LEAST}[replace]\nsurge = 0\n")).unwrap();
    assert_eq!((config.spares, config.replace.surge), (0, 0));
}

#[test]
fn faults_have_their_place() {
    let with = |more: &str| format!("{LEAST}{more}");
    let cases = [
        (with("[check]\nhtpp = '/'\n"), "6:1", "unknown field"),
        (with("[check]\ninterval = '1x'\n"), "6:12", "no duration"),
        (with("[check]\nhttp = 'x y'\n"), "6:8", "begins with /"),
        (with("mode = 'vot'\n"), "5:8", "none of balance, vote"),
        (
            with("mode = 'vote'\nprotocol = 'tcp'\n"),
            "6:12",
            "protocol is http",
        ),
        (with("[vote]\nlate = '1s'\n"), "5:1", "balance mode"),
        (
            with("mode = 'vote'\n[vote]\nignore_body = ['(']\n"),
            "7:16",
            "regular expression",
        ),
        (
            with("[replace]\nevery = '20s'\nexposure = '10s'\n"),
            "7:12",
            "cannot be shorter",
        ),
        (
            with("[replace]\nsurge = 0\nmin_live = 3\n"),
            "6:9",
            "below replicas",
        ),
        (with("[replace]\nmin_live = 4\n"), "6:12", "from 0 to 3"),
        (
            format!("spares = 2\n{LEAST}[replace]\nsurge = 0\n"),
            "1:10",
            "set spares = 0",
        ),
        (
            with("[changes]\nfiles = ['logs']\n"),
            "6:10",
            "no whole path",
        ),
        (with("[denied]\nignore = ['*']\n"), "6:11", "every name"),
        (with("status = '127.0.0.1:8080'\n"), "5:10", "another port"),
        (
            LEAST.replace("127.0.0.1:8080", "localhost"),
            "4:10",
            "address and a port",
        ),
        (
            LEAST.replace("port = 80", "port = 80000"),
            "2:8",
            "from 1 to 65535",
        ),
        (
            LEAST.replace("command = ['a.exe']", "name = 'A b'\ncommand = ['a']"),
            "1:8",
            "no name of a group",
        ),
        (
            LEAST.replace("command = ['a.exe']\n", ""),
            "1:1",
            "give what to run",
        ),
        (
            with("mode = 'vote'\n").replace("port", "replicas = 2\nport"),
            "2:12",
            "at least 3",
        ),
        ("port = 1\nport = 2\n".into(), "2:1", "duplicate key"),
        ("command = 7".into(), "1:11", "invalid type"),
    ];
    for (text, place, why) in cases {
        let fault = fault(&text);
        assert!(
            fault.starts_with(&format!("{place}: ")) && fault.contains(why),
            "{fault}\n{text}"
        );
    }
}

#[test]
fn all_faults_are_told_in_order() {
    let text = format!("{LEAST}[check]\nrise = 0\nfall = -1\n");
    let faults = Config::parse(&text).unwrap_err();
    let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [6, 7]);
}

#[test]
fn the_name_is_the_files_where_none_is_given() {
    let config = Config::parse(LEAST).unwrap();
    assert_eq!(config.name_or("Web-Vote").as_deref(), Ok("web-vote"));
    assert!(config.name_or("a b").is_err());
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}", at in 0usize..80) {
        let _ = Config::parse(&text);
        let mut sound = LEAST.to_owned();
        sound.insert_str(at.min(sound.len()), &text);
        if let Err(faults) = Config::parse(&sound) {
            prop_assert!(!faults.is_empty() && faults.iter().all(|fault| fault.line > 0 && !fault.why.contains('\n')));
        }
    }
}
