//! What is done when a service fails: which action, when, and when no more.

mod bench;

use bench::{Bench, CLIENT, RUNNING, STOPPED, record, report, sent, started};
use pinion_scm::{Action, Change, Client, Effect, FailureActions, HandleId, Message, State, Text};
use proptest::prelude::*;
use windows_sys::Win32::System::Services::{SERVICE_CHANGE_CONFIG, SERVICE_START};

const RESTART: u32 = Action::RESTART;
const COMMAND: u32 = Action::RUN_COMMAND;

fn bench(reset_period: u32, actions: &[(u32, u32)], on_error: bool) -> (Bench, HandleId) {
    let mut record = record("worker");
    record.failure_actions_on_non_crash = on_error;
    record.failure = FailureActions {
        reset_period,
        reboot_message: Text::new(),
        command: Text::from("tell.exe"),
        actions: actions
            .iter()
            .map(|&(kind, delay)| Action { kind, delay })
            .collect(),
    };
    let mut bench = Bench::new(vec![record]);
    let handle = bench.open("worker");
    (bench, handle)
}

/// Brings the process that was just asked for up to a running service.
fn come_up(bench: &mut Bench, now: u64, pid: u32, effects: &[Effect]) -> pinion_scm::ProcessId {
    let process = started(effects)[0].0;
    bench.controller.process_started(process, pid);
    bench
        .controller
        .dispatcher_connected(now, Client(pid))
        .unwrap();
    let messages = sent(&bench.controller.take_effects());
    let Message::Start { status_handle, .. } = messages[0].2 else {
        panic!("no start was sent");
    };
    bench.controller.answered(now, process, messages[0].1, 0);
    bench
        .controller
        .set_status(now, Client(pid), status_handle, &report(RUNNING))
        .unwrap();
    bench.controller.take_effects();
    process
}

fn acted(effects: &[Effect]) -> Vec<u32> {
    let kind = |effect: &Effect| match effect {
        Effect::FailureAction { kind, .. } => Some(*kind),
        _ => None,
    };
    effects.iter().filter_map(kind).collect()
}

#[test]
fn a_crash_is_followed_by_a_restart_after_its_delay() {
    let (mut bench, handle) = bench(60, &[(RESTART, 500)], false);
    let (process, _) = bench.run(handle, 200);
    bench.controller.process_exited(1000, process);
    bench.controller.take_effects();
    assert_eq!(bench.state(handle), State::Stopped);
    assert_eq!(bench.controller.next_deadline(), Some(1500));
    bench.controller.tick(1499);
    assert!(started(&bench.controller.take_effects()).is_empty());
    bench.controller.tick(1500);
    let effects = bench.controller.take_effects();
    assert_eq!(acted(&effects), [RESTART]);
    assert_eq!(bench.state(handle), State::StartPending);
    come_up(&mut bench, 1500, 201, &effects);
    assert_eq!(bench.state(handle), State::Running);
}

#[test]
fn later_failures_take_later_actions_and_the_period_begins_anew() {
    let (mut bench, handle) = bench(10, &[(RESTART, 0), (COMMAND, 0), (0, 0)], false);
    let (process, _) = bench.run(handle, 200);
    bench.controller.process_exited(1000, process);
    bench.controller.tick(1000);
    let effects = bench.controller.take_effects();
    assert_eq!(acted(&effects), [RESTART]);
    let process = come_up(&mut bench, 1000, 201, &effects);
    bench.controller.process_exited(2000, process);
    bench.controller.tick(2000);
    let effects = bench.controller.take_effects();
    assert_eq!(acted(&effects), [COMMAND]);
    assert!(started(&effects).is_empty(), "a command is no restart");
    // Ten seconds after the last failure the first action is the next.
    bench
        .controller
        .start(3000, CLIENT, handle, Vec::new(), pinion_scm::Ticket(9));
    let effects = bench.controller.take_effects();
    let process = come_up(&mut bench, 3000, 202, &effects);
    bench.controller.process_exited(12_000, process);
    bench.controller.tick(12_000);
    assert_eq!(acted(&bench.controller.take_effects()), [RESTART]);
}

