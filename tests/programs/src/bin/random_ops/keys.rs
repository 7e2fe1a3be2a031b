//! Operations on keys: a few open handles, and calls by name.

use super::chance::Chance;
use super::nt::{
    Buffer, NtCreateKey, NtDeleteKey, NtDeleteValueKey, NtEnumerateKey, NtEnumerateValueKey,
    NtFlushKey, NtOpenKeyEx, NtQueryKey, NtQueryValueKey, NtRenameKey, NtSetValueKey, Owned,
    content, hex, string,
};
use super::paths;
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::with_attributes;
use pinion_test_programs::wide;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, KEY_ALL_ACCESS, RegCloseKey, RegCopyTreeW, RegCreateKeyExW,
    RegDeleteKeyW, RegDeleteTreeW, RegOpenKeyExW,
};

/// How many handles are kept open.
const SLOTS: usize = 4;

/// `KEY_READ`, `KEY_WRITE`, `KEY_ALL_ACCESS`, and less.
const ACCESS: &[(u32, u32)] = &[
    (5, 0x2_0019),
    (3, 0x2_0006),
    (8, 0xf_003f),
    (2, 0x200_0000),
    (1, 0x1),
    (1, 0x2),
    (1, 0x8),
    (1, 0x1_0000),
];

/// The data of a value of this kind: a string ends with a zero. `RegCopyTree` takes
/// one that does not for longer where by chance a zero is behind it in memory.
pub fn of_kind(kind: u32, mut data: Vec<u8>) -> Vec<u8> {
    /// `REG_SZ`, `REG_EXPAND_SZ`, `REG_MULTI_SZ` (winnt.h).
    const STRINGS: [u32; 3] = [1, 2, 7];
    if let Some(end) = data.last_chunk_mut::<2>()
        && STRINGS.contains(&kind)
    {
        *end = [0; 2];
    }
    data
}

/// The end of the path of a volatile key.
const PASSING: &str = "\\passing";

/// The state of one process.
pub struct Keys {
    /// `\Registry\…` without an end.
    name: String,
    root: HKEY,
    slots: [Option<(Owned, String)>; SLOTS],
}

type Act = fn(&mut Keys, &mut Chance) -> String;

const ACTS: &[(u32, Act)] = &[
    (16, Keys::create),
    (14, Keys::open),
    (5, Keys::close),
    (18, Keys::set),
    (8, Keys::query_value),
    (6, Keys::delete_value),
    (8, Keys::values),
    (8, Keys::subkeys),
    (8, Keys::query),
    (6, Keys::delete),
    (4, Keys::delete_by_name),
    (2, Keys::delete_tree),
    (3, Keys::rename),
    (2, Keys::copy_tree),
    (1, Keys::flush),
];

impl Keys {
    /// No handle is open but that of `key`, below `HKEY_CURRENT_USER`.
    pub fn new(key: &str) -> Self {
        let root = open_or_make(key);
        Self {
            name: name_of(root),
            root,
            slots: [const { None }; SLOTS],
        }
    }

    /// Any operation; what it was and what was answered.
    pub fn act(&mut self, chance: &mut Chance) -> String {
        let act = chance.weighed(ACTS);
        act(self, chance)
    }

    /// Where `path` is looked up from, and the name there: absolute, or relative
    /// to a handle.
    fn place(&self, chance: &mut Chance, path: &str) -> (HANDLE, String, &'static str) {
        match chance.below(3) {
            0 => (null_mut(), format!("{}\\{path}", self.name), "absolute"),
            1 => (self.root, path.to_owned(), "relative"),
            _ => match self.any(chance) {
                Some((_, (handle, _))) => (handle.0, path.to_owned(), "below a handle"),
                None => (self.root, path.to_owned(), "relative"),
            },
        }
    }

    fn any(&self, chance: &mut Chance) -> Option<(usize, &(Owned, String))> {
        let at = chance.below(SLOTS as u32) as usize;
        let turned = (0..SLOTS).map(|step| (at + step) % SLOTS);
        turned
            .filter_map(|at| Some((at, self.slots[at].as_ref()?)))
            .next()
    }

    fn with_any(
        &self,
        chance: &mut Chance,
        words: &str,
        work: impl FnOnce(&mut Chance, HANDLE) -> String,
    ) -> String {
        match self.any(chance) {
            Some((at, (handle, path))) => {
                let told = work(chance, handle.0);
                format!("key {words} {at} ({path:?}): {told}")
            }
            None => format!("key {words}: no handle"),
        }
    }

