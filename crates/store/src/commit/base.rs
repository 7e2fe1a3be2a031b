//! What the host had when the VM made its copies: the files of bases of its layers, read together.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::Path;

use pinion_wire::base::{Kind, NAME, parse};

use crate::changes::{NodePath, fold};
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::layer::Layer;

/// The most that is read of one file of bases: its lines are written by members.
const LONGEST: u64 = 1 << 30;
/// The longest line, in units.
const LONGEST_LINE: usize = 40_000;

/// The bases of a VM's files and keys.
#[derive(Debug, Default)]
pub(crate) struct Bases {
    files: HashMap<Vec<u16>, [u64; 3]>,
    directories: HashMap<Vec<u16>, [u64; 3]>,
    /// The figures of values and rights; 0 for rights that nobody kept.
    keys: HashMap<Vec<u16>, [u64; 2]>,
}

impl Bases {
    /// Reads those of a stack, the upper first: its lines count before those below.
    pub(crate) fn read(stack: &[Layer]) -> Result<Self> {
        let mut all = Self::default();
        for layer in stack.iter().rev() {
            all.add(&layer.files().join(NAME))?;
        }
        Ok(all)
    }

    /// Adds the lines of one file, each in place of an earlier one of its path.
    pub(super) fn add(&mut self, path: &Path) -> Result<()> {
        let file = match fs::File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(|e| Error::io("read", path, e))?,
        };
        lines(file, |line| {
            if let Some((stamp, path)) = parse(line) {
                let path = folded(path);
                match stamp.kind {
                    Kind::File => drop(self.files.insert(path, stamp.numbers)),
                    Kind::Directory => drop(self.directories.insert(path, stamp.numbers)),
                    Kind::Key => {
                        let [_, rights, values] = stamp.numbers;
                        self.keys.insert(path, [values, rights]);
                    }
                }
            }
        })
        .map_err(|e| Error::io("read", path, e))
    }

    /// Size, last write and change of the host's file when the VM made its copy; none when the VM knew of
    /// none.
    pub(super) fn file(&self, path: &NodePath) -> Option<[u64; 3]> {
        self.files.get(&file_line(path)).copied()
    }

    /// Attributes and figure of the rights of the host's directory when the VM made its copy, and figure of
    /// the rights that the copy got; none when the VM made the directory, or nobody kept it.
    pub(crate) fn directory(&self, path: &NodePath) -> Option<[u64; 3]> {
        self.directories.get(&file_line(path)).copied()
    }

    /// The figure of the values that the host's key had.
    #[cfg(windows)]
    pub(super) fn key(&self, path: &NodePath) -> Option<u64> {
        self.keys.get(&key_line(path)).map(|[values, _]| *values)
    }

    /// The figure of the rights that the host's key had; none when nobody kept it.
    #[cfg(windows)]
    pub(super) fn rights(&self, path: &NodePath) -> Option<u64> {
        let [_, rights] = self.keys.get(&key_line(path))?;
        Some(*rights).filter(|rights| *rights != 0)
    }
}

/// Calls `work` with each line.
fn lines(file: fs::File, mut work: impl FnMut(&[u16])) -> io::Result<()> {
    let mut source = BufReader::new(file.take(LONGEST));
    let mut line = Vec::new();
    let mut unit = [0; 2];
    loop {
        match source.read_exact(&mut unit) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        match u16::from_le_bytes(unit) {
            0 => (),
            0x0A => {
                work(&line);
                line.clear();
            }
            unit if line.len() < LONGEST_LINE => line.push(unit),
            _ => (),
        }
    }
}

/// Rewrites a file of bases without the lines of some paths, which are folded; gone when none is left.
pub(super) fn forget(path: &Path, gone: &std::collections::HashSet<Vec<u16>>) -> Result<()> {
    let file = match fs::File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(|e| Error::io("read", path, e))?,
    };
    let mut kept = Vec::new();
    lines(file, |line| {
        if parse(line).is_some_and(|(_, path)| !gone.contains(&folded(path))) {
            kept.extend(
                line.iter()
                    .chain(&[0x0A])
                    .flat_map(|unit| unit.to_le_bytes()),
            );
        }
    })
    .map_err(|e| Error::io("read", path, e))?;
    if kept.is_empty() {
        fs::remove_file(path).map_err(|e| Error::io("remove", path, e))
    } else {
        crate::atomic::write(path, &kept)
    }
}

fn folded(path: &[u16]) -> Vec<u16> {
    let names = path.split(|&unit| unit == u16::from(b'\\'));
    let names = names.map(crate::changes::fold_units);
    names.collect::<Vec<_>>().join(&u16::from(b'\\'))
}

/// How the file of bases names a file, folded.
pub(super) fn file_line(path: &NodePath) -> Vec<u16> {
    let names: Vec<_> = path.iter().map(|name| fold(name)).collect();
    names.join(&u16::from(b'\\'))
}

/// How the file of bases names a key, folded.
#[cfg(windows)]
pub(super) fn key_line(path: &NodePath) -> Vec<u16> {
    let mut line: Vec<u16> = pinion_names::key::ROOT.encode_utf16().collect();
    line.push(u16::from(b'\\'));
    line.extend(file_line(path));
    line
}

/// What is told of a file; none when there is none.
pub(super) fn facts(path: &Path) -> Result<Option<Facts>> {
    match crate::facts::of(path) {
        Ok(facts) => Ok(Some(facts)),
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(e) => Err(Error::io("look at", path, e)),
    }
}

/// Size, last write and change of a file, as the agent keeps them; none when there is none.
pub(super) fn stamp(path: &Path) -> Result<Option<[u64; 3]>> {
    Ok(facts(path)?.map(|facts| facts.stamp()))
}
