//! Requests that need no waiting: each is one step of the state machine and one reply.

use pinion_scm::{Client, Filter, HandleId, Listed, Record, ServiceId, Text, Win32Error};
use pinion_wire::message::MESSAGE;
use pinion_wire::services::{Entry, KeyChange, ServiceReply, ServiceRequest, Settings, put_entry};

use super::core::Core;
use super::{config, convert};
use crate::system::computer_name;

/// What a reply borrows.
#[derive(Default)]
pub(super) struct Room {
    texts: [Vec<u8>; 5],
}

/// Room for a part of a list: the reply around it is short.
const PART: usize = MESSAGE - 64;

/// Error codes of the RPC that carries the service API.
const SERVER_UNAVAILABLE: Win32Error = Win32Error(1722);

/// Answers one request.
pub(super) fn answer<'r>(
    core: &mut Core,
    client: Client,
    request: &ServiceRequest<'_>,
    room: &'r mut Room,
) -> Result<ServiceReply<'r>, Win32Error> {
    match *request {
        ServiceRequest::OpenManager { .. }
        | ServiceRequest::OpenService { .. }
        | ServiceRequest::Lock { .. } => {
            open(core, client, request).map(|h| ServiceReply::Handle(h.0))
        }
        ServiceRequest::Create {
            manager,
            name,
            access,
            ref settings,
        } => {
            core.note_client(client.0)?;
            let empty = Record {
                account: Text::new(),
                ..Record::new(convert::text(name))
            };
            let record = convert::change(settings).apply(&empty);
            let name = record.name.clone();
            let handle = core
                .machine
                .create(client, HandleId(manager), record, access)?;
            let change = written(core, None, &name, room)?;
            Ok(ServiceReply::Made {
                handle: handle.0,
                change,
            })
        }
        ServiceRequest::Change { .. }
        | ServiceRequest::ChangeExtra { .. }
        | ServiceRequest::SetSecurity { .. }
        | ServiceRequest::Delete { .. } => {
            change(core, client, request, room).map(ServiceReply::Changed)
        }
        ServiceRequest::Close { handle } => {
            core.deleted.clear();
            core.machine.close(client, HandleId(handle))?;
            core.carry_out();
            Ok(match core.deleted.pop() {
                Some(name) => {
                    room.texts[0] = convert::wide(&name);
                    ServiceReply::Gone(&room.texts[0])
                }
                None => ServiceReply::Done,
            })
        }
        ServiceRequest::Report {
            status_handle,
            ref status,
        } => {
            let (now, report) = (core.now(), convert::report(status));
            core.machine
                .set_status(now, client, HandleId(status_handle), &report)?;
            Ok(ServiceReply::Done)
        }
        ServiceRequest::Notify { handle, mask } => {
            let number = core.machine.notify(client, HandleId(handle), mask)?;
            Ok(ServiceReply::Handle(number))
        }
        _ => ask(core, client, request, room),
    }
}

/// What gives a handle.
fn open(
    core: &mut Core,
    client: Client,
    request: &ServiceRequest<'_>,
) -> Result<HandleId, Win32Error> {
    core.note_client(client.0)?;
    match *request {
        ServiceRequest::OpenManager {
            machine,
            database,
            access,
        } => {
            if !machine.is_none_or(|machine| is_here(&convert::text(machine))) {
                return Err(SERVER_UNAVAILABLE);
            }
            let database = database.map(convert::text);
            core.machine.open_manager(client, database.as_ref(), access)
        }
        ServiceRequest::OpenService {
            manager,
            name,
            access,
        } => core
            .machine
            .open_service(client, HandleId(manager), &convert::text(name), access),
        ServiceRequest::Lock { manager } => core.machine.lock(client, HandleId(manager)),
        _ => Err(Win32Error::CALL_NOT_IMPLEMENTED),
    }
}

/// What changes a service's key.
fn change<'r>(
    core: &mut Core,
    client: Client,
    request: &ServiceRequest<'_>,
    room: &'r mut Room,
) -> Result<KeyChange<'r>, Win32Error> {
    let (service, change) = match *request {
        ServiceRequest::Change {
            service,
            ref settings,
        } => (service, convert::change(settings)),
        ServiceRequest::ChangeExtra { service, ref extra } => {
            (service, convert::extra_change(extra))
        }
        ServiceRequest::SetSecurity {
            service,
            information,
            descriptor,
        } => {
            let handle = HandleId(service);
            let name = core
                .machine
                .set_security(client, handle, information, descriptor)?;
            let (record, _) = core
                .machine
                .find(&name)
                .ok_or(Win32Error::SERVICE_DOES_NOT_EXIST)?;
            // All of it is written: what was there before is not known any more.
            room.texts[0] = convert::wide(&name);
            room.texts[1] = config::security_change(record).ok_or(Win32Error::INVALID_PARAMETER)?;
            return Ok(KeyChange {
                service: &room.texts[0],
                values: &room.texts[1],
            });
        }
        ServiceRequest::Delete { service } => {
            let name = core.machine.delete(client, HandleId(service))?;
            room.texts[0] = convert::wide(&name);
            room.texts[1] = config::delete_flag().unwrap_or_default();
            return Ok(KeyChange {
                service: &room.texts[0],
                values: &room.texts[1],
            });
        }
        _ => return Err(Win32Error::CALL_NOT_IMPLEMENTED),
    };
    let now = core.now();
    let old = core
        .machine
        .change(now, client, HandleId(service), change)?;
    written(core, Some(&old), &old.name, room)
}

