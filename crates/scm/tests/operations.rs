//! Services from start to stop, as a client and a service process see them.

mod bench;

use bench::{
    Bench, CLIENT, RUNNING, SERVICE, START_PENDING, STOPPED, outcomes, record, report, sent,
    started, text,
};
use pinion_scm::{Client, Effect, Failure, Message, State, Ticket, Win32Error};
use windows_sys::Win32::System::Services::{
    SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_STOP, SERVICE_WIN32_SHARE_PROCESS,
};

#[test]
fn a_service_runs_from_start_to_stop() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("WORKER");
    assert_eq!(
        bench
            .controller
            .status(CLIENT, handle)
            .unwrap()
            .win32_exit_code,
        Win32Error::SERVICE_NEVER_STARTED.0
    );
    let (process, status) = bench.run(handle, 200);
    assert_eq!(
        bench.controller.status(CLIENT, handle).unwrap().process_id,
        200
    );

    bench
        .controller
        .control(5, CLIENT, handle, SERVICE_CONTROL_STOP, Ticket(2));
    let messages = sent(&bench.controller.take_effects());
    assert_eq!(
        messages[0].2,
        Message::Control {
            service: text("worker"),
            control: SERVICE_CONTROL_STOP
        }
    );
    // The handler reports the end before it returns.
    bench
        .controller
        .set_status(6, SERVICE, status, &report(STOPPED))
        .unwrap();
    bench.controller.answered(6, process, messages[0].1, 0);
    let effects = bench.controller.take_effects();
    assert_eq!(outcomes(&effects)[0].1.unwrap().state, State::Stopped);
    assert_eq!(sent(&effects)[0].2, Message::Exit);
    assert_eq!(
        bench.controller.status(CLIENT, handle).unwrap().process_id,
        0
    );
    // The status handle is gone with the run.
    assert_eq!(
        bench
            .controller
            .set_status(7, SERVICE, status, &report(RUNNING)),
        Err(Win32Error::INVALID_HANDLE)
    );
    bench.controller.process_exited(8, process);
    assert_eq!(bench.state(handle), State::Stopped);
    assert_eq!(
        bench
            .controller
            .status(CLIENT, handle)
            .unwrap()
            .win32_exit_code,
        0
    );
}

#[test]
fn dependencies_run_first() {
    let mut top = record("top");
    top.depend_on = vec![text("base")];
    let mut bench = Bench::new(vec![top, record("base")]);
    let (top, base) = (bench.open("top"), bench.open("base"));
    bench
        .controller
        .start(0, CLIENT, top, Vec::new(), Ticket(1));
    let first = started(&bench.controller.take_effects());
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].1, "base");
    assert_eq!(bench.state(top), State::StartPending);

    bench.controller.process_started(first[0].0, 300);
    bench
        .controller
        .dispatcher_connected(0, Client(300))
        .unwrap();
    let messages = sent(&bench.controller.take_effects());
    let Message::Start { status_handle, .. } = messages[0].2 else {
        panic!()
    };
    bench.controller.answered(0, first[0].0, messages[0].1, 0);
    assert!(started(&bench.controller.take_effects()).is_empty());
    bench
        .controller
        .set_status(0, Client(300), status_handle, &report(RUNNING))
        .unwrap();
    assert_eq!(started(&bench.controller.take_effects())[0].1, "top");

    // What others need does not stop under them.
    bench
        .controller
        .control(0, CLIENT, base, SERVICE_CONTROL_STOP, Ticket(2));
    let failure = outcomes(&bench.controller.take_effects())[0].1.unwrap_err();
    assert_eq!(failure.error, Win32Error::DEPENDENT_SERVICES_RUNNING);
}

#[test]
fn a_failing_dependency_fails_what_needs_it() {
    let mut top = record("top");
    top.depend_on = vec![text("base")];
    let mut lost = record("lost");
    lost.depend_on = vec![text("nowhere")];
    let mut bench = Bench::new(vec![top, record("base"), lost]);
    let (top, lost) = (bench.open("top"), bench.open("lost"));
    bench
        .controller
        .start(0, CLIENT, top, Vec::new(), Ticket(1));
    let process = started(&bench.controller.take_effects())[0].0;
    bench
        .controller
        .process_failed(0, process, Win32Error::FILE_NOT_FOUND);
    let error = outcomes(&bench.controller.take_effects())[0]
        .1
        .unwrap_err()
        .error;
    assert_eq!(error, Win32Error::SERVICE_DEPENDENCY_FAIL);
    bench
        .controller
        .start(0, CLIENT, lost, Vec::new(), Ticket(2));
    let error = outcomes(&bench.controller.take_effects())[0]
        .1
        .unwrap_err()
        .error;
    assert_eq!(error, Win32Error::SERVICE_DEPENDENCY_DELETED);
    assert_eq!(bench.state(top), State::Stopped);
}

