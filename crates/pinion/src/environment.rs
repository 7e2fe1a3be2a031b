//! The environment of a program: this process's, with the VM's variables in
//! place of those of the same name; of several changes the last one counts.
//! Windows compares names without case.

use std::ffi::{OsStr, OsString};

/// This process's variables with `changes` made to them.
pub fn with(changes: &[(String, String)]) -> Vec<(OsString, OsString)> {
    let replaced = |name: &OsStr| {
        changes
            .iter()
            .any(|(changed, _)| name.eq_ignore_ascii_case(changed))
    };
    let mut all: Vec<_> = std::env::vars_os()
        .filter(|(name, _)| !replaced(name))
        .collect();
    for (at, (name, value)) in changes.iter().enumerate() {
        let mut later = changes.iter().skip(at + 1);
        if !later.any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            all.push((name.into(), value.into()));
        }
    }
    all
}

/// The same as text, for the supervisor; variables that are no text, and the
/// hidden ones of `cmd.exe` (`=C:`), are left out.
pub fn as_text(changes: &[(String, String)]) -> Vec<(String, String)> {
    with(changes)
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !name.starts_with('='))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_of_a_name_counts() {
        let changes = [("Pinion_T", "1"), ("PINION_t", "2")];
        let changes = changes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let found: Vec<_> = as_text(&changes)
            .into_iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("pinion_t"))
            .collect();
        assert_eq!(found, [("PINION_t".to_owned(), "2".to_owned())]);
    }
}
