//! Services and clients that do what none should. Prints one JSON object.
//!
//! Usage:
//! - `service_bad services WORKER.EXE CHILD.EXE FILE`: services that never report, report nonsense, end at
//!   once, and have a program that is none;
//! - `service_bad loop WORKER.EXE`: a service that crashes whenever it runs and is started again at once;
//! - `service_bad flood WORKER.EXE COUNT`: that many controls from four threads, and a start and a stop in
//!   between;
//! - `service_bad names WORKER.EXE`: names and command lines of all kinds;
//! - `service_bad damage WORKER.EXE`: services whose records are damaged by hand.
#![cfg(windows)]

use std::sync::atomic::{AtomicU32, Ordering};

use pinion_test_programs::services::{Made, code, manager, open, start, status, until};
use pinion_test_programs::{arguments, say, usage, wide};
use serde_json::{Map, Value, json};
use windows_sys::Win32::Storage::FileSystem::DELETE;
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_BINARY, REG_DWORD, REG_MULTI_SZ, REG_SZ, RegSetKeyValueW,
};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, ControlService, DeleteService, SC_ACTION, SC_ACTION_RESTART, SC_HANDLE,
    SERVICE_ALL_ACCESS, SERVICE_CONFIG_FAILURE_ACTIONS, SERVICE_CONTROL_INTERROGATE,
    SERVICE_CONTROL_STOP, SERVICE_FAILURE_ACTIONSW, SERVICE_RUNNING, SERVICE_STATUS,
    SERVICE_STOPPED,
};

fn control(service: SC_HANDLE, control: u32) -> u32 {
    let mut now = SERVICE_STATUS::default();
    // SAFETY: a local.
    code(unsafe { ControlService(service, control, &raw mut now) })
}

/// Makes one and starts it; the error of either.
fn tried(manager: SC_HANDLE, name: &str, command: &str) -> u32 {
    match Made::new(name, command).create(manager) {
        Ok(service) => start(service),
        Err(error) => error,
    }
}

fn services(worker: &str, child: &str, file: &str) -> Value {
    let manager = manager();
    let silent = format!("\"{child}\" sleep 120");
    let nonsense = format!("\"{worker}\" --file \"{file}\" --do nonsense");
    json!({
        "at_once": tried(manager, "bad-ends", "cmd.exe /c exit 7"),
        "absent": tried(manager, "bad-absent", r"C:\none\such.exe"),
        "folder": tried(manager, "bad-folder", r"C:\windows"),
        "nonsense": tried(manager, "bad-nonsense", &nonsense),
        "silent": tried(manager, "bad-silent", &silent),
        "well": tried(manager, "bad-well", &format!("\"{worker}\"")),
    })
}

fn looping(worker: &str) -> Result<Value, u32> {
    let manager = manager();
    let service = Made::new("bad-loop", &format!("\"{worker}\" --do crash")).create(manager)?;
    let mut action = SC_ACTION {
        Type: SC_ACTION_RESTART,
        Delay: 0,
    };
    let actions = SERVICE_FAILURE_ACTIONSW {
        dwResetPeriod: 3600,
        cActions: 1,
        lpsaActions: &raw mut action,
        ..Default::default()
    };
    let level = SERVICE_CONFIG_FAILURE_ACTIONS;
    // SAFETY: a structure whose pointer is to a local.
    let set = code(unsafe { ChangeServiceConfig2W(service, level, (&raw const actions).cast()) });
    let _ = start(service);
    let first = status(service).dwProcessId;
    let mut seen = vec![first];
    let again = until(|| {
        let pid = status(service).dwProcessId;
        if pid != 0 && !seen.contains(&pid) {
            seen.push(pid);
        }
        seen.len() > 5
    });
    let other = tried(manager, "bad-beside", &format!("\"{worker}\""));
    // SAFETY: the service's own handle.
    let deleted = code(unsafe { DeleteService(service) });
    Ok(json!({ "set": set, "again": again, "beside": other, "deleted": deleted }))
}

fn flood(worker: &str, count: u32) -> Result<Value, u32> {
    let manager = manager();
    let service = match Made::new("bad-flood", &format!("\"{worker}\"")).create(manager) {
        Ok(service) => service,
        Err(_) => open(manager, "bad-flood", SERVICE_ALL_ACCESS)?,
    };
    let _ = start(service);
    until(|| status(service).dwCurrentState == SERVICE_RUNNING);
    let (done, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let address = service as usize;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (done, refused) = (&done, &refused);
            scope.spawn(move || {
                let service = address as SC_HANDLE;
                for number in 0..count / 4 {
                    let kind = match number % 8 {
                        0 => 130,
                        1 => 77,
                        _ => SERVICE_CONTROL_INTERROGATE,
                    };
                    match control(service, kind) {
                        0 => done.fetch_add(1, Ordering::Relaxed),
                        _ => refused.fetch_add(1, Ordering::Relaxed),
                    };
                    if thread == 0 && number == count / 8 {
                        let _ = control(service, SERVICE_CONTROL_STOP);
                        until(|| status(service).dwCurrentState == SERVICE_STOPPED);
                        let _ = start(service);
                    }
                }
            });
        }
    });
    let stop = control(service, SERVICE_CONTROL_STOP);
    let stopped = until(|| status(service).dwCurrentState == SERVICE_STOPPED);
    Ok(json!({
        "done": done.into_inner(), "refused": refused.into_inner(),
        "stop": stop, "stopped": stopped,
    }))
}

