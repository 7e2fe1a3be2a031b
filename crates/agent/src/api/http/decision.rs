//! What becomes of a URL that a member gives httpapi.dll: asks the policy, and
//! records.

use super::Export;
use crate::calls::files::upcase;
use crate::hooks::is_wine;
use crate::trace::Http;
use crate::{scratch, state, supervisor};
use pinion_names::socket::Network;
use pinion_names::url::{ADDED, Prefix};
use pinion_nt::status::STATUS_ACCESS_DENIED;
use pinion_policy::rules::{self, Action, Channel, Verdict, places};
use pinion_wire::tally::Tally;
use pinion_wire::trace::{NO_RULE, Verdict as Told};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
};

/// The longest text that is looked at, in units: http.sys takes none as long.
const LONGEST: usize = 16_000;

/// Whether the VM has an address of its own at which it may be reached.
pub(super) fn has_address() -> bool {
    let network = Network::from_code(state::page().network);
    matches!(network, Network::Loopback | Network::Outbound)
}

/// Units before the zero of the program's text; `None` when it is too long. A
/// pointer that cannot be read faults in the program's own call, as in the API
/// itself.
///
/// # Safety
/// `text` points to text that the program says is zero-terminated.
pub(super) unsafe fn length(text: *const u16) -> Option<usize> {
    // SAFETY: the caller's promise: readable up to the zero.
    (0..LONGEST).find(|&at| unsafe { text.add(at).read_unaligned() } == 0)
}

/// Runs `call`, which calls the export as it was, with the URL that http.sys is
/// given for `url`; its Win32 error. A null URL is http.sys's to judge.
///
/// # Safety
/// As [`length`], or `url` is null.
pub(super) unsafe fn with_url(
    export: Export,
    url: *const u16,
    call: impl FnOnce(*const u16) -> u32,
) -> u32 {
    if url.is_null() {
        return call(url);
    }
    // SAFETY: the caller's promise.
    let Some(length) = (unsafe { length(url) }) else {
        return ERROR_INVALID_PARAMETER;
    };
    scratch::with(2 * length + ADDED + 1, |room| {
        let (asked, bound) = room.split_at_mut(length);
        for (at, unit) in asked.iter_mut().enumerate() {
            // SAFETY: before the zero that `length` found.
            *unit = unsafe { url.add(at).read_unaligned() };
        }
        match decide(asked) {
            Decided::AsAsked => {
                let error = call(url);
                export.record(error, Http::new(asked, asked, NO_RULE, Told::Private));
                error
            }
            Decided::Refused(rule) => {
                export.record(
                    ERROR_ACCESS_DENIED,
                    Http::new(asked, &[], rule, Told::Refused),
                );
                ERROR_ACCESS_DENIED
            }
            Decided::Bound(rule) => bind(export, asked, bound, rule, call),
        }
    })
    .unwrap_or(ERROR_NOT_ENOUGH_MEMORY)
}

/// Runs `call` with the VM's URL for `asked`, which is written to `out`.
fn bind(
    export: Export,
    asked: &[u16],
    out: &mut [u16],
    rule: u32,
    call: impl FnOnce(*const u16) -> u32,
) -> u32 {
    let address = state::page().address.into();
    // The buffer is zero behind what is written.
    let written = Prefix::parse(asked).and_then(|prefix| {
        let room = out.len().saturating_sub(1);
        let length = prefix.bind(address, out.get_mut(..room).unwrap_or_default())?;
        Ok(length)
    });
    let (error, given) = match written {
        Ok(length) => {
            let error = call(out.as_ptr());
            if error == 0 && export.serves() {
                supervisor::served(asked);
            }
            (error, out.get(..length).unwrap_or(&[]))
        }
        Err(unbound) => (unbound.error(), &[][..]),
    };
    let told = if given.is_empty() {
        Told::Refused
    } else {
        Told::Shared
    };
    export.record(error, Http::new(asked, given, rule, told));
    error
}

/// What the policy says of a URL.
enum Decided {
    /// The rule of this number lets it be bound.
    Bound(u32),
    /// The VM's own http.sys gets it as it is.
    AsAsked,
    /// It is refused, by the rule of this number if it is one.
    Refused(u32),
}

fn decide(url: &[u16]) -> Decided {
    let number = |number: usize| u32::try_from(number).unwrap_or(NO_RULE);
    let rules = &state::page().rules;
    let verdict = rules::decide(rules, Channel::Http, Action::Make, places::ANY, url, upcase);
    let decided = match verdict {
        Verdict::Host(rule) if has_address() => Decided::Bound(number(rule)),
        Verdict::Default | Verdict::Own(_) if is_wine() => Decided::AsAsked,
        Verdict::Refused(rule) => {
            supervisor::denied(rule, url, STATUS_ACCESS_DENIED);
            Decided::Refused(number(rule))
        }
        _ => Decided::Refused(NO_RULE),
    };
    if let Decided::Refused(_) = decided {
        Tally::count(&state::tally().refused);
    }
    decided
}