#[test]
fn a_reported_stop_is_a_failure_only_with_an_error_and_where_it_shall_be() {
    for (on_error, code, follows) in [(false, 5, false), (true, 0, false), (true, 5, true)] {
        let (mut bench, handle) = bench(60, &[(RESTART, 0)], on_error);
        let (_, status) = bench.run(handle, 200);
        let mut last = report(STOPPED);
        last.win32_exit_code = code;
        bench
            .controller
            .set_status(5, Client(200), status, &last)
            .unwrap();
        bench.controller.take_effects();
        bench.controller.tick(5);
        let acted = acted(&bench.controller.take_effects());
        assert_eq!(!acted.is_empty(), follows, "{on_error} {code}");
    }
}

#[test]
fn who_starts_it_first_or_disables_it_is_not_overtaken() {
    let (mut bench, handle) = bench(60, &[(RESTART, 500)], false);
    let (process, _) = bench.run(handle, 200);
    bench.controller.process_exited(0, process);
    bench
        .controller
        .start(1, CLIENT, handle, Vec::new(), pinion_scm::Ticket(9));
    assert_eq!(started(&bench.controller.take_effects()).len(), 1);
    bench.controller.tick(500);
    assert!(acted(&bench.controller.take_effects()).is_empty());

    let (mut bench, handle) = self::bench(60, &[(RESTART, 500)], false);
    let (process, _) = bench.run(handle, 200);
    bench.controller.process_exited(0, process);
    let disabled = Change {
        start_type: Some(4),
        ..Change::default()
    };
    bench
        .controller
        .change(1, CLIENT, handle, disabled)
        .unwrap();
    bench.controller.take_effects();
    bench.controller.tick(500);
    let effects = bench.controller.take_effects();
    assert!(acted(&effects).is_empty() && started(&effects).is_empty());
}

#[test]
fn a_restart_is_configured_only_by_who_may_start() {
    let (mut bench, _) = bench(0, &[], false);
    let with = |rights: u32, bench: &mut Bench| {
        let name = Text::from("worker");
        bench
            .controller
            .open_service(CLIENT, bench.manager, &name, rights)
            .unwrap()
    };
    let change = |kind: u32| Change {
        failure_actions: Some((60, vec![Action { kind, delay: 1 }])),
        ..Change::default()
    };
    let weak = with(SERVICE_CHANGE_CONFIG, &mut bench);
    let strong = with(SERVICE_CHANGE_CONFIG | SERVICE_START, &mut bench);
    let mut give = |handle, kind| {
        let change = change(kind);
        bench
            .controller
            .change(0, CLIENT, handle, change)
            .map(drop)
            .map_err(|error| error.0)
    };
    assert_eq!(give(weak, RESTART), Err(5));
    assert_eq!(give(weak, COMMAND), Ok(()));
    assert_eq!(give(strong, RESTART), Ok(()));
    assert_eq!(give(strong, 4), Err(87), "no such action");
}

proptest! {
    /// However often it fails, there is at most one action a failure, and the
    /// controller's time never stands still.
    #[test]
    fn a_service_that_always_fails_costs_one_action_each(
        delays in prop::collection::vec((0..4_u32, 0..3000_u32), 0..5),
        period in prop_oneof![Just(u32::MAX), 0..5_u32],
    ) {
        let (mut bench, handle) = bench(period, &delays, false);
        let (mut process, _) = bench.run(handle, 200);
        let (mut now, mut pid) = (0, 200);
        for _ in 0..20 {
            bench.controller.process_exited(now, process);
            bench.controller.take_effects();
            let Some(due) = bench.controller.next_deadline() else {
                break;
            };
            prop_assert!(due >= now);
            now = due;
            bench.controller.tick(now);
            let effects = bench.controller.take_effects();
            prop_assert_eq!(acted(&effects).len(), 1);
            if started(&effects).is_empty() {
                break;
            }
            pid += 1;
            process = come_up(&mut bench, now, pid, &effects);
        }
    }
}
