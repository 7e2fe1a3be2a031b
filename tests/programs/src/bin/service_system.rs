//! What a service controller does besides a service's plain life: waiting for states, access lists,
//! triggers, groups, the lock, drivers and users' services. Prints one JSON object.
//!
//! Usage: `service_system WORKER.EXE`; or `service_system install WORKER.EXE FILE`, which makes automatic
//! services of three kinds and two that want to be told of the machine's end, which it starts.
#![cfg(windows)]

use core::ffi::c_void;
use std::ptr::{null, null_mut};
use std::time::Duration;

use pinion_test_programs::services::{Made, code, manager, open, start, status, until};
use pinion_test_programs::{arguments, last_error, say, usage, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_DWORD, REG_MULTI_SZ, RegSetKeyValueW,
};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW,
    LockServiceDatabase, QUERY_SERVICE_LOCK_STATUSW, QueryServiceConfig2W, QueryServiceLockStatusW,
    QueryServiceObjectSecurity, SC_ENUM_PROCESS_INFO, SC_HANDLE, SERVICE_AUTO_START,
    SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_PRESHUTDOWN_INFO,
    SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, SERVICE_CONFIG_TRIGGER_INFO, SERVICE_KERNEL_DRIVER,
    SERVICE_QUERY_STATUS, SERVICE_RUNNING, SERVICE_START, SERVICE_STATE_ALL, SERVICE_TRIGGER,
    SERVICE_TRIGGER_INFO, SERVICE_TRIGGER_SPECIFIC_DATA_ITEM, SERVICE_WIN32,
    SetServiceObjectSecurity, UnlockServiceDatabase,
};
use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent};
use windows_sys::core::GUID;
use windows_sys::{s, w};

/// `WaitServiceState` (winsvc.h), which sechost exports.
type Wait = unsafe extern "system" fn(SC_HANDLE, u32, u32, *mut c_void) -> u32;

const NOTIFY_STOPPED: u32 = 1;
const NOTIFY_RUNNING: u32 = 8;

fn waits(service: SC_HANDLE) -> Value {
    // SAFETY: names that end in zeros; the function is of this type.
    let wait = unsafe {
        let sechost = LoadLibraryW(w!("sechost.dll"));
        let Some(found) = GetProcAddress(sechost, s!("WaitServiceState")) else {
            return json!("absent");
        };
        std::mem::transmute::<unsafe extern "system" fn() -> isize, Wait>(found)
    };
    // SAFETY: no security, no name.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) };
    // SAFETY: the service's own handle, and an event or none.
    let wait = |mask, time, event| unsafe { wait(service, mask, time, event) };
    let at_once = wait(NOTIFY_STOPPED, 0, null_mut());
    let late = wait(NOTIFY_RUNNING, 100, null_mut());
    let nothing = wait(0, 100, null_mut());
    let address = service as usize;
    let starter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        start(address as SC_HANDLE)
    });
    let runs = wait(NOTIFY_RUNNING, 20_000, event);
    let started = starter.join().unwrap_or(u32::MAX);
    // SAFETY: the program's own event.
    unsafe { SetEvent(event) };
    let cancelled = wait(NOTIFY_STOPPED, u32::MAX, event);
    json!({
        "at_once": at_once, "late": late, "nothing": nothing,
        "runs": runs, "started": started, "cancelled": cancelled,
    })
}

/// A descriptor's access list as text, as far as the service tells it.
fn access_list(service: SC_HANDLE) -> Value {
    let (mut buffer, mut needed) = (vec![0_u64; 128], 0);
    let place: PSECURITY_DESCRIPTOR = buffer.as_mut_ptr().cast();
    // SAFETY: a buffer of the size told; the API gives a zero-terminated string of its own.
    unsafe {
        let list = DACL_SECURITY_INFORMATION;
        let done = QueryServiceObjectSecurity(service, list, place, 1024, &raw mut needed);
        if done == 0 {
            return json!({ "error": last_error() });
        }
        let mut text = null_mut();
        let done = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            place,
            SDDL_REVISION_1,
            list,
            &raw mut text,
            null_mut(),
        );
        if done == 0 {
            return json!({ "error": last_error() });
        }
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let told = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        json!(told)
    }
}

fn security(manager: SC_HANDLE, name: &str, service: SC_HANDLE) -> Value {
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    // Everyone may ask for the status, and nobody may start it.
    let text = wide("D:(D;;RP;;;WD)(A;;LCRC;;;WD)");
    // SAFETY: a zero-terminated string; the descriptor is the API's own.
    let set = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            null_mut(),
        );
        code(SetServiceObjectSecurity(
            service,
            DACL_SECURITY_INFORMATION,
            descriptor,
        ))
    };
    let error = |rights| open(manager, name, rights).err().unwrap_or(0);
    json!({
        "set": set,
        "told": access_list(service),
        "status": error(SERVICE_QUERY_STATUS),
        "start": error(SERVICE_START),
        "delete": error(0x1_0000),
    })
}

