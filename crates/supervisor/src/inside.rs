//! The start of a program that the host has not, or not at the path by which the VM knows it: one that was
//! installed in the VM, or that starts in a folder of the VM's own.
//!
//! Only a member sees such files. So `pinion.exe` itself is started inside first, as a member like any
//! other; it creates the program suspended, as its own child, and ends with the child's process id as its
//! exit code. The supervisor takes the id for no more than a hint: the kernel says that the process is a
//! member and the helper's child, so that nothing a program inside does can make it take another.

use std::io;
use std::mem::{size_of, zeroed};
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{CloseHandle, ERROR_INVALID_PARAMETER, GetLastError};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Environment::GetCommandLineW;
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_SUSPENDED, CreateProcessW, DETACHED_PROCESS,
    PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOW,
};

use crate::creation::not_created;
use crate::error::{Error, Result};
use crate::keeper::Keeper;
use crate::process::Process;
use crate::quote::{after, command_line};
use crate::start::{Confined, NOT_CONFINED};
use crate::system::wide;

/// The hidden verb of the helper.
pub const VERB: &str = "start-inside";

/// How long the helper may take.
const TIME: Duration = Duration::from_secs(30);
/// Set in the helper's exit code when the rest of it is a Win32 error. No process id has it: they are
/// multiples of four far below (and were never seen above some ten thousand on Wine).
const FAILED: u32 = 1 << 31;
/// The helper's arguments before the program's command line: itself, verb, console, program, folder.
const BEFORE: usize = 5;

/// Which console the program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// That of whoever starts it.
    Same,
    /// One of its own without a window.
    Own,
    /// None.
    None,
}

impl Console {
    const ALL: [Self; 3] = [Self::Same, Self::Own, Self::None];

    fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Own => "own",
            Self::None => "none",
        }
    }

    /// The flags of `CreateProcess` for it.
    pub(crate) fn flags(self) -> u32 {
        match self {
            Self::Same => 0,
            Self::Own => CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP,
            Self::None => DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP,
        }
    }
}

/// A helper that is to be started.
#[derive(Debug)]
pub struct Helper {
    /// Its program: this one.
    pub program: PathBuf,
    /// Its command line.
    pub line: String,
    /// Where it starts: a folder that the host has.
    pub cwd: PathBuf,
}

impl Helper {
    /// The helper that starts `program` with the command line `line` in the folder `cwd`, both as the VM
    /// knows them.
    ///
    /// # Errors
    /// This program's own path is not known.
    pub fn new(program: &Path, line: &str, cwd: &str, console: Console) -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let first = [
            own.display().to_string(),
            VERB.into(),
            console.word().into(),
            program.display().to_string(),
            cwd.into(),
        ];
        let root = std::env::var_os("SystemRoot").map(PathBuf::from);
        Ok(Self {
            line: format!("{} {line}", command_line(&first)),
            cwd: root.unwrap_or_else(|| own.parent().unwrap_or(&own).into()),
            program: own,
        })
    }
}

impl Keeper {
    /// Waits for what a helper that runs has made of `program`: a member that has not run.
    ///
    /// # Errors
    /// The system's refusal, which is the program's; a helper that does not do what it must.
    pub(crate) fn made_by(&self, helper: &Process, program: &str) -> Result<Confined> {
        if !helper.wait(Some(TIME)) {
            helper.terminate(NOT_CONFINED);
            return Err(Error::Timeout {
                what: format!("the start of {program} inside the VM"),
                seconds: TIME.as_secs(),
                remedy: "try again, or look at the log with 'pinion logs --supervisor'",
            });
        }
        let code = helper.exit_code()?;
        let cannot = |why: String| Error::CannotRun {
            program: program.into(),
            why,
        };
        if code & FAILED != 0 {
            // What is no Win32 error is the NTSTATUS with which the helper was ended.
            return Err(match u16::try_from(code & !FAILED) {
                Ok(error) => {
                    let why = io::Error::from_raw_os_error(error.into());
                    not_created(program, None, why)
                }
                Err(_) => cannot(format!(
                    "the helper that starts it was ended ({code:#010x})"
                )),
            });
        }
        let child = Process::open_member(code).ok().filter(|child| {
            let creator = child.creator();
            creator.is_ok_and(|creator| creator == helper.pid()) && self.job().contains(child)
        });
        let child = child.ok_or_else(|| {
            cannot("the helper that starts it inside the VM ended without having done so".into())
        })?;
        Ok(Confined::new(child))
    }
}

/// The helper: creates the program that this process's command line tells. Its exit code.
#[must_use]
pub fn start_here(arguments: &[String]) -> u32 {
    match create(arguments) {
        Ok(pid) => pid,
        Err(code) => FAILED | code,
    }
}

fn create(arguments: &[String]) -> std::result::Result<u32, u32> {
    let [console, program, cwd, ..] = arguments else {
        return Err(ERROR_INVALID_PARAMETER);
    };
    let mut consoles = Console::ALL.into_iter();
    let console = consoles.find(|other| other.word() == console);
    let console = console.ok_or(ERROR_INVALID_PARAMETER)?;
    let mut line = wide(after(&own_line(), BEFORE));
    // None stands for the helper's own.
    let cwd = (!cwd.is_empty()).then(|| wide(cwd));
    let program = wide(program);
    // SAFETY: a plain structure of numbers and pointers, for which zero is a value.
    let mut startup: STARTUPINFOW = unsafe { zeroed() };
    startup.cb = size_of::<STARTUPINFOW>() as u32;
    startup.dwFlags = STARTF_USESTDHANDLES;
    // SAFETY: no pointers.
    unsafe {
        startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
        startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    let mut created = PROCESS_INFORMATION::default();
    // SAFETY: all strings end with zero and live over the call; the command line is writable; `created`
    // is a local. This process inherited nothing but its standard handles, and has opened nothing that
    // is inherited.
    let done = unsafe {
        CreateProcessW(
            program.as_ptr(),
            line.as_mut_ptr(),
            null(),
            null(),
            1,
            CREATE_SUSPENDED | console.flags(),
            null_mut(),
            cwd.as_ref().map_or(null(), |cwd| cwd.as_ptr()),
            &raw const startup,
            &raw mut created,
        )
    };
    if done == 0 {
        // SAFETY: reads the thread's last error.
        return Err(unsafe { GetLastError() });
    }
    // SAFETY: two fresh handles of the created process.
    unsafe {
        CloseHandle(created.hThread);
        CloseHandle(created.hProcess);
    }
    Ok(created.dwProcessId)
}

/// This process's command line.
fn own_line() -> String {
    // SAFETY: the process's own command line, which ends with a zero and stays where it is.
    let units = unsafe {
        let line = GetCommandLineW();
        let length = (0..).take_while(|&at| *line.add(at) != 0).count();
        std::slice::from_raw_parts(line, length)
    };
    String::from_utf16_lossy(units)
}