#[test]
fn circles_never_start() {
    let (mut a, mut b) = (record("a"), record("b"));
    a.depend_on = vec![text("b")];
    b.depend_on = vec![text("a")];
    let mut bench = Bench::new(vec![a, b]);
    let handle = bench.open("a");
    bench
        .controller
        .start(0, CLIENT, handle, Vec::new(), Ticket(1));
    let error = outcomes(&bench.controller.take_effects())[0]
        .1
        .unwrap_err()
        .error;
    assert_eq!(error, Win32Error::CIRCULAR_DEPENDENCY);
}

#[test]
fn services_of_one_image_share_a_process() {
    let mut shared = [record("one"), record("two")];
    for record in &mut shared {
        record.service_type = SERVICE_WIN32_SHARE_PROCESS;
        record.image_path = text(r"C:\host.exe");
    }
    let mut bench = Bench::new(shared.into());
    let (one, two) = (bench.open("one"), bench.open("two"));
    let (process, _) = bench.run(one, 200);
    bench
        .controller
        .start(0, CLIENT, two, Vec::new(), Ticket(2));
    let effects = bench.controller.take_effects();
    assert!(started(&effects).is_empty());
    let messages = sent(&effects);
    assert_eq!(messages[0].0, process);
    // The process does not hold that service.
    bench
        .controller
        .answered(0, process, messages[0].1, Win32Error::SERVICE_NOT_IN_EXE.0);
    let effects = bench.controller.take_effects();
    assert_eq!(
        outcomes(&effects)[0].1.unwrap_err().error,
        Win32Error::SERVICE_NOT_IN_EXE
    );
    assert!(!effects.contains(&Effect::KillProcess { process }));
    assert_eq!(bench.state(one), State::Running);
    // When the process dies, what ran in it has aborted.
    bench.controller.process_exited(1, process);
    let status = bench.controller.status(CLIENT, one).unwrap();
    assert_eq!(
        (status.state, status.win32_exit_code),
        (State::Stopped, Win32Error::PROCESS_ABORTED.0)
    );
}

#[test]
fn a_process_that_never_connects_times_out() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("worker");
    bench
        .controller
        .start(10, CLIENT, handle, Vec::new(), Ticket(1));
    let process = started(&bench.controller.take_effects())[0].0;
    bench.controller.process_started(process, 200);
    assert_eq!(bench.controller.next_deadline(), Some(30_010));
    bench.controller.tick(30_009);
    assert!(bench.controller.take_effects().is_empty());
    bench.controller.tick(30_010);
    let effects = bench.controller.take_effects();
    assert_eq!(
        outcomes(&effects)[0].1.unwrap_err().error,
        Win32Error::SERVICE_REQUEST_TIMEOUT
    );
    assert!(effects.contains(&Effect::KillProcess { process }));
    assert_eq!(bench.state(handle), State::Stopped);
    assert_eq!(
        bench.controller.dispatcher_connected(30_011, SERVICE),
        Err(Win32Error::FAILED_SERVICE_CONTROLLER_CONNECT)
    );
}

#[test]
fn only_a_started_process_is_a_service_process() {
    let mut bench = Bench::new(vec![record("worker")]);
    assert_eq!(
        bench.controller.dispatcher_connected(0, CLIENT),
        Err(Win32Error::FAILED_SERVICE_CONTROLLER_CONNECT)
    );
}

