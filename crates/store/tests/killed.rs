//! A process that changes the store is killed at a random moment, again and again. Whatever it had been
//! told was done is there, what it was about to do is done or not, and nothing half made is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pinion_store::{Layer, NewVm, Store, VmName};

/// Where the process that is killed works; only it has the variable.
const ROOT: &str = "PINION_TEST_KILLED_ROOT";
const SEED: &str = "PINION_TEST_KILLED_SEED";

type Files = BTreeSet<String>;

/// What the store must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    /// The files that each VM sees, and those that it was made with.
    vms: BTreeMap<String, (Files, Files)>,
    snapshots: BTreeMap<String, Files>,
}

impl Model {
    /// The store after `operation`, if it succeeds.
    fn after(&self, operation: &str) -> Self {
        let mut new = self.clone();
        let words: Vec<&str> = operation.split(' ').collect();
        match words[..] {
            ["create", vm] => drop(new.vms.insert(vm.into(), Default::default())),
            ["write", vm, file] => {
                if let Some((files, _)) = new.vms.get_mut(vm) {
                    files.insert(file.into());
                }
            }
            ["snapshot", vm, name] => {
                let files = self.vms.get(vm).map(|(files, _)| files.clone());
                new.snapshots
                    .extend(files.map(|files| (name.into(), files)));
            }
            ["clone", from, vm] => {
                let of_vm = self.vms.get(from).map(|(files, _)| files);
                let files = of_vm.or(self.snapshots.get(from)).cloned();
                new.vms
                    .extend(files.map(|files| (vm.into(), (files.clone(), files))));
            }
            ["reset", vm] => {
                if let Some((files, base)) = new.vms.get_mut(vm) {
                    files.clone_from(base);
                }
            }
            ["rm", vm] => drop(new.vms.remove(vm)),
            ["forget", name] => drop(new.snapshots.remove(name)),
            _ => panic!("{operation}"),
        }
        new
    }
}

fn name(text: &str) -> VmName {
    text.parse().unwrap()
}

fn carry_out(store: &Store, operation: &str) -> Result<(), pinion_store::Error> {
    let words: Vec<&str> = operation.split(' ').collect();
    let new = |vm: &str| NewVm {
        name: Some(name(vm)),
        ..NewVm::default()
    };
    match words[..] {
        ["create", vm] => store.create(new(vm)).map(drop),
        ["write", vm, file] => {
            let vm = store.load(&name(vm))?;
            vm.prepare_layers()?;
            fs::create_dir_all(vm.upper().files().join("C")).unwrap();
            fs::write(vm.upper().files().join("C").join(file), "").unwrap();
            Ok(())
        }
        ["snapshot", vm, to] => store.take_snapshot(&name(vm), name(to)).map(drop),
        ["clone", from, vm] => {
            let from = Some(store.source(from)?);
            store.create(NewVm { from, ..new(vm) }).map(drop)
        }
        ["reset", vm] => store.reset(&name(vm)),
        ["rm", vm] => store.remove(&name(vm)),
        ["forget", snapshot] => store.remove_snapshot(&name(snapshot), true),
        _ => panic!("{operation}"),
    }
}

/// Any numbers, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn operation(numbers: &mut Numbers, count: u64) -> String {
    let vm = |numbers: &mut Numbers| format!("v{}", numbers.below(3));
    let snapshot = |numbers: &mut Numbers| format!("s{}", numbers.below(3));
    let (a, b, s) = (vm(numbers), vm(numbers), snapshot(numbers));
    match numbers.below(10) {
        _ if count < 3 => format!("create v{count}"),
        0 => format!("create {a}"),
        1..=3 => format!("write {a} f{count}"),
        4 => format!("snapshot {a} {s}"),
        5 => format!("clone {a} {b}"),
        6 => format!("clone {s} {a}"),
        7 => format!("reset {a}"),
        8 => format!("rm {a}"),
        _ => format!("forget {s}"),
    }
}

/// The process that is killed; as a test of its own it does nothing.
#[test]
fn victim() {
    let Ok(root) = std::env::var(ROOT) else {
        return;
    };
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    let (store, mut numbers) = (Store::open(root).unwrap(), Numbers(seed));
    let mut out = std::io::stdout();
    for count in 0.. {
        let operation = operation(&mut numbers, count);
        writeln!(out, "\n@try {operation}").unwrap();
        out.flush().unwrap();
        let done = carry_out(&store, &operation).is_ok();
        writeln!(out, "\n@{}", if done { "done" } else { "refused" }).unwrap();
        out.flush().unwrap();
    }
}

