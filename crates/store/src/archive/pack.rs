//! Gathers what a layer holds and writes it into an archive.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use pinion_names::file::WHITEOUT;

use super::manifest::{Manifest, VmFacts};
use super::nodes::{Node, ticks};
use super::write::Writer;
use super::{FORMAT, MANIFEST, Progress, member, temporary};
use crate::changes::{FileKind, FileNode, FileTree, Tree};
use crate::error::{Error, Result};
use crate::facts::FileId;
use crate::metadata::{self, Extras, Stream, System};

/// One layer, gathered and judged.
pub(super) struct Gathered {
    files: Vec<Found>,
    base: Option<(PathBuf, u64)>,
    /// The keys as text.
    keys: File,
    keys_size: u64,
    nodes: Vec<u8>,
}

/// A file, directory or whiteout of the layer.
pub(crate) struct Found {
    path: String,
    /// Where it lies; none for a whiteout.
    real: Option<PathBuf>,
    directory: bool,
    size: u64,
    modified: u64,
    /// Which file it is, where it has more names than one.
    id: Option<FileId>,
    /// The first of its names, where this is another.
    link: Option<String>,
    /// Its alternate streams.
    streams: Vec<Stream>,
}

impl Found {
    /// Where its bytes are; a whiteout has none.
    pub(crate) fn real(&self) -> Option<&Path> {
        self.real.as_deref()
    }

    /// Its alternate streams.
    pub(crate) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    fn write_streams(
        &self,
        layer: usize,
        writer: &mut Writer<impl Write>,
        mut done: impl FnMut(u64),
    ) -> Result<()> {
        for stream in self.own_streams() {
            let Some(real) = &self.real else { continue };
            let name = stream_name(layer, &self.path, &stream.name);
            System
                .read(real, &stream.name)
                .and_then(|bytes| writer.file(&name, stream.size, self.modified, bytes, &mut done))
                .map_err(|e| Error::io("export", real, e))?;
        }
        Ok(())
    }

    /// Those that are written with this name of it.
    fn own_streams(&self) -> &[Stream] {
        match self.link {
            Some(_) => &[],
            None => &self.streams,
        }
    }

    /// The path that it is about: of a whiteout the one that it hides.
    pub(crate) fn about(&self) -> Vec<OsString> {
        let mut names: Vec<OsString> = self.path.split('/').map(OsString::from).collect();
        let hidden = self
            .path
            .rsplit('/')
            .next()
            .and_then(|name| name.strip_prefix(WHITEOUT));
        if let (None, Some(hidden), Some(last)) = (&self.real, hidden, names.last_mut()) {
            *last = hidden.into();
        }
        names
    }
}

/// The files with more names than one (hard links), each by the first of them.
#[derive(Debug, Default)]
pub(crate) struct Links {
    first: HashMap<FileId, String>,
}

impl Links {
    /// The first name of the file, if this is another.
    pub(crate) fn first(&mut self, found: &Found) -> Option<String> {
        match self.first.entry(found.id?) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(place) => {
                place.insert(found.path.clone());
                None
            }
        }
    }
}

/// What the manifest tells of members.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) members: u64,
    pub(super) bytes: u64,
    pub(super) names: u64,
}

impl Totals {
    fn add(&mut self, name: &str, size: u64) {
        self.members += 1;
        self.bytes += size;
        self.names += name.len() as u64;
    }
}

