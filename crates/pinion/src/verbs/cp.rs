//! `pinion cp`: files and folders between a VM and the host.

use crate::copy::pack::{self, Failed, Tree};
use crate::copy::place::{Side, side, win32};
use crate::copy::{Count, unpack};
use crate::failure::{Failure, Outcome, USAGE};
use crate::foreground::{self, Foreground};
use crate::{program, progress, vms};
use pinion_store::{View, Vm};
use std::io::{self, PipeWriter, Write};
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use windows_sys::Win32::System::Console::{STD_INPUT_HANDLE, SetStdHandle};

const AFTER: &str = "Examples:
  pinion cp web:C:\\srv\\logs .\\logs          out of a VM
  pinion cp site.conf web:C:\\srv\\conf       into one
  pinion cp .\\pages\\. web:C:\\srv\\html      what is in the folder
  pinion cp web:C:\\srv\\logs - > logs.tar    as a tar archive; '-' reads one, too

The VM may run or not. A folder is copied into one that is there, or becomes the one that is named. What is
copied out is what a program in the VM would see; what is copied in is written by a helper inside the VM.
Links are left out. A VM's name of one letter would be a drive: name that VM by its id.";

/// The hidden verb of the helper inside a VM.
pub const RECEIVE: &str = "receive";

/// Copy files and folders between a VM and the host
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// VM:PATH, a path of the host, or - for a tar archive on stdin
    #[arg(value_name = "FROM", value_parser = side, allow_hyphen_values = true)]
    from: Side,

    /// A path of the host, VM:PATH, or - for a tar archive on stdout
    #[arg(value_name = "TO", value_parser = side, allow_hyphen_values = true)]
    to: Side,
}

/// Write what is read below a folder (started by Pinion itself, inside a VM)
#[derive(clap::Args, Debug)]
#[command(hide = true)]
pub struct ReceiveArgs {
    /// The folder
    folder: PathBuf,
}

/// Copies, or tells why not.
pub fn run(args: &Args) -> Outcome {
    match (&args.from, &args.to) {
        (Side::Vm { vm, path, contents }, to @ (Side::Host(_) | Side::Stream)) => {
            out_of(&whole(vm)?, path, *contents, to)
        }
        (from @ (Side::Host(_) | Side::Stream), Side::Vm { vm, path, .. }) => {
            into(&whole(vm)?, from, path)
        }
        _ => {
            let text =
                "one of the two must be in a VM, and the other of the host: give VM:PATH once";
            Err(Failure::new(USAGE, text))
        }
    }
}

/// The VM of this name or id, whose layers are in order.
fn whole(vm: &str) -> Result<Vm, Failure> {
    let vm = vms::find(vm)?;
    vm.check_layers()?;
    Ok(vm)
}

fn failed(why: impl Into<String>) -> Failure {
    Failure::pinion(why)
}

/// The name and the folder under which `is_directory` with the name `own` comes to `to`, which may be
/// a folder that is there. An empty name stands for what is in the source.
fn target(to: &Path, to_is_folder: bool, own: &str, contents: bool) -> Option<(String, PathBuf)> {
    if contents && to_is_folder {
        return Some((String::new(), to.to_path_buf()));
    }
    if to_is_folder {
        return Some((own.to_owned(), to.to_path_buf()));
    }
    let name = to.file_name()?.to_str()?.to_owned();
    Some((name, to.parent()?.to_path_buf()))
}

fn out_of(vm: &Vm, path: &[String], contents: bool, to: &Side) -> Outcome {
    let shown = format!("{}:{}", vm.name(), win32(path));
    let tree = Tree::of_vm(vm, path).map_err(failed)?;
    let is_folder = tree.is_directory().ok_or_else(|| {
        failed(format!(
            "there is no {shown}; a path in a VM is whole, with its drive"
        ))
    })?;
    if contents && !is_folder {
        return Err(failed(format!("{shown} is no folder")));
    }
    // A drive has no name of its own.
    let contents = contents || path.len() == 1;
    let own = path.last().cloned().unwrap_or_default();
    let count = Arc::new(Count::default());
    let _progress = telling(&shown, &count);
    let links = if let Side::Host(to) = to {
        let to =
            std::path::absolute(to).map_err(|error| failed(format!("cannot use {to}: {error}")))?;
        let (name, base) = target(&to, to.is_dir(), &own, contents)
            .ok_or_else(|| failed(format!("{} is no place for a copy", to.display())))?;
        if !base.is_dir() {
            return Err(failed(format!(
                "there is no folder {}; make it first",
                base.display()
            )));
        }
        let (reader, writer) =
            io::pipe().map_err(|error| failed(format!("cannot make a pipe: {error}")))?;
        std::thread::scope(|scope| {
            let packing = scope.spawn(|| packed(writer, |to| tree.pack(&name, to, &count)));
            let unpacked = unpack::unpack(reader, &base, &Count::default());
            let links = packing
                .join()
                .unwrap_or_else(|_| Err("the copy broke off".into()));
            // What ended the reading ends the writing with a broken pipe.
            unpacked.and(links)
        })
    } else {
        let name = if contents { "" } else { &own };
        let mut to = tar::Builder::new(io::stdout().lock());
        let links = tree.pack(name, &mut to, &count);
        let end = |error: io::Error| format!("cannot write to stdout: {error}");
        links.and_then(|links| {
            to.into_inner()
                .and_then(|mut to| to.flush())
                .map_err(end)
                .map(|()| links)
        })
    };
    told(links, &shown)
}

