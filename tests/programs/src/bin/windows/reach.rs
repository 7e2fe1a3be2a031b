//! All ways to another's window and thread: each tells whether it was reached.

use std::mem::zeroed;
use std::ptr::{null, null_mut};

use pinion_test_programs::wide;
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, RECT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{GetDC, InvalidateRect, ReleaseDC};
use windows_sys::Win32::System::DataExchange::COPYDATASTRUCT;
use windows_sys::Win32::System::Threading::{AttachThreadInput, GetCurrentThreadId};
use windows_sys::Win32::UI::Accessibility::{SetWinEventHook, UnhookWinEvent};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::EnableWindow;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CallNextHookEx, CreateWindowExW, DefWindowProcW, DestroyWindow, EnumChildWindows, EnumPropsExW,
    EnumThreadWindows, EnumWindows, FLASHW_CAPTION, FLASHWINFO, FindWindowExW, FindWindowW,
    FlashWindowEx, GA_ROOT, GUITHREADINFO, GW_CHILD, GW_HWNDNEXT, GWL_STYLE, GWLP_HWNDPARENT,
    GetAncestor, GetClassNameW, GetDesktopWindow, GetGUIThreadInfo, GetLastActivePopup, GetPropW,
    GetWindow, GetWindowLongPtrW, GetWindowPlacement, GetWindowRect, GetWindowTextLengthW,
    GetWindowTextW, GetWindowThreadProcessId, HWND_BROADCAST, InternalGetWindowText,
    IsHungAppWindow, IsWindow, IsWindowVisible, MSG, MoveWindow, PM_REMOVE, PeekMessageW,
    PostMessageW, PostThreadMessageW, RegisterClassW, RemovePropW, SMTO_NORMAL, SW_SHOWNA,
    SWP_NOACTIVATE, SendMessageCallbackW, SendMessageTimeoutW, SendMessageW, SendNotifyMessageW,
    SetForegroundWindow, SetParent, SetPropW, SetWindowLongPtrW, SetWindowPos, SetWindowTextW,
    SetWindowsHookExW, ShowWindow, ShowWindowAsync, UnhookWindowsHookEx, WH_GETMESSAGE,
    WINDOWPLACEMENT, WINEVENT_OUTOFCONTEXT, WM_COPYDATA, WNDCLASSW, WS_OVERLAPPEDWINDOW,
};

use crate::serve::{ANSWER, CALLED_BACK, NOTIFIED, POSTED, SENT, TIMED, TO_THREAD, broadcast};

/// Whom to reach.
pub struct Target {
    class: Vec<u16>,
    title: Vec<u16>,
    window: usize,
    thread: u32,
    process: u32,
}

impl Target {
    /// `CLASS TITLE WINDOW THREAD PROCESS`.
    pub fn parse(arguments: &[String]) -> Self {
        let text = |at: usize| arguments.get(at).map_or("", String::as_str);
        Self {
            class: wide(text(0)),
            title: wide(text(1)),
            window: text(2).parse().unwrap_or(0),
            thread: text(3).parse().unwrap_or(0),
            process: text(4).parse().unwrap_or(0),
        }
    }

    fn hwnd(&self) -> HWND {
        self.window as HWND
    }
}

struct Search {
    wanted: usize,
    found: bool,
}

extern "system" fn visit(window: HWND, search: LPARAM) -> i32 {
    // SAFETY: the address of the caller's local.
    let search = unsafe { &mut *(search as *mut Search) };
    search.found |= window as usize == search.wanted;
    1
}

/// Whether the window is in a list.
fn listed(target: &Target, list: impl FnOnce(LPARAM)) -> bool {
    let mut search = Search {
        wanted: target.window,
        found: false,
    };
    list((&raw mut search) as LPARAM);
    search.found
}

extern "system" fn prop(_: HWND, _: *const u16, _: *mut core::ffi::c_void, count: usize) -> i32 {
    // SAFETY: the address of the caller's local.
    unsafe { *(count as *mut u32) += 1 };
    1
}

