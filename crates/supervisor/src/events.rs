//! The file of a VM's events (docs/TRACE.md): written by its supervisor, read by who asks.
//!
//! What another part of Pinion wants to know of what a VM did is asked here: [`since`]. Everything in
//! the file was caused by programs inside the VM.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pinion_store::Vm;
use pinion_trace::file::{End, Frames, MAGIC, append};
use pinion_trace::filter::State;
use pinion_trace::{Entry, Event, Filter};

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
            .read(true)
            .write(true)
            .open(&path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file)
            .take(2 * most)
            .read_to_end(&mut bytes)?;
        let mut frames = Frames::of_file(&bytes);
        let next = last_number(&mut frames).max(last_number_of(&older)) + 1;
        let size = frames.offset() as u64;
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

fn last_number(frames: &mut Frames<'_>) -> u64 {
    let number = |entry| match entry {
        Entry::Event(event) => Some(event.number),
        _ => None,
    };
    frames.filter_map(number).max().unwrap_or(0)
}

fn last_number_of(path: &Path) -> u64 {
    let bytes = std::fs::read(path).unwrap_or_default();
    last_number(&mut Frames::of_file(&bytes))
}

/// A reader of the files of a VM, older ones first, that can go on as they grow.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Option<File>,
    /// Bytes that were read and not yet handed out: the begin of a frame.
    rest: Vec<u8>,
    read: u64,
    older: Option<PathBuf>,
    is_begun: bool,
}

/// How a piece of a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// There was something, and may be more.
    More,
    /// Nothing more is there now.
    Done,
    /// What comes is damaged: the rest of the file cannot be read.
    Damaged,
}

/// How much is read at once, in bytes.
const PIECE: u64 = 8 << 20;

impl Reader {
    /// The events of a VM.
    #[must_use]
    pub fn of(vm: &Vm) -> Self {
        let older = Some(vm.older_events()).filter(|path| path.exists());
        Self::new(vm.events(), older)
    }

    /// The events in one file.
    #[must_use]
    pub fn of_file(path: &Path) -> Self {
        Self::new(path.into(), None)
    }

    fn new(path: PathBuf, older: Option<PathBuf>) -> Self {
        Self {
            path,
            file: None,
            rest: Vec::new(),
            read: 0,
            older,
            is_begun: false,
        }
    }

    /// Hands out the next entries, those of some megabytes at most.
    ///
    /// # Errors
    /// The file cannot be read; that there is none is no error.
    pub fn read(&mut self, mut each: impl FnMut(&Entry<'_>)) -> io::Result<Piece> {
        if let Some(older) = self.older.take() {
            // Damage there hides no more than that file's rest.
            let bytes = std::fs::read(older)?;
            Frames::of_file(&bytes).for_each(|entry| each(&entry));
            return Ok(Piece::More);
        }
        if self.file.is_none() && !self.open()? {
            return Ok(Piece::Done);
        }
        let Some(file) = &mut self.file else {
            return Ok(Piece::Done);
        };
        let count = Read::by_ref(file).take(PIECE).read_to_end(&mut self.rest)?;
        self.read += count as u64;
        let mut frames = if self.is_begun {
            Frames::new(&self.rest)
        } else {
            Frames::of_file(&self.rest)
        };
        frames.by_ref().for_each(|entry| each(&entry));
        let (offset, end) = (frames.offset(), frames.end());
        self.is_begun |= offset > 0;
        self.rest.drain(..offset);
        if end == End::Damaged {
            return Ok(Piece::Damaged);
        }
        if count == 0 && self.was_put_aside() {
            (self.file, self.is_begun, self.read) = (None, false, 0);
            self.rest.clear();
            return Ok(Piece::More);
        }
        Ok(if count == 0 { Piece::Done } else { Piece::More })
    }

    fn open(&mut self) -> io::Result<bool> {
        match File::open(&self.path) {
            Ok(file) => self.file = Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Whether the writer has begun another file.
    fn was_put_aside(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|now| now.len() < self.read)
    }
}

/// The events of a VM that `filter` wants, in their order: those that are refused since number 7, say,
/// are those of `Filter { after: 7, verdicts: vec![Verdict::Refused], .. }`. At most `most`, the last
/// ones. A VM that was never recorded has none.
///
/// # Errors
/// A file cannot be read.
pub fn since(vm: &Vm, filter: &Filter, most: usize) -> io::Result<Vec<Event<'static>>> {
    all(Reader::of(vm), filter, most)
}

/// The path of the program of a process that a VM has recorded; none where it is not known.
#[must_use]
pub fn image(vm: &Vm, process: u32) -> Option<String> {
    let mut found = None;
    let mut reader = Reader::of(vm);
    let mut look = |entry: &Entry<'_>| match entry {
        Entry::Process { process: id, image } if *id == process => found = Some(image.to_string()),
        _ => (),
    };
    while reader.read(&mut look).ok()? == Piece::More {}
    found
}

fn all(mut reader: Reader, filter: &Filter, most: usize) -> io::Result<Vec<Event<'static>>> {
    let mut state = State::default();
    let mut found = std::collections::VecDeque::new();
    loop {
        let piece = reader.read(|entry| {
            state.note(filter, entry);
            if let Entry::Event(event) = entry
                && filter.wants(&state, event)
            {
                if found.len() == most {
                    found.pop_front();
                }
                found.push_back(event.clone().into_owned());
            }
        })?;
        if piece != Piece::More {
            return Ok(found.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
