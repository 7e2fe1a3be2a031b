//! What a VM that shares the user's desktop may hear and send there. Numbers:
//! winuser.h.

/// The last error of what would reach all programs: `ERROR_ACCESS_DENIED`.
pub const ERROR: u32 = 5;

/// The last error of a hot key that another program has: `ERROR_HOTKEY_ALREADY_REGISTERED` (winerror.h).
pub const HOT_KEY_TAKEN: u32 = 1409;

/// `GW_HWNDNEXT`.
pub const NEXT: u32 = 2;
/// `GW_HWNDPREV`.
pub const PREVIOUS: u32 = 3;

/// The most devices of one `RegisterRawInputDevices`.
pub const DEVICES: u32 = 64;

/// Where to go on from a window that is no member's, when a window's relative
/// was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relative {
    /// To the next below it.
    Next,
    /// To the one above it.
    Previous,
    /// Nowhere: the relative is one certain window.
    No,
}

/// Where to go on for this `GW_…`.
#[must_use]
pub const fn onward(relation: u32) -> Relative {
    /// `GW_HWNDFIRST`, `GW_HWNDLAST`, `GW_CHILD`.
    const FIRST: u32 = 0;
    const LAST: u32 = 1;
    const CHILD: u32 = 5;
    match relation {
        FIRST | NEXT | CHILD => Relative::Next,
        LAST | PREVIOUS => Relative::Previous,
        _ => Relative::No,
    }
}

/// The calls that may name the window of the user's desktop: they ask for its
/// children and its place, or make a child of it.
const OF_DESKTOP: &[&str] = &[
    "NtUserBuildHwndList",
    "NtUserCallHwnd",
    "NtUserCallHwndParam",
    "NtUserChildWindowFromPointEx",
    "NtUserCreateWindowEx",
    "NtUserFindWindowEx",
    "NtUserGetAncestor",
    "NtUserGetClassName",
    "NtUserGetDC",
    "NtUserGetDCEx",
    "NtUserGetWindowDC",
    "NtUserGetWindowPlacement",
    "NtUserQueryWindow",
    "NtUserRealChildWindowFromPoint",
    "NtUserReleaseDC",
    "NtUserSetParent",
];

/// Whether this call may name the window of the user's desktop by its argument
/// `at`, counted from 0. It may be made another's parent, and not be moved itself.
#[must_use]
pub fn may_ask(call: &str, at: u8) -> bool {
    OF_DESKTOP.contains(&call) && (call != "NtUserSetParent" || at == 1)
}

/// Whether this code of Wine's `NtUserCallHwnd` only reads: those between
/// `DrawMenuBar` and `SetForegroundWindow` (ntuser.h of Wine 8.0 and 10.0).
#[must_use]
pub const fn reads_window(code: u32) -> bool {
    code > 2 && code < 17
}

/// Whether this code of Wine's `NtUserCallHwnd` makes a window one that all
/// programs of the desktop look for: `SetProgmanWindow`, `SetTaskmanWindow`.
#[must_use]
pub const fn is_shells(code: u32) -> bool {
    matches!(code, 18 | 19)
}

/// The code of `NtUserCallHwndParam` by which Wine asks for a window's relative
/// (`NtUserCallHwndParam_GetWindowRelative`, ntuser.h of Wine 8.0 and 10.0).
#[must_use]
pub const fn relative_code(is_wine_8: bool) -> u32 {
    if is_wine_8 { 16 } else { 15 }
}

/// Whether this code of Wine's `NtUserCallHwndParam` only reads.
#[must_use]
pub const fn reads(code: u32, is_wine_8: bool) -> bool {
    // All before `KillSystemTimer` but `EnableWindow`, and what converts places.
    let timer = relative_code(is_wine_8) + 4;
    code != 1 && (code < timer || (code > timer && code <= timer + 4))
}

/// Whether a message to `window` goes to all programs: `HWND_BROADCAST`, and
/// `HWND_TOPMOST`, which is the same to Wine and was to Windows once.
#[must_use]
pub const fn is_broadcast(window: u64) -> bool {
    matches!(window as u32, 0xffff | 0xffff_ffff)
}

/// Whether a raw input device with these flags hears what is typed for others:
/// `RIDEV_INPUTSINK` or `RIDEV_EXINPUTSINK`.
#[must_use]
pub const fn hears_others(flags: u32) -> bool {
    flags & 0x1100 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_in_the_direction_that_was_asked() {
        assert_eq!([0, 2, 5].map(onward), [Relative::Next; 3]);
        assert_eq!([1, 3].map(onward), [Relative::Previous; 2]);
        // GW_OWNER, GW_ENABLEDPOPUP, and no relation.
        assert_eq!([4, 6, 7].map(onward), [Relative::No; 3]);
    }

    #[test]
    fn a_message_to_all_is_one_in_either_width() {
        for window in [0xffff, 0xffff_ffff, u64::MAX] {
            assert!(is_broadcast(window), "{window:x}");
        }
        for window in [0, 1, 0x1_0020, 0xffff_fffe] {
            assert!(!is_broadcast(window), "{window:x}");
        }
    }

    #[test]
    fn the_users_desktop_is_asked_and_told_nothing() {
        assert!(may_ask("NtUserBuildHwndList", 1) && may_ask("NtUserGetAncestor", 0));
        assert!(may_ask("NtUserSetParent", 1) && !may_ask("NtUserSetParent", 0));
        // GetParent, IsWindow; ArrangeIconicWindows, SetForegroundWindow, SetTaskmanWindow.
        assert!([7, 13].into_iter().all(reads_window));
        assert!(![1, 17, 19].into_iter().any(reads_window));
        assert!(is_shells(18) && is_shells(19) && !is_shells(17));
        for call in [
            "NtUserPostMessage",
            "NtUserMessageCall",
            "NtUserDestroyWindow",
        ] {
            assert!(!may_ask(call, 0), "{call}");
        }
        // ClientToScreen, GetWindowRelative, IsChild, MapWindowPoints, ScreenToClient.
        for (wine_8, codes) in [(true, [0, 16, 19, 21, 24]), (false, [0, 15, 18, 20, 23])] {
            assert!(codes.into_iter().all(|code| reads(code, wine_8)));
            // EnableWindow, KillSystemTimer, ShowOwnedPopups.
            let timer = codes[2] + 1;
            let others = [1, timer, timer + 9];
            assert!(!others.into_iter().any(|code| reads(code, wine_8)));
        }
    }

    #[test]
    fn a_sink_hears_others() {
        assert!(hears_others(0x100) && hears_others(0x1000) && hears_others(0x1130));
        assert!(!hears_others(0) && !hears_others(0x1) && !hears_others(0x30));
    }
}
