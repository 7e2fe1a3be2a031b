//! `pinion doctor`: whether VMs can run on this system, and how well.

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::table::table;
use pinion_channels::{Channel, State};
use pinion_store::{Store, exit_code};
use pinion_supervisor::examine;
use pinion_supervisor::survey::Survey;
use serde::Serialize;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::System::SystemInformation::{
    IMAGE_FILE_MACHINE, IMAGE_FILE_MACHINE_AMD64, OSVERSIONINFOW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, IsWow64Process2};

const AFTER: &str = "Examples:
  pinion doctor
  pinion doctor --json

Results: ok, note (a VM runs, something is not as it could be), fail (no VM runs). Ends with 0, or with
125 when something failed. System calls that this Pinion does not know are listed; those that may lead
out of a VM keep VMs from starting, unless PINION_ALLOW_UNKNOWN_CALLS is set to 1.";

/// Check whether VMs can run on this system
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Result {
    Ok,
    Note,
    Fail,
}

#[derive(Serialize)]
struct Check {
    check: &'static str,
    result: Result,
    detail: String,
}

#[derive(Serialize)]
struct Call {
    module: &'static str,
    name: String,
    refused: bool,
    why: Option<String>,
}

#[derive(Serialize)]
struct Told {
    version: &'static str,
    wine: Option<&'static str>,
    windows: String,
    checks: Vec<Check>,
    unknown_calls: Vec<Call>,
}

/// Looks at everything, also when something failed.
pub fn run(args: &Args) -> Outcome {
    let surveys = examine::surveys();
    let unknown_calls = surveys
        .as_ref()
        .map_or_else(|_| Vec::new(), |all| unknown(all));
    let mut checks = vec![system(), processor(), agent(), store(), limits()];
    match &surveys {
        Ok(all) => checks.extend(all.iter().map(calls)),
        Err(error) => checks.push(fail("system calls", error.to_string())),
    }
    checks.push(channels());
    let failed = checks.iter().any(|check| check.result == Result::Fail);
    let told = Told {
        version: env!("CARGO_PKG_VERSION"),
        wine: examine::wine_version(),
        windows: windows_version(),
        checks,
        unknown_calls,
    };
    if args.json {
        output::json(&told)?;
    } else {
        output::text(&text(&told))?;
    }
    Ok(if failed { exit_code::PINION } else { 0 })
}

fn text(told: &Told) -> String {
    let rows: Vec<_> = told
        .checks
        .iter()
        .map(|check| {
            let word = match check.result {
                Result::Ok => "ok",
                Result::Note => "note",
                Result::Fail => "fail",
            };
            [check.check.into(), word.into(), check.detail.clone()]
        })
        .collect();
    let mut text = table(["CHECK", "RESULT", "DETAIL"], &rows);
    for call in &told.unknown_calls {
        let why = call
            .why
            .as_deref()
            .unwrap_or("nothing in its name says that it leads out of a VM");
        text += &format!("unknown call {} of {}: {why}\n", call.name, call.module);
    }
    text
}

fn check(check: &'static str, result: Result, detail: impl Into<String>) -> Check {
    Check {
        check,
        result,
        detail: detail.into(),
    }
}

fn fail(name: &'static str, detail: String) -> Check {
    check(name, Result::Fail, Failure::pinion(detail).to_string())
}

fn system() -> Check {
    let windows = windows_version();
    match examine::wine_version() {
        Some(wine) => check(
            "system",
            Result::Ok,
            format!("Wine {wine}, which says it is Windows {windows}"),
        ),
        None => check(
            "system",
            Result::Note,
            format!("Windows {windows}; Pinion was never tried on Windows"),
        ),
    }
}

fn windows_version() -> String {
    let mut version = OSVERSIONINFOW {
        dwOSVersionInfoSize: size_of::<OSVERSIONINFOW>() as u32,
        ..OSVERSIONINFOW::default()
    };
    // SAFETY: the structure is a local of the size that it tells.
    unsafe { RtlGetVersion(&raw mut version) };
    let OSVERSIONINFOW {
        dwMajorVersion: major,
        dwMinorVersion: minor,
        dwBuildNumber: build,
        ..
    } = version;
    format!("{major}.{minor}.{build}")
}

