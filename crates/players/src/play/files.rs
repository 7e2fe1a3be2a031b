//! A file with the secret in it, in every form of its name, and what a client
//! can change of it.

use super::pipe::{open_nt, open_win32};
use super::sockets::io;
use super::window::fact;
use super::{Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, last, nt, wide, with_attributes, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Facts, Seen};
use std::fs;
use std::os::windows::io::FromRawHandle;
use std::path::{Path, PathBuf};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "kernel32.dll" {
        fn GetShortPathNameW(path: *const u16, short: *mut u16, room: u32) -> u32;
        fn GetFileInformationByHandle(file: HANDLE, told: *mut [u32; 13]) -> i32;
        fn OpenFileById(hint: HANDLE, id: *const [u64; 3], access: u32, share: u32, security: *const c_void, flags: u32) -> HANDLE;
        fn CreateFileW(name: *const u16, access: u32, share: u32, security: *const c_void, disposition: u32, flags: u32, template: HANDLE) -> HANDLE;
        fn CreateFileMappingW(file: HANDLE, security: *const c_void, protection: u32, high: u32, low: u32, name: *const u16) -> HANDLE;
        fn MapViewOfFile(section: HANDLE, access: u32, high: u32, low: u32, size: usize) -> *mut u8;
        fn UnmapViewOfFile(at: *mut u8) -> i32;
        fn LockFile(file: HANDLE, low: u32, high: u32, length: u32, more: u32) -> i32;
        fn FindFirstChangeNotificationW(path: *const u16, subtree: i32, filter: u32) -> HANDLE;
        fn FindCloseChangeNotification(notice: HANDLE) -> i32;
        fn WaitForSingleObject(object: HANDLE, milliseconds: u32) -> u32;
        fn QueryDosDeviceW(device: *const u16, target: *mut u16, room: u32) -> u32;
        fn GetFileAttributesW(name: *const u16) -> u32;
        fn GetFileAttributesExW(name: *const u16, level: i32, told: *mut [u32; 9]) -> i32;
    }
    "ntdll.dll" {
        fn NtDeleteFile(oa: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
    }
}

const READ: u32 = 0x8000_0000;

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "file" => Player::new(serve, reach),
        "file-change" => Player::new(serve, change),
        "file-notice" => Player::new(serve_notice, make_noise),
        "file-lock" => Player::new(serve_lock, reach_lock),
        _ => return None,
    })
}

/// The folder of all probes' files; it stays empty.
fn folder() -> PathBuf {
    std::env::temp_dir().join("pinion-probe")
}

fn path(ask: &Ask) -> PathBuf {
    folder().join(format!("{} a file.txt", ask.name))
}

/// What a path is below its drive: `C`, and the rest.
fn parts(path: &Path) -> (String, String) {
    let text = path.to_string_lossy();
    let (drive, rest) = text.split_once(":\\").unwrap_or(("C", &text));
    (drive.to_uppercase(), rest.to_owned())
}

/// A file that is gone with the value.
struct File(PathBuf, Facts);

impl Served for File {
    fn facts(&self) -> Facts {
        self.1.clone()
    }

