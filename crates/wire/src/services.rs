//! What the service API of a member asks the VM's service controller.
//!
//! Text is UTF-16 little-endian bytes without a terminator; a list of texts is
//! its texts each followed by a zero unit. Nothing is checked here but the
//! shape: bounds and rules are the controller's.

use serde::{Deserialize, Serialize};

/// Text: UTF-16 little-endian bytes, no terminator.
pub type Wide<'a> = &'a [u8];

/// Texts one after the other, each with a zero unit at its end.
pub type WideList<'a> = &'a [u8];

/// A call of the service API. Handles are values that the controller gave to
/// this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceRequest<'a> {
    /// `OpenSCManager`. Answered by [`ServiceReply::Handle`].
    OpenManager {
        /// The machine, when one is named.
        #[serde(borrow)]
        machine: Option<Wide<'a>>,
        /// The database, when one is named.
        database: Option<Wide<'a>>,
        /// The wanted access.
        access: u32,
    },
    /// `OpenService`. Answered by [`ServiceReply::Handle`].
    OpenService {
        /// The manager's handle.
        manager: u32,
        /// The service's name.
        name: Wide<'a>,
        /// The wanted access.
        access: u32,
    },
    /// `CreateService`. Answered by [`ServiceReply::Made`].
    Create {
        /// The manager's handle.
        manager: u32,
        /// The service's name.
        name: Wide<'a>,
        /// The wanted access of the handle.
        access: u32,
        /// The configuration.
        settings: Settings<'a>,
    },
    /// `CloseServiceHandle`, `UnlockServiceDatabase`. Answered by
    /// [`ServiceReply::Done`] or [`ServiceReply::Gone`].
    Close {
        /// Any handle.
        handle: u32,
    },
    /// `DeleteService`. Answered by [`ServiceReply::Changed`].
    Delete {
        /// The service's handle.
        service: u32,
    },
    /// `ChangeServiceConfig`. Answered by [`ServiceReply::Changed`].
    Change {
        /// The service's handle.
        service: u32,
        /// What to change.
        settings: Settings<'a>,
    },
    /// `ChangeServiceConfig2`. Answered by [`ServiceReply::Changed`].
    ChangeExtra {
        /// The service's handle.
        service: u32,
        /// What to change.
        extra: Extra<'a>,
    },
    /// `StartService`. Answered by [`ServiceReply::Status`] when the service's
    /// main function runs.
    Start {
        /// The service's handle.
        service: u32,
        /// The arguments.
        arguments: WideList<'a>,
    },
    /// `ControlService`. Answered by [`ServiceReply::Status`] or
    /// [`ServiceReply::Refused`] when the handler has returned.
    Control {
        /// The service's handle.
        service: u32,
        /// `SERVICE_CONTROL_*`.
        control: u32,
    },
    /// `QueryServiceStatusEx`. Answered by [`ServiceReply::Status`].
    Status {
        /// The service's handle.
        service: u32,
    },
    /// `QueryServiceConfig`. Answered by [`ServiceReply::Config`].
    Config {
        /// The service's handle.
        service: u32,
    },
    /// `QueryServiceConfig2`. Answered by [`ServiceReply::Extra`].
    Extra {
        /// The service's handle.
        service: u32,
        /// `SERVICE_CONFIG_*`.
        level: u32,
    },
    /// `EnumServicesStatusEx`. Answered by [`ServiceReply::List`].
    List {
        /// The manager's handle.
        manager: u32,
        /// `SERVICE_WIN32` and so on.
        types: u32,
        /// `SERVICE_ACTIVE`, `SERVICE_INACTIVE` or both.
        states: u32,
        /// Only this load order group.
        group: Option<Wide<'a>>,
        /// [`Entry::place`] of the last entry seen; 0 for the beginning.
        after: u32,
    },
    /// `EnumDependentServices`. Answered by [`ServiceReply::List`].
    ListDependents {
        /// The service's handle.
        service: u32,
        /// As in [`ServiceRequest::List`].
        states: u32,
        /// As in [`ServiceRequest::List`].
        after: u32,
    },
    /// `GetServiceDisplayName`. Answered by [`ServiceReply::Name`].
    DisplayName {
        /// The manager's handle.
        manager: u32,
        /// The service's name.
        name: Wide<'a>,
    },
    /// `GetServiceKeyName`. Answered by [`ServiceReply::Name`].
    KeyName {
        /// The manager's handle.
        manager: u32,
        /// The display name.
        display_name: Wide<'a>,
    },
    /// `LockServiceDatabase`. Answered by [`ServiceReply::Handle`].
    Lock {
        /// The manager's handle.
        manager: u32,
    },
    /// `QueryServiceLockStatus`. Answered by [`ServiceReply::Handle`]: 1 when somebody
    /// has the lock, else 0.
    LockStatus {
        /// The manager's handle.
        manager: u32,
    },
    /// `QueryServiceObjectSecurity`. Answered by [`ServiceReply::Security`].
    Security {
        /// The service's handle.
        service: u32,
        /// `SECURITY_INFORMATION`
        information: u32,
    },
    /// `SetServiceObjectSecurity`. Answered by [`ServiceReply::Changed`].
    SetSecurity {
        /// The service's handle.
        service: u32,
        /// `SECURITY_INFORMATION`
        information: u32,
        /// A self-relative descriptor.
        descriptor: &'a [u8],
    },
    /// `WaitServiceState`, in parts: answered by [`ServiceReply::Status`] when the
    /// service is in one of the states, or the time is over.
    WaitState {
        /// The service's handle.
        service: u32,
        /// `SERVICE_NOTIFY_*`
        mask: u32,
        /// Milliseconds; the controller waits no longer than it thinks right.
        time: u32,
    },
    /// `SetServiceStatus`. Answered by [`ServiceReply::Done`].
    Report {
        /// The handle that came with [`Order::Start`].
        status_handle: u32,
        /// The new status.
        status: ServiceStatus,
    },
    /// `StartServiceCtrlDispatcher`: answered by the first
    /// [`ServiceReply::Order`] of this process when there is one.
    Dispatch,
    /// The end of an order, on the same connection: answered by the next
    /// [`ServiceReply::Order`] when there is one.
    Answer {
        /// The order's number.
        sequence: u32,
        /// What the handler returned; 0 for a start that runs.
        result: u32,
    },
    /// `NotifyServiceStatusChange`. Answered by [`ServiceReply::Handle`] with the
    /// request's number.
    Notify {
        /// The handle of a service or of the manager.
        handle: u32,
        /// `SERVICE_NOTIFY_*`
        mask: u32,
    },
    /// Waits for what a request asked for. Answered by [`ServiceReply::Notice`], or
    /// by an error when the handle is closed.
    AwaitNotice {
        /// The request's handle.
        handle: u32,
        /// The request's number.
        number: u32,
    },
}

