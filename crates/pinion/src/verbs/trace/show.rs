//! Events as lines for people and machines.

use crate::failure::Failure;
use crate::output;
use crate::table::table;
use pinion_trace::event::{Name, Peer};
use pinion_trace::summary::Summary;
use pinion_trace::{Event, Verdict, calls};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Lines that wait to be written.
pub struct Shown {
    text: String,
    is_json: bool,
    is_colored: bool,
    has_head: bool,
    /// Where they go; none means stdout.
    file: Option<File>,
}

/// An event, for machines.
#[derive(Serialize)]
struct Told<'a> {
    number: u64,
    time_us: u64,
    duration_ns: u64,
    pid: u32,
    tid: u32,
    program: &'a str,
    call: Option<&'static str>,
    channel: Option<&'static str>,
    verdict: &'static str,
    rule: Option<u32>,
    status: u32,
    access: u32,
    name: Option<&'a str>,
    name_missing: u32,
    given: Option<&'a str>,
    given_missing: u32,
    peer: Option<PeerTold>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum PeerTold {
    Pid(u32),
    Tid(u32),
    Address(String),
}

fn told<'a>(event: &'a Event<'_>, program: &'a str) -> Told<'a> {
    let text = |name: &'a Name<'_>| (!name.is_empty()).then_some(&*name.text);
    Told {
        number: event.number,
        time_us: event.time,
        duration_ns: event.duration,
        pid: event.process,
        tid: event.thread,
        program,
        call: calls::name(event.call),
        channel: calls::channel(event).map(|channel| channel.word()),
        verdict: event.verdict().word(),
        rule: event.rule,
        status: event.status.cast_unsigned(),
        access: event.access,
        name: text(&event.asked),
        name_missing: event.asked.missing,
        given: text(&event.given),
        given_missing: event.given.missing,
        peer: event.peer.map(|peer| match peer {
            Peer::Process(id) => PeerTold::Pid(id),
            Peer::Thread(id) => PeerTold::Tid(id),
            Peer::Address(address) => PeerTold::Address(address.to_string()),
        }),
    }
}

/// The event as a JSON value.
pub fn json(event: &Event<'_>, program: &str) -> serde_json::Value {
    serde_json::to_value(told(event, program)).unwrap_or_default()
}

/// The last part of a program's path.
pub fn program(image: &str) -> &str {
    image.rsplit('\\').next().unwrap_or(image)
}

/// The text without what would steer a terminal.
pub fn harmless(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(visible).collect()
}

/// The UTC time of day, to the millisecond.
fn time(microseconds: u64) -> String {
    let ms = microseconds / 1000 % 86_400_000;
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
}

/// A span for people.
pub fn span(nanoseconds: u64) -> String {
    match nanoseconds {
        ns @ 0..1_000 => format!("{ns} ns"),
        ns @ 1_000..1_000_000 => format!("{:.1} us", ns as f64 / 1e3),
        ns @ 1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        ns => format!("{:.1} s", ns as f64 / 1e9),
    }
}

impl Shown {
    /// Nothing yet.
    pub fn new(is_json: bool, is_colored: bool) -> Self {
        Self {
            text: String::new(),
            is_json,
            is_colored,
            has_head: false,
            file: None,
        }
    }

