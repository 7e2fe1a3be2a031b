//! The registry and its transactions.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Registry Name OwnName Hooked "the key is one of the VM's layers; hives are loaded into the VM" {
        NtCreateKey NtOpenKey NtOpenKeyEx NtCreateKeyTransacted NtOpenKeyTransacted NtOpenKeyTransactedEx
        NtNotifyChangeMultipleKeys NtRenameKey NtReplaceKey
        NtLoadKey NtLoadKey2 NtLoadKey3 NtLoadKeyEx NtUnloadKey NtUnloadKey2 NtUnloadKeyEx
        NtQueryOpenSubKeys NtQueryOpenSubKeysEx
    }
    Registry Other ByHandle Hooked "the key is looked up again in the VM's layers: a copy may have been made since, and names come back as they were asked" {
        NtDeleteKey NtSetValueKey NtDeleteValueKey NtQueryKey NtEnumerateKey NtQueryValueKey
        NtEnumerateValueKey NtQueryMultipleValueKey NtNotifyChangeKey NtFlushKey NtSaveKey NtSaveKeyEx
        NtSaveMergedKeys NtRestoreKey NtLockRegistryKey NtQuerySecurityObject
    }
    Registry Other ByHandle Settled "acts on a key or object that was decided when it was opened" {
        NtSetInformationKey NtCompactKeys NtCompressKey NtSetSecurityObject
    }
    Registry Other Denied Open "acts on the whole registry of the host; needs rights that a plain user lacks" {
        NtFreezeRegistry NtThawRegistry NtInitializeRegistry NtLockProductActivationKeys
    }
    Transactions Name OwnName Hooked "a name is mapped below the VM's object directory; a GUID of the machine or a log file is refused" {
        NtCreateTransaction NtOpenTransaction NtCreateTransactionManager NtOpenTransactionManager
        NtCreateResourceManager NtOpenResourceManager NtCreateEnlistment NtOpenEnlistment
    }
    Transactions Name Denied Hooked "renames a manager by its log file, or lists those of the machine" {
        NtRenameTransactionManager NtEnumerateTransactionObject
    }
    Transactions Name OwnName Hooked "an absolute name is mapped below the VM's object directory" {
        NtCreateRegistryTransaction NtOpenRegistryTransaction
    }
    Transactions Other Denied Hooked "stops the transactions of the whole host; needs rights that a plain user lacks" {
        NtFreezeTransactions NtThawTransactions
    }
    Transactions Other ByHandle Settled "acts on a transaction, manager or enlistment that was decided when it was opened" {
        NtCommitComplete NtCommitEnlistment NtCommitRegistryTransaction NtCommitTransaction
        NtGetNotificationResourceManager NtPrePrepareComplete NtPrePrepareEnlistment NtPrepareComplete
        NtPrepareEnlistment NtPropagationComplete NtPropagationFailed NtQueryInformationEnlistment
        NtQueryInformationResourceManager NtQueryInformationTransaction NtQueryInformationTransactionManager
        NtReadOnlyEnlistment NtRecoverEnlistment NtRecoverResourceManager NtRecoverTransactionManager
        NtRegisterProtocolAddressInformation NtRollbackComplete NtRollbackEnlistment
        NtRollbackRegistryTransaction NtRollbackTransaction NtRollforwardTransactionManager
        NtSetInformationEnlistment NtSetInformationResourceManager NtSetInformationTransaction
        NtSetInformationTransactionManager NtSinglePhaseReject
    }
};
