//! What a file may have beside its bytes, times, attributes and rights: alternate streams, an owner other
//! than who made it, a short name.
//!
//! Wine's file systems have no streams and set no short names (observed on Wine 8 and Wine 10), so what is
//! written here for Windows was never run there; who asks goes by [`Extras`], which a test double has too.

#[cfg(all(test, not(windows)))]
mod double;
mod streams;
#[cfg(windows)]
mod system;

use std::io::{self, Read};
use std::path::Path;

#[cfg(all(test, not(windows)))]
pub(crate) use double::Double as System;
#[cfg(windows)]
pub(crate) use system::System;

/// An alternate stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Its name, without colons and type.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) size: u64,
}

/// What a file has that is no content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extra {
    /// The owner as SDDL, `O:…`, where it is not this user.
    pub(crate) owner: Option<String>,
    /// The short name, where it is not the name itself.
    pub(crate) short: Option<String>,
}

/// A system's way to these.
pub(crate) trait Extras {
    /// The alternate streams of the file at `path`, in the system's order; none where it has none.
    ///
    /// # Errors
    /// They cannot be told, or one has a name that is no Unicode.
    fn streams(&self, path: &Path) -> io::Result<Vec<Stream>>;

    /// The bytes of one.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, path: &Path, stream: &str) -> io::Result<Box<dyn Read>>;

    /// Gives the file a stream that it does not have yet, with all that `bytes` has. An end by an error is
    /// told by whoever reads `bytes`.
    ///
    /// # Errors
    /// It cannot be written: the file system has no streams.
    fn write(&self, path: &Path, stream: &str, bytes: &mut dyn Read) -> io::Result<()>;

    /// Owner and short name of the file at `path`.
    ///
    /// # Errors
    /// They cannot be told.
    fn extra(&self, path: &Path) -> io::Result<Extra>;

    /// Gives the file these, as far as this user may: owners and short names take privileges that few have.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn give(&self, path: &Path, extra: &Extra) -> io::Result<()>;
}

/// Gives the file at `to` all that the one at `from` has.
///
/// # Errors
/// As [`Extras`].
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for stream in System.streams(from)? {
        let mut bytes = Checked::new(System.read(from, &stream.name)?);
        System.write(to, &stream.name, &mut bytes)?;
        bytes.finish()?;
    }
    let extra = System.extra(from)?;
    if extra == Extra::default() {
        return Ok(());
    }
    System.give(to, &extra)
}

/// Whether two files have the same streams with the same bytes.
///
/// # Errors
/// As [`Extras`].
pub(crate) fn same_streams(first: &Path, second: &Path) -> io::Result<bool> {
    let sorted = |path| {
        let mut all = System.streams(path)?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok::<_, io::Error>(all)
    };
    let all = sorted(first)?;
    if all != sorted(second)? {
        return Ok(false);
    }
    for stream in all {
        let bytes = |path| {
            let mut all = Vec::new();
            System.read(path, &stream.name)?.read_to_end(&mut all)?;
            Ok::<_, io::Error>(all)
        };
        if bytes(first)? != bytes(second)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps the error by which a source ended.
struct Checked<R> {
    source: R,
    failed: Option<io::Error>,
}

impl<R: Read> Checked<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            failed: None,
        }
    }

    fn finish(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.source.read(bytes).or_else(|error| {
            self.failed = Some(error);
            Ok(0)
        })
    }
}

/// Whether `text` is an owner and nothing else, in the letters of SDDL (MS-DTYP 2.5.1).
pub(crate) fn is_owner(text: &str) -> bool {
    const LONGEST: usize = 200;
    let sid = text.strip_prefix("O:").unwrap_or_default();
    let plain = sid
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    !sid.is_empty() && text.len() <= LONGEST && plain
}

/// Why `name` can be no short name; nothing when it can.
pub(crate) fn short_fault(name: &str) -> Option<&'static str> {
    /// Eight, a dot and three (MS-FSCC 2.1.5.2.1).
    const LONGEST: usize = 12;
    if name.encode_utf16().count() > LONGEST || name.contains([' ', '/']) {
        return Some("its short name is none");
    }
    crate::archive::name_fault(name).map(|_| "its short name is none")
}

/// Why `name` can be no stream's; nothing when it can ("Naming Files, Paths, and Namespaces": characters
/// from 1 to 31 may be in it).
pub(crate) fn stream_fault(name: &str) -> Option<&'static str> {
    const LONGEST: usize = 255;
    let bad = name.contains(['\\', '/', ':', '\0']) || name.encode_utf16().count() > LONGEST;
    (name.is_empty() || bad).then_some("the name of its stream is none")
}

/// On the build machine files have nothing more, but in tests.
#[cfg(not(any(windows, test)))]
pub(crate) struct System;

#[cfg(not(any(windows, test)))]
impl Extras for System {
    fn streams(&self, _path: &Path) -> io::Result<Vec<Stream>> {
        Ok(Vec::new())
    }

    fn read(&self, _path: &Path, _stream: &str) -> io::Result<Box<dyn Read>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn write(&self, _path: &Path, _stream: &str, _bytes: &mut dyn Read) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn extra(&self, _path: &Path) -> io::Result<Extra> {
        Ok(Extra::default())
    }

    fn give(&self, _path: &Path, _extra: &Extra) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_judged() {
        assert!(is_owner("O:BA") && is_owner("O:S-1-5-21-1-2-3-1000"));
        for bad in ["", "O:", "BA", "O:BAG:BA", "O:BAD:(A;;FA;;;WD)", "O:BA\0"] {
            assert!(!is_owner(bad), "{bad}");
        }
        assert_eq!(short_fault("PROGRA~1.TXT"), None);
        for bad in ["", "..", "a/b", "CON", "A B.TXT", "LONGNAME.TEXT", "a:b"] {
            assert!(short_fault(bad).is_some(), "{bad}");
        }
        assert_eq!(stream_fault("Zone.Identifier"), None);
        assert_eq!(stream_fault("\u{5}SummaryInformation"), None);
        for bad in ["", "a:b", "a/b", "a\\b", "\0", &"x".repeat(256)] {
            assert!(stream_fault(bad).is_some(), "{bad:?}");
        }
    }
}
