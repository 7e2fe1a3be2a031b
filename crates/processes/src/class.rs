//! The classes of `NtQuerySystemInformation(Ex)`: which tell of processes, and
//! what becomes of each.

use crate::list::Form;

/// What becomes of a query of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Tells nothing of single processes: the kernel's own answer.
    Whole,
    /// A chain of processes, of which the members are shown.
    Processes(Form),
    /// The same chain in a buffer that the caller's structure names
    /// (`SYSTEM_SESSION_PROCESS_INFORMATION`).
    SessionProcesses,
    /// The table of all handles with 16-bit process ids: those of members.
    Handles,
    /// The table of all handles: those of members.
    HandlesEx,
    /// The image of the process of an id (`SYSTEM_PROCESS_ID_INFORMATION`): of
    /// a member, or the id is as one that is not there.
    ImageOfId,
    /// The objects of all types with their creators. Kept by a kernel only that
    /// was started to keep them (`FLG_MAINTAIN_OBJECT_TYPELIST`); answered as by
    /// one that was not.
    Objects,
    /// Programs and pages of all processes, for the memory manager's own
    /// service: access is denied.
    Denied,
    /// A class that came after this build: as on a system that lacks it.
    Unknown,
}

/// The highest class that this build knows (`SystemHandleCountInformation`,
/// phnt of Windows 11 25H2).
const LAST: u32 = 253;
/// `SystemWineVersionInformation` (Wine's winternl.h).
const WINE_VERSION: u32 = 1000;

/// What becomes of a query of `class`.
#[must_use]
pub const fn treatment(class: u32) -> Treatment {
    match class {
        // SystemProcessInformation, SystemExtendedProcessInformation,
        // SystemFullProcessInformation.
        5 | 57 | 148 => Treatment::Processes(Form::Full),
        // SystemBasicProcessInformation.
        252 => Treatment::Processes(Form::Basic),
        // SystemSessionProcessInformation.
        53 => Treatment::SessionProcesses,
        // SystemHandleInformation, SystemExtendedHandleInformation.
        16 => Treatment::Handles,
        64 => Treatment::HandlesEx,
        // SystemProcessIdInformation.
        88 => Treatment::ImageOfId,
        // SystemObjectInformation.
        17 => Treatment::Objects,
        // SystemSuperfetchInformation.
        79 => Treatment::Denied,
        0..=LAST | WINE_VERSION => Treatment::Whole,
        _ => Treatment::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_processes_does_not_pass_and_the_new_is_not_there() {
        let shown = (0..=LAST).filter(|class| treatment(*class) != Treatment::Whole);
        assert!(shown.eq([5, 16, 17, 53, 57, 64, 79, 88, 148, 252]));
        assert_eq!(treatment(0), Treatment::Whole);
        assert_eq!(treatment(1000), Treatment::Whole);
        for class in [254, 255, 999, 1001, u32::MAX] {
            assert_eq!(treatment(class), Treatment::Unknown);
        }
    }
}
