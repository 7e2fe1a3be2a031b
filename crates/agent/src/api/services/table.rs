//! The services that this process offers: the table of
//! `StartServiceCtrlDispatcher`, with each service's control handler and the
//! status handle of its present run.

use super::call::Result;
use super::text;
use crate::api::heap::Block;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use pinion_nt::calls::{RtlMultiByteToUnicodeN, RtlUpcaseUnicodeChar};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
    ERROR_SERVICE_ALREADY_RUNNING,
};
use windows_sys::Win32::System::Services::{
    LPHANDLER_FUNCTION_EX, SERVICE_TABLE_ENTRYA, SERVICE_TABLE_ENTRYW,
};

/// Most services of one process.
const MOST: usize = 64;
/// Longest service name in units.
const LONGEST: usize = 256;

/// A control handler as registered.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Nothing is registered.
    None,
    /// By `RegisterServiceCtrlHandler`.
    Plain(unsafe extern "system" fn(u32)),
    /// By `RegisterServiceCtrlHandlerEx`, with the context.
    Extended(
        unsafe extern "system" fn(u32, u32, *mut c_void, *mut c_void) -> u32,
        *mut c_void,
    ),
}

impl Handler {
    /// A `HANDLER_FUNCTION`.
    pub(super) fn plain(handler: *const c_void) -> Self {
        // SAFETY: null is the `None` of an optional function pointer, and the
        // program vouches for the type of any other.
        match unsafe {
            core::mem::transmute::<*const c_void, Option<unsafe extern "system" fn(u32)>>(handler)
        } {
            Some(handler) => Self::Plain(handler),
            None => Self::None,
        }
    }

    /// A `HANDLER_FUNCTION_EX`.
    pub(super) fn extended(handler: *const c_void, context: *mut c_void) -> Self {
        // SAFETY: as for `plain`.
        match unsafe { core::mem::transmute::<*const c_void, LPHANDLER_FUNCTION_EX>(handler) } {
            Some(handler) => Self::Extended(handler, context),
            None => Self::None,
        }
    }
}

/// One service of the table.
pub(super) struct Service {
    name: [u16; LONGEST],
    length: usize,
    /// `ServiceMain`.
    pub(super) main: *const c_void,
    /// Whether `ServiceMain` takes 8-bit arguments.
    pub(super) ansi: bool,
    status_handle: AtomicU32,
    handler: AtomicUsize,
    context: AtomicPtr<c_void>,
    extended: AtomicU32,
}

impl Service {
    /// Its run has begun.
    pub(super) fn begin(&self, status_handle: u32) {
        self.handler.store(0, Ordering::Relaxed);
        self.status_handle.store(status_handle, Ordering::Release);
    }

    /// The handle of its present run.
    pub(super) fn status_handle(&self) -> u32 {
        self.status_handle.load(Ordering::Acquire)
    }

    /// Keeps the control handler of this run.
    pub(super) fn set_handler(&self, handler: Handler) {
        let (at, context, extended) = match handler {
            Handler::None => (0, core::ptr::null_mut(), 0),
            Handler::Plain(handler) => (handler as usize, core::ptr::null_mut(), 0),
            Handler::Extended(handler, context) => (handler as usize, context, 1),
        };
        self.context.store(context, Ordering::Relaxed);
        self.extended.store(extended, Ordering::Relaxed);
        self.handler.store(at, Ordering::Release);
    }

    /// The control handler of this run.
    pub(super) fn handler(&self) -> Handler {
        let at = self.handler.load(Ordering::Acquire) as *const c_void;
        match self.extended.load(Ordering::Relaxed) {
            0 => Handler::plain(at),
            _ => Handler::extended(at, self.context.load(Ordering::Relaxed)),
        }
    }

    /// Whether this name in UTF-16 little-endian bytes is the service's.
    fn is_named(&self, name: &[u8]) -> bool {
        let own = self.name.get(..self.length).unwrap_or(&[]);
        own.len() * 2 == name.len()
            && own.iter().zip(name.chunks_exact(2)).all(|(&a, pair)| {
                let b = pair
                    .iter()
                    .rev()
                    .fold(0, |b, &byte| b << 8 | u16::from(byte));
                // SAFETY: a function of its argument alone.
                a == b || unsafe { RtlUpcaseUnicodeChar(a) == RtlUpcaseUnicodeChar(b) }
            })
    }
}

/// The table, once the dispatcher has been called: never freed, because the
/// threads of its services outlive the dispatcher.
static TABLE: AtomicPtr<Service> = AtomicPtr::new(core::ptr::null_mut());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// All services of the table.
fn services() -> &'static [Service] {
    let table = TABLE.load(Ordering::Acquire);
    if table.is_null() {
        return &[];
    }
    // SAFETY: `set` stored a block of COUNT initialised services that is never
    // freed; COUNT is stored before the pointer.
    unsafe { core::slice::from_raw_parts(table, COUNT.load(Ordering::Relaxed)) }
}

/// The service of this name. A process of one service need not know its name.
pub(super) fn find(name: &[u8]) -> Option<&'static Service> {
    match services() {
        [only] => Some(only),
        many => many.iter().find(|service| service.is_named(name)),
    }
}