impl Gathered {
    /// Gathers the files of the layer below `root`; `keys` writes its keys.
    pub(super) fn new(
        root: &Path,
        keys: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<Self> {
        let mut files = Vec::new();
        let mut nodes = Vec::new();
        let mut links = Links::default();
        gather(
            &FileTree::layer(root),
            &mut Vec::new(),
            &mut |mut found, node| {
                found.link = links.first(&found);
                let line = match &found.link {
                    Some(_) => &Node::named(&found.path),
                    None => node,
                };
                serde_json::to_writer(&mut nodes, line).map_err(|e| temporary(e.into()))?;
                nodes.push(b'\n');
                files.push(found);
                Ok(())
            },
        )?;
        let base = root.join(pinion_wire::base::NAME);
        let base = std::fs::metadata(&base).ok().map(|data| (base, data.len()));
        let mut text = tempfile::tempfile().map_err(temporary)?;
        let mut buffered = std::io::BufWriter::new(&mut text);
        keys(&mut buffered)?;
        buffered.flush().map_err(temporary)?;
        drop(buffered);
        let keys_size = text.stream_position().map_err(temporary)?;
        text.rewind().map_err(temporary)?;
        Ok(Self {
            files,
            base,
            keys: text,
            keys_size,
            nodes,
        })
    }

    /// Adds up what [`Gathered::write`] will write.
    pub(super) fn count(&self, layer: usize, totals: &mut Totals) {
        for found in &self.files {
            let size = match &found.link {
                // The target's name is told, too.
                Some(first) => {
                    totals.names += file_name(layer, first).len() as u64;
                    0
                }
                None => found.size,
            };
            totals.add(&file_name(layer, &found.path), size);
            for stream in found.own_streams() {
                totals.add(&stream_name(layer, &found.path, &stream.name), stream.size);
            }
        }
        if let Some((_, size)) = &self.base {
            totals.add(&part_name(layer, "base"), *size);
        }
        totals.add(&part_name(layer, "files.jsonl"), self.nodes.len() as u64);
        totals.add(&part_name(layer, "keys.jsonl"), self.keys_size);
    }

    /// Writes the layer's members.
    pub(super) fn write(
        &mut self,
        layer: usize,
        writer: &mut Writer<impl Write>,
        out: &Path,
        mut done: impl FnMut(u64),
    ) -> Result<()> {
        let failed = |e| Error::io("write", out, e);
        for first in self.files.iter().filter_map(|found| found.link.as_deref()) {
            writer.will_be_linked(file_name(layer, first));
        }
        for found in &self.files {
            let name = file_name(layer, &found.path);
            if let Some(first) = &found.link {
                let first = file_name(layer, first);
                writer.link(&name, &first, found.modified).map_err(failed)?;
                continue;
            }
            if found.directory {
                writer.directory(&name, found.modified).map_err(failed)?;
            } else if let Some(real) = &found.real {
                let source = File::open(real).map_err(|e| Error::io("read", real, e))?;
                writer
                    .file(&name, found.size, found.modified, source, &mut done)
                    .map_err(|e| Error::io("export", real, e))?;
            } else {
                writer.bytes(&name, b"").map_err(failed)?;
            }
            found.write_streams(layer, writer, &mut done)?;
        }
        if let Some((path, size)) = &self.base {
            let source = File::open(path).map_err(|e| Error::io("read", path, e))?;
            let name = part_name(layer, "base");
            writer
                .file(&name, *size, 0, source, &mut done)
                .map_err(failed)?;
        }
        let name = part_name(layer, "files.jsonl");
        writer.bytes(&name, &self.nodes).map_err(failed)?;
        let name = part_name(layer, "keys.jsonl");
        let keys = BufReader::new((&self.keys).take(self.keys_size));
        writer
            .file(&name, self.keys_size, 0, keys, &mut done)
            .map_err(failed)
    }
}

fn file_name(layer: usize, path: &str) -> String {
    format!("layers/{layer}/files/{path}")
}

fn stream_name(layer: usize, path: &str, stream: &str) -> String {
    format!("layers/{layer}/files/{path}:{stream}")
}

fn part_name(layer: usize, part: &str) -> String {
    format!("layers/{layer}/{part}")
}

/// Goes through a directory of the layer, names in NT's order, a directory before what is in it.
pub(crate) fn gather(
    tree: &FileTree,
    at: &mut Vec<OsString>,
    visit: &mut impl FnMut(Found, &Node) -> Result<()>,
) -> Result<()> {
    let mut all = tree.list(at)?;
    all.sort_by_cached_key(|said| (crate::changes::fold(&said.name), said.whiteout));
    for said in all {
        at.push(said.name);
        if let Some(node) = &said.node {
            let (found, node) = file(path(at, false)?, node)?;
            let directory = found.directory;
            visit(found, &node)?;
            if directory {
                gather(tree, at, visit)?;
            }
        }
        if said.whiteout {
            let (found, node) = whiteout(path(at, true)?);
            visit(found, &node)?;
        }
        at.pop();
    }
    Ok(())
}

/// The member's path of these names.
fn path(names: &[OsString], whiteout: bool) -> Result<String> {
    let shown = || names.join("\\".as_ref()).to_string_lossy().into_owned();
    let refused = |why: &str| Error::NotExportable {
        what: shown(),
        why: why.into(),
    };
    let mut path = String::new();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            path.push('/');
        }
        if whiteout && index + 1 == names.len() {
            path.push_str(WHITEOUT);
        }
        path.push_str(
            name.to_str()
                .ok_or_else(|| refused("its name is no Unicode"))?,
        );
    }
    match member::fault(&path) {
        Some(why) => Err(refused(why)),
        None => Ok(path),
    }
}

