//! What went wrong, as a person reads it and as a script reads it: one line
//! with the cause and the remedy, and an exit code. Knows no verb.

use pinion_store::exit_code;
use std::fmt;

/// A failed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code, one of [`exit_code`] or [`USAGE`].
    pub code: i32,
    /// What failed, on what, why, and what to do.
    message: String,
}

/// The exit code of a wrong command line, clap's.
pub const USAGE: i32 = 2;

/// What a verb gives back: its exit code, or why there is none.
pub type Outcome = Result<i32, Failure>;

impl Failure {
    /// A failure with an exit code and its one line.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: one_line(&message.into()),
        }
    }

    /// A failure of Pinion's own.
    pub fn pinion(message: impl Into<String>) -> Self {
        Self::new(exit_code::PINION, message)
    }
}

impl From<pinion_store::Error> for Failure {
    fn from(error: pinion_store::Error) -> Self {
        let code = match error {
            pinion_store::Error::BadName { .. } => USAGE,
            _ => error.exit_code(),
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(windows)]
impl From<pinion_supervisor::Error> for Failure {
    fn from(error: pinion_supervisor::Error) -> Self {
        match error {
            pinion_supervisor::Error::Store(error) => error.into(),
            error => Self::new(error.exit_code(), error.to_string()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Causes come from the system too, whose messages may end in a line break.
fn one_line(text: &str) -> String {
    text.split(['\r', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::pinion("cannot do it: access\r\ndenied\r\n");
        assert_eq!(failure.to_string(), "cannot do it: access denied");
    }

    #[test]
    fn a_bad_name_is_a_wrong_command_line() {
        let error = "no name"
            .parse::<pinion_store::VmName>()
            .expect_err("a space");
        assert_eq!(Failure::from(error).code, USAGE);
    }
}
