//! What a call's arguments are to a record: which of them names something, and the name
//! itself, copied out of the program's memory.

use crate::guard;
use core::net::SocketAddr;
use pinion_names::socket::{self, INET6_LENGTH};
use pinion_nt::{OBJECT_ATTRIBUTES, UNICODE_STRING};
use pinion_wire::trace::Name;

/// Controls that are told: a pipe that is waited for, a link that is refused, a socket's
/// bind and connect (`calls::pipes`, `calls::sockets`).
const CODES: [u32; 5] = [PIPE_WAIT, 0x0009_00a4, BIND, CONNECT, WINDOWS_CONNECT];
const PIPE_WAIT: u32 = 0x0011_0018;
const BIND: u32 = 0x12003;
const CONNECT: u32 = 0x12_032c;
const WINDOWS_CONNECT: u32 = 0x12007;

/// Classes of files' information that are told: `FileRenameInformation` and
/// `FileLinkInformation`, `FileDispositionInformation`, and their newer forms (ntifs.h).
const NEW_NAMES: [u32; 4] = [10, 65, 11, 72];
const DISPOSITIONS: [u32; 2] = [13, 64];

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
    Input,
    InputSize,
    Object,
    Handle,
    FileClass,
    FileBuffer,
}

/// What the argument of this name and type is.
pub(crate) const fn part(argument: &str, of: &str) -> Part {
    if same(of, "Attributes") {
        return Part::Attributes;
    }
    if same(of, "Name") && same(argument, "name") {
        return Part::Name;
    }
    if same(of, "Handles") && same(argument, "handle") {
        return Part::Handle;
    }
    if same(of, "Changed") {
        return Part::Object;
    }
    if same(of, "FileClass") {
        return Part::FileClass;
    }
    if same(of, "FileBuffer") {
        return Part::FileBuffer;
    }
    if same(argument, "input") {
        return Part::Input;
    }
    if same(argument, "input_size") {
        return Part::InputSize;
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
            Part::Attributes | Part::Name | Part::Atom | Part::Id | Part::Code | Part::Object => {
                return true;
            }
            _ => {}
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
            Part::Attributes | Part::Name | Part::Atom | Part::Code | Part::FileClass => {
                return true;
            }
            _ => {}
        }
        at += 1;
    }
    false
}

pub(super) const fn same(a: &str, b: &str) -> bool {
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
    input: u64,
    input_size: u32,
    /// Where the handle is put that the call makes.
    pub(super) handle: u64,
    /// What the call changes by its handle.
    pub(super) object: u64,
    pub(super) file_class: Option<u32>,
    file_buffer: u64,
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
            Part::Input => self.input = word,
            Part::InputSize => self.input_size = word as u32,
            Part::Object => self.object = word,
            Part::Handle => self.handle = word,
            Part::FileClass => self.file_class = Some(word as u32),
            Part::FileBuffer => self.file_buffer = word,
        }
    }

    /// Whether the call is one of those that are told, of a kind that many others are of.
    pub(super) fn is_told(&self) -> bool {
        self.code.is_none_or(|code| CODES.contains(&code))
            && self
                .file_class
                .is_none_or(|class| NEW_NAMES.contains(&class) || DISPOSITIONS.contains(&class))
    }

    /// Whether the call is of a kind that is given a name: a deletion by a handle is not.
    pub(super) fn is_of_name(&self) -> bool {
        self.file_class
            .is_none_or(|class| NEW_NAMES.contains(&class))
    }

    /// The address in a socket's bind or connect.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        let at = match self.code? {
            BIND => 4,
            CONNECT => 8,
            WINDOWS_CONNECT => 24,
            _ => return None,
        };
        let mut bytes = [0_u8; INET6_LENGTH];
        let size = (self.input_size as usize)
            .saturating_sub(at)
            .min(bytes.len());
        let from = (self.input as *const u8).wrapping_add(at);
        // SAFETY: the target has `size` bytes; the source may be bad.
        unsafe { guard::copy(bytes.as_mut_ptr().cast(), from.cast(), size) }.ok()?;
        let bytes = bytes.get(..size)?;
        let ip = socket::ip(bytes)?.to_canonical();
        Some(SocketAddr::new(ip, socket::port(bytes)?))
    }

    /// The name of the pipe that is waited for: its length in bytes is at 8, the name at 14
    /// (`FILE_PIPE_WAIT_FOR_BUFFER`, ntifs.h).
    fn waited_for(&self, to: &mut Name) -> bool {
        let at = |offset: usize| (self.input as *const u8).wrapping_add(offset);
        // SAFETY: plain data; a bad pointer is a return value.
        match unsafe { guard::read(at(8).cast::<u32>()) } {
            Ok(length) if self.input_size > 14 => units(to, at(14).cast(), length as usize / 2),
            _ => false,
        }
    }

    /// The name that a file is to have: its length in bytes is at 16, the name at 20
    /// (`FILE_RENAME_INFORMATION` and `FILE_LINK_INFORMATION`, ntifs.h).
    fn new_name(&self, to: &mut Name) -> bool {
        let at = |offset: usize| (self.file_buffer as *const u8).wrapping_add(offset);
        // SAFETY: plain data; a bad pointer is a return value.
        match unsafe { guard::read(at(16).cast::<u32>()) } {
            Ok(length) => units(to, at(20).cast(), length as usize / 2),
            Err(_) => false,
        }
    }

    /// Copies the name out of the program's memory. `false` where there is none.
    pub(super) fn name(&self, to: &mut Name) -> bool {
        to.clear();
        if self.code == Some(PIPE_WAIT) {
            return self.waited_for(to);
        }
        if let Some(class) = self.file_class {
            return NEW_NAMES.contains(&class) && self.new_name(to);
        }
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