extern "system" fn answered(_: HWND, _: u32, data: usize, result: LRESULT) {
    // SAFETY: the address of the caller's local, which lives while it waits.
    unsafe { *(data as *mut isize) = result };
}

extern "system" fn event(
    _: *mut core::ffi::c_void,
    _: u32,
    _: HWND,
    _: i32,
    _: i32,
    _: u32,
    _: u32,
) {
}

extern "system" fn hook(code: i32, w: WPARAM, l: LPARAM) -> LRESULT {
    // SAFETY: the hook's own arguments.
    unsafe { CallNextHookEx(null_mut(), code, w, l) }
}

/// A window of this program's own, to be put below or above another's.
fn own_window(parent: HWND) -> HWND {
    own_titled(parent, null())
}

/// The same with a title, which ends with a zero.
pub fn own_titled(parent: HWND, title: *const u16) -> HWND {
    let class = wide("pinion-e2e-own");
    // SAFETY: the structures and strings are locals.
    unsafe {
        let description = WNDCLASSW {
            lpfnWndProc: Some(DefWindowProcW),
            lpszClassName: class.as_ptr(),
            ..zeroed()
        };
        RegisterClassW(&raw const description);
        let name = class.as_ptr();
        let none = null_mut();
        CreateWindowExW(
            0,
            name,
            title,
            WS_OVERLAPPEDWINDOW,
            0,
            0,
            9,
            9,
            parent,
            none,
            none,
            null(),
        )
    }
}

