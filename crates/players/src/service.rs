//! The player as a service of the VM's own controller. A service has no standard
//! handles: a relay carries the lines over a pipe of the VM's.

use crate::imports;
use crate::stage;
use crate::win::{Handle, Step, handle, last, wide, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use std::fs::File;
use std::io::{BufReader, Write};
use std::os::windows::io::FromRawHandle;
use std::sync::OnceLock;
use std::time::Duration;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Services::{
    SERVICE_RUNNING, SERVICE_STATUS, SERVICE_STOPPED, SERVICE_TABLE_ENTRYW,
    SERVICE_WIN32_OWN_PROCESS,
};

type Scm = *mut c_void;

imports! {
    "kernel32.dll" {
        fn CreateNamedPipeW(name: *const u16, mode: u32, kind: u32, most: u32, out: u32, into: u32, timeout: u32, security: *const c_void) -> HANDLE;
        fn ConnectNamedPipe(pipe: HANDLE, overlapped: *mut c_void) -> i32;
    }
    "advapi32.dll" {
        fn OpenSCManagerW(machine: *const u16, database: *const u16, access: u32) -> Scm;
        fn CreateServiceW(scm: Scm, name: *const u16, shown: *const u16, access: u32, kind: u32, start: u32, error: u32, path: *const u16, group: *const u16, tag: *mut u32, needs: *const u16, account: *const u16, password: *const u16) -> Scm;
        fn StartServiceW(service: Scm, count: u32, arguments: *const *const u16) -> i32;
        fn DeleteService(service: Scm) -> i32;
        fn StartServiceCtrlDispatcherW(table: *const SERVICE_TABLE_ENTRYW) -> i32;
        fn RegisterServiceCtrlHandlerExW(name: *const u16, handler: unsafe extern "system" fn(u32, u32, *mut c_void, *mut c_void) -> u32, context: *mut c_void) -> Scm;
        fn SetServiceStatus(service: Scm, status: *const SERVICE_STATUS) -> i32;
    }
}

/// Makes and starts the service, and carries lines to it until there are none.
pub fn relay() -> i32 {
    let name = format!("PinionProbe{}", std::process::id());
    match connected(&name) {
        Ok(ends) => carry(ends),
        Err(seen) => {
            eprintln!("pinion_probe: no service: {}", seen.words());
            1
        }
    }
}

/// An end to write lines to, and one to read answers from.
fn connected(name: &str) -> Step<[File; 2]> {
    let ends = ["in", "out"].map(|end| format!(r"\\.\pipe\{name}-{end}"));
    let pipes = [server(&ends[0])?, server(&ends[1])?];
    let own = std::env::current_exe().map_err(|_| last("its own path"))?;
    let command = wide(&format!(r#""{}" service {name} {name}"#, own.display()));
    let wide_name = wide(name);
    let (at, none) = (wide_name.as_ptr(), null());
    // SAFETY: all names end in zeros. All rights; own process, on demand.
    unsafe {
        let scm = OpenSCManagerW(none, none, 0xf_003f)?;
        if scm.is_null() {
            return Err(last("the controller"));
        }
        let service = CreateServiceW(
            scm,
            at,
            at,
            0xf_01ff,
            0x10,
            3,
            0,
            command.as_ptr(),
            none,
            null_mut(),
            none,
            none,
            none,
        )?;
        if service.is_null() {
            return Err(last("the service"));
        }
        let started = StartServiceW(service, 0, null())?;
        // It goes when it has ended.
        let _ = DeleteService(service);
        yes("start", started)?;
        for pipe in &pipes {
            let _ = ConnectNamedPipe(pipe.0, null_mut())?;
        }
    }
    Ok(pipes.map(file))
}

fn server(name: &str) -> Step<Handle> {
    let name = wide(name);
    // SAFETY: the name ends in a zero. Both ways, bytes, one instance.
    handle("the relay's pipe", unsafe {
        CreateNamedPipeW(name.as_ptr(), 3, 0, 1, 4096, 4096, 0, null())?
    })
}

fn file(handle: Handle) -> File {
    let handle = std::mem::ManuallyDrop::new(handle);
    // SAFETY: the handle is nobody else's from here on.
    unsafe { File::from_raw_handle(handle.0) }
}

fn carry([mut asks, mut answers]: [File; 2]) -> i32 {
    std::thread::spawn(move || {
        let mut out = std::io::stdout();
        let mut line = [0; 4096];
        while let Ok(count @ 1..) = std::io::Read::read(&mut answers, &mut line) {
            if out
                .write_all(&line[..count])
                .and_then(|()| out.flush())
                .is_err()
            {
                break;
            }
        }
        std::process::exit(0)
    });
    let lines = std::io::stdin().lines();
    for line in lines.map_while(Result::ok) {
        if writeln!(asks, "{line}").is_err() {
            return 1;
        }
    }
    0
}

/// The name and the pipes of this process's one service.
static OWN: OnceLock<(String, String)> = OnceLock::new();

/// The service's process.
pub fn run(name: &str, pipe: &str) -> i32 {
    let _ = OWN.set((name.into(), pipe.into()));
    let mut name = wide(name);
    let table = [
        SERVICE_TABLE_ENTRYW {
            lpServiceName: name.as_mut_ptr(),
            lpServiceProc: Some(main),
        },
        SERVICE_TABLE_ENTRYW::default(),
    ];
    // SAFETY: the table ends in an empty entry and outlives the call.
    i32::from(!matches!(
        unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) },
        Ok(1)
    ))
}

unsafe extern "system" fn main(_: u32, _: *mut *mut u16) {
    let Some((name, pipe)) = OWN.get() else {
        return;
    };
    let name = wide(name);
    // SAFETY: the name ends in a zero; the handler is static.
    let service = unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), control, null_mut()) };
    let Ok(service) = service else { return };
    let tell = |state| {
        let status = SERVICE_STATUS {
            dwServiceType: SERVICE_WIN32_OWN_PROCESS,
            dwCurrentState: state,
            ..SERVICE_STATUS::default()
        };
        // SAFETY: the structure is a local.
        let _ = unsafe { SetServiceStatus(service, &raw const status) };
    };
    tell(SERVICE_RUNNING);
    let open = |end: &str| {
        let path = format!(r"\\.\pipe\{pipe}-{end}");
        let try_it = || File::options().read(true).write(true).open(&path).ok();
        (0..100).find_map(|_| {
            try_it().or_else(|| {
                std::thread::sleep(Duration::from_millis(20));
                None
            })
        })
    };
    if let Some((asks, answers)) = open("in").zip(open("out")) {
        stage::play(BufReader::new(asks), answers);
    }
    tell(SERVICE_STOPPED);
}

unsafe extern "system" fn control(_: u32, _: u32, _: *mut c_void, _: *mut c_void) -> u32 {
    0
}
