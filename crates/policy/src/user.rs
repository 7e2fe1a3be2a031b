//! Which arguments of win32u's calls name a window or a thread by its number,
//! and what a call answers for one that is no member's.
//!
//! The numbers are one for the whole session (on Wine for the whole server), so
//! a member may come by those of others. A window or thread that is no member's
//! is treated as one that does not exist. Signatures: ntuser.h of Wine 8 and 10,
//! which follow Windows'; what only Windows exports is in phnt's ntuser.h.

/// What an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A window; null and the special values name none.
    Window,
    /// A thread by its id; 0 names none.
    Thread,
    /// A process by its id; 0 names none.
    Process,
    /// A new owner: a window when the argument before is `GWLP_HWNDPARENT`.
    Owner,
    /// The address of a structure that has a window 8 bytes from its beginning
    /// (`FLASHWINFO`, `TRACKMOUSEEVENT`, winuser.h).
    WindowAt8,
    /// A device context that is read from, which must not be of the user's screen.
    Pixels,
}

/// One call, and which of its arguments, counted from 0, name what.
#[derive(Debug, Clone, Copy)]
pub struct Guarded {
    /// win32u's export.
    pub name: &'static str,
    /// The arguments that name something.
    pub arguments: &'static [(u8, Named)],
    /// What it returns for a window or thread that does not exist.
    pub refusal: u64,
}

/// `ERROR_ACCESS_DENIED` (winerror.h).
pub const ERROR_ACCESS_DENIED: u32 = 5;
/// `ERROR_INVALID_PARAMETER` (winerror.h).
pub const ERROR_INVALID_PARAMETER: u32 = 87;
/// `ERROR_INVALID_WINDOW_HANDLE` (winerror.h).
pub const ERROR_INVALID_WINDOW_HANDLE: u32 = 1400;
/// `ERROR_INVALID_THREAD_ID` (winerror.h).
pub const ERROR_INVALID_THREAD_ID: u32 = 1444;
/// `ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION` (winerror.h).
pub const ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION: u32 = 1459;
/// `STATUS_INVALID_HANDLE` as a 32-bit result.
const INVALID_HANDLE: u64 = 0xc000_0008;

/// The last error that goes with a refusal because of `named`.
#[must_use]
pub const fn error(named: Named) -> u32 {
    match named {
        Named::Thread => ERROR_INVALID_THREAD_ID,
        Named::Process => ERROR_INVALID_PARAMETER,
        Named::Pixels => ERROR_ACCESS_DENIED,
        _ => ERROR_INVALID_WINDOW_HANDLE,
    }
}

/// Whether `window` is none that a program made, but a word to the kernel about
/// the caller's own desktop: null, `HWND_TOP`, `HWND_BOTTOM`, `HWND_TOPMOST`,
/// `HWND_NOTOPMOST`, `HWND_MESSAGE` or `HWND_BROADCAST` (winuser.h).
#[must_use]
pub const fn is_special(window: u64) -> bool {
    matches!(window.cast_signed(), -3..=1 | 0xffff)
}

/// Whether a window-long at `index` is the owner: `GWLP_HWNDPARENT`.
#[must_use]
pub const fn is_owner_index(index: u64) -> bool {
    (index as u32).cast_signed() == -8
}

macro_rules! guarded {
    ($($arguments:expr, $refusal:expr => $($name:ident)+;)*) => {
        /// The guarded calls.
        pub const GUARDED: &[Guarded] = &[$($(Guarded {
            name: stringify!($name),
            arguments: &$arguments,
            refusal: $refusal,
        },)+)*];
    };
}

use Named::{Owner, Pixels, Process, Thread, Window, WindowAt8};

/// `CLR_INVALID` (wingdi.h) as a 32-bit result.
const CLR_INVALID: u64 = 0xffff_ffff;