/// What the program has to write of a service that was made or changed.
fn written<'r>(
    core: &Core,
    old: Option<&Record>,
    name: &Text,
    room: &'r mut Room,
) -> Result<KeyChange<'r>, Win32Error> {
    let (record, _) = core
        .machine
        .find(name)
        .ok_or(Win32Error::SERVICE_DOES_NOT_EXIST)?;
    room.texts[0] = convert::wide(name);
    room.texts[1] = config::key_change(old, record).ok_or(Win32Error::INVALID_PARAMETER)?;
    Ok(KeyChange {
        service: &room.texts[0],
        values: &room.texts[1],
    })
}

/// What is only asked.
fn ask<'r>(
    core: &Core,
    client: Client,
    request: &ServiceRequest<'_>,
    room: &'r mut Room,
) -> Result<ServiceReply<'r>, Win32Error> {
    let machine = &core.machine;
    let name = |name: &Text, room: &'r mut Room| {
        room.texts[0] = convert::wide(name);
        ServiceReply::Name(&room.texts[0])
    };
    match *request {
        ServiceRequest::Status { service } => {
            let status = machine.status(client, HandleId(service))?;
            Ok(ServiceReply::Status(convert::status(&status)))
        }
        ServiceRequest::LockStatus { manager } => {
            let locked = machine.is_locked(client, HandleId(manager))?;
            Ok(ServiceReply::Handle(locked.into()))
        }
        ServiceRequest::Security {
            service,
            information,
        } => {
            room.texts[0] = machine.security(client, HandleId(service), information)?;
            Ok(ServiceReply::Security(&room.texts[0]))
        }
        ServiceRequest::Config { service } => Ok(ServiceReply::Config(settings(
            machine.config(client, HandleId(service))?,
            room,
        ))),
        ServiceRequest::Extra { service, level } => {
            let record = machine.config(client, HandleId(service))?;
            let extra = convert::extra(record, level, &mut room.texts);
            extra
                .map(ServiceReply::Extra)
                .ok_or(Win32Error::INVALID_LEVEL)
        }
        ServiceRequest::DisplayName {
            manager,
            name: asked,
        } => {
            let found = machine.display_name(client, HandleId(manager), &convert::text(asked))?;
            Ok(name(found, room))
        }
        ServiceRequest::KeyName {
            manager,
            display_name,
        } => {
            let found =
                machine.key_name(client, HandleId(manager), &convert::text(display_name))?;
            Ok(name(found, room))
        }
        ServiceRequest::List {
            manager,
            types,
            states,
            group,
            after,
        } => {
            let filter = Filter {
                types,
                states,
                group: group.map(convert::text),
            };
            let list = machine.list(client, HandleId(manager), &filter, Some(ServiceId(after)))?;
            Ok(part(list.map(|line| (line.id.0, line)), room))
        }
        ServiceRequest::ListDependents {
            service,
            states,
            after,
        } => {
            let from = after as usize;
            let list = machine.list_dependents(client, HandleId(service), states, from)?;
            Ok(part((after.saturating_add(1)..).zip(list), room))
        }
        _ => Err(Win32Error::CALL_NOT_IMPLEMENTED),
    }
}

/// A whole configuration.
fn settings<'r>(record: &Record, room: &'r mut Room) -> Settings<'r> {
    room.texts = [
        convert::wide(&record.image_path),
        convert::wide(&record.group),
        convert::wide_list(&record.depend_on),
        convert::wide(&record.account),
        convert::wide(record.shown_name()),
    ];
    let [image_path, group, depend_on, account, display_name] = &room.texts;
    Settings {
        service_type: Some(record.service_type),
        start_type: Some(record.start_type),
        error_control: Some(record.error_control),
        image_path: Some(image_path),
        group: Some(group),
        tag: record.tag,
        depend_on: Some(depend_on),
        account: Some(account),
        display_name: Some(display_name),
    }
}

/// As many lines of a list as fit.
fn part<'r, 'l>(
    lines: impl Iterator<Item = (u32, Listed<'l>)>,
    room: &'r mut Room,
) -> ServiceReply<'r> {
    let mut buffer = vec![0; PART];
    let (mut used, mut more) = (0, false);
    for (place, line) in lines {
        let (name, shown) = (
            convert::wide(&line.record.name),
            convert::wide(line.record.shown_name()),
        );
        let status = convert::status(line.status);
        let entry = Entry {
            place,
            name: &name,
            display_name: &shown,
            status,
        };
        match put_entry(&entry, &mut buffer[used..]) {
            Some(length) => used += length,
            None => {
                more = true;
                break;
            }
        }
    }
    buffer.truncate(used);
    room.texts[0] = buffer;
    ServiceReply::List {
        entries: &room.texts[0],
        more,
    }
}

/// Whether a machine's name means this machine.
fn is_here(machine: &Text) -> bool {
    let name = machine.to_string();
    let name = name.trim_start_matches('\\');
    let own = || computer_name().is_ok_and(|own| own.eq_ignore_ascii_case(name));
    name.is_empty()
        || name == "."
        || name.eq_ignore_ascii_case("localhost")
        || name == "127.0.0.1"
        || own()
}
