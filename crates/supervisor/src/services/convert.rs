//! Between the words of the wire and those of the state machine. Wire text is
//! hostile: odd lengths lose their last byte, nothing else is assumed.

use pinion_scm::{Action, Change, Data, Message, Notice, Record, Report, Status, Text, Trigger};
use pinion_wire::message::MESSAGE;
use pinion_wire::services::{
    Extra, Order, ServiceReply, ServiceStatus, Settings, TriggerPart, next_trigger_part,
    put_trigger_part,
};
use windows_sys::Win32::System::Services::{
    SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_DESCRIPTION,
    SERVICE_CONFIG_FAILURE_ACTIONS, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
    SERVICE_CONFIG_PRESHUTDOWN_INFO, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
    SERVICE_CONFIG_SERVICE_SID_INFO, SERVICE_CONFIG_TRIGGER_INFO,
};

/// UTF-16 little-endian bytes as text.
pub(super) fn text(bytes: &[u8]) -> Text {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    Text::from(units.collect::<Vec<u16>>())
}

/// Text as UTF-16 little-endian bytes.
pub(super) fn wide(text: &Text) -> Vec<u8> {
    text.units()
        .iter()
        .flat_map(|unit| unit.to_le_bytes())
        .collect()
}

/// Strings that each end with a zero unit.
pub(super) fn texts(bytes: &[u8]) -> Vec<Text> {
    let all = text(bytes);
    let mut parts: Vec<Text> = all
        .units()
        .split(|&unit| unit == 0)
        .map(Text::from)
        .collect();
    // What follows the last zero is no string.
    parts.pop();
    parts
}

/// The reverse of [`texts`].
pub(super) fn wide_list(texts: &[Text]) -> Vec<u8> {
    texts
        .iter()
        .flat_map(|text| wide(text).into_iter().chain([0, 0]))
        .collect()
}

/// A status for a program.
pub(super) fn status(status: &Status) -> ServiceStatus {
    ServiceStatus {
        service_type: status.service_type,
        state: status.state.code(),
        controls_accepted: status.controls_accepted,
        win32_exit_code: status.win32_exit_code,
        specific_exit_code: status.specific_exit_code,
        check_point: status.check_point,
        wait_hint: status.wait_hint,
        process_id: status.process_id,
    }
}

/// News for a program; `list` holds the bytes of its names.
pub(super) fn notice<'a>(notice: &Notice, list: &'a mut Vec<u8>) -> ServiceReply<'a> {
    *list = wide_list(&notice.names);
    ServiceReply::Notice {
        error: notice.error.map_or(0, |error| error.0),
        triggered: notice.triggered,
        status: notice.status.as_ref().map(status).unwrap_or_default(),
        names: list,
    }
}

/// A service's report on itself.
pub(super) fn report(status: &ServiceStatus) -> Report {
    Report {
        service_type: status.service_type,
        state: status.state,
        controls_accepted: status.controls_accepted,
        win32_exit_code: status.win32_exit_code,
        specific_exit_code: status.specific_exit_code,
        check_point: status.check_point,
        wait_hint: status.wait_hint,
    }
}

/// What a program wants changed.
pub(super) fn change(settings: &Settings<'_>) -> Change {
    Change {
        service_type: settings.service_type,
        start_type: settings.start_type,
        error_control: settings.error_control,
        image_path: settings.image_path.map(text),
        group: settings.group.map(text),
        depend_on: settings.depend_on.map(texts),
        account: settings.account.map(text),
        display_name: settings.display_name.map(text),
        ..Change::default()
    }
}

/// The level of configuration that a program wants changed.
pub(super) fn extra_change(extra: &Extra<'_>) -> Change {
    let mut change = Change::default();
    match *extra {
        Extra::Description(description) => change.description = Some(text(description)),
        Extra::DelayedAutoStart(on) => change.delayed_auto_start = Some(on),
        Extra::FailureActionsOnNonCrash(on) => change.failure_actions_on_non_crash = Some(on),
        Extra::SidType(kind) => change.sid_type = Some(kind),
        Extra::PreshutdownTimeout(time) => change.preshutdown_timeout = Some(time),
        Extra::Privileges(list) => change.privileges = Some(texts(list)),
        Extra::Triggers(parts) => change.triggers = Some(triggers(parts)),
        Extra::FailureActions {
            reset_period,
            reboot_message,
            command,
            actions: list,
        } => {
            change.failure_actions = list.map(|list| (reset_period, actions(list)));
            change.failure_command = command.map(text);
            change.reboot_message = reboot_message.map(text);
        }
    }
    change
}

/// Triggers from their parts; data before the first head belongs to nobody.
fn triggers(mut parts: &[u8]) -> Vec<Trigger> {
    let mut triggers: Vec<Trigger> = Vec::new();
    while let Some((part, rest)) = next_trigger_part(parts) {
        parts = rest;
        match part {
            TriggerPart::Head {
                kind,
                action,
                subtype,
            } => triggers.push(Trigger {
                kind,
                action,
                subtype,
                data: Vec::new(),
            }),
            TriggerPart::Data { kind, bytes } => {
                if let Some(trigger) = triggers.last_mut() {
                    let bytes = bytes.to_vec();
                    trigger.data.push(Data { kind, bytes });
                }
            }
        }
    }
    triggers
}

