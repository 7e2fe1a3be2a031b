//! The configuration of services in the registry.
//!
//! Owns what the values of a service's key mean; which keys they are is the source's.

use std::io;
use std::time::Duration;

use pinion_scm::{
    Data, Descriptor, FailureActions, MAX_ACTIONS, MAX_TRIGGERS, Record, Text, Trigger,
};
use pinion_wire::message::MESSAGE;
use pinion_wire::services::{ValueChange, put_value};

use super::convert;

/// Where the services' configuration comes from.
pub(super) trait ServiceConfig: Send {
    /// All services that the VM sees.
    fn load(&self) -> io::Result<Vec<Record>>;

    /// The machine's order of load order groups, and how long delayed automatic services wait.
    fn start_order(&self) -> (Vec<Text>, Duration);
}

/// How long the delayed automatic services wait where the machine says nothing, as on Windows.
const DELAY: Duration = Duration::from_secs(120);

/// The order of groups, from the values of `Control\ServiceGroupOrder`.
pub(super) fn group_order(get: impl Fn(&str) -> Option<Value>) -> Vec<Text> {
    match get("list") {
        Some((MULTI_SZ, bytes)) => strings(&bytes),
        _ => Vec::new(),
    }
}

/// How long delayed automatic services wait, from the values of `Control`.
pub(super) fn delay(get: impl Fn(&str) -> Option<Value>) -> Duration {
    match get("autostartdelay") {
        Some((DWORD, bytes)) => bytes.first_chunk().map_or(DELAY, |seconds| {
            Duration::from_secs(u32::from_le_bytes(*seconds).into())
        }),
        _ => DELAY,
    }
}

/// `REG_SZ`, `REG_EXPAND_SZ`, `REG_BINARY`, `REG_DWORD`, `REG_MULTI_SZ` (winnt.h).
const SZ: u32 = 1;
const EXPAND_SZ: u32 = 2;
const BINARY: u32 = 3;
const DWORD: u32 = 4;
const MULTI_SZ: u32 = 7;

/// One value of a key: its type and its bytes.
pub(super) type Value = (u32, Vec<u8>);

/// A record from the values of its key; none for a key that is no service, as `get` finds no type. A value
/// of a subkey has the subkey's name and a backslash before its own.
pub(super) fn read(name: &Text, get: impl Fn(&str) -> Option<Value>) -> Option<Record> {
    let number = |value: &str| match get(value)? {
        (DWORD, bytes) => Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?)),
        _ => None,
    };
    let string = |value: &str| match get(value) {
        Some((SZ | EXPAND_SZ, bytes)) => until_zero(&bytes),
        _ => Text::new(),
    };
    let list = |value: &str| match get(value) {
        Some((MULTI_SZ, bytes)) => strings(&bytes),
        Some((SZ, bytes)) => Some(until_zero(&bytes))
            .filter(|t| !t.is_empty())
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    let mut record = Record::new(name.clone());
    // Marked for deletion in an earlier run: gone now.
    if number("DeleteFlag").is_some_and(|flag| flag != 0) {
        return None;
    }
    record.service_type = number("Type")?;
    record.start_type = number("Start").unwrap_or(record.start_type);
    record.error_control = number("ErrorControl").unwrap_or(record.error_control);
    record.image_path = string("ImagePath");
    record.group = string("Group");
    record.tag = number("Tag").unwrap_or(0);
    record.depend_on = list("DependOnService");
    let groups = list("DependOnGroup");
    record.depend_on.extend(
        groups
            .iter()
            .map(|group| Text::from(plus(group).as_slice())),
    );
    record.display_name = string("DisplayName");
    record.description = string("Description");
    let account = string("ObjectName");
    if !account.is_empty() {
        record.account = account;
    }
    record.delayed_auto_start = number("DelayedAutostart").unwrap_or(0) != 0;
    record.preshutdown_timeout = number("PreshutdownTimeout").unwrap_or(record.preshutdown_timeout);
    record.failure_actions_on_non_crash =
        number("FailureActionsOnNonCrashFailures").unwrap_or(0) != 0;
    record.sid_type = number("ServiceSidType").unwrap_or(0);
    record.failure = FailureActions {
        reboot_message: string("RebootMessage"),
        command: string("FailureCommand"),
        ..match get("FailureActions") {
            Some((BINARY, bytes)) => failure(&bytes).unwrap_or_default(),
            _ => FailureActions::default(),
        }
    };
    record.privileges = list("RequiredPrivileges");
    record.triggers = triggers(&get);
    if let Some((_, bytes)) = get(SECURITY) {
        record.security = Descriptor::read(&bytes).unwrap_or_default();
    }
    Some(record)
}

