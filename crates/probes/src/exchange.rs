//! What `pinion verify` and a player say to one another: one line of JSON each
//! way, on the player's standard input and output.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a server tells those that try to reach it: numbers, paths, addresses.
pub type Facts = BTreeMap<String, String>;

/// What a player is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Make the probe's thing and keep it.
    Serve,
    /// Try to get at it.
    Reach,
    /// Tell whether the client with this token did something to it.
    Check,
    /// Give it up.
    Drop,
}

/// The real places of a VM; all empty for the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The directory of its kernel objects, an NT path.
    pub objects: String,
    /// What goes before the names of its pipes and mailslots.
    pub pipes: String,
    /// The folder of its changed files.
    pub files: String,
    /// The key of its changed keys, an NT path.
    pub keys: String,
    /// Its loopback address.
    pub address: String,
    /// The process id of its supervisor.
    pub supervisor: u32,
    /// Its id.
    pub id: String,
}

/// One line to a player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// What to do.
    pub task: Task,
    /// The probe.
    pub probe: String,
    /// The way.
    pub way: String,
    /// A name that nothing else in the system has.
    pub name: String,
    /// What the server hides.
    pub secret: u32,
    /// What the client leaves.
    pub token: u32,
    /// What the server told.
    pub facts: Facts,
    /// Where the server is.
    pub place: Place,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// The server's own: the token was read, or the effect was felt. As the
    /// answer to [`Task::Serve`]: it is there.
    Got,
    /// Something, but not the server's.
    Other(String),
    /// A status.
    Refused(String),
    /// This system does not have it.
    Missing(String),
    /// No answer: the player crashed or hung.
    Broken(String),
}

impl Seen {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Got => "reached".into(),
            Self::Other(what) => format!("something else: {what}"),
            Self::Refused(why) => why.clone(),
            Self::Missing(what) => format!("not there: {what}"),
            Self::Broken(why) => format!("no answer: {why}"),
        }
    }
}

/// One line of a player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What came of it.
    pub seen: Seen,
    /// What a server tells.
    pub facts: Facts,
}

/// The answer in a line of a player.
#[must_use]
pub fn read_answer(line: &str) -> Answer {
    serde_json::from_str(line.trim()).unwrap_or_else(|error| Answer {
        seen: Seen::Broken(format!("an answer that cannot be read: {error}")),
        facts: Facts::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn garbage_is_a_broken_player(line in ".*") {
            let answer = read_answer(&line);
            prop_assert!(matches!(answer.seen, Seen::Broken(_)));
        }

        #[test]
        fn an_answer_comes_as_it_was_given(text in ".*", key in "[a-z]+", value in ".*") {
            let answer = Answer {
                seen: Seen::Refused(text),
                facts: Facts::from([(key, value)]),
            };
            let line = serde_json::to_string(&answer).expect("JSON");
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(read_answer(&line), answer);
        }
    }
}
