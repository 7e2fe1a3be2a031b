//! The reader of the files of events, which goes on as they grow. It holds some megabytes at most, whatever
//! the files have.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pinion_store::Vm;
use pinion_trace::file::{End, Frames};
use pinion_trace::filter::State;
use pinion_trace::{Entry, Event, Filter};

/// A reader of the files of a VM, older ones first, that can go on as they grow.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    older: Option<PathBuf>,
    open: Option<Open>,
    whole: u64,
}

/// A file that is being read.
#[derive(Debug)]
struct Open {
    file: File,
    is_older: bool,
    /// Bytes that were read and not yet handed out: the begin of a frame.
    rest: Vec<u8>,
    read: u64,
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
const PIECE: u64 = 1 << 20;

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

    pub(super) fn new(path: PathBuf, older: Option<PathBuf>) -> Self {
        Self {
            path,
            older,
            open: None,
            whole: 0,
        }
    }

    /// How many bytes of the file that was read last are whole frames, its begin among them.
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    /// Hands out the next entries, those of a megabyte at most.
    ///
    /// # Errors
    /// The file cannot be read; that there is none is no error.
    pub fn read(&mut self, each: impl FnMut(&Entry<'_>)) -> io::Result<Piece> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => match self.begin()? {
                Some(open) => open,
                None => return Ok(Piece::Done),
            },
        };
        let count = open.fill()?;
        let end = open.hand_out(each);
        self.whole = open.read - open.rest.len() as u64;
        if end == End::Damaged || count == 0 {
            // Damage in an older file hides no more than that file's rest.
            if open.is_older || count == 0 && self.was_put_aside(&open) {
                return Ok(Piece::More);
            }
            self.open = Some(open);
            return Ok(if end == End::Damaged {
                Piece::Damaged
            } else {
                Piece::Done
            });
        }
        self.open = Some(open);
        Ok(Piece::More)
    }

    /// Opens the file that is next; none where there is none yet.
    fn begin(&mut self) -> io::Result<Option<Open>> {
        if let Some(older) = self.older.take() {
            return Ok(Some(Open::new(File::open(older)?, true)));
        }
        match File::open(&self.path) {
            Ok(file) => Ok(Some(Open::new(file, false))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the writer has begun another file.
    fn was_put_aside(&self, open: &Open) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|now| now.len() < open.read)
    }
}

impl Open {
    fn new(file: File, is_older: bool) -> Self {
        Self {
            file,
            is_older,
            rest: Vec::new(),
            read: 0,
            is_begun: false,
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let file = Read::by_ref(&mut self.file);
        let count = file.take(PIECE).read_to_end(&mut self.rest)?;
        self.read += count as u64;
        Ok(count)
    }

    fn hand_out(&mut self, mut each: impl FnMut(&Entry<'_>)) -> End {
        let mut frames = if self.is_begun {
            Frames::new(&self.rest)
        } else {
            Frames::of_file(&self.rest)
        };
        frames.by_ref().for_each(|entry| each(&entry));
        let (offset, end) = (frames.offset(), frames.end());
        self.is_begun |= offset > 0;
        self.rest.drain(..offset);
        end
    }
}

/// Hands out all that a VM has recorded up to now, in its order. What is damaged is left out.
///
/// # Errors
/// A file cannot be read.
pub fn each(vm: &Vm, mut each: impl FnMut(&Entry<'_>)) -> io::Result<()> {
    let mut reader = Reader::of(vm);
    while reader.read(&mut each)? == Piece::More {}
    Ok(())
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

pub(super) fn all(
    mut reader: Reader,
    filter: &Filter,
    most: usize,
) -> io::Result<Vec<Event<'static>>> {
    let mut state = State::default();
    let mut found = VecDeque::new();
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
