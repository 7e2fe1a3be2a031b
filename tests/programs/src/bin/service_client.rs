//! A client of the service API: makes a service of `service_worker.exe`, runs it through its life and
//! prints one JSON object with what every call gave.
//!
//! Usage: `service_client WORKER.EXE NAME FILE [--keep yes]`, where FILE is what the service writes to.
//! With `--keep` the service is not deleted at the end.
#![cfg(windows)]

use std::time::{Duration, Instant};

use pinion_test_programs::{arguments, last_error, say, take_option, usage, wide};
use serde_json::{Map, Value, json};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, RRF_NOEXPAND, RRF_RT_ANY, RegGetValueW,
};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, CloseServiceHandle, ControlService, CreateServiceW, DeleteService,
    ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW, GetServiceDisplayNameW, OpenSCManagerA,
    OpenSCManagerW, OpenServiceA, OpenServiceW, QUERY_SERVICE_CONFIGW, QueryServiceConfig2W,
    QueryServiceConfigW, QueryServiceObjectSecurity, QueryServiceStatusEx, SC_ENUM_PROCESS_INFO,
    SC_HANDLE, SC_MANAGER_ALL_ACCESS, SC_STATUS_PROCESS_INFO, SERVICE_ALL_ACCESS,
    SERVICE_CONFIG_DESCRIPTION, SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_PAUSE,
    SERVICE_CONTROL_STOP, SERVICE_DEMAND_START, SERVICE_DESCRIPTIONW, SERVICE_ERROR_NORMAL,
    SERVICE_QUERY_STATUS, SERVICE_STATE_ALL, SERVICE_STATUS, SERVICE_STATUS_PROCESS,
    SERVICE_STOPPED, SERVICE_WIN32, SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};

/// 0 for success, else the last error.
fn code(done: i32) -> u32 {
    if done == 0 { last_error() } else { 0 }
}

fn open(manager: SC_HANDLE, name: &str) -> SC_HANDLE {
    // SAFETY: a zero-terminated name.
    unsafe { OpenServiceW(manager, wide(name).as_ptr(), SERVICE_ALL_ACCESS) }
}

fn create(manager: SC_HANDLE, name: &str, command: &str) -> SC_HANDLE {
    let (name, command) = (wide(name), wide(command));
    let (shown, depend_on) = (wide("A worker"), [wide("RpcSs"), vec![0]].concat());
    // SAFETY: zero-terminated strings, and a list that ends with an empty one.
    unsafe {
        CreateServiceW(
            manager,
            name.as_ptr(),
            shown.as_ptr(),
            SERVICE_ALL_ACCESS,
            SERVICE_WIN32_OWN_PROCESS,
            SERVICE_DEMAND_START,
            SERVICE_ERROR_NORMAL,
            command.as_ptr(),
            std::ptr::null(),
            std::ptr::null_mut(),
            depend_on.as_ptr(),
            std::ptr::null(),
            std::ptr::null(),
        )
    }
}

fn start(service: SC_HANDLE, arguments: &[&str]) -> u32 {
    let texts: Vec<Vec<u16>> = arguments.iter().map(|text| wide(text)).collect();
    let pointers: Vec<*const u16> = texts.iter().map(|text| text.as_ptr()).collect();
    // SAFETY: as many zero-terminated strings as told.
    code(unsafe { StartServiceW(service, pointers.len() as u32, pointers.as_ptr()) })
}

fn control(service: SC_HANDLE, control: u32) -> Value {
    let mut status = SERVICE_STATUS::default();
    // SAFETY: `status` is a local.
    let error = code(unsafe { ControlService(service, control, &raw mut status) });
    json!({ "error": error, "state": status.dwCurrentState })
}

fn status(service: SC_HANDLE) -> Option<SERVICE_STATUS_PROCESS> {
    let (mut status, mut needed) = (SERVICE_STATUS_PROCESS::default(), 0);
    let size = size_of::<SERVICE_STATUS_PROCESS>() as u32;
    // SAFETY: a structure of the size told, and a local.
    let done = unsafe {
        QueryServiceStatusEx(
            service,
            SC_STATUS_PROCESS_INFO,
            (&raw mut status).cast(),
            size,
            &raw mut needed,
        )
    };
    (done != 0).then_some(status)
}

fn state(service: SC_HANDLE) -> Value {
    status(service).map_or(json!({ "error": last_error() }), |status| {
        json!({
            "state": status.dwCurrentState,
            "pid": status.dwProcessId,
            "exit": status.dwWin32ExitCode,
            "specific": status.dwServiceSpecificExitCode,
        })
    })
}

/// Waits up to ten seconds for a state.
fn wait(service: SC_HANDLE, wanted: u32) -> Value {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end && status(service).is_some_and(|s| s.dwCurrentState != wanted) {
        std::thread::sleep(Duration::from_millis(20));
    }
    state(service)
}

