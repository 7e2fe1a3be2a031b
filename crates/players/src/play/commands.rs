//! Programs that are started by another than the one who wants it: one that runs
//! outside of the VM leaves its mark on the host.

use super::sockets::io;
use super::{Player, Served};
use crate::imports;
use crate::win::{self, Step, wide};
use core::ffi::c_char;
use core::ptr::null;
use pinion_probes::{Ask, Seen};
use std::ffi::CString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use windows_sys::Win32::Foundation::NTSTATUS;

imports! {
    "ntdll.dll" {
        fn __wine_unix_spawnvp(words: *const *const c_char, wait: i32) -> NTSTATUS;
    }
    "shell32.dll" {
        fn ShellExecuteW(window: isize, verb: *const u16, file: *const u16, arguments: *const u16, folder: *const u16, show: i32) -> isize;
    }
}

pub fn player(probe: &str) -> Option<Player> {
    matches!(probe, "task" | "wmi" | "shell" | "unix").then_some(Player::new(serve, reach))
}

/// Where a program leaves its mark.
fn mark(ask: &Ask) -> PathBuf {
    let folder = match ask.way.as_str() {
        "file" => PathBuf::from(r"\\?\unix\tmp"),
        "drive" => PathBuf::from(r"Z:\tmp"),
        _ => std::env::temp_dir(),
    };
    folder.join(format!("{}-{:x}", ask.name, ask.token))
}

struct Marks(PathBuf);

impl Served for Marks {
    fn felt(&mut self, _: u32) -> bool {
        self.0.exists()
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Marks(mark(ask))))
}

fn reach(ask: &Ask) -> Step<()> {
    let mark = mark(ask);
    let own = std::env::current_exe().map_err(|error| io(&error))?;
    let (own, mark_text) = (own.display().to_string(), mark.display().to_string());
    let line = format!(r#""{own}" mark "{mark_text}""#);
    match (ask.probe.as_str(), ask.way.as_str()) {
        ("task", "schtasks") => {
            let made = [
                "/create", "/f", "/sc", "once", "/st", "23:59", "/tn", &ask.name, "/tr", &line,
            ];
            run("schtasks.exe", &made)?;
            let ran = run("schtasks.exe", &["/run", "/tn", &ask.name]);
            std::thread::sleep(std::time::Duration::from_millis(500));
            let _ = run("schtasks.exe", &["/delete", "/f", "/tn", &ask.name]);
            ran?;
        }
        ("task", "at") => run("at.exe", &["23:59", &line])?,
        ("wmi", "process-create") => run("wmic.exe", &["process", "call", "create", &line])?,
        ("shell", "start") => run("start.exe", &["/wait", &own, "mark", &mark_text])?,
        ("shell", "explorer") => {
            let batch = mark.with_extension("cmd");
            fs::write(&batch, &line).map_err(|error| io(&error))?;
            let ran = run("explorer.exe", &[&batch.display().to_string()]);
            let _ = fs::remove_file(&batch);
            ran?;
        }
        ("shell", "command-processor") => run("cmd.exe", &["/c", &own, "mark", &mark_text])?,
        ("shell", "shell-execute") => shell_execute(&own, &format!(r#"mark "{mark_text}""#))?,
        ("unix", "file" | "drive") => fs::write(&mark, "mark").map_err(|error| io(&error))?,
        ("unix", way) => unix(way, &mark_text)?,
        (_, way) => return win::unknown(way),
    }
    // What was started has a moment.
    std::thread::sleep(std::time::Duration::from_millis(300));
    Err(Seen::Other("started".into()))
}

/// Starts a shell of Unix that leaves the mark.
fn unix(way: &str, mark: &str) -> Step<()> {
    const SHELL: &str = r"Z:\bin\sh";
    let mark = mark.replace('\\', "/");
    let mark = mark.split_once(':').map_or(&*mark, |(_, rest)| rest);
    // A Unix program knows no drive: what it is told, a shell finds below the prefix's.
    let script = format!(": >$WINEPREFIX/drive_c{mark}");
    match way {
        "start" => run(SHELL, &["-c", &script]),
        "start-command" => run("start.exe", &["/wait", "/unix", "/bin/sh", "-c", &script]),
        "shell-execute" => shell_execute(SHELL, &format!("-c \"{script}\"")),
        "spawn" => {
            let words = ["sh", "-c", &script].map(|word| CString::new(word).unwrap_or_default());
            let mut words = words.each_ref().map(|word| word.as_ptr()).to_vec();
            words.push(null());
            // SAFETY: texts that end in zeros, in an array that ends in none.
            win::nt("spawn", unsafe { __wine_unix_spawnvp(words.as_ptr(), 1)? })
        }
        way => win::unknown(way),
    }
}

/// Runs a program to its end, but no longer than it may take.
fn run(program: &str, arguments: &[&str]) -> Step<()> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Seen::Missing(program.into()),
        _ => io(&error),
    })?;
    for _ in 0..150 {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(Seen::Refused(format!("{program}: {status}"))),
            Ok(None) => std::thread::sleep(std::time::Duration::from_millis(20)),
            Err(error) => return Err(io(&error)),
        }
    }
    let _ = child.kill();
    Err(Seen::Refused(format!("{program} did not end")))
}

fn shell_execute(program: &str, arguments: &str) -> Step<()> {
    let [verb, program, arguments] = ["open", program, arguments].map(wide);
    // SAFETY: all texts end in zeros. Hidden.
    let told = unsafe {
        ShellExecuteW(
            0,
            verb.as_ptr(),
            program.as_ptr(),
            arguments.as_ptr(),
            null(),
            0,
        )?
    };
    if told > 32 {
        Ok(())
    } else {
        Err(win::error("start", told as u32))
    }
}

/// What a program that was started does: it leaves the mark.
pub fn leave_mark(path: &str) -> i32 {
    i32::from(fs::write(path, "mark").is_err())
}