/// Handles messages for a moment, so that answers arrive.
fn pump() {
    for _ in 0..20 {
        // SAFETY: the message is a local.
        unsafe {
            let mut message: MSG = zeroed();
            while PeekMessageW(&raw mut message, null_mut(), 0, 0, PM_REMOVE) != 0 {}
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Tries all ways.
pub fn reach(target: &Target) -> Value {
    let mut all = found(target);
    for part in [
        asked(target),
        changed(target),
        messages(target),
        threads(target),
    ] {
        if let (Some(all), Value::Object(part)) = (all.as_object_mut(), part) {
            all.extend(part);
        }
    }
    all
}

/// By class, title and lists.
fn found(target: &Target) -> Value {
    let (class, title) = (target.class.as_ptr(), target.title.as_ptr());
    // SAFETY: the strings end with a zero; the callbacks get addresses of locals.
    unsafe {
        json!({
            "FindWindow class": FindWindowW(class, null()) == target.hwnd(),
            "FindWindow title": FindWindowW(null(), title) == target.hwnd(),
            "FindWindowEx": FindWindowExW(GetDesktopWindow(), null_mut(), class, title) == target.hwnd(),
            "EnumWindows": listed(target, |search| { EnumWindows(Some(visit), search); }),
            "EnumChildWindows of the desktop": listed(target, |search| { EnumChildWindows(GetDesktopWindow(), Some(visit), search); }),
            "EnumThreadWindows": listed(target, |search| { EnumThreadWindows(target.thread, Some(visit), search); }),
            "GetWindow": follows(target),
            "FindWindow in another thread": by_another_thread(target),
        })
    }
}

/// Whether a thread that begins later finds the window.
fn by_another_thread(target: &Target) -> bool {
    let (title, wanted) = (target.title.clone(), target.window);
    // SAFETY: the string ends with a zero.
    let find = move || unsafe { FindWindowW(null(), title.as_ptr()) as usize == wanted };
    std::thread::spawn(find).join().unwrap_or(true)
}

/// Whether the window follows another of the desktop.
fn follows(target: &Target) -> bool {
    // SAFETY: takes windows, whosoever.
    unsafe {
        let mut at = GetWindow(GetDesktopWindow(), GW_CHILD);
        while !at.is_null() && at != target.hwnd() {
            at = GetWindow(at, GW_HWNDNEXT);
        }
        !at.is_null()
    }
}

/// By questions to the window's number.
fn asked(target: &Target) -> Value {
    let window = target.hwnd();
    let mut text = [0; 64];
    let (length, place) = (text.len() as i32, text.as_mut_ptr());
    let name = wide("pinion-e2e-prop");
    // SAFETY: all places are locals; the window may be anybody's or nobody's.
    unsafe {
        let mut process = 0;
        let mut rect: RECT = zeroed();
        let mut placement: WINDOWPLACEMENT = zeroed();
        placement.length = size_of::<WINDOWPLACEMENT>() as u32;
        let mut props = 0_u32;
        EnumPropsExW(window, Some(prop), (&raw mut props) as isize);
        let context = GetDC(window);
        let got_dc = !context.is_null();
        if got_dc {
            ReleaseDC(window, context);
        }
        json!({
            "IsWindow": IsWindow(window) != 0,
            "IsWindowVisible": IsWindowVisible(window) != 0,
            "GetWindowThreadProcessId": GetWindowThreadProcessId(window, &raw mut process) != 0 || process != 0,
            "GetClassName": GetClassNameW(window, place, length) != 0,
            "InternalGetWindowText": InternalGetWindowText(window, place, length) != 0,
            "GetWindowText": GetWindowTextW(window, place, length) != 0,
            "GetWindowTextLength": GetWindowTextLengthW(window) != 0,
            "GetWindowRect": GetWindowRect(window, &raw mut rect) != 0,
            "GetWindowPlacement": GetWindowPlacement(window, &raw mut placement) != 0,
            "GetWindowLongPtr": GetWindowLongPtrW(window, GWL_STYLE) != 0,
            "GetAncestor": GetAncestor(window, GA_ROOT) == window,
            "GetLastActivePopup": GetLastActivePopup(window) == window && IsWindow(window) != 0,
            "IsHungAppWindow": IsHungAppWindow(window) != 0,
            "GetProp": !GetPropW(window, name.as_ptr()).is_null(),
            "EnumProps": props != 0,
            "GetDC": got_dc,
        })
    }
}

/// By changes of the window.
fn changed(target: &Target) -> Value {
    let window = target.hwnd();
    let name = wide("pinion-e2e-prop-of-others");
    let own = own_window(null_mut());
    // SAFETY: the window may be anybody's or nobody's; all else is local.
    unsafe {
        let mut flash: FLASHWINFO = zeroed();
        flash.cbSize = size_of::<FLASHWINFO>() as u32;
        flash.hwnd = window;
        flash.dwFlags = FLASHW_CAPTION;
        let owned = own_window(window);
        let result = json!({
            "SetProp": SetPropW(window, name.as_ptr(), 7 as _) != 0,
            "RemoveProp": !RemovePropW(window, name.as_ptr()).is_null(),
            "SetWindowText": SetWindowTextW(window, target.title.as_ptr()) != 0,
            "MoveWindow": MoveWindow(window, 1, 1, 90, 90, 0) != 0,
            "SetWindowPos": SetWindowPos(window, null_mut(), 2, 2, 80, 80, SWP_NOACTIVATE) != 0,
            "SetWindowPos after": SetWindowPos(own, window, 2, 2, 80, 80, SWP_NOACTIVATE) != 0,
            "ShowWindow": ShowWindow(window, SW_SHOWNA) != 0 || IsWindowVisible(window) != 0,
            "ShowWindowAsync": ShowWindowAsync(window, SW_SHOWNA) != 0,
            "InvalidateRect": InvalidateRect(window, null(), 1) != 0,
            "EnableWindow": EnableWindow(window, 0) != 0 || EnableWindow(window, 1) != 0,
            "FlashWindow": FlashWindowEx(&raw const flash) != 0 || IsWindow(window) != 0,
            "SetForegroundWindow": SetForegroundWindow(window) != 0,
            "owner at creation": !owned.is_null(),
            "owner later": owned_later(own, window),
            "SetParent": !SetParent(own, window).is_null(),
        });
        DestroyWindow(owned);
        DestroyWindow(own);
        result
    }
}

/// Whether `own` can be given the other as its owner.
fn owned_later(own: HWND, window: HWND) -> bool {
    // SAFETY: takes windows, whosoever.
    unsafe {
        SetWindowLongPtrW(own, GWLP_HWNDPARENT, window as isize);
        GetWindowLongPtrW(own, GWLP_HWNDPARENT) == window as isize
    }
}

/// By messages to the window.
fn messages(target: &Target) -> Value {
    let window = target.hwnd();
    let bytes = [1_u8, 2, 3, 4];
    let data = COPYDATASTRUCT {
        dwData: 0,
        cbData: 4,
        lpData: bytes.as_ptr().cast_mut().cast(),
    };
    let mut late: Box<isize> = Box::new(0);
    // SAFETY: the window may be anybody's or nobody's; all else is local, and the
    // callback's place lives until it is looked at.
    unsafe {
        let mut result = 0_usize;
        let mut value = json!({
            "PostMessage": PostMessageW(window, POSTED, 0, 0) != 0,
            "SendMessage": SendMessageW(window, SENT, 0, 0) == ANSWER,
            "SendMessageTimeout": SendMessageTimeoutW(window, TIMED, 0, 0, SMTO_NORMAL, 2000, &raw mut result) != 0 && result == ANSWER as usize,
            "SendNotifyMessage": SendNotifyMessageW(window, NOTIFIED, 0, 0) != 0,
            "WM_COPYDATA": SendMessageW(window, WM_COPYDATA, 0, (&raw const data) as isize) == ANSWER,
        });
        SendMessageCallbackW(
            window,
            CALLED_BACK,
            0,
            0,
            Some(answered),
            (&raw mut *late) as usize,
        );
        pump();
        value["SendMessageCallback"] = json!(std::ptr::read_volatile(&raw const *late) == ANSWER);
        PostMessageW(HWND_BROADCAST, broadcast(), 0, 0);
        SendNotifyMessageW(HWND_BROADCAST, broadcast(), 0, 0);
        let mut ignored = 0;
        SendMessageTimeoutW(
            HWND_BROADCAST,
            broadcast(),
            0,
            0,
            SMTO_NORMAL,
            2000,
            &raw mut ignored,
        );
        value
    }
}

/// By the thread's and the process's number.
fn threads(target: &Target) -> Value {
    // SAFETY: the thread may be anybody's or nobody's; all else is local.
    unsafe {
        let mut info: GUITHREADINFO = zeroed();
        info.cbSize = size_of::<GUITHREADINFO>() as u32;
        let own = GetCurrentThreadId();
        let attached = AttachThreadInput(own, target.thread, 1) != 0;
        if attached {
            AttachThreadInput(own, target.thread, 0);
        }
        let module = windows_sys::Win32::System::LibraryLoader::GetModuleHandleW(null());
        let hooked = SetWindowsHookExW(WH_GETMESSAGE, Some(hook), module, target.thread);
        if !hooked.is_null() {
            UnhookWindowsHookEx(hooked);
        }
        let watched = SetWinEventHook(
            1,
            0x7fff_ffff,
            null_mut(),
            Some(event),
            target.process,
            0,
            WINEVENT_OUTOFCONTEXT,
        );
        if !watched.is_null() {
            UnhookWinEvent(watched);
        }
        json!({
            "PostThreadMessage": PostThreadMessageW(target.thread, TO_THREAD, 0, 0) != 0,
            "GetGUIThreadInfo": GetGUIThreadInfo(target.thread, &raw mut info) != 0,
            "AttachThreadInput": attached,
            "SetWindowsHookEx": !hooked.is_null(),
            "SetWinEventHook": !watched.is_null(),
        })
    }
}