/// The zero-terminated string at `text`.
fn string(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the API gives zero-terminated strings.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        String::from_utf16_lossy(std::slice::from_raw_parts(text, length))
    }
}

fn config(service: SC_HANDLE) -> Value {
    let mut needed = 0;
    // SAFETY: no buffer, only its size is asked for.
    let small =
        code(unsafe { QueryServiceConfigW(service, std::ptr::null_mut(), 0, &raw mut needed) });
    let mut buffer = vec![0_u64; needed as usize / 8 + 1];
    let config = buffer.as_mut_ptr().cast::<QUERY_SERVICE_CONFIGW>();
    // SAFETY: a buffer of at least the size told.
    let error = code(unsafe { QueryServiceConfigW(service, config, needed, &raw mut needed) });
    if error != 0 {
        return json!({ "error": error });
    }
    // SAFETY: the call filled it.
    let config = unsafe { &*config };
    json!({
        "small": small,
        "path": string(config.lpBinaryPathName),
        "shown": string(config.lpDisplayName),
        "depend_on": string(config.lpDependencies),
        "account": string(config.lpServiceStartName),
        "type": config.dwServiceType,
        "start": config.dwStartType,
    })
}

fn description(service: SC_HANDLE) -> Value {
    let mut text = wide("It works");
    let change = SERVICE_DESCRIPTIONW {
        lpDescription: text.as_mut_ptr(),
    };
    let (mut buffer, mut needed) = (vec![0_u64; 64], 0);
    // SAFETY: the structure of the level; a buffer of the size told.
    unsafe {
        let set = code(ChangeServiceConfig2W(
            service,
            SERVICE_CONFIG_DESCRIPTION,
            (&raw const change).cast(),
        ));
        let get = code(QueryServiceConfig2W(
            service,
            SERVICE_CONFIG_DESCRIPTION,
            buffer.as_mut_ptr().cast(),
            512,
            &raw mut needed,
        ));
        let text = (*buffer.as_ptr().cast::<SERVICE_DESCRIPTIONW>()).lpDescription;
        json!({ "set": set, "get": get, "text": string(text) })
    }
}

/// The command line in the service's key, or the error.
fn key(name: &str) -> Value {
    let path = wide(&format!(r"System\CurrentControlSet\Services\{name}"));
    let (mut buffer, mut size) = ([0_u16; 512], 1024);
    // SAFETY: zero-terminated strings; a buffer of the size told; no type is wanted.
    let error = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            path.as_ptr(),
            wide("ImagePath").as_ptr(),
            RRF_RT_ANY | RRF_NOEXPAND,
            std::ptr::null_mut(),
            buffer.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    match error {
        0 => string(buffer.as_ptr()).into(),
        error => json!({ "error": error }),
    }
}

/// All services, asked for with a buffer that is too small at first.
fn list(manager: SC_HANDLE, name: &str) -> Value {
    let (mut needed, mut returned, mut resume) = (0, 0, 0);
    let mut ask = |buffer: &mut [u64]| {
        // SAFETY: a buffer of the size told; the rest are locals.
        code(unsafe {
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
                std::ptr::null(),
            )
        })
    };
    let small = ask(&mut []);
    let mut buffer = vec![0_u64; 32 * 1024];
    let whole = ask(&mut buffer);
    let lines = buffer.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>();
    // SAFETY: the call wrote as many lines.
    let names = (0..returned as usize).map(|at| string(unsafe { (*lines.add(at)).lpServiceName }));
    let found = names.into_iter().any(|found| found == name);
    json!({ "small": small, "whole": whole, "count": returned, "found": found, "left": needed })
}

fn display_name(manager: SC_HANDLE, name: &str) -> Value {
    let (mut buffer, mut size) = ([0_u16; 64], 64);
    // SAFETY: a buffer of the size told.
    let error = code(unsafe {
        GetServiceDisplayNameW(
            manager,
            wide(name).as_ptr(),
            buffer.as_mut_ptr(),
            &raw mut size,
        )
    });
    json!({ "error": error, "text": string(buffer.as_ptr()), "length": size })
}

/// What calls with odd arguments leave behind: each the error, and the outputs.
fn odd(manager: SC_HANDLE, name: &str) -> Value {
    let named = |name: &str, size: u32| {
        let (mut buffer, mut given) = ([u16::from(b'A'); 64], size);
        let (name, buffer_at) = (wide(name), buffer.as_mut_ptr());
        // SAFETY: a buffer of at least the size told.
        let done =
            unsafe { GetServiceDisplayNameW(manager, name.as_ptr(), buffer_at, &raw mut given) };
        json!([code(done), given, buffer[0]])
    };
    let listed = |types: u32, group: Option<&str>| {
        let (mut needed, mut returned) = (7, 7);
        let group = group.map(wide);
        let group = group
            .as_ref()
            .map_or(std::ptr::null(), |group| group.as_ptr());
        // SAFETY: no buffer, and outputs that are locals.
        let done = unsafe {
            EnumServicesStatusExW(
                manager,
                SC_ENUM_PROCESS_INFO,
                types,
                SERVICE_STATE_ALL,
                std::ptr::null_mut(),
                0,
                &raw mut needed,
                &raw mut returned,
                std::ptr::null_mut(),
                group,
            )
        };
        json!([code(done), needed, returned])
    };
    let absent = [0, 1, 2, 15].map(|size| named("pinion-absent", size));
    json!({
        "absent": absent,
        "small": named(name, 2),
        "types": listed(0, None),
        "group": listed(SERVICE_WIN32, Some("no such group")),
    })
}

