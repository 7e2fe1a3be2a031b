//! Owns the requests for registry keys.

use super::{Call, MAXIMUM_ALLOWED, WRITE_ANY, asked_name, handle_name, insert};
use crate::handles::Target;
use crate::kernel::{Access, How, Kernel};

/// `KEY_SET_VALUE`, `KEY_CREATE_SUB_KEY`, `KEY_CREATE_LINK`.
const WRITE_KEY: u32 = 0x2 | 0x4 | 0x20;
const REG_OPTION_CREATE_LINK: u32 = 0x2;

pub(super) fn open_key(kernel: &mut Kernel<'_>, call: &Call<'_>, accesses: &mut Vec<Access>) {
    let (name, _) = asked_name(kernel, call);
    let done = call.status.succeeded();
    let access = call.request.hex("access").unwrap_or(0);
    let create = call.name == "create_key";
    let link = create && call.request.hex("options").unwrap_or(0) & REG_OPTION_CREATE_LINK != 0;
    let how = if create && !call.status.existed() {
        How::Create
    } else if access & (WRITE_ANY | WRITE_KEY) != 0 {
        How::Open
    } else if access & MAXIMUM_ALLOWED != 0 {
        How::Maximum
    } else {
        How::Read
    };
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
    // A link may lead anywhere once its value is set: as a kind of its own it is nobody's place.
    let kind = if link { "key-link" } else { "key" };
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

pub(super) fn key_by_handle(
    kernel: &mut Kernel<'_>,
    call: &Call<'_>,
    how: How,
    accesses: &mut Vec<Access>,
) {
    let name = match call.request.hex("hkey") {
        Some(handle) => handle_name(kernel, call.pid, handle),
        None => asked_name(kernel, call).0,
    };
    let done = call.status.succeeded();
    accesses.push(Access {
        pid: call.pid,
        kind: "key".into(),
        name,
        unix: None,
        how,
        done,
        fold: true,
    });
}
