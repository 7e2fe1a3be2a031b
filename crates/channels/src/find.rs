//! A call by its name: a table of places, made by the compiler.

use crate::call::{Call, Group, Module};
use crate::calls::TABLES;

/// Places for the calls: a power of two, at most half of them taken.
const PLACES: usize = 8192;

/// Where a call's name stands: table, group, name.
type Place = (u8, u8, u16);

/// No call's place.
const EMPTY: Place = (u8::MAX, u8::MAX, u16::MAX);

static INDEX: [Place; PLACES] = index();

/// What the catalogue says of the call `name`; `None` when it does not know it.
#[must_use]
pub fn find(name: &str) -> Option<Call> {
    let mut at = hash(name.as_bytes());
    loop {
        let place = INDEX[at];
        if place.0 == EMPTY.0 {
            return None;
        }
        let (module, group, known) = at_place(place);
        if known == name {
            return Some(Call {
                name: known,
                module,
                group,
            });
        }
        at = (at + 1) % PLACES;
    }
}

const fn at_place(place: Place) -> (Module, &'static Group, &'static str) {
    let (module, groups) = TABLES[place.0 as usize];
    let group = &groups[place.1 as usize];
    (module, group, group.names[place.2 as usize])
}

/// FNV-1a, reduced to a place.
const fn hash(name: &[u8]) -> usize {
    let mut hash = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ (hash >> 16)) as usize % PLACES
}

/// Puts every call into its place. A name that is listed twice does not compile.
const fn index() -> [Place; PLACES] {
    let mut places = [EMPTY; PLACES];
    let mut table = 0;
    while table < TABLES.len() {
        let groups = TABLES[table].1;
        let mut group = 0;
        while group < groups.len() {
            let mut name = 0;
            while name < groups[group].names.len() {
                put(&mut places, (table as u8, group as u8, name as u16));
                name += 1;
            }
            group += 1;
        }
        table += 1;
    }
    places
}

const fn put(places: &mut [Place; PLACES], place: Place) {
    let name = at_place(place).2.as_bytes();
    let mut at = hash(name);
    while places[at].0 != EMPTY.0 {
        assert!(
            !same(at_place(places[at]).2.as_bytes(), name),
            "a call is in the catalogue twice"
        );
        at = (at + 1) % PLACES;
    }
    places[at] = place;
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::calls::calls;

    #[test]
    fn every_call_is_found_and_nothing_else_is() {
        let mut count = 0;
        for call in calls() {
            assert_eq!(find(call.name), Some(call));
            count += 1;
        }
        assert!(count * 2 <= super::PLACES, "{count} calls need more places");
        for name in [
            "",
            "Nt",
            "NtCreateMutan",
            "NtCreateMutantX",
            "ntcreatemutant",
        ] {
            assert_eq!(find(name), None, "{name}");
        }
    }
}