/// The service whose run has this status handle.
pub(super) fn of_status_handle(handle: u32) -> Option<&'static Service> {
    services()
        .iter()
        .find(|service| service.status_handle() == handle)
}

/// As [`find`], by the 8-bit name.
///
/// # Safety
/// `name` is null or a zero-terminated string of the program.
pub(super) unsafe fn find_ansi(name: *const u8) -> Result<Option<&'static Service>> {
    let mut wide = [0; LONGEST];
    // SAFETY: the caller's promise.
    let length = unsafe { widen(name, &mut wide) }?;
    let mut bytes = [0; 2 * LONGEST];
    for (pair, unit) in bytes.chunks_exact_mut(2).zip(wide) {
        pair.copy_from_slice(&unit.to_le_bytes());
    }
    Ok(find(bytes.get(..2 * length).unwrap_or(&[])))
}

/// Takes a table with UTF-16 names.
///
/// # Safety
/// `entries` is null or a table of the program, ended by an entry of nulls.
pub(super) unsafe fn set_wide(entries: *const SERVICE_TABLE_ENTRYW) -> Result<()> {
    let entry = |index: usize, name: &mut [u16; LONGEST]| {
        // SAFETY: the caller's promise: `set` stops at the entry of nulls.
        let entry = unsafe { entries.add(index).read_unaligned() };
        let Some(main) = entry
            .lpServiceProc
            .filter(|_| !entry.lpServiceName.is_null())
        else {
            return Ok(None);
        };
        // SAFETY: the caller's promise.
        let text = unsafe { text::required(entry.lpServiceName) }?;
        let units = name
            .get_mut(..text.len() / 2)
            .ok_or(ERROR_INVALID_PARAMETER)?;
        for (unit, pair) in units.iter_mut().zip(text.chunks_exact(2)) {
            *unit = pair
                .iter()
                .rev()
                .fold(0, |unit, &byte| unit << 8 | u16::from(byte));
        }
        Ok(Some((main as *const c_void, text.len() / 2)))
    };
    if entries.is_null() {
        return Err(ERROR_INVALID_ADDRESS);
    }
    set(entry, false)
}

/// Takes a table with 8-bit names, whose services take 8-bit arguments.
///
/// # Safety
/// As [`set_wide`].
pub(super) unsafe fn set_ansi(entries: *const SERVICE_TABLE_ENTRYA) -> Result<()> {
    let entry = |index: usize, name: &mut [u16; LONGEST]| {
        // SAFETY: the caller's promise: `set` stops at the entry of nulls.
        let entry = unsafe { entries.add(index).read_unaligned() };
        let Some(main) = entry
            .lpServiceProc
            .filter(|_| !entry.lpServiceName.is_null())
        else {
            return Ok(None);
        };
        // SAFETY: the caller's promise.
        let length = unsafe { widen(entry.lpServiceName, name) }?;
        Ok(Some((main as *const c_void, length)))
    };
    if entries.is_null() {
        return Err(ERROR_INVALID_ADDRESS);
    }
    set(entry, true)
}

/// What an entry of the table says: its function and its name's length.
type Said = Result<Option<(*const c_void, usize)>>;

fn set(entry: impl Fn(usize, &mut [u16; LONGEST]) -> Said, ansi: bool) -> Result<()> {
    if !services().is_empty() {
        return Err(ERROR_SERVICE_ALREADY_RUNNING);
    }
    let block = Block::new(MOST * size_of::<Service>()).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let table = block.into_raw().cast::<Service>();
    let mut count = 0;
    while count < MOST {
        let mut name = [0; LONGEST];
        let Some((main, length)) = entry(count, &mut name)? else {
            break;
        };
        let service = Service {
            name,
            length,
            main,
            ansi,
            status_handle: AtomicU32::new(0),
            handler: AtomicUsize::new(0),
            context: AtomicPtr::new(core::ptr::null_mut()),
            extended: AtomicU32::new(0),
        };
        // SAFETY: the block has room for MOST services.
        unsafe { table.add(count).write(service) };
        count += 1;
    }
    if count == 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    COUNT.store(count, Ordering::Relaxed);
    TABLE.store(table, Ordering::Release);
    Ok(())
}

/// Takes the table away after a dispatcher that could not connect, so that the
/// program may try again.
pub(super) fn forget() {
    TABLE.store(core::ptr::null_mut(), Ordering::Release);
}

/// An 8-bit string of the program in UTF-16; its length in units.
///
/// # Safety
/// `text` is null or zero-terminated.
unsafe fn widen(text: *const u8, wide: &mut [u16; LONGEST]) -> Result<usize> {
    if text.is_null() {
        return Err(ERROR_INVALID_ADDRESS);
    }
    let mut length = 0;
    // SAFETY: the caller's promise: readable up to the zero.
    while unsafe { text.add(length).read() } != 0 {
        length += 1;
        if length >= LONGEST {
            return Err(ERROR_INVALID_PARAMETER);
        }
    }
    let mut written = 0;
    // SAFETY: `wide` has the size told, in bytes; the source has `length` bytes.
    unsafe {
        RtlMultiByteToUnicodeN(
            wide.as_mut_ptr(),
            (2 * LONGEST) as u32,
            &raw mut written,
            text,
            length as u32,
        );
    }
    Ok(written as usize / 2)
}
