//! Files: what a VM writes is its own, the host's stay as they are, and the two
//! together look like one disk.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every operation of the Win32 functions, on the tree that [`plant`] makes.
/// `@` stands for its folder.
const STORY: &[&[&str]] = &[
    &["file-read", "@\\a.txt"],
    &["file-append", "@\\a.txt", "+more"],
    &["file-read", "@\\a.txt"],
    &["file-stat", "@\\new.txt"],
    &["file-write", "@\\new.txt", "n"],
    &["file-read", "@\\new.txt"],
    &["file-stat", "@\\fresh\\x"],
    &["file-find", "@\\fresh\\x"],
    &["folder-make", "@\\fresh"],
    &["file-find", "@\\FRESH"],
    &["file-stat", "@\\fresh\\x"],
    &["file-find", "@\\fresh\\x"],
    &["file-write", "@\\fresh\\x", "f"],
    &["file-find", "@\\fresh\\X"],
    &["file-read", "@\\fresh\\x"],
    &["file-delete", "@\\fresh\\x"],
    &["file-find", "@\\fresh\\x"],
    &["file-stat", "@\\fresh\\x"],
    &["file-find", "@\\sub"],
    &["file-find", "@\\SUB\\b.txt"],
    &["folder-list", "@"],
    &["file-delete", "@\\a.txt"],
    &["file-read", "@\\a.txt"],
    &["file-stat", "@\\a.txt"],
    &["file-find", "@\\a.txt"],
    &["folder-list", "@"],
    &["file-write", "@\\a.txt", "again"],
    &["file-find", "@\\A.txt"],
    &["file-read", "@\\A.TXT"],
    &["file-rename", "@\\a.txt", "@\\sub\\c.txt"],
    &["folder-list", "@"],
    &["folder-list", "@\\sub"],
    &["folder-delete", "@\\sub"],
    &["file-rename", "@\\sub\\deep", "@\\moved"],
    &["folder-list", "@\\sub"],
    &["file-read", "@\\moved\\d.txt"],
    &["file-delete", "@\\moved\\d.txt"],
    &["folder-list", "@\\moved"],
    &["folder-delete", "@\\moved"],
    &["folder-make", "@\\moved"],
    &["folder-list", "@\\moved"],
    &["file-delete", "@\\sub\\b.txt"],
    &["file-delete", "@\\sub\\c.txt"],
    &["folder-delete", "@\\sub"],
    &["folder-list", "@"],
    &["folder-make", "@\\sub"],
    &["folder-list", "@\\sub"],
    &["file-rename", "@\\new.txt", "@\\NEW.txt"],
    &["folder-list", "@"],
    &["file-copy", "@\\NEW.txt", "@\\sub\\copy"],
    &["file-rename", "@\\sub", "@\\sub2"],
    &["file-stat", "@\\sub2\\copy"],
    &["file-rename", "@\\sub2\\copy", "@\\NEW.txt"],
    &["folder-list", "@"],
    &["file-write", "@\\none\\x", "y"],
    &["file-read", "@\\sub2"],
    &["file-write", "@\\big.bin", "short"],
    &["file-stat", "@\\big.bin"],
];

/// Makes the host's tree.
fn plant(folder: &Path) {
    fs::create_dir_all(folder.join("sub/deep")).expect("folders");
    fs::write(folder.join("a.txt"), "hello").expect("a file");
    fs::write(folder.join("sub/b.txt"), "bee").expect("a file");
    fs::write(folder.join("sub/deep/d.txt"), "d").expect("a file");
    fs::write(folder.join("big.bin"), vec![7; 200_000]).expect("a file");
}

/// Every file and folder below `folder`, with its bytes and time of change.
fn picture(folder: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        let metadata = fs::metadata(&path).expect("it is there");
        let bytes = metadata.is_file().then(|| fs::read(&path).expect("bytes"));
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).expect("a list");
            todo.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
        all.insert(path, (bytes, metadata.modified().expect("a time")));
    }
    all
}

fn words(story: &[&[&str]], folder: &str) -> Vec<String> {
    let mut words = Vec::new();
    for operation in story {
        if !words.is_empty() {
            words.push(";".to_owned());
        }
        words.extend(operation.iter().map(|word| word.replace('@', folder)));
    }
    words
}

/// The answers without the words of the operations.
fn answers(output: Output) -> Vec<Value> {
    let Value::Array(mut all) = output.expect(0).json() else {
        panic!("no list of answers");
    };
    for answer in &mut all {
        answer
            .as_object_mut()
            .expect("an answer")
            .remove("operation");
    }
    all
}

