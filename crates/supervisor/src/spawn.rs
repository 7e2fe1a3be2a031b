//! Start the supervisor process of a VM, or another process in the background, detached from the
//! caller's console and handles.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::mem::{size_of, zeroed};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pinion_store::Vm;
use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::System::Pipes::CreatePipe;
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CreateProcessW, DETACHED_PROCESS, EXTENDED_STARTUPINFO_PRESENT,
    PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
};

use crate::again;
use crate::attributes::Attributes;
use crate::client::Client;
use crate::control::{Kind, LONGEST_LINE, Reply, VERB, from_line};
use crate::error::{Error, Result};
use crate::owner;
use crate::process::Process;
use crate::system::{check, last_error, own, wide};

/// Starts the supervisor of a VM, as `<pinion_exe> supervise <name>`, detached from the caller's console
/// and handles, and waits until the VM is up. The main program is then the caller's to give
/// ([`Client::adopt`] or [`Client::start`]); a supervisor that gets none within 30 s ends.
///
/// # Errors
/// What the supervisor says: the VM runs already, a port in use, the agent missing. Nothing runs then.
pub fn start_supervisor(
    pinion_exe: &Path,
    vm: &Vm,
    kind: Kind,
    timeout: Duration,
) -> Result<Client> {
    let (reader, writer) = ready_pipe()?;
    let process = spawn(pinion_exe, vm, kind, &writer)?;
    // The supervisor's own is then the only one: its end is the pipe's end.
    drop(writer);
    let gone = || Error::SupervisorGone {
        name: vm.name().to_string(),
        what: "ended before it was ready",
    };
    let line = match read_line(reader, timeout) {
        Ok(line) => line,
        Err(mpsc::RecvTimeoutError::Disconnected) => return Err(gone()),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            process.terminate(1);
            return Err(Error::Timeout {
                what: format!("the start of the supervisor of '{}'", vm.name()),
                seconds: timeout.as_secs(),
                remedy: "try again, or look at the log with 'pinion logs --supervisor'",
            });
        }
    };
    match from_line(&line) {
        Ok(Reply::Status(_)) => Client::connect(vm),
        Ok(Reply::Error { code, message }) => {
            // Its lock goes with it: the caller may remove the VM at once.
            let _ = process.wait(Some(Duration::from_secs(5)));
            Err(Error::Refused { code, message })
        }
        _ => Err(gone()),
    }
}

/// An anonymous pipe whose writing end a child can inherit.
fn ready_pipe() -> Result<(File, OwnedHandle)> {
    let (mut reader, mut writer) = (null_mut(), null_mut());
    // SAFETY: two locals that take the handles; no attributes.
    let done = unsafe { CreatePipe(&raw mut reader, &raw mut writer, null(), 0) };
    let what = "create a pipe to the supervisor";
    check(done, what)?;
    // SAFETY: two fresh handles.
    let (reader, writer) = unsafe { (own(reader, what)?, own(writer, what)?) };
    // SAFETY: a live handle.
    let done = unsafe {
        SetHandleInformation(
            writer.as_raw_handle(),
            HANDLE_FLAG_INHERIT,
            HANDLE_FLAG_INHERIT,
        )
    };
    check(done, what)?;
    Ok((File::from(reader), writer))
}

fn spawn(pinion_exe: &Path, vm: &Vm, kind: Kind, writer: &OwnedHandle) -> Result<Process> {
    let owner = match kind {
        Kind::Owned => Some(owner::of_this_process()?),
        Kind::Run | Kind::AtRest => None,
    };
    let option = match (kind, &owner) {
        (Kind::AtRest, _) => " --at-rest".into(),
        (_, Some(owner)) => format!(" --owner {}", owner.as_raw_handle().addr()),
        (_, None) => String::new(),
    };
    // Not the caller's folder, which would be held.
    let root = vm
        .folder()
        .parent()
        .and_then(Path::parent)
        .unwrap_or(vm.folder());
    // A name of a VM needs no quotes.
    let arguments = format!("{VERB} {}{option}", vm.name());
    create(pinion_exe, &arguments, root, writer, owner.as_ref())
}

/// Creates a process detached from the caller's console, which inherits the writing end of the pipe as
/// its standard output, and `more`.
fn create(
    pinion_exe: &Path,
    arguments: &str,
    folder: &Path,
    writer: &OwnedHandle,
    more: Option<&OwnedHandle>,
) -> Result<Process> {
    let what = || format!("start {} {arguments}", pinion_exe.display());
    let program: Vec<u16> = pinion_exe.as_os_str().encode_wide().chain([0]).collect();
    // A path cannot hold a quote.
    let mut line = wide(&format!("\"{}\" {arguments}", pinion_exe.display()));
    let folder: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    let mut handles = vec![writer.as_raw_handle()];
    handles.extend(more.map(AsRawHandle::as_raw_handle));
    let list = Attributes::new(&handles, &[])?;
    // SAFETY: a plain structure of numbers and pointers, for which zero is a value.
    let mut startup: STARTUPINFOEXW = unsafe { zeroed() };
    startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdOutput = writer.as_raw_handle();
    startup.lpAttributeList = list.raw();
    let mut created = PROCESS_INFORMATION::default();
    // SAFETY: all strings end with zero and live over the call, as do the attributes; the command line
    // is writable; `created` is a local.
    let done = again::create(|| unsafe {
        CreateProcessW(
            program.as_ptr(),
            line.as_mut_ptr(),
            null(),
            null(),
            1,
            DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | EXTENDED_STARTUPINFO_PRESENT,
            null(),
            folder.as_ptr(),
            (&raw const startup).cast(),
            &raw mut created,
        )
    });
    if done == 0 {
        return Err(last_error(what()));
    }
    // SAFETY: fresh handles of the created process.
    let (process, thread) = unsafe { (own(created.hProcess, ""), own(created.hThread, "")) };
    drop(thread);
    Ok(Process::from_handle(process?, created.dwProcessId))
}

/// Starts `<pinion_exe> <arguments>` in the background, detached from the caller's console and handles,
/// and waits for the one line that it writes to its standard output; none when it ends without one or
/// the time is over, and then it is ended.
///
/// # Errors
/// It cannot be started.
pub fn in_background(
    pinion_exe: &Path,
    arguments: &str,
    folder: &Path,
    timeout: Duration,
) -> Result<Option<Vec<u8>>> {
    let (reader, writer) = ready_pipe()?;
    let process = create(pinion_exe, arguments, folder, &writer, None)?;
    drop(writer);
    let line = read_line(reader, timeout).ok();
    if line.is_none() {
        process.terminate(1);
    }
    Ok(line)
}

/// The one line that the supervisor writes; `Disconnected` when it ends without one.
fn read_line(
    reader: File,
    timeout: Duration,
) -> std::result::Result<Vec<u8>, mpsc::RecvTimeoutError> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut line = Vec::new();
        let mut reader = BufReader::new(reader).take(LONGEST_LINE as u64);
        if reader.read_until(b'\n', &mut line).is_ok() && line.ends_with(b"\n") {
            let _ = send.send(line);
        }
    });
    receive.recv_timeout(timeout)
}
