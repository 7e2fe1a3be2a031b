//! Takes the records of members out of their rings and keeps them as events.
//!
//! One thread, as long as somebody wants events: the VM was made with `--trace`, or somebody looked
//! within the last seconds. Whatever is in the rings is hostile: a ring belongs to a process if the
//! kernel says that it is a member, and a record is copied before it is looked at.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pinion_store::View;
use pinion_trace::event::Texts;
use pinion_trace::file::append;
use pinion_trace::{Entry, Event};
use pinion_wire::trace::{
    Head, Heads, Next, RING_SIZE, RINGS, RINGS_AT, Reader, Record, Ring, SECTION_SIZE, SLOTS,
};

use windows_sys::Win32::System::Threading::Sleep;

use crate::error::Result;
use crate::events::Writer;
use crate::keeper::Keeper;
use crate::process::Process;
use crate::section::Section;
use crate::system::is_wine;

/// How often is looked, when little and when much comes. A ring that nobody looked at for the first of them is not
/// full yet when a program does nothing but ask (some 30,000 calls a second on Wine).
const PAUSE: Duration = Duration::from_millis(20);
const SHORT: Duration = Duration::from_millis(5);
/// How much waits to be written at most, in bytes, and how long.
const MOST_BYTES: usize = 1 << 18;
const LONGEST: Duration = Duration::from_millis(100);
/// How long a record may be half written: then whoever writes it has died or sleeps.
const UNFINISHED: Duration = Duration::from_secs(2);
/// How many looks lie between two for processes that have ended.
const LOOKS: u32 = 10;

/// What a VM records in, and who wants it.
#[derive(Debug)]
pub(crate) struct Recorder {
    section: Section,
    wanted: Mutex<Wanted>,
    /// Which rings have memory in this process.
    committed: [AtomicBool; RINGS],
    /// Events since the VM's start.
    pub events: AtomicU64,
    /// Those that were lost.
    pub lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Wanted {
    always: bool,
    until: Option<Instant>,
    is_over: bool,
    thread: Option<JoinHandle<()>>,
    runs: bool,
}

impl Wanted {
    fn now(&self) -> bool {
        !self.is_over && (self.always || self.until.is_some_and(|until| Instant::now() < until))
    }
}

impl Recorder {
    /// The section; only its begin is backed by memory.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            section: Section::reserved(SECTION_SIZE, RINGS_AT, "the VM's records")?,
            wanted: Mutex::default(),
            committed: [const { AtomicBool::new(false) }; RINGS],
            events: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        })
    }

    pub(crate) fn section(&self) -> &Section {
        &self.section
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether members record now.
    pub(crate) fn is_on(&self) -> bool {
        self.wanted().runs
    }

    fn heads(&self) -> Option<&Heads> {
        // SAFETY: the heads are atomics only, and a fresh section is zeros.
        unsafe { self.section.shared() }
    }

    /// A ring, which has memory here once it has been asked for.
    fn ring(&self, index: usize) -> Option<&Ring> {
        let at = RINGS_AT + index * RING_SIZE;
        let committed = self.committed.get(index)?;
        if !committed.load(Ordering::Relaxed) {
            self.section.commit(at, RING_SIZE).ok()?;
            committed.store(true, Ordering::Relaxed);
        }
        // SAFETY: a ring is atomics only, and fresh memory is zeros.
        unsafe { self.section.shared_at(at) }
    }
}

impl Keeper {
    /// Records for that long from now; for ever if none is given. Members record when this returns: nothing of a
    /// program that starts afterwards is missing.
    pub(crate) fn record(self: &Arc<Self>, time: Option<Duration>) {
        let (begun, begins) = mpsc::channel();
        {
            let mut wanted = self.recorder().wanted();
            match time {
                None => wanted.always = true,
                Some(time) => wanted.until = wanted.until.max(Some(Instant::now() + time)),
            }
            if wanted.runs || wanted.is_over {
                return;
            }
            let keeper = Arc::clone(self);
            let spawned = thread::Builder::new()
                .stack_size(512 * 1024)
                .spawn(move || keeper.keep_recording(begun));
            match spawned {
                Ok(thread) => (wanted.thread, wanted.runs) = (Some(thread), true),
                Err(error) => tracing::warn!(%error, "no thread to record with"),
            }
        }
        // Not sent to by a thread that could not begin, or that there is not.
        let _ = begins.recv();
    }

