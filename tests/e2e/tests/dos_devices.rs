//! DOS device names of a VM's own: what `DefineDosDevice` makes inside leads into the VM's layer, is seen by its
//! members only, and stays as long as the VM runs.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::fs;

/// `ERROR_FILE_NOT_FOUND`, `ERROR_ACCESS_DENIED`, `ERROR_ALREADY_EXISTS` (winerror.h).
const NOT_FOUND: u32 = 2;
const DENIED: u32 = 5;
const EXISTS: u32 = 183;

/// Does the story in the VM, or on the host; each answer is a value or an error.
fn story(world: &World, vm: Option<&str>, operations: &[&[&str]]) -> Vec<Value> {
    let folder = world.windows_work();
    let mut words = Vec::new();
    for operation in operations {
        if !words.is_empty() {
            words.push(";".to_owned());
        }
        words.extend(operation.iter().map(|word| word.replace('@', &folder)));
    }
    let program = world.host.path_of("files_keys");
    let run = match vm {
        Some(vm) => world.pinion(["exec", vm, "--", &program]).args(words).run(),
        None => world.host.program("files_keys").args(words).run(),
    };
    let Value::Array(answers) = run.expect(0).json() else {
        panic!("no answers");
    };
    answers
        .iter()
        .map(|answer| match &answer["error"] {
            error if *error == json!(0) => answer["value"].clone(),
            error => error.clone(),
        })
        .collect()
}

/// A host with a folder, and a VM that runs.
fn world() -> World {
    let world = World::new();
    fs::create_dir(world.work().join("dir")).expect("a folder");
    fs::write(world.work().join("dir/host.txt"), "host").expect("a file");
    world.sleeper("one", 120);
    world
}

#[test]
fn a_drive_of_the_vm_leads_into_its_layer() {
    let world = world();
    let defined = story(&world, Some("one"), &[&["device-define", "M:", "@\\dir"]]);
    assert_eq!(defined, [Value::Null]);
    // Another program of the VM, the first has ended.
    let answers = story(
        &world,
        Some("one"),
        &[
            &["device-query", "M:"],
            &["file-read", "M:\\host.txt"],
            &["file-write", "M:\\own.txt", "own"],
            &["file-read", "@\\dir\\own.txt"],
            &["folder-list", "M:\\"],
            &["device-define", "N:", "M:\\"],
            &["file-append", "N:\\host.txt", "+vm"],
            &["file-read", "M:\\host.txt"],
            // Wine has room for two letters only.
            &["device-define", "DV", "@\\dir"],
            &["file-read", "\\\\.\\DV\\own.txt"],
        ],
    );
    let target = format!(r"\??\{}\dir", world.windows_work());
    let expected = [
        json!([target]),
        json!("host"),
        Value::Null,
        json!("own"),
        json!(["host.txt", "own.txt"]),
        Value::Null,
        Value::Null,
        json!("host+vm"),
        Value::Null,
        json!("own"),
    ];
    assert_eq!(answers, expected);
    let answers = story(&world, Some("one"), &[&["drives"], &["device-list"]]);
    let letters = answers[0].as_u64().expect("a number");
    assert_eq!(letters >> 12 & 3, 3, "{letters:x}");
    assert_eq!(letters >> 2 & 1, 1, "C: of the host is seen, too");
    let names = answers[1].as_array().expect("names");
    for name in ["M:", "N:", "C:"] {
        assert!(names.contains(&json!(name)), "{name}: {names:?}");
    }
    assert_eq!(
        fs::read_to_string(world.work().join("dir/host.txt")).expect("text"),
        "host"
    );
    assert!(!world.work().join("dir/own.txt").exists());
}

#[test]
fn nobody_else_sees_a_drive_of_the_vm() {
    let world = world();
    world.sleeper("two", 120);
    story(&world, Some("one"), &[&["device-define", "M:", "@\\dir"]]);
    let looks: &[&[&str]] = &[&["device-query", "M:"], &["file-read", "M:\\host.txt"]];
    let host = story(&world, None, looks);
    assert_eq!(host[0], json!(NOT_FOUND));
    assert!(host[1].is_number(), "{host:?}");
    assert_eq!(story(&world, Some("two"), looks), host);
    // The same name is another's, too.
    fs::create_dir(world.work().join("other")).expect("a folder");
    story(&world, Some("two"), &[&["device-define", "M:", "@\\other"]]);
    let list: &[&[&str]] = &[&["folder-list", "M:\\"]];
    assert_eq!(story(&world, Some("one"), list), [json!(["host.txt"])]);
    assert_eq!(story(&world, Some("two"), list), [json!([])]);
}

#[test]
fn names_are_given_up_and_those_of_the_host_are_not_taken() {
    let world = world();
    let answers = story(
        &world,
        Some("one"),
        &[
            &["device-define", "C:", "@\\dir"],
            &["device-raw", "M:", "\\Device\\Null"],
            &["device-define", "M:", "@\\dir"],
            &["device-define", "M:", "@\\dir"],
            &["device-drop", "M:"],
            &["device-query", "M:"],
            &["device-drop", "C:"],
            &["file-read", "@\\dir\\host.txt"],
        ],
    );
    let expected = [
        json!(EXISTS),
        json!(DENIED),
        Value::Null,
        json!(EXISTS),
        Value::Null,
        json!(NOT_FOUND),
        json!(DENIED),
        json!("host"),
    ];
    assert_eq!(answers, expected);
    let c = story(&world, None, &[&["device-query", "C:"]]);
    assert!(c[0].is_array(), "the host's own is there still: {c:?}");
}
