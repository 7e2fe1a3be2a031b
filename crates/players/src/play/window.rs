//! A window with a thread of its own that writes down what comes to it.

use super::{Player, Served};
use crate::imports;
use crate::win::{Step, last, wide};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::{Ask, Facts, Seen};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use windows_sys::Win32::Foundation::RECT;
use windows_sys::Win32::UI::WindowsAndMessaging::{MSG, WNDCLASSW};

/// A window, a thread's or a process's number: handles of USER are numbers.
pub type Window = isize;

imports! {
    "user32.dll" {
        fn RegisterClassW(class: *const WNDCLASSW) -> u16;
        fn CreateWindowExW(extended: u32, class: *const u16, title: *const u16, style: u32, x: i32, y: i32, w: i32, h: i32, parent: Window, menu: Window, module: *const c_void, context: *const c_void) -> Window;
        fn DefWindowProcW(window: Window, message: u32, w: usize, l: isize) -> isize;
        fn GetMessageW(message: *mut MSG, window: Window, first: u32, end: u32) -> i32;
        fn DispatchMessageW(message: *const MSG) -> isize;
        fn PostThreadMessageW(thread: u32, message: u32, w: usize, l: isize) -> i32;
        fn DestroyWindow(window: Window) -> i32;
        fn SetPropW(window: Window, name: *const u16, value: usize) -> i32;
        fn GetPropW(window: Window, name: *const u16) -> usize;
        fn SetWindowLongPtrW(window: Window, index: i32, value: isize) -> isize;
        fn GetWindowLongPtrW(window: Window, index: i32) -> isize;
        fn GetWindowRect(window: Window, rectangle: *mut RECT) -> i32;
        fn SetTimer(window: Window, id: usize, milliseconds: u32, call: *const c_void) -> usize;
        fn NotifyWinEvent(event: u32, window: Window, object: i32, child: i32) -> i32;
        fn CreateMenu() -> Window;
        fn SetMenu(window: Window, menu: Window) -> i32;
        fn AppendMenuW(menu: Window, flags: u32, id: usize, text: *const u16) -> i32;
        fn RegisterHotKey(window: Window, id: i32, modifiers: u32, key: u32) -> i32;
        fn SetLayeredWindowAttributes(window: Window, key: u32, alpha: u8, flags: u32) -> i32;
        fn SetWindowRgn(window: Window, region: Window, redraw: i32) -> i32;
    }
    "gdi32.dll" {
        fn CreateSolidBrush(color: u32) -> Window;
        fn CreateRectRgn(left: i32, top: i32, right: i32, bottom: i32) -> Window;
    }
    "kernel32.dll" {
        fn GetCurrentThreadId() -> u32;
        fn GlobalGetAtomNameW(atom: u16, text: *mut u16, room: i32) -> u32;
    }
}

const WM_QUIT: u32 = 0x12;
const WM_SETTEXT: u32 = 0xC;
const WM_COPYDATA: u32 = 0x4A;
const WM_TIMER: u32 = 0x113;
const WM_DDE_INITIATE: u32 = 0x3E0;
const GWLP_USERDATA: i32 = -21;
/// The event that the window tells of itself again and again.
pub const NAME_CHANGE: u32 = 0x800C;
/// The window's property.
pub const PROPERTY: &str = "PinionProbe";

/// All numbers that came to windows of this process.
static CAME: Mutex<Vec<u32>> = Mutex::new(Vec::new());

pub fn player(probe: &str) -> Option<Player> {
    let reach: fn(&Ask) -> Step<()> = match probe {
        "window-message" | "drop-files" => super::window_messages::reach,
        "dde" => super::window_messages::initiate,
        "window-query" => super::window_queries::reach,
        "hook" | "accessible-event" => super::window_hooks::reach,
        "input" => super::window_hooks::input,
        "menu" => super::window_queries::menu,
        "window-call" => super::window_calls::reach,
        "screen" => super::window_calls::pixels,
        "window-menu" => super::window_parts::menu,
        "clipboard-window" => super::window_parts::clipboard,
        "thread-input" | "thread-desktop" => super::window_parts::thread,
        _ => return None,
    };
    Some(Player::new(serve, reach))
}

struct WindowServed {
    window: Window,
    thread_id: u32,
    facts: Facts,
    thread: Option<JoinHandle<()>>,
}

impl Served for WindowServed {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn felt(&mut self, token: u32) -> bool {
        let came = CAME.lock().is_ok_and(|came| came.contains(&token));
        let property = wide(PROPERTY);
        let mut place = RECT::default();
        // SAFETY: the name ends in a zero; the rectangle is a local.
        let (property, data) = unsafe {
            let _ = GetWindowRect(self.window, &raw mut place);
            (
                GetPropW(self.window, property.as_ptr()).unwrap_or(0),
                GetWindowLongPtrW(self.window, GWLP_USERDATA).unwrap_or(0),
            )
        };
        came || property == token as usize
            || data == token as isize
            || place.left == place_of(token)
    }
}

/// Where a client with this token moves the window: where it is not by itself.
pub fn place_of(token: u32) -> i32 {
    0x1000 + (token & 0xfff).cast_signed()
}

