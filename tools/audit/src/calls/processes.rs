//! Owns the requests for processes, threads, jobs and handles as such.

use super::{Call, OBJ_INHERIT, attributes, insert};
use crate::handles::Target;
use crate::kernel::{Access, How, Kernel};

/// `PROCESS_CREATE_FLAGS_INHERIT_HANDLES`.
const CREATE_INHERITS: u32 = 0x4;
const DUPLICATE_CLOSE_SOURCE: u32 = 0x1;
const DUPLICATE_SAME_ATTRIBUTES: u32 = 0x4;
const HANDLE_FLAG_INHERIT: i64 = 0x1;
const CURRENT_PROCESS: u32 = 0xffff_ffff;

pub(super) fn process_of(kernel: &Kernel<'_>, pid: u32, handle: u32) -> Option<u32> {
    if handle == CURRENT_PROCESS {
        return Some(pid);
    }
    match kernel.handles.get(pid, handle).as_deref() {
        Some(Target::Process(target)) => Some(*target),
        _ => None,
    }
}

pub(super) fn new_process(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let (Some(pid), Some(handle)) = (call.reply.hex("pid"), call.reply.hex("handle")) else {
        return;
    };
    if !call.status.succeeded() || pid == 0 {
        return;
    }
    let parent = call
        .request
        .hex("parent_process")
        .filter(|handle| *handle != 0);
    let parent = parent.and_then(|handle| process_of(kernel, call.pid, handle));
    let info = call.request.group("info").unwrap_or_default();
    let image = info.wide("imagepath").unwrap_or_default();
    let jobs: Vec<u32> = call
        .request
        .handles("jobs")
        .into_iter()
        .filter_map(|job| job_of(kernel, call.pid, job))
        .collect();
    kernel
        .members
        .process_created(pid, &image, call.pid, parent, &jobs);
    let giver = parent.unwrap_or(call.pid);
    let inherits = call.request.hex("flags").unwrap_or(0) & CREATE_INHERITS != 0;
    kernel
        .handles
        .start_process(pid, giver, inherits, &call.request.handles("handles"));
    if let Some(station) = kernel.stations.get(&giver).cloned() {
        kernel.stations.insert(pid, station);
    }
    kernel.handles.insert(
        call.pid,
        handle,
        Target::Process(pid),
        attributes(call) & OBJ_INHERIT != 0,
    );
    if let Some(info) = call.reply.hex("info") {
        kernel.handles.insert(call.pid, info, Target::Other, false);
    }
    accesses.push(Access {
        pid: call.pid,
        kind: "process".into(),
        name: format!("{pid:04x}"),
        unix: None,
        how: How::Create,
        done: true,
        fold: false,
    });
}

pub(super) fn job_of(kernel: &Kernel<'_>, pid: u32, handle: u32) -> Option<u32> {
    match kernel.handles.get(pid, handle).as_deref() {
        Some(Target::Job(job)) => Some(*job),
        _ => None,
    }
}

pub(super) fn new_thread(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    if let Some(tid) = call.reply.hex("tid").filter(|tid| *tid != 0)
        && let Some(pid) = call
            .request
            .hex("process")
            .and_then(|handle| process_of(kernel, call.pid, handle))
    {
        kernel.members.thread_started(tid, pid);
    }
    insert(kernel, call, Target::Other);
}

pub(super) fn close_handle(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    if let (true, Some(handle)) = (call.status.succeeded(), call.request.hex("handle")) {
        kernel.handles.close(call.pid, handle);
    }
}

pub(super) fn dup_handle(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    let field = |key| call.request.hex(key).unwrap_or(0);
    let options = field("options");
    let Some(source) = process_of(kernel, call.pid, field("src_process")) else {
        return dup_unknown(kernel, call);
    };
    let from = field("src_handle");
    let target = match (kernel.handles.get(source, from), from) {
        (Some(target), _) => (*target).clone(),
        (None, CURRENT_PROCESS) => Target::Process(source),
        (None, _) => Target::Other,
    };
    let inheritable = if options & DUPLICATE_SAME_ATTRIBUTES != 0 {
        kernel.handles.inheritable(source, from)
    } else {
        field("attributes") & OBJ_INHERIT != 0
    };
    if options & DUPLICATE_CLOSE_SOURCE != 0 {
        kernel.handles.close(source, from);
    }
    let destination = process_of(kernel, call.pid, field("dst_process"));
    if let (true, Some(pid), Some(handle)) = (
        call.status.succeeded(),
        destination,
        call.reply.hex("handle"),
    ) {
        kernel.handles.insert(pid, handle, target, inheritable);
    }
}

/// A handle out of a process that the log never introduced: what it means is not known, and its old meaning is void.
pub(super) fn dup_unknown(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    let destination = call
        .request
        .hex("dst_process")
        .and_then(|handle| process_of(kernel, call.pid, handle));
    if let (Some(pid), Some(handle)) = (destination, call.reply.hex("handle")) {
        kernel.handles.insert(pid, handle, Target::Other, false);
    }
}

pub(super) fn set_handle_info(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    let field = |key| call.request.decimal(key).unwrap_or(0);
    if let (true, Some(handle)) = (
        field("mask") & HANDLE_FLAG_INHERIT != 0,
        call.request.hex("handle"),
    ) {
        kernel
            .handles
            .set_inheritable(call.pid, handle, field("flags") & HANDLE_FLAG_INHERIT != 0);
    }
}

pub(super) fn assign_job(kernel: &mut Kernel<'_>, call: &Call<'_>) {
    if !call.status.succeeded() {
        return;
    }
    let job = call
        .request
        .hex("job")
        .and_then(|handle| job_of(kernel, call.pid, handle));
    let process = call
        .request
        .hex("process")
        .and_then(|handle| process_of(kernel, call.pid, handle));
    if let (Some(job), Some(process)) = (job, process) {
        kernel.members.assigned(process, job);
    }
}

/// A process by its id. The name of the access is the target's id, so that `judge` can see whose it is.
pub(super) fn open_process(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let done = call.status.succeeded();
    let target = match call.name {
        "open_process" => call.request.hex("pid"),
        _ => call
            .request
            .hex("tid")
            .and_then(|tid| kernel.members.process_of(tid)),
    };
    let Some(target) = target else {
        return insert(kernel, call, Target::Other);
    };
    let is_process = call.name == "open_process";
    if done {
        insert(
            kernel,
            call,
            if is_process {
                Target::Process(target)
            } else {
                Target::Other
            },
        );
    }
    accesses.push(Access {
        pid: call.pid,
        kind: if is_process { "process" } else { "thread" }.into(),
        name: format!("{target:04x}"),
        unix: None,
        how: How::Open,
        done,
        fold: false,
    });
}