    fn create(&mut self, chance: &mut Chance) -> String {
        let mut path = paths::key(chance);
        let access = chance.weighed(ACCESS);
        // Volatile only what has no subkeys: Wine lets a lasting key be made below
        // a volatile one that is named from further above, which NT and a VM refuse.
        let volatile = chance.percent(8);
        if volatile {
            path.push_str(PASSING);
        }
        let options = u32::from(volatile);
        let (root, name, how) = self.place(chance, &path);
        let units: Vec<u16> = name.encode_utf16().collect();
        // No class: a key that is there keeps its own in NT and in a VM, while Wine
        // gives it that of the create.
        let (mut key, mut disposition) = (null_mut(), 0);
        // SAFETY: all pointers are to locals that outlive the call.
        let status = with_attributes(root, &units, |attributes| unsafe {
            NtCreateKey(
                &raw mut key,
                access,
                attributes,
                0,
                null(),
                options,
                &raw mut disposition,
            )
        });
        self.keep(chance, status, key, &path);
        let disposition = if status >= 0 { disposition } else { 0 };
        format!(
            "key create {path:?} {how} access {access:x} options {options}: {} {disposition}",
            hex(status)
        )
    }

    fn open(&mut self, chance: &mut Chance) -> String {
        let path = if chance.percent(15) {
            String::new()
        } else {
            paths::key(chance)
        };
        let access = chance.weighed(ACCESS);
        let (root, name, how) = self.place(chance, &path);
        let name = if path.is_empty() {
            name.trim_end_matches('\\').to_owned()
        } else {
            name
        };
        let units: Vec<u16> = name.encode_utf16().collect();
        let mut key = null_mut();
        // SAFETY: all pointers are to locals that outlive the call.
        let status = with_attributes(root, &units, |attributes| unsafe {
            NtOpenKeyEx(&raw mut key, access, attributes, 0)
        });
        self.keep(chance, status, key, &path);
        format!("key open {path:?} {how} access {access:x}: {}", hex(status))
    }

    fn keep(&mut self, chance: &mut Chance, status: NTSTATUS, key: HANDLE, path: &str) {
        let at = chance.below(SLOTS as u32) as usize;
        if status >= 0 {
            self.slots[at] = Some((Owned(key), path.to_lowercase()));
        }
    }

    fn close(&mut self, chance: &mut Chance) -> String {
        let at = self.any(chance).map(|(at, _)| at);
        if let Some(at) = at {
            self.slots[at] = None;
        }
        format!("key close {at:?}")
    }

