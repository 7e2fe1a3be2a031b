//! The ways to start a process. Each takes the event's name, starts `child
//! report EVENT`, waits, and gives the exit code, or the Win32 error or NTSTATUS
//! of the start.

use core::ptr::{null, null_mut};
use pinion_test_programs::{last_error, wide};
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::Threading::{
    CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_CONSOLE, CREATE_SUSPENDED, CreateProcessA,
    CreateProcessW, DETACHED_PROCESS, GetExitCodeProcess, PROCESS_INFORMATION, ResumeThread,
    STARTUPINFOA, STARTUPINFOW, WaitForSingleObject,
};
use windows_sys::Win32::UI::Shell::{
    SEE_MASK_FLAG_NO_UI, SEE_MASK_NOCLOSEPROCESS, SHELLEXECUTEINFOW, ShellExecuteExW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::SW_HIDE;

type Way = fn(&str) -> Result<u32, u32>;

/// Every way, by name.
pub const ALL: [(&str, Way); 10] = [
    ("CreateProcessW", |event| process_w(&line(event), 0)),
    ("CreateProcessA", process_a),
    ("suspended", |event| {
        process_w(&line(event), CREATE_SUSPENDED)
    }),
    ("detached", |event| {
        process_w(&line(event), DETACHED_PROCESS)
    }),
    ("new console", |event| {
        process_w(&line(event), CREATE_NEW_CONSOLE)
    }),
    ("breakaway", |event| {
        process_w(&line(event), CREATE_BREAKAWAY_FROM_JOB)
    }),
    ("cmd /c", |event| {
        process_w(&format!("cmd.exe /c {}", line(event)), 0)
    }),
    ("ShellExecuteExW", shell),
    ("RtlCreateUserProcess", |event| native(event, false)),
    ("NtCreateUserProcess", |event| native(event, true)),
];

const TIMEOUT_MS: u32 = 30_000;

fn own_path() -> String {
    std::env::current_exe()
        .map(|path| path.display().to_string())
        .unwrap_or_default()
}

fn line(event: &str) -> String {
    format!("\"{}\" report {event}", own_path())
}

/// Waits for the process; its exit code. Closes the handle.
fn finish(process: HANDLE) -> Result<u32, u32> {
    let mut code = 0;
    // SAFETY: the caller's handle is a live process's and given away.
    unsafe {
        WaitForSingleObject(process, TIMEOUT_MS);
        GetExitCodeProcess(process, &raw mut code);
        CloseHandle(process);
    }
    Ok(code)
}

fn process_w(line: &str, flags: u32) -> Result<u32, u32> {
    let mut line = wide(line);
    let mut startup = STARTUPINFOW::default();
    #[allow(clippy::cast_possible_truncation)]
    {
        startup.cb = size_of::<STARTUPINFOW>() as u32;
    }
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: the command line ends in a zero and may be written to; both
    // structures outlive the call.
    unsafe {
        if CreateProcessW(
            null(),
            line.as_mut_ptr(),
            null(),
            null(),
            0,
            flags,
            null(),
            null(),
            &raw const startup,
            &raw mut made,
        ) == 0
        {
            return Err(last_error());
        }
        if flags & CREATE_SUSPENDED != 0 {
            ResumeThread(made.hThread);
        }
        CloseHandle(made.hThread);
    }
    finish(made.hProcess)
}

fn process_a(event: &str) -> Result<u32, u32> {
    let mut line = line(event).into_bytes();
    line.push(0);
    let mut startup = STARTUPINFOA::default();
    #[allow(clippy::cast_possible_truncation)]
    {
        startup.cb = size_of::<STARTUPINFOA>() as u32;
    }
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: as in `process_w`, in the narrow character set.
    unsafe {
        if CreateProcessA(
            null(),
            line.as_mut_ptr(),
            null(),
            null(),
            0,
            0,
            null(),
            null(),
            &raw const startup,
            &raw mut made,
        ) == 0
        {
            return Err(last_error());
        }
        CloseHandle(made.hThread);
    }
    finish(made.hProcess)
}

fn shell(event: &str) -> Result<u32, u32> {
    let file = wide(&own_path());
    let parameters = wide(&format!("report {event}"));
    let mut what = SHELLEXECUTEINFOW {
        fMask: SEE_MASK_NOCLOSEPROCESS | SEE_MASK_FLAG_NO_UI,
        lpFile: file.as_ptr(),
        lpParameters: parameters.as_ptr(),
        nShow: SW_HIDE,
        ..Default::default()
    };
    #[allow(clippy::cast_possible_truncation)]
    {
        what.cbSize = size_of::<SHELLEXECUTEINFOW>() as u32;
    }
    // SAFETY: the strings end in a zero and outlive the call.
    if unsafe { ShellExecuteExW(&raw mut what) } == 0 {
        return Err(last_error());
    }
    finish(what.hProcess)
}

#[repr(C)]
#[derive(Default)]
struct ClientId {
    process: usize,
    thread: usize,
}

/// RTL_USER_PROCESS_INFORMATION of phnt; the image information at its end is of
/// no interest here.
#[repr(C)]
struct UserProcess {
    length: u32,
    process: HANDLE,
    thread: HANDLE,
    client: ClientId,
    image: [u64; 8],
}

/// PS_CREATE_INFO of phnt: its size, a state, and what the state brings.
#[repr(C)]
struct CreateInfo {
    size: usize,
    state: u32,
    rest: [u64; 9],
}

#[repr(C)]
struct Attribute {
    attribute: usize,
    size: usize,
    value: *const u16,
    returned: *mut usize,
}

/// PS_ATTRIBUTE_LIST with one attribute.
#[repr(C)]
struct AttributeList {
    total: usize,
    image: Attribute,
}

const PS_ATTRIBUTE_IMAGE_NAME: usize = 0x2_0005;
const PROCESS_PARAMETERS_NORMALIZED: u32 = 1;
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
const THREAD_CREATE_SUSPENDED: u32 = 1;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn RtlCreateProcessParametersEx(
        parameters: *mut *mut u8,
        image: *const UNICODE_STRING,
        dll_path: *const UNICODE_STRING,
        cwd: *const UNICODE_STRING,
        line: *const UNICODE_STRING,
        env: *const u16,
        title: *const UNICODE_STRING,
        desktop: *const UNICODE_STRING,
        shell: *const UNICODE_STRING,
        runtime: *const UNICODE_STRING,
        flags: u32,
    ) -> NTSTATUS;
    fn RtlDestroyProcessParameters(parameters: *mut u8) -> NTSTATUS;
    fn RtlCreateUserProcess(
        image: *const UNICODE_STRING,
        attributes: u32,
        parameters: *mut u8,
        process_security: *const u8,
        thread_security: *const u8,
        parent: HANDLE,
        inherit: u8,
        debug: HANDLE,
        token: HANDLE,
        made: *mut UserProcess,
    ) -> NTSTATUS;
    fn NtCreateUserProcess(
        process: *mut HANDLE,
        thread: *mut HANDLE,
        process_access: u32,
        thread_access: u32,
        process_attributes: *const u8,
        thread_attributes: *const u8,
        process_flags: u32,
        thread_flags: u32,
        parameters: *mut u8,
        info: *mut CreateInfo,
        attributes: *const AttributeList,
    ) -> NTSTATUS;
    fn NtResumeThread(thread: HANDLE, count: *mut u32) -> NTSTATUS;
}

