//! Reads an archive from one end to the other and judges all of it; what it holds goes to a [`Sink`].
//!
//! Nothing is believed: what a member is called, how many bytes it has, how much there is in all. A member
//! reaches the sink only after its name has been judged; that its bytes are right is known at the end.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use sha2::{Digest, Sha256};
use tar::{Archive, EntryType};

use super::frames::Decompressor;
use super::manifest::{self, Manifest};
use super::member::{self, Tree};
use super::nodes::{self, Node};
use super::{MANIFEST, Progress, SUMS, refused};
use crate::error::{Error, Result};
use crate::metadata;

/// How many bytes an archive may always hold.
const ALWAYS: u64 = 1 << 30;
/// How many times its own size it may hold beyond that.
const RATIO: u64 = 200;
/// The most members: each costs some memory.
const MOST: u64 = 4_000_000;
/// The longest name of a member, in bytes.
const LONGEST_PATH: u64 = 1 << 17;
/// What is read before the manifest is known: it, and what tar adds.
const BEFORE: u64 = manifest::LONGEST + (1 << 17);
/// What tar and the checksums add to each member, names left out: three headers, padding, a line.
const OVERHEAD: u64 = 3 * 512 + 3 * 512 + 128;

/// Takes what an archive holds.
pub(super) trait Sink {
    /// The archive's manifest. `Err` ends the reading.
    fn begin(&mut self, manifest: &Manifest) -> Result<()>;
    /// The directory `path` (`C/a`) of a layer.
    fn directory(&mut self, layer: usize, path: &str) -> Result<()>;
    /// The file `path` of a layer. All of `bytes` must be read.
    fn file(&mut self, layer: usize, path: &str, bytes: &mut dyn Read) -> Result<()>;
    /// The alternate stream `name` of the file or directory `path` of a layer, which came just before. All of
    /// `bytes` must be read.
    fn stream(&mut self, layer: usize, path: &str, name: &str, bytes: &mut dyn Read) -> Result<()>;
    /// One more name, `path`, of the file `first` of the layer, which came before.
    fn link(&mut self, layer: usize, path: &str, first: &str) -> Result<()>;
    /// What a layer says of its files.
    fn node(&mut self, layer: usize, node: &Node) -> Result<()>;
    /// A layer's file of bases.
    fn base(&mut self, layer: usize, bytes: &mut dyn Read) -> Result<()>;
    /// One of a layer's keys.
    fn key(&mut self, layer: usize, key: &super::keys::Key) -> Result<()>;
}

/// Reads the archive at `path`; `most` bytes are accepted, or what its own size lets expect.
///
/// # Errors
/// [`Error::BadArchive`], or what the sink has to say.
pub(super) fn read(
    path: &Path,
    most: Option<u64>,
    sink: &mut dyn Sink,
    progress: Progress<'_>,
) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let size = file
        .metadata()
        .map_err(|e| Error::io("read", path, e))?
        .len();
    let most = most.unwrap_or_else(|| size.saturating_mul(RATIO).max(ALWAYS));
    let told = Told {
        file,
        done: 0,
        size,
        progress,
    };
    let left = Rc::new(Cell::new(BEFORE));
    let source = Decompressor::new(BufReader::with_capacity(1 << 16, told));
    let mut tar = Archive::new(Limited {
        source,
        left: Rc::clone(&left),
    });
    let mut reader = Reader {
        path: path.to_path_buf(),
        most,
        left,
        sink,
        state: None,
        long_name: None,
        long_link: None,
        sums: HashMap::new(),
        ended: false,
    };
    let entries = tar.entries().map_err(|e| reader.damaged(&e))?.raw(true);
    for entry in entries {
        let mut entry = entry.map_err(|e| reader.damaged(&e))?;
        reader.member(&mut entry)?;
    }
    reader.end(&mut tar.into_inner())
}

/// The compressed bytes, counted as they go.
struct Told<'p> {
    file: File,
    done: u64,
    size: u64,
    progress: Progress<'p>,
}

impl Read for Told<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(bytes)?;
        self.done += count as u64;
        (self.progress)(self.done, self.size);
        Ok(count)
    }
}

/// Ends with an error where more comes than was told.
struct Limited<R> {
    source: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(bytes)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("it holds more than it says")),
        }
        Ok(count)
    }
}

/// What is known once the manifest is.
struct State {
    manifest: Manifest,
    members: u64,
    bytes: u64,
    layers: Vec<Layer>,
}

