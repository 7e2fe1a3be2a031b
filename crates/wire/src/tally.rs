//! Counters that the members of a VM share in one writable section. A member
//! can write anything here: figures to show, and when to look again; never to
//! decide by.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The VM's counters since its start.
#[repr(C)]
#[derive(Default)]
pub struct Tally {
    /// Not 0 while members are to record what they decide ([`crate::trace`]). The
    /// supervisor writes this; a member that does fills its own VM's rings.
    pub recording: AtomicU64,
    /// Names given a private place: objects, pipes, mailslots.
    pub names_private: AtomicU64,
    /// Opens refused by confinement.
    pub refused: AtomicU64,
    /// Processes into which an agent was placed.
    pub processes: AtomicU64,
    /// Files and keys copied up.
    pub copied_up: AtomicU64,
    /// How often a file or a directory of the upper was renamed.
    pub changes: AtomicU64,
    /// How often the upper was given a new name, a whiteout's too, in each
    /// directory, by the hash of its path. Members that remember what the layers
    /// lack do so for one count of all directories above it.
    pub names: Names,
    /// The same for all directories together.
    pub made: AtomicU64,
    /// Grows with every file hidden by the upper.
    pub files_hidden: AtomicU64,
    /// Grows with every key made in the upper or hidden by it, so that a member
    /// knows when what it knows of its handles is old. A member that writes
    /// here misleads its own VM's members only.
    pub keys_changed: AtomicU64,
    /// Grows with every key hidden, and with every link made.
    pub keys_hidden: AtomicU64,
    /// Which keys may be watched, by their names' hashes: a set of 256, to which
    /// members only add.
    pub keys_watched: [AtomicU64; 4],
    /// Grows with every change told to who watches a key.
    pub keys_rung: AtomicU64,
    /// Not 0 once a directory of the VM has been watched: members then note what
    /// could not be told from the upper alone.
    pub files_watched: AtomicU64,
    /// Where the next line of the upper's file of bases goes ([`crate::base`]),
    /// in bytes: a member takes its place there by adding the line's length.
    pub base_end: AtomicU64,
    /// How many DOS device names of its own the VM has. The supervisor writes this
    /// and the next; a member that does misleads its own VM's members only.
    pub devices: AtomicU64,
    /// Which drives are among them, a bit for each letter, A's the lowest.
    pub drives: AtomicU64,
}

/// How many counts of names there are: directories of one hash share one.
const NAMES: usize = 2048;

/// The counts of names, by directory.
#[repr(transparent)]
pub struct Names([AtomicU32; NAMES]);

impl Default for Names {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; NAMES])
    }
}

impl Names {
    /// The count of the directories whose path has this hash.
    pub fn of(&self, hash: u64) -> &AtomicU32 {
        &self.0[hash as usize % NAMES]
    }
}

impl Tally {
    /// Adds one to `counter`.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