/// `SERVICE_STATUS_PROCESS`; in a report the process id is not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// `dwServiceType`
    pub service_type: u32,
    /// `dwCurrentState`
    pub state: u32,
    /// `dwControlsAccepted`
    pub controls_accepted: u32,
    /// `dwWin32ExitCode`
    pub win32_exit_code: u32,
    /// `dwServiceSpecificExitCode`
    pub specific_exit_code: u32,
    /// `dwCheckPoint`
    pub check_point: u32,
    /// `dwWaitHint`, milliseconds
    pub wait_hint: u32,
    /// `dwProcessId`
    pub process_id: u32,
}

/// A configuration, or the part of it that is to be changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings<'a> {
    /// `dwServiceType`
    pub service_type: Option<u32>,
    /// `dwStartType`
    pub start_type: Option<u32>,
    /// `dwErrorControl`
    pub error_control: Option<u32>,
    /// `lpBinaryPathName`
    #[serde(borrow)]
    pub image_path: Option<Wide<'a>>,
    /// `lpLoadOrderGroup`
    pub group: Option<Wide<'a>>,
    /// `dwTagId`, only in an answer.
    pub tag: u32,
    /// `lpDependencies`
    pub depend_on: Option<WideList<'a>>,
    /// `lpServiceStartName`
    pub account: Option<Wide<'a>>,
    /// `lpDisplayName`
    pub display_name: Option<Wide<'a>>,
}

