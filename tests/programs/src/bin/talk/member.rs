//! A command line that creates a member and goes away before it is adopted.

use core::ptr::{null, null_mut};
use pinion_test_programs::{say, wide};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CreateProcessW, EXTENDED_STARTUPINFO_PRESENT,
    InitializeProcThreadAttributeList, PROC_THREAD_ATTRIBUTE_JOB_LIST, PROCESS_INFORMATION,
    STARTUPINFOEXW, UpdateProcThreadAttribute,
};

/// Prints the pid of the process, which never runs.
pub fn break_off(pipe: &str, program: &str) {
    let mut connection = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(pipe)
        .expect("the control pipe");
    connection
        .write_all(b"{\"op\":\"admit\"}\n")
        .expect("a request");
    let mut line = String::new();
    BufReader::new(connection.try_clone().expect("a handle"))
        .read_line(&mut line)
        .expect("a reply");
    let reply: Value = serde_json::from_str(&line).expect("JSON");
    let job = reply["job"].as_u64().expect("a job");
    let pid = create(program, job as usize as HANDLE);
    say(&json!({"pid": pid}));
    // The end of this process is the end of the connection, too.
}

fn create(program: &str, job: HANDLE) -> u32 {
    let program = wide(program);
    let mut memory = [0_usize; 64];
    let mut size = size_of_val(&memory);
    let mut startup = STARTUPINFOEXW {
        lpAttributeList: memory.as_mut_ptr().cast(),
        ..Default::default()
    };
    startup.StartupInfo.cb = u32::try_from(size_of::<STARTUPINFOEXW>()).expect("a size");
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: the list has room for one attribute, whose value lives over the
    // calls; the path ends in a zero; the outputs are locals.
    let done = unsafe {
        InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &raw mut size) != 0
            && UpdateProcThreadAttribute(
                startup.lpAttributeList,
                0,
                PROC_THREAD_ATTRIBUTE_JOB_LIST as usize,
                (&raw const job).cast(),
                size_of::<HANDLE>(),
                null_mut(),
                null_mut(),
            ) != 0
            && CreateProcessW(
                program.as_ptr(),
                null_mut(),
                null(),
                null(),
                0,
                CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT,
                null(),
                null(),
                (&raw const startup).cast(),
                &raw mut made,
            ) != 0
    };
    assert!(done, "{}", std::io::Error::last_os_error());
    made.dwProcessId
}
