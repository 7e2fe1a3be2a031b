//! What the pointer and the keys of a desktop are at: one state for all its
//! programs.

use super::{Held, Player, Served};
use crate::imports;
use crate::win::{Step, yes};
use core::ptr::null;
use pinion_probes::{Ask, Seen};

type Area = [i32; 4];

imports! {
    "user32.dll" {
        fn SetCursorPos(x: i32, y: i32) -> i32;
        fn GetCursorPos(point: *mut [i32; 2]) -> i32;
        fn ClipCursor(area: *const Area) -> i32;
        fn GetClipCursor(area: *mut Area) -> i32;
        fn keybd_event(key: u8, scan: u8, flags: u32, extra: usize) -> ();
        fn GetAsyncKeyState(key: i32) -> i16;
    }
}

/// A key that no keyboard of today has: `VK_F24`.
const KEY: u8 = 0x87;
const KEYEVENTF_KEYUP: u32 = 2;

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "cursor" => Player::new(serve, reach),
        _ => return None,
    })
}

/// What is undone at the end.
enum State {
    Place([i32; 2]),
    Clip,
    Key,
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: only numbers are given.
        unsafe {
            match self {
                Self::Place([x, y]) => drop(SetCursorPos(*x, *y)),
                Self::Clip => drop(ClipCursor(null())),
                Self::Key => drop(keybd_event(KEY, 0, KEYEVENTF_KEYUP, 0)),
            }
        }
    }
}

fn place(secret: u32) -> [i32; 2] {
    [11 + (secret % 97).cast_signed(), 13]
}

fn clip(secret: u32) -> Area {
    let [x, y] = place(secret);
    [x, y, x + 40, y + 40]
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let mut was = [0; 2];
    let [x, y] = place(ask.secret);
    // SAFETY: the points and areas are locals.
    let state = unsafe {
        match ask.way.as_str() {
            "clip" => {
                yes("the clip", ClipCursor(&clip(ask.secret))?)?;
                State::Clip
            }
            "key" => {
                keybd_event(KEY, 0, 0, 0)?;
                State::Key
            }
            _ => {
                yes("the cursor", GetCursorPos(&raw mut was)?)?;
                yes("the cursor", SetCursorPos(x, y)?)?;
                State::Place(was)
            }
        }
    };
    Ok(Box::new(Held(state)))
}

fn reach(ask: &Ask) -> Step<()> {
    let (mut is, mut area) = ([0; 2], [0; 4]);
    // SAFETY: the point and the area are locals.
    let same = unsafe {
        match ask.way.as_str() {
            "clip" => {
                yes("the clip", GetClipCursor(&raw mut area)?)?;
                area == clip(ask.secret)
            }
            "key" => GetAsyncKeyState(i32::from(KEY))? < 0,
            _ => {
                yes("the cursor", GetCursorPos(&raw mut is)?)?;
                is == place(ask.secret)
            }
        }
    };
    match same {
        true => Ok(()),
        false => Err(Seen::Refused("it is otherwise".into())),
    }
}