fn triggers(service: SC_HANDLE) -> Value {
    let mut guid = GUID::from_u128(0x1122_3344_5566_7788_99aa_bbcc_ddee_ff00);
    let mut bytes = *b"data\0\0";
    let mut item = SERVICE_TRIGGER_SPECIFIC_DATA_ITEM {
        dwDataType: 1,
        cbData: 6,
        pData: bytes.as_mut_ptr(),
    };
    let mut trigger = SERVICE_TRIGGER {
        dwTriggerType: 20,
        dwAction: 1,
        pTriggerSubtype: &raw mut guid,
        cDataItems: 1,
        pDataItems: &raw mut item,
    };
    let given = SERVICE_TRIGGER_INFO {
        cTriggers: 1,
        pTriggers: &raw mut trigger,
        pReserved: null_mut(),
    };
    let (mut buffer, mut needed) = (vec![0_u64; 128], 0);
    let level = SERVICE_CONFIG_TRIGGER_INFO;
    // SAFETY: a structure whose pointers are to locals; a buffer of the size told.
    unsafe {
        let set = code(ChangeServiceConfig2W(
            service,
            level,
            (&raw const given).cast(),
        ));
        let place = buffer.as_mut_ptr().cast();
        let small = QueryServiceConfig2W(service, level, place, 8, &raw mut needed);
        let small = code(small);
        let get = code(QueryServiceConfig2W(
            service,
            level,
            place,
            1024,
            &raw mut needed,
        ));
        let told = &*buffer.as_ptr().cast::<SERVICE_TRIGGER_INFO>();
        if get != 0 || told.cTriggers != 1 {
            return json!({ "set": set, "small": small, "get": get });
        }
        let told = &*told.pTriggers;
        let (subtype, item) = (*told.pTriggerSubtype, &*told.pDataItems);
        let data = std::slice::from_raw_parts(item.pData, item.cbData as usize);
        let same = subtype.to_u128() == guid.to_u128() && data == bytes;
        json!({ "set": set, "small": small, "type": told.dwTriggerType, "same": same })
    }
}

/// `GUID` has no equality of its own.
trait ToNumber {
    fn to_u128(&self) -> u128;
}

impl ToNumber for GUID {
    fn to_u128(&self) -> u128 {
        let head = (u128::from(self.data1) << 96)
            | (u128::from(self.data2) << 80)
            | (u128::from(self.data3) << 64);
        head | u128::from(u64::from_be_bytes(self.data4))
    }
}

fn privileges(service: SC_HANDLE) -> Value {
    let mut list = [wide("SeDebugPrivilege"), wide("SeTcbPrivilege"), vec![0]].concat();
    let given = list.as_mut_ptr();
    let (mut buffer, mut needed) = (vec![0_u64; 64], 0);
    let level = SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO;
    // SAFETY: a structure of one pointer to a local; a buffer of the size told.
    unsafe {
        let set = code(ChangeServiceConfig2W(
            service,
            level,
            (&raw const given).cast(),
        ));
        let place = buffer.as_mut_ptr().cast();
        let get = code(QueryServiceConfig2W(
            service,
            level,
            place,
            512,
            &raw mut needed,
        ));
        let told = *buffer.as_ptr().cast::<*const u16>();
        let same =
            get == 0 && !told.is_null() && std::slice::from_raw_parts(told, list.len()) == list;
        json!({ "set": set, "get": get, "same": same })
    }
}

/// The group's services, one by one.
fn by_group(manager: SC_HANDLE, group: &str) -> Value {
    let (mut needed, mut returned, mut resume) = (0, 0, 0);
    let group = wide(group);
    let mut found = Vec::new();
    for _ in 0..5 {
        // Room for one service with its names.
        let mut buffer = [0_u64; 18];
        // SAFETY: a buffer of the size told; the rest are locals.
        let error = code(unsafe {
            EnumServicesStatusExW(
                manager,
                SC_ENUM_PROCESS_INFO,
                SERVICE_WIN32,
                SERVICE_STATE_ALL,
                buffer.as_mut_ptr().cast(),
                (buffer.len() * 8) as u32,
                &raw mut needed,
                &raw mut returned,
                &raw mut resume,
                group.as_ptr(),
            )
        });
        // SAFETY: the call filled so many structures in.
        let names: Vec<String> = unsafe {
            let first = buffer.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>();
            let all = std::slice::from_raw_parts(first, returned as usize);
            let name = |text: *const u16| {
                let length = (0..).take_while(|&at| *text.add(at) != 0).count();
                String::from_utf16_lossy(std::slice::from_raw_parts(text, length))
            };
            all.iter().map(|one| name(one.lpServiceName)).collect()
        };
        found.push(json!([error, names]));
        if error == 0 {
            break;
        }
    }
    json!(found)
}

