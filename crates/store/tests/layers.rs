//! Snapshots, clones and resets as users of the store see them, on the build machine's file system.

use std::fs;

use pinion_store::diff::Became;
use pinion_store::{Entry, Error, Layer, MOST_LAYERS, NewVm, SnapshotEntry, Store, Vm, VmName};

struct World {
    _folder: tempfile::TempDir,
    store: Store,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    World {
        _folder: folder,
        store,
    }
}

fn name(text: &str) -> VmName {
    text.parse().unwrap()
}

impl World {
    fn vm(&self, name_text: &str) -> Vm {
        let new = NewVm {
            name: Some(name(name_text)),
            ..NewVm::default()
        };
        self.store.create(new).unwrap()
    }

    fn clone_of(&self, source: &str, to: &str) -> Result<Vm, Error> {
        self.store.create(NewVm {
            name: Some(name(to)),
            from: Some(self.store.source(source)?),
            ..NewVm::default()
        })
    }

    /// Writes a file as a program in the VM would.
    fn write(&self, vm: &str, file: &str) {
        let vm = self.store.load(&name(vm)).unwrap();
        vm.prepare_layers().unwrap();
        let drive = vm.upper().files().join("C");
        fs::create_dir_all(&drive).unwrap();
        fs::write(drive.join(file), file).unwrap();
    }

    /// The topmost layer that has the file.
    fn sees(&self, vm: &str, file: &str) -> bool {
        let stack = self.store.load(&name(vm)).unwrap().stack();
        stack
            .iter()
            .any(|layer| layer.files().join("C").join(file).exists())
    }

    fn layers(&self) -> usize {
        self.store.layer_folders().len()
    }

    fn suspects(&self) -> usize {
        fs::read_dir(self.store.root().join("suspects")).map_or(0, Iterator::count)
    }
}

#[test]
fn a_snapshot_keeps_what_was_and_the_vm_goes_on() {
    let world = world();
    world.vm("web");
    world.write("web", "one");
    let snapshot = world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    assert_eq!(snapshot.stack().len(), 1);
    world.write("web", "two");
    world.clone_of("base", "copy").unwrap();
    assert!(world.sees("web", "one") && world.sees("web", "two"));
    assert!(world.sees("copy", "one") && !world.sees("copy", "two"));
    world.write("copy", "three");
    assert!(!world.sees("web", "three"));
    // Nothing was changed since: no layer more.
    let again = world.store.take_snapshot(&name("copy"), name("a")).unwrap();
    let empty = world.store.take_snapshot(&name("copy"), name("b")).unwrap();
    assert_eq!(again.stack(), empty.stack());
    assert_eq!(world.layers(), 3);
}

#[test]
fn a_clone_of_a_vm_has_what_the_vm_has_now() {
    let world = world();
    world.vm("web");
    let bare = world.clone_of("web", "bare").unwrap();
    assert!(bare.record().layers.is_empty());
    world.write("web", "one");
    world.clone_of("web", "copy").unwrap();
    world.write("web", "two");
    assert!(world.sees("copy", "one") && !world.sees("copy", "two"));
    assert!(world.sees("web", "one"));
    world.store.remove(&name("web")).unwrap();
    assert!(world.sees("copy", "one"));
    world.store.remove(&name("copy")).unwrap();
    assert_eq!((world.layers(), world.suspects()), (0, 0));
}

