//! `pinion trace`: what the programs of a VM opened, made and were refused.

mod host;
pub mod show;

use crate::failure::{Failure, Outcome, USAGE};
use crate::vms;
use clap::builder::PossibleValuesParser;
use pinion_channels::Channel;
use pinion_store::Vm;
use pinion_supervisor::client::Client;
use pinion_supervisor::events::{Piece, Reader};
use pinion_trace::filter::{Process, State};
use pinion_trace::pattern::Pattern;
use pinion_trace::summary::Summary;
use pinion_trace::{Entry, Filter, Verdict};
use show::Shown;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const AFTER: &str = "Examples:
  pinion trace web                              what happens from now on, until the VM ends
  pinion trace --all web                        what was recorded, without waiting for more
  pinion trace --verdict refused web            what is refused
  pinion trace --channel pipes --name 'app*' --json web
  pinion trace --all --summary web              counts and times by channel and name
  pinion trace --file C:\\events.trace           from a file that was kept
  pinion trace --host -o events.txt -- app.exe  a program outside any VM: nothing is confined

A VM that runs records as long as somebody looks, and always when it was made with --trace. Filters of one kind
are alternatives, and an event must have one of each kind. A NAME with * or ? is a pattern of the whole name,
any other may stand anywhere in it. docs/TRACE.md tells what each column and field means.";

/// Show what the programs of a VM open, make and are refused
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Show what was recorded up to now, and end
    #[arg(short, long, conflicts_with = "follow")]
    all: bool,

    /// Show what was recorded up to now, and go on until the VM ends
    #[arg(short, long)]
    follow: bool,

    /// Read this file instead of the VM's own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "follow"])]
    file: Option<PathBuf>,

    #[command(flatten)]
    filters: Filters,

    /// Count instead of listing: by channel and name, with times
    #[arg(short, long)]
    summary: bool,

    /// Run a program of the host, outside any VM, and show what it and its children do; nothing is confined
    #[arg(long, conflicts_with_all = ["name", "file", "all", "follow"], requires = "command")]
    host: bool,

    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print JSON, an event on each line
    #[arg(long)]
    json: bool,

    /// Colour the verdicts
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    color: String,

    /// Name or id of the VM
    #[arg(value_name = "VM", required_unless_present_any = ["file", "host"])]
    name: Option<String>,

    /// With --host: the program and its arguments
    #[arg(last = true, requires = "host", value_name = "PROGRAM")]
    command: Vec<String>,
}

/// Which events are wanted.
#[derive(clap::Args, Debug)]
pub struct Filters {
    /// Only of this channel, such as pipes ('pinion channels' lists them)
    #[arg(long, value_name = "CHANNEL")]
    channel: Vec<String>,

    /// Only what was decided so
    #[arg(long, value_name = "VERDICT", value_parser = PossibleValuesParser::new(Verdict::ALL.map(Verdict::word)))]
    verdict: Vec<String>,

    /// Only of this process: its id, or what the path of its program has
    #[arg(long, value_name = "PID|PROGRAM")]
    process: Vec<String>,

    /// Only with this name, as asked or as given
    #[arg(long = "name", value_name = "NAME")]
    named: Vec<String>,

    /// Only with this peer, such as 'process 12' or '10.0.0.*'
    #[arg(long, value_name = "PEER")]
    peer: Vec<String>,

    /// Only calls that ended with an error
    #[arg(long)]
    failed: bool,

    /// Only events after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
}

impl Filters {
    /// The filter.
    ///
    /// # Errors
    /// A channel that is none.
    pub fn filter(&self) -> Result<Filter, Failure> {
        let channel = |word: &String| {
            Channel::ALL
                .iter()
                .copied()
                .find(|channel| channel.word() == word)
                .ok_or_else(|| {
                    let text =
                        format!("there is no channel '{word}'; 'pinion channels' lists them");
                    Failure::new(USAGE, text)
                })
        };
        let verdict = |word: &String| Verdict::ALL.into_iter().find(|one| one.word() == word);
        let process = |text: &String| match text.parse() {
            Ok(id) => Process::Id(id),
            Err(_) => Process::Program(Pattern::new(text)),
        };
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        Ok(Filter {
            channels: self.channel.iter().map(channel).collect::<Result<_, _>>()?,
            verdicts: self.verdict.iter().filter_map(verdict).collect(),
            processes: self.process.iter().map(process).collect(),
            names: patterns(&self.named),
            peers: patterns(&self.peer),
            after: self.after,
            failed: self.failed,
        })
    }
}

