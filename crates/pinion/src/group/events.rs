//! What happened in a group: a JSON line each, in a file that is bounded.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// At this size the file becomes the older one, and a new one begins.
const MOST: u64 = 8 << 20;
/// The longest detail in characters: it may hold what a replica said.
const LONGEST: usize = 500;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// `up`, `ready`, `serving`, `draining`, `discarded`, `gone`, `backoff`, `undecided`, `not_removed`, `scaled`,
    /// `rejuvenate`, `below_minimum`, `down`.
    pub event: String,
    /// The replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<u32>,
    /// Why, in a word: `crashed`, `unhealthy`, `disagreed`, `late`, `changed`, `grown`, `not_started`, `not_healthy`,
    /// `rejuvenated`, `down`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What was seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The folder of evidence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub evidence: String,
    /// The replica's age in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
}

impl Told {
    /// An event of now.
    pub fn now(event: &str) -> Self {
        Self {
            at_ms: now_ms(),
            event: event.into(),
            ..Self::default()
        }
    }

    /// Of this replica.
    pub fn of(event: &str, replica: u32) -> Self {
        Self {
            replica: Some(replica),
            ..Self::now(event)
        }
    }

    /// With what was seen.
    pub fn detail(mut self, detail: &str) -> Self {
        let plain = detail.chars().map(|c| if c.is_control() { ' ' } else { c });
        self.detail = plain.take(LONGEST).collect();
        self
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The file, for writing.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: Option<File>,
    size: u64,
}

impl Events {
    /// Goes on with the file.
    pub fn open(path: PathBuf) -> Self {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .ok();
        let size = fs::metadata(&path).map_or(0, |file| file.len());
        Self { path, file, size }
    }

    /// Writes an event. One that cannot be written is lost: the group goes on.
    pub fn write(&mut self, told: &Told) {
        let Ok(mut line) = serde_json::to_vec(told) else {
            return;
        };
        line.push(b'\n');
        if self.size > MOST {
            self.file = None;
            let _ = fs::rename(&self.path, older(&self.path));
            *self = Self::open(self.path.clone());
        }
        if let Some(file) = &mut self.file
            && file.write_all(&line).is_ok()
        {
            self.size += line.len() as u64;
        }
    }
}

/// The file before this one.
pub fn older(path: &Path) -> PathBuf {
    path.with_extension("old.jsonl")
}
