//! Services opened, made, changed, listed and deleted, as a client sees it.

mod bench;

use bench::{Bench, CLIENT, SERVICE, outcomes, record, started, text};
use pinion_scm::{Change, Effect, Filter, Record, Ticket, Win32Error};
use windows_sys::Win32::System::Services::{
    SC_MANAGER_CONNECT, SERVICE_ALL_ACCESS, SERVICE_DISABLED, SERVICE_QUERY_STATUS,
    SERVICE_STATE_ALL, SERVICE_WIN32,
};

#[test]
fn opening_checks_names_and_handles() {
    let mut bench = Bench::new(vec![record("worker")]);
    let manager = bench.manager;
    let open = |bench: &mut Bench, client, handle, name: &str| {
        bench
            .controller
            .open_service(client, handle, &text(name), SERVICE_QUERY_STATUS)
    };
    assert_eq!(
        open(&mut bench, CLIENT, manager, "none"),
        Err(Win32Error::SERVICE_DOES_NOT_EXIST)
    );
    assert_eq!(
        open(&mut bench, CLIENT, manager, "a/b"),
        Err(Win32Error::INVALID_NAME)
    );
    assert_eq!(
        open(&mut bench, SERVICE, manager, "worker"),
        Err(Win32Error::INVALID_HANDLE)
    );
    let service = open(&mut bench, CLIENT, manager, "worker").unwrap();
    assert_eq!(
        open(&mut bench, CLIENT, service, "worker"),
        Err(Win32Error::INVALID_HANDLE)
    );
    assert_eq!(
        bench.controller.delete(CLIENT, service),
        Err(Win32Error::ACCESS_DENIED)
    );
    let database = text("ServicesFailed");
    assert_eq!(
        bench
            .controller
            .open_manager(CLIENT, Some(&database), SC_MANAGER_CONNECT),
        Err(Win32Error::DATABASE_DOES_NOT_EXIST)
    );
}

#[test]
fn services_are_made_and_deleted() {
    let mut bench = Bench::new(vec![record("other")]);
    let manager = bench.manager;
    let create = |bench: &mut Bench, record: Record| {
        bench
            .controller
            .create(CLIENT, manager, record, SERVICE_ALL_ACCESS)
    };
    assert_eq!(
        create(&mut bench, record("OTHER")),
        Err(Win32Error::SERVICE_EXISTS)
    );
    let mut clash = record("new");
    clash.display_name = text("Other");
    assert_eq!(
        create(&mut bench, clash),
        Err(Win32Error::DUPLICATE_SERVICE_NAME)
    );

    let handle = create(&mut bench, record("new")).unwrap();
    assert!(
        matches!(&bench.controller.take_effects()[..], [Effect::WriteConfig(r)] if r.name == text("new"))
    );
    let second = bench.open("new");
    bench.controller.delete(CLIENT, handle).unwrap();
    assert_eq!(
        bench.controller.delete(CLIENT, handle),
        Err(Win32Error::SERVICE_MARKED_FOR_DELETE)
    );
    assert_eq!(
        create(&mut bench, record("new")),
        Err(Win32Error::SERVICE_MARKED_FOR_DELETE)
    );
    bench
        .controller
        .start(0, CLIENT, second, Vec::new(), Ticket(1));
    let error = outcomes(&bench.controller.take_effects())[0]
        .1
        .unwrap_err()
        .error;
    assert_eq!(error, Win32Error::SERVICE_MARKED_FOR_DELETE);

    bench.controller.close(CLIENT, handle).unwrap();
    assert!(bench.controller.take_effects().is_empty());
    bench.controller.client_gone(CLIENT);
    assert_eq!(
        bench.controller.take_effects(),
        [Effect::DeleteConfig(text("new"))]
    );
    assert!(bench.controller.find(&text("new")).is_none());
}

#[test]
fn changes_reach_the_registry() {
    let mut bench = Bench::new(vec![record("worker")]);
    let handle = bench.open("worker");
    let change = Change {
        start_type: Some(SERVICE_DISABLED),
        ..Change::default()
    };
    bench.controller.change(0, CLIENT, handle, change).unwrap();
    assert!(
        matches!(&bench.controller.take_effects()[..], [Effect::WriteConfig(r)] if r.start_type == SERVICE_DISABLED)
    );
    bench
        .controller
        .start(0, CLIENT, handle, Vec::new(), Ticket(1));
    let error = outcomes(&bench.controller.take_effects())[0]
        .1
        .unwrap_err()
        .error;
    assert_eq!(error, Win32Error::SERVICE_DISABLED);
    let change = Change {
        service_type: Some(1),
        ..Change::default()
    };
    assert_eq!(
        bench.controller.change(0, CLIENT, handle, change),
        Err(Win32Error::INVALID_PARAMETER)
    );
}

#[test]
fn a_lock_is_one_clients_and_holds_back_nothing() {
    let mut bench = Bench::new(vec![record("worker")]);
    let manager = bench.manager;
    let handle = bench.open("worker");
    assert_eq!(bench.controller.is_locked(CLIENT, manager), Ok(false));
    let lock = bench.controller.lock(CLIENT, manager).unwrap();
    assert_eq!(
        bench.controller.lock(CLIENT, manager),
        Err(Win32Error::SERVICE_DATABASE_LOCKED)
    );
    assert_eq!(bench.controller.is_locked(CLIENT, manager), Ok(true));
    bench
        .controller
        .start(0, CLIENT, handle, Vec::new(), Ticket(1));
    assert_eq!(started(&bench.controller.take_effects()).len(), 1);
    bench.controller.close(CLIENT, lock).unwrap();
    assert_eq!(bench.controller.is_locked(CLIENT, manager), Ok(false));
}

#[test]
fn lists_go_on_where_they_ended() {
    let mut bench = Bench::new(vec![record("a"), record("b"), record("c")]);
    let filter = Filter {
        types: SERVICE_WIN32,
        states: SERVICE_STATE_ALL,
        group: None,
    };
    let all: Vec<_> = bench
        .controller
        .list(CLIENT, bench.manager, &filter, None)
        .unwrap()
        .map(|l| (l.id, l.record.name.to_string()))
        .collect();
    assert_eq!(
        all.iter().map(|(_, n)| n.as_str()).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    let rest = bench
        .controller
        .list(CLIENT, bench.manager, &filter, Some(all[0].0))
        .unwrap();
    assert_eq!(rest.count(), 2);
    let handle = bench.open("b");
    bench.run(handle, 200);
    let active = Filter {
        states: 1,
        ..filter.clone()
    };
    assert_eq!(
        bench
            .controller
            .list(CLIENT, bench.manager, &active, None)
            .unwrap()
            .count(),
        1
    );
    let wrong = Filter {
        states: 0,
        ..filter
    };
    assert!(
        bench
            .controller
            .list(CLIENT, bench.manager, &wrong, None)
            .is_err()
    );
}
