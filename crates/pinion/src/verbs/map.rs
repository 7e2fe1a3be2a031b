//! `pinion map`: a picture of who talks to whom over what.

use crate::failure::{Failure, Outcome};
use crate::{output, vms};
use pinion_map::{Gather, dot, gather, html, svg};
use pinion_store::Vm;
use pinion_supervisor::events::{Piece, Reader};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const AFTER: &str = "Examples:
  pinion map web -o web.html              a page to look around in
  pinion map web db -o both.svg           a picture of two VMs
  pinion map --file C:\\events.trace --format dot | dot -Tpdf -o map.pdf

It is made of what was recorded: make a VM with --trace, or let 'pinion trace' run meanwhile. A line leads from who
opens a name to who made it; what is refused is red. The form is told by the file's end: .svg, .html or .dot.";

/// Draw who talks to whom over what, by what VMs have recorded
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Write to this file; to stdout when none is given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The form of the picture; by the file's end, or else html
    #[arg(long, value_name = "FORM", value_parser = ["svg", "html", "dot", "json"])]
    format: Option<String>,

    /// Read this file of events instead of a VM's own; may be given again
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,

    /// Names or ids of VMs
    #[arg(value_name = "VM", required_unless_present = "file")]
    names: Vec<String>,
}

/// Draws the picture.
pub fn run(args: &Args) -> Outcome {
    let mut all = Vec::new();
    let mut title: Vec<String> = Vec::new();
    for name in &args.names {
        let vm = vms::find(name)?;
        let gather = Gather::new(vm.name().as_str(), services(&vm));
        all.push(gathered(Reader::of(&vm), gather)?);
        title.push(vm.name().to_string());
    }
    for path in &args.file {
        if !path.exists() {
            return Err(Failure::pinion(format!(
                "there is no file {}",
                path.display()
            )));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        all.push(gathered(
            Reader::of_file(path),
            Gather::new(&stem, HashMap::new()),
        )?);
        title.push(stem.into_owned());
    }
    let graph = gather(&all);
    if graph.nodes.is_empty() {
        return Err(Failure::pinion(
            "nothing was recorded: make the VM with --trace, or let 'pinion trace' run meanwhile",
        ));
    }
    let title = format!("pinion map: {}", title.join(", "));
    let text = match form(args) {
        "svg" => svg::svg(&graph),
        "dot" => dot::dot(&graph),
        "json" => serde_json::to_string_pretty(&graph).unwrap_or_default() + "\n",
        _ => html::html(&graph, &title),
    };
    match &args.output {
        None => output::text(&text),
        Some(path) => std::fs::write(path, text)
            .map(|()| 0)
            .map_err(|error| Failure::pinion(format!("cannot write {}: {error}", path.display()))),
    }
}

fn form(args: &Args) -> &str {
    let of_path = |path: &PathBuf| {
        Path::new(path)
            .extension()
            .map(|end| end.to_ascii_lowercase())
    };
    match (&args.format, args.output.as_ref().and_then(of_path)) {
        (Some(format), _) => format,
        (None, Some(end)) if end == "svg" => "svg",
        (None, Some(end)) if end == "dot" || end == "gv" => "dot",
        (None, Some(end)) if end == "json" => "json",
        _ => "html",
    }
}

fn gathered(mut reader: Reader, mut gather: Gather) -> Result<Gather, Failure> {
    loop {
        let piece = reader
            .read(|entry| gather.add(entry))
            .map_err(|error| Failure::pinion(format!("cannot read the file of events: {error}")))?;
        match piece {
            Piece::More => (),
            Piece::Done => return Ok(gather),
            Piece::Damaged => {
                eprintln!(
                    "pinion: a file of events is damaged; the picture shows what was before that"
                );
                return Ok(gather);
            }
        }
    }
}

/// The services that the VM's processes run now.
fn services(vm: &Vm) -> HashMap<u32, String> {
    let processes = vms::status(vm).and_then(|(mut client, _)| client.processes().ok());
    let services = processes.unwrap_or_default().into_iter();
    services
        .filter_map(|process| Some((process.pid, process.service?)))
        .collect()
}
