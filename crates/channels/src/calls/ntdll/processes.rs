//! Processes, threads, memory, handles, tokens.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Processes Name SameVm Hooked "the child has the agent before its first instruction and is in the VM's job; a chosen parent is refused" {
        NtCreateUserProcess
    }
    Processes Name Denied Hooked "a process made from a section gets no agent in time, so none is made" {
        NtCreateProcess NtCreateProcessEx
    }
    Processes Name SameVm Open "finds processes of the whole system, by id or in order" {
        NtOpenProcess NtGetNextProcess
    }
    Processes Name OwnName Hooked "an absolute name is mapped below the VM's object directory" {
        NtCreateProcessStateChange
    }
    Processes Other ByHandle Partly "the image's name comes back as it was asked; the process is whatever its handle was opened for" {
        NtQueryInformationProcess
    }
    Processes Other ByHandle Settled "acts on a process that was decided when it was opened" {
        NtTerminateProcess NtSuspendProcess NtResumeProcess NtSetInformationProcess NtChangeProcessState
        NtAcquireProcessActivityReference NtPssCaptureVaSpaceBulk NtCreateProfile NtCreateProfileEx
        NtStartProfile NtStopProfile
    }
    Threads Name SameVm Open "finds threads of the whole system, by id or in order" {
        NtOpenThread NtGetNextThread
    }
    Threads Name OwnName Hooked "an absolute name is mapped below the VM's object directory" {
        NtCreateThreadStateChange
    }
    Threads Other ByHandle Settled "acts on a process or thread that was decided when it was opened" {
        NtCreateThread NtCreateThreadEx NtTerminateThread NtSuspendThread NtResumeThread NtChangeThreadState
        NtGetContextThread NtSetContextThread NtQueryInformationThread NtSetInformationThread
        NtQueueApcThread NtQueueApcThreadEx NtQueueApcThreadEx2 NtAlertThread NtAlertResumeThread
    }
    Local None NoIpc Settled "wakes threads of the calling process only (the kernel refuses ids of others)" {
        NtAlertThreadByThreadId NtAlertThreadByThreadIdEx NtAlertMultipleThreadByThreadId
        NtWaitForAlertByThreadId
    }
    Memory Other ByHandle Partly "the names of mapped files come back as they were asked; the process is whatever its handle was opened for" {
        NtQueryVirtualMemory
    }
    Memory Other ByHandle Settled "acts on a process that was decided when it was opened" {
        NtReadVirtualMemory NtReadVirtualMemoryEx NtWriteVirtualMemory
        NtAllocateVirtualMemory NtAllocateVirtualMemoryEx NtFreeVirtualMemory NtProtectVirtualMemory
        NtFlushVirtualMemory NtLockVirtualMemory NtUnlockVirtualMemory NtSetInformationVirtualMemory
        NtGetWriteWatch NtResetWriteWatch NtFlushInstructionCache
        NtAllocateUserPhysicalPages NtAllocateUserPhysicalPagesEx NtFreeUserPhysicalPages
        NtCreateEnclave NtInitializeEnclave NtLoadEnclaveData
    }
    Memory Name Denied Open "puts code into processes of the system by the name of a patch; needs rights that a plain user lacks" {
        NtLoadHotPatch NtManageHotPatch
    }
    Handles Other ByHandle Partly "what is known of a handle goes with it; source and target processes are whatever their handles were opened for" {
        NtDuplicateObject
    }
    Handles Other ByHandle Hooked "what is known of a handle ends with it" {
        NtClose
    }
    Tokens Name OwnName Hooked "a name is mapped below the VM's object directory; programs are not known to give one" {
        NtCreateLowBoxToken NtDuplicateToken
    }
    Tokens Name OwnName Open "takes object attributes, so a name; needs SeCreateTokenPrivilege" {
        NtCreateToken NtCreateTokenEx
    }
    Tokens Other ByHandle Settled "acts on a token, process or thread that was decided when it was opened" {
        NtOpenProcessToken NtOpenProcessTokenEx NtOpenThreadToken NtOpenThreadTokenEx
        NtAdjustGroupsToken NtAdjustPrivilegesToken NtAdjustTokenClaimsAndDeviceGroups
        NtFilterToken NtFilterTokenEx NtCompareTokens NtQueryInformationToken NtSetInformationToken
        NtQuerySecurityAttributesToken NtImpersonateAnonymousToken NtImpersonateThread NtPrivilegeCheck
        NtAccessCheck NtAccessCheckByType NtAccessCheckByTypeResultList
        NtRevertContainerImpersonation
    }
    ProcessLists Other SameVm Open "lists processes, threads, handles and objects of the whole system" {
        NtQuerySystemInformation NtQuerySystemInformationEx
    }
    Local None NoIpc Settled "the calling process or thread alone" {
        NtContinue NtContinueEx NtCallbackReturn NtRaiseException NtTestAlert NtDelayExecution NtYieldExecution
        NtUmsThreadYield NtSetLdtEntries NtGetCurrentProcessorNumber NtGetCurrentProcessorNumberEx
        NtAreMappedFilesTheSame NtMapUserPhysicalPages NtMapUserPhysicalPagesScatter
        NtFlushProcessWriteBuffers NtFlushWriteBuffer NtCallEnclave NtTerminateEnclave NtVdmControl
        NtCreateIRTimer NtQueryIoRingCapabilities NtCompareSigningLevels
    }
};