/// What a layer has shown so far.
#[derive(Default)]
struct Layer {
    files: Tree,
    /// In the order in which they came.
    order: Vec<(String, Kind)>,
    /// The streams of the last of them, as NT compares names.
    streams: HashSet<Vec<u16>>,
    described: bool,
    keys: bool,
    base: bool,
}

/// What a member of a layer's files is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    /// One more name of a file.
    Link,
}

struct Reader<'s> {
    path: PathBuf,
    most: u64,
    left: Rc<Cell<u64>>,
    sink: &'s mut dyn Sink,
    state: Option<State>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    /// The checksum of each file so far.
    sums: HashMap<String, String>,
    ended: bool,
}

/// Which part of a layer a member is.
enum Part<'p> {
    File(&'p str),
    /// A stream of a file.
    Stream(&'p str, &'p str),
    Nodes,
    Keys,
    Base,
}

impl Reader<'_> {
    fn refused(&self, why: impl Into<String>) -> Error {
        refused(&self.path, why)
    }

    /// What the tar or what it is compressed with says.
    fn damaged(&self, why: &io::Error) -> Error {
        self.refused(format!("it is damaged: {why}"))
    }

    fn member(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
        let kind = entry.header().entry_type();
        let size = entry.header().entry_size().map_err(|e| self.damaged(&e))?;
        if self.ended {
            return Err(self.refused("it goes on after its end"));
        }
        if matches!(kind, EntryType::GNULongName | EntryType::GNULongLink) {
            return self.long(kind, size, entry);
        }
        let name = match self.long_name.take() {
            Some(name) => name,
            None => entry.header().path_bytes().into_owned(),
        };
        let Ok(name) = String::from_utf8(name) else {
            return Err(self.refused("the name of a member is no UTF-8"));
        };
        let target = self.long_link.take();
        match kind {
            EntryType::Link => {
                let target = match target {
                    Some(target) => target,
                    None => entry
                        .header()
                        .link_name_bytes()
                        .unwrap_or_default()
                        .into_owned(),
                };
                return self.link(&name, target, size);
            }
            _ if target.is_some() => {
                return Err(self.refused("it is damaged: a target of a link is of no link"));
            }
            EntryType::Regular | EntryType::Directory => (),
            EntryType::Symlink => {
                return Err(self.refused(format!("'{}' is a link", name.escape_debug())));
            }
            _ => {
                return Err(self.refused(format!(
                    "'{}' is neither a file nor a directory",
                    name.escape_debug()
                )));
            }
        }
        let directory = kind == EntryType::Directory;
        if directory && size != 0 {
            return Err(self.refused(format!("the directory '{}' has bytes", name.escape_debug())));
        }
        let Some(state) = &mut self.state else {
            return self.manifest(&name, size, directory, entry);
        };
        if name == SUMS && !directory {
            return self.check_sums(entry, size);
        }
        state.members += 1;
        state.bytes = state.bytes.saturating_add(size);
        if state.members > state.manifest.members || state.bytes > state.manifest.bytes {
            return Err(self.refused("it holds more than it says"));
        }
        self.of_layer(&name, directory, entry, size)
    }

    /// The long name of the next member, or of the target of one that is a link.
    fn long(&mut self, kind: EntryType, size: u64, entry: &mut dyn Read) -> Result<()> {
        let place = match kind {
            EntryType::GNULongName => &mut self.long_name,
            _ => &mut self.long_link,
        };
        if place.is_some() || size > LONGEST_PATH {
            return Err(self.refused("the name of a member is too long"));
        }
        let mut name = Vec::new();
        let read = entry.read_to_end(&mut name);
        let end = name.iter().position(|&byte| byte == 0);
        name.truncate(end.unwrap_or(name.len()));
        *place = Some(name);
        read.map(drop).map_err(|e| self.damaged(&e))
    }

    /// One more name of a file of the same layer, which came before with all its bytes.
    fn link(&mut self, name: &str, target: Vec<u8>, size: u64) -> Result<()> {
        let shown = name.escape_debug();
        let refused =
            |reader: &Self, why: &str| reader.refused(format!("the link '{shown}' {why}"));
        let Some(state) = &mut self.state else {
            let why = format!("it does not begin with {MANIFEST}, so it is no export of Pinion");
            return Err(self.refused(why));
        };
        state.members += 1;
        if state.members > state.manifest.members {
            return Err(self.refused("it holds more than it says"));
        }
        let layers = state.layers.len();
        if state.manifest.format < super::SECOND || size != 0 {
            return Err(refused(self, "is none of a file"));
        }
        let Some((layer, Part::File(path))) = part(name).filter(|(layer, _)| *layer < layers)
        else {
            return Err(refused(self, "is no part of a layer"));
        };
        let target = String::from_utf8(target).unwrap_or_default();
        let first = match part(&target) {
            Some((of, Part::File(first))) if of == layer && !member::is_whiteout(first) => first,
            _ => return Err(refused(self, "leads to no file of its layer")),
        };
        // Only a file has a checksum, and only when all its bytes have come.
        let Some(sum) = self.sums.get(&target).cloned() else {
            return Err(refused(
                self,
                "leads to a file that does not come before it",
            ));
        };
        let begun = &mut self.layers()[layer];
        let fault = match member::is_whiteout(path) {
            true => Some("a whiteout is no link"),
            false => file_fault(begun, path, Kind::Link, 0),
        };
        if let Some(why) = fault {
            return Err(self.refused(format!("'{shown}': {why}")));
        }
        self.sink.link(layer, path, first)?;
        match self.sums.insert(name.to_owned(), sum) {
            None => Ok(()),
            Some(_) => Err(self.refused(format!("'{shown}' is there twice"))),
        }
    }

    fn manifest(
        &mut self,
        name: &str,
        size: u64,
        directory: bool,
        entry: &mut dyn Read,
    ) -> Result<()> {
        if name != MANIFEST || directory || size > manifest::LONGEST {
            let why = format!("it does not begin with {MANIFEST}, so it is no export of Pinion");
            return Err(self.refused(why));
        }
        let mut text = Vec::new();
        self.hashed(name, size, entry, |_, bytes| {
            // An error of the source is told by whoever wrapped it.
            let _ = bytes.read_to_end(&mut text);
            Ok(())
        })?;
        let manifest = Manifest::parse(&text).map_err(|why| self.refused(why))?;
        let (members, bytes) = (manifest.members, manifest.bytes);
        if members > MOST || manifest.names > members.saturating_mul(LONGEST_PATH) {
            return Err(self.refused(format!("it holds {members} files, of at most {MOST}")));
        }
        if bytes > self.most {
            return Err(self.refused(format!(
                "it unpacks to {bytes} bytes, of at most {}; if you trust it, say --max-size {bytes}",
                self.most
            )));
        }
        let most = bytes.checked_add(members * OVERHEAD + 3 * manifest.names + BEFORE);
        self.left
            .set(most.ok_or_else(|| self.refused("its sizes are no sizes"))?);
        self.sink.begin(&manifest)?;
        let layers = (0..manifest.layers).map(|_| Layer::default()).collect();
        self.state = Some(State {
            manifest,
            members: 0,
            bytes: 0,
            layers,
        });
        Ok(())
    }

    /// Runs `work` on the bytes of the member `name` and keeps their checksum.
    fn hashed(
        &mut self,
        name: &str,
        size: u64,
        entry: &mut dyn Read,
        work: impl FnOnce(&mut Self, &mut dyn Read) -> Result<()>,
    ) -> Result<()> {
        let mut hashed = Hashed {
            source: entry,
            hash: Sha256::new(),
            count: 0,
            failed: None,
        };
        let worked = work(self, &mut hashed);
        if let Some(why) = hashed.failed.take() {
            return Err(self.damaged(&why));
        }
        worked?;
        if hashed.count != size {
            return Err(self.refused("it is damaged: it ends too early"));
        }
        let sum = super::keys::hex(&hashed.hash.finalize());
        match self.sums.insert(name.to_owned(), sum) {
            None => Ok(()),
            Some(_) => Err(self.refused(format!("'{name}' is there twice"))),
        }
    }

    fn of_layer(
        &mut self,
        name: &str,
        directory: bool,
        entry: &mut dyn Read,
        size: u64,
    ) -> Result<()> {
        let shown = name.escape_debug();
        let Some((layer, part)) = part(name).filter(|(layer, _)| *layer < self.layers().len())
        else {
            return Err(self.refused(format!("'{shown}' is no part of a layer")));
        };
        if directory && !matches!(part, Part::File(_)) {
            return Err(self.refused(format!("'{shown}' is a directory")));
        }
        let old = self.is_old();
        let begun = &mut self.layers()[layer];
        let fault = match part {
            Part::File(path) if directory => file_fault(begun, path, Kind::Directory, size),
            Part::File(path) => file_fault(begun, path, Kind::File, size),
            Part::Stream(..) if old => Some("archives of its format have no streams"),
            Part::Stream(path, stream) => stream_fault(begun, path, stream),
            Part::Nodes => {
                std::mem::replace(&mut begun.described, true).then_some("it is there twice")
            }
            Part::Keys => std::mem::replace(&mut begun.keys, true).then_some("it is there twice"),
            Part::Base => std::mem::replace(&mut begun.base, true).then_some("it is there twice"),
        };
        if let Some(why) = fault {
            return Err(self.refused(format!("'{shown}': {why}")));
        }
        match part {
            Part::File(path) if directory => self.sink.directory(layer, path),
            Part::File(path) => self.hashed(name, size, entry, |reader, bytes| {
                reader.sink.file(layer, path, bytes)
            }),
            Part::Stream(path, stream) => self.hashed(name, size, entry, |reader, bytes| {
                reader.sink.stream(layer, path, stream, bytes)
            }),
            Part::Base => self.hashed(name, size, entry, |reader, bytes| {
                reader.sink.base(layer, bytes)
            }),
            Part::Nodes => self.hashed(name, size, entry, |reader, bytes| {
                reader.nodes(layer, bytes)
            }),
            Part::Keys => self.hashed(name, size, entry, |reader, bytes| reader.keys(layer, bytes)),
        }
    }

    /// Whether the archive is of the first format.
    fn is_old(&self) -> bool {
        let format = self.state.as_ref().map(|state| state.manifest.format);
        format.is_some_and(|format| format < super::SECOND)
    }

    fn layers(&mut self) -> &mut [Layer] {
        self.state
            .as_mut()
            .map_or(&mut [], |state| &mut state.layers)
    }

    /// A line for each file that came, and no other.
    fn nodes(&mut self, layer: usize, bytes: &mut dyn Read) -> Result<()> {
        let mut order = std::mem::take(&mut self.layers()[layer].order).into_iter();
        let mut lines = Lines::new(bytes, nodes::LONGEST);
        while let Some(line) = lines.next(self)? {
            let node: Node = serde_json::from_slice(&line).map_err(|why| {
                self.refused(format!("what it says of its files is damaged: {why}"))
            })?;
            let came = order.next().filter(|(path, kind)| {
                *path == node.path
                    && (*kind == Kind::Directory) == node.directory
                    && (*kind != Kind::Link || node == Node::named(path))
            });
            let Some((_, kind)) = came else {
                let path = node.path.escape_debug();
                return Err(self.refused(format!("what it says of '{path}' is not of its files")));
            };
            if let Some(why) = node.fault() {
                let path = node.path.escape_debug();
                return Err(self.refused(format!("what it says of '{path}': {why}")));
            }
            if kind != Kind::Link {
                self.sink.node(layer, &node)?;
            }
        }
        match order.next() {
            Some((path, _)) => Err(self.refused(format!("it says nothing of '{path}'"))),
            None => Ok(()),
        }
    }

    fn keys(&mut self, layer: usize, bytes: &mut dyn Read) -> Result<()> {
        let mut judge = super::keys::Judge::default();
        let mut lines = Lines::new(bytes, super::keys::LONGEST);
        while let Some(line) = lines.next(self)? {
            let key: super::keys::Key = serde_json::from_slice(&line)
                .map_err(|why| self.refused(format!("a key is damaged: {why}")))?;
            judge.check(&key).map_err(|why| {
                let names = serde_json::to_string(&key.key).unwrap_or_default();
                self.refused(format!("the key {names}: {why}"))
            })?;
            self.sink.key(layer, &key)?;
        }
        Ok(())
    }

    /// Compares every checksum with what came; each member must have one.
    fn check_sums(&mut self, entry: &mut dyn Read, size: u64) -> Result<()> {
        let mut hashed = std::mem::take(&mut self.sums);
        let longest = LONGEST_PATH + 128;
        let mut bytes = entry.take(size);
        let mut lines = Lines::new(&mut bytes, longest);
        while let Some(line) = lines.next(self)? {
            let text = String::from_utf8(line).unwrap_or_default();
            let Some((sum, name)) = text.split_once("  ") else {
                return Err(self.refused(format!("its {SUMS} is damaged")));
            };
            match hashed.remove(name) {
                Some(found) if found == sum => (),
                Some(_) => {
                    return Err(self.refused(format!(
                        "it is damaged: the checksum of '{name}' does not fit"
                    )));
                }
                None => return Err(self.refused(format!("'{}' is missing", name.escape_debug()))),
            }
        }
        if let Some(name) = hashed.into_keys().next() {
            return Err(self.refused(format!("'{}' has no checksum", name.escape_debug())));
        }
        self.ended = true;
        Ok(())
    }

    /// Sees to it that all came that was told, and nothing more.
    fn end(&self, rest: &mut impl Read) -> Result<()> {
        let Some(state) = self.state.as_ref().filter(|_| self.ended) else {
            return Err(self.refused("it is damaged: it ends too early"));
        };
        let told = (state.manifest.members, state.manifest.bytes);
        if (state.members, state.bytes) != told {
            return Err(self.refused("it holds less than it says"));
        }
        if let Some(layer) = state
            .layers
            .iter()
            .position(|layer| !layer.described || !layer.keys)
        {
            return Err(self.refused(format!("layer {layer} is not whole")));
        }
        let mut buffer = [0; 4096];
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) if buffer[..count].iter().all(|&byte| byte == 0) => (),
                Ok(_) => return Err(self.refused("it goes on after its end")),
                Err(why) => return Err(self.damaged(&why)),
            }
        }
    }
}

