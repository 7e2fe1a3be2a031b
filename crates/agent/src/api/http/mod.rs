//! The HTTP Server API: the exports of httpapi.dll that are given URLs, names of
//! request queues or records of http.sys's configuration. Where a rule of the VM's
//! policy allows a URL, it is bound to the VM's address before the export as it was
//! gets it; `pinion-names` says how. Without rules of the channel nothing of
//! httpapi.dll is touched.
//!
//! What is registered lives in http.sys: on Wine the VM's own, on Windows the
//! machine's, under the VM's address and the VM's names of queues only. Its other
//! configuration is not there inside.
//!
//! Never run on Windows.

mod changes;
mod decision;
mod detours;
mod key;
mod query;
mod queue;
mod urls;

use crate::calls::rules::concern;
use crate::hooks::is_wine;
use crate::{state, trace};
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use pinion_policy::device;
use pinion_policy::rules::{Channel, allows_host};

/// An export that is replaced.
#[derive(Clone, Copy)]
struct Replacement {
    name: &'static str,
    with: *const c_void,
}

// SAFETY: the fields are addresses of static code and data.
unsafe impl Sync for Replacement {}

macro_rules! replacements {
    ($($export:ident => $with:path;)*) => {
        /// The exports, by their places in the tables here.
        #[derive(Clone, Copy)]
        #[allow(clippy::enum_variant_names, reason = "the exports' own names")]
        enum Export { $($export),* }

        static REPLACEMENTS: [Replacement; EXPORTS] = [
            $(Replacement { name: stringify!($export), with: $with as *const c_void }),*
        ];
        const EXPORTS: usize = [$(stringify!($export)),*].len();
    };
}

replacements! {
    HttpAddUrl => urls::add;
    HttpRemoveUrl => urls::remove;
    HttpAddUrlToUrlGroup => urls::add_to_group;
    HttpRemoveUrlFromUrlGroup => urls::remove_from_group;
    HttpFindUrlGroupId => urls::find_group;
    HttpCreateRequestQueue => queue::create;
    HttpSetServiceConfiguration => changes::set;
    HttpUpdateServiceConfiguration => changes::update;
    HttpDeleteServiceConfiguration => changes::delete;
    HttpQueryServiceConfiguration => query::query;
}

/// Where each export goes on as it was.
static ORIGINALS: [AtomicU64; EXPORTS] = [const { AtomicU64::new(0) }; EXPORTS];
/// Whether httpapi.dll is there and all its exports of the table are replaced.
static READY: AtomicBool = AtomicBool::new(false);

/// Replaces the exports in the httpapi.dll mapped at `base`, where the VM's policy
/// has rules for the channel: all of them, or none.
pub(super) fn loaded(base: u64, size: usize) {
    if concern(Channel::Http) {
        READY.store(detours::install(base, size).is_some(), Ordering::Release);
    }
}

/// Whether a member may open the device `path` of the host (as of
/// [`device::passes`]): http.sys's, on Windows, where the policy allows some URL and
/// the exports are replaced.
pub(crate) fn opens(path: &[u16]) -> bool {
    device::is_http(path)
        && !is_wine()
        && concern(Channel::Http)
        && allows_host(&state::page().rules, Channel::Http)
        && READY.load(Ordering::Acquire)
}

impl Export {
    /// The name.
    fn name(self) -> &'static str {
        REPLACEMENTS
            .get(self as usize)
            .map_or("", |found| found.name)
    }

    /// Whether a URL that it was given is served from then on.
    fn serves(self) -> bool {
        matches!(self, Self::HttpAddUrl | Self::HttpAddUrlToUrlGroup)
    }

    /// The function as it was.
    ///
    /// # Safety
    /// `F` is the export's type, and the caller runs in its place.
    unsafe fn original<F: Copy>(self) -> F {
        const { assert!(size_of::<F>() == size_of::<u64>()) };
        let place = ORIGINALS.get(self as usize);
        let address = place.map_or(0, |place| place.load(Ordering::Acquire));
        // SAFETY: what runs in an export's place was entered by its detour, before
        // which `detours::install` stored the address of its moved beginning.
        unsafe { core::mem::transmute_copy(&address) }
    }

    /// Records the call with this Win32 error.
    fn record(self, error: u32, verdict: trace::Http<'_>) {
        /// `NTSTATUS_FROM_WIN32` (ntstatus.h): an error of Win32 as a status.
        const OF_WIN32: u32 = 0xC007_0000;
        if trace::is_on() {
            let status = match error {
                0 => 0,
                error => (OF_WIN32 | error & 0xffff).cast_signed(),
            };
            trace::http(trace::call(self.name()), status, verdict);
        }
    }
}
