//! Owns the requests for files: opened how, renamed to what.

use super::{Call, MAXIMUM_ALLOWED, WRITE_ANY, insert, rooted};
use crate::handles::Target;
use crate::kernel::{Access, How, Kernel};

/// `FILE_WRITE_DATA`, `FILE_APPEND_DATA`, `FILE_WRITE_EA`, `FILE_DELETE_CHILD`, `FILE_WRITE_ATTRIBUTES`.
const WRITE_FILE: u32 = 0x2 | 0x4 | 0x10 | 0x40 | 0x100;
const FILE_DELETE_ON_CLOSE: u32 = 0x1000;

pub(super) fn create_file(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let objattr = call.request.group("objattr").unwrap_or_default();
    let root = objattr.hex("rootdir").unwrap_or(0);
    let name = rooted(
        kernel,
        call.pid,
        root,
        &objattr.wide("name").unwrap_or_default(),
    );
    let unix = call
        .request
        .unix("filename")
        .map(|path| unix_rooted(kernel, call.pid, root, path));
    let field = |key| call.request.hex(key).unwrap_or(0);
    let how = file_how(field("access"), field("options"), field("create"));
    let done = call.status.succeeded();
    if done {
        if name.to_ascii_lowercase().ends_with(".exe") {
            kernel.members.hint_image(call.pid, &name);
        }
        insert(
            kernel,
            call,
            Target::Named {
                name: name.clone(),
                unix: unix.clone(),
            },
        );
    }
    accesses.push(Access {
        pid: call.pid,
        kind: "file".into(),
        name,
        unix,
        how,
        done,
        fold: true,
    });
}

pub(super) fn unix_rooted(kernel: &Kernel<'_>, pid: u32, root: u32, path: &str) -> String {
    if root == 0 || path.starts_with('/') {
        return path.to_string();
    }
    match kernel.handles.get(pid, root).as_deref() {
        Some(Target::Named {
            unix: Some(unix), ..
        }) => format!("{unix}/{path}"),
        _ => format!("?{root:04x}/{path}"),
    }
}

/// What an open of a file may do to it, from its access mask, options and disposition (`FILE_SUPERSEDE` 0, `FILE_OPEN` 1,
/// `FILE_CREATE` 2, `FILE_OPEN_IF` 3, `FILE_OVERWRITE` 4, `FILE_OVERWRITE_IF` 5).
pub(super) fn file_how(access: u32, options: u32, disposition: u32) -> How {
    if options & FILE_DELETE_ON_CLOSE != 0 {
        How::Delete
    } else if disposition == 4 {
        How::Write
    } else if disposition != 1 {
        How::Create
    } else if access & (WRITE_ANY | WRITE_FILE) != 0 {
        How::Open
    } else if access & MAXIMUM_ALLOWED != 0 {
        How::Maximum
    } else {
        How::Read
    }
}

/// A rename or a hard link: the new name is written.
pub(super) fn rename_file(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let root = call.request.hex("rootdir").unwrap_or(0);
    let name = rooted(
        kernel,
        call.pid,
        root,
        &call.request.wide("name").unwrap_or_default(),
    );
    let unix = call
        .request
        .unix("filename")
        .map(|path| unix_rooted(kernel, call.pid, root, path));
    let done = call.status.succeeded();
    if let (true, Some(handle)) = (
        done && call.request.decimal("link") == Some(0),
        call.request.hex("handle"),
    ) {
        let inheritable = kernel.handles.inheritable(call.pid, handle);
        kernel.handles.insert(
            call.pid,
            handle,
            Target::Named {
                name: name.clone(),
                unix: unix.clone(),
            },
            inheritable,
        );
    }
    accesses.push(Access {
        pid: call.pid,
        kind: "file".into(),
        name,
        unix,
        how: How::Write,
        done,
        fold: true,
    });
}
