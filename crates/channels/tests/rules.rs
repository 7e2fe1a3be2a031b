//! What must hold of every entry of the catalogue, whoever writes it.

use pinion_channels::unknown::suspicion;
use pinion_channels::{
    Call, Channel, Module, Reach, State, Status, Treatment, calls, find, groups,
};

/// The forms under which the same call is written.
const FORMS: &[&str] = &["Ex", "Transacted", "ByName", "ByHandle", "2", "3"];

const NAMES_TAKEN: &str = include_str!("data/names-taken.txt");

#[test]
fn a_call_by_name_is_never_left_to_its_handle() {
    for (_, group) in groups() {
        let by_handle = matches!(group.treatment, Treatment::ByHandle | Treatment::NoIpc);
        assert!(
            group.reach != Reach::Name || !by_handle,
            "{:?} take names and are {}",
            group.names,
            group.treatment
        );
    }
}

#[test]
fn no_channel_means_that_nothing_is_felt_outside() {
    for (_, group) in groups() {
        assert_eq!(
            group.reach == Reach::None,
            group.treatment == Treatment::NoIpc,
            "{group:?}"
        );
    }
}

#[test]
fn what_needs_a_hook_has_one_or_is_open() {
    for (_, group) in groups() {
        // The same stub under another name meets the hook of the first.
        let needs_none = matches!(
            group.treatment,
            Treatment::ByHandle | Treatment::NoIpc | Treatment::Pass
        ) || group.why.starts_with("another name of ");
        assert!(
            needs_none || group.status != Status::Settled,
            "{:?} are {} and have no hook",
            group.names,
            group.treatment
        );
        assert!(
            !group.why.is_empty() && !group.why.contains('|'),
            "{group:?}"
        );
    }
}

#[test]
fn every_call_that_is_declared_with_a_name_takes_one() {
    let names = NAMES_TAKEN.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for name in names.flat_map(str::split_whitespace) {
        let call = find(name).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        assert_eq!(call.group.reach, Reach::Name, "{name}");
        count += 1;
    }
    assert!(count > 120, "{count}");
}

#[test]
fn the_forms_of_one_call_reach_alike() {
    let forms = |call: Call| {
        FORMS
            .iter()
            .filter_map(move |form| find(call.name.strip_suffix(form)?))
    };
    for call in calls() {
        for plain in forms(call) {
            assert!(
                plain.group.reach == call.group.reach,
                "{} is {}, {} is {}",
                plain.name,
                plain.group.reach,
                call.name,
                call.group.reach
            );
        }
    }
}

/// Openers and makers that find nothing by a name, each looked at by itself.
const NAMELESS: &[&str] = &[
    // By a process, thread, port or transaction handle.
    "NtOpenProcessToken",
    "NtOpenProcessTokenEx",
    "NtOpenThreadToken",
    "NtOpenThreadTokenEx",
    "NtCreateThread",
    "NtCreateThreadEx",
    "NtCreateProfile",
    "NtCreateProfileEx",
    "NtCreateEnclave",
    "NtCreateJobSet",
    "NtAcceptConnectPort",
    "NtCompleteConnectPort",
    "NtAlpcAcceptConnectPort",
    "NtAlpcCreatePortSection",
    "NtAlpcCreateResourceReserve",
    "NtAlpcCreateSectionView",
    "NtAlpcCreateSecurityContext",
    "NtAlpcDisconnectPort",
    // With nothing but a handle out.
    "NtCreateIRTimer",
    "NtCreateIoRing",
];

#[test]
fn openers_and_makers_of_ntdll_take_names_but_for_those_looked_at() {
    for call in calls().filter(|call| call.module == Module::Ntdll) {
        let opens = ["Open", "Create", "Connect"]
            .iter()
            .any(|word| call.name.contains(word));
        if opens && !call.name.contains("OpenSubKeys") {
            assert_eq!(
                call.group.reach != Reach::Name,
                NAMELESS.contains(&call.name),
                "{}",
                call.name
            );
        }
    }
}

#[test]
fn a_call_that_takes_a_name_would_be_suspected_if_it_were_new() {
    let silent: Vec<_> = calls()
        .filter(|call| call.module == Module::Ntdll && call.group.reach == Reach::Name)
        .filter(|call| suspicion(call.module, call.name).is_none())
        .map(|call| call.name)
        .collect();
    // Names or numbers in places that no name of a call gives away.
    assert_eq!(
        silent,
        [
            "NtSetInformationFile",
            "NtGetNlsSectionPtr",
            "NtInitializeNlsFiles",
            "NtQueryLicenseValue",
        ]
    );
}

#[test]
fn a_channel_is_as_confined_as_its_calls() {
    for &channel in Channel::ALL {
        let about = channel.about();
        assert_eq!(about.channel, channel);
        let all = groups().filter(|(_, group)| group.channel == channel);
        let open = all.filter(|(_, group)| !group.status.is_done()).count();
        assert!(
            about.state != State::Confined || open == 0,
            "{channel} is confined, and some of its calls are not"
        );
    }
}

#[test]
fn every_channel_says_what_does_not_hold_and_has_proof_of_what_does() {
    for &channel in Channel::ALL {
        let about = channel.about();
        match about.state {
            State::Open => assert!(about.proofs.is_empty(), "{channel} is open"),
            _ if about.treatment == Treatment::NoIpc => {}
            _ => assert!(!about.proofs.is_empty(), "{channel} has no proof"),
        }
        assert!(
            about.state == State::Confined || !about.gaps.is_empty(),
            "{channel} does not say what does not hold"
        );
        assert!(!about.windows.is_empty() && !about.wine.is_empty());
    }
}
