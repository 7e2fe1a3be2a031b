//! Owns what each request of the server protocol means: which handle it makes, which name it touches and how.
//!
//! A `create_…` or `open_…` that is not known here is treated as a named object all the same, so that a request of a
//! newer Wine is judged and not overlooked. Field names observed on Wine 8 and Wine 10.

mod files;
mod keys;
mod objects;
mod processes;

use crate::handles::Target;
use crate::kernel::{Access, How, Kernel};
use crate::log::Status;
use crate::names;
use crate::sockets;
use crate::value::Fields;

/// A request with its reply.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The asking process.
    pub pid: u32,
    /// The request.
    pub name: &'a str,
    /// Its arguments.
    pub request: Fields<'a>,
    /// How it ended.
    pub status: Status<'a>,
    /// What came back.
    pub reply: Fields<'a>,
}

const OBJ_INHERIT: u32 = 0x2;
const OBJ_CASE_INSENSITIVE: u32 = 0x40;
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
/// `GENERIC_WRITE`, `GENERIC_ALL`, `DELETE`, `WRITE_DAC`, `WRITE_OWNER`.
const WRITE_ANY: u32 = 0x4000_0000 | 0x1000_0000 | 0x0001_0000 | 0x0004_0000 | 0x0008_0000;

/// Requests that begin like those for named objects and are about something else. Window classes and windows are not
/// confined by name in this release.
const NOT_NAMED: [&str; 4] = [
    "create_window",
    "create_class",
    "open_token",
    "create_token",
];

/// Need the request's arguments be kept until its reply?
pub fn matters(name: &str) -> bool {
    const OTHERS: [&str; 19] = [
        "new_process",
        "new_thread",
        "close_handle",
        "dup_handle",
        "set_handle_info",
        "assign_job",
        "set_process_winstation",
        "set_fd_name_info",
        "set_key_value",
        "delete_key_value",
        "delete_key",
        "rename_key",
        "load_registry",
        "unload_registry",
        "ioctl",
        "add_atom",
        "alloc_file_handle",
        "get_next_process",
        "get_kernel_object_handle",
    ];
    name.starts_with("create_") || name.starts_with("open_") || OTHERS.contains(&name)
}

/// Applies a finished request to the state and tells the accesses in it.
pub fn complete(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    match call.name {
        "new_process" => processes::new_process(kernel, call, accesses),
        "new_thread" => processes::new_thread(kernel, call),
        "close_handle" => processes::close_handle(kernel, call),
        "dup_handle" => processes::dup_handle(kernel, call),
        "set_handle_info" => processes::set_handle_info(kernel, call),
        "assign_job" => processes::assign_job(kernel, call),
        "set_process_winstation" => objects::set_station(kernel, call),
        "open_process" | "open_thread" => processes::open_process(kernel, call, accesses),
        "create_file" => files::create_file(kernel, call, accesses),
        "set_fd_name_info" => files::rename_file(kernel, call, accesses),
        "create_key" | "open_key" => keys::open_key(kernel, call, accesses),
        "set_key_value" | "delete_key_value" | "rename_key" => {
            keys::key_by_handle(kernel, call, How::Write, accesses)
        }
        "load_registry" => keys::key_by_handle(kernel, call, How::Create, accesses),
        "delete_key" | "unload_registry" => {
            keys::key_by_handle(kernel, call, How::Delete, accesses)
        }
        "ioctl" => objects::ioctl(kernel, call, accesses),
        "add_atom" => objects::add_atom(call, accesses),
        "create_desktop" | "open_desktop" => objects::desktop(kernel, call, accesses),
        name if NOT_NAMED.contains(&name) => insert(kernel, call, Target::Other),
        name => match objects::object_kind(name) {
            Some(kind) => objects::object(kernel, call, kind, accesses),
            None => insert(kernel, call, Target::Other),
        },
    }
}

fn insert(kernel: &mut Kernel<'_>, call: &Call<'_>, target: Target) {
    if let Some(handle) = call.reply.hex("handle").or_else(|| call.reply.hex("hkey")) {
        kernel.handles.insert(
            call.pid,
            handle,
            target,
            attributes(call) & OBJ_INHERIT != 0,
        );
    }
}

fn attributes(call: &Call<'_>) -> u32 {
    let objattr = call.request.group("objattr").unwrap_or_default();
    call.request
        .hex("attributes")
        .or_else(|| objattr.hex("attributes"))
        .unwrap_or(0)
}

/// The name in a request before links are followed, and whether it has one at all.
fn asked_name(kernel: &Kernel<'_>, call: &Call<'_>) -> (String, bool) {
    let objattr = call.request.group("objattr").unwrap_or_default();
    let root = ["rootdir", "parent"]
        .into_iter()
        .find_map(|key| call.request.hex(key));
    let root = root.or_else(|| objattr.hex("rootdir")).unwrap_or(0);
    let name = match objattr.wide("name") {
        Some(name) => name,
        // Wine calls it `filename` for devices and completions.
        None => ["name", "directory_name", "filename"]
            .into_iter()
            .find_map(|key| call.request.wide(key))
            .unwrap_or_default(),
    };
    (rooted(kernel, call.pid, root, &name), !name.is_empty())
}

/// The name in a request as it is written there; of a process or thread its id.
pub fn written_name(request: Fields<'_>) -> String {
    let objattr = request.group("objattr").unwrap_or_default();
    let names = ["name", "filename", "directory_name"];
    if request.bare("code") == Some(sockets::BIND) {
        let data = request.bytes("in_data");
        return data
            .and_then(|data| sockets::bound(&data))
            .unwrap_or_default();
    }
    if request.bare("code") == Some(sockets::PIPE_WAIT) {
        let data = request.bytes("in_data");
        return data
            .and_then(|data| sockets::waited_for(&data))
            .unwrap_or_default();
    }
    let named = objattr
        .wide("name")
        .or_else(|| names.into_iter().find_map(|key| request.wide(key)));
    named.unwrap_or_else(|| {
        let id = ["pid", "tid"].into_iter().find_map(|key| request.hex(key));
        id.map_or_else(String::new, |id| format!("{id:x}"))
    })
}

fn rooted(kernel: &Kernel<'_>, pid: u32, root: u32, name: &str) -> String {
    if root == 0 {
        return name.to_string();
    }
    names::join(&handle_name(kernel, pid, root), name)
}

/// The name behind a handle; `?001c` where the log never said.
fn handle_name(kernel: &Kernel<'_>, pid: u32, handle: u32) -> String {
    match kernel.handles.get(pid, handle).as_deref() {
        Some(Target::Named { name, .. }) => name.clone(),
        _ => format!("?{handle:04x}"),
    }
}