fn file(path: String, node: &FileNode) -> Result<(Found, Node)> {
    const TICKS: u64 = 10_000_000;
    const TO_UNIX: u64 = 11_644_473_600;
    if let FileKind::Link { .. } = node.kind {
        return Err(Error::NotExportable {
            what: node.real.display().to_string(),
            why: "it is a link".into(),
        });
    }
    let directory = node.kind == FileKind::Directory;
    let failed = |e| Error::io("look at", &node.real, e);
    let facts = crate::facts::of(&node.real).map_err(failed)?;
    let extra = System.extra(&node.real).map_err(failed)?;
    let streams = System.streams(&node.real).map_err(failed)?;
    if let Some(why) = streams.iter().find_map(|s| metadata::stream_fault(&s.name)) {
        return Err(Error::NotExportable {
            what: node.real.display().to_string(),
            why: why.into(),
        });
    }
    let modified = node.modified.and_then(ticks);
    let about = Node {
        path: path.clone(),
        directory,
        attributes: node.attributes,
        created: node.created.and_then(ticks),
        modified,
        accessed: Some(facts.accessed),
        changed: Some(facts.changed),
        security: security(node)?,
        owner: extra.owner,
        short: extra.short,
    };
    let found = Found {
        path,
        real: Some(node.real.clone()),
        directory,
        size: node.size,
        modified: (modified.unwrap_or(0) / TICKS).saturating_sub(TO_UNIX),
        id: facts.names.filter(|_| !directory).map(|(id, _)| id),
        link: None,
        streams,
    };
    Ok((found, about))
}

/// What rights the file has of its own, as text.
#[cfg(windows)]
fn security(node: &FileNode) -> Result<Option<String>> {
    let own = crate::security::Security::of_file(&node.real)
        .map_err(|e| Error::io("read", &node.real, e))?;
    Ok(own
        .filter(|own| own.is_its_own())
        .and_then(|own| own.text()))
}

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "the same as on Windows")]
fn security(_node: &FileNode) -> Result<Option<String>> {
    Ok(None)
}

fn whiteout(path: String) -> (Found, Node) {
    let about = Node::named(&path);
    let found = Found {
        path,
        real: None,
        directory: false,
        size: 0,
        modified: 0,
        id: None,
        link: None,
        streams: Vec::new(),
    };
    (found, about)
}

/// Writes a whole archive: `path` is its name, for errors.
pub(super) fn archive<W: Write>(
    out: W,
    path: &Path,
    vm: VmFacts,
    user: String,
    layers: &mut [Gathered],
    progress: Progress<'_>,
) -> Result<W> {
    let failed = |e| Error::io("write", path, e);
    let mut totals = Totals::default();
    for (index, layer) in layers.iter().enumerate() {
        layer.count(index, &mut totals);
    }
    let manifest = Manifest {
        format: FORMAT,
        pinion: env!("CARGO_PKG_VERSION").into(),
        user,
        vm,
        layers: layers.len(),
        members: totals.members,
        bytes: totals.bytes,
        names: totals.names,
    };
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|e| failed(e.into()))?;
    text.push(b'\n');
    let mut writer = Writer::new(out);
    writer.bytes(MANIFEST, &text).map_err(failed)?;
    let mut written = 0;
    for (index, layer) in layers.iter_mut().enumerate() {
        layer.write(index, &mut writer, path, |count| {
            written += count;
            progress(written, totals.bytes);
        })?;
    }
    writer.finish().map_err(failed)
}