/// Which part of which layer a member's name means.
fn part(name: &str) -> Option<(usize, Part<'_>)> {
    let (layer, rest) = name.strip_prefix("layers/")?.split_once('/')?;
    let plain = layer == "0" || layer.starts_with(|c: char| matches!(c, '1'..='9'));
    let layer = layer.parse().ok().filter(|_| plain)?;
    let part = match rest {
        "files.jsonl" => Part::Nodes,
        "keys.jsonl" => Part::Keys,
        "base" => Part::Base,
        _ => match rest.strip_prefix("files/")?.split_once(':') {
            Some((path, stream)) => Part::Stream(path, stream),
            None => Part::File(rest.strip_prefix("files/")?),
        },
    };
    Some((layer, part))
}

/// Why the file cannot be of the layer, if it cannot.
fn file_fault(layer: &mut Layer, path: &str, kind: Kind, size: u64) -> Option<&'static str> {
    let directory = kind == Kind::Directory;
    if let Some(why) = member::fault(path) {
        return Some(why);
    }
    if layer.described {
        return Some("it comes too late");
    }
    if !path.contains('/') && !directory {
        return Some("a drive is no file");
    }
    if member::is_whiteout(path) && (directory || size != 0) {
        return Some("a whiteout is not empty");
    }
    layer.order.push((path.to_owned(), kind));
    layer.streams.clear();
    layer.files.add(path, directory).err()
}

