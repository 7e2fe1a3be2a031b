//! Files and keys by their Win32 functions: `files_keys OPERATION [ ; OPERATION ]…`
//! with `;` as an argument of its own. Prints one JSON array, one answer for
//! each operation with its Win32 error. See `do_one` for the operations.

use core::ptr::{null, null_mut};
use pinion_test_programs::{arguments, last_error, say, usage, wide};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::time::Duration;
use windows_sys::Win32::Foundation::{ERROR_NO_MORE_ITEMS, GetLastError, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, SetFileSecurityW};
use windows_sys::Win32::Storage::FileSystem::{
    DDD_RAW_TARGET_PATH, DDD_REMOVE_DEFINITION, DefineDosDeviceW, FILE_ATTRIBUTE_READONLY,
    FILE_BASIC_INFO, FileBasicInfo, FindClose, FindFirstFileW, GetLogicalDrives, QueryDosDeviceW,
    SetFileAttributesW, SetFileInformationByHandle, WIN32_FIND_DATAW,
};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CLASSES_ROOT, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_USERS, KEY_ALL_ACCESS,
    KEY_READ, REG_SZ, RegCloseKey, RegCreateKeyExW, RegDeleteKeyExW, RegDeleteValueW,
    RegEnumKeyExW, RegOpenKeyExW, RegQueryValueExW, RegSetValueExW,
};

fn main() {
    let arguments = arguments();
    let answers: Vec<Value> = arguments
        .split(|argument| argument == ";")
        .map(|operation| {
            let words: Vec<&str> = operation.iter().map(String::as_str).collect();
            let mut answer = do_one(&words);
            answer["operation"] = json!(operation);
            answer
        })
        .collect();
    say(&json!(answers));
}

fn do_one(words: &[&str]) -> Value {
    match *words {
        ["file-read", path] => told(fs::read(path).map(|b| json!(String::from_utf8_lossy(&b)))),
        ["file-write", path, text] => done(fs::write(path, text)),
        ["file-append", path, text] => done(append(path, text)),
        ["file-fill", path] => done(fill(path)),
        ["file-delete", path] => done(fs::remove_file(path)),
        ["file-rename", from, to] => done(fs::rename(from, to)),
        ["file-link", from, to] => done(fs::hard_link(from, to)),
        ["file-copy", from, to] => told(fs::copy(from, to).map(|n| json!(n))),
        ["file-stat", path] => told(fs::metadata(path).map(|m| {
            json!({"length": m.len(), "folder": m.is_dir(), "readonly": m.permissions().readonly()})
        })),
        ["file-touch-as-reader", path] => answered(touch_as_reader(path)),
        ["file-hold", path, seconds] => done(hold(path, seconds)),
        ["file-mark", path, attributes] => answered(mark(path, attributes)),
        ["file-marks", path] => told(
            fs::metadata(path).map(|m| json!(std::os::windows::fs::MetadataExt::file_attributes(&m))),
        ),
        ["file-rights", path, rights] => answered(give_rights(path, rights)),
        ["device-define", name, target] => answered(define(0, name, Some(target))),
        ["device-raw", name, target] => answered(define(DDD_RAW_TARGET_PATH, name, Some(target))),
        ["device-drop", name] => answered(define(DDD_REMOVE_DEFINITION, name, None)),
        ["device-query", name] => answered(devices(Some(name))),
        ["device-list"] => answered(devices(None)),
        // SAFETY: takes no argument.
        ["drives"] => answered(Ok(json!(unsafe { GetLogicalDrives() }))),
        ["folder-make", path] => done(fs::create_dir(path)),
        ["folder-delete", path] => done(fs::remove_dir(path)),
        ["folder-list", path] => told(list(path)),
        ["file-find", path] => answered(find(path)),
        ["key-create", key] => reg(key, |root, path| create(root, path).map(|key| close(key, json!(null)))),
        ["key-delete", key] => reg(key, |root, path| {
            // SAFETY: the path ends in a zero.
            status(unsafe { RegDeleteKeyExW(root, path.as_ptr(), 0, 0) })
        }),
        ["key-set", key, name, text] => with_key(key, KEY_ALL_ACCESS, |key| set(key, name, text)),
        ["key-get", key, name] => with_key(key, KEY_READ, |key| get(key, name)),
        ["key-unset", key, name] => with_key(key, KEY_ALL_ACCESS, |key| {
            // SAFETY: the name ends in a zero.
            status(unsafe { RegDeleteValueW(key, wide(name).as_ptr()) })
        }),
        ["key-list", key] => with_key(key, KEY_READ, subkeys),
        _ => usage(
            "file-read P | file-write P TEXT | file-append P TEXT | file-fill P | file-delete P | file-rename P Q | \
             file-link P Q | file-copy P Q | file-stat P | file-touch-as-reader P | file-hold P SECONDS | file-mark P ATTRIBUTES | file-marks P | file-rights P SDDL | folder-make P | folder-delete P | folder-list P | file-find P | \
             device-define N P | device-raw N T | device-drop N | device-query N | device-list | drives | \
             key-create K | key-delete K | key-set K NAME TEXT | key-get K NAME | key-unset K NAME | key-list K",
        ),
    }
}

