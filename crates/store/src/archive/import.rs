//! Taking a VM in from an archive.
//!
//! Its layers are made under fresh identities that no record has, so nobody sees them; a VM appears with
//! its record, when the whole archive has proved sound. The layers are suspects from their beginning on,
//! which a living import holds: when it is killed, a later command takes them away.

use std::io::Read;
use std::path::Path;

use super::keys::Key;
use super::manifest::{Manifest, VmFacts};
use super::nodes::Node;
use super::read::{Sink, read};
use super::unpack::Place;
use super::{Progress, refused};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::lock::RunLock;
use crate::name::VmName;
use crate::record::MOST_LAYERS;
use crate::store::{NewVm, Store};
use crate::vm::Vm;

/// How an archive is taken in.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The VM's name; none takes the one it had.
    pub name: Option<VmName>,
    /// How many bytes it may unpack to; none takes what the archive's own size lets expect.
    pub most: Option<u64>,
}

/// Makes a VM of the archive at `path`: all of it, or nothing.
///
/// # Errors
/// [`Error::BadArchive`], a taken name, no room.
pub fn import(store: &Store, path: &Path, how: &Import, progress: Progress<'_>) -> Result<Vm> {
    let mut staged = Staged {
        store,
        path,
        how,
        facts: None,
        layers: Vec::new(),
    };
    read(path, how.most, &mut staged, progress)?;
    staged.finish()
}

/// An archive whose layers are being made.
struct Staged<'s> {
    store: &'s Store,
    path: &'s Path,
    how: &'s Import,
    facts: Option<VmFacts>,
    layers: Vec<Fresh>,
}

/// A layer that nobody has yet.
struct Fresh {
    layer: Layer,
    place: Place,
    /// Keeps other commands from taking it away.
    claim: RunLock,
}

impl Staged<'_> {
    fn place(&self, layer: usize) -> Result<&Place> {
        let fresh = self.layers.get(layer).map(|fresh| &fresh.place);
        fresh.ok_or_else(|| refused(self.path, "it has more layers than it says"))
    }

    /// Gives the layers to a new VM.
    fn finish(mut self) -> Result<Vm> {
        let facts = self.facts.take();
        let facts = facts.ok_or_else(|| refused(self.path, "it is damaged: it ends too early"))?;
        let new = NewVm {
            name: Some(self.how.name.clone().unwrap_or(facts.name)),
            command: facts.command,
            env: facts.env,
            cwd: facts.cwd,
            limits: facts.limits,
            ports: facts.ports,
            shares: Vec::new(),
            network: facts.network,
            desktop: None,
            policy: None,
            remove_at_end: facts.remove_at_end,
            trace: false,
            watch: false,
            from: None,
        };
        let stack = self.layers.iter().map(|fresh| fresh.layer.id()).collect();
        let vm = self.store.create_over(new, stack)?;
        for fresh in std::mem::take(&mut self.layers) {
            drop(fresh.claim);
            self.store.trust(fresh.layer.id());
        }
        Ok(vm)
    }
}

impl Drop for Staged<'_> {
    /// What was not finished is nobody's.
    fn drop(&mut self) {
        if !self.layers.is_empty() {
            self.layers.clear();
            self.store.sweep();
        }
    }
}