#[test]
fn a_vm_sees_its_changes_as_the_host_would_and_the_host_sees_none() {
    let world = World::new();
    let (shared, plain) = (world.work().join("shared"), world.work().join("plain"));
    plant(&shared);
    plant(&plain);
    let before = picture(&shared);
    let folder = |name: &str| format!("{}\\{name}", world.windows_work());
    let host = world
        .host
        .program("files_keys")
        .args(words(STORY, &folder("plain")));
    let outside = answers(host.run());
    let program = world.host.path_of("files_keys");
    let run = world.pinion(["run", "--name", "one", &program]);
    let inside = answers(run.args(words(STORY, &folder("shared"))).run());
    for (index, operation) in STORY.iter().enumerate() {
        assert_eq!(inside[index], outside[index], "{operation:?}");
    }
    assert_eq!(picture(&shared), before);
    let upper = picture(&world.upper("one"));
    let own = upper
        .iter()
        .find(|(path, _)| path.ends_with("shared/big.bin"));
    let bytes = own.and_then(|(_, (bytes, _))| bytes.clone());
    assert_eq!(bytes.as_deref(), Some(&b"short"[..]), "in the VM's layer");
}

#[test]
fn two_vms_change_the_same_files_apart() {
    let world = World::new();
    plant(&world.work());
    let file = format!("{}\\a.txt", world.windows_work());
    for vm in ["one", "two"] {
        world.sleeper(vm, 120);
        world
            .exec(vm, "files_keys", &["file-write", &file, vm])
            .ok();
    }
    for vm in ["one", "two"] {
        let read = answers(world.exec(vm, "files_keys", &["file-read", &file]));
        assert_eq!(read[0]["value"], vm);
    }
    world
        .exec("one", "files_keys", &["file-delete", &file])
        .ok();
    let gone = answers(world.exec("one", "files_keys", &["file-read", &file]));
    let kept = answers(world.exec("two", "files_keys", &["file-read", &file]));
    assert_eq!(
        (&gone[0]["error"], &kept[0]["value"]),
        (&json!(2), &json!("two"))
    );
    assert_eq!(
        fs::read(world.work().join("a.txt")).expect("bytes"),
        b"hello"
    );
}

/// The same by NT's own calls. `@` stands for the folder's NT name, `%` for its
/// Unix name as Wine's NT names have it.
const NT_STORY: &[&[&str]] = &[
    &["read", "@\\a.txt"],
    &["read", "\\??\\unix%\\a.txt"],
    &["read", "@\\.\\a.txt"],
    &["read", "@\\sub\\..\\a.txt"],
    &["read", "@\\none\\x"],
    &["attributes", "@\\a.txt\\x"],
    &["read-in", "@", "sub\\b.txt"],
    &["write-in", "@", "relative.txt", "r"],
    &["read-in", "@", "relative.txt"],
    &["write-in", "@\\sub", "b.txt", "over"],
    &["read-in", "@\\sub", "B.TXT"],
    &["write", "@\\sub\\deep\\e", "e"],
    &["delete-on-close", "@\\sub\\deep\\d.txt"],
    &["attributes", "@\\sub\\deep\\d.txt"],
    &["delete", "@\\big.bin"],
    &["attributes", "@\\big.bin"],
    &["list", "@", "1", "*"],
    &["list", "@", "2", ""],
    &["list", "@", "3", "*", "one"],
    &["list", "@", "12", "?.TXT"],
    &["list", "@", "37", "zz*"],
    &["list", "@", "38", "a.txt"],
    &["list", "@", "99", "*"],
    &["open", "@", "2000000"],
    &["open", "@\\a.txt", "10000000"],
];

#[test]
fn nt_calls_on_changed_files_answer_as_on_the_host() {
    let world = World::new();
    let story = |name: &str| {
        let unix = world
            .work()
            .join(name)
            .display()
            .to_string()
            .replace('/', "\\");
        let folder = format!("\\??\\{}\\{name}", world.windows_work());
        let words = words(NT_STORY, &folder);
        words.into_iter().map(move |word| word.replace('%', &unix))
    };
    plant(&world.work().join("shared"));
    plant(&world.work().join("plain"));
    let outside = answers(world.host.program("file_forms").args(story("plain")).run());
    let program = world.host.path_of("file_forms");
    let run = world.pinion(["run", "--rm", &program]);
    let inside = answers(run.args(story("shared")).run());
    for (index, operation) in NT_STORY.iter().enumerate() {
        assert_eq!(inside[index], outside[index], "{operation:?}");
    }
}

