//! `pinion diff`: what a VM changed.

use crate::failure::{Failure, Outcome};
use crate::{difference, output, progress, values, vms};
use pinion_store::changes::{FileKind, FileNode};
use pinion_store::diff::{self, Became, FileDifference, KeyDifference, RightsDifference};
use pinion_store::{Vm, commit, registry};
use serde_json::{Value, json};
use std::time::UNIX_EPOCH;

const AFTER: &str = "Examples:
  pinion diff web
  pinion diff -p web           with the lines and values that differ
  pinion diff --json web

A is added, C changed, D deleted (with all below it); then the file or key, and the size of a file. What
the VM is compared with is what it was made from: a snapshot or VM, over the host as it is now. C is told of
content, read-only, hidden and system marks, and rights; of times alone with --times.";

/// Tell which files and keys a VM has added, changed and deleted
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Show the lines of text files and the values of keys that differ
    #[arg(short, long)]
    patch: bool,

    /// Also tell of files of which only the time of last write is another
    #[arg(long)]
    times: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "patch")]
    json: bool,

    /// Name or id of the VM
    name: String,
}

/// Prints files, then keys. What cannot be read is told on stderr, and fails the whole at the end.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.name)?;
    vm.check_layers()?;
    let progress = progress::doing(&format!("comparing {}", vm.name()));
    let mut unread = 0;
    let mut readable = |error: pinion_store::Error| {
        unread += 1;
        eprintln!("pinion: {error}");
    };
    let files: Vec<_> = diff::files(&vm, args.times)?
        .filter_map(|file| file.map_err(&mut readable).ok())
        .collect();
    let keys: Vec<_> = diff::keys(&vm)?
        .filter_map(|key| key.map_err(&mut readable).ok())
        .collect();
    drop(progress);
    let user = user()?;
    if args.json {
        let files: Vec<_> = files
            .iter()
            .map(|file| file_json(file, args.times))
            .collect();
        let keys: Vec<_> = keys.iter().map(|key| key_json(key, &user)).collect();
        output::json(&json!({"files": files, "keys": keys}))?;
    } else {
        for file in &files {
            output::text(&file_text(file, args.patch))?;
        }
        for key in &keys {
            output::text(&key_text(key, &user, args.patch))?;
        }
    }
    told(&vm, unread)
}

fn told(vm: &Vm, unread: usize) -> Outcome {
    if unread == 0 {
        return Ok(0);
    }
    Err(Failure::pinion(format!(
        "{unread} files or keys of the VM '{}' could not be compared, each named above",
        vm.name()
    )))
}

/// The SID of this user.
fn user() -> Result<String, Failure> {
    let path = registry::user_key_path()?;
    Ok(path.rsplit('\\').next().unwrap_or_default().to_owned())
}

fn letter(became: Became) -> char {
    match became {
        Became::Added => 'A',
        Became::Changed => 'C',
        Became::Deleted => 'D',
    }
}

fn file_text(file: &FileDifference, patch: bool) -> String {
    let name = difference::plain(&commit::file_name(&file.path));
    let size = file.now.as_ref().filter(|node| node.kind == FileKind::File);
    let size = size.map_or(String::new(), |node| {
        format!("  {}", values::show_size(node.size))
    });
    let tail = match file.now.as_ref().or(file.was.as_ref()) {
        Some(node) if node.kind == FileKind::Directory => "\\",
        _ => "",
    };
    let mut text = format!("{} {name}{tail}{size}\n", letter(file.became));
    if patch {
        text += &difference::lines(file.was.as_ref(), file.now.as_ref());
        text += &rights_text(file.security.as_ref());
    }
    text
}

fn rights_text(rights: Option<&RightsDifference>) -> String {
    rights.map_or(String::new(), |rights| {
        let [was, now] = [&rights.was, &rights.now].map(|text| difference::plain(text));
        format!("-rights: {was}\n+rights: {now}\n")
    })
}

fn key_text(key: &KeyDifference, user: &str, patch: bool) -> String {
    let name = difference::plain(&commit::key_name(&key.path, user));
    let mut text = format!("{} {name}\n", letter(key.became));
    for value in key.values.iter().filter(|_| patch) {
        if let Some(was) = &value.was {
            text += &format!("-{}\n", difference::value(was));
        }
        if let Some(now) = &value.now {
            text += &format!("+{}\n", difference::value(now));
        }
    }
    if patch {
        text += &rights_text(key.security.as_ref());
    }
    text
}

fn kind(node: Option<&FileNode>) -> Option<&'static str> {
    node.map(|node| match node.kind {
        FileKind::File => "file",
        FileKind::Directory => "folder",
        FileKind::Link { .. } => "link",
    })
}

fn file_json(file: &FileDifference, times: bool) -> Value {
    let size = |node: Option<&FileNode>| {
        let file = node.filter(|node| node.kind == FileKind::File);
        file.map(|node| node.size)
    };
    let modified = |node: Option<&FileNode>| {
        let since = node?.modified?.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    };
    let mut told = json!({
        "what": file.became,
        "name": commit::file_name(&file.path),
        "kind": kind(file.now.as_ref().or(file.was.as_ref())),
        "size": size(file.now.as_ref()),
        "old_size": size(file.was.as_ref()),
        "security": file.security,
    });
    if times {
        told["modified_ms"] = json!(modified(file.now.as_ref()));
        told["old_modified_ms"] = json!(modified(file.was.as_ref()));
    }
    told
}

fn key_json(key: &KeyDifference, user: &str) -> Value {
    let values = key.values.iter().map(|value| {
        let named = value.now.as_ref().or(value.was.as_ref());
        json!({
            "what": value.became,
            "name": named.map(|value| value.name.to_string_lossy()),
            "now": value.now.as_ref().map(difference::data),
            "was": value.was.as_ref().map(difference::data),
        })
    });
    let values: Vec<_> = values.collect();
    json!({
        "what": key.became,
        "name": commit::key_name(&key.path, user),
        "values": values,
        "security": key.security,
    })
}