/// Why `name` cannot be a stream of the file or directory `path` of the layer, if it cannot.
fn stream_fault(layer: &mut Layer, path: &str, name: &str) -> Option<&'static str> {
    let last = layer.order.last();
    let has_streams = last.is_some_and(|(last, kind)| last == path && *kind != Kind::Link);
    if !has_streams || member::is_whiteout(path) || layer.described {
        return Some("it is no stream of the file before it");
    }
    if let Some(why) = metadata::stream_fault(name) {
        return Some(why);
    }
    let fresh = layer.streams.insert(crate::changes::fold(name.as_ref()));
    (!fresh).then_some("it is there twice")
}

/// The bytes of a member, as they come.
struct Hashed<'e> {
    source: &'e mut dyn Read,
    hash: Sha256,
    count: u64,
    failed: Option<io::Error>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.source.read(bytes) {
            Ok(count) => {
                self.hash.update(&bytes[..count]);
                self.count += count as u64;
                Ok(count)
            }
            Err(why) => {
                let kind = why.kind();
                self.failed = Some(why);
                Err(kind.into())
            }
        }
    }
}

/// Lines of bounded length.
struct Lines<'r> {
    source: BufReader<&'r mut dyn Read>,
    longest: u64,
}

impl<'r> Lines<'r> {
    fn new(source: &'r mut dyn Read, longest: u64) -> Self {
        Self {
            source: BufReader::new(source),
            longest,
        }
    }

    fn next(&mut self, reader: &Reader<'_>) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut source = (&mut self.source).take(self.longest);
        let count = source
            .read_until(b'\n', &mut line)
            .map_err(|e| reader.damaged(&e))?;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(_) if count as u64 == self.longest => {
                Err(reader.refused("a line of it is too long"))
            }
            Some(_) => Err(reader.refused("it is damaged: a line has no end")),
        }
    }
}
