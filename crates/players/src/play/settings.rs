//! What the user sets for all programs.

use super::{Player, Served};
use crate::imports;
use crate::win::{Step, yes};
use core::ffi::c_void;
use core::ptr::null_mut;
use pinion_probes::{Ask, Seen};
use std::process::Command;
use std::time::Duration;

imports! {
    "user32.dll" {
        fn GetCaretBlinkTime() -> u32;
        fn SetCaretBlinkTime(milliseconds: u32) -> i32;
        fn SystemParametersInfoW(action: u32, number: u32, value: *mut c_void, flags: u32) -> i32;
        fn GetSysColor(index: i32) -> u32;
        fn SetSysColors(count: i32, indices: *const i32, colors: *const u32) -> i32;
    }
}

const SPI_GETWHEELSCROLLLINES: u32 = 0x68;
const SPI_SETWHEELSCROLLLINES: u32 = 0x69;
const COLOR_MENU: i32 = 4;

/// How long a setting stays: a program starts and looks meanwhile.
const MOMENT: Duration = Duration::from_secs(2);

pub fn player(probe: &str) -> Option<Player> {
    What::of(probe).map(|_| Player::new(serve, set))
}

/// What can be set for all programs.
#[derive(Clone, Copy)]
enum What {
    CaretBlink,
    WheelLines,
    Color,
}

impl What {
    fn of(probe: &str) -> Option<Self> {
        Some(match probe {
            "caret-blink" => Self::CaretBlink,
            "wheel-lines" => Self::WheelLines,
            "colors" => Self::Color,
            _ => return None,
        })
    }

    fn get(self) -> Step<u32> {
        let mut lines = 0_u32;
        // SAFETY: the value is a local.
        unsafe {
            match self {
                Self::CaretBlink => return GetCaretBlinkTime(),
                Self::Color => return GetSysColor(COLOR_MENU),
                Self::WheelLines => {
                    let value = (&raw mut lines).cast();
                    let got = SystemParametersInfoW(SPI_GETWHEELSCROLLLINES, 0, value, 0)?;
                    yes("get", got)?;
                }
            }
        }
        Ok(lines)
    }

    /// Sets it, and does not keep it in the profile.
    fn put(self, value: u32) -> Step<()> {
        // SAFETY: numbers, and locals.
        let set = unsafe {
            match self {
                Self::CaretBlink => SetCaretBlinkTime(value)?,
                Self::Color => SetSysColors(1, &COLOR_MENU, &raw const value)?,
                Self::WheelLines => {
                    SystemParametersInfoW(SPI_SETWHEELSCROLLLINES, value, null_mut(), 0)?
                }
            }
        };
        yes("set", set)
    }
}

/// Prints the setting of that probe, for who asks a program that has just started.
pub fn tell(probe: &str) -> i32 {
    let told = What::of(probe).and_then(|what| what.get().ok());
    told.map_or(1, |value| {
        println!("{value}");
        0
    })
}

/// The setting as a program finds it that starts now: one that runs remembers, on
/// Wine.
fn found_anew(probe: &str) -> Option<u32> {
    let own = std::env::current_exe().ok()?;
    let told = Command::new(own).args(["setting", probe]).output().ok()?;
    String::from_utf8(told.stdout).ok()?.trim().parse().ok()
}

/// A setting as it was, which it is again at the end.
struct Setting {
    probe: String,
    what: What,
    was: u32,
}

impl Served for Setting {
    fn felt(&mut self, token: u32) -> bool {
        found_anew(&self.probe) == Some(value(token))
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let _ = self.what.put(self.was);
    }
}

/// A value that is not the usual.
fn value(token: u32) -> u32 {
    1000 + token % 997
}

fn what(ask: &Ask) -> Step<What> {
    What::of(&ask.probe).ok_or_else(|| Seen::Missing(ask.probe.clone()))
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let what = what(ask)?;
    let (probe, was) = (ask.probe.clone(), what.get()?);
    Ok(Box::new(Setting { probe, what, was }))
}

fn set(ask: &Ask) -> Step<()> {
    let what = what(ask)?;
    let was = what.get()?;
    what.put(value(ask.token))?;
    // The server has a moment to look; then it is as it was here, too.
    std::thread::spawn(move || {
        std::thread::sleep(MOMENT);
        let _ = what.put(was);
    });
    Err(Seen::Other("set".into()))
}
