//! Starts a program by a way of Windows, and prints as one JSON object what that
//! gave: `unix_start process PROGRAM [ARGUMENT…]` by `CreateProcess`,
//! `unix_start service NAME COMMAND` by the service controller.

use pinion_test_programs::{arguments, say, wide};
use serde_json::{Value, json};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{GetLastError, NTSTATUS};
use windows_sys::Win32::System::Services::{
    CreateServiceW, DeleteService, OpenSCManagerW, SC_MANAGER_ALL_ACCESS, SERVICE_ALL_ACCESS,
    SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};
use windows_sys::Win32::System::Threading::{
    CreateProcessW, GetExitCodeProcess, PROCESS_INFORMATION, STARTUPINFOW, WaitForSingleObject,
};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    /// The status that the thread's last error was made of.
    fn RtlGetLastNtStatus() -> NTSTATUS;
}

fn main() {
    let arguments = arguments();
    let told = match arguments.split_first() {
        Some((what, rest)) if what == "process" => process(rest),
        Some((what, [name, command])) if what == "service" => service(name, command),
        _ => panic!("unix_start process PROGRAM [ARGUMENT…] | service NAME COMMAND"),
    };
    say(&told);
}

/// Starts the program and waits for its end, where there is one to wait for.
fn process(words: &[String]) -> Value {
    let program = wide(&words[0]);
    let mut line = wide(&format!("\"{}\"", words.join("\" \"")));
    let startup = STARTUPINFOW {
        cb: size_of::<STARTUPINFOW>() as u32,
        ..Default::default()
    };
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: the texts end in zeros, the line may be written to, and all
    // structures are locals.
    let created = unsafe {
        CreateProcessW(
            program.as_ptr(),
            line.as_mut_ptr(),
            null(),
            null(),
            0,
            0,
            null(),
            null(),
            &raw const startup,
            &raw mut made,
        )
    };
    if created == 0 {
        // SAFETY: read fields of the calling thread.
        let (error, status) = unsafe { (GetLastError(), RtlGetLastNtStatus()) };
        return json!({ "error": error, "status": status.cast_unsigned() });
    }
    let mut code = 0;
    if !made.hProcess.is_null() {
        // SAFETY: a live handle and a local.
        unsafe {
            WaitForSingleObject(made.hProcess, 20_000);
            GetExitCodeProcess(made.hProcess, &raw mut code);
        }
    }
    json!({ "error": 0, "code": code })
}

/// Makes a service of the command, starts it, and takes it away.
fn service(name: &str, command: &str) -> Value {
    let [name, command] = [name, command].map(wide);
    // SAFETY: the texts end in zeros; the handles are live, and go with this process.
    let error = unsafe {
        let manager = OpenSCManagerW(null(), null(), SC_MANAGER_ALL_ACCESS);
        let service = CreateServiceW(
            manager,
            name.as_ptr(),
            null(),
            SERVICE_ALL_ACCESS,
            SERVICE_WIN32_OWN_PROCESS,
            SERVICE_DEMAND_START,
            SERVICE_ERROR_NORMAL,
            command.as_ptr(),
            null(),
            null_mut(),
            null(),
            null(),
            null(),
        );
        let started = StartServiceW(service, 0, null());
        let error = if started == 0 { GetLastError() } else { 0 };
        DeleteService(service);
        error
    };
    json!({ "error": error })
}
