//! Take processes into the VM: those that the command line created suspended, and those that the
//! supervisor creates itself (detached programs, services).
//!
//! The order is fixed: created in the job, agent, then the first instruction. A process that could not
//! be confined never runs. What the host has not is created by a helper inside ([`crate::inside`]).

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::{size_of, zeroed};
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::null;

use pinion_launch::place::PlaceError;
use pinion_nt::{HANDLE, status};
use pinion_store::{View, Vm};
use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessW, EXTENDED_STARTUPINFO_PRESENT,
    PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
};

use crate::again;
use crate::attributes::Attributes;
use crate::creation::not_created;
use crate::error::{Error, Result};
use crate::inside::{Console, Helper};
use crate::job::Job;
use crate::keeper::Keeper;
use crate::process::Process;
use crate::program::{self, Meant, meant};
use crate::search::Places;
use crate::system::{check, is_wine, nt_error, own, wide};
use crate::unix::Image;

/// The exit code of a process that could not be confined; nobody waits for it.
pub(crate) const NOT_CONFINED: u32 = 126;

/// A program that the supervisor starts.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// The whole command line, the program first, quoted as the program wants it.
    pub command_line: String,
    /// The whole environment; none means the supervisor's own.
    pub env: Option<Vec<(String, String)>>,
    /// Current directory; none means the supervisor's.
    pub cwd: Option<String>,
    /// Whether it has no console at all, as a service; others have one of their own without a window.
    pub is_service: bool,
}

/// A confined process that has not run yet. Dropped without [`Confined::resume`], it is ended.
#[derive(Debug)]
pub struct Confined {
    process: Option<Process>,
}

impl Confined {
    /// A process that is confined and has not run.
    pub(crate) fn new(process: Process) -> Self {
        Self {
            process: Some(process),
        }
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::pid)
    }

    /// A handle of it in the process `to`; its value there.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn lend(&self, to: &Process) -> Result<u64> {
        let lend = |process: &Process| process.lend(to);
        self.process.as_ref().map_or(Ok(0), lend)
    }

    /// Lets it run.
    ///
    /// # Errors
    /// The system's refusal; the process is ended then.
    pub fn resume(mut self) -> Result<Process> {
        if let Some(process) = &self.process {
            process.resume()?;
        }
        let what = format!("let the process {} run", self.pid());
        self.process
            .take()
            .ok_or_else(|| nt_error(what, status::STATUS_UNSUCCESSFUL))
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            process.terminate(NOT_CONFINED);
        }
    }
}

impl Launch {
    fn console(&self) -> Console {
        if self.is_service {
            Console::None
        } else {
            Console::Own
        }
    }
}

impl Keeper {
    /// Confines a member that was created suspended and has not run: 64-bit check, membership, agent.
    ///
    /// # Errors
    /// The cause; the process must then be ended by whoever created it.
    pub fn confine(&self, process: &Process, program: &str) -> Result<()> {
        let cannot = |why: &str| Error::CannotRun {
            program: program.into(),
            why: why.into(),
        };
        if process.is_32_bit()? {
            return Err(cannot(
                "32-bit programs are not supported yet; use its 64-bit version",
            ));
        }
        self.limiter().bind(std::slice::from_ref(process));
        self.membership().take_in(process)?;
        self.agent()
            .place(process, self.legacy())
            .map_err(|error| match error {
                PlaceError::Image(error) => cannot(&error.to_string()),
                error => cannot(&format!("it could not be confined: {error}")),
            })
    }

    /// Whether one more process is within the limit, whoever enforces it.
    ///
    /// # Errors
    /// [`Error::ProcessLimit`].
    pub(crate) fn check_room(&self) -> Result<()> {
        let Some(limit) = self.limiter().status().processes.value else {
            return Ok(());
        };
        if u64::from(self.job().accounting()?.active) < limit {
            return Ok(());
        }
        Err(Error::ProcessLimit {
            name: self.vm().name().to_string(),
            limit,
        })
    }

    /// Creates a process inside, confined and not running yet; its standard output and error go to the
    /// VM's output log, its standard input is empty.
    ///
    /// # Errors
    /// The VM is paused or stopping; the program or its folder does not exist, is none, or could not be
    /// confined. Nothing is left.
    pub fn create_confined(&self, launch: &Launch) -> Result<Confined> {
        self.admits()?;
        self.check_room()?;
        let view = View::of_vm(self.vm());
        let confined = match meant(&view, &Places::of_this_process(), &launch.command_line)? {
            Meant::Hidden => {
                return Err(Error::ProgramNotFound {
                    program: program_of(&launch.command_line).into(),
                });
            }
            Meant::Found(located, line)
                if !located.is_host || has_not(&view, launch.cwd.as_deref())? =>
            {
                self.create_inside(launch, &located.path, &line)?
            }
            Meant::Found(..) | Meant::Unknown => self.create_here(launch)?,
        };
        tracing::info!(
            pid = confined.pid(),
            command = launch.command_line,
            "started"
        );
        Ok(confined)
    }