/// Where the descriptor is, and the subkey of the triggers, as Windows has them.
const SECURITY: &str = r"Security\Security";
const TRIGGERS: &str = r"TriggerInfo\";

/// The triggers, each a numbered subkey; one that is damaged ends the list.
fn triggers(get: &impl Fn(&str) -> Option<Value>) -> Vec<Trigger> {
    let one = |index: usize| {
        let get = |value: &str| get(&format!("{TRIGGERS}{index}\\{value}"));
        let number = |value: &str| match get(value)? {
            (DWORD, bytes) => Some(u32::from_le_bytes(*bytes.first_chunk()?)),
            _ => None,
        };
        let data = |item: usize| {
            let kind = number(&format!("DataType{item}"))?;
            let (_, bytes) = get(&format!("Data{item}"))?;
            Some(Data { kind, bytes })
        };
        Some(Trigger {
            kind: number("Type")?,
            action: number("Action")?,
            subtype: *get("GUID")?.1.first_chunk()?,
            data: (0..MAX_TRIGGERS).map_while(data).collect(),
        })
    };
    (0..MAX_TRIGGERS).map_while(one).collect()
}

/// The values of the triggers' subkeys.
fn trigger_values(triggers: &[Trigger]) -> Vec<(String, Value)> {
    let number = |value: u32| (DWORD, value.to_le_bytes().to_vec());
    let mut values = Vec::new();
    for (index, trigger) in triggers.iter().enumerate() {
        let mut put = |name: String, value| {
            values.push((format!("{TRIGGERS}{index}\\{name}"), value));
        };
        put("Type".into(), number(trigger.kind));
        put("Action".into(), number(trigger.action));
        put("GUID".into(), (BINARY, trigger.subtype.to_vec()));
        for (item, data) in trigger.data.iter().enumerate() {
            put(format!("DataType{item}"), number(data.kind));
            put(format!("Data{item}"), (BINARY, data.bytes.clone()));
        }
    }
    values
}

/// Where the actions begin in the value `FailureActions`: behind a
/// `SERVICE_FAILURE_ACTIONS` of 32-bit words, whose third to fifth are the count,
/// and the place of the actions (as `sc.exe failure` leaves it on Windows; ReactOS
/// reads the same).
const ACTIONS_AT: usize = 20;

/// What the value says; `None` when it is damaged, as by hand.
fn failure(bytes: &[u8]) -> Option<FailureActions> {
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let count = word(12)? as usize;
    let list = bytes.get(ACTIONS_AT..)?.get(..count.checked_mul(8)?)?;
    let failure = FailureActions {
        reset_period: word(0)?,
        actions: convert::actions(list),
        ..FailureActions::default()
    };
    Some(failure).filter(|failure| failure.actions.len() <= MAX_ACTIONS)
}

/// The reverse of [`failure`].
fn failure_value(failure: &FailureActions) -> Option<Value> {
    if failure.actions.is_empty() && failure.reset_period == 0 {
        return None;
    }
    let count = u32::try_from(failure.actions.len()).ok()?;
    let given = |text: &Text| u32::from(!text.is_empty());
    let head = [
        failure.reset_period,
        given(&failure.reboot_message),
        given(&failure.command),
        count,
        ACTIONS_AT as u32,
    ];
    let mut bytes: Vec<u8> = head.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend(convert::action_bytes(&failure.actions));
    Some((BINARY, bytes))
}

