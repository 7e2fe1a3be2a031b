//! What the machine does by itself: automatic starts in the order of groups, the
//! end of all services, groups as dependencies, access lists.

mod bench;

use bench::{Bench, CLIENT, RUNNING, STOPPED, outcomes, record, report, sent, started, text};
use pinion_scm::{Client, Effect, HandleId, Message, ProcessId, Record, Sid, Ticket, Win32Error};
use windows_sys::Win32::System::Services::{
    SERVICE_ACCEPT_PRESHUTDOWN, SERVICE_ACCEPT_SHUTDOWN, SERVICE_ACCEPT_STOP, SERVICE_ALL_ACCESS,
    SERVICE_AUTO_START, SERVICE_CONTROL_PRESHUTDOWN, SERVICE_CONTROL_SHUTDOWN,
    SERVICE_CONTROL_STOP, SERVICE_DISABLED, SERVICE_KERNEL_DRIVER, SERVICE_QUERY_STATUS,
    SERVICE_START,
};

fn automatic(name: &str, group: &str) -> Record {
    let mut record = record(name);
    record.start_type = SERVICE_AUTO_START;
    record.group = text(group);
    record.own = true;
    record
}

fn names(effects: &[Effect]) -> Vec<String> {
    started(effects).into_iter().map(|(_, name)| name).collect()
}

/// Brings a process that was asked for to the status that it reports.
fn bring_up(bench: &mut Bench, now: u64, process: ProcessId, accepts: u32) -> HandleId {
    let pid = 1000 + process.0;
    bench.controller.process_started(process, pid);
    let connected = bench.controller.dispatcher_connected(now, Client(pid));
    assert_eq!(connected, Ok(process));
    let messages = sent(&bench.controller.take_effects());
    let Message::Start { status_handle, .. } = messages[0].2 else {
        panic!("no start was sent");
    };
    let mut running = report(RUNNING);
    running.controls_accepted = accepts;
    let controller = &mut bench.controller;
    controller.answered(now, process, messages[0].1, 0);
    controller
        .set_status(now, Client(pid), status_handle, &running)
        .unwrap();
    status_handle
}

fn stop(bench: &mut Bench, now: u64, process: ProcessId, status: HandleId) {
    let client = Client(1000 + process.0);
    bench
        .controller
        .set_status(now, client, status, &report(STOPPED))
        .unwrap();
    bench.controller.process_exited(now, process);
}

#[test]
fn groups_start_one_after_the_other_and_the_delayed_last() {
    let mut later = automatic("later", "");
    later.delayed_auto_start = true;
    let mut hosts = automatic("hosts", "first");
    hosts.own = false;
    let mut off = automatic("off", "first");
    off.start_type = SERVICE_DISABLED;
    let mut bench = Bench::new(vec![
        automatic("none", ""),
        automatic("b", "second"),
        automatic("a", "First"),
        automatic("other", "unlisted"),
        later,
        hosts,
        off,
    ]);
    let order = [text("first"), text("second")];
    bench.controller.start_automatic(0, &order, 5000);
    for expected in ["a", "b", "other", "none"] {
        let effects = bench.controller.take_effects();
        assert_eq!(names(&effects), [expected]);
        let (process, _) = started(&effects)[0].clone();
        bring_up(&mut bench, 10, process, SERVICE_ACCEPT_STOP);
    }
    assert_eq!(names(&bench.controller.take_effects()), [""; 0]);
    assert_eq!(bench.controller.next_deadline(), Some(5000));
    bench.controller.tick(5000);
    assert_eq!(names(&bench.controller.take_effects()), ["later"]);
}

#[test]
fn a_group_goes_on_when_one_of_it_fails_to_start() {
    let mut bench = Bench::new(vec![automatic("bad", "first"), automatic("good", "second")]);
    let order = [text("first"), text("second")];
    bench.controller.start_automatic(0, &order, 0);
    let (process, _) = started(&bench.controller.take_effects())[0].clone();
    bench
        .controller
        .process_failed(1, process, Win32Error::FILE_NOT_FOUND);
    assert_eq!(names(&bench.controller.take_effects()), ["good"]);
}

