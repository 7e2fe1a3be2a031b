//! Questions and answers over a pipe, one JSON value per line: both sides of it, for a VM's supervisor and for a
//! group's process.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::control::{LONGEST_LINE, from_line, to_line};
use crate::pipe::Connection;

/// Why a question got no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// The other side went away.
    Gone,
    /// What was said is not understood.
    NotUnderstood(serde_json::Error),
}

/// The side that asks.
#[derive(Debug)]
pub struct Asker(BufReader<File>);

impl Asker {
    /// Asks over a pipe that is open.
    #[must_use]
    pub fn new(pipe: File) -> Self {
        Self(BufReader::new(pipe))
    }

    /// One question, one answer.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn ask<A: DeserializeOwned>(
        &mut self,
        question: &impl Serialize,
    ) -> std::result::Result<A, Unanswered> {
        let line = to_line(question).map_err(Unanswered::NotUnderstood)?;
        let written = self.0.get_mut().write_all(&line);
        written.map_err(|_| Unanswered::Gone)?;
        match line_of(&mut self.0) {
            Ok(answer) if answer.ends_with(b"\n") => {
                from_line(&answer).map_err(Unanswered::NotUnderstood)
            }
            _ => Err(Unanswered::Gone),
        }
    }
}

/// The next line, as much of it as may be long; empty at the end.
fn line_of(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader
        .take(LONGEST_LINE as u64)
        .read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The side that answers: gives each question to `reply` until the other side goes away, or `reply` gives no
/// answer. What comes with an answer is held until it is written.
///
/// # Errors
/// The pipe breaks.
pub fn answer<Q: DeserializeOwned, A: Serialize, H>(
    connection: &Connection,
    mut reply: impl FnMut(serde_json::Result<Q>) -> Option<(A, H)>,
) -> io::Result<()> {
    let mut reader = BufReader::new(connection.file());
    loop {
        let line = line_of(&mut reader)?;
        if line.is_empty() {
            return Ok(());
        }
        let Some((answer, _held)) = reply(from_line(&line)) else {
            return Ok(());
        };
        let line = to_line(&answer).map_err(io::Error::other)?;
        connection.file().write_all(&line)?;
    }
}
