//! What kind of device a file handle is of. Asks the kernel; changes nothing.

use crate::hooks::kept;
use pinion_nt::status::success;
use pinion_nt::{HANDLE, IO_STATUS_BLOCK};

/// CD-ROM, CD-ROM file system, disk, disk file system, network file system
/// (winioctl.h).
const DISKS: [u32; 5] = [2, 3, 7, 8, 0x14];

/// The device's type; `None` for what is no file, or whose device does not tell.
pub(super) fn kind(handle: HANDLE) -> Option<u32> {
    /// `FileFsDeviceInformation` (wdm.h): type and characteristics.
    const CLASS: u32 = 4;
    let mut information = [0_u32; 2];
    // SAFETY: plain data, all zeroes are valid.
    let mut io: IO_STATUS_BLOCK = unsafe { core::mem::zeroed() };
    // SAFETY: the structure has two words; the block is local.
    let status = unsafe {
        kept::NtQueryVolumeInformationFile(
            handle,
            &raw mut io,
            information.as_mut_ptr().cast(),
            8,
            CLASS,
        )
    };
    success(status).then_some(information[0])
}

/// Whether `handle` is of a file system's device, not of a console or socket.
pub(super) fn is_disk(handle: HANDLE) -> bool {
    kind(handle).is_some_and(|kind| DISKS.contains(&kind))
}
