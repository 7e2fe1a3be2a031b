//! Groups of replicas, shown: clients ask all the time, while a replica's page is defaced inside its VM,
//! another is killed, another hangs. The clients see nothing of it; the table tells what was noticed, how
//! fast, and where the evidence lies.

use anyhow::{Context, Result, bail};
use clap::Args;
use comfy_table::Table;
use pinion_harness::faults::{Load, Outcome};
use pinion_harness::group::{self, Fault, Group};
use pinion_harness::{Wine, nginx};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long, and where figures go.
#[derive(Args)]
pub struct Options {
    /// Minutes of load for each group, with a fault every two seconds, instead of three faults
    #[arg(long)]
    minutes: Option<f64>,
    /// Only this group: web-vote or node-balance
    #[arg(long, value_parser = ["web-vote", "node-balance"])]
    only: Option<String>,
    /// Chooses the replicas that are hurt
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

/// The folder that stands for the examples' `C:\srv`.
const FOLDER: &str = "pinion-groups";

/// The page of `examples/page.txt`.
const NODE_PAGE: &str = include_str!("../../../examples/page.txt");

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Report {
    wine: String,
    wrong_answers: u64,
    failed_requests: u64,
    faults: usize,
    noticed: usize,
    groups: Vec<Outcome>,
}

struct Shown {
    name: &'static str,
    mode: &'static str,
    page: &'static str,
    file: &'static str,
    kinds: &'static [Fault],
    /// The bound of exposure in its file.
    exposure: Option<Duration>,
}

/// A balanced group shows clients what any one replica says: its pages are not defaced here, as nothing
/// could keep that from clients.
const GROUPS: [Shown; 2] = [
    Shown {
        name: "web-vote",
        mode: "vote",
        page: group::PAGE,
        file: "C:\\pinion-groups\\nginx\\html\\index.html",
        kinds: &[Fault::Defaced, Fault::Killed, Fault::Hung],
        exposure: None,
    },
    Shown {
        name: "node-balance",
        mode: "balance",
        page: NODE_PAGE,
        file: "C:\\pinion-groups\\node\\page.txt",
        // Its server has read the page before: what is changed then is the file alone.
        kinds: &[Fault::Defaced, Fault::Killed, Fault::Hung],
        exposure: Some(Duration::from_secs(40)),
    },
];

/// Shows both groups.
pub fn run(options: &Options) -> Result<()> {
    let mut wine = Wine::from_env()?;
    wine.set("PINION_ROOT", &format!("C:\\{FOLDER}\\store"));
    let mut report = Report {
        wine: wine.version()?,
        ..Report::default()
    };
    println!("On {}", report.wine);
    wine.wineserver(&["-p"])?;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    group::lay(&wine, FOLDER, &examples)?;
    for shown in &GROUPS {
        if options
            .only
            .as_deref()
            .is_none_or(|only| only == shown.name)
        {
            let outcome = show(&wine, shown, options).with_context(|| shown.name)?;
            report.wrong_answers += outcome.wrong_answers;
            report.failed_requests += outcome.failed_requests;
            report.faults += outcome.faults;
            report.noticed += outcome.noticed;
            report.groups.push(outcome);
        }
    }
    let left = wine.pinion(&["ls", "-q"])?.success()?.stdout;
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    verdict(&report, &left)?;
    // The evidence is there to be looked at, until the next time, when something went wrong.
    nginx::remove(&wine.drive_c().join(FOLDER))?;
    wine.wineserver(&["-k"])
}

fn show(wine: &Wine, shown: &Shown, options: &Options) -> Result<Outcome> {
    println!(
        "\n{} ({}): examples/{}.toml",
        shown.name, shown.mode, shown.name
    );
    let file = format!("C:\\{FOLDER}\\{}.toml", shown.name);
    let group = Group::up(wine, &file, shown.name)?;
    let (every, time) = match options.minutes {
        Some(minutes) => (
            Duration::from_secs(2),
            Duration::from_secs_f64(minutes * 60.0),
        ),
        None => (Duration::from_secs(3), Duration::from_secs(9)),
    };
    let load = Load {
        group: &group,
        mode: shown.mode,
        page: shown.page,
        file: shown.file,
        kinds: shown.kinds,
        every,
        time,
        at_least: shown.kinds.len(),
    };
    let outcome = load.run(options.seed)?;
    print(&outcome);
    for row in outcome.rows.iter().filter(|row| !row.evidence.is_empty()) {
        look(wine, &row.evidence, options.minutes.is_some())?;
    }
    if let Some(bound) = shown.exposure
        && Duration::from_millis(outcome.longest_life_ms) > bound
    {
        bail!(
            "a replica lived for {} ms, longer than {bound:?}",
            outcome.longest_life_ms
        );
    }
    group.down()?;
    Ok(outcome)
}

fn print(outcome: &Outcome) {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "fault",
        "replica",
        "noticed after",
        "as",
        "replaced after",
        "evidence",
    ]);
    let ms = |time: Option<u64>| time.map_or("never".into(), |time| format!("{time} ms"));
    for row in &outcome.rows {
        table.add_row([
            row.fault.clone(),
            row.replica.to_string(),
            ms(row.noticed_after_ms),
            row.noticed_as.clone(),
            ms(row.replaced_after_ms),
            row.evidence.clone(),
        ]);
    }
    println!("{table}");
    println!(
        "  in {:.0} s clients asked {} times: {} wrong answers, {} failed; the slowest took {} ms; the longest life of a replica was {} ms",
        outcome.seconds,
        outcome.requests,
        outcome.wrong_answers,
        outcome.failed_requests,
        outcome.slowest_ms,
        outcome.longest_life_ms
    );
    for told in &outcome.told {
        println!("    {told}");
    }
}

/// The evidence must be there. After many faults only the newest are kept.
fn look(wine: &Wine, evidence: &str, many: bool) -> Result<()> {
    let path = evidence.trim_start_matches("C:\\").replace('\\', "/");
    let about = wine.drive_c().join(path).join("about.json");
    if !many && !about.exists() {
        bail!("there is no evidence at {evidence}");
    }
    Ok(())
}

fn verdict(report: &Report, left: &str) -> Result<()> {
    let Report {
        wrong_answers,
        failed_requests,
        faults,
        noticed,
        ..
    } = report;
    println!(
        "\n{wrong_answers} wrong answers, {failed_requests} failed requests, {noticed} of {faults} faults noticed"
    );
    if *wrong_answers + *failed_requests > 0 || noticed < faults || *faults == 0 {
        bail!("the clients saw a fault, or one was not noticed");
    }
    if !left.trim().is_empty() {
        bail!("VMs were left: {}", left.trim());
    }
    Ok(())
}