    fn felt(&mut self, token: u32) -> bool {
        fs::read_to_string(&self.0).map_or(true, |text| text.contains(&token.to_string()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        // When it is empty.
        let _ = fs::remove_dir(folder());
    }
}

fn make(path: &Path, text: &str) -> Step<()> {
    fs::create_dir_all(folder())
        .and_then(|()| fs::write(path, text))
        .map_err(|error| io(&error))
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let path = path(ask);
    make(&path, &ask.secret.to_string())?;
    let name = wide(&path.to_string_lossy());
    let (mut short, mut told) = ([0; 512], [0; 13]);
    // SAFETY: the name ends in a zero; the buffers have the room told.
    let length = unsafe {
        let file = open_win32(&path.to_string_lossy(), READ)?;
        let _ = GetFileInformationByHandle(file.0, &raw mut told);
        GetShortPathNameW(name.as_ptr(), short.as_mut_ptr(), 511)?
    };
    let id = u64::from(told[11]) << 32 | u64::from(told[12]);
    let short = String::from_utf16_lossy(short.get(..length as usize).unwrap_or(&[]));
    let facts = Facts::from([("short".into(), short), ("id".into(), id.to_string())]);
    Ok(Box::new(File(path, facts)))
}

fn is_secret(text: &str, ask: &Ask) -> Step<()> {
    win::token(text.trim().parse().unwrap_or(0), ask.secret)
}

fn read(path: impl AsRef<Path>, ask: &Ask) -> Step<()> {
    is_secret(&fs::read_to_string(path).map_err(|error| io(&error))?, ask)
}

fn read_handle(handle: Handle, ask: &Ask) -> Step<()> {
    let handle = std::mem::ManuallyDrop::new(handle);
    // SAFETY: the handle is nobody else's from here on.
    let mut file = unsafe { fs::File::from_raw_handle(handle.0) };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut file, &mut text).map_err(|error| io(&error))?;
    is_secret(&text, ask)
}

/// Another form of the file's name, as Win32 takes it.
fn form(way: &str, path: &Path, ask: &Ask) -> Step<Option<String>> {
    let text = path.to_string_lossy();
    let (drive, rest) = parts(path);
    Ok(Some(match way {
        "open" | "write" | "append" => text.into_owned(),
        "upper-case" => text.to_uppercase(),
        "long-form" => format!(r"\\?\{text}"),
        "unc" => format!(r"\\localhost\{drive}$\{rest}"),
        "global-root" => format!(r"\\?\GLOBALROOT{}\{rest}", volume(&drive)?),
        "short-name" => ask.facts.get("short").cloned().unwrap_or_default(),
        "real-path" => format!(r"{}\{drive}\{rest}", ask.place.files),
        _ => return Ok(None),
    }))
}

/// The volume that a drive leads to.
fn volume(drive: &str) -> Step<String> {
    let (name, mut room) = (wide(&format!("{drive}:")), [0; 256]);
    // SAFETY: the name ends in a zero; the buffer has the room told.
    let length = unsafe { QueryDosDeviceW(name.as_ptr(), room.as_mut_ptr(), 255)? };
    if length == 0 {
        return Err(last("the volume"));
    }
    let text = String::from_utf16_lossy(&room[..length as usize]);
    Ok(text.trim_end_matches('\0').to_owned())
}

fn reach(ask: &Ask) -> Step<()> {
    let path = path(ask);
    if let Some(form) = form(&ask.way, &path, ask)? {
        return read(form, ask);
    }
    let text = path.to_string_lossy();
    match ask.way.as_str() {
        "nt-path" => read_handle(open_nt(null_mut(), &format!(r"\??\{text}"), READ)?, ask),
        "relative" => {
            let above = path.parent().unwrap_or(&path).to_string_lossy();
            let above = open_nt(null_mut(), &format!(r"\??\{above}"), 1)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            read_handle(open_nt(above.0, &name, READ)?, ask)
        }
        "by-id" => by_id(ask),
        "hard-link" => through_link(&path, ask),
        "real-hard-link" => {
            let (drive, rest) = parts(&path);
            through_link(
                Path::new(&format!(r"{}\{drive}\{rest}", ask.place.files)),
                ask,
            )
        }
        "attributes" => fs::metadata(&path).map(drop).map_err(|error| io(&error)),
        "attributes-by-name" => {
            let name = wide(&path.to_string_lossy());
            // SAFETY: the name ends in a zero.
            let told = unsafe { GetFileAttributesW(name.as_ptr())? };
            yes("the attributes", i32::from(told != u32::MAX))
        }
        "attributes-in-full" => {
            let (name, mut told) = (wide(&path.to_string_lossy()), [0; 9]);
            // SAFETY: the name ends in a zero; the room is that of WIN32_FILE_ATTRIBUTE_DATA.
            yes("the attributes", unsafe {
                GetFileAttributesExW(name.as_ptr(), 0, &raw mut told)?
            })
        }
        "listed" => {
            let mut all = fs::read_dir(folder()).map_err(|error| io(&error))?;
            let is_it = |entry: std::io::Result<fs::DirEntry>| {
                entry.is_ok_and(|entry| entry.path() == path)
            };
            if all.any(is_it) {
                Ok(())
            } else {
                Err(Seen::Refused("it is in no list".into()))
            }
        }
        way => win::unknown(way),
    }
}

fn by_id(ask: &Ask) -> Step<()> {
    let (drive, _) = parts(&folder());
    let root = wide(&format!(r"{drive}:\"));
    let id = [24, fact(ask, "id") as u64, 0];
    // SAFETY: the name ends in a zero; the id is a local of the size that it tells.
    let opened = unsafe {
        // A folder: FILE_FLAG_BACKUP_SEMANTICS.
        let root = CreateFileW(root.as_ptr(), READ, 7, null(), 3, 0x200_0000, null_mut())?;
        let root = win::handle("the volume", root)?;
        OpenFileById(root.0, &raw const id, READ, 7, null(), 0)?
    };
    read_handle(win::handle("open", opened)?, ask)
}

/// Another name of the file, of the client's own making.
fn through_link(path: &Path, ask: &Ask) -> Step<()> {
    let link = std::env::temp_dir().join(format!("{}-link", ask.name));
    fs::hard_link(path, &link).map_err(|error| io(&error))?;
    let seen = read(&link, ask);
    let _ = fs::remove_file(&link);
    seen
}

/// Leaves the token in the file, or takes it away.
fn change(ask: &Ask) -> Step<()> {
    let path = path(ask);
    let token = ask.token.to_string();
    let failed = |error: std::io::Error| io(&error);
    let beside = std::env::temp_dir().join(format!("{}-beside", ask.name));
    if ask.way == "nt-path" {
        let file = open_nt(null_mut(), &format!(r"\??\{}", path.display()), 0x4000_0000)?;
        let file = std::mem::ManuallyDrop::new(file);
        // SAFETY: the handle is nobody else's from here on.
        let mut file = unsafe { fs::File::from_raw_handle(file.0) };
        std::io::Write::write_all(&mut file, token.as_bytes()).map_err(failed)?;
    } else if let Some(form) = form(&ask.way, &path, ask)? {
        let mut options = fs::File::options();
        let file = options.append(ask.way == "append").write(true).open(form);
        let written =
            file.and_then(|mut file| std::io::Write::write_all(&mut file, token.as_bytes()));
        written.map_err(failed)?;
    } else {
        match ask.way.as_str() {
            "delete" => fs::remove_file(&path).map_err(failed)?,
            "nt-delete" => {
                let name = format!(r"\??\{}", path.display());
                // SAFETY: the attributes outlive the call.
                let status = with_attributes(null_mut(), &name, |oa| unsafe { NtDeleteFile(oa) })?;
                nt("delete", status)?;
            }
            "rename" => {
                fs::rename(&path, &beside).map_err(failed)?;
                let _ = fs::remove_file(&beside);
            }
            "hard-link" => {
                fs::hard_link(&path, &beside).map_err(failed)?;
                let written = fs::write(&beside, &token);
                let _ = fs::remove_file(&beside);
                written.map_err(failed)?;
            }
            "map" => map(&path, &token)?,
            way => return win::unknown(way),
        }
    }
    Err(Seen::Other("changed, or so it was told".into()))
}

fn map(path: &Path, token: &str) -> Step<()> {
    // SAFETY: the view is as long as the file at least, which has as many digits as the token.
    unsafe {
        let file = open_win32(&path.to_string_lossy(), 0xC000_0000)?;
        let section = CreateFileMappingW(file.0, null(), 4, 0, 0, null())?;
        let section = win::handle("the section", section)?;
        let view = MapViewOfFile(section.0, 2, 0, 0, 0)?;
        if view.is_null() {
            return Err(last("the view"));
        }
        view.copy_from_nonoverlapping(token.as_ptr(), token.len());
        let _ = UnmapViewOfFile(view);
    }
    Ok(())
}

/// A wait for changes of a folder of the probe's own.
struct Notice(HANDLE, PathBuf);

impl Served for Notice {
    fn felt(&mut self, _: u32) -> bool {
        // SAFETY: a notice of this value's own.
        matches!(unsafe { WaitForSingleObject(self.0, 0) }, Ok(0))
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        // SAFETY: a notice of this value's own.
        let _ = unsafe { FindCloseChangeNotification(self.0) };
        let _ = fs::remove_dir_all(&self.1);
    }
}

fn serve_notice(ask: &Ask) -> Step<Box<dyn Served>> {
    let place = folder().join(&ask.name);
    fs::create_dir_all(&place).map_err(|error| io(&error))?;
    let name = wide(&place.to_string_lossy());
    // SAFETY: the name ends in a zero. Names of files.
    let notice = unsafe { FindFirstChangeNotificationW(name.as_ptr(), 1, 1)? };
    let notice = std::mem::ManuallyDrop::new(win::handle("the notice", notice)?);
    Ok(Box::new(Notice(notice.0, place)))
}

/// What a client makes that does not see the server's folder goes again: a later watch inside would hear of a
/// folder that the host has, too, which shows through by design.
fn make_noise(ask: &Ask) -> Step<()> {
    let place = folder().join(&ask.name);
    let is_own = !place.exists();
    let made = fs::create_dir_all(&place).and_then(|()| fs::write(place.join("new"), "new"));
    made.map_err(|error| io(&error))?;
    let _ = fs::remove_file(place.join("new"));
    if is_own {
        let _ = fs::remove_dir(&place);
    }
    Err(Seen::Other("made".into()))
}

/// A file that is locked, or shared with nobody.
struct Locked(
    #[allow(dead_code, reason = "kept for its end")] Handle,
    PathBuf,
);

impl Served for Locked {}

impl Drop for Locked {
    fn drop(&mut self) {
        self.0 = Handle(null_mut());
        let _ = fs::remove_file(&self.1);
    }
}

fn serve_lock(ask: &Ask) -> Step<Box<dyn Served>> {
    let path = path(ask);
    make(&path, "locked")?;
    let name = wide(&path.to_string_lossy());
    let share = if ask.way == "lock" { 7 } else { 0 };
    // SAFETY: the name ends in a zero; the handle is live.
    let file = unsafe {
        let file = CreateFileW(name.as_ptr(), 0xC000_0000, share, null(), 3, 0, null_mut())?;
        let file = win::handle("open", file)?;
        if ask.way == "lock" {
            yes("lock", LockFile(file.0, 0, 0, 1, 0)?)?;
        }
        file
    };
    Ok(Box::new(Locked(file, path)))
}

/// That it cannot be had shows that the server has it. A VM that does not see the
/// file makes its own.
fn reach_lock(ask: &Ask) -> Step<()> {
    let path = path(ask);
    let name = wide(&path.to_string_lossy());
    // SAFETY: the name ends in a zero; the handle is live. OPEN_ALWAYS.
    unsafe {
        let file = CreateFileW(name.as_ptr(), 0xC000_0000, 7, null(), 4, 0, null_mut())?;
        let file = match win::handle("open", file) {
            Ok(file) => file,
            // ERROR_SHARING_VIOLATION
            Err(Seen::Refused(text)) if text.ends_with(" 32") => return Ok(()),
            Err(seen) => return Err(seen),
        };
        if ask.way == "lock" && LockFile(file.0, 0, 0, 1, 0)? == 0 {
            return Ok(());
        }
    }
    Err(Seen::Refused("it was free".into()))
}
