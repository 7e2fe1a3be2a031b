//! Programs of Unix, which Wine starts for a file that is no image of Windows,
//! outside of all jobs and without the agent: none is started from inside.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const BAD_EXE_FORMAT: u32 = 193;
const INVALID_IMAGE_NOT_MZ: u32 = 0xC000_012F;

/// A file that may be executed; its Windows path.
fn executable(world: &World, name: &str, contents: &str) -> String {
    let path = world.file(name, contents.as_bytes());
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(world.work().join(name), mode).expect("the mode is set");
    path
}

fn mark(world: &World, name: &str) -> PathBuf {
    world.work().join(format!("mark-{name}"))
}

/// What a shell does to leave the mark.
fn command(mark: &Path) -> String {
    format!(": >{}", mark.display())
}

/// The programs, each with its arguments, that would leave the mark.
fn programs(world: &World, mark: &Path) -> Vec<Vec<String>> {
    let script = format!("#!/bin/sh\n{}\n", command(mark));
    let shell = |path: &str| vec![path.to_owned(), "-c".into(), command(mark)];
    vec![
        shell(r"Z:\bin\sh"),
        shell(r"\\?\unix\bin\sh"),
        vec![executable(world, "script", &script)],
        vec![executable(world, "script.exe", &script)],
    ]
}

fn start(world: &World, inside: bool, program: &[String]) -> Value {
    let mut words = vec!["process"];
    words.extend(program.iter().map(String::as_str));
    if inside {
        return world.exec("inside", "unix_start", &words).expect(0).json();
    }
    world
        .host
        .program("unix_start")
        .args(words)
        .run()
        .expect(0)
        .json()
}

#[test]
fn a_file_that_is_no_image_is_no_program_inside() {
    let world = World::new();
    world.sleeper("inside", 60);
    for (number, name) in ["outside", "inside"].into_iter().enumerate() {
        let mark = mark(&world, name);
        for program in programs(&world, &mark) {
            let _ = std::fs::remove_file(&mark);
            let told = start(&world, number == 1, &program);
            std::thread::sleep(std::time::Duration::from_millis(200));
            if number == 1 {
                let refused = json!({ "error": BAD_EXE_FORMAT, "status": INVALID_IMAGE_NOT_MZ });
                assert_eq!(told, refused, "{program:?}");
                assert!(!mark.exists(), "{program:?} ran");
            } else {
                assert!(mark.exists(), "the host can start {program:?}: {told}");
            }
        }
    }
    let short = executable(&world, "short.exe", "MZ");
    let told = start(&world, true, &[short]);
    assert_eq!(told["error"], BAD_EXE_FORMAT, "{told}");
}

#[test]
fn a_batch_file_is_still_the_command_processors() {
    let world = World::new();
    world.sleeper("inside", 60);
    let batch = executable(&world, "seven.cmd", "@exit 7\r\n");
    assert_eq!(
        start(&world, true, &[batch]),
        json!({ "error": 0, "code": 7 })
    );
    let mark = mark(&world, "batch");
    let script = format!("#!/bin/sh\n{}\nexit 0\n", command(&mark));
    let batch = executable(&world, "script.bat", &script);
    assert_eq!(start(&world, true, &[batch])["error"], 0);
    assert!(!mark.exists(), "a shell of Unix had it");
}

#[test]
fn no_service_is_a_program_of_unix() {
    let world = World::new();
    world.sleeper("inside", 60);
    let mark = mark(&world, "service");
    let script = format!("#!/bin/sh\n{}\n", command(&mark));
    let script = executable(&world, "service script", &script);
    for line in [
        format!(r#"Z:\bin\sh -c "{}""#, command(&mark)),
        format!("\"{script}\""),
        script,
    ] {
        let told = world.exec("inside", "unix_start", &["service", "of-unix", &line]);
        assert_eq!(told.expect(0).json()["error"], BAD_EXE_FORMAT, "{line}");
        assert!(!mark.exists(), "{line} ran");
    }
}