/// How long the supervisor is asked to record, and how often.
const LEASE: Duration = Duration::from_secs(10);
const RENEW: Duration = Duration::from_secs(3);
/// How often is looked for more.
const PAUSE: Duration = Duration::from_millis(50);

/// Shows events.
pub fn run(args: &Args) -> Outcome {
    let filter = args.filters.filter()?;
    let is_colored = match args.color.as_str() {
        "always" => true,
        "never" => false,
        _ => {
            args.output.is_none()
                && std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none()
        }
    };
    let mut view = View {
        state: State::default(),
        summary: args.summary.then(Summary::default),
        shown: Shown::new(args.json, is_colored).into_file(args.output.as_deref())?,
        filter,
        lost: 0,
    };
    if args.host {
        return host::run(&args.command, &mut view);
    }
    match (&args.file, &args.name) {
        (Some(path), _) => {
            if !path.exists() {
                let text = format!("there is no file {}", path.display());
                return Err(Failure::pinion(text));
            }
            let mut reader = Reader::of_file(path);
            let piece = view.rest(&mut reader)?;
            view.end(piece)
        }
        (None, Some(name)) => of_vm(args, &mut view, &vms::find(name)?),
        (None, None) => Ok(0),
    }
}

fn of_vm(args: &Args, view: &mut View, vm: &Vm) -> Outcome {
    let mut reader = Reader::of(vm);
    if args.all {
        let piece = view.rest(&mut reader)?;
        return view.end(piece);
    }
    let client = Client::connect(vm)?;
    if !args.follow {
        // What is there already is not wanted.
        while reader
            .read(|entry| view.state.note(&view.filter, entry))
            .map_err(unreadable)?
            == Piece::More
        {}
    }
    follow(view, &mut reader, vm, client)
}

/// Shows what comes until the VM ends.
fn follow(view: &mut View, reader: &mut Reader, vm: &Vm, mut client: Client) -> Outcome {
    let mut asked: Option<Instant> = None;
    loop {
        if asked.is_none_or(|asked| asked.elapsed() > RENEW) {
            asked = Some(Instant::now());
            // One that is about to end has told all that it has to tell.
            let _ = client.record(LEASE);
        }
        // Asked before reading: what is written before the end is read after it.
        let is_running = vm.is_running().unwrap_or(false);
        let piece = view.rest(reader)?;
        view.shown.flush()?;
        if !is_running || piece == Piece::Damaged {
            return view.end(piece);
        }
        std::thread::sleep(PAUSE);
    }
}

/// What is shown, and how.
struct View {
    filter: Filter,
    state: State,
    summary: Option<Summary>,
    shown: Shown,
    lost: u64,
}

impl View {
    /// Shows what is there now.
    fn rest(&mut self, reader: &mut Reader) -> Result<Piece, Failure> {
        loop {
            let piece = reader.read(|entry| self.show(entry)).map_err(unreadable)?;
            self.shown.flush()?;
            if piece != Piece::More {
                return Ok(piece);
            }
        }
    }

    fn show(&mut self, entry: &Entry<'_>) {
        self.state.note(&self.filter, entry);
        match entry {
            Entry::Event(event) if self.filter.wants(&self.state, event) => {
                let image = self.state.image(event.process);
                match &mut self.summary {
                    Some(summary) => summary.add(event),
                    None => self.shown.event(event, image),
                }
            }
            Entry::Lost { process, count } => {
                self.lost = self.lost.saturating_add(*count);
                if self.summary.is_none() {
                    self.shown.lost(*process, *count);
                }
            }
            _ => (),
        }
    }

    /// Shows what is left to show.
    fn end(&mut self, piece: Piece) -> Outcome {
        if let Some(summary) = &self.summary {
            self.shown.summary(summary, self.lost);
        }
        self.shown.flush()?;
        if piece == Piece::Damaged {
            return Err(Failure::new(
                pinion_store::exit_code::DAMAGED,
                "the file of events is damaged here; what was before it was shown".to_string(),
            ));
        }
        Ok(0)
    }
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::pinion(format!("cannot read the file of events: {error}"))
}