guarded! {
    // Judged in a VM that shares the user's desktop; elsewhere the kernel keeps
    // desktops apart.
    [], 0 =>
        NtUserClipCursor NtUserGetAsyncKeyState NtUserGetForegroundWindow
        NtUserRegisterRawInputDevices NtUserSendInput NtUserSetCursorPos NtUserWindowFromPhysicalPoint
        NtUserWindowFromPoint;
    [(0, Window)], 0 =>
        NtUserAddClipboardFormatListener NtUserAssociateInputContext NtUserBeginPaint NtUserCallHwnd
        NtUserCallHwndLock NtUserCallHwndLockSafe NtUserCallHwndOpt NtUserCallHwndParam
        NtUserCallHwndParamLock NtUserCallHwndParamLockSafe NtUserCallHwndSafe
        NtUserChildWindowFromPointEx NtUserCreateCaret NtUserDestroyWindow NtUserDragDetect
        NtUserDrawCaptionTemp NtUserDrawMenuBarTemp NtUserEnableScrollBar NtUserEnableWindow NtUserEndPaint
        NtUserGetAncestor NtUserGetClassName NtUserGetDC NtUserGetDCEx NtUserGetInternalWindowPos
        NtUserGetLayeredWindowAttributes NtUserGetMenuBarInfo NtUserGetMenuItemRect
        NtUserGetProp2 NtUserGetScrollBarInfo NtUserGetSystemMenu NtUserGetTitleBarInfo NtUserGetUpdateRect
        NtUserGetUpdateRgn NtUserGetWindowBand NtUserGetWindowContextHelpId NtUserGetWindowDC
        NtUserGetWindowDisplayAffinity NtUserGetWindowPlacement NtUserGetWindowRgnEx
        NtUserGetWindowThreadProcessId NtUserHideCaret NtUserHiliteMenuItem NtUserInternalGetWindowIcon
        NtUserInternalGetWindowText NtUserInvalidateRect NtUserInvalidateRgn NtUserKillTimer
        NtUserLockWindowUpdate NtUserLogicalToPerMonitorDPIPhysicalPoint NtUserMenuItemFromPoint
        NtUserMessageCall NtUserMoveWindow NtUserNotifyIMEStatus NtUserOpenClipboard
        NtUserPerMonitorDPIPhysicalToLogicalPoint NtUserPostMessage NtUserPrintWindow NtUserQueryWindow
        NtUserRealChildWindowFromPoint NtUserRedrawWindow NtUserRegisterHotKey NtUserReleaseDC
        NtUserRemoveClipboardFormatListener NtUserScrollWindowEx
        NtUserSetActiveWindow NtUserSetCapture NtUserSetClassLong NtUserSetClassLongPtr NtUserSetClassWord
        NtUserSetClipboardViewer NtUserSetFocus NtUserSetForegroundWindow NtUserSetInternalWindowPos NtUserSetLayeredWindowAttributes
        NtUserSetMenu NtUserSetProp2 NtUserSetScrollInfo NtUserSetShellWindowEx
        NtUserSetSystemMenu NtUserSetSystemTimer NtUserSetTimer NtUserSetWindowPlacement NtUserSetWindowRgn
        NtUserSetWindowWord NtUserShowCaret NtUserShowScrollBar NtUserShowWindow NtUserShowWindowAsync NtUserSwitchToThisWindow
        NtUserTranslateAccelerator NtUserUnregisterHotKey NtUserUpdateLayeredWindow NtUserValidateRect
        NtUserValidateRgn;
    [(0, Window)], INVALID_HANDLE =>
        NtUserBuildPropList;
    [(0, Window), (1, Window)], 0 =>
        NtUserChangeClipboardChain NtUserDragObject NtUserFindWindowEx NtUserSetParent NtUserSetWindowPos;
    [(1, Window)], 0 =>
        NtUserExcludeUpdateRgn NtUserNotifyWinEvent;
    [(1, Window), (2, Window)], 0 =>
        NtUserDeferWindowPosAndBand;
    [(0, Window), (2, Owner)], 0 =>
        NtUserSetWindowLong NtUserSetWindowLongPtr;
    [(9, Window)], 0 =>
        NtUserCreateWindowEx;
    [(4, Window)], 0 =>
        NtUserTrackPopupMenuEx;
    [(0, WindowAt8)], 0 =>
        NtUserFlashWindowEx NtUserTrackMouseEvent;
    [(1, Window), (4, Thread)], INVALID_HANDLE =>
        NtUserBuildHwndList;
    [(0, Thread)], INVALID_HANDLE =>
        NtUserBuildHimcList;
    [(0, Thread)], 0 =>
        NtUserGetGUIThreadInfo NtUserGetKeyboardLayout NtUserGetThreadDesktop NtUserPostThreadMessage;
    [(0, Thread), (1, Thread)], 0 =>
        NtUserAttachThreadInput;
    [(2, Thread)], 0 =>
        NtUserSetWindowsHookEx;
    [(5, Process), (6, Thread)], 0 =>
        NtUserSetWinEventHook;
    [(5, Pixels)], 0 =>
        NtGdiAlphaBlend NtGdiBitBlt NtGdiMaskBlt NtGdiStretchBlt NtGdiTransparentBlt;
    [(2, Pixels)], 0 =>
        NtGdiPlgBlt;
    [(0, Pixels)], CLR_INVALID =>
        NtGdiGetPixel;
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_call_is_there_once_and_its_arguments_are_arguments() {
        let names: BTreeSet<_> = GUARDED.iter().map(|call| call.name).collect();
        assert_eq!(names.len(), GUARDED.len());
        for call in GUARDED {
            assert!(call.arguments.iter().all(|(at, _)| *at < 17));
        }
    }

    #[test]
    fn special_windows_are_the_words_of_winuser_h_and_no_handle() {
        for special in [0_i64, 1, -1, -2, -3, 0xffff] {
            assert!(is_special(special.cast_unsigned()), "{special}");
        }
        for handle in [2_u64, 0x1_0020, 0xfffe, 0x1_ffff, 0xffff_fffd] {
            assert!(!is_special(handle), "{handle:x}");
        }
    }

    #[test]
    fn an_owner_is_set_by_one_index_in_either_width() {
        assert!(is_owner_index((-8_i64).cast_unsigned()));
        assert!(is_owner_index(0xffff_fff8));
        assert!(!is_owner_index(0) && !is_owner_index((-4_i64).cast_unsigned()));
    }
}