    /// Keeps what was recorded up to now, and records no more.
    pub(crate) fn end_recording(&self) {
        let thread = {
            let mut wanted = self.recorder().wanted();
            wanted.is_over = true;
            wanted.thread.take()
        };
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    fn switch(&self, on: bool) {
        if let Some(tally) = self.tally() {
            tally.recording.store(u64::from(on), Ordering::Relaxed);
        }
    }

    fn keep_recording(&self, begun: mpsc::Sender<()>) {
        match Writer::open(self.vm(), now()) {
            Ok(writer) => self.drain(writer, begun),
            Err(error) => {
                tracing::error!(%error, "the file of events cannot be opened");
                self.recorder().wanted().runs = false;
            }
        }
    }

    fn drain(&self, writer: Writer, begun: mpsc::Sender<()>) {
        let mut drain = Drain::new(self, writer);
        self.switch(true);
        let _ = begun.send(());
        loop {
            let is_wanted = {
                let mut wanted = self.recorder().wanted();
                let now = wanted.now();
                // Under the lock, so that who wants more finds that it runs, or starts it.
                if !now {
                    self.switch(false);
                    wanted.runs = wanted.is_over;
                }
                now
            };
            let most = drain.look();
            if !is_wanted {
                drain.flush();
                return;
            }
            drain.flush_in_time();
            pause(if most > SLOTS / 8 { SHORT } else { PAUSE });
        }
    }
}

/// Waits. On Wine the standard library's way to do so asks the server four times, and each time takes
/// the processor from who is recorded.
fn pause(time: Duration) {
    if is_wine() {
        // SAFETY: takes a number.
        unsafe { Sleep(time.as_millis() as u32) };
    } else {
        sleep(time);
    }
}

/// The supervisor's place in one ring.
#[derive(Default)]
struct Place {
    reader: Reader,
    owner: Option<Process>,
    /// Since when the next record is half written.
    unfinished: Option<Instant>,
}

struct Drain<'k> {
    keeper: &'k Keeper,
    writer: Writer,
    places: HashMap<usize, Place>,
    bytes: Vec<u8>,
    /// The record that was taken last, and its names.
    record: Box<Record>,
    texts: Texts,
    flushed: Instant,
    clock: Clock,
    looks: u32,
}

impl<'k> Drain<'k> {
    fn new(keeper: &'k Keeper, writer: Writer) -> Self {
        let mut places: HashMap<usize, Place> = HashMap::new();
        if let Some(heads) = keeper.recorder().heads() {
            // Members' numbers go on from where they were before.
            for (index, head) in heads.heads.iter().enumerate() {
                let reader = Reader::from_now(head);
                places.insert(
                    index,
                    Place {
                        reader,
                        ..Place::default()
                    },
                );
            }
        }
        Self {
            keeper,
            writer,
            places,
            bytes: Vec::new(),
            record: Box::new(Record::EMPTY),
            texts: Texts::default(),
            flushed: Instant::now(),
            clock: Clock::new(),
            looks: 0,
        }
    }

    /// Takes what is there; how many records the fullest ring had.
    fn look(&mut self) -> usize {
        let keeper = self.keeper;
        let Some(heads) = keeper.recorder().heads() else {
            return 0;
        };
        self.clock.look();
        self.looks = self.looks.wrapping_add(1);
        let mut most = 0;
        for (index, head) in heads.heads.iter().enumerate() {
            let owner = head.owner.load(Ordering::Acquire);
            if owner != 0 {
                most = most.max(self.take(index, head, owner));
            }
        }
        self.tell_lost(0, &heads.unplaced);
        most
    }

    fn take(&mut self, index: usize, head: &Head, owner: u64) -> usize {
        let mut place = self.places.remove(&index).unwrap_or_default();
        let count = self.take_from(&mut place, index, head, owner);
        self.places.insert(index, place);
        count
    }

