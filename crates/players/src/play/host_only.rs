//! What only the host has: devices, and servers at well-known endpoints.

use super::pipe::{open_nt, open_win32};
use super::window::fact;
use super::{Held, Player, Served, Told};
use crate::imports;
use crate::win::{self, Step, wide, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Facts, Seen};
use windows_sys::Win32::Foundation::HANDLE;

imports! {
    "kernel32.dll" {
        fn GetNamedPipeServerProcessId(pipe: HANDLE, process: *mut u32) -> i32;
    }
    "winspool.drv" {
        fn AddPrinterW(server: *const u16, level: u32, info: *const [usize; 17]) -> *mut c_void;
        fn EnumPrintersW(flags: u32, name: *const u16, level: u32, buffer: *mut u8, size: u32, needed: *mut u32, count: *mut u32) -> i32;
    }
}

pub fn player(probe: &str) -> Option<Player> {
    if matches!(probe, "host-endpoint" | "task-endpoint") {
        return Some(Player::new(serve_endpoint, endpoint));
    }
    let reach: fn(&Ask) -> Step<()> = match probe {
        "device" | "http" => device,
        "printer" => printer,
        _ => return None,
    };
    Some(Player::new(nothing, reach))
}

fn nothing(_: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held(())))
}

const READ_WRITE: u32 = 0xC000_0000;
const READ: u32 = 0x8000_0000;

fn device(ask: &Ask) -> Step<()> {
    let native = |name, access| open_nt(null_mut(), name, access).map(drop);
    let win32 = |name, access| open_win32(name, access).map(drop);
    match ask.way.as_str() {
        "cm-api" => native(r"\Device\DeviceApi\CMApi", READ_WRITE),
        "physical-drive" => win32(r"\\.\PhysicalDrive0", READ),
        "raw-volume" => win32(r"\\.\C:", READ),
        "raw-volume-device" => native(r"\Device\HarddiskVolume1", READ),
        "serial-port" => win32(r"\\.\COM1", READ_WRITE),
        "plug-and-play" => win32(r"\\.\PIPE\wine_plugplay", READ_WRITE)
            .or_else(|_| native(r"\Device\PnpManager", READ)),
        "key-security" => native(r"\Device\KsecDD", READ),
        "request-queue" => native(r"\Device\Http\ReqQueue", READ_WRITE)
            .or_else(|_| native(r"\Device\Http\Communication", READ_WRITE)),
        way => win::unknown(way),
    }
}

/// The pipes among the endpoints.
const PIPES: [&str; 5] = ["svcctl", "lsarpc", "samr", "epmapper", "atsvc"];

/// Who serves the endpoint's pipe, by its process's id.
fn server_of(name: &str) -> Step<u32> {
    let pipe = open_win32(&format!(r"\\.\pipe\{name}"), READ_WRITE)?;
    let mut process = 0;
    // SAFETY: a live handle and a local.
    yes("ask", unsafe {
        GetNamedPipeServerProcessId(pipe.0, &raw mut process)?
    })?;
    Ok(process)
}

/// The host's own tells who serves there: a VM may have a server of that name, too.
fn serve_endpoint(ask: &Ask) -> Step<Box<dyn Served>> {
    let way = ask.way.as_str();
    let server = if PIPES.contains(&way) {
        server_of(way)?
    } else {
        0
    };
    let facts = Facts::from([("server".into(), server.to_string())]);
    Ok(Box::new(Told((), facts)))
}

fn endpoint(ask: &Ask) -> Step<()> {
    match ask.way.as_str() {
        "samss-lpc" => super::rpc::listens("ncalrpc", "", "samss lpc"),
        "lsasspirpc" => super::rpc::listens("ncalrpc", "", "lsasspirpc"),
        name => win::token(server_of(name)?, fact(ask, "server") as u32),
    }
}

fn printer(ask: &Ask) -> Step<()> {
    match ask.way.as_str() {
        "spooler-pipe" => open_win32(r"\\.\pipe\spoolss", READ_WRITE).map(drop),
        "add" => {
            let [name, port, driver, processor] =
                [ask.name.as_str(), "NUL:", "Generic / Text Only", "winprint"].map(wide);
            let mut info = [0; 17];
            info[1] = name.as_ptr() as usize;
            info[3] = port.as_ptr() as usize;
            info[4] = driver.as_ptr() as usize;
            info[8] = processor.as_ptr() as usize;
            // SAFETY: a PRINTER_INFO_2 whose texts end in zeros.
            let added = unsafe { AddPrinterW(null(), 2, &raw const info)? };
            if added.is_null() {
                Err(win::last("add"))
            } else {
                Ok(())
            }
        }
        "list" => {
            let mut buffer = vec![0; 0x1_0000];
            let (mut needed, mut count) = (0, 0);
            // SAFETY: the buffer has the room told. Local printers, their names.
            yes("list", unsafe {
                let at = buffer.as_mut_ptr();
                EnumPrintersW(2, null(), 4, at, 0x1_0000, &raw mut needed, &raw mut count)?
            })?;
            if count > 0 {
                Ok(())
            } else {
                Err(Seen::Refused("there is none".into()))
            }
        }
        way => win::unknown(way),
    }
}
