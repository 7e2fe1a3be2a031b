//! Keys by NT's own calls, with handles that live over several operations:
//! `keys OPERATION [ ; OPERATION ]…`, `;` being an argument of its own. Prints
//! one JSON array, one answer for each with its NTSTATUS. `H` is any word that
//! names a handle; a key is a full NT path, or `H2:PATH` relative to a handle;
//! access is hexadecimal. `%USER%` stands for the user's own key.

mod tell;
mod watch;
mod whole;

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, hex, name_of, with_attributes};
use pinion_test_programs::{arguments, say, usage, wide};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::mpsc;
use std::time::Instant;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, KEY_READ, RegOpenKeyExW};

type Attributes = *const OBJECT_ATTRIBUTES;
type Text = *const UNICODE_STRING;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtOpenKey(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    fn NtOpenKeyEx(h: *mut HANDLE, access: u32, oa: Attributes, options: u32) -> NTSTATUS;
    fn NtCreateKey(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        title: u32,
        class: Text,
        options: u32,
        disposition: *mut u32,
    ) -> NTSTATUS;
    fn NtDeleteKey(h: HANDLE) -> NTSTATUS;
    fn NtRenameKey(h: HANDLE, name: Text) -> NTSTATUS;
    fn NtSetValueKey(
        h: HANDLE,
        name: Text,
        title: u32,
        kind: u32,
        data: *const c_void,
        size: u32,
    ) -> NTSTATUS;
    fn NtDeleteValueKey(h: HANDLE, name: Text) -> NTSTATUS;
    fn NtQueryValueKey(
        h: HANDLE,
        name: Text,
        class: i32,
        buffer: *mut c_void,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    fn NtEnumerateValueKey(
        h: HANDLE,
        index: u32,
        class: i32,
        buffer: *mut c_void,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    fn NtQueryKey(
        h: HANDLE,
        class: i32,
        buffer: *mut c_void,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    fn NtEnumerateKey(
        h: HANDLE,
        index: u32,
        class: i32,
        buffer: *mut c_void,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
}

#[derive(Default)]
struct Keys {
    open: HashMap<String, Handle>,
    events: HashMap<String, Handle>,
    waits: HashMap<String, mpsc::Receiver<NTSTATUS>>,
    user: String,
}

/// What NT's query calls fill.
struct Buffer {
    words: Vec<u64>,
    needed: u32,
}

impl Buffer {
    const BYTES: u32 = 0x4000;

    fn fill(call: impl FnOnce(*mut c_void, u32, *mut u32) -> NTSTATUS) -> (NTSTATUS, Self) {
        let mut buffer = Self {
            words: vec![0; Self::BYTES as usize / 8],
            needed: 0,
        };
        let status = call(
            buffer.words.as_mut_ptr().cast(),
            Self::BYTES,
            &raw mut buffer.needed,
        );
        (status, buffer)
    }

    fn bytes(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.bytes();
        u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }

    fn text(&self, length_at: usize, at: usize) -> String {
        let end = at + self.word(length_at) as usize;
        text(&self.bytes()[at..end])
    }
}

fn text(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

/// Runs `call` with `name` as NT wants it.
fn with_name<R>(name: &str, call: impl FnOnce(Text) -> R) -> R {
    let units: Vec<u16> = name.encode_utf16().collect();
    #[allow(clippy::cast_possible_truncation)]
    let bytes = (units.len() * 2) as u16;
    let string = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    };
    call(&raw const string)
}

fn main() {
    let mut keys = Keys {
        user: user_key(),
        ..Keys::default()
    };
    let arguments = arguments();
    let answers: Vec<Value> = arguments
        .split(|argument| argument == ";")
        .map(|operation| {
            let words: Vec<&str> = operation.iter().map(String::as_str).collect();
            let mut answer = keys.do_one(&words);
            answer["operation"] = json!(operation);
            answer
        })
        .collect();
    say(&json!(answers));
}

/// The NT path of the user's own key.
fn user_key() -> String {
    let mut key = null_mut();
    // SAFETY: the path ends in a zero, `key` is a local.
    let error = unsafe {
        RegOpenKeyExW(
            HKEY_CURRENT_USER,
            wide("Software").as_ptr(),
            0,
            KEY_READ,
            &raw mut key,
        )
    };
    assert_eq!(error, 0, "HKEY_CURRENT_USER cannot be opened");
    let name = name_of(&Handle(key)).expect("a key has a name");
    name.rsplit_once('\\')
        .map_or(String::new(), |(user, _)| user.to_owned())
}

fn told(status: NTSTATUS, value: Value) -> Value {
    json!({"status": hex(status), "value": value})
}

impl Keys {
    fn do_one(&mut self, words: &[&str]) -> Value {
        match *words {
            ["create", handle, key, access] => self.create(handle, key, access, 0),
            ["create", handle, key, access, "volatile"] => self.create(handle, key, access, 1),
            ["open", handle, key, access] => self.open(handle, key, access),
            ["open-ex", handle, key, access] => self.open_ex(handle, key, access),
            ["close", handle] => json!({"closed": self.open.remove(handle).is_some()}),
            ["set", handle, name, text] => told(self.set(handle, name, text), Value::Null),
            ["get", handle, name] => self.get(handle, name),
            ["unset", handle, name] => told(
                // SAFETY: the name lives over the call.
                with_name(name, |name| unsafe {
                    NtDeleteValueKey(self.key(handle), name)
                }),
                Value::Null,
            ),
            // SAFETY: takes only a handle.
            ["delete", handle] => told(unsafe { NtDeleteKey(self.key(handle)) }, Value::Null),
            ["rename", handle, name] => told(
                // SAFETY: the name lives over the call.
                with_name(name, |name| unsafe { NtRenameKey(self.key(handle), name) }),
                Value::Null,
            ),
            ["list", handle] => self.list(handle),
            ["values", handle] => self.values(handle),
            ["figures", handle] => self.figures(handle),
            ["names", handle] => self.names(handle),
            ["remove", key] => told(self.remove(key), Value::Null),
            ["time", key, access, times] => self.time(key, access, times),
            _ => self.do_other(words),
        }
    }

    fn do_other(&mut self, words: &[&str]) -> Value {
        let done = |status| told(status, Value::Null);
        match *words {
            ["watch", handle, event, filter, ref how @ ..] => {
                self.watch(handle, event, filter, how)
            }
            ["rung", event] => self.rung(event),
            ["wait", name, handle, filter, ref how @ ..] => self.wait(name, handle, filter, how),
            ["waited", name] => self.waited(name),
            ["info", handle, class, length] => self.info(handle, class, length),
            ["enum", handle, index, class, length] => self.enumerated(handle, index, class, length),
            ["value", handle, name, class, length] => self.value(handle, name, class, length),
            ["enum-value", handle, index, class, length] => {
                self.enumerated_value(handle, index, class, length)
            }
            ["multiple", handle] => self.multiple(handle),
            ["written", handle] => self.written(handle),
            ["security", handle] => self.security(handle),
            ["protect", handle, sddl] => done(self.protect(handle, sddl)),
            ["duplicate", new, handle] => self.duplicate(new, handle),
            ["link", handle, key, access] => self.create(handle, key, access, 2),
            ["open-link", handle, key, access] => self.open_link(handle, key, access),
            ["target", handle, path] => done(self.target(handle, path)),
            ["class", handle, key, access, class] => self.create_class(handle, key, access, class),
            ["transacted", key] => self.transacted(key),
            ["flush", handle] => done(self.flush(handle)),
            ["touch", handle] => done(self.touch(handle)),
            ["save", handle, file] => done(self.save(handle, file)),
            ["restore", handle, file] => done(self.restore(handle, file)),
            ["load", key, file] => done(self.load(key, file)),
            ["unload", key] => done(self.unload(key)),
            ["replace", handle, new, old] => done(self.replace(handle, new, old)),
            ["copy-out", file] => {
                json!({"value": std::fs::read_to_string(file).unwrap_or_default()})
            }
            ["privilege", name] => json!({"value": Self::privilege(name)}),
            _ => usage(
                "create H KEY ACCESS [volatile] | open H KEY ACCESS | open-ex H KEY ACCESS | close H | set H NAME TEXT | \
                 get H NAME | unset H NAME | delete H | rename H NAME | list H | values H | \
                 figures H | names H | remove KEY | time KEY ACCESS TIMES; \
                 and those of watch.rs, tell.rs, whole.rs",
            ),
        }
    }

    fn key(&self, handle: &str) -> HANDLE {
        self.open.get(handle).map_or(null_mut(), |handle| handle.0)
    }

    fn access(text: &str) -> u32 {
        u32::from_str_radix(text, 16).unwrap_or_else(|_| usage("access is hexadecimal"))
    }

    /// Runs `call` with the attributes of `key`.
    fn named<R>(&self, key: &str, call: impl FnOnce(Attributes) -> R) -> R {
        let key = key.replace("%USER%", &self.user);
        let (root, path) = match key.split_once(':') {
            Some((handle, path)) => (self.key(handle), path),
            None => (null_mut(), key.as_str()),
        };
        let units: Vec<u16> = path.encode_utf16().collect();
        with_attributes(root, &units, call)
    }

    fn keep(&mut self, handle: &str, opened: HANDLE) {
        self.open.insert(handle.to_owned(), Handle(opened));
    }

    fn create(&mut self, handle: &str, key: &str, access: &str, options: u32) -> Value {
        let (mut opened, mut disposition) = (null_mut(), 0);
        // SAFETY: the outputs are locals; the attributes live over the call.
        let status = self.named(key, |attributes| unsafe {
            NtCreateKey(
                &raw mut opened,
                Self::access(access),
                attributes,
                0,
                null(),
                options,
                &raw mut disposition,
            )
        });
        if status >= 0 {
            self.keep(handle, opened);
        }
        told(status, json!(disposition))
    }

    fn open(&mut self, handle: &str, key: &str, access: &str) -> Value {
        let mut opened = null_mut();
        // SAFETY: the output is a local; the attributes live over the call.
        let status = self.named(key, |attributes| unsafe {
            NtOpenKey(&raw mut opened, Self::access(access), attributes)
        });
        if status >= 0 {
            self.keep(handle, opened);
        }
        told(status, Value::Null)
    }

    /// By the call that takes options as well, here none.
    fn open_ex(&mut self, handle: &str, key: &str, access: &str) -> Value {
        let mut opened = null_mut();
        // SAFETY: the output is a local; the attributes live over the call.
        let status = self.named(key, |attributes| unsafe {
            NtOpenKeyEx(&raw mut opened, Self::access(access), attributes, 0)
        });
        if status >= 0 {
            self.keep(handle, opened);
        }
        told(status, Value::Null)
    }

    fn set(&self, handle: &str, name: &str, text: &str) -> NTSTATUS {
        const REG_SZ: u32 = 1;
        let data = wide(text);
        #[allow(clippy::cast_possible_truncation)]
        let size = (data.len() * 2) as u32;
        // SAFETY: name and data live over the call.
        with_name(name, |name| unsafe {
            NtSetValueKey(
                self.key(handle),
                name,
                0,
                REG_SZ,
                data.as_ptr().cast(),
                size,
            )
        })
    }

    /// `KeyValuePartialInformation`: title, type, length, data.
    fn get(&self, handle: &str, name: &str) -> Value {
        // SAFETY: the buffer is as long as told.
        let (status, buffer) = Buffer::fill(|data, length, needed| unsafe {
            with_name(name, |name| {
                NtQueryValueKey(self.key(handle), name, 2, data, length, needed)
            })
        });
        if status < 0 {
            return told(status, Value::Null);
        }
        told(status, json!(buffer.text(8, 12).trim_end_matches('\0')))
    }

    /// `KeyBasicInformation` of every subkey.
    fn list(&self, handle: &str) -> Value {
        let mut names = Vec::new();
        loop {
            #[allow(clippy::cast_possible_truncation)]
            let index = names.len() as u32;
            // SAFETY: the buffer is as long as told.
            let (status, buffer) = Buffer::fill(|data, length, needed| unsafe {
                NtEnumerateKey(self.key(handle), index, 0, data, length, needed)
            });
            if status < 0 {
                return told(status, json!(names));
            }
            names.push(buffer.text(12, 16));
        }
    }

    /// `KeyValueBasicInformation` of every value.
    fn values(&self, handle: &str) -> Value {
        let mut names = Vec::new();
        loop {
            #[allow(clippy::cast_possible_truncation)]
            let index = names.len() as u32;
            // SAFETY: the buffer is as long as told.
            let (status, buffer) = Buffer::fill(|data, length, needed| unsafe {
                NtEnumerateValueKey(self.key(handle), index, 0, data, length, needed)
            });
            if status < 0 {
                return told(status, json!(names));
            }
            names.push(buffer.text(8, 12));
        }
    }

    /// Subkeys, longest name of one in bytes, values, by `KeyFullInformation`
    /// and `KeyCachedInformation`.
    fn figures(&self, handle: &str) -> Value {
        let ask = |class| {
            // SAFETY: the buffer is as long as told.
            Buffer::fill(|data, length, needed| unsafe {
                NtQueryKey(self.key(handle), class, data, length, needed)
            })
        };
        let (status, full) = ask(2);
        let (_, cached) = ask(4);
        told(
            status,
            json!([
                [full.word(20), full.word(24), full.word(32)],
                [cached.word(12), cached.word(16), cached.word(20)],
            ]),
        )
    }

    /// By `NtQueryObject`, by `KeyNameInformation`, by `KeyBasicInformation`.
    fn names(&self, handle: &str) -> Value {
        let key = self.key(handle);
        let ask = |class, length_at, at| {
            // SAFETY: the buffer is as long as told.
            let (status, buffer) = Buffer::fill(|data, length, needed| unsafe {
                NtQueryKey(key, class, data, length, needed)
            });
            if status < 0 {
                hex(status)
            } else {
                buffer.text(length_at, at)
            }
        };
        let object = self
            .open
            .get(handle)
            .map_or_else(String::new, |handle| name_of(handle).unwrap_or_else(hex));
        json!([object, ask(3, 0, 4), ask(0, 12, 16)])
            .as_array()
            .map_or_else(
                || Value::Null,
                |names| json!({"status": hex(0), "value": names}),
            )
    }

    /// Deletes a key and all below it.
    fn remove(&mut self, key: &str) -> NTSTATUS {
        const KEY_ALL_ACCESS: &str = "f003f";
        let handle = format!("remove {key}");
        let opened = self.open_link(&handle, key, KEY_ALL_ACCESS);
        if opened["status"] != hex(0) {
            return -1;
        }
        let listed = self.list(&handle);
        for name in listed["value"].as_array().into_iter().flatten() {
            self.remove(&format!("{key}\\{}", name.as_str().unwrap_or_default()));
        }
        // SAFETY: takes only a handle.
        let status = unsafe { NtDeleteKey(self.key(&handle)) };
        self.open.remove(&handle);
        status
    }

    /// The least time of an open and close, in nanoseconds.
    fn time(&self, key: &str, access: &str, times: &str) -> Value {
        let (access, times) = (Self::access(access), times.parse().unwrap_or(1000));
        let mut least = u128::MAX;
        for _ in 0..times {
            let mut opened = null_mut();
            let start = Instant::now();
            // SAFETY: the output is a local; the attributes live over the call.
            let status = self.named(key, |attributes| unsafe {
                NtOpenKey(&raw mut opened, access, attributes)
            });
            if status < 0 {
                return told(status, Value::Null);
            }
            // SAFETY: the handle was just opened.
            unsafe { CloseHandle(opened) };
            least = least.min(start.elapsed().as_nanos());
        }
        #[allow(clippy::cast_possible_truncation)]
        told(0, json!(least as u64))
    }
}