    fn set(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "set value of", |chance, key| {
            let name = paths::value(chance);
            let length = *chance.one(&[0, 1, 4, 8, 30, 64, 3000]);
            let kind = *chance.one(&[1, 2, 3, 4, 7, 11, 0]);
            let data = of_kind(kind, chance.bytes(length));
            let units: Vec<u16> = name.encode_utf16().collect();
            // SAFETY: the name and the data outlive the call.
            let status = unsafe {
                NtSetValueKey(
                    key,
                    &string(&units),
                    0,
                    kind,
                    data.as_ptr(),
                    data.len() as u32,
                )
            };
            format!("{name:?} type {kind} of {length}: {}", hex(status))
        })
    }

    fn query_value(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "query value of", |chance, key| {
            let (name, class) = (paths::value(chance), chance.below(4));
            let units: Vec<u16> = name.encode_utf16().collect();
            let mut buffer = Buffer::new(*chance.one(&[4096, 4096, 4, 12, 30]));
            let mut needed = 0;
            // SAFETY: the buffer is as long as told.
            let status = unsafe {
                NtQueryValueKey(
                    key,
                    &string(&units),
                    class,
                    buffer.pointer(),
                    buffer.length(),
                    &raw mut needed,
                )
            };
            format!(
                "{name:?} class {class} in {}: {}",
                buffer.length(),
                answer(status, needed, &buffer)
            )
        })
    }

    fn delete_value(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "delete value of", |chance, key| {
            let name = paths::value(chance);
            let units: Vec<u16> = name.encode_utf16().collect();
            // SAFETY: the name outlives the call.
            let status = unsafe { NtDeleteValueKey(key, &string(&units)) };
            format!("{name:?}: {}", hex(status))
        })
    }

    fn values(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "values of", |_, key| values(key))
    }

    fn subkeys(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "subkeys of", |_, key| subkeys(key).join(" "))
    }

    fn query(&mut self, chance: &mut Chance) -> String {
        let own = self.name.clone();
        self.with_any(chance, "query", |chance, key| {
            // Basic, node, full, name, cached, flags, handle tags, bad.
            let class = *chance.one(&[0, 1, 2, 2, 3, 4, 5, 99]);
            let mut buffer = Buffer::new(*chance.one(&[1024, 1024, 20, 4]));
            let mut needed = 0;
            // SAFETY: the buffer is as long as told.
            let status = unsafe {
                NtQueryKey(
                    key,
                    class,
                    buffer.pointer(),
                    buffer.length(),
                    &raw mut needed,
                )
            };
            let told = if status == 0 {
                query_told(class, &buffer, &own)
            } else {
                String::new()
            };
            // The length of a name tells where the key lies.
            let needed = if class == 3 { 0 } else { needed };
            format!(
                "class {class} in {}: {} needs {needed} {told}",
                buffer.length(),
                hex(status)
            )
        })
    }

    fn delete(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "delete", |_, key| {
            if name_of(key) == self.name {
                return "the first key stays".into();
            }
            // SAFETY: plain call.
            hex(unsafe { NtDeleteKey(key) })
        })
    }

    fn delete_by_name(&mut self, chance: &mut Chance) -> String {
        let path = paths::key(chance);
        // SAFETY: the path ends in a zero.
        let error = unsafe { RegDeleteKeyW(self.root, wide(&path).as_ptr()) };
        format!("key delete {path:?}: error {error}")
    }

    fn delete_tree(&mut self, chance: &mut Chance) -> String {
        let path = paths::key(chance);
        // SAFETY: the path ends in a zero.
        let error = unsafe { RegDeleteTreeW(self.root, wide(&path).as_ptr()) };
        format!("key delete tree {path:?}: error {error}")
    }

    fn rename(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "rename", |chance, key| {
            let (now, name) = (name_of(key), paths::new_name(chance, true));
            if now == self.name || now.ends_with(PASSING) || stays_in_place(&now, &name) {
                return format!("to {name:?}: not tried");
            }
            let units: Vec<u16> = name.encode_utf16().collect();
            // SAFETY: the name outlives the call.
            let status = unsafe { NtRenameKey(key, &string(&units)) };
            format!("to {name:?}: {}", hex(status))
        })
    }

    fn copy_tree(&mut self, chance: &mut Chance) -> String {
        let (from, to) = (paths::key(chance), paths::key(chance));
        if from.to_lowercase() == to.to_lowercase()
            || to.to_lowercase().starts_with(&from.to_lowercase())
        {
            return "key copy into itself".into();
        }
        // SAFETY: the path ends in a zero; the key is closed once.
        let error = unsafe {
            let mut target = null_mut();
            match RegOpenKeyExW(
                self.root,
                wide(&to).as_ptr(),
                0,
                KEY_ALL_ACCESS,
                &raw mut target,
            ) {
                0 => {
                    let error = RegCopyTreeW(self.root, wide(&from).as_ptr(), target);
                    RegCloseKey(target);
                    error
                }
                error => error,
            }
        };
        format!("key copy {from:?} to {to:?}: error {error}")
    }

    fn flush(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "flush", |_, key| {
            // SAFETY: plain call.
            hex(unsafe { NtFlushKey(key) })
        })
    }
}

/// Whether the key of the kernel's name `now` would have the same place among its
/// siblings under the name `new`, behind which it has a neighbour or none: then
/// Wine's server writes over the neighbour, or past the end of its list, and
/// ends sooner or later, on the host as well (observed on Wine 8 and 10).
fn stays_in_place(now: &str, new: &str) -> bool {
    const KEY_ENUMERATE_SUB_KEYS: u32 = 8;
    let Some((parent, old)) = now.rsplit_once('\\') else {
        return false;
    };
    let units: Vec<u16> = parent.encode_utf16().collect();
    let mut key = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(null_mut(), &units, |attributes| unsafe {
        NtOpenKeyEx(&raw mut key, KEY_ENUMERATE_SUB_KEYS, attributes, 0)
    });
    if status < 0 {
        return false;
    }
    let key = Owned(key);
    let mut names = subkeys(key.0);
    names.pop();
    let place = |name: &str| {
        let before = |other: &&String| other.to_lowercase() < name.to_lowercase();
        names.iter().filter(before).count()
    };
    place(new) == place(old) + 1
}

