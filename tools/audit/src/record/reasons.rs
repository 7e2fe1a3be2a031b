//! Owns the list of what may stand on one side only, in the server's log or in the record, each with its reason. A line
//! that never matched is reported.

use super::Gap;
use crate::pass::matches;
use serde::Deserialize;

/// Which of the two witnesses has something that the other does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The server's log.
    Log,
    /// The record.
    Record,
}

impl Side {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Side::Log => "log",
            Side::Record => "record",
        }
    }
}

/// One line of the list. Patterns are as in the pass list; what is absent is anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Who has it.
    pub only_in: Side,
    /// The request or the system call.
    #[serde(default)]
    pub call: Option<String>,
    /// Kind of object, or the verdict.
    #[serde(default)]
    pub kind: Option<String>,
    /// The name, of the log with its root and links resolved; `{program}` is the program's file name.
    #[serde(default)]
    pub name: Option<String>,
    /// The NTSTATUS of an event, 8 hexadecimal digits.
    #[serde(default)]
    pub status: Option<String>,
    /// Why it is not in the other.
    pub reason: String,
    /// Only for Wines whose version begins with this.
    #[serde(default)]
    pub wine: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    gap: Vec<Reason>,
}

/// The list for one Wine.
#[derive(Debug, Clone, Default)]
pub struct Reasons(Vec<Reason>);

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReasonsError {
    /// It is no list.
    #[error("tools/audit/record.toml is damaged: {0}")]
    Parse(#[from] Box<toml::de::Error>),
    /// A line has no reason.
    #[error("tools/audit/record.toml: the line for {0} has no reason")]
    NoReason(String),
}

impl Reasons {
    /// Reads the list and keeps what is for `wine`, a version like `8.0`.
    ///
    /// # Errors
    /// It is no list, or a line has no reason.
    pub fn parse(text: &str, wine: &str) -> Result<Self, ReasonsError> {
        let file: File = toml::from_str(text).map_err(Box::new)?;
        if let Some(bare) = file.gap.iter().find(|line| line.reason.trim().is_empty()) {
            return Err(ReasonsError::NoReason(bare.title()));
        }
        let of_this_wine = |line: &Reason| {
            let version = line.wine.as_deref();
            version.is_none_or(|version| wine.starts_with(version))
        };
        Ok(Reasons(file.gap.into_iter().filter(of_this_wine).collect()))
    }

    /// The number of the first line that has the gap.
    pub fn find(&self, side: Side, gap: &Gap) -> Option<usize> {
        let fits = |pattern: &Option<String>, text: &str| {
            let own = |pattern: &str| pattern.replace("{program}", &gap.process);
            let has = |pattern: &str| pattern.split('|').any(|one| matches(&own(one), text));
            pattern.as_deref().is_none_or(has)
        };
        self.0.iter().position(|line| {
            line.only_in == side
                && fits(&line.call, &gap.call)
                && fits(&line.kind, &gap.kind)
                && fits(&line.name, &gap.name)
                && fits(&line.status, &gap.status)
        })
    }

    /// All lines in force.
    pub fn all(&self) -> &[Reason] {
        &self.0
    }
}

impl Reason {
    /// What it is about, for people.
    pub fn title(&self) -> String {
        let any = |text: &Option<String>| text.clone().unwrap_or_else(|| "*".into());
        let (call, kind, name) = (any(&self.call), any(&self.kind), any(&self.name));
        format!("{} {call} {kind} {name}", self.only_in.word())
    }
}