fn lock(manager: SC_HANDLE) -> Value {
    let locked = || {
        let (mut buffer, mut needed) = (vec![0_u64; 64], 0);
        let place = buffer.as_mut_ptr().cast::<QUERY_SERVICE_LOCK_STATUSW>();
        // SAFETY: a buffer of the size told.
        unsafe {
            match code(QueryServiceLockStatusW(
                manager,
                place,
                512,
                &raw mut needed,
            )) {
                0 => json!((*place).fIsLocked),
                error => json!({ "error": error }),
            }
        }
    };
    // SAFETY: the manager's own handle; the lock is what it gives.
    unsafe {
        let lock = LockServiceDatabase(manager);
        let while_locked = locked();
        let unlock = code(UnlockServiceDatabase(lock));
        json!({
            "lock": !lock.is_null(), "while": while_locked, "unlock": unlock, "after": locked(),
        })
    }
}

fn calls(worker: &str) -> Result<Value, u32> {
    let manager = manager();
    let command = format!("\"{worker}\"");
    let plain = Made::new("pinion-system", &command);
    let service = plain.create(manager)?;
    let driver = Made {
        kind: SERVICE_KERNEL_DRIVER,
        ..Made::new("pinion-driver", "system32\\drivers\\pinion.sys")
    };
    let driver = driver.create(manager)?;
    let users = Made {
        kind: 0x50,
        ..Made::new("pinion-users", &command)
    };
    for name in ["pinion-one", "pinion-two"] {
        let member = Made {
            group: "pinion-group",
            ..Made::new(name, &command)
        };
        member.create(manager)?;
    }
    let needs = Made {
        needs: "+pinion-group",
        ..Made::new("pinion-needs", &command)
    };
    let needs = needs.create(manager)?;
    let by_group = by_group(manager, "pinion-group");
    let needs = start(needs);
    let running = |name| {
        let service = open(manager, name, SERVICE_QUERY_STATUS);
        service.is_ok_and(|service| until(|| status(service).dwCurrentState == SERVICE_RUNNING))
    };
    let first = ["pinion-one", "pinion-two"].map(running);
    Ok(json!({
        "driver": start(driver),
        "users": users.create(manager).err(),
        "by_group": by_group,
        "needs": needs,
        "first": first,
        "waits": waits(service),
        "triggers": triggers(service),
        "privileges": privileges(service),
        "lock": lock(manager),
        "security": security(manager, plain.name, service),
    }))
}

/// Sets a value of the machine's registry; the error, or 0.
fn set(key: &str, name: &str, kind: u32, data: &[u8]) -> u32 {
    let (key, name) = (wide(key), wide(name));
    // SAFETY: zero-terminated strings; data of the size told.
    unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            kind,
            data.as_ptr().cast(),
            data.len() as u32,
        )
    }
}

fn install(worker: &str, file: &str) -> Result<Value, u32> {
    const CONTROL: &str = r"System\CurrentControlSet\Control";
    let manager = manager();
    let command = |accept: u32| format!("\"{worker}\" --file \"{file}\" --accept {accept}");
    let order = [wide("pinion first"), wide("pinion second"), vec![0]].concat();
    let order: Vec<u8> = order.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let groups = format!(r"{CONTROL}\ServiceGroupOrder");
    let order = set(&groups, "List", REG_MULTI_SZ, &order);
    let delay = set(CONTROL, "AutoStartDelay", REG_DWORD, &1_u32.to_le_bytes());
    for (name, group) in [
        ("pinion-b", "pinion second"),
        ("pinion-a", "pinion first"),
        ("pinion-late", "pinion first"),
    ] {
        let command = command(0);
        let made = Made {
            start: SERVICE_AUTO_START,
            group,
            ..Made::new(name, &command)
        };
        let service = made.create(manager)?;
        if name == "pinion-late" {
            let on = 1_u32;
            let level = SERVICE_CONFIG_DELAYED_AUTO_START_INFO;
            // SAFETY: the structure of the level is one number.
            unsafe { ChangeServiceConfig2W(service, level, (&raw const on).cast()) };
        }
    }
    let mut started = Vec::new();
    for (name, accepts) in [("pinion-early", 0x100), ("pinion-told", 4)] {
        let service = Made::new(name, &command(accepts)).create(manager)?;
        let time = 5000_u32;
        let level = SERVICE_CONFIG_PRESHUTDOWN_INFO;
        // SAFETY: the structure of the level is one number.
        unsafe { ChangeServiceConfig2W(service, level, (&raw const time).cast()) };
        started.push(start(service));
        until(|| status(service).dwCurrentState == SERVICE_RUNNING);
    }
    Ok(json!({ "order": order, "delay": delay, "started": started }))
}

fn main() {
    let arguments = arguments();
    let told = match &arguments[..] {
        [worker] => calls(worker),
        [verb, worker, file] if verb == "install" => install(worker, file),
        _ => usage("service_system [install] WORKER.EXE [FILE]"),
    };
    say(&told.unwrap_or_else(|error| json!({ "error": error })));
}
