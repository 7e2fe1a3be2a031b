//! Documented exports of system DLLs that the agent replaces: what no system
//! call carries in a form that could be mapped.

mod driver;
mod first_pipe;
mod heap;
pub(crate) mod http;
mod services;

use crate::hooks;

/// Called for each DLL before its own code runs: `name` is its base name,
/// `base` and `size` where it is mapped.
pub(crate) fn loaded(name: &[u16], base: u64, size: usize) {
    if is(name, b"sechost.dll") {
        services::replace(base, size);
    }
    if is(name, b"advapi32.dll") {
        services::replace_in_advapi32(base, size);
    }
    if is(name, b"httpapi.dll") {
        http::loaded(base, size);
    }
    if hooks::is_wine() {
        if is(name, driver::KERNEL) {
            driver::kernel_loaded();
        }
        if driver::is_driver(name) {
            driver::replace(base, size);
        }
    }
    if is(name, pinion_nt::wine::FORGETS_FIRST_INSTANCE) && hooks::is_wine() {
        first_pipe::replace(base, size);
    }
}

/// Whether the base name `name` is `wanted`, in any case.
fn is(name: &[u16], wanted: &[u8]) -> bool {
    name.len() == wanted.len()
        && name
            .iter()
            .zip(wanted)
            .all(|(&unit, &byte)| u8::try_from(unit).is_ok_and(|u| u.eq_ignore_ascii_case(&byte)))
}
