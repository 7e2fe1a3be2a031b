//! The catalogue against the lists of what Windows and Wine export: nothing is
//! missing, and nothing is made up.

use pinion_channels::{Module, calls, find};
use std::collections::BTreeSet;

const WINDOWS_NT: &str = include_str!("data/windows-nt.tsv");
const WINDOWS_WIN32K: &str = include_str!("data/windows-win32k.tsv");
const WINE_NTDLL: &str = include_str!("data/wine-ntdll.tsv");
const WINE_WIN32U: &str = include_str!("data/wine-win32u.tsv");

fn names(lists: [&'static str; 2]) -> BTreeSet<&'static str> {
    lists
        .iter()
        .flat_map(|list| list.lines())
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').next())
        .collect()
}

fn known(module: Module) -> BTreeSet<&'static str> {
    calls()
        .filter(|call| call.module == module)
        .map(|call| call.name)
        .collect()
}

#[test]
fn every_call_of_ntdll_is_in_the_catalogue_and_no_other() {
    let listed = names([WINDOWS_NT, WINE_NTDLL]);
    assert!(listed.len() > 490, "{}", listed.len());
    assert_eq!(known(Module::Ntdll), listed);
}

#[test]
fn every_call_of_win32k_is_in_the_catalogue_and_no_other() {
    let listed = names([WINDOWS_WIN32K, WINE_WIN32U]);
    assert!(listed.len() > 1700, "{}", listed.len());
    assert_eq!(known(Module::Win32u), listed);
}

#[test]
fn a_call_is_found_with_its_module() {
    for (name, module) in [
        ("NtCreateMutant", Module::Ntdll),
        ("wine_server_call", Module::Ntdll),
        ("NtUserPostMessage", Module::Win32u),
    ] {
        assert_eq!(find(name).map(|call| call.module), Some(module), "{name}");
    }
}
