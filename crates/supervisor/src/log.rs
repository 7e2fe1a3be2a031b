//! The supervisor's log: `logs\supervisor.log` of the VM.
//!
//! The file can be let go before the process ends, so that a VM can be removed by its own supervisor.
//! Lines caused from inside are bounded in length and number: a guest must not fill the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pinion_store::Vm;
use tracing_subscriber::fmt::MakeWriter;

use crate::error::{Error, Result};

/// The most bytes per run: programs inside can cause lines of many kinds.
const MOST_BYTES: usize = 32 << 20;
/// The most lines from inside per run.
const MOST_GUEST_LINES: u32 = 10_000;
/// The longest piece of a line from inside, in characters.
const LONGEST_GUEST_TEXT: usize = 1024;

/// The log file; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<Mutex<Option<Open>>>);

#[derive(Debug)]
struct Open {
    file: File,
    /// How many bytes may still be written.
    room: usize,
}

impl Log {
    /// Opens the VM's log and makes it the process's.
    pub(crate) fn start(vm: &Vm) -> Result<Self> {
        let log = Self::open(&vm.supervisor_log())?;
        // A second start in one process keeps the first: only tests do so.
        let _ = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_target(false)
            .with_writer(log.clone())
            .try_init();
        Ok(log)
    }

    fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let what = || format!("open the log {}", path.display());
        let file = file.map_err(|why| Error::system(what(), why))?;
        let room = MOST_BYTES;
        Ok(Self(Arc::new(Mutex::new(Some(Open { file, room })))))
    }

    /// Lets the file go; later lines are dropped.
    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match log.as_mut() {
            Some(log) if bytes.len() <= log.room => {
                log.room -= bytes.len();
                log.file.write(bytes)
            }
            _ => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Writes a line that a program inside caused: its texts are made harmless and the lines counted.
pub(crate) fn guest_line(pid: u32, what: &str, why: &str, status: i32) {
    static LINES: AtomicU32 = AtomicU32::new(0);
    match LINES.fetch_add(1, Ordering::Relaxed) {
        n if n < MOST_GUEST_LINES => {
            let (what, why) = (harmless(what), harmless(why));
            tracing::warn!(pid, "refused {what}: {why} (status {status:#010x})");
        }
        MOST_GUEST_LINES => tracing::warn!("too many lines from inside; further ones are dropped"),
        // Holds the counter below its overflow.
        _ => LINES.store(MOST_GUEST_LINES + 1, Ordering::Relaxed),
    }
}

/// The text without control characters and not too long.
fn harmless(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(LONGEST_GUEST_TEXT).map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_inside_are_made_harmless() {
        assert_eq!(harmless("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(harmless(&"x".repeat(5000)).len(), LONGEST_GUEST_TEXT);
    }

    #[test]
    fn a_full_log_takes_lines_and_drops_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut log = Log::open(&path).unwrap();
        let line = vec![b'x'; MOST_BYTES / 4 + 1];
        for _ in 0..5 {
            log.write_all(&line).unwrap();
        }
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            3 * line.len() as u64
        );
    }

    #[test]
    fn a_closed_log_takes_lines_and_drops_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut log = Log::open(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        log.close();
        log.write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\n");
    }
}
