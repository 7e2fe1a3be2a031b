//! Names of window stations and desktops.
//!
//! A VM's window stations lie in its own object directory, so that a name means
//! the VM's own. On Wine each lies in a directory of its name, and is itself
//! called [`WINE_LEAF`]: Wine 10 starts an explorer of its own, outside of all
//! interception, for the first window on a desktop of any other station
//! (`get_desktop_window` in its win32u/winstation.c).

use crate::units::{SEPARATOR, equals, first_part, starts};

/// What a window station is called on Wine.
pub const WINE_LEAF: &str = "__wineservice_winstation";

/// The station that a program starts on, and the desktop there.
pub const DEFAULT: (&str, &str) = ("WinSta0", "Default");

/// Splits what a process is to start on, `station\desktop` or `desktop`, as
/// `STARTUPINFO.lpDesktop` has it: the station's name, where one is given, and
/// the desktop's.
#[must_use]
pub fn split(asked: &[u16]) -> (Option<&[u16]>, &[u16]) {
    match asked.iter().position(|&unit| unit == SEPARATOR) {
        Some(at) => {
            let (station, desktop) = asked.split_at(at);
            (Some(station), desktop.get(1..).unwrap_or(&[]))
        }
        None => (None, asked),
    }
}

/// The name of the station whose object is `name`, the VM's directory cut off:
/// `\Sessions\1\Windows\WindowStations\app\__wineservice_winstation` is `app`;
/// without the last part on Windows. `None` when `name` is of something else.
#[must_use]
pub fn of_object(name: &[u16], wine: bool) -> Option<&[u16]> {
    let rest = match starts(name, "\\Sessions\\") {
        Some(rest) => {
            let end = rest.iter().position(|&unit| unit == SEPARATOR)?;
            rest.get(end..)?
        }
        None => name,
    };
    let (station, rest) = first_part(starts(rest, "\\Windows\\WindowStations")?)?;
    let whole = match first_part(rest) {
        Some((leaf, rest)) => wine && rest.is_empty() && equals(leaf, WINE_LEAF),
        None => !wine && rest.is_empty(),
    };
    (whole && !station.is_empty()).then_some(station)
}

/// The name by which a program knows the object `name`, the VM's directory cut
/// off: of a window station on Wine without [`WINE_LEAF`], all else as it is.
#[must_use]
pub fn shown(name: &[u16]) -> &[u16] {
    match of_object(name, true) {
        Some(_) => name.get(..name.len() - WINE_LEAF.len() - 1).unwrap_or(name),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn w(s: &str) -> Vec<u16> {
        s.encode_utf16().collect()
    }

    fn told(name: &str, wine: bool) -> Option<String> {
        of_object(&w(name), wine).map(String::from_utf16_lossy)
    }

    #[test]
    fn a_start_names_a_desktop_or_both() {
        let (station, desktop) = (w("WinSta0"), w("Default"));
        assert_eq!(
            split(&w("WinSta0\\Default")),
            (Some(&station[..]), &desktop[..])
        );
        assert_eq!(split(&desktop), (None, &desktop[..]));
        assert_eq!(split(&w("WinSta0\\")), (Some(&station[..]), &[][..]));
    }

    #[test]
    fn what_is_no_station_has_no_name() {
        for name in [
            "",
            "\\",
            "\\Windows\\WindowStations",
            "\\Windows\\WindowStations\\",
            "\\Windows\\WindowStations\\a\\b",
            "\\Windows\\WindowStations\\a\\__wineservice_winstation\\Default",
            "\\Sessions\\1\\BaseNamedObjects\\a",
            "\\Sessions",
        ] {
            assert_eq!(told(name, true), None, "{name}");
        }
        assert_eq!(told("\\Windows\\WindowStations\\a", true), None);
    }

    proptest! {
        #[test]
        fn a_stations_object_tells_its_name(session in 0..9_u32, name in "[A-Za-z0-9$-]{1,40}") {
            let directory = match session {
                0 => String::from("\\Windows\\WindowStations"),
                n => std::format!("\\Sessions\\{n}\\Windows\\WindowStations"),
            };
            let plain = std::format!("{directory}\\{name}");
            let of_wine = std::format!("{plain}\\{WINE_LEAF}");
            prop_assert_eq!(told(&plain, false), Some(name.clone()));
            prop_assert_eq!(told(&of_wine, true), Some(name));
            let (of_wine, plain) = (w(&of_wine), w(&plain));
            prop_assert_eq!(shown(&of_wine), &plain[..]);
            prop_assert_eq!(shown(&plain), &plain[..]);
        }
    }
}
