//! Named kernel objects and the object manager itself.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Objects Name OwnName Hooked "an absolute name is mapped below the VM's object directory; a relative one was decided when its directory was opened" {
        NtCreateMutant NtOpenMutant NtCreateEvent NtOpenEvent NtCreateSemaphore NtOpenSemaphore
        NtCreateTimer NtOpenTimer NtCreateKeyedEvent NtOpenKeyedEvent NtCreateEventPair NtOpenEventPair
    }
    Objects Name OwnName Hooked "a name is mapped below the VM's object directory; programs are not known to give one" {
        NtCreateTimer2 NtAllocateReserveObject NtCreateCrossVmEvent NtCreateCrossVmMutant
    }
    Objects Other ByHandle Settled "acts on an object whose name was decided when it was opened" {
        NtReleaseMutant NtQueryMutant NtAcquireCrossVmMutant
        NtSetEvent NtSetEventEx NtResetEvent NtClearEvent NtPulseEvent NtSetEventBoostPriority NtQueryEvent
        NtReleaseSemaphore NtQuerySemaphore
        NtSetTimer NtSetTimer2 NtSetTimerEx NtSetIRTimer NtCancelTimer NtCancelTimer2 NtQueryTimer
        NtReleaseKeyedEvent NtWaitForKeyedEvent
        NtSetHighEventPair NtSetLowEventPair NtSetHighWaitLowEventPair NtSetLowWaitHighEventPair
        NtWaitHighEventPair NtWaitLowEventPair
        NtWaitForSingleObject NtWaitForMultipleObjects NtWaitForMultipleObjects32
        NtSignalAndWaitForSingleObject
    }
    Sections Name OwnName Hooked "an absolute name is mapped below the VM's object directory; the loader's known sections pass by name" {
        NtCreateSection NtCreateSectionEx NtOpenSection
    }
    Sections Other SameVm Hooked "into members only, whoever gave the handle; the section was decided when it was opened" {
        NtMapViewOfSection NtMapViewOfSectionEx NtUnmapViewOfSection NtUnmapViewOfSectionEx
    }
    Sections Other ByHandle Settled "acts on a section that was decided when it was opened" {
        NtExtendSection NtQuerySection
    }
    Jobs Name OwnName Hooked "an absolute name is mapped below the VM's object directory" {
        NtCreateJobObject NtOpenJobObject
    }
    Jobs Other SameVm Hooked "puts members only into a job, which was decided when it was opened" {
        NtAssignProcessToJobObject
    }
    Jobs Other ByHandle Settled "acts on a job that was decided when it was opened; a null handle is the VM's own job, which tells of its members only" {
        NtCreateJobSet NtTerminateJobObject NtIsProcessInJob
        NtQueryInformationJobObject NtSetInformationJobObject
    }
    Completions Name OwnName Hooked "an absolute name is mapped below the VM's object directory" {
        NtCreateIoCompletion NtOpenIoCompletion
    }
    Completions Name OwnName Hooked "a name is mapped below the VM's object directory; the thread pool gives none" {
        NtCreateWaitCompletionPacket NtCreateWorkerFactory
    }
    Completions Other ByHandle Settled "acts on a completion port, packet or worker factory that was decided when it was opened" {
        NtSetIoCompletion NtSetIoCompletionEx NtRemoveIoCompletion NtRemoveIoCompletionEx
        NtQueryIoCompletion NtAssociateWaitCompletionPacket NtCancelWaitCompletionPacket
        NtQueryInformationWorkerFactory NtSetInformationWorkerFactory NtReleaseWorkerFactoryWorker
        NtShutdownWorkerFactory NtWaitForWorkViaWorkerFactory NtWorkerFactoryWorkerReady
    }
    Directories Name OwnName Hooked "an absolute name is mapped below the VM's object directory, or opened on the host by a line of the pass list" {
        NtCreateDirectoryObject NtCreateDirectoryObjectEx NtOpenDirectoryObject
        NtCreateSymbolicLinkObject NtOpenSymbolicLinkObject
    }
    Directories Other ByHandle Hooked "the VM's prefix is cut off the names that come back" {
        NtQuerySymbolicLinkObject NtQueryObject
    }
    Directories Other ByHandle Settled "lists or changes an object that was decided when it was opened" {
        NtQueryDirectoryObject NtSetInformationSymbolicLink
        NtSetInformationObject NtCompareObjects
    }
    Directories Other Denied Hooked "would let a name stay when the VM ends; needs SeCreatePermanentPrivilege" {
        NtMakePermanentObject
    }
    DosDevices Other ByHandle Hooked "a DOS device name of the VM's own is given up by the supervisor, who keeps it; what has a name of the host's stays" {
        NtMakeTemporaryObject
    }
    Namespaces Name OwnName Hooked "finds a namespace by its boundary descriptor, whose name gets the VM's prefix" {
        NtCreatePrivateNamespace NtOpenPrivateNamespace
    }
    Namespaces Other ByHandle Settled "acts on a namespace that was decided when it was opened" {
        NtDeletePrivateNamespace
    }
    Sessions Name OwnName Hooked "an absolute name is mapped below the VM's object directory, where there are no session objects" {
        NtOpenSession
    }
    Sessions Other ByHandle Settled "acts on a session that was decided when it was opened" {
        NtNotifyChangeSession
    }
    DebugObjects Name OwnName Hooked "a name is mapped below the VM's object directory; debuggers give none" {
        NtCreateDebugObject
    }
    DebugObjects Other SameVm Hooked "debugs members only, whoever gave the handle; the debug object was decided when it was opened" {
        NtDebugActiveProcess NtRemoveProcessDebug
    }
    DebugObjects Other ByHandle Settled "acts on a debug object that was decided when it was opened" {
        NtDebugContinue NtSetInformationDebugObject
        NtWaitForDebugEvent
    }
    Partitions Name OwnName Hooked "an absolute name is mapped below the VM's object directory" {
        NtCreatePartition NtOpenPartition NtCreateCpuPartition NtOpenCpuPartition
    }
    Partitions Other ByHandle Settled "acts on a partition that was decided when it was opened" {
        NtManagePartition NtQueryInformationCpuPartition NtSetInformationCpuPartition
    }
};