/// The reverse of [`triggers`].
fn trigger_parts(triggers: &[Trigger]) -> Vec<u8> {
    let mut parts = Vec::new();
    let mut room = vec![0; MESSAGE];
    for trigger in triggers {
        let head = TriggerPart::Head {
            kind: trigger.kind,
            action: trigger.action,
            subtype: trigger.subtype,
        };
        let data = trigger.data.iter().map(|data| TriggerPart::Data {
            kind: data.kind,
            bytes: &data.bytes,
        });
        for part in std::iter::once(head).chain(data) {
            if let Some(length) = put_trigger_part(&part, &mut room) {
                parts.extend(&room[..length]);
            }
        }
    }
    parts
}

/// Actions as a program, or the registry, has them: kind and delay of each.
pub(super) fn actions(bytes: &[u8]) -> Vec<Action> {
    let word = |part: &[u8]| {
        let word = part.first_chunk::<4>();
        word.map_or(0, |word| u32::from_le_bytes(*word))
    };
    let action = |part: &[u8]| Action {
        kind: word(part),
        delay: word(&part[4..]),
    };
    bytes.chunks_exact(8).map(action).collect()
}

/// The reverse of [`actions`].
pub(super) fn action_bytes(actions: &[Action]) -> Vec<u8> {
    let words = actions
        .iter()
        .flat_map(|action| [action.kind, action.delay]);
    words.flat_map(u32::to_le_bytes).collect()
}

/// A level of a record's configuration; `room` holds its bytes.
pub(super) fn extra<'a>(
    record: &Record,
    level: u32,
    room: &'a mut [Vec<u8>; 5],
) -> Option<Extra<'a>> {
    Some(match level {
        SERVICE_CONFIG_DESCRIPTION => {
            room[0] = wide(&record.description);
            Extra::Description(&room[0])
        }
        SERVICE_CONFIG_FAILURE_ACTIONS => {
            let failure = &record.failure;
            room[0] = wide(&failure.reboot_message);
            room[1] = wide(&failure.command);
            room[2] = action_bytes(&failure.actions);
            Extra::FailureActions {
                reset_period: failure.reset_period,
                reboot_message: Some(&room[0]),
                command: Some(&room[1]),
                actions: Some(&room[2]),
            }
        }
        SERVICE_CONFIG_DELAYED_AUTO_START_INFO => {
            Extra::DelayedAutoStart(record.delayed_auto_start)
        }
        SERVICE_CONFIG_FAILURE_ACTIONS_FLAG => {
            Extra::FailureActionsOnNonCrash(record.failure_actions_on_non_crash)
        }
        SERVICE_CONFIG_SERVICE_SID_INFO => Extra::SidType(record.sid_type),
        SERVICE_CONFIG_PRESHUTDOWN_INFO => Extra::PreshutdownTimeout(record.preshutdown_timeout),
        SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO => {
            room[0] = wide_list(&record.privileges);
            Extra::Privileges(&room[0])
        }
        SERVICE_CONFIG_TRIGGER_INFO => {
            room[0] = trigger_parts(&record.triggers);
            Extra::Triggers(&room[0])
        }
        _ => return None,
    })
}

/// A message to a service process; `name` and `list` hold its bytes.
pub(super) fn order<'a>(
    sequence: u32,
    message: &Message,
    name: &'a mut Vec<u8>,
    list: &'a mut Vec<u8>,
) -> Order<'a> {
    match message {
        Message::Start {
            service,
            status_handle,
            arguments,
        } => {
            *name = wide(service);
            *list = wide_list(arguments);
            Order::Start {
                sequence,
                service: name,
                status_handle: status_handle.0,
                arguments: list,
            }
        }
        Message::Control { service, control } => {
            *name = wide(service);
            Order::Control {
                sequence,
                service: name,
                control: *control,
            }
        }
        Message::Exit => Order::Exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_go_there_and_back() {
        let trigger = |count: usize| Trigger {
            kind: 20,
            action: 1,
            subtype: [3; 16],
            data: vec![
                Data {
                    kind: 1,
                    bytes: vec![7; 5],
                };
                count
            ],
        };
        let all = [trigger(0), trigger(2)];
        assert_eq!(triggers(&trigger_parts(&all)), all);
        assert_eq!(triggers(&[0xff; 9]), []);
    }

    #[test]
    fn lists_go_there_and_back() {
        let list = [Text::from("-x"), Text::from(""), Text::from("é")];
        assert_eq!(texts(&wide_list(&list)), list);
        assert_eq!(texts(&[]), []);
        // No zero at the end, and an odd byte.
        assert_eq!(texts(&[0x61, 0, 0x62]), []);
    }
}