#[test]
fn names_come_back_as_asked() {
    let world = World::new();
    plant(&world.work());
    let file = format!("{}\\sub\\b.txt", world.windows_work());
    let nt = format!("\\??\\{file}");
    let outside = answers(world.host.program("file_forms").args(["told", &file]).run());
    let words = ["write", &nt, "copied up", ";", "told", &file];
    let inside = answers(world.run("file_forms", &words));
    assert_eq!(inside[1], outside[0]);
}

#[test]
fn a_program_installed_inside_runs_there_and_nowhere_else() {
    let world = World::new();
    let source = world.host.path_of("file_forms");
    let own = format!("{}\\own.exe", world.windows_work());
    let copy = format!("copy {source} {own}");
    let inside = world
        .pinion([
            "run",
            "--rm",
            "cmd",
            "/c",
            &format!("{copy} >nul & {own} program"),
        ])
        .run();
    let told = answers(inside);
    for name in ["image", "module"] {
        let name = told[0][name].as_str().expect("a name");
        assert!(name.eq_ignore_ascii_case(&own), "{told:?}");
    }
    assert!(!world.work().join("own.exe").exists());
}

#[test]
fn the_store_and_the_bare_disk_are_closed() {
    let world = World::new();
    world.sleeper("other", 120);
    let store = pinion_harness::wine::windows_path(&world.store());
    let nt = format!("\\??\\{store}");
    let unix = world.store().display().to_string().replace('/', "\\");
    let mut words = Vec::new();
    for name in [
        nt.clone(),
        format!("{nt}\\vms\\other\\vm.json"),
        format!("\\??\\unix{unix}\\vms"),
        format!("\\??\\GLOBALROOT\\??\\{store}\\vms"),
        "\\??\\C:".to_owned(),
        "\\??\\PhysicalDrive0".to_owned(),
        "\\??\\UNC\\elsewhere\\share\\x".to_owned(),
    ] {
        if !words.is_empty() {
            words.push(";".to_owned());
        }
        words.extend(["open".to_owned(), name, "80000000".to_owned()]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for (answer, name) in answers(world.run("file_forms", &words))
        .iter()
        .zip(words.chunks(4))
    {
        let closed = ["0xc0000034", "0xc000003a", "0xc0000022"]
            .contains(&answer["status"].as_str().unwrap_or(""));
        assert!(closed, "{name:?}: {answer}");
    }
    let folder = pinion_harness::wine::windows_path(world.folder());
    let list = format!("\\??\\{folder}");
    let listed = answers(world.run("file_forms", &["list", &list, "1", "*"]));
    let names = listed[0]["value"].as_array().expect("names");
    assert!(
        names.contains(&json!("work")) && !names.contains(&json!("store")),
        "{names:?}"
    );
}

#[test]
fn a_reader_does_not_change_the_host_s_times_and_attributes() {
    let world = World::new();
    let folder = world.work().join("tree");
    plant(&folder);
    let before = picture(&folder);
    let path = format!("{}\\tree\\a.txt", world.windows_work());
    let told = world.run("files_keys", &["file-touch-as-reader", &path]);
    told.ok();
    assert_eq!(picture(&folder), before);
    assert!(
        !fs::metadata(folder.join("a.txt"))
            .expect("it is there")
            .permissions()
            .readonly()
    );
}

/// A program in a VM that reads a file and lets others only read it keeps no program of the host and of another VM
/// from writing to it, renaming and deleting it.
#[test]
fn a_reader_inside_keeps_nobody_else_out() {
    let world = World::new();
    let file = world.file("read inside.txt", b"host");
    let program = world.host.path_of("files_keys");
    let mut reader = world
        .pinion(["run", "--name", "reader", &program])
        .args(["file-hold", &file, "60"])
        .spawn();
    let _ = reader.first_json();
    let moved = world.windows_work() + "\\moved.txt";
    let story = words(
        &[
            &["file-append", &file, "+more"],
            &["file-rename", &file, &moved],
            &["file-delete", &moved],
        ],
        "",
    );
    let other = world.pinion(["run", "--name", "other", &program]);
    for run in [
        other.args(&story),
        world.host.program("files_keys").args(&story),
    ] {
        for answer in answers(run.run()) {
            assert_eq!(answer["error"], 0, "{answer}");
        }
    }
    drop(reader);
}