/// One level of `QueryServiceConfig2` and `ChangeServiceConfig2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extra<'a> {
    /// `SERVICE_CONFIG_DESCRIPTION`
    Description(#[serde(borrow)] Wide<'a>),
    /// `SERVICE_CONFIG_DELAYED_AUTO_START_INFO`
    DelayedAutoStart(bool),
    /// `SERVICE_CONFIG_FAILURE_ACTIONS_FLAG`
    FailureActionsOnNonCrash(bool),
    /// `SERVICE_CONFIG_SERVICE_SID_INFO`
    SidType(u32),
    /// `SERVICE_CONFIG_PRESHUTDOWN_INFO`, milliseconds
    PreshutdownTimeout(u32),
    /// `SERVICE_CONFIG_FAILURE_ACTIONS`. In a change, what is `None` stays as it is.
    FailureActions {
        /// Seconds.
        reset_period: u32,
        /// `lpRebootMsg`
        reboot_message: Option<Wide<'a>>,
        /// `lpCommand`
        command: Option<Wide<'a>>,
        /// `lpsaActions`: of each its kind and its delay, 32 bits little-endian.
        actions: Option<&'a [u8]>,
    },
    /// `SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO`
    Privileges(WideList<'a>),
    /// `SERVICE_CONFIG_TRIGGER_INFO`: encoded [`TriggerPart`]s one after the other, of
    /// each trigger its head and then its data. See [`next_trigger_part`].
    Triggers(&'a [u8]),
}

/// A part of the list of triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TriggerPart<'a> {
    /// The beginning of a trigger.
    Head {
        /// `dwTriggerType`
        kind: u32,
        /// `dwAction`
        action: u32,
        /// `pTriggerSubtype`, in the order of its bytes in memory.
        subtype: [u8; 16],
    },
    /// A data item of the last head's trigger.
    Data {
        /// `dwDataType`
        kind: u32,
        /// `pData`
        #[serde(borrow)]
        bytes: &'a [u8],
    },
}

/// One service of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// Where a following request goes on. Never 0.
    pub place: u32,
    /// The service's name.
    #[serde(borrow)]
    pub name: Wide<'a>,
    /// Its display name.
    pub display_name: Wide<'a>,
    /// What it is doing.
    pub status: ServiceStatus,
}

/// What changes in a service's key. The member that asked for it writes it, so
/// that it lands in the VM's layer as every other write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange<'a> {
    /// The service's name.
    #[serde(borrow)]
    pub service: Wide<'a>,
    /// Encoded [`ValueChange`]s one after the other: see [`next_value`].
    pub values: &'a [u8],
}

/// One value of a key, or all that is below a subkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueChange<'a> {
    /// The value's name, ASCII; before it, with a backslash after each, the subkeys that
    /// it lies in. With nothing after the last backslash and no data, that subkey goes
    /// with everything below it.
    pub name: &'a str,
    /// `REG_SZ` and so on.
    pub kind: u32,
    /// The new data; `None` deletes the value.
    #[serde(borrow)]
    pub data: Option<&'a [u8]>,
}

/// What a service process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order<'a> {
    /// Run the main function of a service in a thread of its own.
    Start {
        /// For [`ServiceRequest::Answer`].
        sequence: u32,
        /// The service's name.
        #[serde(borrow)]
        service: Wide<'a>,
        /// What `RegisterServiceCtrlHandler` gives for it.
        status_handle: u32,
        /// The arguments after the name.
        arguments: WideList<'a>,
    },
    /// Call the control handler of a service.
    Control {
        /// For [`ServiceRequest::Answer`].
        sequence: u32,
        /// The service's name.
        service: Wide<'a>,
        /// `SERVICE_CONTROL_*`.
        control: u32,
    },
    /// `StartServiceCtrlDispatcher` returns; nothing follows.
    Exit,
}