fn told(result: io::Result<Value>) -> Value {
    match result {
        Ok(value) => json!({"error": 0, "value": value}),
        Err(error) => json!({"error": error.raw_os_error().unwrap_or(-1)}),
    }
}

fn done(result: io::Result<()>) -> Value {
    told(result.map(|()| Value::Null))
}

fn append(path: &str, text: &str) -> io::Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())
}

/// Makes a file and writes to it until the disk is full; the error tells.
fn fill(path: &str) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    loop {
        file.write_all(&[0x66; 4096])?;
    }
}

/// Keeps a file open that others may only read, and says so at once.
fn hold(path: &str, seconds: &str) -> io::Result<()> {
    const FILE_SHARE_READ: u32 = 1;
    let held = fs::OpenOptions::new()
        .read(true)
        .share_mode(FILE_SHARE_READ)
        .open(path)?;
    say(&json!({"held": path}));
    std::thread::sleep(Duration::from_secs(seconds.parse().unwrap_or(1)));
    drop(held);
    Ok(())
}

fn list(path: &str) -> io::Result<Value> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(json!(names))
}

/// Sets attributes and times by a handle that was opened for reading.
fn touch_as_reader(path: &str) -> Answer {
    let Ok(file) = fs::File::open(path) else {
        return Err(last_error());
    };
    let basic = FILE_BASIC_INFO {
        LastWriteTime: 126_000_000_000_000_000,
        FileAttributes: FILE_ATTRIBUTE_READONLY,
        ..FILE_BASIC_INFO::default()
    };
    // SAFETY: the structure is of the class and as long as told.
    let set = unsafe {
        SetFileInformationByHandle(
            file.as_raw_handle(),
            FileBasicInfo,
            (&raw const basic).cast(),
            size_of::<FILE_BASIC_INFO>() as u32,
        )
    };
    if set == 0 {
        Err(last_error())
    } else {
        Ok(json!(null))
    }
}

fn define(flags: u32, name: &str, target: Option<&str>) -> Answer {
    let target = target.map(wide);
    let target = target.as_ref().map_or(null(), |target| target.as_ptr());
    // SAFETY: the texts end in a zero.
    let done = unsafe { DefineDosDeviceW(flags, wide(name).as_ptr(), target) };
    if done == 0 {
        Err(last_error())
    } else {
        Ok(json!(null))
    }
}

/// Where a DOS device leads, or the names of all.
fn devices(name: Option<&str>) -> Answer {
    let mut buffer = vec![0_u16; 0x1_0000];
    let name = name.map(wide);
    let name = name.as_ref().map_or(null(), |name| name.as_ptr());
    // SAFETY: the name ends in a zero, the buffer has the room told.
    let length = unsafe { QueryDosDeviceW(name, buffer.as_mut_ptr(), 0x1_0000) };
    if length == 0 {
        return Err(last_error());
    }
    let told = buffer.split(|&unit| unit == 0);
    let told = told.take_while(|text| !text.is_empty());
    Ok(json!(
        told.map(String::from_utf16_lossy).collect::<Vec<_>>()
    ))
}

/// Gives a file or directory these attributes.
fn mark(path: &str, attributes: &str) -> Answer {
    // SAFETY: the path ends in a zero.
    let set = unsafe { SetFileAttributesW(wide(path).as_ptr(), attributes.parse().unwrap_or(0)) };
    if set == 0 {
        Err(last_error())
    } else {
        Ok(json!(null))
    }
}

/// Gives a file or directory this list of rights.
fn give_rights(path: &str, rights: &str) -> Answer {
    let mut descriptor = null_mut();
    // SAFETY: texts end in a zero; the descriptor lives until the program ends.
    let set = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            wide(rights).as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        ) != 0
            && SetFileSecurityW(wide(path).as_ptr(), DACL_SECURITY_INFORMATION, descriptor) != 0
    };
    if set {
        Ok(json!(null))
    } else {
        Err(last_error())
    }
}