fn packed(
    writer: PipeWriter,
    pack: impl FnOnce(&mut tar::Builder<PipeWriter>) -> Result<u64, Failed>,
) -> Result<u64, Failed> {
    let mut to = tar::Builder::new(writer);
    let links = pack(&mut to)?;
    to.into_inner()
        .map_err(|error| format!("the copy broke off: {error}"))?;
    Ok(links)
}

fn told(links: Result<u64, Failed>, what: &str) -> Outcome {
    match links {
        Ok(0) => Ok(0),
        Ok(links) => Err(failed(format!(
            "{links} links of {what} are not copied, all else is"
        ))),
        Err(why) => Err(failed(why)),
    }
}

fn telling(what: &str, count: &Arc<Count>) -> progress::Progress {
    let (what, count) = (what.to_owned(), Arc::clone(count));
    progress::telling(move || format!("copying {what}: {} files and folders", count.get()))
}

fn into(vm: &Vm, from: &Side, path: &[String]) -> Outcome {
    let to = PathBuf::from(win32(path));
    let there = Tree::of_vm(vm, path).map_err(failed)?.is_directory();
    let is_folder = path.len() == 1 || there == Some(true);
    let no_folder = |folder: &Path| {
        failed(format!(
            "there is no folder {}:{}; make it first",
            vm.name(),
            folder.display()
        ))
    };
    let Side::Host(source) = from else {
        if !is_folder {
            return Err(no_folder(&to));
        }
        return receive(vm, &to);
    };
    let contents = source.ends_with(r"\.") || source.ends_with("/.") || source == ".";
    let source = std::path::absolute(source)
        .map_err(|error| failed(format!("cannot use {source}: {error}")))?;
    let is_source_folder = source
        .metadata()
        .map_err(|error| failed(format!("cannot read {}: {error}", source.display())))?
        .is_dir();
    if contents && !is_source_folder {
        return Err(failed(format!("{} is no folder", source.display())));
    }
    let own = source
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_owned();
    let contents = contents || own.is_empty();
    let (name, base) = target(&to, is_folder, &own, contents).ok_or_else(|| no_folder(&to))?;
    let above = path
        .get(..path.len() - usize::from(!is_folder))
        .unwrap_or(path);
    if !is_folder
        && above.len() > 1
        && Tree::of_vm(vm, above).map_err(failed)?.is_directory() != Some(true)
    {
        return Err(no_folder(&base));
    }
    let (reader, writer) =
        io::pipe().map_err(|error| failed(format!("cannot make a pipe: {error}")))?;
    // SAFETY: a live handle, which stays open until the helper has ended.
    unsafe { SetStdHandle(STD_INPUT_HANDLE, reader.as_raw_handle()) };
    let count = Arc::new(Count::default());
    let _progress = telling(&source.display().to_string(), &count);
    let packing = {
        let (source, count) = (source.clone(), Arc::clone(&count));
        std::thread::spawn(move || packed(writer, |to| pack::host(&source, &name, to, &count)))
    };
    let code = receive(vm, &base);
    // Its end breaks the pipe for a writer that is not done.
    drop(reader);
    let links = packing
        .join()
        .unwrap_or_else(|_| Err("the copy broke off".into()));
    match code? {
        0 => told(links, &source.display().to_string()),
        code => Ok(code),
    }
}

/// Runs the helper inside the VM over this process's standard input; its exit code.
fn receive(vm: &Vm, base: &Path) -> Outcome {
    foreground::let_ctrl_c_pass();
    let own = std::env::current_exe()
        .map_err(|error| failed(format!("cannot find pinion.exe's own path: {error}")))?;
    let command = [
        own.display().to_string(),
        RECEIVE.to_owned(),
        base.display().to_string(),
    ];
    let (mut client, at_rest) = match vms::connect(vm)? {
        Some(client) => (client, false),
        None => (vms::up_at_rest(vm)?, true),
    };
    let cwd = program::folder(&View::new(&[], &[]), None)?;
    let what = Foreground {
        program: &own,
        command: &command,
        env: &[],
        cwd: &cwd.path,
        inside: false,
        main: at_rest,
    };
    let code = foreground::run(&mut client, vm, &what, || ());
    if at_rest {
        if code.is_err() {
            let _ = client.kill();
        }
        drop(client);
        vms::wait_until_gone(vm);
    }
    code
}

/// The helper: writes what standard input holds.
pub fn receive_here(args: &ReceiveArgs) -> Outcome {
    let unpacked = unpack::unpack(io::stdin().lock(), &args.folder, &Count::default());
    unpacked.map(|()| 0).map_err(failed)
}
