//! The file of a VM's events (docs/TRACE.md): written by its supervisor, read by who asks.
//!
//! What another part of Pinion wants to know of what a VM did is asked here: [`each`] and [`since`].
//! Everything in the file was caused by programs inside the VM.

mod reader;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pinion_store::Vm;
use pinion_trace::Entry;
use pinion_trace::file::{MAGIC, append};

pub use reader::{Piece, Reader, each, since};

/// How large a file may become before it is put aside, in bytes. There are two at most.
pub const MOST_BYTES: u64 = 64 << 20;

/// The supervisor's end of the file.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    older: PathBuf,
    file: File,
    size: u64,
    most: u64,
    next: u64,
    begin: Begin,
    /// The processes that live, by id, with the paths of their programs.
    processes: BTreeMap<u32, String>,
}

/// Whose events they are.
#[derive(Debug, Clone)]
struct Begin {
    vm: String,
    id: String,
}

impl Writer {
    /// Opens the file to go on with it: what is damaged at its end is cut off.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub(crate) fn open(vm: &Vm, time: u64) -> io::Result<Self> {
        let begin = Begin {
            vm: vm.name().to_string(),
            id: vm.id().to_string(),
        };
        Self::open_at(vm.events(), vm.older_events(), begin, MOST_BYTES, time)
    }

    fn open_at(
        path: PathBuf,
        older: PathBuf,
        begin: Begin,
        most: u64,
        time: u64,
    ) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        let (last, size) = whole(&path)?;
        let (last_before, _) = whole(&older).unwrap_or_default();
        let next = last.max(last_before) + 1;
        file.set_len(size)?;
        file.seek(SeekFrom::Start(size))?;
        let mut writer = Self {
            path,
            older,
            file,
            size,
            most,
            next,
            begin,
            processes: BTreeMap::new(),
        };
        writer.begin(time)?;
        Ok(writer)
    }

    fn begin(&mut self, time: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        if self.size == 0 {
            bytes.extend_from_slice(&MAGIC);
        }
        let (vm, id) = (self.begin.vm.as_str().into(), self.begin.id.as_str().into());
        append(&Entry::Begin { vm, id, time }, &mut bytes);
        for (process, image) in &self.processes {
            let (process, image) = (*process, image.as_str().into());
            append(&Entry::Process { process, image }, &mut bytes);
        }
        self.put(&bytes)
    }

    /// The number for the next event.
    pub(crate) fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Takes note of a process whose entry is in what is written next.
    pub(crate) fn lives(&mut self, process: u32, image: &str) {
        self.processes.insert(process, image.into());
    }

    /// Takes note of a process's end.
    pub(crate) fn ended(&mut self, process: u32) {
        self.processes.remove(&process);
    }

    /// Writes whole frames, into a new file when this one is full.
    ///
    /// # Errors
    /// They cannot be written; the file has none of them then.
    pub(crate) fn write(&mut self, frames: &[u8], time: u64) -> io::Result<()> {
        if self.size + frames.len() as u64 > self.most {
            self.put_aside(time)?;
        }
        self.put(frames)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(bytes);
        if written.is_err() {
            // A part of a frame would be the end of all that follows.
            let _ = self.file.set_len(self.size);
            let _ = self.file.seek(SeekFrom::Start(self.size));
            return written;
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn put_aside(&mut self, time: u64) -> io::Result<()> {
        let _ = std::fs::remove_file(&self.older);
        std::fs::rename(&self.path, &self.older)?;
        self.file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(&self.path)?;
        self.size = 0;
        self.begin(time)
    }
}

/// The highest number in a file, and how many bytes of it are whole.
fn whole(path: &Path) -> io::Result<(u64, u64)> {
    let mut reader = Reader::of_file(path);
    let mut last = 0;
    let mut look = |entry: &Entry<'_>| {
        if let Entry::Event(event) = entry {
            last = last.max(event.number);
        }
    };
    while reader.read(&mut look)? == Piece::More {}
    Ok((last, reader.whole()))
}

#[cfg(test)]
mod tests {
    use super::reader::all;
    use super::*;
    use pinion_trace::{Event, Filter};
    use pinion_wire::trace::{Record, call};

    fn writer(folder: &Path, most: u64) -> Writer {
        let begin = Begin {
            vm: "web".into(),
            id: "1".into(),
        };
        let paths = (folder.join("events"), folder.join("events.1"));
        Writer::open_at(paths.0, paths.1, begin, most, 5).unwrap()
    }

    fn reader(folder: &Path) -> Reader {
        let older = Some(folder.join("events.1")).filter(|path| path.exists());
        Reader::new(folder.join("events"), older)
    }

    fn put(writer: &mut Writer, count: usize) {
        for _ in 0..count {
            let number = writer.number();
            let record = Record {
                call: call("NtOpenEvent"),
                ..Record::EMPTY
            };
            let event = Event::of(&record, 8, number, 7, 0);
            let mut bytes = Vec::new();
            append(&Entry::Event(event), &mut bytes);
            writer.write(&bytes, 6).unwrap();
        }
    }

    fn numbers(folder: &Path) -> Vec<u64> {
        let all = all(reader(folder), &Filter::default(), 10_000).unwrap();
        all.iter().map(|event| event.number).collect()
    }

    #[test]
    fn what_was_torn_off_is_cut_off_and_numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        put(&mut writer(folder.path(), 1 << 20), 3);
        let path = folder.path().join("events");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();
        put(&mut writer(folder.path(), 1 << 20), 2);
        // The third was torn, so its number is free again.
        assert_eq!(numbers(folder.path()), [1, 2, 3, 4]);
    }

    #[test]
    fn a_full_file_is_put_aside_and_a_reader_follows() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path(), 2000);
        writer.lives(8, "a.exe");
        let mut reader = reader(folder.path());
        let (mut got, mut images) = (Vec::new(), 0);
        for _ in 0..40 {
            put(&mut writer, 5);
            while let Piece::More = reader
                .read(|entry| match entry {
                    Entry::Event(event) => got.push(event.number),
                    Entry::Process { .. } => images += 1,
                    _ => (),
                })
                .unwrap()
            {}
        }
        assert_eq!(got, (1..=200).collect::<Vec<u64>>());
        assert!(images >= 1);
        let kept = numbers(folder.path());
        assert_eq!(kept.last(), Some(&200));
        assert!(kept.len() < 200);
        assert!(
            std::fs::metadata(folder.path().join("events"))
                .unwrap()
                .len()
                <= 2000
        );
    }

    #[test]
    fn a_file_of_something_else_is_damaged_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("events"), b"something else").unwrap();
        let mut before = reader(folder.path());
        assert_eq!(before.read(|_| ()).unwrap(), Piece::Damaged);
        put(&mut writer(folder.path(), 1 << 20), 1);
        assert_eq!(numbers(folder.path()), [1]);
    }
}
