//! What one test has for itself: a store, a folder, and the command line over
//! them. Its VMs are gone when it is.

use crate::host::Host;
use crate::program::{Output, Program};
use crate::tiny_disk::TinyDisk;
use pinion_harness::wine::windows_path;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store of its own on a Wine.
pub struct World {
    /// The Wine.
    pub host: Host,
    store: PathBuf,
    /// Its wineserver goes before the folder that it works in.
    tiny_disk: Option<TinyDisk>,
    folder: TempDir,
    pinion: PathBuf,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty store.
    ///
    /// # Panics
    /// When the environment names no Wine, or there is no place.
    #[must_use]
    pub fn new() -> Self {
        let host = Host::from_env();
        let pinion = host.bin().join("pinion.exe");
        let folder = tempfile::Builder::new()
            .prefix("pinion-e2e-")
            .tempdir()
            .expect("a folder");
        std::fs::create_dir(folder.path().join("work")).expect("a folder");
        Self {
            host,
            store: folder.path().join("store"),
            tiny_disk: None,
            folder,
            pinion,
        }
    }

    /// An empty store on a small disk of its own, which [`World::disk`] fills.
    ///
    /// # Panics
    /// As [`World::new`]; when this machine lets this user mount nothing.
    #[must_use]
    pub fn on_tiny_disk() -> Self {
        let mut world = Self::new();
        let disk = TinyDisk::new(world.folder.path(), world.host.wine());
        world.store = disk.path().join("store");
        world.host.go_through(disk.runner(), disk.prefix());
        world.tiny_disk = Some(disk);
        world
    }

    /// The small disk.
    ///
    /// # Panics
    /// When this world is not on one.
    #[must_use]
    pub fn disk(&self) -> &TinyDisk {
        self.tiny_disk.as_ref().expect("a world on a tiny disk")
    }

    /// An empty store with a copy of Pinion of its own, to be damaged.
    ///
    /// # Panics
    /// As [`World::new`].
    #[must_use]
    pub fn with_own_pinion() -> Self {
        let mut world = Self::new();
        let own = world.folder.path().join("bin");
        std::fs::create_dir(&own).expect("a folder");
        for file in ["pinion.exe", "pinion_agent.dll"] {
            std::fs::copy(world.host.bin().join(file), own.join(file)).expect("a copy");
        }
        world.pinion = own.join("pinion.exe");
        world
    }

    /// The agent that this Pinion uses.
    #[must_use]
    pub fn agent(&self) -> PathBuf {
        self.pinion.with_file_name("pinion_agent.dll")
    }

    /// The folder of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.store.clone()
    }

    /// A folder for the test's own files, the current one of its programs.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The same as a Windows path.
    #[must_use]
    pub fn windows_work(&self) -> String {
        windows_path(&self.work())
    }

    /// Puts a file into [`World::work`]; its Windows path.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.work().join(name);
        std::fs::write(&path, contents).expect("written");
        windows_path(&path)
    }

    /// `pinion VERB…`.
    #[must_use]
    pub fn pinion<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> Program {
        self.in_world(self.host.any(&self.pinion_path()))
            .args(arguments)
    }

    /// The Windows path of this world's `pinion.exe`.
    #[must_use]
    pub fn pinion_path(&self) -> String {
        windows_path(&self.pinion)
    }

    /// Gives any program this world's store and folder.
    #[must_use]
    pub fn in_world(&self, program: Program) -> Program {
        program
            .env("PINION_ROOT", windows_path(&self.store()))
            .current_dir(&self.work())
    }

    /// `pinion run --rm NAME…`, to its end, in a VM of its own.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let path = self.host.path_of(program);
        self.pinion(["run", "--rm", &path]).args(arguments).run()
    }

    /// A VM in the background that does nothing for `seconds`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn sleeper(&self, name: &str, seconds: u32) {
        let path = self.host.path_of("child");
        let seconds = seconds.to_string();
        self.pinion(["run", "-d", "--name", name, &path, "sleep", &seconds])
            .run()
            .ok();
    }

    /// `pinion exec VM PROGRAM…`, to its end.
    #[must_use]
    pub fn exec(&self, vm: &str, program: &str, arguments: &[&str]) -> Output {
        let path = self.host.path_of(program);
        self.pinion(["exec", vm, &path]).args(arguments).run()
    }

    /// `pinion inspect VM`.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn inspect(&self, vm: &str) -> Value {
        self.pinion(["inspect", vm]).run().expect(0).json()
    }

    /// The names of all VMs.
    ///
    /// # Panics
    /// When `pinion ls` fails.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let output = self.pinion(["ls", "-q"]).run().expect(0);
        output.stdout.lines().map(str::to_owned).collect()
    }

    /// What lies in the store's folder of VMs, half-made and half-removed ones too.
    #[must_use]
    pub fn folders(&self) -> Vec<String> {
        let store = match &self.tiny_disk {
            None => self.store(),
            Some(disk) => disk.from_here().join("store"),
        };
        let mut names: Vec<_> = std::fs::read_dir(store.join("vms"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Which of the host's processes `pids` live.
    ///
    /// # Panics
    /// When they cannot be looked at.
    #[must_use]
    pub fn alive(&self, pids: &[u64]) -> Vec<u64> {
        let pids = pids.iter().map(u64::to_string);
        let answer = self
            .host
            .program("child")
            .arg("alive")
            .args(pids)
            .run()
            .expect(0)
            .json();
        answer["alive"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect()
    }

    /// Ends a process of the host, at once.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&self, pid: u64) {
        self.host
            .program("child")
            .args(["kill", &pid.to_string()])
            .run()
            .ok();
    }

    /// The path of a VM's folder in the store.
    #[must_use]
    pub fn vm_folder(&self, vm: &str) -> PathBuf {
        self.store().join("vms").join(vm)
    }

    /// The folder of the files that a VM has in its own layer.
    ///
    /// # Panics
    /// When `pinion inspect` fails.
    #[must_use]
    pub fn upper(&self, vm: &str) -> PathBuf {
        let files = self.inspect(vm)["upper_files"].clone();
        let files = files.as_str().expect("a path").replace('\\', "/");
        let (_, layer) = files.rsplit_once('/').expect("a folder of the store");
        self.store().join(layer)
    }

    /// The names of the folders of layers, of those that are being removed too.
    #[must_use]
    pub fn layers(&self) -> Vec<String> {
        let items = std::fs::read_dir(self.store()).into_iter().flatten();
        items
            .flatten()
            .map(|item| item.file_name().to_string_lossy().into_owned())
            .filter(|name| {
                let id = name.strip_prefix(".gone-").unwrap_or(name);
                id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
            .collect()
    }

    /// The names of all snapshots.
    #[must_use]
    pub fn snapshots(&self) -> Vec<String> {
        let items = std::fs::read_dir(self.store().join("snapshots"));
        let names = items.into_iter().flatten().flatten();
        let mut names: Vec<_> = names
            .filter_map(|item| {
                item.file_name()
                    .to_str()?
                    .strip_suffix(".json")
                    .map(str::to_owned)
            })
            .collect();
        names.sort();
        names
    }

    /// The tests' folder, as a Unix path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let names = self.folders();
        if !names.is_empty() {
            let _ = self.pinion(["rm", "-f"]).args(names).limit(60).run();
        }
        let names = self.snapshots();
        if !names.is_empty() {
            let _ = self
                .pinion(["snapshot", "rm", "-f"])
                .args(names)
                .limit(60)
                .run();
        }
    }
}
