//! Ports, notifications, traces and atoms: the kernel's own messengers.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Ports Name OwnName Open "names a port of the whole system" {
        NtCreatePort NtCreateWaitablePort NtConnectPort NtSecureConnectPort
    }
    Ports Other ByHandle Settled "acts on a port that was decided when it was made or connected" {
        NtAcceptConnectPort NtCompleteConnectPort NtListenPort NtReplyPort NtReplyWaitReceivePort
        NtReplyWaitReceivePortEx NtReplyWaitReplyPort NtRequestPort NtRequestWaitReplyPort
        NtReadRequestData NtWriteRequestData NtImpersonateClientOfPort NtQueryInformationPort
        NtRegisterThreadTerminatePort
    }
    Ports Other Denied Open "takes the whole system's error messages, or tells who called; needs rights that a plain user lacks" {
        NtSetDefaultHardErrorPort NtQueryPortInformationProcess
    }
    Alpc Name OwnName Open "names a port of the whole system" {
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
    Wnf Name OwnName Open "names a state of the whole system by its number" {
        NtCreateWnfStateName NtDeleteWnfStateData NtDeleteWnfStateName NtQueryWnfStateData
        NtQueryWnfStateNameInformation NtSubscribeWnfStateChange NtUnsubscribeWnfStateChange
        NtUpdateWnfStateData
    }
    Wnf Other ByHandle Settled "takes what the process subscribed to" {
        NtGetCompleteWnfStateSubscription NtSetWnfProcessNotificationEvent NtWaitForWnfNotifications
    }
    Tracing Name OwnName Open "names a trace session or provider of the whole system" {
        NtTraceControl
    }
    Tracing Other OwnName Open "writes into a trace session, of the whole system where the handle says so" {
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