/// The values of a record's key. None is a value that the key shall not have.
pub(super) fn values(record: &Record) -> Vec<(&'static str, Option<Value>)> {
    let number = |value: u32| Some((DWORD, value.to_le_bytes().to_vec()));
    let unless_zero = |value: u32| if value == 0 { None } else { number(value) };
    let string = |kind, text: &Text| (!text.is_empty()).then(|| (kind, zero_ended(text)));
    let (groups, services): (Vec<&Text>, Vec<&Text>) = record
        .depend_on
        .iter()
        .partition(|name| name.after_first(b'+').is_some());
    let groups: Vec<Text> = groups
        .iter()
        .filter_map(|name| name.after_first(b'+'))
        .collect();
    vec![
        ("Type", number(record.service_type)),
        ("Start", number(record.start_type)),
        ("ErrorControl", number(record.error_control)),
        ("ImagePath", string(EXPAND_SZ, &record.image_path)),
        ("DisplayName", string(SZ, &record.display_name)),
        ("Group", string(SZ, &record.group)),
        ("Tag", unless_zero(record.tag)),
        ("DependOnService", multi(services.into_iter())),
        ("DependOnGroup", multi(groups.iter())),
        ("ObjectName", string(SZ, &record.account)),
        ("Description", string(SZ, &record.description)),
        (
            "DelayedAutostart",
            unless_zero(record.delayed_auto_start.into()),
        ),
        ("PreshutdownTimeout", number(record.preshutdown_timeout)),
        (
            "FailureActionsOnNonCrashFailures",
            unless_zero(record.failure_actions_on_non_crash.into()),
        ),
        ("ServiceSidType", unless_zero(record.sid_type)),
        ("FailureActions", failure_value(&record.failure)),
        ("FailureCommand", string(SZ, &record.failure.command)),
        ("RebootMessage", string(SZ, &record.failure.reboot_message)),
        ("RequiredPrivileges", multi(record.privileges.iter())),
        (
            SECURITY,
            (!record.security.is_default()).then(|| (BINARY, record.security.bytes(0xf))),
        ),
    ]
}

/// What changes in a service's key from one record, or none, to another, as a program is told to write
/// it; none if it is too long for that.
pub(super) fn key_change(old: Option<&Record>, new: &Record) -> Option<Vec<u8>> {
    let before = old.map(values).unwrap_or_default();
    let mut changes = Vec::new();
    for value in values(new) {
        let same = before.contains(&value);
        let (name, value) = value;
        // A new key has nothing to delete.
        if same || (old.is_none() && value.is_none()) {
            continue;
        }
        put(name, value.as_ref(), &mut changes)?;
    }
    if old.map_or(&[][..], |old| &old.triggers) != new.triggers {
        put(TRIGGERS, None, &mut changes)?;
        for (name, value) in trigger_values(&new.triggers) {
            put(&name, Some(&value), &mut changes)?;
        }
    }
    Some(changes)
}

/// The change that writes a service's security descriptor.
pub(super) fn security_change(record: &Record) -> Option<Vec<u8>> {
    let mut changes = Vec::new();
    let value = (BINARY, record.security.bytes(0xf));
    put(SECURITY, Some(&value), &mut changes)?;
    Some(changes)
}

/// The change that marks a service's key for deletion.
pub(super) fn delete_flag() -> Option<Vec<u8>> {
    let mut changes = Vec::new();
    put(
        "DeleteFlag",
        Some(&(DWORD, 1_u32.to_le_bytes().to_vec())),
        &mut changes,
    )?;
    Some(changes)
}

fn put(name: &str, value: Option<&Value>, changes: &mut Vec<u8>) -> Option<()> {
    let kind = value.map_or(0, |(kind, _)| *kind);
    let change = ValueChange {
        name,
        kind,
        data: value.map(|(_, data)| data.as_slice()),
    };
    let mut room = vec![0; MESSAGE];
    let length = put_value(&change, &mut room)?;
    changes.extend(room.get(..length)?);
    Some(())
}

fn plus(group: &Text) -> Vec<u16> {
    [&[u16::from(b'+')], group.units()].concat()
}