    fn take_from(&mut self, place: &mut Place, index: usize, head: &Head, owner: u64) -> usize {
        let pid = u32::try_from(owner).unwrap_or(0);
        if place.owner.as_ref().is_none_or(|owner| owner.pid() != pid) {
            place.owner = self.meet(pid);
        }
        let Some(ring) = self.keeper.recorder().ring(index) else {
            return 0;
        };
        let is_over = match &place.owner {
            Some(owner) => self.looks.is_multiple_of(LOOKS) && owner.wait(Some(Duration::ZERO)),
            // No member, or one that has ended already.
            None => true,
        };
        let mut count = 0;
        while count < SLOTS {
            match place.reader.next(head, ring, &mut self.record) {
                Next::Empty => break,
                Next::Record => self.keep(pid),
                Next::Damaged => self.lose(pid, 1),
                Next::Unfinished => {
                    let since = *place.unfinished.get_or_insert_with(Instant::now);
                    if !is_over && since.elapsed() < UNFINISHED {
                        break;
                    }
                    place.reader.skip(head);
                    self.lose(pid, 1);
                }
            }
            place.unfinished = None;
            count += 1;
        }
        self.tell_lost(pid, &head.lost);
        if is_over && count < SLOTS {
            place.reader = Reader::from_now(head);
            place.owner = None;
            self.writer.ended(pid);
            // Only if it still has it: nobody else can.
            let order = Ordering::AcqRel;
            let _ = head
                .owner
                .compare_exchange(owner, 0, order, Ordering::Relaxed);
        }
        count
    }

    /// The process of this id, if it is a member; its program is told.
    fn meet(&mut self, pid: u32) -> Option<Process> {
        let process = Process::open_member(pid).ok()?;
        if !self.keeper.job().contains(&process) {
            return None;
        }
        let image = process.image_in(&View::of_vm(self.keeper.vm()));
        let entry = Entry::Process {
            process: pid,
            image: image.as_str().into(),
        };
        append(&entry, &mut self.bytes);
        self.writer.lives(pid, &image);
        Some(process)
    }

    /// Keeps the record that was taken.
    fn keep(&mut self, pid: u32) {
        let times = self.clock.times(&self.record);
        let number = self.writer.number();
        let event = Event::with(&self.record, pid, number, times, &mut self.texts);
        append(&Entry::Event(event), &mut self.bytes);
        self.keeper
            .recorder()
            .events
            .fetch_add(1, Ordering::Relaxed);
        if self.bytes.len() > MOST_BYTES {
            self.flush();
        }
    }

    fn tell_lost(&mut self, pid: u32, lost: &AtomicU64) {
        if lost.load(Ordering::Relaxed) != 0 {
            self.lose(pid, lost.swap(0, Ordering::Relaxed));
        }
    }

    fn lose(&mut self, process: u32, count: u64) {
        append(&Entry::Lost { process, count }, &mut self.bytes);
        let lost = &self.keeper.recorder().lost;
        // A member can say any number.
        let _ = lost.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |lost| {
            Some(lost.saturating_add(count))
        });
    }

    fn flush_in_time(&mut self) {
        if self.flushed.elapsed() >= LONGEST {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.flushed = Instant::now();
        if self.bytes.is_empty() {
            return;
        }
        if let Err(error) = self.writer.write(&self.bytes, now()) {
            tracing::warn!(%error, "events could not be kept");
            self.keeper.recorder().lost.fetch_add(1, Ordering::Relaxed);
        }
        self.bytes.clear();
    }
}

/// Makes times of the processor's time stamps, by the system's clock.
struct Clock {
    from: (u64, u64),
    to: (u64, u64),
    /// Nanoseconds of a stamp, in parts of 2^32.
    scale: u128,
}

/// Microseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Clock {
    /// Measures how fast the stamps go, which takes a few milliseconds.
    fn new() -> Self {
        let from = (stamp(), now());
        sleep(Duration::from_millis(10));
        let mut clock = Self {
            from,
            to: from,
            scale: 0,
        };
        clock.look();
        clock
    }

    fn look(&mut self) {
        self.to = (stamp(), now());
        let took = u128::from(self.to.1.saturating_sub(self.from.1)) * 1000;
        let passed = u128::from(self.to.0.saturating_sub(self.from.0)).max(1);
        self.scale = (took << 32) / passed;
    }

    /// Nanoseconds of so many stamps.
    fn nanoseconds(&self, stamps: u64) -> u64 {
        u64::try_from(u128::from(stamps).saturating_mul(self.scale) >> 32).unwrap_or(u64::MAX)
    }

    /// When a record's call began, in microseconds since 1970, and its nanoseconds. What makes no sense
    /// is now.
    fn times(&self, record: &Record) -> (u64, u64) {
        let ago = self.nanoseconds(self.to.0.saturating_sub(record.begin)) / 1000;
        let time = self.to.1.saturating_sub(ago);
        (time, self.nanoseconds(record.duration))
    }
}

fn stamp() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { std::arch::x86_64::_rdtsc() }
}