/// The name as its directory has it.
fn find(path: &str) -> Answer {
    let mut data = WIN32_FIND_DATAW::default();
    // SAFETY: the path ends in a zero; `data` outlives the call.
    let found = unsafe { FindFirstFileW(wide(path).as_ptr(), &raw mut data) };
    if found == INVALID_HANDLE_VALUE {
        // SAFETY: takes no argument.
        return Err(unsafe { GetLastError() });
    }
    // SAFETY: the handle was opened above and is closed once.
    unsafe { FindClose(found) };
    let length = data.cFileName.iter().position(|&unit| unit == 0);
    let name = &data.cFileName[..length.unwrap_or(0)];
    Ok(json!(String::from_utf16_lossy(name)))
}

type Answer = Result<Value, u32>;

fn status(error: u32) -> Answer {
    if error == 0 {
        Ok(Value::Null)
    } else {
        Err(error)
    }
}

/// Takes `HKCU\path` apart and does `act` on it.
fn reg(key: &str, act: impl FnOnce(HKEY, &[u16]) -> Answer) -> Value {
    let (root, path) = key.split_once('\\').unwrap_or((key, ""));
    let root = match root {
        "HKLM" => HKEY_LOCAL_MACHINE,
        "HKCU" => HKEY_CURRENT_USER,
        "HKCR" => HKEY_CLASSES_ROOT,
        "HKU" => HKEY_USERS,
        _ => usage("a key begins with HKLM, HKCU, HKCR or HKU"),
    };
    answered(act(root, &wide(path)))
}

fn answered(answer: Answer) -> Value {
    match answer {
        Ok(value) => json!({"error": 0, "value": value}),
        Err(error) => json!({"error": error}),
    }
}

fn with_key(key: &str, access: u32, act: impl FnOnce(HKEY) -> Answer) -> Value {
    reg(key, |root, path| {
        let mut key: HKEY = null_mut();
        // SAFETY: the path ends in a zero, `key` outlives the call.
        status(unsafe { RegOpenKeyExW(root, path.as_ptr(), 0, access, &raw mut key) })?;
        let answer = act(key);
        close(key, Value::Null);
        answer
    })
}

fn close(key: HKEY, value: Value) -> Value {
    // SAFETY: the key was opened by the caller and is closed once.
    unsafe { RegCloseKey(key) };
    value
}

fn create(root: HKEY, path: &[u16]) -> Result<HKEY, u32> {
    let mut key: HKEY = null_mut();
    // SAFETY: the path ends in a zero; the pointers left out may be null.
    let error = unsafe {
        RegCreateKeyExW(
            root,
            path.as_ptr(),
            0,
            null(),
            0,
            KEY_ALL_ACCESS,
            null(),
            &raw mut key,
            null_mut(),
        )
    };
    status(error).map(|_| key)
}

fn set(key: HKEY, name: &str, text: &str) -> Answer {
    let data = wide(text);
    #[allow(clippy::cast_possible_truncation)]
    let bytes = (data.len() * 2) as u32;
    // SAFETY: the name ends in a zero; the data are as long as told.
    status(unsafe {
        RegSetValueExW(
            key,
            wide(name).as_ptr(),
            0,
            REG_SZ,
            data.as_ptr().cast(),
            bytes,
        )
    })
}

fn get(key: HKEY, name: &str) -> Answer {
    let mut data = vec![0_u16; 4096];
    let mut bytes = 8192;
    let mut kind = 0;
    // SAFETY: the name ends in a zero; the buffer is as long as told.
    status(unsafe {
        RegQueryValueExW(
            key,
            wide(name).as_ptr(),
            null(),
            &raw mut kind,
            data.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    })?;
    data.truncate(bytes as usize / 2);
    let text = String::from_utf16_lossy(&data);
    Ok(json!(text.trim_end_matches('\0')))
}

fn subkeys(key: HKEY) -> Answer {
    let mut names = Vec::new();
    for index in 0.. {
        let mut name = [0_u16; 256];
        let mut length = 256;
        // SAFETY: the buffer is as long as told; the pointers left out may be null.
        let error = unsafe {
            RegEnumKeyExW(
                key,
                index,
                name.as_mut_ptr(),
                &raw mut length,
                null(),
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        if error == ERROR_NO_MORE_ITEMS {
            break;
        }
        status(error)?;
        names.push(String::from_utf16_lossy(&name[..length as usize]));
    }
    names.sort();
    Ok(json!(names))
}
