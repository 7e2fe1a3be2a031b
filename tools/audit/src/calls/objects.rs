//! Owns the requests for objects with a name in the object manager's tree, window stations, desktops and atoms included.

use super::{Call, OBJ_CASE_INSENSITIVE, asked_name, attributes, handle_name, insert};
use crate::handles::Target;
use crate::kernel::{Access, How, Kernel};
use crate::names;
use crate::sockets;

/// The kind of object that a request is about, in NT's terms.
pub(super) fn object_kind(request: &str) -> Option<&str> {
    let noun = request
        .strip_prefix("create_")
        .or_else(|| request.strip_prefix("open_"))?;
    Some(match noun {
        "mapping" => "section",
        "named_pipe" => "pipe",
        "keyed_event" => "keyed-event",
        "file_object" => "device",
        noun => noun,
    })
}

pub(super) fn object(
    kernel: &mut Kernel<'_>,
    call: &Call<'_>,
    kind: &str,
    accesses: &mut Vec<Access>,
) {
    let (name, has_name) = asked_name(kernel, call);
    let create = call.name.starts_with("create_");
    let done = call.status.succeeded();
    if (create && !has_name) || name.is_empty() {
        let target = match kind {
            "job" if done => Target::Job(kernel.members.job_made(call.pid, None)),
            _ => Target::Other,
        };
        return insert(kernel, call, target);
    }
    let fold = attributes(call) & OBJ_CASE_INSENSITIVE != 0;
    let mut name = kernel.links.resolve(&name, fold);
    if name.len() > 1 {
        name.truncate(name.trim_end_matches('\\').len());
    }
    let how = if create && !call.status.existed() {
        How::Create
    } else {
        How::Open
    };
    if done {
        let target = made(kernel, call, kind, &name, how);
        insert(kernel, call, target);
    }
    let kind = if kind == "device" {
        device_kind(&name)
    } else {
        kind
    };
    accesses.push(Access {
        pid: call.pid,
        kind: kind.to_string(),
        name,
        unix: None,
        how,
        done: done || call.status.not_found(),
        fold,
    });
}

/// What making or opening a named object changes beside the handle table.
pub(super) fn made(
    kernel: &mut Kernel<'_>,
    call: &Call<'_>,
    kind: &str,
    name: &str,
    how: How,
) -> Target {
    match kind {
        "job" => {
            let job = match (how, kernel.members.job_named(name)) {
                (How::Open, Some(job)) => job,
                _ => kernel.members.job_made(call.pid, Some(name)),
            };
            return Target::Job(job);
        }
        "directory" if how == How::Create => {
            if let Some(vm) = kernel
                .vms
                .iter()
                .position(|vm| vm.object_directory.eq_ignore_ascii_case(name))
            {
                kernel.members.directory_made(call.pid, vm);
            }
        }
        "symlink" if how == How::Create => {
            if let Some(target) = call.request.wide("target_name") {
                kernel.links.add(name, &target);
            }
        }
        _ => {}
    }
    Target::Named {
        name: name.to_string(),
        unix: None,
    }
}

pub(super) fn device_kind(name: &str) -> &'static str {
    let below = |device: &str| names::within(device, name, true) && name.len() > device.len();
    if below(names::PIPES) {
        "pipe"
    } else if below(names::MAILSLOTS) {
        "mailslot"
    } else {
        "device"
    }
}

pub(super) fn set_station(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    if let (true, Some(handle)) = (call.status.succeeded(), call.request.hex("handle")) {
        let name = handle_name(kernel, call.pid, handle);
        kernel.stations.insert(call.pid, name);
    }
}

/// Desktops have no root directory: they are named within a window station.
pub(super) fn desktop(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let Some(name) = call.request.wide("name") else {
        return;
    };
    let station = match call.request.hex("winsta").filter(|handle| *handle != 0) {
        Some(handle) => handle_name(kernel, call.pid, handle),
        None => kernel
            .stations
            .get(&call.pid)
            .cloned()
            .unwrap_or_else(|| "?".to_string()),
    };
    let name = names::join(&station, &name);
    let how = if call.name == "create_desktop" && !call.status.existed() {
        How::Create
    } else {
        How::Open
    };
    let done = call.status.succeeded();
    if done {
        insert(
            kernel,
            call,
            Target::Named {
                name: name.clone(),
                unix: None,
            },
        );
    }
    let fold = attributes(call) & OBJ_CASE_INSENSITIVE != 0;
    accesses.push(Access {
        pid: call.pid,
        kind: "desktop".into(),
        name,
        unix: None,
        how,
        done,
        fold,
    });
}

pub(super) fn ioctl(kernel: &Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let Some(code) = call.request.bare("code") else {
        return;
    };
    let (kind, name, how) = match code {
        sockets::BIND => {
            let asked = call
                .request
                .bytes("in_data")
                .and_then(|data| sockets::bound(&data));
            let given = call
                .reply
                .bytes("out_data")
                .and_then(|data| sockets::address(&data));
            ("port", given.or(asked), How::Create)
        }
        sockets::CONNECT => {
            let to = call
                .request
                .bytes("in_data")
                .and_then(|data| sockets::connected(&data));
            match to {
                Some(to) => ("connection", Some(to), How::Open),
                None => return,
            }
        }
        sockets::PIPE_WAIT => {
            let handle = call
                .request
                .group("async")
                .and_then(|group| group.hex("handle"))
                .unwrap_or(0);
            let asked = call
                .request
                .bytes("in_data")
                .and_then(|data| sockets::waited_for(&data));
            let name = asked.map(|name| names::join(&handle_name(kernel, call.pid, handle), &name));
            ("pipe", name, How::Open)
        }
        _ => return,
    };
    let name = name.unwrap_or_else(|| "?".to_string());
    let done = call.status.succeeded() || call.status.not_found() || kind == "connection";
    accesses.push(Access {
        pid: call.pid,
        kind: kind.into(),
        name,
        unix: None,
        how,
        done,
        fold: true,
    });
}

pub(super) fn add_atom(call: &Call<'_>, accesses: &mut Vec<Access>) {
    accesses.push(Access {
        pid: call.pid,
        kind: "atom".into(),
        name: call.request.wide("name").unwrap_or_default(),
        unix: None,
        how: How::Create,
        done: call.status.succeeded(),
        fold: true,
    });
}
