//! The store as its users see it, on the build machine's file system.

use std::collections::HashSet;
use std::fs;

use pinion_store::{Entry, Error, ExitRecord, NewVm, Store, VmName, exit_code};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn new(name: &str) -> NewVm {
    NewVm {
        name: Some(name.parse().unwrap()),
        command: vec!["x.exe".into()],
        ..NewVm::default()
    }
}

fn name(text: &str) -> VmName {
    text.parse().unwrap()
}

#[test]
fn create_load_find_remove() {
    let (_folder, store) = store();
    let vm = store.create(new("Web")).unwrap();
    assert_eq!(vm.name().as_str(), "web");
    assert!(vm.supervisor_log().parent().unwrap().is_dir());
    vm.prepare_layers().unwrap();
    assert!(vm.upper().files().is_dir() && vm.upper().is_empty().unwrap());
    assert_eq!(store.load(&name("web")).unwrap().record(), vm.record());
    let id = vm.id().to_string();
    assert_eq!(store.find(&id[..12]).unwrap().id(), vm.id());
    assert_eq!(store.find("WEB").unwrap().id(), vm.id());
    store.remove(&name("web")).unwrap();
    let error = store.load(&name("web")).unwrap_err();
    assert_eq!(error.exit_code(), exit_code::NO_SUCH_VM);
    assert_eq!(fs::read_dir(store.root().join("vms")).unwrap().count(), 0);
}

#[test]
fn a_taken_name_leaves_the_first_alone() {
    let (_folder, store) = store();
    let first = store.create(new("web")).unwrap();
    let error = store.create(new("web")).unwrap_err();
    assert!(matches!(error, Error::NameTaken { .. }));
    assert_eq!(store.load(&name("web")).unwrap().id(), first.id());
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn names_and_addresses_are_made_up_apart() {
    let (_folder, store) = store();
    let vms: Vec<_> = (0..40)
        .map(|_| store.create(NewVm::default()).unwrap())
        .collect();
    let names: HashSet<_> = vms.iter().map(|vm| vm.name().clone()).collect();
    let addresses: HashSet<_> = vms.iter().map(|vm| vm.record().address).collect();
    assert_eq!((names.len(), addresses.len()), (40, 40));
}

#[test]
fn a_damaged_record_is_told_listed_and_removable() {
    let (_folder, store) = store();
    let vm = store.create(new("web")).unwrap();
    store.create(new("other")).unwrap();
    let path = vm.folder().join("vm.json");
    for text in [
        "",
        "{",
        "[]",
        "{\"format\": 0}",
        "{\"format\": 2}",
        "{\"format\": 1}",
        "\u{0}\u{0}",
    ] {
        fs::write(&path, text).unwrap();
        let error = store.load(&name("web")).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{text:?}: {error}");
        assert!(error.to_string().contains("vm.json"));
        assert_eq!(error.exit_code(), exit_code::DAMAGED);
    }
    let list = store.list().unwrap();
    assert!(matches!(&list[0], Entry::Vm(vm) if vm.name().as_str() == "other"));
    assert!(matches!(&list[1], Entry::Damaged { name, .. } if name.as_str() == "web"));
    store.remove(&name("web")).unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn a_newer_record_is_not_touched() {
    let (_folder, store) = store();
    let vm = store.create(new("web")).unwrap();
    fs::write(vm.folder().join("vm.json"), "{\"format\": 3}").unwrap();
    let error = store.load(&name("web")).unwrap_err();
    assert!(matches!(error, Error::NewerFormat { found: 3, .. }));
}

#[test]
fn a_running_vm_is_neither_started_again_nor_removed() {
    let (_folder, store) = store();
    let vm = store.create(new("web")).unwrap();
    assert!(!vm.is_running().unwrap());
    let lock = vm.lock_run().unwrap();
    assert!(vm.is_running().unwrap());
    assert!(matches!(vm.lock_run().unwrap_err(), Error::Running { .. }));
    let error = store.remove(&name("web")).unwrap_err();
    assert_eq!(error.exit_code(), exit_code::CONFLICT);
    drop(lock);
    store.remove(&name("web")).unwrap();
}

#[test]
fn exit_and_update_are_kept() {
    let (_folder, store) = store();
    let mut vm = store.create(new("web")).unwrap();
    assert_eq!(vm.last_exit().unwrap(), None);
    let exit = ExitRecord {
        code: -1,
        ended_ms: 5,
        why: "the program ended".into(),
    };
    vm.set_last_exit(Some(&exit)).unwrap();
    assert_eq!(vm.last_exit().unwrap(), Some(exit));
    vm.set_last_exit(None).unwrap();
    vm.set_last_exit(None).unwrap();
    assert_eq!(vm.last_exit().unwrap(), None);
    vm.update(|record| record.limits.processes = Some(5))
        .unwrap();
    assert_eq!(
        store.load(&name("web")).unwrap().record().limits.processes,
        Some(5)
    );
}

#[test]
fn sweep_takes_only_what_is_half_made_or_half_gone() {
    let (_folder, store) = store();
    store.create(new("web")).unwrap();
    let vms = store.root().join("vms");
    fs::create_dir(vms.join(".new-x")).unwrap();
    fs::create_dir(vms.join(".gone-y")).unwrap();
    fs::write(vms.join(".gone-y").join("file"), "x").unwrap();
    let exit = ExitRecord {
        code: 137,
        ended_ms: 0,
        why: "the supervisor was killed".into(),
    };
    let passing = |name| {
        store
            .create(NewVm {
                remove_at_end: true,
                ..new(name)
            })
            .unwrap()
    };
    let killed = passing("killed");
    killed.set_last_exit(Some(&exit)).unwrap();
    let running = passing("running");
    running.set_last_exit(Some(&exit)).unwrap();
    let _lock = running.lock_run().unwrap();
    passing("starting");
    store.sweep();
    let names: Vec<_> = store
        .list()
        .unwrap()
        .iter()
        .map(|e| e.name().to_string())
        .collect();
    assert_eq!(names, ["running", "starting", "web"]);
    assert_eq!(fs::read_dir(vms).unwrap().count(), 3);
}
