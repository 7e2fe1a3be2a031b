//! Archives as a whole: what goes in comes out, and what no export makes is refused. Here is what all of
//! these tests pack and unpack with.

mod content;
mod hand_made;
mod links;
mod names;
mod survive;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::keys::Key;
use super::manifest::{Manifest, VmFacts};
use super::nodes::Node;
use super::pack::{Gathered, archive};
use super::read::{Sink, read};
use super::unpack::Place;
use crate::error::Result;
use crate::record::Limits;

fn facts() -> VmFacts {
    VmFacts {
        name: "web".parse().unwrap(),
        created_ms: 1,
        command: vec!["x.exe".into()],
        env: vec![],
        cwd: None,
        limits: Limits::default(),
        ports: vec![],
        network: pinion_names::socket::Network::Loopback,
        remove_at_end: false,
    }
}

/// Puts all of an archive into folders, and its keys into memory.
#[derive(Default)]
struct Memory {
    places: Vec<PathBuf>,
    manifest: Option<Manifest>,
    keys: Vec<Key>,
    nodes: Vec<Node>,
}

impl Memory {
    fn place(&self, layer: usize) -> Place {
        Place {
            files: self.places[layer].clone(),
            users: ("S-1-5".into(), "S-1-9".into()),
        }
    }
}

impl Sink for Memory {
    fn begin(&mut self, manifest: &Manifest) -> Result<()> {
        self.manifest = Some(manifest.clone());
        Ok(())
    }
    fn directory(&mut self, layer: usize, path: &str) -> Result<()> {
        self.place(layer).directory(path)
    }
    fn file(&mut self, layer: usize, path: &str, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer).file(path, bytes)
    }
    fn stream(&mut self, layer: usize, path: &str, name: &str, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer).stream(path, name, bytes)
    }
    fn link(&mut self, layer: usize, path: &str, first: &str) -> Result<()> {
        self.place(layer).link(path, first)
    }
    fn node(&mut self, layer: usize, node: &Node) -> Result<()> {
        self.nodes.push(node.clone());
        self.place(layer).node(node)
    }
    fn base(&mut self, layer: usize, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer).base(bytes)
    }
    fn key(&mut self, _layer: usize, key: &Key) -> Result<()> {
        self.keys.push(key.clone());
        Ok(())
    }
}

/// Unpacks an archive into fresh folders below `to`.
fn unpack(bytes: &[u8], to: &Path, most: Option<u64>) -> Result<Memory> {
    let path = to.join("archive.tar.zst");
    fs::write(&path, bytes).unwrap();
    let places: Vec<_> = (0..2).map(|layer| to.join(format!("out{layer}"))).collect();
    for place in &places {
        fs::create_dir(place).unwrap();
    }
    let mut memory = Memory {
        places,
        ..Memory::default()
    };
    read(&path, most, &mut memory, &mut |_, _| ())?;
    Ok(memory)
}

fn pack(layers: &[&Path], keys: &[Key]) -> Result<Vec<u8>> {
    let mut gathered = Vec::new();
    for layer in layers {
        gathered.push(Gathered::new(layer, |out| {
            for key in keys {
                serde_json::to_writer(&mut *out, key).unwrap();
                out.write_all(b"\n").unwrap();
            }
            Ok(())
        })?);
    }
    archive(
        Vec::new(),
        Path::new("x"),
        facts(),
        "S-1".into(),
        &mut gathered,
        &mut |_, _| (),
    )
}

/// The time as NT keeps it.
fn in_ticks(time: std::time::SystemTime) -> std::time::SystemTime {
    super::nodes::time(super::nodes::ticks(time).unwrap()).unwrap()
}

/// Every file and folder below, with its bytes and time of change.
fn picture(root: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for item in fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            let metadata = fs::metadata(&path).unwrap();
            let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
            let whiteout = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(".wh.");
            let modified = if whiteout {
                std::time::UNIX_EPOCH
            } else {
                in_ticks(metadata.modified().unwrap())
            };
            if metadata.is_dir() {
                todo.push(path.clone());
            }
            all.insert(
                path.strip_prefix(root).unwrap().to_path_buf(),
                (bytes, modified),
            );
        }
    }
    all
}
