//! Files, pipes, mailslots, sockets and devices.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Files Name OwnName Hooked "decides by the name: a file of the VM's layers, a pipe or mailslot under the VM's prefix, a device of the pass list" {
        NtCreateFile NtOpenFile NtQueryAttributesFile NtQueryFullAttributesFile
        NtQueryInformationByName NtDeleteFile
    }
    Files Name OwnName Hooked "renames and links carry a name, which is decided as an open's" {
        NtSetInformationFile
    }
    Files Other ByHandle Hooked "listings are merged from the VM's layers, and names come back as they were asked" {
        NtQueryInformationFile NtQueryDirectoryFile NtQueryDirectoryFileEx NtQueryVolumeInformationFile
    }
    Files Other ByHandle Settled "acts on a file that was decided when it was opened" {
        NtReadFile NtWriteFile NtReadFileScatter NtWriteFileGather NtCopyFileChunk
        NtFlushBuffersFile NtFlushBuffersFileEx NtCancelSynchronousIoFile
        NtQueryEaFile NtSetEaFile NtQueryQuotaInformationFile NtSetQuotaInformationFile
        NtSetVolumeInformationFile NtCreateIoRing NtSubmitIoRing NtSetInformationIoRing
        NtGetCachedSigningLevel NtSetCachedSigningLevel NtSetCachedSigningLevel2
    }
    Files Name Denied Open "makes the system page to a file by name; needs SeCreatePagefilePrivilege" {
        NtCreatePagingFile
    }
    FileNotices Other ByHandle Settled "acts on a file that was decided when it was opened; a lock reaches whoever has that file open, so the members of one VM for a file of its own layer" {
        NtLockFile NtUnlockFile
    }
    FileNotices Other ByHandle Hooked "changes are told as the VM's layers have them, and cancelled in the same place" {
        NtNotifyChangeDirectoryFile NtNotifyChangeDirectoryFileEx NtCancelIoFile NtCancelIoFileEx
    }
    Pipes Name OwnName Hooked "the name carries the VM's prefix" {
        NtCreateNamedPipeFile
    }
    Pipes Name OwnName Hooked "the name in FSCTL_PIPE_WAIT carries the VM's prefix; reparse points are refused" {
        NtFsControlFile
    }
    Mailslots Name OwnName Hooked "the name carries the VM's prefix" {
        NtCreateMailslotFile
    }
    Sockets Name OwnName Partly "socket addresses of this machine are the VM's own, and so are tables of connections on Wine; connections outward are not confined" {
        NtDeviceIoControlFile
    }
    Devices Name Denied Hooked "loads or unloads kernel code by the name of its key; needs SeLoadDriverPrivilege" {
        NtLoadDriver NtUnloadDriver
    }
    Devices Name Denied Hooked "names devices of the machine; needs rights that a plain user lacks" {
        NtPlugPlayControl NtGetPlugPlayEvent NtReplacePartitionUnit
    }
    Devices Other ByHandle Settled "asks a device that was decided when it was opened" {
        NtGetDevicePowerState
    }
};
