//! Thousands of clones of one snapshot: each is made and removed without a look at the others.

use std::collections::HashSet;
use std::fs;

use pinion_store::{Entry, NewVm, Store, VmName};

/// How many clones there are.
const CLONES: usize = 2_000;

fn name(text: &str) -> VmName {
    text.parse().unwrap()
}

fn entries(store: &Store, folder: &str) -> usize {
    fs::read_dir(store.root().join(folder)).map_or(0, Iterator::count)
}

#[test]
fn thousands_of_clones_of_one_snapshot_come_and_go_without_a_look_at_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let new = NewVm {
        name: Some(name("first")),
        ..NewVm::default()
    };
    let first = store.create(new).unwrap();
    first.prepare_layers().unwrap();
    let drive = first.upper().files().join("C");
    fs::create_dir_all(&drive).unwrap();
    fs::write(drive.join("base"), "base").unwrap();
    store.take_snapshot(first.name(), name("base")).unwrap();
    // A VM whose record cannot be read: who looks at all VMs meets it, and can decide nothing.
    let odd = NewVm {
        name: Some(name("odd")),
        ..NewVm::default()
    };
    let odd = store.create(odd).unwrap();
    fs::write(odd.folder().join("vm.json"), "{").unwrap();
    let source = || Some(store.source("base").unwrap());
    let names: Vec<VmName> = (0..CLONES)
        .map(|_| {
            let new = NewVm {
                from: source(),
                ..NewVm::default()
            };
            let vm = store.create(new).unwrap();
            assert_eq!(vm.lower().len(), 1);
            vm.name().clone()
        })
        .collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), CLONES);
    let listed = store.list().unwrap();
    let sound = listed.iter().filter(|entry| matches!(entry, Entry::Vm(_)));
    assert_eq!((listed.len(), sound.count()), (CLONES + 2, CLONES + 1));
    // Nothing but the layer of the snapshot, whatever their number.
    assert_eq!(store.layer_folders().len(), 1);
    let upper = store.load(&names[0]).unwrap();
    upper.prepare_layers().unwrap();
    assert_eq!(store.layer_folders().len(), 2);
    // What another command left: looked for once for each command, not for each removal.
    let left = store.root().join("vms").join(".gone-other");
    fs::create_dir(&left).unwrap();
    for name in &names {
        store.remove(name).unwrap();
        assert_eq!(
            entries(&store, "suspects"),
            0,
            "what each had is known at once"
        );
    }
    assert!(left.exists());
    store.sweep();
    assert!(!left.exists());
    assert_eq!(store.layer_folders().len(), 1);
    assert_eq!(entries(&store, "addresses"), 2);
    assert!(
        store.load(&name("first")).unwrap().lower()[0]
            .check()
            .is_ok()
    );
}