#[test]
fn layers_of_the_former_format_go_on_as_they_are() {
    let world = world();
    let vm = world.vm("web");
    let (folder, id) = (vm.upper().folder().to_owned(), vm.upper().id());
    fs::create_dir_all(folder.join("files")).unwrap();
    let record = format!(r#"{{"format": 1, "id": "{id}"}}"#);
    fs::write(folder.join("layer.json"), &record).unwrap();
    assert!(vm.upper().is_empty().unwrap());
    world.write("web", "one");
    assert!(folder.join("files/C/one").is_file());
    assert_eq!(vm.changed_files(), 1);
    world.clone_of("web", "copy").unwrap();
    world.write("copy", "two");
    assert!(world.sees("copy", "one") && !world.sees("web", "two"));
    let copy = world.store.load(&name("copy")).unwrap();
    copy.check_layers().unwrap();
    assert!(copy.upper().folder().join("C/two").is_file());
    assert_eq!(copy.changed_files(), 1);
    let kept = fs::read_to_string(folder.join("layer.json")).unwrap();
    assert_eq!(kept, record);
    // Without its drives it is damaged, not empty.
    fs::remove_dir_all(folder.join("files")).unwrap();
    let error = copy.check_layers().unwrap_err();
    assert!(error.to_string().contains("files"), "{error}");
}

#[test]
fn a_running_vm_is_neither_cloned_nor_snapshotted_nor_reset() {
    let world = world();
    let vm = world.vm("web");
    world.write("web", "one");
    let _run = vm.lock_run().unwrap();
    let at_rest = |error| assert!(matches!(error, Error::NotAtRest { .. }), "{error}");
    at_rest(
        world
            .store
            .take_snapshot(&name("web"), name("s"))
            .unwrap_err(),
    );
    at_rest(world.clone_of("web", "copy").unwrap_err());
    at_rest(world.store.reset(&name("web")).unwrap_err());
    assert!(world.sees("web", "one"));
    assert_eq!(world.store.list().unwrap().len(), 1);
}

#[test]
fn names_mean_one_thing() {
    let world = world();
    world.vm("web");
    let taken = world
        .store
        .take_snapshot(&name("web"), name("web"))
        .unwrap_err();
    assert!(matches!(taken, Error::NameTaken { .. }));
    world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    let taken = world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap_err();
    assert!(matches!(taken, Error::SnapshotTaken { .. }));
    let taken = world.clone_of("web", "base").unwrap_err();
    assert!(matches!(taken, Error::SnapshotTaken { .. }));
    assert!(matches!(
        world.store.source("no").unwrap_err(),
        Error::NoSuchSource { .. }
    ));
}

#[test]
fn a_snapshot_in_use_is_kept_and_its_layers_outlive_its_name() {
    let world = world();
    world.vm("web");
    world.write("web", "one");
    world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    world.store.remove(&name("web")).unwrap();
    world.clone_of("base", "copy").unwrap();
    let used = world
        .store
        .remove_snapshot(&name("base"), false)
        .unwrap_err();
    assert!(matches!(used, Error::SnapshotInUse { .. }), "{used}");
    world.store.remove_snapshot(&name("base"), true).unwrap();
    assert!(world.sees("copy", "one"));
    world.store.remove(&name("copy")).unwrap();
    assert_eq!(world.layers(), 0);
}

#[test]
fn a_reset_leaves_what_the_vm_was_made_from_and_what_others_have() {
    let world = world();
    world.vm("web");
    world.write("web", "one");
    world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    world.write("web", "two");
    world.store.reset(&name("web")).unwrap();
    assert!(!world.sees("web", "one") && !world.sees("web", "two"));
    assert_eq!((world.layers(), world.suspects()), (1, 0));
    world.clone_of("base", "copy").unwrap();
    world.write("copy", "three");
    world.clone_of("copy", "second").unwrap();
    world.store.reset(&name("copy")).unwrap();
    assert!(world.sees("copy", "one") && !world.sees("copy", "three"));
    assert!(world.sees("second", "three"));
}

#[test]
fn the_stack_is_never_too_deep() {
    let world = world();
    world.vm("web");
    for n in 0..MOST_LAYERS {
        world.write("web", &n.to_string());
        world
            .store
            .take_snapshot(&name("web"), name(&format!("s{n}")))
            .unwrap();
    }
    world.write("web", "more");
    let deep = world
        .store
        .take_snapshot(&name("web"), name("more"))
        .unwrap_err();
    assert!(matches!(deep, Error::TooDeep { .. }), "{deep}");
    assert!(world.sees("web", "more") && world.sees("web", "0"));
    let last = name(&format!("s{}", MOST_LAYERS - 1));
    assert_eq!(
        world.clone_of(last.as_str(), "copy").unwrap().stack().len(),
        MOST_LAYERS + 1
    );
}

#[test]
fn a_missing_layer_is_told_before_anything_is_made() {
    let world = world();
    world.vm("web");
    world.write("web", "one");
    let snapshot = world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    fs::remove_dir_all(snapshot.stack()[0].folder()).unwrap();
    let error = world.clone_of("base", "copy").unwrap_err();
    assert!(matches!(error, Error::DamagedLayer { .. }), "{error}");
    assert!(matches!(&world.store.list().unwrap()[..], [Entry::Vm(_)]));
}

#[test]
fn while_a_record_is_damaged_no_layer_is_taken_away() {
    let world = world();
    world.vm("web");
    world.write("web", "one");
    world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    world
        .store
        .take_snapshot(&name("web"), name("hurt"))
        .unwrap();
    world.store.remove(&name("web")).unwrap();
    let path = world.store.root().join("snapshots/hurt.json");
    let good = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    assert!(matches!(
        &world.store.snapshots().unwrap()[1],
        SnapshotEntry::Damaged { .. }
    ));
    world.store.remove_snapshot(&name("base"), false).unwrap();
    assert_eq!((world.layers(), world.suspects()), (1, 1));
    fs::write(&path, good).unwrap();
    world.store.sweep();
    assert_eq!((world.layers(), world.suspects()), (1, 0));
    world.store.remove_snapshot(&name("hurt"), false).unwrap();
    assert_eq!(world.layers(), 0);
}

#[test]
fn what_a_broken_off_removal_left_is_taken_away() {
    let world = world();
    world.vm("web");
    world.write("web", "one");
    let root = world.store.root();
    let upper: Layer = world.store.load(&name("web")).unwrap().upper();
    // As after a kill right after the VM's folder was renamed.
    fs::rename(root.join("vms/web"), root.join("vms/.gone-web-1")).unwrap();
    world.store.sweep();
    assert!(!upper.folder().exists());
    assert_eq!(fs::read_dir(root.join("vms")).unwrap().count(), 0);
    // As after a kill right before a record was to let a layer go.
    world.vm("web");
    world.write("web", "one");
    let id = world.store.load(&name("web")).unwrap().upper().id();
    fs::create_dir_all(root.join("suspects")).unwrap();
    fs::write(root.join("suspects").join(id.to_string()), "").unwrap();
    world.store.sweep();
    assert!(world.sees("web", "one"));
    assert_eq!(world.suspects(), 0);
}

#[test]
fn an_update_does_not_bring_back_what_was_reset() {
    let world = world();
    let mut stale = world.vm("web");
    world.write("web", "one");
    world.store.reset(&name("web")).unwrap();
    stale
        .update(|record| record.limits.processes = Some(3))
        .unwrap();
    assert!(!world.sees("web", "one"));
}

#[test]
fn a_diff_goes_by_content_and_by_what_the_vm_was_made_from() {
    let world = world();
    world.vm("web");
    world.write("web", "same");
    world.write("web", "other");
    world.write("web", "gone");
    world
        .store
        .take_snapshot(&name("web"), name("base"))
        .unwrap();
    world.clone_of("base", "copy").unwrap();
    world.write("copy", "same");
    world.write("copy", "new");
    let vm = world.store.load(&name("copy")).unwrap();
    let drive = vm.upper().files().join("C");
    fs::write(drive.join("other"), "0ther").unwrap();
    fs::write(drive.join(".wh.gone"), "").unwrap();
    fs::write(drive.join(".wh.never"), "").unwrap();
    // What is frozen by a clone is the VM's change all the same.
    world.clone_of("copy", "second").unwrap();
    let vm = world.store.load(&name("copy")).unwrap();
    let told: Vec<_> = pinion_store::diff::files(&vm, false)
        .unwrap()
        .map(Result::unwrap)
        .map(|file| (file.became, file.path[1].to_str().unwrap().to_owned()))
        .collect();
    let expected = [
        (Became::Deleted, "gone"),
        (Became::Added, "new"),
        (Became::Changed, "other"),
    ];
    assert_eq!(
        told,
        expected.map(|(became, name)| (became, name.to_owned()))
    );
    let second = world.store.load(&name("second")).unwrap();
    assert_eq!(
        pinion_store::diff::files(&second, false).unwrap().count(),
        0
    );
}
