//! Merges on the build machine: a folder stands for the host, another for the upper.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pinion_wire::base::{HEAD, Kind, NAME, Stamp};
use proptest::prelude::*;

use super::base::{Bases, stamp};
use super::files::{self, Sides};
use super::journal::Journal;
use super::plan::{Plan, Resolve};
use super::select::{self, Selection};
use crate::changes::FileTree;
use crate::store::{NewVm, Store};
use crate::vm::Vm;

thread_local! {
    /// The folder that stands for the host.
    pub(super) static HOST: RefCell<PathBuf> = RefCell::default();
}

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    vm: Vm,
    host: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = folder.path().join("host");
        fs::create_dir_all(host.join("C")).unwrap();
        HOST.set(host.clone());
        let store = Store::open(folder.path().join("store")).unwrap();
        let vm = store.create(NewVm::default()).unwrap();
        vm.upper().make().unwrap();
        fs::create_dir_all(vm.upper().files().join("C")).unwrap();
        Self {
            _folder: folder,
            store,
            vm,
            host,
        }
    }

    fn host(&self, path: &str) -> PathBuf {
        self.host.join("C").join(path)
    }

    fn upper(&self, path: &str) -> PathBuf {
        self.vm.upper().files().join("C").join(path)
    }

    /// As the agent does before it covers a file of the host.
    fn keep_base(&self, path: &str) {
        let Some(numbers) = stamp(&self.host(path)).unwrap() else {
            return;
        };
        let units: Vec<u16> = format!("C\\{}", path.replace('/', "\\"))
            .encode_utf16()
            .collect();
        let mut line = vec![0; HEAD + units.len() + 1];
        let stamp = Stamp {
            kind: Kind::File,
            numbers,
        };
        pinion_wire::base::write(&stamp, &units, &mut line).unwrap();
        let bases = self.vm.upper().files().join(NAME);
        let mut text = fs::read(&bases).unwrap_or_default();
        text.extend(line.iter().flat_map(|unit| unit.to_le_bytes()));
        fs::write(bases, text).unwrap();
    }

    fn write(&self, path: &str, text: &str) {
        self.keep_base(path);
        fs::create_dir_all(self.upper(path).parent().unwrap()).unwrap();
        fs::write(self.upper(path), text).unwrap();
    }

    fn hide(&self, path: &str) {
        if self.host(path).is_file() {
            self.keep_base(path);
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        fs::create_dir_all(self.upper(above)).unwrap();
        fs::write(self.upper(above).join(format!(".wh.{name}")), "").unwrap();
    }

    fn plan(&self, selection: &Selection, resolve: Resolve) -> Plan {
        let mut plan = Plan::new(resolve);
        let sides = Sides {
            upper: self.vm.upper().file_tree(),
            host: FileTree::layer(&self.host),
        };
        let bases = Bases::read(&self.vm.stack()).unwrap();
        files::plan(&sides, &bases, selection, &mut plan).unwrap();
        plan
    }

    fn commit(&self, selection: &Selection, resolve: Resolve) -> Plan {
        let plan = self.plan(selection, resolve);
        if plan.conflicts.is_empty() {
            let at_rest = self.vm.at_rest("merge").unwrap();
            let journal = Journal::begin(&self.store, &self.vm, &plan).unwrap();
            journal.carry_out(&self.store, &at_rest).unwrap();
        }
        plan
    }
}

fn picture(root: &Path) -> BTreeMap<PathBuf, Option<String>> {
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for item in fs::read_dir(&folder).into_iter().flatten() {
            let path = item.unwrap().path();
            let text = path.is_file().then(|| fs::read_to_string(&path).unwrap());
            if path.is_dir() {
                todo.push(path.clone());
            }
            all.insert(path.strip_prefix(root).unwrap().into(), text);
        }
    }
    all
}

fn plant(world: &World, files: &[(&str, &str)]) {
    for (path, text) in files {
        fs::create_dir_all(world.host(path).parent().unwrap()).unwrap();
        fs::write(world.host(path), text).unwrap();
    }
}

fn all() -> Selection {
    Selection::default()
}

