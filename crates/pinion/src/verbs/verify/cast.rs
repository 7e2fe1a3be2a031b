//! One player: a process that is asked line by line. One that crashes or hangs is
//! an answer, and is started anew.

use pinion_probes::exchange::read_answer;
use pinion_probes::{Answer, Ask, Facts, Seen};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long a player may take for an answer, and for its first.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_AT_START: Duration = Duration::from_secs(40);

/// A player, started when it is first asked.
pub struct Player {
    command: Vec<String>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    asks: ChildStdin,
    answers: Receiver<String>,
    is_new: bool,
}

/// What became of a line that a player was given.
enum Heard {
    Line(String),
    /// It ended before it answered.
    Ended,
    Silence,
}

impl Player {
    /// A player that this command starts.
    pub fn new(command: Vec<String>) -> Self {
        Self {
            command,
            running: None,
        }
    }

    /// Its answer. A player that had ended before, by the end that an earlier
    /// answer came to, is asked again.
    pub fn ask(&mut self, ask: &Ask) -> Answer {
        let Ok(line) = serde_json::to_string(ask) else {
            return broken("a question that cannot be written");
        };
        for _ in 0..2 {
            let was_new = self.running.is_none();
            match self.say(&line) {
                Ok(Heard::Line(answer)) => return read_answer(&answer),
                Ok(Heard::Silence) => {
                    self.end();
                    return broken("it hung");
                }
                Ok(Heard::Ended) => self.end(),
                Err(error) => {
                    self.end();
                    if was_new {
                        return broken(&format!("it cannot be started: {error}"));
                    }
                }
            }
        }
        broken("it crashed")
    }

    fn say(&mut self, line: &str) -> std::io::Result<Heard> {
        if self.running.is_none() {
            self.running = Some(start(&self.command)?);
        }
        let Some(running) = &mut self.running else {
            return Ok(Heard::Ended);
        };
        if writeln!(running.asks, "{line}")
            .and_then(|()| running.asks.flush())
            .is_err()
        {
            return Ok(Heard::Ended);
        }
        let patience = if running.is_new {
            PATIENCE_AT_START
        } else {
            PATIENCE
        };
        running.is_new = false;
        Ok(match running.answers.recv_timeout(patience) {
            Ok(line) => Heard::Line(line),
            Err(RecvTimeoutError::Disconnected) => Heard::Ended,
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
        })
    }

    /// Ends it.
    pub fn end(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.asks);
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.end();
    }
}

fn broken(why: &str) -> Answer {
    Answer {
        seen: Seen::Broken(why.into()),
        facts: Facts::new(),
    }
}

fn start(command: &[String]) -> std::io::Result<Running> {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let gone = || std::io::Error::other("no standard handles");
    let asks = child.stdin.take().ok_or_else(gone)?;
    let out = child.stdout.take().ok_or_else(gone)?;
    let (tell, answers) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    Ok(Running {
        child,
        asks,
        answers,
        is_new: true,
    })
}
