//! Calls that act on the whole machine, on WNF states, trace sessions, power and
//! transactions, by their exports of ntdll: prints the status of each as one
//! JSON object, `null` where the system has no such call. Not to be run outside
//! of a VM, but as `machine_calls unix FILE`, which asks Wine to start Unix's
//! `touch FILE`, or `machine_calls open NAME`, which opens a mutant with the mark of
//! one that stays.

use pinion_test_programs::{arguments, say};
use serde_json::{Map, Value, json};
use std::ffi::CString;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::UNICODE_STRING;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::core::w;

/// Any system call: more arguments than it takes do no harm.
type Call = unsafe extern "system" fn(usize, usize, usize, usize, usize, usize) -> i32;

fn find(name: &str) -> Option<Call> {
    let name = CString::new(name).expect("a name");
    // SAFETY: ntdll is always loaded; the name ends with zero.
    let found = unsafe { GetProcAddress(GetModuleHandleW(w!("ntdll")), name.as_ptr().cast()) };
    // SAFETY: the exports asked for are system calls.
    found.map(|found| unsafe { core::mem::transmute::<_, Call>(found) })
}

/// The status of `name`, called with `arguments` and zeros.
fn status(name: &str, arguments: &[usize]) -> Value {
    let Some(call) = find(name) else {
        return Value::Null;
    };
    let at = |index: usize| arguments.get(index).copied().unwrap_or(0);
    // SAFETY: system calls check what they are given.
    let status = unsafe { call(at(0), at(1), at(2), at(3), at(4), at(5)) };
    json!(status.cast_unsigned())
}

const WITHOUT_PRIVILEGE: [&str; 15] = [
    "NtShutdownSystem",
    "NtInitiatePowerAction",
    "NtSetSystemPowerState",
    "NtSetSystemTime",
    "NtSetSystemInformation",
    "NtSetIntervalProfile",
    "NtSetDebugFilterState",
    "NtDisplayString",
    "NtQuerySystemEnvironmentValue",
    "NtQuerySystemEnvironmentValueEx",
    "NtSetSystemEnvironmentValueEx",
    "NtLoadDriver",
    "NtUnloadDriver",
    "NtFreezeTransactions",
    "NtMakePermanentObject",
];

fn main() {
    let arguments = arguments();
    if let [what, file] = arguments.as_slice()
        && what == "unix"
    {
        return say(&json!({ "status": touch(file) }));
    }
    if let [what, name] = arguments.as_slice()
        && what == "open"
    {
        return say(&json!({ "status": permanent_mutant("NtOpenMutant", name) }));
    }
    let mut told = Map::new();
    for name in WITHOUT_PRIVILEGE {
        told.insert(name.into(), status(name, &[]));
    }
    let mut response = [u32::MAX];
    let address = response.as_mut_ptr() as usize;
    let raised = status("NtRaiseHardError", &[0xC000_0135, 0, 0, 0, 1, address]);
    told.insert("NtRaiseHardError".into(), json!([raised, response[0]]));
    let stopped = status("NtRaiseHardError", &[0xC000_0135, 0, 0, 0, 6, address]);
    told.insert("NtRaiseHardError, shutdown".into(), stopped);
    let wrong = status("NtRaiseHardError", &[0xC000_0135, 0, 0, 0, 1, 0x10]);
    told.insert("NtRaiseHardError, bad pointer".into(), wrong);
    told.insert(
        "NtTraceControl, start".into(),
        status("NtTraceControl", &[1]),
    );
    let policy = [0_u8; 256];
    let set = [0, policy.as_ptr() as usize, 256];
    told.insert(
        "NtPowerInformation, set".into(),
        status("NtPowerInformation", &set),
    );
    let mut capabilities = [0_u8; 76];
    let read = [4, 0, 0, capabilities.as_mut_ptr() as usize, 76];
    told.insert(
        "NtPowerInformation, read".into(),
        status("NtPowerInformation", &read),
    );
    let published = status("NtUpdateWnfStateData", &[policy.as_ptr() as usize]);
    told.insert("NtUpdateWnfStateData".into(), published);
    told.insert(
        "NtCreateMutant, permanent".into(),
        permanent_mutant("NtCreateMutant", "pinion-permanent"),
    );
    say(&Value::Object(told));
}

/// Asks by `call` for the session's mutant `name`, and that it stay when its handles
/// are gone.
fn permanent_mutant(call: &str, name: &str) -> Value {
    /// `OBJ_PERMANENT` (ntdef.h).
    const PERMANENT: u32 = 0x10;
    /// `MUTANT_ALL_ACCESS` (winnt.h).
    const ALL: usize = 0x1f_0001;
    let name = format!(r"\BaseNamedObjects\{name}");
    let mut name: Vec<u16> = name.encode_utf16().collect();
    let bytes = u16::try_from(name.len() * 2).expect("a short name");
    let string = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_mut_ptr(),
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: std::ptr::null_mut(),
        ObjectName: &raw const string,
        Attributes: PERMANENT,
        SecurityDescriptor: std::ptr::null(),
        SecurityQualityOfService: std::ptr::null(),
    };
    let mut handle = 0_usize;
    let arguments = [
        &raw mut handle as usize,
        ALL,
        &raw const attributes as usize,
    ];
    status(call, &arguments)
}

/// Asks Wine to run `touch` on the Unix file; gives the status.
fn touch(file: &str) -> Value {
    let words = [c"touch".to_owned(), CString::new(file).expect("a path")];
    let mut pointers: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    pointers.push(core::ptr::null());
    status("__wine_unix_spawnvp", &[pointers.as_ptr() as usize, 1])
}