impl Drop for WindowServed {
    fn drop(&mut self) {
        // SAFETY: a message to a thread of this process's own.
        let _ = unsafe { PostThreadMessageW(self.thread_id, WM_QUIT, 0, 0) };
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let (tell, told) = channel();
    let (name, secret, way) = (ask.name.clone(), ask.secret, ask.way.clone());
    let thread = std::thread::spawn(move || {
        if let Err(seen) = live(&name, secret, &way, &tell) {
            let _ = tell.send(Err(seen));
        }
    });
    let (window, thread_id, menu) = told
        .recv()
        .unwrap_or_else(|_| Err(Seen::Broken("the window's thread ended".into())))?;
    let numbers = [
        ("window", window.to_string()),
        ("thread", thread_id.to_string()),
        ("menu", menu.to_string()),
        ("process", std::process::id().to_string()),
    ];
    let facts = numbers.map(|(name, text)| (name.to_owned(), text));
    Ok(Box::new(WindowServed {
        window,
        thread_id,
        facts: Facts::from(facts),
        thread: Some(thread),
    }))
}

type Told = Sender<Step<(Window, u32, Window)>>;

/// The thread: makes the window, tells its number, and hears until it is to quit.
fn live(name: &str, secret: u32, way: &str, tell: &Told) -> Step<()> {
    let name = wide(name);
    let class = WNDCLASSW {
        lpfnWndProc: Some(procedure),
        lpszClassName: name.as_ptr(),
        // SAFETY: takes a number. The secret is seen by who sees the window.
        hbrBackground: unsafe { CreateSolidBrush(secret & 0xff_ffff)? } as *mut c_void,
        ..WNDCLASSW::default()
    };
    // SAFETY: all names end in zeros and outlive the calls; the procedure is static.
    let window = unsafe {
        if RegisterClassW(&raw const class)? == 0 {
            return Err(last("the window's class"));
        }
        // WS_OVERLAPPEDWINDOW, visible.
        let style = 0x10CF_0000;
        let (none, at) = (0, name.as_ptr());
        let window = CreateWindowExW(
            0,
            at,
            at,
            style,
            20,
            20,
            300,
            200,
            none,
            none,
            null(),
            null(),
        )?;
        if window == 0 {
            return Err(last("the window"));
        }
        let property = wide(PROPERTY);
        SetPropW(window, property.as_ptr(), secret as usize)?;
        SetWindowLongPtrW(window, GWLP_USERDATA, secret as isize)?;
        let menu = CreateMenu()?;
        AppendMenuW(menu, 0, 1, at)?;
        if matches!(way, "bar" | "item" | "hilite" | "set") {
            SetMenu(window, menu)?;
        }
        if way == "hot-key" && RegisterHotKey(window, 1, 0xF, 0x87)? == 0 {
            return Err(last("the hot key"));
        }
        dress(window, way)?;
        SetTimer(window, secret as usize, 20, null())?;
        let _ = tell.send(Ok((window, GetCurrentThreadId()?, menu)));
        window
    };
    let mut message = MSG::default();
    // SAFETY: the message is a local; a message of the thread has no window.
    unsafe {
        while GetMessageW(&raw mut message, 0, 0, 0)? > 0 {
            if message.hwnd.is_null() {
                note(message.wParam, message.lParam);
            }
            DispatchMessageW(&raw const message)?;
        }
        let _ = DestroyWindow(window);
    }
    Ok(())
}

/// Gives the window what the way asks for.
fn dress(window: Window, way: &str) -> Step<()> {
    const GWL_EXSTYLE: i32 = -20;
    const WS_EX_LAYERED: isize = 0x8_0000;
    const LWA_ALPHA: u32 = 2;
    // SAFETY: numbers are given.
    unsafe {
        match way {
            "layered" | "set-layered" => {
                SetWindowLongPtrW(window, GWL_EXSTYLE, WS_EX_LAYERED)?;
                SetLayeredWindowAttributes(window, 0, 255, LWA_ALPHA)?;
            }
            "region" => {
                SetWindowRgn(window, CreateRectRgn(0, 0, 200, 100)?, 0)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn note(w: usize, l: isize) {
    if let Ok(mut came) = CAME.lock() {
        came.push(w as u32);
        came.push(l as u32);
    }
}

unsafe extern "system" fn procedure(
    window: *mut c_void,
    message: u32,
    w: usize,
    l: isize,
) -> isize {
    note(w, l);
    let window = window as Window;
    // SAFETY: the system hands valid pointers with these messages.
    unsafe {
        match message {
            WM_COPYDATA if l != 0 => note(*(l as *const usize), 0),
            WM_SETTEXT if l != 0 => note_text(l as *const u16),
            WM_DDE_INITIATE => {
                let mut text = [0_u16; 64];
                let atom = (l & 0xffff) as u16;
                let _ = GlobalGetAtomNameW(atom, text.as_mut_ptr(), 63);
                note_text(text.as_ptr());
            }
            WM_TIMER => {
                let _ = NotifyWinEvent(NAME_CHANGE, window, 0, w as i32);
            }
            _ => {}
        }
        DefWindowProcW(window, message, w, l).unwrap_or(0)
    }
}

/// Notes the number that a text consists of.
///
/// # Safety
/// `text` ends in a zero.
unsafe fn note_text(text: *const u16) {
    let mut units = Vec::new();
    for at in 0..63 {
        // SAFETY: not beyond the zero.
        match unsafe { *text.add(at) } {
            0 => break,
            unit => units.push(unit),
        }
    }
    if let Ok(number) = String::from_utf16_lossy(&units).parse() {
        note(number, 0);
    }
}

/// A number that the server told.
pub fn fact(ask: &Ask, name: &str) -> isize {
    ask.facts
        .get(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}
