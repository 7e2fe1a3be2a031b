//! Functions of Windows by name, statuses in words, handles that close
//! themselves.

use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use pinion_probes::{Answer, Facts, Seen};
use std::io::Write;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{
    CloseHandle, GetLastError, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, UNICODE_STRING,
};
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, EXCEPTION_CONTINUE_SEARCH, EXCEPTION_POINTERS,
};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

/// What a player's step gives: its value, or what was seen instead.
pub type Step<T> = Result<T, Seen>;

/// `text` in UTF-16, ended by a zero.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The address of a function, or that this system does not have it.
pub fn address(module: &str, name: &CStr) -> Step<*const c_void> {
    let missing = || Seen::Missing(format!("{module} has no {}", name.to_string_lossy()));
    let module = wide(module);
    // SAFETY: both names end in a zero.
    let found = unsafe {
        let module = LoadLibraryW(module.as_ptr());
        if module.is_null() {
            return Err(missing());
        }
        GetProcAddress(module, name.as_ptr().cast())
    };
    found.map(|f| f as *const c_void).ok_or_else(missing)
}

/// Declares functions that are found when they are called.
#[macro_export]
macro_rules! imports {
    ($($module:literal { $(fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)* })*) => { $($(
        #[allow(non_snake_case, clippy::too_many_arguments)]
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        /// As the function's own.
        pub unsafe fn $name($($argument: $type),*) -> $crate::win::Step<$result> {
            const NAME: &core::ffi::CStr = match core::ffi::CStr::from_bytes_with_nul(
                concat!(stringify!($name), "\0").as_bytes(),
            ) {
                Ok(name) => name,
                Err(_) => panic!("a name with a zero in it"),
            };
            type Call = unsafe extern "system" fn($($type),*) -> $result;
            let at = $crate::win::address($module, NAME)?;
            // SAFETY: the export of that name has this signature, by its documentation.
            let call = unsafe { core::mem::transmute::<*const core::ffi::c_void, Call>(at) };
            // SAFETY: the caller's promise.
            Ok(unsafe { call($($argument),*) })
        }
    )*)* };
}

/// A handle that is closed with the value.
pub struct Handle(pub HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.0.is_null() && self.0 != INVALID_HANDLE_VALUE {
            // SAFETY: a handle of this process, closed once.
            unsafe { CloseHandle(self.0) };
        }
    }
}

// SAFETY: a handle is a number that any thread may use.
unsafe impl Send for Handle {}

const STATUS_NOT_IMPLEMENTED: u32 = 0xC000_0002;
const STATUS_NOT_SUPPORTED: u32 = 0xC000_00BB;
const STATUS_INVALID_SYSTEM_SERVICE: u32 = 0xC000_001C;
const ERROR_CALL_NOT_IMPLEMENTED: u32 = 120;
const ERROR_NOT_SUPPORTED: u32 = 50;
/// What Wine raises for an export that it only names.
const EXCEPTION_WINE_STUB: u32 = 0x8000_0100;

/// A status in words; one that says that there is no such call, as that.
pub fn status(what: &str, status: NTSTATUS) -> Seen {
    let number = status.cast_unsigned();
    let text = format!("{what}: {number:#010x}");
    match number {
        STATUS_NOT_IMPLEMENTED | STATUS_NOT_SUPPORTED | STATUS_INVALID_SYSTEM_SERVICE => {
            Seen::Missing(text)
        }
        _ => Seen::Refused(text),
    }
}

/// Success, or the status in words.
pub fn nt(what: &str, value: NTSTATUS) -> Step<()> {
    if value >= 0 {
        Ok(())
    } else {
        Err(status(what, value))
    }
}

/// The calling thread's last error in words.
pub fn last(what: &str) -> Seen {
    // SAFETY: reads a field of the calling thread.
    error(what, unsafe { GetLastError() })
}

/// A Win32 error in words.
pub fn error(what: &str, code: u32) -> Seen {
    let text = format!("{what}: error {code}");
    match code {
        ERROR_CALL_NOT_IMPLEMENTED | ERROR_NOT_SUPPORTED => Seen::Missing(text),
        _ => Seen::Refused(text),
    }
}

/// A handle of a Win32 function that gives none or -1 when it fails.
pub fn handle(what: &str, value: HANDLE) -> Step<Handle> {
    if value.is_null() || value == INVALID_HANDLE_VALUE {
        Err(last(what))
    } else {
        Ok(Handle(value))
    }
}

/// True, or the last error in words.
pub fn yes(what: &str, value: i32) -> Step<()> {
    if value == 0 { Err(last(what)) } else { Ok(()) }
}

/// A way that the player does not know: the table and it are not of one mind.
pub fn unknown<T>(way: &str) -> Step<T> {
    Err(Seen::Broken(format!("the player knows no way {way}")))
}

/// What a client read, as the verdict on it.
pub fn token(read: u32, wanted: u32) -> Step<()> {
    if read == wanted {
        Ok(())
    } else {
        Err(Seen::Other(format!("{read:#x}")))
    }
}

/// Hands `call` an OBJECT_ATTRIBUTES for `name` below `root`, any case.
pub fn with_attributes<T>(
    root: HANDLE,
    name: &str,
    call: impl FnOnce(*const OBJECT_ATTRIBUTES) -> T,
) -> T {
    let units: Vec<u16> = name.encode_utf16().collect();
    let string = unicode(&units);
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: root,
        ObjectName: &raw const string,
        Attributes: 0x40,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    };
    call(&raw const attributes)
}

/// A UNICODE_STRING over `units`, which it must not outlive.
pub fn unicode(units: &[u16]) -> UNICODE_STRING {
    let bytes = u16::try_from(units.len() * 2).unwrap_or(0xfffe);
    UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: if bytes == 0 {
            null_mut()
        } else {
            units.as_ptr().cast_mut()
        },
    }
}

/// Makes an export that Wine only names an answer and not a crash.
pub fn answer_stubs() {
    // SAFETY: the handler is a static function.
    unsafe { AddVectoredExceptionHandler(1, Some(stub_called)) };
}

unsafe extern "system" fn stub_called(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system hands a valid record.
    let code = unsafe { (*(*pointers).ExceptionRecord).ExceptionCode }.cast_unsigned();
    if code != EXCEPTION_WINE_STUB {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    let answer = Answer {
        seen: Seen::Missing("an export that this Wine only names".into()),
        facts: Facts::new(),
    };
    let mut out = std::io::stdout();
    if let Ok(text) = serde_json::to_string(&answer) {
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
    // SAFETY: ends this process, whose call cannot be gone on with.
    unsafe { TerminateProcess(GetCurrentProcess(), 0) };
    EXCEPTION_CONTINUE_SEARCH
}
