//! The table of what was found, for people and machines.

use crate::kind::Kind;
use crate::probe::{By, Probe, Way};
use crate::verdict::{Sights, verdict};
use pinion_channels::{Channel, State};
use serde::Serialize;

/// How a way came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Result {
    /// As it has to be.
    Ok,
    /// Not as it has to be.
    Fail,
    /// Not there on this system, not shown to work on it, or not asked here.
    Absent,
}

impl Result {
    /// Of two parts of one thing: a failure of either is one of the whole.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Ok, _) | (_, Self::Ok) => Self::Ok,
            (Self::Absent, Self::Absent) => Self::Absent,
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Absent => "absent",
        }
    }
}

/// One way of one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The channel, by its name in the catalogue.
    pub channel: String,
    /// Probe, way, and who tried it.
    pub way: String,
    /// Works inside as on the host.
    pub inside: Result,
    /// Closed between VMs.
    pub across: Result,
    /// Closed between VM and host.
    pub host: Result,
    /// All of it.
    pub result: Result,
    /// Why it is not ok.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What to do about a failure.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub todo: String,
}

/// All that was found on one system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The Wine, or none on Windows.
    pub wine: Option<String>,
    /// A row for each way.
    pub rows: Vec<Row>,
}

impl Row {
    /// The row of what was seen.
    #[must_use]
    pub fn new(probe: &Probe, way: &Way, by: By, sights: &Sights) -> Self {
        let verdict = verdict(way.kind, sights);
        let failed = verdict.result == Result::Fail;
        Self {
            channel: probe.channel.to_string(),
            way: format!("{} {}{}", probe.name, way.name, by.words()),
            inside: verdict.inside,
            across: verdict.across,
            host: verdict.host,
            result: verdict.result,
            detail: verdict.detail,
            todo: if failed {
                todo(probe.channel, way.kind, verdict.inside).into()
            } else {
                String::new()
            },
        }
    }
}

/// What a user can do about a failure.
fn todo(channel: Channel, kind: Kind, inside: Result) -> &'static str {
    if inside == Result::Fail {
        return "a program that needs this may fail in a VM: run it outside, and report it";
    }
    match (channel.about().state, kind) {
        (State::Open, _) => {
            "this channel is not confined in this release: do not put together what must not meet by it"
        }
        (State::Partly, _) => {
            "a part of this channel is not confined in this release: pinion channels tells which"
        }
        (State::Confined, _) => "this should be closed: report it, and do not rely on this channel",
    }
}

impl Report {
    /// How many rows came out as `result`.
    #[must_use]
    pub fn count(&self, result: Result) -> usize {
        self.rows.iter().filter(|row| row.result == result).count()
    }

    /// The last line of the table.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { rows, .. } = self;
        let [ok, fail, absent] =
            [Result::Ok, Result::Fail, Result::Absent].map(|result| self.count(result));
        format!(
            "{} ways: {ok} ok, {fail} fail, {absent} absent on this system\n",
            rows.len()
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_failure_outweighs_and_nothing_is_the_least() {
        use super::Result::{Absent, Fail, Ok};
        assert_eq!(Ok.and(Fail), Fail);
        assert_eq!(Absent.and(Ok), Ok);
        assert_eq!(Absent.and(Absent), Absent);
        assert_eq!(Fail.and(Absent), Fail);
    }
}
