//! Making keys that are nowhere yet, in the upper.

use super::open::{Create, Open};
use super::raw::{self, Key, is_missing};
use super::tree::Stack;
use super::{access, bells, copy_up, handles, marks};
use crate::hooks::kept;
use pinion_layers::make_parents;
use pinion_names::key;
use pinion_nt::status::{STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_NOT_FOUND, success};
use pinion_nt::{NTSTATUS, OBJECT_ATTRIBUTES, unicode_string};

/// `REG_OPTION_CREATE_LINK` (winnt.h).
pub(super) const CREATE_LINK: u32 = 2;
/// `KEY_CREATE_SUB_KEY` (winnt.h).
const CREATE_SUB_KEY: u32 = 4;

/// Makes the VM's key `name`, which is nowhere.
pub(super) fn key(
    open: &Open,
    create: &Create,
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
) -> NTSTATUS {
    let mut stack = Stack::new(name);
    let above = stack.whole().saturating_sub(1);
    let parent = match stack.open(0, above, CREATE_SUB_KEY) {
        Err(status) if is_missing(status) => match copied_parent(&mut stack, above) {
            Ok(Parent::Here(parent)) => Ok(parent),
            Ok(Parent::Elsewhere) => return through_link(open, create, given, name),
            Err(status) => Err(status),
        },
        parent => parent,
    };
    let parent = match parent {
        Ok(parent) => parent,
        Err(status) => return status,
    };
    let link = create.options & CREATE_LINK != 0;
    if let Err(status) = marks::settle_link(name, link) {
        return status;
    }
    let status = in_upper(open, create, given, name, &parent);
    if success(status) {
        handles::changed();
        open.note(handles::Kind::Upper, handles::generation());
        bells::changed_at(stack.at(above), bells::Change::Names);
    }
    status
}

/// Where the parent is that a key is to be made below.
enum Parent {
    /// In the upper, under the name that was asked.
    Here(Key),
    /// Under another name, to which a link of the host leads.
    Elsewhere,
}

/// Gives the upper the key at depth `above`.
fn copied_parent(stack: &mut Stack<'_>, above: usize) -> Result<Parent, NTSTATUS> {
    if copy_up::with_other_name(stack.at(above), |_| ()).is_some() {
        return Ok(Parent::Elsewhere);
    }
    if !make_parents(stack)? {
        return Err(STATUS_OBJECT_NAME_NOT_FOUND);
    }
    stack.open(0, above, CREATE_SUB_KEY).map(Parent::Here)
}

/// Makes the key below the name to which a link of the host leads.
fn through_link(open: &Open, create: &Create, given: &OBJECT_ATTRIBUTES, name: &[u16]) -> NTSTATUS {
    let last = key::last(name);
    let parent = name.get(..name.len() - last.len() - 1).unwrap_or(&[]);
    copy_up::with_other_name(parent, |real| {
        raw::with_child(real, last, |real| key(open, create, given, real))
            .unwrap_or(STATUS_NAME_TOO_LONG)
    })
    .unwrap_or(STATUS_OBJECT_NAME_NOT_FOUND)
}

/// Relative to its parent: Wine knows a volatile parent only so (observed on
/// Wine 8 and 10).
fn in_upper(
    open: &Open,
    create: &Create,
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
    parent: &Key,
) -> NTSTATUS {
    let Some(string) = unicode_string(key::last(name)) else {
        return STATUS_NAME_TOO_LONG;
    };
    let attributes = OBJECT_ATTRIBUTES {
        RootDirectory: parent.handle(),
        ObjectName: &raw const string,
        ..*given
    };
    // SAFETY: the program's arguments but for name, view and the option that
    // makes a link, which is the kernel's to follow.
    unsafe {
        kept::NtCreateKey(
            open.handle,
            access::without_view(open.access),
            &raw const attributes,
            create.title,
            create.class,
            create.options & !CREATE_LINK,
            create.disposition,
        )
    }
}