impl Sink for Staged<'_> {
    fn begin(&mut self, manifest: &Manifest) -> Result<()> {
        if manifest.layers > MOST_LAYERS + 1 {
            return Err(refused(self.path, "it has more layers than a VM can have"));
        }
        let name = self.how.name.as_ref().unwrap_or(&manifest.vm.name);
        self.store.refuse_taken(name)?;
        let folder = self.store.root();
        let room = fs2::available_space(folder).map_err(|e| Error::io("look at", folder, e))?;
        if room < manifest.bytes {
            return Err(Error::DiskFull {
                what: "import",
                path: self.path.into(),
            });
        }
        for _ in 0..manifest.layers {
            let (layer, claim) = self.store.claimed_layer()?;
            layer.make()?;
            let users = (manifest.user.clone(), super::export::user()?);
            let place = Place {
                files: crate::removal::verbatim(&layer.files()),
                #[cfg(windows)]
                keys: super::registry::Target::new(&layer.keys()?, &users.0, &users.1),
                users,
            };
            self.layers.push(Fresh {
                layer,
                place,
                claim,
            });
        }
        self.facts = Some(manifest.vm.clone());
        Ok(())
    }

    fn directory(&mut self, layer: usize, path: &str) -> Result<()> {
        self.place(layer)?.directory(path)
    }

    fn file(&mut self, layer: usize, path: &str, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer)?.file(path, bytes)
    }

    fn stream(&mut self, layer: usize, path: &str, name: &str, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer)?.stream(path, name, bytes)
    }

    fn link(&mut self, layer: usize, path: &str, first: &str) -> Result<()> {
        self.place(layer)?.link(path, first)
    }

    fn node(&mut self, layer: usize, node: &Node) -> Result<()> {
        self.place(layer)?.node(node)
    }

    fn base(&mut self, layer: usize, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer)?.base(bytes)
    }

    fn key(&mut self, layer: usize, key: &Key) -> Result<()> {
        self.place(layer)?.key(key)
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;
    use std::fs;

    /// A store with the VM `web`, and an archive of it.
    fn exported(folder: &Path) -> std::path::PathBuf {
        let store = Store::open(folder.join("here")).unwrap();
        let new = NewVm {
            name: Some("web".parse().unwrap()),
            command: vec!["x.exe".into()],
            ..NewVm::default()
        };
        let vm = store.create(new).unwrap();
        vm.upper().make().unwrap();
        let drive = vm.upper().files().join("C");
        fs::create_dir(&drive).unwrap();
        for index in 0..20 {
            fs::write(drive.join(format!("f{index}")), vec![index; 1000]).unwrap();
        }
        let out = folder.join("web.tar.zst");
        super::super::export(&store, &vm, &out, &mut |_, _| ()).unwrap();
        out
    }

    fn count(store: &Store, folder: &str) -> usize {
        fs::read_dir(store.root().join(folder))
            .into_iter()
            .flatten()
            .count()
    }

    #[test]
    fn a_vm_comes_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let archive = exported(folder.path());
        let there = Store::open(folder.path().join("there")).unwrap();
        let vm = import(&there, &archive, &Import::default(), &mut |_, _| ()).unwrap();
        assert_eq!(vm.record().command, ["x.exe"]);
        let file = vm.upper().files().join("C/f7");
        assert_eq!(fs::read(file).unwrap(), vec![7; 1000]);
        assert_eq!(
            (there.layer_folders().len(), count(&there, "suspects")),
            (1, 0)
        );
        let taken = import(&there, &archive, &Import::default(), &mut |_, _| ());
        assert!(matches!(taken, Err(Error::NameTaken { .. })));
        let bytes = fs::read(&archive).unwrap();
        let how = Import {
            name: Some("other".parse().unwrap()),
            most: None,
        };
        for end in (0..bytes.len()).step_by(bytes.len() / 20) {
            let torn = folder.path().join("torn");
            fs::write(&torn, &bytes[..end]).unwrap();
            let refused = import(&there, &torn, &how, &mut |_, _| ());
            assert!(matches!(refused, Err(Error::BadArchive { .. })), "{end}");
            assert_eq!(
                (there.layer_folders().len(), count(&there, "suspects")),
                (1, 0)
            );
        }
        assert_eq!(there.list().unwrap().len(), 1);
    }

    #[test]
    fn what_a_killed_import_left_is_taken_away_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let archive = exported(folder.path());
        let there = Store::open(folder.path().join("there")).unwrap();
        let how = Import::default();
        let mut staged = Staged {
            store: &there,
            path: &archive,
            how: &how,
            facts: None,
            layers: Vec::new(),
        };
        read(&archive, None, &mut staged, &mut |_, _| ()).unwrap();
        there.sweep();
        assert_eq!(there.layer_folders().len(), 1);
        // A killed process lets its locks go, and does nothing more.
        staged.layers.drain(..).for_each(|fresh| drop(fresh.claim));
        drop(staged);
        assert_eq!(there.layer_folders().len(), 1);
        there.sweep();
        assert_eq!(
            (there.layer_folders().len(), count(&there, "suspects")),
            (0, 0)
        );
        assert!(there.list().unwrap().is_empty());
    }
}