    /// The same, into a new file if one is given.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn into_file(mut self, path: Option<&Path>) -> Result<Self, Failure> {
        let make = |path: &Path| {
            File::create(path).map_err(|error| {
                Failure::pinion(format!("cannot make the file {}: {error}", path.display()))
            })
        };
        self.file = path.map(make).transpose()?;
        Ok(self)
    }

    /// Adds an event.
    pub fn event(&mut self, event: &Event<'_>, image: &str) {
        if self.is_json {
            self.text += &json(event, image).to_string();
            self.text.push('\n');
            return;
        }
        if !self.has_head {
            self.has_head = true;
            self.text += "TIME          PID     PROGRAM         CHANNEL        CALL                        VERDICT    STATUS    TOOK      NAME\n";
        }
        let channel = calls::channel(event).map_or("", |channel| channel.word());
        let call = calls::name(event.call).unwrap_or("?");
        let mut name = harmless(&event.asked.to_string());
        if !event.given.is_empty() && event.given != event.asked {
            name += " -> ";
            name += &harmless(&event.given.to_string());
        }
        if let Some(peer) = event.peer {
            name = format!("{name}{}[{peer}]", if name.is_empty() { "" } else { " " });
        }
        if let Some(rule) = event.rule {
            name += &format!(" (rule {rule})");
        }
        let verdict = self.colored(event.verdict());
        self.text += &format!(
            "{}  {:<6}  {:<14}  {channel:<13}  {call:<26}  {verdict}  {:08x}  {:>8}  {name}\n",
            time(event.time),
            event.process,
            harmless(program(image)),
            event.status,
            span(event.duration),
        );
    }

    fn colored(&self, verdict: Verdict) -> String {
        let word = format!("{:<9}", verdict.word());
        let color = match verdict {
            Verdict::Refused | Verdict::Absent => 31,
            Verdict::Host | Verdict::Shared => 33,
            Verdict::CopiedUp => 36,
            Verdict::Private | Verdict::Layer | Verdict::Member => 32,
            _ => return word,
        };
        if self.is_colored {
            format!("\u{1b}[{color}m{word}\u{1b}[0m")
        } else {
            word
        }
    }

    /// Adds how many events of a process were lost.
    pub fn lost(&mut self, process: u32, count: u64) {
        let line = if self.is_json {
            serde_json::json!({ "lost": count, "pid": process }).to_string()
        } else {
            format!("-- {count} events of process {process} were lost --")
        };
        self.text += &line;
        self.text.push('\n');
    }

    /// Adds a summary.
    pub fn summary(&mut self, summary: &Summary, lost: u64) {
        let rows = summary.rows();
        if self.is_json {
            let rows: Vec<_> = rows
                .iter()
                .map(|(key, row)| {
                    serde_json::json!({
                        "channel": key.channel.map(|channel| channel.word()),
                        "name": key.name, "verdict": key.verdict, "count": row.count,
                        "failed": row.failed, "total_ns": row.total, "longest_ns": row.longest,
                    })
                })
                .collect();
            let all = serde_json::json!({ "lost": lost, "rows": rows });
            self.text += &all.to_string();
            self.text.push('\n');
            return;
        }
        let cells: Vec<_> = rows
            .iter()
            .map(|(key, row)| {
                [
                    row.count.to_string(),
                    row.failed.to_string(),
                    span(row.total),
                    span(row.longest),
                    key.channel.map_or("", |channel| channel.word()).to_string(),
                    key.verdict.to_string(),
                    harmless(&key.name),
                ]
            })
            .collect();
        let head = [
            "COUNT", "FAILED", "TOTAL", "LONGEST", "CHANNEL", "VERDICT", "NAME",
        ];
        self.text += &table(head, &cells);
        if lost > 0 {
            self.text += &format!("{lost} events were lost.\n");
        }
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.text.is_empty() {
            return Ok(());
        }
        match &mut self.file {
            None => {
                output::text(&self.text)?;
            }
            Some(file) => file
                .write_all(self.text.as_bytes())
                .map_err(|error| Failure::pinion(format!("cannot write the events: {error}")))?,
        }
        self.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans() {
        assert_eq!(time(86_400_000_000 + 3_723_004_000), "01:02:03.004");
        assert_eq!(span(999), "999 ns");
        assert_eq!(span(1_500), "1.5 us");
        assert_eq!(span(2_000_000_000), "2.0 s");
        assert_eq!(harmless("a\u{1b}[0m"), "a\u{fffd}[0m");
    }
}