    /// Creates a process of a program that the host has, too.
    fn create_here(&self, launch: &Launch) -> Result<Confined> {
        let confined = create_suspended(self.vm(), self.job(), launch)?;
        let process = confined.process.as_ref();
        process.map_or(Ok(()), |process| {
            self.confine(process, program_of(&launch.command_line))
        })?;
        Ok(confined)
    }

    /// Has a member create the program, which it sees.
    fn create_inside(&self, launch: &Launch, program: &Path, line: &str) -> Result<Confined> {
        let cwd = launch.cwd.clone().unwrap_or_default();
        let helper = Helper::new(program, line, &cwd, launch.console())
            .map_err(|why| Error::system("find pinion.exe's own path", why))?;
        let own = Launch {
            command_line: helper.line,
            env: launch.env.clone(),
            cwd: Some(helper.cwd.display().to_string()),
            is_service: launch.is_service,
        };
        let helper = self.create_here(&own)?.resume()?;
        self.made_by(&helper, &program.display().to_string())
    }
}

/// Whether the folder is another to the VM than to the host.
fn has_not(view: &View, folder: Option<&str>) -> Result<bool> {
    let Some(folder) = folder else {
        return Ok(false);
    };
    Ok(program::folder(view, Path::new(folder))? == Some(false))
}

/// The program's part of a command line.
fn program_of(line: &str) -> &str {
    match line.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or(rest),
        None => line.split([' ', '\t']).next().unwrap_or(line),
    }
}

fn create_suspended(vm: &Vm, job: &Job, launch: &Launch) -> Result<Confined> {
    let output = inheritable(open_output(vm)?)?;
    let input = inheritable(open_nul()?)?;
    let image = is_wine()
        .then(|| Image::of(&launch.command_line))
        .transpose()?;
    let mut command_line = match &image {
        Some(image) => image.line.clone(),
        None => wide(&launch.command_line),
    };
    let environment = launch.env.as_deref().map(environment_block);
    let folder = launch.cwd.as_deref().map(wide);
    let handles = [input.as_raw_handle(), output.as_raw_handle()];
    let jobs = [job.raw()];
    let list = Attributes::new(&handles, &jobs)?;
    // SAFETY: a plain structure of numbers and pointers, for which zero is a value.
    let mut startup: STARTUPINFOEXW = unsafe { zeroed() };
    startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = input.as_raw_handle();
    startup.StartupInfo.hStdOutput = output.as_raw_handle();
    startup.StartupInfo.hStdError = output.as_raw_handle();
    startup.lpAttributeList = list.raw();
    let mut created = PROCESS_INFORMATION::default();
    // SAFETY: all strings end with zero and live over the call, as do the attributes; the command line
    // is writable; `created` is a local.
    let done = again::create(|| unsafe {
        CreateProcessW(
            image.as_ref().map_or(null(), |image| image.path.as_ptr()),
            command_line.as_mut_ptr(),
            null(),
            null(),
            1,
            CREATE_SUSPENDED
                | launch.console().flags()
                | CREATE_UNICODE_ENVIRONMENT
                | EXTENDED_STARTUPINFO_PRESENT,
            environment
                .as_ref()
                .map_or(null(), |block| block.as_ptr().cast()),
            folder.as_ref().map_or(null(), |path| path.as_ptr()),
            (&raw const startup).cast(),
            &raw mut created,
        )
    });
    if done == 0 {
        let why = io::Error::last_os_error();
        let program = program_of(&launch.command_line);
        return Err(not_created(program, launch.cwd.as_deref(), why));
    }
    // SAFETY: fresh handles of the created process.
    let (process, thread) = unsafe { (own(created.hProcess, ""), own(created.hThread, "")) };
    drop(thread);
    Ok(Confined::new(Process::from_handle(
        process?,
        created.dwProcessId,
    )))
}

fn open_output(vm: &Vm) -> Result<File> {
    let path = vm.output_log();
    let what = || format!("open the log {}", path.display());
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.map_err(|why| Error::system(what(), why))
}

fn open_nul() -> Result<File> {
    let file = OpenOptions::new().read(true).open("NUL");
    file.map_err(|why| Error::System {
        what: "open NUL".into(),
        why,
    })
}

fn inheritable(file: File) -> Result<OwnedHandle> {
    let handle = OwnedHandle::from(file);
    let raw: HANDLE = handle.as_raw_handle();
    // SAFETY: a live handle.
    let done = unsafe { SetHandleInformation(raw, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) };
    check(done, "make a handle inheritable").map(|()| handle)
}

/// `NAME=value` strings, each ending with a zero, sorted without regard to case as Windows wants them,
/// and one more zero.
fn environment_block(env: &[(String, String)]) -> Vec<u16> {
    let mut env: Vec<&(String, String)> = env.iter().collect();
    env.sort_by_key(|(name, _)| name.to_uppercase());
    let mut block: Vec<u16> = env
        .iter()
        .flat_map(|(name, value)| wide(&format!("{name}={value}")))
        .collect();
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}