/// The controller's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceReply<'a> {
    /// It was done.
    Done,
    /// A Win32 error code.
    Error(u32),
    /// A Win32 error code that comes with a status.
    Refused {
        /// The error code.
        error: u32,
        /// The service's status.
        status: ServiceStatus,
    },
    /// A handle of this process.
    Handle(u32),
    /// A new service.
    Made {
        /// A handle of this process.
        handle: u32,
        /// The new service's key.
        #[serde(borrow)]
        change: KeyChange<'a>,
    },
    /// It was done, and the service's key changes.
    Changed(KeyChange<'a>),
    /// It was done, and the service of this name is no more: its key goes.
    Gone(Wide<'a>),
    /// A status.
    Status(ServiceStatus),
    /// A whole configuration: everything is there.
    Config(#[serde(borrow)] Settings<'a>),
    /// A level of configuration.
    Extra(Extra<'a>),
    /// A self-relative security descriptor.
    Security(&'a [u8]),
    /// A name.
    Name(Wide<'a>),
    /// A part of a list.
    List {
        /// Encoded [`Entry`]s one after the other: see [`next_entry`].
        entries: &'a [u8],
        /// Whether more follow.
        more: bool,
    },
    /// See [`ServiceRequest::Dispatch`].
    Order(Order<'a>),
    /// What [`ServiceRequest::AwaitNotice`] waited for.
    Notice {
        /// `dwNotificationStatus`
        error: u32,
        /// `dwNotificationTriggered`
        triggered: u32,
        /// The service's status; zero for the manager's news.
        status: ServiceStatus,
        /// The services made, each with a slash before its name, and deleted.
        names: WideList<'a>,
    },
}

/// Encodes an entry at the start of `room`; its length, or `None` when it does
/// not fit.
pub fn put_entry(entry: &Entry<'_>, room: &mut [u8]) -> Option<usize> {
    postcard::to_slice(entry, room).ok().map(|used| used.len())
}

/// The first entry of a list and the entries after it.
#[must_use]
pub fn next_entry(entries: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    postcard::take_from_bytes(entries).ok()
}

/// Encodes a value at the start of `room`; its length, or `None` when it does
/// not fit.
pub fn put_value(value: &ValueChange<'_>, room: &mut [u8]) -> Option<usize> {
    postcard::to_slice(value, room).ok().map(|used| used.len())
}

/// The first value of a change and the values after it.
#[must_use]
pub fn next_value(values: &[u8]) -> Option<(ValueChange<'_>, &[u8])> {
    postcard::take_from_bytes(values).ok()
}

/// Encodes a part of the triggers at the start of `room`; its length, or `None` when it
/// does not fit.
pub fn put_trigger_part(part: &TriggerPart<'_>, room: &mut [u8]) -> Option<usize> {
    postcard::to_slice(part, room).ok().map(|used| used.len())
}

/// The first part of a list of triggers and the parts after it.
#[must_use]
pub fn next_trigger_part(parts: &[u8]) -> Option<(TriggerPart<'_>, &[u8])> {
    postcard::take_from_bytes(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{MESSAGE, Reply, Request, decode, encode};
    use proptest::prelude::*;

    #[test]
    fn a_whole_configuration_fits_a_message() {
        // What the controller allows: 7,000 units of text and their lengths.
        let long = [0x61; 2 * 7_000];
        let settings = Settings {
            image_path: Some(&long),
            depend_on: Some(&[]),
            ..Settings::default()
        };
        let request = Request::Service(ServiceRequest::Create {
            manager: u32::MAX,
            name: &[0x61; 512],
            access: u32::MAX,
            settings,
        });
        let mut buffer = [0; MESSAGE];
        let bytes = encode(&request, &mut buffer).expect("fits");
        assert_eq!(decode::<Request>(bytes), Some(request));
    }

    #[test]
    fn entries_follow_one_another() {
        let entry = |place| Entry {
            place,
            name: b"a\0",
            display_name: b"",
            status: ServiceStatus::default(),
        };
        let mut room = [0; 256];
        let first = put_entry(&entry(1), &mut room).expect("fits");
        let second = put_entry(&entry(2), &mut room[first..]).expect("fits");
        let all = &room[..first + second];
        let (one, rest) = next_entry(all).expect("one");
        let (two, rest) = next_entry(rest).expect("two");
        assert_eq!((one.place, two.place, rest), (1, 2, &[][..]));
        assert_eq!(next_entry(rest), None);
    }

    proptest! {
        #[test]
        fn an_order_comes_back(
            sequence: u32,
            service in prop::collection::vec(any::<u8>(), 0..64),
            arguments in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let order = Order::Start { sequence, service: &service, status_handle: 7, arguments: &arguments };
            let reply = Reply::Service(ServiceReply::Order(order));
            let mut buffer = [0; 256];
            let bytes = encode(&reply, &mut buffer).expect("fits");
            prop_assert_eq!(decode::<Reply>(bytes), Some(reply));
        }

        #[test]
        fn garbage_entries_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let mut rest = &bytes[..];
            while let Some((_, following)) = next_entry(rest) {
                rest = following;
            }
        }
    }
}