fn processor() -> Check {
    let (mut process, mut native): (IMAGE_FILE_MACHINE, IMAGE_FILE_MACHINE) = (0, 0);
    // SAFETY: two locals that take the answers; the handle is this process's own.
    let done = unsafe { IsWow64Process2(GetCurrentProcess(), &raw mut process, &raw mut native) };
    match (done, native) {
        (0, _) => check(
            "processor",
            Result::Note,
            "this system does not tell its processor",
        ),
        (_, IMAGE_FILE_MACHINE_AMD64) => check(
            "processor",
            Result::Ok,
            "x86-64; 32-bit programs do not run in a VM",
        ),
        (_, other) => fail(
            "processor",
            format!("machine type {other:#x}; VMs run on x86-64 only"),
        ),
    }
}

fn agent() -> Check {
    match examine::check_agent() {
        Ok(()) => check(
            "agent",
            Result::Ok,
            "pinion_agent.dll is there, whole and of this version",
        ),
        Err(error) => fail("agent", error.to_string()),
    }
}

fn store() -> Check {
    let store = match Store::open_default() {
        Ok(store) => store,
        Err(error) => return fail("store", error.to_string()),
    };
    let root = store.root().display().to_string();
    let probe = store.root().join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"doctor").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => check("store", Result::Ok, format!("{root} can be written")),
        Err(error) => fail(
            "store",
            format!(
                "cannot write to {root}: {error}; set PINION_ROOT to a folder that you may write"
            ),
        ),
    }
}

fn limits() -> Check {
    match examine::wine_version() {
        None => check("limits", Result::Ok, "enforced by the VM's job"),
        Some(_) => check(
            "limits",
            Result::Note,
            "Wine's jobs enforce none: the supervisor looks four times a second",
        ),
    }
}

/// What the catalogue does not know of a DLL's system calls.
fn calls(survey: &Survey) -> Check {
    let name = match survey.module {
        pinion_channels::Module::Ntdll => "ntdll.dll",
        pinion_channels::Module::Win32u => "win32u.dll",
    };
    let all = survey.calls;
    let suspect = survey
        .unknown
        .iter()
        .filter(|u| u.suspicion.is_some())
        .count();
    match (survey.unknown.len(), suspect) {
        (0, _) => check(
            name,
            Result::Ok,
            format!("{all} system calls, all in the catalogue"),
        ),
        (unknown, 0) => check(
            name,
            Result::Note,
            format!(
                "{unknown} of {all} system calls are not in the catalogue; none looks as if it led out of a VM"
            ),
        ),
        (unknown, suspect) => {
            let detail = format!(
                "{unknown} of {all} system calls are not in the catalogue, and {suspect} may lead out of a VM"
            );
            if examine::allows_unknown_calls() {
                check(
                    name,
                    Result::Note,
                    format!("{detail}; {} lets them by", examine::ALLOW),
                )
            } else {
                fail(
                    name,
                    format!(
                        "{detail}: use a newer Pinion, or set {}=1 to run without confining them",
                        examine::ALLOW
                    ),
                )
            }
        }
    }
}

fn unknown(surveys: &[Survey]) -> Vec<Call> {
    let allowed = examine::allows_unknown_calls();
    let all = surveys.iter().flat_map(|survey| {
        survey.unknown.iter().map(move |unknown| Call {
            module: survey.module.file(),
            name: unknown.name.clone(),
            refused: unknown.suspicion.is_some() && !allowed,
            why: unknown.suspicion.map(|suspicion| suspicion.to_string()),
        })
    });
    all.collect()
}

/// How many channels are confined.
fn channels() -> Check {
    let count = |state: State| {
        let all = Channel::ALL.iter();
        all.filter(|channel| channel.about().state == state).count()
    };
    check(
        "channels",
        Result::Note,
        format!(
            "{} confined, {} partly, {} open; see 'pinion channels'",
            count(State::Confined),
            count(State::Partly),
            count(State::Open)
        ),
    )
}
