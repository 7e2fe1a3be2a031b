//! Calls that act on the machine, its user or all programs at once are refused
//! inside as to a user without the privilege.

use pinion_e2e::World;
use serde_json::json;

const PRIVILEGE_NOT_HELD: u32 = 0xC000_0061;
const ACCESS_DENIED: u32 = 0xC000_0022;
const ACCESS_VIOLATION: u32 = 0xC000_0005;

/// What each call that the system has must answer.
fn expected(call: &str) -> serde_json::Value {
    match call {
        "NtRaiseHardError" => json!([0, 0]),
        "NtRaiseHardError, bad pointer" => json!(ACCESS_VIOLATION),
        "NtTraceControl, start" | "NtUpdateWnfStateData" => json!(ACCESS_DENIED),
        "NtPowerInformation, read" => json!(0),
        _ => json!(PRIVILEGE_NOT_HELD),
    }
}

#[test]
fn calls_on_the_whole_machine_are_refused_as_without_the_privilege() {
    let world = World::new();
    let told = world.run("machine_calls", &[]).expect(0).json();
    let there: Vec<_> = told
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(_, status)| !status.is_null())
        .collect();
    assert!(there.len() >= 14, "{told}");
    for (call, status) in there {
        assert_eq!(*status, expected(call), "{call}: {told}");
    }
}

#[test]
fn no_program_of_unix_is_started_from_inside() {
    let world = World::new();
    let folder = std::env::temp_dir().join(format!("pinion-unix-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let touch = |name: &str| folder.join(name).display().to_string();
    let outside = world.host.program("machine_calls");
    let outside = outside.args(["unix", &touch("outside")]).run().expect(0);
    assert_eq!(outside.json()["status"], 0);
    assert!(folder.join("outside").exists(), "the host can start it");
    let inside = world.run("machine_calls", &["unix", &touch("inside")]);
    assert_eq!(inside.expect(0).json()["status"], json!(ACCESS_DENIED));
    let came = folder.join("inside").exists();
    std::fs::remove_dir_all(&folder).expect("removed");
    assert!(!came, "a Unix program ran");
}
