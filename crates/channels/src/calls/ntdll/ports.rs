//! Ports, notifications, traces and atoms: the kernel's own messengers.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Ports Name OwnName Hooked "the name is mapped below the VM's object directory, or connected to on the host by a line of the pass list" {
        NtCreatePort NtCreateWaitablePort NtConnectPort NtSecureConnectPort
    }
    Ports Other ByHandle Settled "acts on a port that was decided when it was made or connected" {
        NtAcceptConnectPort NtCompleteConnectPort NtListenPort NtReplyPort NtReplyWaitReceivePort
        NtReplyWaitReceivePortEx NtReplyWaitReplyPort NtRequestPort NtRequestWaitReplyPort
        NtReadRequestData NtWriteRequestData NtImpersonateClientOfPort NtQueryInformationPort
        NtRegisterThreadTerminatePort
    }
    Ports Other Denied Hooked "takes the whole system's error messages; needs SeTcbPrivilege" {
        NtSetDefaultHardErrorPort
    }
    Ports Other Pass Settled "tells whether the calling process has an error port" {
        NtQueryPortInformationProcess
    }
    Alpc Name OwnName Hooked "the name is mapped below the VM's object directory, or connected to on the host by a line of the pass list" {
        NtAlpcCreatePort NtAlpcConnectPort NtAlpcConnectPortEx
    }
    Alpc Name SameVm Hooked "opens the process or thread that sent a message, when it is a member's" {
        NtAlpcOpenSenderProcess NtAlpcOpenSenderThread
    }
    Alpc Other ByHandle Settled "acts on a port that was decided when it was made or connected" {
        NtAlpcAcceptConnectPort NtAlpcCancelMessage NtAlpcCreatePortSection NtAlpcCreateResourceReserve
        NtAlpcCreateSectionView NtAlpcCreateSecurityContext NtAlpcDeletePortSection
        NtAlpcDeleteResourceReserve NtAlpcDeleteSectionView NtAlpcDeleteSecurityContext
        NtAlpcDisconnectPort NtAlpcImpersonateClientContainerOfPort NtAlpcImpersonateClientOfPort
        NtAlpcQueryInformation NtAlpcQueryInformationMessage NtAlpcRevokeSecurityContext
        NtAlpcSendWaitReceivePort NtAlpcSetInformation
    }
    Wnf Name Denied Hooked "makes, publishes or deletes a state of the whole system" {
        NtCreateWnfStateName NtDeleteWnfStateData NtDeleteWnfStateName NtUpdateWnfStateData
    }
    Wnf Name Pass Hooked "reads or watches a state, by its number: only the system's own are there" {
        NtQueryWnfStateData NtQueryWnfStateNameInformation NtSubscribeWnfStateChange
    }
    Wnf Name Pass Settled "ends a watch of the process's own" {
        NtUnsubscribeWnfStateChange
    }
    Wnf Other ByHandle Settled "takes what the process subscribed to" {
        NtGetCompleteWnfStateSubscription NtSetWnfProcessNotificationEvent NtWaitForWnfNotifications
    }
    Tracing Name Denied Hooked "starts, lists, reads or steers a trace session of the machine; what makes the process a provider passes" {
        NtTraceControl
    }
    Tracing Other Pass Settled "writes an event for sessions of the host, which members cannot read" {
        NtTraceEvent
    }
    Tracing Name Pass Settled "writes to the host's security log and nothing else; needs SeAuditPrivilege" {
        NtAccessCheckAndAuditAlarm NtAccessCheckByTypeAndAuditAlarm
        NtAccessCheckByTypeResultListAndAuditAlarm NtAccessCheckByTypeResultListAndAuditAlarmByHandle
        NtOpenObjectAuditAlarm NtCloseObjectAuditAlarm NtDeleteObjectAuditAlarm
        NtPrivilegeObjectAuditAlarm NtPrivilegedServiceAuditAlarm
    }
    Atoms Name OwnName Hooked "the name begins with the VM's mark in the table that all share; an atom without it is not there" {
        NtAddAtom NtAddAtomEx NtFindAtom NtDeleteAtom NtQueryInformationAtom
    }
};
