//! What a call's arguments are to a record: which of them names something, and the name
//! itself, copied out of the program's memory.

use crate::guard;
use pinion_nt::{OBJECT_ATTRIBUTES, UNICODE_STRING};
use pinion_wire::trace::Name;

/// What an argument of a call is to a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    None,
    Attributes,
    Name,
    Atom,
    Bytes,
    Access,
    Id,
    Code,
}

/// What the argument of this name and type is.
pub(crate) const fn part(argument: &str, of: &str) -> Part {
    if same(of, "Attributes") {
        return Part::Attributes;
    }
    if same(of, "Name") && same(argument, "name") {
        return Part::Name;
    }
    if same(argument, "access") {
        return Part::Access;
    }
    if same(argument, "code") {
        return Part::Code;
    }
    if same(argument, "bytes") {
        return Part::Bytes;
    }
    if same(argument, "name") && begins(of, "*const u16") {
        return Part::Atom;
    }
    if same(argument, "id") && begins(of, "*const") {
        return Part::Id;
    }
    Part::None
}

/// Whether a call is told: one that is given a name or an id, or that is refused
/// whatever it is given. `parts` is what its arguments are.
pub(crate) const fn is_told(target: &str, parts: &[Part]) -> bool {
    let mut at = 0;
    while at < parts.len() {
        match parts[at] {
            Part::Attributes | Part::Name | Part::Atom | Part::Id | Part::Code => return true,
            Part::None | Part::Bytes | Part::Access => {}
        }
        at += 1;
    }
    begins(target, "calls::denied") || begins(target, "calls :: denied")
}

/// Whether a call as it was is given a name.
pub(crate) const fn is_named(parts: &[Part]) -> bool {
    let mut at = 0;
    while at < parts.len() {
        match parts[at] {
            Part::Attributes | Part::Name | Part::Atom => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && begins(a, b)
}

const fn begins(text: &str, with: &str) -> bool {
    let (text, with) = (text.as_bytes(), with.as_bytes());
    let mut at = 0;
    while at < with.len() {
        if at >= text.len() || text[at] != with[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// An argument as the word that it is.
pub(crate) trait Word {
    fn word(self) -> u64;
}

macro_rules! words {
    ($($type:ty)*) => {
        $(impl Word for $type {
            #[inline]
            fn word(self) -> u64 {
                self as u64
            }
        })*
    };
}

words! { u8 u16 u32 i32 u64 usize i64 }

impl<T> Word for *const T {
    #[inline]
    fn word(self) -> u64 {
        self as u64
    }
}

impl<T> Word for *mut T {
    #[inline]
    fn word(self) -> u64 {
        self as u64
    }
}

/// The arguments of a call that are told of.
#[derive(Clone, Copy, Default)]
pub(crate) struct Arguments {
    attributes: [u64; 2],
    name: u64,
    atom: u64,
    pub(super) bytes: u32,
    pub(super) access: u32,
    pub(super) id: u64,
    pub(super) code: Option<u32>,
    /// Whether the call can be given a name.
    pub(super) may_name: bool,
}

impl Arguments {
    /// Takes an argument.
    #[inline]
    pub(crate) fn take(&mut self, part: Part, word: u64) {
        self.may_name |= matches!(part, Part::Attributes | Part::Name | Part::Atom);
        match part {
            Part::None => {}
            Part::Attributes if self.attributes[0] == 0 => self.attributes[0] = word,
            Part::Attributes => self.attributes[1] = word,
            Part::Name => self.name = word,
            Part::Atom => self.atom = word,
            Part::Bytes => self.bytes = word as u32,
            Part::Access => self.access = word as u32,
            Part::Id => self.id = word,
            Part::Code => self.code = Some(word as u32),
        }
    }

    /// Copies the name out of the program's memory. `false` where there is none.
    pub(super) fn name(&self, to: &mut Name) -> bool {
        to.clear();
        if self.atom >= 0x1_0000 {
            return units(to, self.atom as *const u16, self.bytes as usize / 2);
        }
        if self.name != 0 {
            return string(to, self.name as *const UNICODE_STRING);
        }
        let mut all = self.attributes.into_iter();
        all.any(|attributes| attributes != 0 && of_attributes(to, attributes as *const _))
    }
}

fn of_attributes(to: &mut Name, attributes: *const OBJECT_ATTRIBUTES) -> bool {
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(attributes) } {
        Ok(given) if !given.ObjectName.is_null() => string(to, given.ObjectName),
        _ => false,
    }
}

pub(super) fn string(to: &mut Name, at: *const UNICODE_STRING) -> bool {
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(at) } {
        Ok(name) => units(to, name.Buffer, name.Length as usize / 2),
        Err(_) => false,
    }
}

fn units(to: &mut Name, from: *const u16, length: usize) -> bool {
    to.fill(length, |room| {
        // SAFETY: the target has the room's size; the source may be bad.
        unsafe { guard::copy(room.as_mut_ptr().cast(), from.cast(), size_of_val(room)) }.is_ok()
    });
    to.length() != 0
}
