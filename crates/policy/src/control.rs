//! Calls that do many things by a number: which numbers a member may use. What
//! is not named here is refused. Numbers from phnt; never run on Windows.

/// Whether `NtTraceControl` may be called with `code`: what makes the calling
/// process a provider of events. Sessions are the whole machine's; members
/// neither start, list, read nor steer them.
#[must_use]
pub const fn trace_passes(code: u32) -> bool {
    const ACTIVITY_ID: u32 = 12;
    const REGISTER: u32 = 15;
    const NOTICES: u32 = 16;
    const NOTICE_EVENT: u32 = 27;
    const TRAITS: u32 = 30;
    const DESCRIPTOR_TYPE: u32 = 31;
    matches!(
        code,
        ACTIVITY_ID | REGISTER | NOTICES | NOTICE_EVENT | TRAITS | DESCRIPTOR_TYPE
    )
}

/// Whether `NtPowerInformation` may be called with `level`: reading, told by an
/// absent input, and a request to stay awake, which ends with its process. The
/// handlers of power states and the hibernation file are steered without input.
#[must_use]
pub const fn power_passes(level: u32, has_input: bool) -> bool {
    const CREATE_REQUEST: u32 = 43;
    const REQUEST_ACTION: u32 = 44;
    match level {
        CREATE_REQUEST | REQUEST_ACTION => true,
        6 | 7 | 10 | 13 | 17 => false,
        _ => !has_input,
    }
}

/// Whether `NtApphelpCacheControl` may be called with `class`: looking up, and
/// what it tells of the calling process; not changing the machine's cache.
#[must_use]
pub const fn compatibility_passes(class: u32) -> bool {
    const LOOK_UP: u32 = 0;
    const LOOK_UP_DATABASE: u32 = 6;
    const MAP_QUIRKS: u32 = 8;
    const HARDWARE_QUERY: u32 = 9;
    const PROCESS_DATA: u32 = 10;
    const LOOK_UP_AND_WRITE: u32 = 11;
    matches!(
        class,
        LOOK_UP | LOOK_UP_DATABASE | MAP_QUIRKS | HARDWARE_QUERY | PROCESS_DATA | LOOK_UP_AND_WRITE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_passes_and_a_session_does_not() {
        assert!(trace_passes(15) && trace_passes(16) && trace_passes(12));
        for code in [
            0,
            1,
            2,
            3,
            4,
            5,
            11,
            14,
            17,
            18,
            19,
            21,
            23,
            24,
            25,
            26,
            28,
            39,
            46,
            u32::MAX,
        ] {
            assert!(!trace_passes(code), "{code}");
        }
    }

    #[test]
    fn power_is_read_and_not_set() {
        assert!(power_passes(4, false) && power_passes(12, false) && power_passes(43, true));
        for level in [0, 1, 4, 12, 13] {
            assert!(!power_passes(level, true), "{level}");
        }
        assert!(!power_passes(10, false));
    }

    #[test]
    fn the_compatibility_cache_is_read_and_not_set() {
        assert!(compatibility_passes(0) && compatibility_passes(11));
        for class in [1, 2, 3, 5, 7, 12, u32::MAX] {
            assert!(!compatibility_passes(class), "{class}");
        }
    }
}
