//! Processes, threads, memory, handles, tokens.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Processes Name SameVm Hooked "the child has the agent before its first instruction and is in the VM's job, as a chosen parent must be" {
        NtCreateUserProcess
    }
    Processes Name Denied Hooked "a process made from a section gets no agent in time, so none is made" {
        NtCreateProcess NtCreateProcessEx
    }
    Processes Name SameVm Hooked "members are found, others are as if they did not exist" {
        NtOpenProcess NtGetNextProcess
    }
    Processes Name OwnName Hooked "an absolute name is mapped below the VM's object directory; the process is a member" {
        NtCreateProcessStateChange
    }
    Processes Other ByHandle Hooked "the image's name comes back as it was asked; the process was decided when it was opened" {
        NtQueryInformationProcess
    }
    Processes Other SameVm Hooked "acts on members only, whoever gave the handle; on what has ended nothing can be done" {
        NtTerminateProcess NtSuspendProcess NtResumeProcess NtSetInformationProcess
    }
    Processes Other ByHandle Settled "acts on a process that was decided when it was opened" {
        NtChangeProcessState NtAcquireProcessActivityReference NtPssCaptureVaSpaceBulk NtCreateProfile NtCreateProfileEx
        NtStartProfile NtStopProfile
    }
    Threads Name SameVm Hooked "members' threads are found, others are as if they did not exist" {
        NtOpenThread
    }
    Threads Name OwnName Hooked "an absolute name is mapped below the VM's object directory; the thread is a member's" {
        NtCreateThreadStateChange
    }
    Threads Other SameVm Hooked "acts on members only, whoever gave the handle; on what has ended nothing can be done" {
        NtGetNextThread NtCreateThread NtCreateThreadEx NtTerminateThread NtSuspendThread NtResumeThread
        NtGetContextThread NtSetContextThread NtSetInformationThread
        NtQueueApcThread NtQueueApcThreadEx NtQueueApcThreadEx2 NtAlertThread NtAlertResumeThread
    }
    Threads Other ByHandle Settled "asks of, or changes by an object that was made for it, a thread that was decided when it was opened" {
        NtChangeThreadState NtQueryInformationThread
    }
    Local None NoIpc Settled "wakes threads of the calling process only: NT refuses ids of others, and Wine 8 and 10 keep a table of their own in each process (dlls/ntdll/unix/sync.c)" {
        NtAlertThreadByThreadId NtAlertThreadByThreadIdEx NtAlertMultipleThreadByThreadId
        NtWaitForAlertByThreadId
    }
    Memory Other ByHandle Hooked "the names of mapped files come back as they were asked; the process was decided when it was opened" {
        NtQueryVirtualMemory
    }
    Memory Other SameVm Hooked "acts on members only, whoever gave the handle; on what has ended nothing can be done" {
        NtReadVirtualMemory NtReadVirtualMemoryEx NtWriteVirtualMemory
        NtAllocateVirtualMemory NtAllocateVirtualMemoryEx NtFreeVirtualMemory NtProtectVirtualMemory
    }
    Memory Other ByHandle Settled "acts on a process that was decided when it was opened; its content is not changed" {
        NtFlushVirtualMemory NtLockVirtualMemory NtUnlockVirtualMemory NtSetInformationVirtualMemory
        NtGetWriteWatch NtResetWriteWatch NtFlushInstructionCache
        NtAllocateUserPhysicalPages NtAllocateUserPhysicalPagesEx NtFreeUserPhysicalPages
        NtCreateEnclave NtInitializeEnclave NtLoadEnclaveData
    }
    Memory Name Denied Open "puts code into processes of the system by the name of a patch; needs rights that a plain user lacks" {
        NtLoadHotPatch NtManageHotPatch
    }
    Handles Other SameVm Hooked "handles come from members and go to members; what is known of a handle goes with it" {
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
    Tokens Other SameVm Hooked "acts on members only, whoever gave the handle; on what has ended nothing can be done" {
        NtOpenProcessToken NtOpenProcessTokenEx NtOpenThreadToken NtOpenThreadTokenEx NtImpersonateThread
    }
    Tokens Other ByHandle Settled "acts on a token that was decided when it was opened" {
        NtAdjustGroupsToken NtAdjustPrivilegesToken NtAdjustTokenClaimsAndDeviceGroups
        NtFilterToken NtFilterTokenEx NtCompareTokens NtQueryInformationToken NtSetInformationToken
        NtQuerySecurityAttributesToken NtImpersonateAnonymousToken NtPrivilegeCheck
        NtAccessCheck NtAccessCheckByType NtAccessCheckByTypeResultList
        NtRevertContainerImpersonation
    }
    ProcessLists Other SameVm Hooked "lists of processes, threads and handles show members only; objects and what is newer are not told" {
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