/// The access list of a service: the error, and what the descriptor says.
fn security(service: SC_HANDLE) -> Value {
    const DACL: u32 = 4;
    let (mut descriptor, mut needed) = ([0_u64; 64], 0);
    let mut ask = |size| {
        // SAFETY: a buffer of at least the size told, and a local.
        code(unsafe {
            let descriptor = descriptor.as_mut_ptr().cast();
            QueryServiceObjectSecurity(service, DACL, descriptor, size, &raw mut needed)
        })
    };
    let (none, whole) = (ask(0), ask(512));
    json!({ "none": none, "whole": whole, "revision": descriptor[0] & 0xff })
}

/// The 8-bit forms end in the same place as the others.
fn ansi(name: &str) -> Value {
    let name = format!("{name}\0");
    // SAFETY: zero-terminated strings; handles of these calls.
    unsafe {
        let manager = OpenSCManagerA(std::ptr::null(), std::ptr::null(), SC_MANAGER_ALL_ACCESS);
        let service = OpenServiceA(manager, name.as_ptr(), SERVICE_QUERY_STATUS);
        let seen = state(service);
        CloseServiceHandle(service);
        CloseServiceHandle(manager);
        seen
    }
}

fn live(service: SC_HANDLE, file: &str, out: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| out.insert(name.into(), value);
    put("stopped", state(service));
    put("stop_stopped", control(service, SERVICE_CONTROL_STOP));
    put("start", start(service, &[file, "two words", ""]).into());
    put("running", state(service));
    put("start_again", start(service, &[]).into());
    put("interrogate", control(service, SERVICE_CONTROL_INTERROGATE));
    put("custom", control(service, 130));
    put("unheeded", control(service, 131));
    put("pause", control(service, SERVICE_CONTROL_PAUSE));
    put("bad_control", control(service, 77));
    put("stop", control(service, SERVICE_CONTROL_STOP));
    put("ended", wait(service, SERVICE_STOPPED));
    put("restart", start(service, &[file]).into());
    put("specific", control(service, 201));
    put("ended_specific", wait(service, SERVICE_STOPPED));
    put("third", start(service, &[file]).into());
    put("crash", control(service, 200));
    put("crashed", wait(service, SERVICE_STOPPED));
}

fn main() {
    let mut arguments = arguments();
    let keep = take_option(&mut arguments, "--keep").is_some();
    let [worker, name, file] = arguments.as_slice() else {
        usage("service_client WORKER.EXE NAME FILE [--keep yes]");
    };
    let mut out = Map::new();
    // SAFETY: no names.
    let manager =
        unsafe { OpenSCManagerW(std::ptr::null(), std::ptr::null(), SC_MANAGER_ALL_ACCESS) };
    if manager.is_null() {
        say(&json!({ "manager": last_error() }));
        std::process::exit(1);
    }
    out.insert(
        "absent".into(),
        if open(manager, name).is_null() {
            last_error()
        } else {
            0
        }
        .into(),
    );
    let command = format!("\"{worker}\"");
    let service = create(manager, name, &command);
    if service.is_null() {
        say(&json!({ "create": last_error() }));
        std::process::exit(1);
    }
    let again = create(manager, name, &command);
    out.insert(
        "create_again".into(),
        if again.is_null() { last_error() } else { 0 }.into(),
    );
    out.insert("config".into(), config(service));
    out.insert("description".into(), description(service));
    out.insert("list".into(), list(manager, name));
    out.insert("display_name".into(), display_name(manager, name));
    out.insert("odd".into(), odd(manager, name));
    out.insert("security".into(), security(service));
    out.insert("ansi".into(), ansi(name));
    live(service, file, &mut out);
    out.insert("key".into(), key(name));
    if keep {
        say(&Value::Object(out));
        return;
    }
    // SAFETY: handles of this program.
    unsafe {
        out.insert("delete".into(), code(DeleteService(service)).into());
        out.insert("delete_again".into(), code(DeleteService(service)).into());
        out.insert("close".into(), code(CloseServiceHandle(service)).into());
        out.insert(
            "close_again".into(),
            code(CloseServiceHandle(service)).into(),
        );
    }
    out.insert(
        "gone".into(),
        if open(manager, name).is_null() {
            last_error()
        } else {
            0
        }
        .into(),
    );
    out.insert("key_gone".into(), key(name));
    say(&Value::Object(out));
}
