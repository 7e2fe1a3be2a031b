//! `pinion commit`: what a VM changed becomes the host's, or a new snapshot's.

use crate::failure::{Failure, Outcome, USAGE};
use crate::{output, progress, vms};
use pinion_store::commit::{self, Act, Change, Plan, Resolve, Selection};
use pinion_store::{VmName, exit_code, registry};
use serde_json::json;

const AFTER: &str = "Examples:
  pinion commit web --dry-run              what would change on the host
  pinion commit web                        all files and keys, deletions too
  pinion commit web --path C:\\site --key HKCU\\Software\\Site
  pinion commit web --into base2           a new snapshot, the VM and the host stay as they are

Where the host has changed a file or key since the VM made its copy, nothing is merged and each is named: take
--ours (the VM's version) or --theirs (the host's; the VM's is dropped). A merge that is broken off is taken back
or finished by the next command. What is merged is no change of the VM's any more; a VM that stands on snapshots
keeps it. Stored credentials and private keys (on Wine they are keys) are never merged. Of a key all values are merged together. Names of one file (hard links) that are all merged are one file
on the host, too; a name without the others, or on another drive, becomes a file of its own, and the list says so.";

/// Merge what a VM changed into the host or a new snapshot
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Name or id of the VM, which must not run
    #[arg(value_name = "VM")]
    name: String,

    /// Merge only this file or folder
    #[arg(long = "path", value_name = "PATH", value_parser = file)]
    paths: Vec<File>,

    /// Merge only this key and those below, such as HKCU\Software\Site
    #[arg(long = "key", value_name = "KEY", value_parser = key)]
    keys: Vec<String>,

    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "into")]
    dry_run: bool,

    /// Merge into the host; this is the default
    #[arg(long, conflicts_with = "into")]
    host: bool,

    /// Make a new snapshot of this name instead
    #[arg(long, value_name = "SNAPSHOT", value_parser = snapshot)]
    into: Option<VmName>,

    /// Where the host has changed, take the VM's version
    #[arg(long, conflicts_with_all = ["theirs", "into"])]
    ours: bool,

    /// Where the host has changed, leave the host's version and drop the VM's
    #[arg(long, conflicts_with = "into")]
    theirs: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "into")]
    json: bool,
}

/// A path of a file as layers have it.
#[derive(Clone, Debug)]
struct File(Vec<std::ffi::OsString>);

/// Merges, or shows what would be merged.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    let vm = store.find(&args.name)?;
    let selection = selection(args)?;
    let _progress = progress::doing(&format!("merging {}", vm.name()));
    if let Some(name) = &args.into {
        let snapshot = commit::commit_into(&store, &vm, &selection, name.clone())?;
        return output::line(snapshot.name());
    }
    let resolve = match (args.ours, args.theirs) {
        (true, _) => Resolve::Ours,
        (_, true) => Resolve::Theirs,
        _ => Resolve::Refuse,
    };
    let plan = if args.dry_run {
        commit::plan(&vm, &selection, resolve)?
    } else {
        commit::commit(&store, &vm, &selection, resolve)?
    };
    show(args, &plan)?;
    match plan.conflicts.len() {
        0 => Ok(0),
        count => Err(Failure::new(
            exit_code::CONFLICT,
            format!(
                "nothing of the VM '{}' is merged: the host has changed {count} of its files and keys since, each named \
                 above; choose with --ours or --theirs, or leave them out with --path and --key",
                vm.name()
            ),
        )),
    }
}

fn show(args: &Args, plan: &Plan) -> Outcome {
    if args.json {
        return output::json(
            &json!({"changes": plan.changes, "conflicts": plan.conflicts, "left": plan.left}),
        );
    }
    let conflicts = plan
        .conflicts
        .iter()
        .map(|c| format!("conflict {}: {}\n", c.name, c.why));
    // Of a merge that is refused only what refuses it is of interest.
    let changes = plan
        .changes
        .iter()
        .filter(|_| plan.conflicts.is_empty() || args.dry_run);
    let changes = changes.map(|c| format!("{:8} {}{}\n", word(c.what), c.name, links(c)));
    let left = plan
        .left
        .iter()
        .map(|c| format!("leave    {}: {}\n", c.name, c.why));
    output::text(&changes.chain(left).chain(conflicts).collect::<String>())
}

/// What becomes of the names of a file that has several.
fn links(change: &Change) -> String {
    match &change.linked {
        Some(first) => format!(" (a link to {first})"),
        None if change.apart => " (without its other links)".into(),
        None => String::new(),
    }
}

fn word(act: Act) -> &'static str {
    match act {
        Act::Add => "add",
        Act::Change => "change",
        Act::Delete => "delete",
    }
}

fn selection(args: &Args) -> Result<Selection, Failure> {
    let path = registry::user_key_path()?;
    let user = path.rsplit('\\').next().unwrap_or_default();
    let key = |key: &String| {
        commit::parse_key(key, user)
            .ok_or_else(|| Failure::new(USAGE, format!("'{key}' is no key")))
    };
    Ok(Selection {
        files: args.paths.iter().map(|path| path.0.clone()).collect(),
        keys: args.keys.iter().map(key).collect::<Result<_, _>>()?,
    })
}

fn file(text: &str) -> Result<File, String> {
    let absolute = std::path::absolute(text).map_err(|e| e.to_string())?;
    let path = absolute.to_str().and_then(commit::parse_file);
    path.map(File)
        .ok_or_else(|| "it is no path on a drive".into())
}

fn key(text: &str) -> Result<String, String> {
    match commit::parse_key(text, "") {
        Some(_) => Ok(text.to_owned()),
        None => Err("a key begins with HKLM, HKCU, HKCR or HKU".into()),
    }
}

fn snapshot(text: &str) -> Result<VmName, String> {
    VmName::check(text).map_err(|why| why.to_string())
}