fn units(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

fn until_zero(bytes: &[u8]) -> Text {
    let units = units(bytes);
    Text::from(units.split(|&unit| unit == 0).next().unwrap_or(&[]))
}

fn strings(bytes: &[u8]) -> Vec<Text> {
    let units = units(bytes);
    units
        .split(|&unit| unit == 0)
        .take_while(|part| !part.is_empty())
        .map(Text::from)
        .collect()
}

fn zero_ended(text: &Text) -> Vec<u8> {
    text.units()
        .iter()
        .chain(&[0])
        .flat_map(|unit| unit.to_le_bytes())
        .collect()
}

fn multi<'a>(texts: impl Iterator<Item = &'a Text>) -> Option<Value> {
    let bytes: Vec<u8> = texts.flat_map(zero_ended).collect();
    (!bytes.is_empty()).then(|| (MULTI_SZ, [bytes, vec![0, 0]].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinion_wire::services::next_value;
    use std::collections::HashMap;

    #[test]
    fn a_record_goes_to_its_key_and_back() {
        let mut record = Record::new(Text::from("worker"));
        record.image_path = Text::from(r"%SystemRoot%\worker.exe -k");
        record.depend_on = vec![Text::from("RpcSs"), Text::from("+Base")];
        record.description = Text::from("works");
        record.delayed_auto_start = true;
        record.privileges = vec![Text::from("SeDebugPrivilege")];
        let data = Data {
            kind: 1,
            bytes: vec![1, 2, 3],
        };
        record.triggers = vec![
            Trigger {
                kind: 20,
                action: 1,
                subtype: [9; 16],
                data: vec![data],
            };
            2
        ];
        let changes = key_change(None, &record).expect("fits");
        assert_eq!(read(&record.name, of_changes(&changes)), Some(record));
    }

    /// What a key has after these changes to an empty one.
    fn of_changes(mut changes: &[u8]) -> impl Fn(&str) -> Option<Value> + use<> {
        let mut key = HashMap::new();
        while let Some((value, rest)) = next_value(changes) {
            changes = rest;
            if let Some(data) = value.data {
                key.insert(value.name.to_owned(), (value.kind, data.to_vec()));
            }
        }
        move |name| key.get(name).cloned()
    }

    #[test]
    fn an_access_list_goes_to_its_key_and_back() {
        // A descriptor whose access list is empty: nobody has any right.
        let mut descriptor = vec![1, 0, 4, 0x80];
        descriptor.extend([0; 12]);
        descriptor.extend([20, 0, 0, 0, 2, 0, 8, 0, 0, 0, 0, 0]);
        let mut record = Record::new(Text::from("worker"));
        record.security = Descriptor::read(&descriptor).expect("well formed");
        let changes = key_change(None, &record).expect("fits");
        assert_eq!(read(&record.name, of_changes(&changes)), Some(record));
    }

    #[test]
    fn only_what_changes_is_written() {
        let mut old = Record::new(Text::from("worker"));
        old.image_path = Text::from("worker.exe");
        old.group = Text::from("Base");
        let new = Record {
            start_type: 4,
            group: Text::new(),
            ..old.clone()
        };
        let changes = key_change(Some(&old), &new).expect("fits");
        let (first, rest) = next_value(&changes).expect("one");
        assert_eq!((first.name, first.kind), ("Start", DWORD));
        assert_eq!(first.data, Some(&[4, 0, 0, 0][..]));
        let (second, rest) = next_value(rest).expect("two");
        assert_eq!((second.name, second.data), ("Group", None));
        assert_eq!(rest, [0; 0]);
        assert_eq!(key_change(Some(&new), &new), Some(Vec::new()));
    }

    #[test]
    fn a_key_marked_for_deletion_is_no_service() {
        let flag = |value: &str| match value {
            "Type" | "DeleteFlag" => Some((DWORD, vec![0x10, 0, 0, 0])),
            _ => None,
        };
        assert_eq!(read(&Text::from("old"), flag), None);
    }

    #[test]
    fn damaged_values_are_passed_over() {
        let name = Text::from("odd");
        assert_eq!(read(&name, |_| None), None);
        assert_eq!(read(&name, |_| Some((DWORD, vec![1]))), None);
        let record = read(&name, |value| match value {
            "Type" => Some((DWORD, vec![0x10, 0, 0, 0])),
            _ => Some((MULTI_SZ, vec![0x61])),
        });
        assert_eq!(
            record.map(|r| (r.service_type, r.image_path, r.triggers)),
            Some((0x10, Text::new(), Vec::new()))
        );
    }
}
