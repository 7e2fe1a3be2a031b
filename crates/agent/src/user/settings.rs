//! What the user has set for all programs of the session: read, and not set.

use super::table::kernel;
use super::{set_last_error, station};
use crate::state;
use core::ffi::c_void;
use pinion_policy::setting;
use pinion_wire::tally::Tally;

/// As `NtUserSystemParametersInfo`. Wine keeps what is set in the host's
/// registry, from its Unix side, where no hook of the registry sees it: a program
/// that starts afterwards in another VM would find it (observed on Wine 8 and 10).
pub(super) unsafe extern "system" fn system_parameter(
    action: u32,
    number: u32,
    place: *mut c_void,
    flags: u32,
) -> usize {
    station::ensure();
    if !setting::reads(action, !place.is_null()) {
        Tally::count(&state::tally().refused);
        set_last_error(setting::ERROR);
        return 0;
    }
    // SAFETY: the program's own arguments.
    unsafe { kernel::NtUserSystemParametersInfo(action, number, place, flags) }
}
