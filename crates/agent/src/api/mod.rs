//! Documented exports of system DLLs that the agent replaces: what no system
//! call carries in a form that could be mapped.

mod heap;
mod services;

/// Called for each DLL before its own code runs: `name` is its base name,
/// `base` and `size` where it is mapped.
pub(crate) fn loaded(name: &[u16], base: u64, size: usize) {
    const SERVICES: &[u8] = b"sechost.dll";
    let is_services = name.len() == SERVICES.len()
        && name
            .iter()
            .zip(SERVICES)
            .all(|(&unit, &byte)| u8::try_from(unit).is_ok_and(|u| u.eq_ignore_ascii_case(&byte)));
    if is_services {
        services::replace(base, size);
    }
}