/// What the killed process said: the store as it must be, or as it may be too.
fn heard(said: impl BufRead) -> (Model, Option<Model>, String) {
    let (mut model, mut trying, mut story) = (Model::default(), None, String::new());
    for line in said.lines().map_while(Result::ok) {
        if let Some(operation) = line.strip_prefix("@try ") {
            trying = Some(model.after(operation));
            story += &line;
        }
        match line.as_str() {
            "@done" => model = trying.take().unwrap(),
            "@refused" => trying = None,
            _ => continue,
        }
        story += &line;
        story += "\n";
    }
    (model, trying, story)
}

fn files(stack: &[Layer]) -> Files {
    let listed = |layer: &Layer| {
        fs::read_dir(layer.files().join("C"))
            .into_iter()
            .flatten()
            .flatten()
    };
    stack
        .iter()
        .flat_map(listed)
        .map(|item| item.file_name().into_string().unwrap())
        .collect()
}

/// The store as it is.
fn found(store: &Store) -> Model {
    let mut model = Model::default();
    for entry in store.list().unwrap() {
        let pinion_store::Entry::Vm(vm) = entry else {
            panic!("{entry:?}");
        };
        let below = files(&vm.own_and_below().1);
        model
            .vms
            .insert(vm.name().to_string(), (files(&vm.stack()), below));
    }
    for entry in store.snapshots().unwrap() {
        let pinion_store::SnapshotEntry::Snapshot(snapshot) = entry else {
            panic!("{entry:?}");
        };
        model
            .snapshots
            .insert(snapshot.name().to_string(), files(&snapshot.stack()));
    }
    model
}

/// Names below a folder of the store.
fn names(root: &Path, folder: &str) -> BTreeSet<String> {
    let items = fs::read_dir(root.join(folder))
        .into_iter()
        .flatten()
        .flatten();
    items
        .map(|item| item.file_name().into_string().unwrap())
        .collect()
}

fn nothing_is_left_over(store: &Store, story: &str) {
    let root = store.root();
    let mut layers = BTreeSet::new();
    for entry in store.list().unwrap() {
        if let pinion_store::Entry::Vm(vm) = entry {
            layers.extend(vm.stack().iter().map(|layer| layer.id().to_string()));
        }
    }
    for entry in store.snapshots().unwrap() {
        if let pinion_store::SnapshotEntry::Snapshot(snapshot) = entry {
            layers.extend(snapshot.stack().iter().map(|layer| layer.id().to_string()));
        }
    }
    let there = store.layer_folders();
    let stray: Vec<_> = there
        .iter()
        .filter(|name| !layers.contains(*name))
        .collect();
    assert!(stray.is_empty(), "layers {stray:?} after\n{story}");
    assert_eq!(names(root, "suspects"), BTreeSet::new(), "after\n{story}");
    let hidden = |name: &String| name.starts_with('.');
    assert!(!names(root, "vms").iter().any(hidden), "after\n{story}");
    assert!(
        !names(root, "snapshots").iter().any(hidden),
        "after\n{story}"
    );
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_leaves_nothing_half_made() {
    let (rounds, longest) = if cfg!(windows) { (20, 900) } else { (100, 120) };
    let mut moments = Numbers(std::process::id().into());
    for seed in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture", "--test-threads", "1"])
            .env(ROOT, folder.path())
            .env(SEED, seed.to_string())
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.path().join("said")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(5 + moments.below(longest)));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let said = fs::File::open(folder.path().join("said")).unwrap();
        let (must, may, story) = heard(BufReader::new(said));
        let store = Store::open(folder.path()).unwrap();
        let seen = found(&store);
        assert!(
            seen == must || Some(&seen) == may.as_ref(),
            "{seen:#?}\nis neither {must:#?}\nnor {may:#?}\nafter\n{story}"
        );
        store.sweep();
        assert_eq!(
            found(&store),
            seen,
            "a sweep changes nothing that is seen, after\n{story}"
        );
        nothing_is_left_over(&store, &story);
        for snapshot in seen.snapshots.keys() {
            store.remove_snapshot(&name(snapshot), true).unwrap();
        }
        for vm in seen.vms.keys() {
            store.remove(&name(vm)).unwrap();
        }
        let left = store.layer_folders();
        assert!(left.is_empty(), "{left:?} after\n{story}");
    }
}