/// The kernel's name of the key; empty when it has none any more.
fn name_of(key: HANDLE) -> String {
    const KEY_NAME_INFORMATION: u32 = 3;
    let mut buffer = Buffer::new(1024);
    let mut needed = 0;
    // SAFETY: the buffer is as long as told.
    unsafe {
        NtQueryKey(
            key,
            KEY_NAME_INFORMATION,
            buffer.pointer(),
            buffer.length(),
            &raw mut needed,
        )
    };
    let length = usize::try_from(buffer.number::<4>(0)).unwrap_or(0);
    buffer.text(4, length)
}

/// Opens the key below `HKEY_CURRENT_USER`, or makes it.
pub fn open_or_make(key: &str) -> HKEY {
    let mut root = null_mut();
    // SAFETY: the path ends in a zero; the others may be null.
    let error = unsafe {
        RegCreateKeyExW(
            HKEY_CURRENT_USER,
            wide(key).as_ptr(),
            0,
            null(),
            0,
            KEY_ALL_ACCESS,
            null(),
            &raw mut root,
            null_mut(),
        )
    };
    assert_eq!(error, 0, "the key {key}");
    root
}

/// A status, and what a query of a value filled in.
fn answer(status: NTSTATUS, needed: u32, buffer: &Buffer) -> String {
    let length = (needed as usize).min(buffer.bytes().len());
    let filled = match status {
        0 => content(&buffer.bytes()[..length]),
        _ => String::new(),
    };
    format!("{} needs {needed} {filled}", hex(status))
}

fn query_told(class: u32, buffer: &Buffer, own: &str) -> String {
    let text = |length: usize, at| {
        let length = usize::try_from(buffer.number::<4>(length)).unwrap_or(0);
        buffer.text(at, length)
    };
    match class {
        0 => text(12, 16),
        1 => format!("{} {}", text(20, 24), buffer.number::<4>(16)),
        // Subkeys, longest name and class, values, longest name and data.
        2 => {
            let numbers = [20, 24, 28, 32, 36, 40].map(|at| buffer.number::<4>(at));
            format!("{numbers:?} class {}", text(16, 44))
        }
        3 => text(0, 4).replacen(own, "@", 1),
        4 => {
            let numbers = [12, 16, 20, 24, 28, 32].map(|at| buffer.number::<4>(at));
            format!("{numbers:?}")
        }
        _ => String::new(),
    }
}

/// All values: name, type, data.
pub fn values(key: HANDLE) -> String {
    const KEY_VALUE_FULL_INFORMATION: u32 = 1;
    let mut told = String::new();
    for index in 0..200 {
        let mut buffer = Buffer::new(8192);
        let mut needed = 0;
        // SAFETY: the buffer is as long as told.
        let status = unsafe {
            NtEnumerateValueKey(
                key,
                index,
                KEY_VALUE_FULL_INFORMATION,
                buffer.pointer(),
                buffer.length(),
                &raw mut needed,
            )
        };
        if status != 0 {
            return format!("{told}{}", hex(status));
        }
        let number = |at| usize::try_from(buffer.number::<4>(at)).unwrap_or(0);
        let (offset, length) = (number(8), number(12));
        let data = buffer.bytes().get(offset..offset + length).unwrap_or(&[]);
        told += &format!(
            "{:?}={}:{length}{} ",
            buffer.text(20, number(16)),
            number(4),
            content(data)
        );
    }
    told + "without end"
}

/// The names of all subkeys, and last the status that ended the list.
pub fn subkeys(key: HANDLE) -> Vec<String> {
    const KEY_BASIC_INFORMATION: u32 = 0;
    let mut told = Vec::new();
    for index in 0..500 {
        let mut buffer = Buffer::new(1024);
        let mut needed = 0;
        // SAFETY: the buffer is as long as told.
        let status = unsafe {
            NtEnumerateKey(
                key,
                index,
                KEY_BASIC_INFORMATION,
                buffer.pointer(),
                buffer.length(),
                &raw mut needed,
            )
        };
        if status != 0 {
            told.push(hex(status));
            return told;
        }
        let length = usize::try_from(buffer.number::<4>(12)).unwrap_or(0);
        told.push(buffer.text(16, length));
    }
    told
}