#[test]
fn changes_and_deletions_reach_the_host_and_leave_the_upper() {
    let world = World::new();
    plant(
        &world,
        &[
            ("a", "a"),
            ("gone", "g"),
            ("d/x", "x"),
            ("d/y", "y"),
            ("tree/deep/leaf", "l"),
            ("file", "f"),
        ],
    );
    world.write("a", "a2");
    world.write("new/sub/n", "n");
    world.hide("gone");
    world.hide("d/x");
    world.keep_base("tree/deep/leaf");
    world.hide("tree");
    // A file that became a directory.
    world.hide("file");
    world.write("file/inside", "i");
    let plan = world.commit(&all(), Resolve::Refuse);
    assert_eq!(plan.conflicts, []);
    let host: Vec<_> = picture(&world.host(""))
        .into_iter()
        .filter_map(|(p, t)| Some((p.to_str()?.to_owned(), t?)))
        .collect();
    let expected = [
        ("a", "a2"),
        ("d/y", "y"),
        ("file/inside", "i"),
        ("new/sub/n", "n"),
    ];
    assert_eq!(host, expected.map(|(p, t)| (p.to_owned(), t.to_owned())));
    assert!(!world.host("tree").exists());
    let left = picture(&world.vm.upper().files().join("C"));
    assert!(left.values().all(Option::is_none), "{left:?}");
    assert!(world.commit(&all(), Resolve::Refuse).changes.is_empty());
    assert_eq!(
        fs::read_dir(world.store.root().join("commits"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn what_the_host_changed_is_a_conflict() {
    let world = World::new();
    plant(
        &world,
        &[
            ("a", "a"),
            ("b", "b"),
            ("c", "c"),
            ("d/x", "x"),
            ("same", "s"),
        ],
    );
    world.write("a", "vm");
    world.hide("b");
    world.write("c", "vm");
    world.write("fresh", "vm");
    world.keep_base("d/x");
    world.hide("d");
    world.write("same", "vm");
    fs::write(world.host("a"), "host").unwrap();
    fs::write(world.host("b"), "host").unwrap();
    fs::remove_file(world.host("c")).unwrap();
    fs::write(world.host("fresh"), "host").unwrap();
    fs::write(world.host("d/new"), "host").unwrap();
    let before = picture(&world.host);
    let plan = world.commit(&all(), Resolve::Refuse);
    let names: Vec<_> = plan.conflicts.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, [r"C:\a", r"C:\b", r"C:\c", r"C:\d", r"C:\fresh"]);
    assert_eq!(picture(&world.host), before);
    let plan = world.commit(&all(), Resolve::Theirs);
    assert_eq!(plan.changes.len(), 1);
    assert_eq!(fs::read_to_string(world.host("same")).unwrap(), "vm");
    assert_eq!(fs::read_to_string(world.host("a")).unwrap(), "host");
    assert!(
        world.host("d/new").exists() && !world.host("c").exists() && !world.upper("a").exists()
    );
}

#[test]
fn the_vms_version_wins_where_that_is_asked() {
    let world = World::new();
    plant(&world, &[("a", "a"), ("d/x", "x")]);
    world.write("a", "vm");
    world.hide("d");
    fs::write(world.host("a"), "host").unwrap();
    fs::write(world.host("d/new"), "host").unwrap();
    world.commit(&all(), Resolve::Ours);
    assert_eq!(fs::read_to_string(world.host("a")).unwrap(), "vm");
    assert!(!world.host("d").exists());
}

#[test]
fn only_what_is_selected_is_merged() {
    let world = World::new();
    plant(&world, &[("a", "a"), ("b", "b")]);
    world.write("a", "vm");
    world.write("b", "vm");
    world.write("new/x/1", "vm");
    world.write("new/y", "vm");
    let selection = Selection {
        files: ["C\\A", "C\\new\\x"].map(select::names).to_vec(),
        keys: vec![],
    };
    world.commit(&selection, Resolve::Refuse);
    assert_eq!(fs::read_to_string(world.host("a")).unwrap(), "vm");
    assert_eq!(fs::read_to_string(world.host("b")).unwrap(), "b");
    assert!(world.host("new/x/1").exists() && !world.host("new/y").exists());
    assert!(
        !world.upper("a").exists() && world.upper("b").exists() && world.upper("new/y").exists()
    );
    assert!(world.commit(&all(), Resolve::Refuse).conflicts.is_empty());
    assert!(world.host("new/y").exists());
}

#[test]
fn an_untouched_copy_is_no_change() {
    let world = World::new();
    plant(&world, &[("a", "a")]);
    world.write("a", "a");
    let times = fs::metadata(world.host("a")).unwrap().modified().unwrap();
    fs::File::options()
        .write(true)
        .open(world.upper("a"))
        .unwrap()
        .set_modified(times)
        .unwrap();
    fs::write(world.host("a"), "host").unwrap();
    let plan = world.commit(&all(), Resolve::Refuse);
    assert!(plan.conflicts.is_empty() && plan.changes.is_empty());
    assert!(!world.upper("a").exists());
    assert_eq!(fs::read_to_string(world.host("a")).unwrap(), "host");
}

/// The one change that the plan tells of `name`.
fn told(plan: &Plan, name: &str) -> (Option<String>, bool) {
    let change = plan.changes.iter().find(|change| change.name == name);
    let change = change.unwrap_or_else(|| panic!("{name}: {:?}", plan.changes));
    (change.linked.clone(), change.apart)
}

#[test]
fn names_of_one_file_become_one_on_the_host() {
    let world = World::new();
    plant(&world, &[("d/old", "o")]);
    world.write("a", "vm");
    fs::create_dir_all(world.upper("new")).unwrap();
    fs::create_dir_all(world.upper("d")).unwrap();
    for name in ["b", "new/c", "d/old"] {
        world.keep_base(name);
        fs::hard_link(world.upper("a"), world.upper(name)).unwrap();
    }
    let plan = world.commit(&all(), Resolve::Refuse);
    assert_eq!(plan.conflicts, []);
    assert_eq!(told(&plan, r"C:\a"), (None, false));
    for name in ["b", "new/c", "d/old"] {
        let path = format!(r"C:\{}", name.replace('/', r"\"));
        assert_eq!(told(&plan, &path), (Some(r"C:\a".into()), false));
        assert!(
            crate::facts::are_one(&world.host("a"), &world.host(name)),
            "{name}"
        );
        assert!(!world.upper(name).exists(), "{name}");
    }
    assert!(!crate::facts::are_one(&world.host("a"), &world.upper("a")));
    assert!(world.commit(&all(), Resolve::Refuse).changes.is_empty());
}

#[test]
fn a_new_name_of_a_file_of_the_host_is_one_there() {
    let world = World::new();
    plant(&world, &[("m", "m"), ("n", "n")]);
    for (old, new) in [("m", "a"), ("n", "z")] {
        world.write(old, old);
        let times = fs::metadata(world.host(old)).unwrap().modified().unwrap();
        let copy = fs::File::options()
            .write(true)
            .open(world.upper(old))
            .unwrap();
        copy.set_modified(times).unwrap();
        fs::hard_link(world.upper(old), world.upper(new)).unwrap();
    }
    fs::write(world.host("n"), "host").unwrap();
    let plan = world.commit(&all(), Resolve::Refuse);
    assert_eq!(told(&plan, r"C:\a"), (Some(r"C:\m".into()), false));
    assert!(crate::facts::are_one(&world.host("a"), &world.host("m")));
    // The host's own has changed: the VM's new name is of the file as the VM had it.
    assert_eq!(told(&plan, r"C:\z"), (None, true));
    assert_eq!(fs::read_to_string(world.host("z")).unwrap(), "n");
    assert_eq!(fs::read_to_string(world.host("n")).unwrap(), "host");
    assert!(!world.upper("a").exists() && !world.upper("m").exists());
}

#[test]
fn a_name_alone_becomes_a_copy() {
    let world = World::new();
    world.write("a", "vm");
    fs::create_dir_all(world.vm.upper().files().join("D")).unwrap();
    fs::create_dir_all(world.host.join("D")).unwrap();
    fs::hard_link(world.upper("a"), world.upper("b")).unwrap();
    fs::hard_link(world.upper("a"), world.vm.upper().files().join("D/c")).unwrap();
    let only = Selection {
        files: vec![select::names(r"C\b")],
        keys: vec![],
    };
    let plan = world.commit(&only, Resolve::Refuse);
    assert_eq!(told(&plan, r"C:\b"), (None, true));
    assert!(world.host("b").exists() && !world.host("a").exists());
    assert!(world.upper("a").exists() && !world.upper("b").exists());
    let plan = world.commit(&all(), Resolve::Refuse);
    assert_eq!(told(&plan, r"C:\a"), (None, false));
    assert_eq!(told(&plan, r"D:\c"), (None, true));
    assert!(!crate::facts::are_one(
        &world.host("a"),
        &world.host.join("D/c")
    ));
}

/// What a program in the VM sees.
fn seen(world: &World) -> BTreeMap<String, Option<String>> {
    use crate::changes::{FileKind, Walk, What};
    let layers = vec![world.vm.upper().file_tree(), FileTree::layer(&world.host)];
    let items = Walk::new(layers, vec![]).map(Result::unwrap);
    items
        .filter_map(|item| match item.what {
            What::Here { node, .. } => {
                let text =
                    (node.kind == FileKind::File).then(|| fs::read_to_string(&node.real).unwrap());
                Some((select::text(&item.path)?, text))
            }
            What::Gone { .. } => None,
        })
        .collect()
}

/// Does to the VM what a program does through the agent.
fn act(world: &World, path: &str, what: u8, other: &str) {
    let at = world.upper(path);
    let parents_are_directories = {
        let seen = seen(world);
        let up = path
            .rsplit_once('/')
            .map(|(up, _)| format!("C\\{}", up.replace('/', "\\")));
        up.is_none_or(|up| matches!(seen.get(&up), Some(None)))
    };
    let now = seen(world)
        .get(&format!("C\\{}", path.replace('/', "\\")))
        .cloned();
    if !parents_are_directories {
        return;
    }
    match (what, now) {
        (0, None | Some(Some(_))) => world.write(path, "vm"),
        (1, None) => fs::create_dir_all(&at).unwrap(),
        (3, None) if world.upper(other).is_file() => {
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::hard_link(world.upper(other), &at).unwrap();
        }
        (2, Some(Some(_))) => {
            world.hide(path);
            let _ = fs::remove_file(&at);
        }
        (2, Some(None)) => {
            let inside = format!("C\\{}\\", path.replace('/', "\\"));
            if !seen(world).keys().any(|name| name.starts_with(&inside)) {
                world.hide(path);
                let _ = fs::remove_dir_all(&at);
            }
        }
        _ => (),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn after_a_merge_the_host_is_what_the_vm_saw(
        planted in proptest::collection::vec(("[ab](/[ab]){0,2}", any::<bool>()), 0..8),
        done in proptest::collection::vec(("[ab](/[ab]){0,2}", 0..4_u8, "[ab](/[ab]){0,2}"), 0..10),
        crash in 0..40_usize,
    ) {
        let world = World::new();
        for (path, directory) in &planted {
            let at = world.host(path);
            if *directory {
                let _ = fs::create_dir_all(&at);
            } else if fs::create_dir_all(at.parent().unwrap()).is_ok() {
                let _ = fs::write(&at, "host");
            }
        }
        for (path, what, other) in &done {
            act(&world, path, *what, other);
        }
        let before = seen(&world);
        let old = picture(&world.host);
        let plan = world.plan(&all(), Resolve::Refuse);
        prop_assert_eq!(&plan.conflicts, &vec![]);
        {
            // Killed after so many steps; the next command finishes, or takes back.
            let journal = Journal::begin(&world.store, &world.vm, &plan).unwrap();
            journal.stop_after(crash);
        }
        let mut halfway = seen(&world);
        halfway.retain(|name, _| !name.contains(".pinion-"));
        prop_assert_eq!(&halfway, &before);
        super::finish(&world.store).unwrap();
        super::finish(&world.store).unwrap();
        prop_assert_eq!(&seen(&world), &before);
        let host: BTreeMap<_, _> = picture(&world.host);
        let finished: BTreeMap<PathBuf, Option<String>> = before
            .into_iter()
            .map(|(name, text)| (PathBuf::from(name.replace('\\', "/")), text))
            .collect();
        prop_assert!(host == finished || host == old, "{:?} is neither {:?} nor {:?}", host, finished, old);
        prop_assert_eq!(fs::read_dir(world.store.root().join("commits")).unwrap().count(), 0);
    }
}
