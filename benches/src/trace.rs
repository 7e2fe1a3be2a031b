//! What recording costs: the same work in a VM that records and in one that does not, and
//! how long a million events take to be read and filtered.

use crate::report::Report;
use crate::turns::{Side, Work, compare};
use crate::{build, server, vm};
use anyhow::{Result, ensure};
use pinion_harness::{Wine, web};
use pinion_trace::file::{End, Frames, MAGIC, append};
use pinion_trace::filter::State;
use pinion_trace::pattern::Pattern;
use pinion_trace::{Entry, Event, Filter};
use pinion_wire::trace::{Record, Verdict, call};
use std::time::{Duration, Instant};

const ON: &str = "bench-recorded";
const OFF: &str = "bench-unrecorded";
/// How often each server is loaded.
const LOADS: usize = 8;
const EVENTS: u32 = 1_000_000;
/// How often they are filtered.
const RUNS: usize = 5;

const WORK: &[Work<'_>] = &[
    (
        "recording: create and close a named mutant",
        &["mutant", "5000"],
    ),
    (
        "recording: open and close a file of Windows",
        &["file", "5000", "C:\\windows\\system32\\kernel32.dll"],
    ),
];

/// Adds the rows of calls, nginx and the filter: recording is shown as inside.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    filter(report)?;
    vm::hold_with(wine, ON, &["--trace"])?;
    vm::hold(wine, OFF, None)?;
    compare(wine, report, Side::Vm(ON), Side::Vm(OFF), WORK)?;
    vm::remove_all(wine);
    requests(wine, report)
}

/// Adds the row of the build.
pub fn build(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    vm::hold_with(wine, ON, &["--trace"])?;
    vm::hold(wine, OFF, None)?;
    let sides = [build::pinion(wine, ON)?, build::pinion(wine, OFF)?];
    let name = "recording: npm installs 71 packages under Node";
    build::compare(wine, report, name, sides, &[ON, OFF])
}

fn requests(wine: &Wine, report: &mut Report) -> Result<()> {
    server::lay(wine)?;
    server::start(wine, ON, &["--trace"])?;
    server::start(wine, OFF, &[])?;
    let at = [server::address(wine, ON)?, server::address(wine, OFF)?];
    for at in at {
        web::wait(at, "/", Duration::from_secs(60))?;
    }
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for turn in 0..LOADS {
        let mut sides = [(at[0], &mut on), (at[1], &mut off)];
        sides.rotate_left(turn % 2);
        for (address, figures) in sides {
            figures.push(web::load(address, "/", 4, Duration::from_secs(2))?);
        }
    }
    // Times and not requests: a ratio above 1 is what recording costs.
    let time = |figures: &[f64]| figures.iter().map(|per_second| 1e6 / per_second).collect();
    let (on, off): (Vec<f64>, Vec<f64>) = (time(&on), time(&off));
    report.add("recording: a request of nginx", "µs", &on, &off);
    Ok(())
}

/// A file of so many events of a few names.
fn events() -> Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    let mut record = Record {
        call: call("NtCreateFile"),
        verdict: Verdict::Host,
        ..Record::EMPTY
    };
    for number in 0..EVENTS {
        for name in [&mut record.asked, &mut record.given] {
            let text = format!(r"\??\C:\windows\system32\library-{:04}.dll", number % 4096);
            let units: Vec<u16> = text.encode_utf16().collect();
            name.fill(units.len(), |room| {
                room.copy_from_slice(&units);
                true
            });
        }
        let event = Event::of(&record, 8 + number % 32, number.into(), number.into(), 1000);
        ensure!(
            append(&Entry::Event(event), &mut bytes),
            "an event is too long"
        );
    }
    Ok(bytes)
}

fn filter(report: &mut Report) -> Result<()> {
    let bytes = events()?;
    let filter = Filter {
        names: vec![Pattern::new("library-0007")],
        channels: vec![pinion_channels::Channel::Files],
        ..Filter::default()
    };
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let (start, state) = (Instant::now(), State::default());
        let mut frames = Frames::of_file(&bytes);
        let wanted = |entry: &Entry<'_>| match entry {
            Entry::Event(event) => filter.wants(&state, event),
            _ => false,
        };
        let found = frames.by_ref().filter(wanted).count();
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(
            found > 200 && frames.end() == End::Whole,
            "{found} events were found"
        );
    }
    report.add(
        "read and filter a million events, against a second",
        "ms",
        &times,
        &[1000.0],
    );
    Ok(())
}
