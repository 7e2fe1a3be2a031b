//! What clients are told who asked for it: `NotifyServiceStatusChange`.

mod bench;

use bench::{Bench, CLIENT, RUNNING, SERVICE, record, report, text};
use pinion_scm::{Client, Notice, State, Win32Error};
use windows_sys::Win32::System::Services::{
    SC_MANAGER_CONNECT, SERVICE_ALL_ACCESS, SERVICE_NOTIFY_CREATED, SERVICE_NOTIFY_DELETE_PENDING,
    SERVICE_NOTIFY_DELETED, SERVICE_NOTIFY_RUNNING, SERVICE_NOTIFY_STOPPED, SERVICE_STOP,
};

const BOTH: u32 = SERVICE_NOTIFY_STOPPED | SERVICE_NOTIFY_RUNNING;

fn triggered(notice: pinion_scm::Result<Option<Notice>>) -> Option<u32> {
    notice.expect("a request").map(|notice| notice.triggered)
}

#[test]
fn the_present_state_is_told_once_and_each_change_once() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("worker");
    let first = bench.controller.notify(CLIENT, handle, BOTH).unwrap();
    let told = bench.controller.take_notice(CLIENT, handle, first);
    let told = told.unwrap().expect("it has stopped");
    assert_eq!(told.triggered, SERVICE_NOTIFY_STOPPED);
    assert_eq!(told.status.map(|status| status.state), Some(State::Stopped));
    assert_eq!(
        bench.controller.take_notice(CLIENT, handle, first),
        Err(Win32Error::REQUEST_ABORTED),
        "once"
    );

    let second = bench.controller.notify(CLIENT, handle, BOTH).unwrap();
    assert_eq!(
        bench.controller.notify(CLIENT, handle, BOTH),
        Err(Win32Error::ALREADY_REGISTERED)
    );
    let take =
        |bench: &mut Bench, number| triggered(bench.controller.take_notice(CLIENT, handle, number));
    assert_eq!(take(&mut bench, second), None, "the state was told");
    let (_, status) = bench.run(handle, 200);
    assert_eq!(take(&mut bench, second), Some(SERVICE_NOTIFY_RUNNING));
    let third = bench.controller.notify(CLIENT, handle, BOTH).unwrap();
    let again = report(RUNNING);
    bench
        .controller
        .set_status(1, SERVICE, status, &again)
        .unwrap();
    assert_eq!(take(&mut bench, third), None, "no change");
}

#[test]
fn two_handles_hear_each_for_itself_and_a_closed_one_nothing() {
    let mut bench = Bench::new(vec![record("worker")]);
    let (one, other) = (bench.open("worker"), bench.open("worker"));
    let first = bench
        .controller
        .notify(CLIENT, one, SERVICE_NOTIFY_RUNNING)
        .unwrap();
    let second = bench
        .controller
        .notify(CLIENT, other, SERVICE_NOTIFY_RUNNING)
        .unwrap();
    let stranger = bench.controller.take_notice(Client(7), one, first);
    assert_eq!(stranger, Err(Win32Error::REQUEST_ABORTED));
    bench.controller.close(CLIENT, other).unwrap();
    bench.run(one, 200);
    let told = bench.controller.take_notice(CLIENT, one, first);
    assert_eq!(triggered(told), Some(SERVICE_NOTIFY_RUNNING));
    assert_eq!(
        bench.controller.take_notice(CLIENT, other, second),
        Err(Win32Error::REQUEST_ABORTED)
    );
}

#[test]
fn a_deletion_is_told_to_who_asked_and_ends_the_other_requests() {
    let mut bench = Bench::new(vec![record("worker")]);
    let (one, other) = (bench.open("worker"), bench.open("worker"));
    let asked = SERVICE_NOTIFY_DELETE_PENDING | SERVICE_NOTIFY_RUNNING;
    let first = bench.controller.notify(CLIENT, one, asked).unwrap();
    let second = bench
        .controller
        .notify(CLIENT, other, SERVICE_NOTIFY_RUNNING)
        .unwrap();
    bench.controller.delete(CLIENT, one).unwrap();
    let told = bench.controller.take_notice(CLIENT, one, first);
    assert_eq!(triggered(told), Some(SERVICE_NOTIFY_DELETE_PENDING));
    let told = bench.controller.take_notice(CLIENT, other, second).unwrap();
    let error = told.and_then(|notice| notice.error);
    assert_eq!(error, Some(Win32Error::SERVICE_MARKED_FOR_DELETE));
    assert_eq!(
        bench.controller.notify(CLIENT, one, asked),
        Err(Win32Error::SERVICE_MARKED_FOR_DELETE)
    );
}

#[test]
fn the_manager_tells_of_services_made_and_deleted_since_the_first_request() {
    let mut bench = Bench::new(vec![record("worker")]);
    let manager = bench.manager;
    let asked = SERVICE_NOTIFY_CREATED | SERVICE_NOTIFY_DELETED;
    let first = bench.controller.notify(CLIENT, manager, asked).unwrap();
    let create = |bench: &mut Bench, name: &str| {
        let made = bench
            .controller
            .create(CLIENT, manager, record(name), SERVICE_ALL_ACCESS);
        made.unwrap()
    };
    let made = create(&mut bench, "second");
    let told = bench
        .controller
        .take_notice(CLIENT, manager, first)
        .unwrap();
    let told = told.expect("one was made");
    assert_eq!(
        (told.triggered, told.names),
        (SERVICE_NOTIFY_CREATED, vec![text("/second")])
    );
    // What happens between two requests is kept.
    bench.controller.delete(CLIENT, made).unwrap();
    bench.controller.close(CLIENT, made).unwrap();
    let second = bench.controller.notify(CLIENT, manager, asked).unwrap();
    let told = bench
        .controller
        .take_notice(CLIENT, manager, second)
        .unwrap();
    let told = told.expect("one was deleted");
    assert_eq!(
        (told.triggered, told.names),
        (SERVICE_NOTIFY_DELETED, vec![text("second")])
    );
    // A client that does not ask falls behind, and is told so.
    for count in 0..=pinion_scm::MAX_NAMES {
        create(&mut bench, &format!("more{count}"));
    }
    assert_eq!(
        bench.controller.notify(CLIENT, manager, asked),
        Err(Win32Error::SERVICE_NOTIFY_CLIENT_LAGGING)
    );
}

#[test]
fn rights_and_masks_are_looked_at() {
    let mut bench = Bench::new(vec![record("worker")]);
    let manager = bench
        .controller
        .open_manager(CLIENT, None, SC_MANAGER_CONNECT)
        .unwrap();
    let name = text("worker");
    let service = bench
        .controller
        .open_service(CLIENT, manager, &name, SERVICE_STOP)
        .unwrap();
    let mut notify = |handle, mask| bench.controller.notify(CLIENT, handle, mask);
    assert_eq!(notify(service, BOTH), Err(Win32Error::ACCESS_DENIED));
    assert_eq!(
        notify(manager, SERVICE_NOTIFY_CREATED),
        Err(Win32Error::ACCESS_DENIED)
    );
    let service = bench.open("worker");
    let mut notify = |handle, mask| bench.controller.notify(CLIENT, handle, mask);
    assert_eq!(notify(service, 0), Err(Win32Error::INVALID_PARAMETER));
    assert_eq!(
        notify(service, SERVICE_NOTIFY_CREATED),
        Err(Win32Error::INVALID_PARAMETER)
    );
}
