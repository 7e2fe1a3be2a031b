//! A message to a window of another program and its answer.
//!
//! user32 is looked up when it is needed: a program that imports it would start
//! otherwise, and the start of a program is work of its own here.

use std::ffi::{CStr, c_void};
use std::io::{BufRead, BufReader};
use std::mem::{transmute, zeroed};
use std::process::{Command, Stdio};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};
use windows_sys::Win32::UI::WindowsAndMessaging::{MSG, WM_USER, WNDCLASSW, WNDPROC};

/// A function of user32.
fn find(name: &CStr) -> *const c_void {
    let library = super::wide("user32.dll");
    // SAFETY: both names end with a NUL.
    let found = unsafe { GetProcAddress(LoadLibraryW(library.as_ptr()), name.as_ptr().cast()) };
    found.expect("user32 has it") as *const c_void
}

type Send = unsafe extern "system" fn(HWND, u32, usize, isize) -> isize;
type Register = unsafe extern "system" fn(*const WNDCLASSW) -> u16;
type Get = unsafe extern "system" fn(*mut MSG, HWND, u32, u32) -> i32;
#[rustfmt::skip]
type Create = unsafe extern "system" fn(
    u32, *const u16, *const u16, u32, i32, i32, i32, i32, HWND, *mut c_void, *mut c_void, *const c_void,
) -> HWND;

/// Makes a window, tells its number, and answers messages until it is ended.
pub fn serve() {
    let class = super::wide("pinion-workload");
    // SAFETY: the functions have these types (winuser.h); the structures and the
    // string are locals.
    unsafe {
        let procedure: WNDPROC = transmute(find(c"DefWindowProcW"));
        let register: Register = transmute(find(c"RegisterClassW"));
        let create: Create = transmute(find(c"CreateWindowExW"));
        let get: Get = transmute(find(c"GetMessageW"));
        let description = WNDCLASSW {
            lpfnWndProc: procedure,
            lpszClassName: class.as_ptr(),
            ..zeroed()
        };
        register(&raw const description);
        let (name, none) = (class.as_ptr(), null_mut());
        let window = create(0, name, name, 0, 0, 0, 9, 9, none, none, none, null());
        println!("{}", window as usize);
        let mut message: MSG = zeroed();
        while get(&raw mut message, none, 0, 0) > 0 {}
    }
}

/// Times messages to the window of a child.
pub fn messages(count: u32) {
    let program = std::env::current_exe().expect("a program knows its path");
    let mut server = Command::new(program);
    server.arg("message-server").stdout(Stdio::piped());
    let mut server = server.spawn().expect("a child starts");
    let mut line = String::new();
    let output = server.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let window: usize = line.trim().parse().expect("a window's number");
    // SAFETY: the function has this type (winuser.h).
    let send: Send = unsafe { transmute(find(c"SendMessageW")) };
    super::time(count, |_| {
        // SAFETY: a window's number; the message carries no address.
        unsafe { send(window as HWND, WM_USER, 1, 2) };
    });
    let _ = server.kill();
    let _ = server.wait();
}
