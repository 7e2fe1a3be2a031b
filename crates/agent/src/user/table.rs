//! The table of win32u's calls that have a function of their own in their
//! place.

use super::{Hook, atoms, guarded, kept, last_error, screen, settings, station, station_calls};
use crate::hooks::told;
use crate::state;
use crate::trace::{self, call};
use core::ffi::c_void;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING};

macro_rules! hooks {
    ($($name:ident($($argument:ident: $type:ty),* $(,)?) => $target:path;)*) => {
        #[allow(clippy::enum_variant_names)]
        #[repr(usize)]
        enum Index { $($name),* }

        /// The calls as they were before interception.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        pub(super) mod kernel {
            use super::*;
            $(
                /// The system call itself.
                ///
                /// # Safety
                /// As the system call: pointers may be bad, the kernel checks.
                pub(crate) unsafe fn $name($($argument: $type),*) -> usize {
                    if const { trace::is_named(&[$(trace::part(stringify!($argument), stringify!($type))),*]) }
                        && trace::is_on()
                    {
                        trace::given(const { call(stringify!($name)) }, &told!($($argument: $type),*));
                    }
                    type Call = unsafe extern "system" fn($($type),*) -> usize;
                    let at = kept(guarded::COUNT + Index::$name as usize);
                    // SAFETY: `install` wrote there a copy of this call's stub,
                    // which takes these arguments.
                    let call = unsafe { core::mem::transmute::<u64, Call>(at) };
                    // SAFETY: the caller's promise.
                    unsafe { call($($argument),*) }
                }
            )*
        }

        /// What the program enters instead of the stubs.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod entries {
            use super::*;
            $(
                pub(super) unsafe extern "system" fn $name($($argument: $type),*) -> usize {
                    let begun = if const {
                        let parts = [$(trace::part(stringify!($argument), stringify!($type))),*];
                        trace::is_told(stringify!($target), &parts)
                    } && trace::is_on()
                    {
                        let call = const { call(stringify!($name)) };
                        trace::begin(call, &told!($($argument: $type),*))
                    } else {
                        trace::Begun::NONE
                    };
                    // SAFETY: the program's own arguments, as it gave them.
                    let result = unsafe {
                        if state::watches() {
                            kernel::$name($($argument),*)
                        } else {
                            $target($($argument),*)
                        }
                    };
                    trace::end(begun, status(result));
                    result
                }
            )*
        }

        static ROWS: &[Row] = &[
            $(Row {
                name: stringify!($name),
                entry: entries::$name as *const c_void,
            }),*
        ];
    };
}

/// What a result tells as a status: nothing is the last error's.
fn status(result: usize) -> NTSTATUS {
    /// `NTSTATUS_FROM_WIN32` (ntstatus.h).
    const OF_WIN32: u32 = 0xC007_0000;
    if result == 0 {
        (OF_WIN32 | last_error() & 0xffff).cast_signed()
    } else {
        0
    }
}

/// A line of the table.
struct Row {
    name: &'static str,
    /// What takes the call's place.
    entry: *const c_void,
}

// SAFETY: both fields are addresses of static code and data.
unsafe impl Sync for Row {}

type Attributes = *const OBJECT_ATTRIBUTES;
type Name = *const UNICODE_STRING;

hooks! {
    NtUserInitializeClientPfnArrays(ansi: *const c_void, wide: *const c_void, workers: *const c_void, module: *const c_void) => station::connect;
    NtUserCreateWindowStation(attributes: Attributes, access: u32, a: usize, b: usize, c: usize, d: usize, e: usize) => station_calls::create;
    NtUserOpenWindowStation(attributes: Attributes, access: u32) => station_calls::open;
    NtUserCreateDesktopEx(attributes: Attributes, device: *const c_void, mode: *const c_void, flags: u32, access: u32, heap: u32) => station_calls::create_desktop;
    NtUserOpenDesktop(attributes: Attributes, flags: u32, access: u32) => station_calls::open_desktop;
    NtUserOpenInputDesktop(flags: u32, inherit: u32, access: u32) => station_calls::open_input_desktop;
    NtUserGetObjectInformation(handle: HANDLE, index: i32, information: *mut c_void, length: u32, needed: *mut u32) => station_calls::query;
    NtUserBuildNameList(station: HANDLE, size: u32, list: *mut c_void, needed: *mut u32) => station_calls::list;
    NtUserGetProcessWindowStation() => station_calls::of_process;
    NtUserSetProcessWindowStation(station: HANDLE) => station_calls::set_process;
    NtUserSetThreadDesktop(desktop: HANDLE) => station_calls::set_thread;
    NtUserCallNoParam(code: u32) => station_calls::call_no_param;
    NtUserSystemParametersInfo(action: u32, number: u32, place: *mut c_void, flags: u32) => settings::system_parameter;
    NtUserWindowFromDC(context: u64) => screen::window_of;
    NtGdiOpenDCW(device: Name, mode: *const c_void, output: Name, kind: u32, display: u32, spooler: HANDLE, driver: *const c_void, place: *mut c_void) => screen::open;
    NtGdiDeleteObjectApp(object: u64) => screen::delete;
    NtUserGetProp(window: u64, name: *const u16) => atoms::get_property;
    NtUserSetProp(window: u64, name: *const u16, value: usize) => atoms::set_property;
    NtUserRemoveProp(window: u64, name: *const u16) => atoms::remove_property;
    NtUserGetClipboardFormatName(format: u32, buffer: *mut c_void, room: i32) => atoms::format_name;
    NtUserRegisterWindowMessage(name: Name) => atoms::register_message;
}

/// The calls, in the order of their kept stubs.
pub(super) fn hooks() -> impl Iterator<Item = Hook<'static>> {
    ROWS.iter().enumerate().map(|(index, row)| Hook {
        name: row.name.as_bytes(),
        kept: kept(guarded::COUNT + index),
        entry: row.entry as u64,
    })
}