#[test]
fn one_of_a_group_must_run_before_who_needs_the_group() {
    let mut top = record("top");
    top.depend_on = vec![text("+base")];
    let in_group = |name: &str| {
        let mut member = record(name);
        member.group = text("Base");
        member
    };
    let mut bench = Bench::new(vec![top, in_group("one"), in_group("two")]);
    let top = bench.open("top");
    let start = |bench: &mut Bench, ticket| {
        bench
            .controller
            .start(0, CLIENT, top, Vec::new(), Ticket(ticket));
        bench.controller.take_effects()
    };
    let both = started(&start(&mut bench, 1));
    assert_eq!(both.len(), 2, "{both:?}");
    bench
        .controller
        .process_failed(1, both[0].0, Win32Error::FILE_NOT_FOUND);
    assert_eq!(names(&bench.controller.take_effects()), [""; 0]);
    bring_up(&mut bench, 2, both[1].0, SERVICE_ACCEPT_STOP);
    let effects = bench.controller.take_effects();
    assert_eq!(names(&effects), ["top"]);
    bench
        .controller
        .process_failed(3, started(&effects)[0].0, Win32Error::FILE_NOT_FOUND);
    // With none of the group left, it is the dependency that fails.
    bench.controller.process_exited(4, both[1].0);
    bench.controller.take_effects();
    for (process, _) in started(&start(&mut bench, 2)) {
        bench
            .controller
            .process_failed(5, process, Win32Error::FILE_NOT_FOUND);
    }
    let ends = outcomes(&bench.controller.take_effects());
    let error = ends[0].1.unwrap_err().error;
    assert_eq!(error, Win32Error::SERVICE_DEPENDENCY_FAIL);
}

#[test]
fn circles_through_a_group_are_refused() {
    let mut one = record("one");
    one.depend_on = vec![text("+ring")];
    let mut two = record("two");
    two.group = text("ring");
    two.depend_on = vec![text("one")];
    let mut bench = Bench::new(vec![one, two]);
    let handle = bench.open("one");
    bench
        .controller
        .start(0, CLIENT, handle, Vec::new(), Ticket(1));
    let ends = outcomes(&bench.controller.take_effects());
    let error = ends[0].1.unwrap_err().error;
    assert_eq!(error, Win32Error::CIRCULAR_DEPENDENCY);
}

#[test]
fn a_driver_is_not_loaded_and_the_hosts_are_there_for_who_needs_them() {
    let mut hosts = record("tcpip");
    hosts.service_type = SERVICE_KERNEL_DRIVER;
    let mut own = hosts.clone();
    (own.name, own.own) = (text("rootkit"), true);
    let mut needs = record("server");
    needs.depend_on = vec![text("tcpip")];
    let mut bench = Bench::new(vec![hosts, own, needs]);
    let (driver, server) = (bench.open("rootkit"), bench.open("server"));
    bench
        .controller
        .start(0, CLIENT, driver, Vec::new(), Ticket(1));
    let ends = outcomes(&bench.controller.take_effects());
    assert_eq!(ends[0].1.unwrap_err().error, Win32Error::DRIVER_BLOCKED);
    bench
        .controller
        .start(0, CLIENT, server, Vec::new(), Ticket(2));
    assert_eq!(names(&bench.controller.take_effects()), ["server"]);
}

