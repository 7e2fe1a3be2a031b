//! A file system with streams, owners and short names, in the memory of one test's thread. Each is kept by
//! the file, not by its name, as a file system does.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Extra, Extras, Stream};

thread_local! {
    static FILES: RefCell<HashMap<(u64, u64), File>> = RefCell::default();
}

#[derive(Debug, Clone, Default)]
struct File {
    streams: BTreeMap<String, Vec<u8>>,
    extra: Extra,
}

/// See the module.
pub(crate) struct Double;

fn file<R>(path: &Path, work: impl FnOnce(&mut File) -> R) -> io::Result<R> {
    let data = fs::metadata(path)?;
    let id = (data.dev(), data.ino());
    FILES.with_borrow_mut(|files| Ok(work(files.entry(id).or_default())))
}

impl Extras for Double {
    fn streams(&self, path: &Path) -> io::Result<Vec<Stream>> {
        file(path, |file| {
            let all = file.streams.iter();
            all.map(|(name, bytes)| Stream {
                name: name.clone(),
                size: bytes.len() as u64,
            })
            .collect()
        })
    }

    fn read(&self, path: &Path, stream: &str) -> io::Result<Box<dyn Read>> {
        let bytes = file(path, |file| file.streams.get(stream).cloned())?;
        let bytes = bytes.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn write(&self, path: &Path, stream: &str, bytes: &mut dyn Read) -> io::Result<()> {
        let mut all = Vec::new();
        // As told by whoever reads them.
        let _ = bytes.read_to_end(&mut all);
        file(path, |file| match file.streams.insert(stream.into(), all) {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        })?
    }

    fn extra(&self, path: &Path) -> io::Result<Extra> {
        file(path, |file| file.extra.clone())
    }

    fn give(&self, path: &Path, extra: &Extra) -> io::Result<()> {
        file(path, |file| file.extra = extra.clone())
    }
}