fn string(units: &[u16]) -> UNICODE_STRING {
    #[allow(clippy::cast_possible_truncation)]
    let bytes = (units.len() * 2) as u16;
    // The end that `wide` adds is not counted.
    UNICODE_STRING {
        Length: bytes - 2,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    }
}

fn native(event: &str, by_nt: bool) -> Result<u32, u32> {
    let (path, nt_path) = (wide(&own_path()), wide(&format!("\\??\\{}", own_path())));
    let line = wide(&line(event));
    let (image, nt_image, line) = (string(&path), string(&nt_path), string(&line));
    let mut parameters = null_mut();
    // SAFETY: the strings outlive the call; null takes the caller's own.
    check(unsafe {
        RtlCreateProcessParametersEx(
            &raw mut parameters,
            &raw const image,
            null(),
            null(),
            &raw const line,
            null(),
            null(),
            null(),
            null(),
            null(),
            PROCESS_PARAMETERS_NORMALIZED,
        )
    })?;
    let made = if by_nt {
        by_system_call(parameters, &nt_path)
    } else {
        by_rtl(parameters, &nt_image)
    };
    // SAFETY: made by the call above, destroyed once.
    unsafe { RtlDestroyProcessParameters(parameters) };
    let (process, thread) = made?;
    // SAFETY: the thread's handle is ours.
    unsafe {
        NtResumeThread(thread, null_mut());
        CloseHandle(thread);
    }
    finish(process)
}

fn check(status: NTSTATUS) -> Result<(), u32> {
    if status >= 0 {
        Ok(())
    } else {
        Err(status.cast_unsigned())
    }
}

fn by_rtl(parameters: *mut u8, image: &UNICODE_STRING) -> Result<(HANDLE, HANDLE), u32> {
    let mut made = UserProcess {
        length: 0,
        process: null_mut(),
        thread: null_mut(),
        client: ClientId::default(),
        image: [0; 8],
    };
    // SAFETY: the parameters are from RtlCreateProcessParametersEx; the result
    // has room for the whole structure.
    check(unsafe {
        RtlCreateUserProcess(
            image,
            0x40,
            parameters,
            null(),
            null(),
            null_mut(),
            0,
            null_mut(),
            null_mut(),
            &raw mut made,
        )
    })?;
    Ok((made.process, made.thread))
}

fn by_system_call(parameters: *mut u8, image: &[u16]) -> Result<(HANDLE, HANDLE), u32> {
    let (mut process, mut thread) = (null_mut(), null_mut());
    let mut info = CreateInfo {
        size: size_of::<CreateInfo>(),
        state: 0,
        rest: [0; 9],
    };
    let attributes = AttributeList {
        total: size_of::<AttributeList>(),
        image: Attribute {
            attribute: PS_ATTRIBUTE_IMAGE_NAME,
            size: (image.len() - 1) * 2,
            value: image.as_ptr(),
            returned: null_mut(),
        },
    };
    // SAFETY: as in `by_rtl`; the attribute list and the image's name outlive
    // the call.
    check(unsafe {
        NtCreateUserProcess(
            &raw mut process,
            &raw mut thread,
            MAXIMUM_ALLOWED,
            MAXIMUM_ALLOWED,
            null(),
            null(),
            0,
            THREAD_CREATE_SUSPENDED,
            parameters,
            &raw mut info,
            &raw const attributes,
        )
    })?;
    Ok((process, thread))
}