#[test]
fn the_end_tells_first_those_who_want_to_know_beforehand() {
    let mut early = automatic("early", "");
    early.preshutdown_timeout = 3000;
    let mut bench = Bench::new(vec![
        early,
        automatic("plain", ""),
        automatic("told", ""),
        automatic("deaf", ""),
    ]);
    bench.controller.start_automatic(0, &[], 0);
    let all = started(&bench.controller.take_effects());
    let accepts = |name: &str| match name {
        "early" => SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_STOP,
        "told" => SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_STOP,
        "plain" => SERVICE_ACCEPT_STOP,
        _ => 0,
    };
    let statuses: Vec<_> = all
        .iter()
        .map(|(process, name)| {
            let status = bring_up(&mut bench, 1, *process, accepts(name));
            (name.as_str(), *process, status)
        })
        .collect();
    let of = |name: &str| *statuses.iter().find(|(n, ..)| *n == name).unwrap();
    bench.controller.take_effects();
    let controls = |effects: &[Effect]| -> Vec<(String, u32)> {
        let controls = sent(effects).into_iter().filter_map(|(_, _, m)| match m {
            Message::Control { service, control } => Some((service.to_string(), control)),
            _ => None,
        });
        controls.collect()
    };
    bench.controller.shut_down(100);
    let first = controls(&bench.controller.take_effects());
    assert_eq!(first, [("early".to_string(), SERVICE_CONTROL_PRESHUTDOWN)]);
    assert!(!bench.controller.is_shut_down());
    assert_eq!(bench.controller.next_deadline(), Some(3100));
    // It takes longer than it has said, and the others have their turn.
    bench.controller.tick(3100);
    let second = controls(&bench.controller.take_effects());
    let told = ("told".to_string(), SERVICE_CONTROL_SHUTDOWN);
    let plain = ("plain".to_string(), SERVICE_CONTROL_STOP);
    assert!(
        second.contains(&told) && second.contains(&plain),
        "{second:?}"
    );
    assert!(!second.iter().any(|(name, _)| name == "deaf"), "{second:?}");
    let handle = bench.open("early");
    for name in ["told", "plain", "early"] {
        let (_, process, status) = of(name);
        assert!(!bench.controller.is_shut_down(), "{name} is waited for");
        stop(&mut bench, 3200, process, status);
    }
    assert!(bench.controller.is_shut_down());
    bench
        .controller
        .start(3300, CLIENT, handle, Vec::new(), Ticket(9));
    let ends = outcomes(&bench.controller.take_effects());
    let error = ends[0].1.unwrap_err().error;
    assert_eq!(error, Win32Error::SHUTDOWN_IN_PROGRESS);
}

#[test]
fn an_access_list_is_kept_told_and_obeyed() {
    // Owner and group are not there; the list lets this SID ask for the status.
    let sid = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let mut descriptor = vec![
        1, 0, 0x04, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0,
    ];
    descriptor.extend([2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0]);
    descriptor.extend((SERVICE_QUERY_STATUS | 0x60000).to_le_bytes());
    descriptor.extend(sid);
    let mut bench = Bench::new(vec![record("kept")]);
    bench.controller.set_identity(vec![Sid(sid.into())]);
    let handle = bench.open("kept");
    let short = &descriptor[..30];
    let refused = bench.controller.set_security(CLIENT, handle, 4, short);
    assert_eq!(refused, Err(Win32Error::INVALID_SECURITY_DESCR));
    bench
        .controller
        .set_security(CLIENT, handle, 4, &descriptor)
        .unwrap();
    let told = bench.controller.security(CLIENT, handle, 7).unwrap();
    assert_eq!(told, descriptor);
    let mut open = |client: Client, rights: u32| {
        let manager = bench.controller.open_manager(client, None, 1).unwrap();
        let name = text("kept");
        bench
            .controller
            .open_service(client, manager, &name, rights)
    };
    assert!(open(CLIENT, SERVICE_QUERY_STATUS).is_ok());
    for rights in [SERVICE_START, SERVICE_ALL_ACCESS] {
        assert_eq!(open(CLIENT, rights), Err(Win32Error::ACCESS_DENIED));
    }
    assert!(open(Client::DRIVER, SERVICE_ALL_ACCESS).is_ok());
}