fn names(worker: &str) -> Value {
    let manager = manager();
    let command = format!("\"{worker}\"");
    let (longest, longer) = ("n".repeat(256), "n".repeat(257));
    let mut out = Map::new();
    for (what, name) in [
        ("empty", ""),
        ("slash", "a/b"),
        ("backslash", r"..\..\a"),
        ("long", &longer),
        ("longest", &longest),
        ("dots", ".."),
        ("space", " "),
        ("device", "CON"),
        ("percent", "%SystemRoot%"),
        ("odd", "é\u{202e}\u{1f4a9}\"'<|>*?"),
        ("star", "*"),
    ] {
        let made = Made::new(name, &command).create(manager);
        let error = match made {
            // SAFETY: the service's own handle.
            Ok(service) if unsafe { DeleteService(service) } != 0 => 0,
            Ok(_) => 1,
            Err(error) => error,
        };
        out.insert(what.into(), error.into());
    }
    let (long, quotes) = ("x".repeat(40_000), "\"".repeat(300));
    for (what, command) in [
        ("no_path", ""),
        ("long_path", long.as_str()),
        ("quotes", &quotes),
        ("percents", "%%%%%a%\\x.exe"),
        ("pipe", r"\\.\pipe\svcctl"),
        ("device_path", r"\\?\GLOBALROOT\Device\Null"),
        ("unix", r"Z:\bin\true"),
    ] {
        let name = format!("bad-path-{what}");
        out.insert(what.into(), (tried(manager, &name, command) != 0).into());
    }
    Value::Object(out)
}

fn set(service: &str, name: &str, kind: u32, data: &[u8]) {
    let key = wide(&format!(r"System\CurrentControlSet\Services\{service}"));
    let name = wide(name);
    // SAFETY: zero-terminated strings; data of the size told.
    unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            kind,
            data.as_ptr().cast(),
            data.len() as u32,
        );
    }
}

fn damage(worker: &str) -> Result<Value, u32> {
    let manager = manager();
    let command = format!("\"{worker}\"");
    for name in ["d-type", "d-start", "d-path", "d-needs", "d-rest", "d-well"] {
        Made::new(name, &command).create(manager)?;
    }
    let text =
        |text: &str| -> Vec<u8> { wide(text).iter().flat_map(|u| u.to_le_bytes()).collect() };
    set("d-type", "Type", REG_SZ, &text("share"));
    set(
        "d-start",
        "Start",
        REG_DWORD,
        &0xffff_ffff_u32.to_le_bytes(),
    );
    set("d-path", "ImagePath", REG_BINARY, &[1, 2, 3]);
    set("d-needs", "DependOnService", REG_MULTI_SZ, &text("d-needs"));
    set("d-rest", "FailureActions", REG_BINARY, &[0xff; 21]);
    set("d-rest", "Description", REG_MULTI_SZ, &[0x61]);
    set("d-rest", "DependOnGroup", REG_DWORD, &[1]);
    set("d-rest", "ObjectName", REG_SZ, &[0, 0xd8, 0, 0xd8]);
    set(
        r"d-rest\Security",
        "Security",
        REG_BINARY,
        &[1, 0, 4, 0x80, 9, 9],
    );
    set(r"d-rest\TriggerInfo\0", "Type", REG_SZ, &text("x"));
    // One that was never made by the API, and one that is nothing but a key.
    set("d-hand", "Type", REG_DWORD, &0x10_u32.to_le_bytes());
    set("d-hand", "ImagePath", REG_SZ, &text(&command));
    set("d-key", "x", REG_DWORD, &[0; 4]);
    let stays = open(manager, "d-well", DELETE).is_ok();
    Ok(json!({ "stays": stays }))
}

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = match words[..] {
        ["services", worker, child, file] => Ok(services(worker, child, file)),
        ["loop", worker] => looping(worker),
        ["flood", worker, count] => flood(worker, count.parse().unwrap_or(1000)),
        ["names", worker] => Ok(names(worker)),
        ["damage", worker] => damage(worker),
        _ => usage("service_bad services|loop|flood|names|damage WORKER.EXE …"),
    };
    say(&told.unwrap_or_else(|error| json!({ "error": error })));
}
