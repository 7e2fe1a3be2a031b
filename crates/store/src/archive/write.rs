//! Writes an archive, member by member, each with its checksum.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::SUMS;
use super::frames::Compressor;

/// An archive under way.
pub(super) struct Writer<W: Write> {
    tar: Builder<Compressor<W>>,
    sums: String,
    /// The checksums of files that may be linked to.
    linked: HashMap<String, String>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            tar: Builder::new(Compressor::new(out)),
            sums: String::new(),
            linked: HashMap::new(),
        }
    }

    /// Adds a directory.
    pub(super) fn directory(&mut self, path: &str, modified: u64) -> io::Result<()> {
        let mut header = header(EntryType::Directory, 0, modified);
        self.tar.append_data(&mut header, path, io::empty())
    }

    /// Adds one more name of the file that was added as `target`, which [`Writer::will_be_linked`] told of.
    pub(super) fn link(&mut self, path: &str, target: &str, modified: u64) -> io::Result<()> {
        let sum = self.linked.get(target).filter(|sum| !sum.is_empty());
        let sum = sum.ok_or_else(|| io::Error::other(format!("'{target}' is not written yet")))?;
        self.sums.push_str(&format!("{sum}  {path}\n"));
        let mut header = header(EntryType::Link, 0, modified);
        self.tar.append_link(&mut header, path, target)
    }

    /// Keeps the checksum of `path` when it is added, for links to it.
    pub(super) fn will_be_linked(&mut self, path: String) {
        self.linked.insert(path, String::new());
    }

    /// Adds a file of `size` bytes, told as they go.
    ///
    /// # Errors
    /// The source has another size, or something could not be read or written.
    pub(super) fn file(
        &mut self,
        path: &str,
        size: u64,
        modified: u64,
        source: impl Read,
        mut done: impl FnMut(u64),
    ) -> io::Result<()> {
        let mut header = header(EntryType::Regular, size, modified);
        let mut source = Hashing {
            source: source.take(size),
            hash: Sha256::new(),
            count: 0,
            done: &mut done,
        };
        self.tar.append_data(&mut header, path, &mut source)?;
        if source.count != size {
            let why = format!("it has {} bytes now, it had {size}", source.count);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        let sum = super::keys::hex(&source.hash.finalize());
        self.sums.push_str(&format!("{sum}  {path}\n"));
        if let Some(kept) = self.linked.get_mut(path) {
            *kept = sum;
        }
        Ok(())
    }

    /// Adds a file that is in memory.
    pub(super) fn bytes(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(path, bytes.len() as u64, 0, bytes, |_| ())
    }

    /// Adds the checksums and ends the archive; gives the stream below.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let sums = std::mem::take(&mut self.sums);
        self.bytes(SUMS, sums.as_bytes())?;
        self.tar.into_inner()?.finish()
    }
}

fn header(kind: EntryType, size: u64, modified: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory {
        0o755
    } else {
        0o644
    });
    header.set_size(size);
    header.set_mtime(modified);
    header
}

struct Hashing<'d, R: Read> {
    source: R,
    hash: Sha256,
    count: u64,
    done: &'d mut dyn FnMut(u64),
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(bytes)?;
        self.hash.update(&bytes[..count]);
        self.count += count as u64;
        (self.done)(count as u64);
        Ok(count)
    }
}
