//! What is wrong with a group's file, and where.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub why: String,
}

impl Fault {
    /// At the byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, why: impl Into<String>) -> Self {
        let at = (0..=at.min(text.len()))
            .rev()
            .find(|&at| text.is_char_boundary(at));
        let before = text.get(..at.unwrap_or(0)).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            why: why.into().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.why)
    }
}
