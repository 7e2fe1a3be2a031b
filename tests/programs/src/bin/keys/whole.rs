//! Links, whole hives, privileges, transactions.

use crate::{Attributes, Keys, NtCreateKey, NtSetValueKey, Text, told, with_name};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, with_attributes};
use pinion_test_programs::wide;
use serde_json::Value;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtOpenKeyEx(h: *mut HANDLE, access: u32, oa: Attributes, options: u32) -> NTSTATUS;
    fn NtOpenKeyTransacted(h: *mut HANDLE, access: u32, oa: Attributes, t: HANDLE) -> NTSTATUS;
    fn NtCreateKeyTransacted(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        title: u32,
        class: Text,
        options: u32,
        transaction: HANDLE,
        disposition: *mut u32,
    ) -> NTSTATUS;
    fn NtFlushKey(h: HANDLE) -> NTSTATUS;
    fn NtSaveKey(h: HANDLE, file: HANDLE) -> NTSTATUS;
    fn NtRestoreKey(h: HANDLE, file: HANDLE, flags: u32) -> NTSTATUS;
    fn NtLoadKey(target: Attributes, file: Attributes) -> NTSTATUS;
    fn NtUnloadKey(target: Attributes) -> NTSTATUS;
    fn NtReplaceKey(new: Attributes, h: HANDLE, old: Attributes) -> NTSTATUS;
    fn NtSetInformationKey(h: HANDLE, class: i32, data: *const c_void, length: u32) -> NTSTATUS;
}

const OPEN_LINK: u32 = 8;
const REG_LINK: u32 = 6;

impl Keys {
    /// `open-link H KEY ACCESS`: a link itself.
    pub fn open_link(&mut self, handle: &str, key: &str, access: &str) -> Value {
        let mut opened = null_mut();
        let access = Self::access(access);
        let status = self.named(key, |attributes| {
            // SAFETY: the caller's attributes live over the call.
            let mut own = unsafe { *attributes };
            own.Attributes |= 0x100;
            // SAFETY: the output is a local; the attributes live over the call.
            unsafe { NtOpenKeyEx(&raw mut opened, access, &raw const own, OPEN_LINK) }
        });
        if status >= 0 {
            self.keep(handle, opened);
        }
        told(status, Value::Null)
    }

    /// `target H PATH`: sets what a link points at.
    pub fn target(&self, handle: &str, path: &str) -> NTSTATUS {
        let path = path.replace("%USER%", &self.user);
        let units: Vec<u16> = path.encode_utf16().collect();
        #[allow(clippy::cast_possible_truncation)]
        let size = (units.len() * 2) as u32;
        // SAFETY: name and data live over the call.
        with_name("SymbolicLinkValue", |name| unsafe {
            NtSetValueKey(
                self.key(handle),
                name,
                0,
                REG_LINK,
                units.as_ptr().cast(),
                size,
            )
        })
    }

    /// `class H KEY ACCESS CLASS`: makes a key of that class.
    pub fn create_class(&mut self, handle: &str, key: &str, access: &str, class: &str) -> Value {
        let mut opened = null_mut();
        let access = Self::access(access);
        let status = with_name(class, |class| {
            // SAFETY: the outputs are locals; attributes and class live over
            // the call.
            self.named(key, |attributes| unsafe {
                NtCreateKey(&raw mut opened, access, attributes, 0, class, 0, null_mut())
            })
        });
        if status >= 0 {
            self.keep(handle, opened);
        }
        told(status, Value::Null)
    }

    /// `transacted KEY`: opens and makes it in a transaction that is none.
    pub fn transacted(&self, key: &str) -> Value {
        let (mut opened, mut made) = (null_mut(), null_mut());
        let transaction = 4 as HANDLE;
        // SAFETY: the outputs are locals; the attributes live over the call.
        let (open, create) = self.named(key, |attributes| unsafe {
            (
                NtOpenKeyTransacted(&raw mut opened, 0x2_0019, attributes, transaction),
                NtCreateKeyTransacted(
                    &raw mut made,
                    0xF_003F,
                    attributes,
                    0,
                    null(),
                    0,
                    transaction,
                    null_mut(),
                ),
            )
        });
        drop((open >= 0).then_some(Handle(opened)));
        drop((create >= 0).then_some(Handle(made)));
        told(open, pinion_test_programs::nt::hex(create).into())
    }

    /// `flush H`.
    pub fn flush(&self, handle: &str) -> NTSTATUS {
        // SAFETY: takes only a handle.
        unsafe { NtFlushKey(self.key(handle)) }
    }

    /// `touch H`: sets the last write to a time of long ago.
    pub fn touch(&self, handle: &str) -> NTSTATUS {
        let time = 1_i64 << 56;
        // SAFETY: the time is a local of the size told.
        unsafe { NtSetInformationKey(self.key(handle), 0, (&raw const time).cast(), 8) }
    }

    /// `save H FILE`: into a new file.
    pub fn save(&self, handle: &str, file: &str) -> NTSTATUS {
        let Ok(file) = std::fs::File::create(file) else {
            return -1;
        };
        // SAFETY: takes only handles.
        unsafe { NtSaveKey(self.key(handle), raw(&file)) }
    }

    /// `restore H FILE`.
    pub fn restore(&self, handle: &str, file: &str) -> NTSTATUS {
        let Ok(file) = std::fs::File::open(file) else {
            return -1;
        };
        // SAFETY: takes only handles.
        unsafe { NtRestoreKey(self.key(handle), raw(&file), 0) }
    }

    /// `load KEY FILE`.
    pub fn load(&self, key: &str, file: &str) -> NTSTATUS {
        self.named(key, |target| {
            // SAFETY: the attributes live over the call.
            with_file(file, |file| unsafe { NtLoadKey(target, file) })
        })
    }

    /// `unload KEY`.
    pub fn unload(&self, key: &str) -> NTSTATUS {
        // SAFETY: the attributes live over the call.
        self.named(key, |target| unsafe { NtUnloadKey(target) })
    }

    /// `replace H NEW OLD`: the file of a hive.
    pub fn replace(&self, handle: &str, new: &str, old: &str) -> NTSTATUS {
        with_file(new, |new| {
            // SAFETY: the attributes live over the call.
            with_file(old, |old| unsafe {
                NtReplaceKey(new, self.key(handle), old)
            })
        })
    }

    /// `privilege NAME`: takes it up, such as `SeBackupPrivilege`.
    pub fn privilege(name: &str) -> bool {
        let mut token = null_mut();
        let mut privileges = TOKEN_PRIVILEGES {
            PrivilegeCount: 1,
            Privileges: [LUID_AND_ATTRIBUTES {
                // SAFETY: two numbers.
                Luid: unsafe { core::mem::zeroed() },
                Attributes: SE_PRIVILEGE_ENABLED,
            }],
        };
        // SAFETY: the outputs are locals; the name ends in a zero.
        unsafe {
            OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &raw mut token);
            let token = Handle(token);
            LookupPrivilegeValueW(
                null(),
                wide(name).as_ptr(),
                &raw mut privileges.Privileges[0].Luid,
            );
            AdjustTokenPrivileges(token.0, 0, &raw const privileges, 0, null_mut(), null_mut()) != 0
        }
    }
}

fn raw(file: &std::fs::File) -> HANDLE {
    use std::os::windows::io::AsRawHandle;
    file.as_raw_handle()
}

fn with_file<R>(file: &str, call: impl FnOnce(Attributes) -> R) -> R {
    let units: Vec<u16> = format!(r"\??\{file}").encode_utf16().collect();
    with_attributes(null_mut(), &units, call)
}