#[test]
fn a_start_without_a_status_ends_after_a_moment() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("worker");
    bench
        .controller
        .start(0, CLIENT, handle, vec![text("-x")], Ticket(1));
    let process = started(&bench.controller.take_effects())[0].0;
    bench.controller.process_started(process, 200);
    bench.controller.dispatcher_connected(0, SERVICE).unwrap();
    let messages = sent(&bench.controller.take_effects());
    let Message::Start {
        status_handle,
        ref arguments,
        ..
    } = messages[0].2
    else {
        panic!()
    };
    assert_eq!(arguments, &[text("-x")]);
    bench.controller.answered(0, process, messages[0].1, 0);
    let pending = report(START_PENDING);
    bench
        .controller
        .set_status(50, SERVICE, status_handle, &pending)
        .unwrap();
    assert!(outcomes(&bench.controller.take_effects()).is_empty());
    bench.controller.tick(200);
    let done = outcomes(&bench.controller.take_effects());
    assert_eq!(done[0].1.unwrap().state, State::StartPending);
    // A second start is refused while the first is under way.
    bench
        .controller
        .start(300, CLIENT, handle, Vec::new(), Ticket(2));
    let error = outcomes(&bench.controller.take_effects())[0]
        .1
        .unwrap_err()
        .error;
    assert_eq!(error, Win32Error::SERVICE_ALREADY_RUNNING);
}

#[test]
fn controls_fail_as_documented() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("worker");
    let fails = |bench: &mut Bench, control| {
        bench
            .controller
            .control(0, CLIENT, handle, control, Ticket(9));
        outcomes(&bench.controller.take_effects())[0].1.unwrap_err()
    };
    let Failure { error, status } = fails(&mut bench, SERVICE_CONTROL_STOP);
    assert_eq!(error, Win32Error::SERVICE_NOT_ACTIVE);
    assert_eq!(status.unwrap().state, State::Stopped);
    assert_eq!(fails(&mut bench, 5).error, Win32Error::INVALID_PARAMETER);
    assert_eq!(fails(&mut bench, 256).error, Win32Error::INVALID_PARAMETER);

    let (process, _) = bench.run(handle, 200);
    assert_eq!(
        fails(&mut bench, 2).error,
        Win32Error::INVALID_SERVICE_CONTROL
    );
    // One control at a time; the next waits for the answer.
    bench
        .controller
        .control(0, CLIENT, handle, SERVICE_CONTROL_INTERROGATE, Ticket(2));
    bench.controller.control(0, CLIENT, handle, 200, Ticket(3));
    let messages = sent(&bench.controller.take_effects());
    assert_eq!(messages.len(), 1);
    bench.controller.answered(1, process, messages[0].1, 0);
    let effects = bench.controller.take_effects();
    assert_eq!(outcomes(&effects)[0].0, Ticket(2));
    assert!(matches!(
        sent(&effects)[0].2,
        Message::Control { control: 200, .. }
    ));
    // A handler that does not return.
    bench.controller.tick(30_000);
    let done = outcomes(&bench.controller.take_effects());
    assert_eq!(done[0].0, Ticket(3));
    assert_eq!(
        done[0].1.unwrap_err().error,
        Win32Error::SERVICE_REQUEST_TIMEOUT
    );
}

#[test]
fn a_late_answer_says_nothing_of_the_next_start() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("worker");
    bench
        .controller
        .start(0, CLIENT, handle, Vec::new(), Ticket(1));
    let first = started(&bench.controller.take_effects())[0].0;
    bench.controller.process_started(first, SERVICE.0);
    bench.controller.dispatcher_connected(0, SERVICE).unwrap();
    let messages = sent(&bench.controller.take_effects());
    let Message::Start { status_handle, .. } = messages[0].2 else {
        panic!("no start was sent");
    };
    // It ends before its dispatcher answers, and is started again at once.
    bench
        .controller
        .set_status(1, SERVICE, status_handle, &report(STOPPED))
        .unwrap();
    bench
        .controller
        .start(2, CLIENT, handle, Vec::new(), Ticket(2));
    let second = started(&bench.controller.take_effects())[0].0;
    bench.controller.answered(3, first, messages[0].1, 0);
    bench.controller.tick(1_000);
    assert!(outcomes(&bench.controller.take_effects()).is_empty());

    bench
        .controller
        .process_failed(1_001, second, Win32Error::FILE_NOT_FOUND);
    let (ticket, outcome) = outcomes(&bench.controller.take_effects())[0];
    assert_eq!(ticket, Ticket(2));
    assert_eq!(outcome.unwrap_err().error, Win32Error::FILE_NOT_FOUND);
    assert_eq!(bench.state(handle), State::Stopped);
}
