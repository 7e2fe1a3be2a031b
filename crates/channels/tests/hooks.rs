//! The catalogue against the agent's table of hooks: what the catalogue calls
//! hooked is hooked, and nothing else is.

use pinion_channels::{Status, calls, find};
use pinion_policy::refused::REFUSED;
use pinion_policy::user::GUARDED;
use std::collections::BTreeSet;

/// The files whose `hooks! { … }` tables the agent installs.
const TABLES: &[&str] = &[
    include_str!("../../agent/src/hooks.rs"),
    include_str!("../../agent/src/user/table.rs"),
];

/// The names at the beginning of the rows of a `hooks! { … }` table.
fn rows(source: &'static str) -> impl Iterator<Item = &'static str> {
    let (_, table) = source.split_once("\nhooks! {\n").expect("a table of hooks");
    let (table, _) = table.split_once("\n}\n").expect("the table's end");
    table.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("    ")?.split_once('(')?;
        assert!(line.contains("=> "), "no row: {line}");
        Some(name)
    })
}

#[test]
fn what_is_marked_as_hooked_is_hooked_and_nothing_else() {
    let tables = TABLES.iter().copied().flat_map(rows);
    let guarded = GUARDED.iter().map(|call| call.name);
    let refused = REFUSED.iter().map(|call| call.name);
    let hooked: BTreeSet<_> = tables.chain(guarded).chain(refused).collect();
    for name in ["NtCreateFile", "NtUserOpenDesktop", "NtUserPostMessage"] {
        assert!(hooked.contains(name), "{hooked:?}");
    }
    let marked: BTreeSet<_> = calls()
        .filter(|call| call.group.status.is_hooked())
        .map(|call| call.name)
        .collect();
    let unmarked: Vec<_> = hooked.difference(&marked).collect();
    let unhooked: Vec<_> = marked.difference(&hooked).collect();
    assert!(
        unmarked.is_empty(),
        "hooked by the agent, and the catalogue (crates/channels/src/calls) does not say so: {unmarked:?}"
    );
    assert!(
        unhooked.is_empty(),
        "hooked as the catalogue says, and not by the agent: {unhooked:?}"
    );
}

#[test]
fn a_row_is_read_as_one() {
    let table = "x\nhooks! {\n    NtClose(handle: HANDLE) => calls::handles::close;\n}\n";
    let names: Vec<_> = rows(table).collect();
    assert_eq!(names, ["NtClose"]);
    assert_eq!(
        find("NtClose").map(|call| call.group.status),
        Some(Status::Hooked)
    );
}
