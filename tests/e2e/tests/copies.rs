//! `pinion cp`: files and folders go into VMs and come out of them.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Exit codes of docs/CLI.md.
const PINION: i32 = 125;
const USAGE: i32 = 2;
const NO_SUCH_VM: i32 = 120;

/// Every file and folder below `folder`, with its bytes.
fn picture(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        let bytes = path.is_file().then(|| fs::read(&path).expect("bytes"));
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a list");
            todo.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
        let below = path.strip_prefix(folder).expect("below").to_path_buf();
        all.insert(below, bytes);
    }
    all
}

fn named(names: &[(&str, Option<&str>)]) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let of = |(name, text): &(&str, Option<&str>)| {
        (
            PathBuf::from(name),
            text.map(|text| text.as_bytes().to_vec()),
        )
    };
    names.iter().map(of).collect()
}

/// A world with the folder `work\dir`, which the VM `one` has changed, and the Windows path of `work`.
fn world() -> (World, String) {
    let world = World::new();
    let dir = world.work().join("dir");
    fs::create_dir_all(dir.join("sub")).expect("folders");
    fs::create_dir_all(dir.join("cut")).expect("folders");
    for file in ["host", "gone", "changed", "sub/deep", "cut/below"] {
        fs::write(dir.join(file), "host").expect("a file");
    }
    let work = world.windows_work();
    let story = r"file-write %\dir\changed vm ; file-delete %\dir\gone ; file-write %\dir\sub\own vm ;
        file-delete %\dir\cut\below ; folder-delete %\dir\cut ; folder-make %\dir\cut ; folder-make %\dir\new";
    let words = story.replace('%', &work);
    let program = world.host.path_of("files_keys");
    let run = world.pinion(["run", "--name", "one", "--", &program]);
    run.args(words.split_whitespace()).run().ok();
    (world, work)
}

fn seen(output: &Output) -> Vec<Value> {
    let all = output.clone().expect(0).json();
    let all = all.as_array().expect("answers").iter();
    all.map(|answer| match &answer["error"] {
        error if *error == 0 => answer["value"].clone(),
        error => json!({ "error": error }),
    })
    .collect()
}

#[test]
fn what_comes_out_is_what_a_program_inside_sees() {
    let (world, work) = world();
    let expected = named(&[
        ("", None),
        ("host", Some("host")),
        ("changed", Some("vm")),
        ("sub", None),
        ("sub/deep", Some("host")),
        ("sub/own", Some("vm")),
        ("cut", None),
        ("new", None),
    ]);
    let from = format!(r"one:{work}\dir");
    world.pinion(["cp", &from, "out"]).run().ok();
    assert_eq!(picture(&world.work().join("out")), expected);
    // Into a folder that is there, and what is in it.
    fs::create_dir(world.work().join("there")).expect("a folder");
    world.pinion(["cp", &from, "there"]).run().ok();
    assert_eq!(picture(&world.work().join("there/dir")), expected);
    fs::create_dir(world.work().join("flat")).expect("a folder");
    world
        .pinion(["cp", &format!(r"{from}\."), "flat"])
        .run()
        .ok();
    assert_eq!(picture(&world.work().join("flat")), expected);
    // One file, by another case and with slashes, under a new name; over one that is there.
    fs::write(world.work().join("file"), "before").expect("a file");
    let file = format!("{from}/SUB/Own").replace('\\', "/");
    world.pinion(["cp", &file, "file"]).run().ok();
    assert_eq!(fs::read(world.work().join("file")).expect("bytes"), b"vm");
    // As an archive, and out of it in another VM.
    let archive = world
        .pinion(["cp", &format!(r"{from}\sub"), "-"])
        .run()
        .expect(0);
    world
        .pinion(["create", "--name", "two", "--", "cmd.exe"])
        .run()
        .ok();
    let to = format!(r"two:{work}");
    world
        .pinion(["cp", "-", &to])
        .input(&archive.stdout)
        .run()
        .ok();
    world
        .pinion(["cp", &format!(r"{to}\sub"), "again"])
        .run()
        .ok();
    let sub = named(&[("", None), ("deep", Some("host")), ("own", Some("vm"))]);
    assert_eq!(picture(&world.work().join("again")), sub);
    assert!(!world.work().join("sub").exists());
}

#[test]
fn what_goes_in_is_the_vms_own() {
    let (world, work) = world();
    let source = world.work().join("source");
    fs::create_dir_all(source.join("cut/x")).expect("folders");
    fs::write(source.join("changed"), "in").expect("a file");
    fs::write(source.join("cut/below"), "in").expect("a file");
    let before = picture(&world.work());
    let was = world.inspect("one");
    world
        .pinion(["cp", r"source\.", &format!(r"one:{work}\dir")])
        .run()
        .ok();
    world
        .pinion(["cp", r"source\changed", &format!(r"one:{work}\dir\named")])
        .run()
        .ok();
    world
        .pinion(["cp", "source", r"one:C:\pinion-e2e-made"])
        .run()
        .ok();
    assert_eq!(picture(&world.work()), before, "the host has none of it");
    // The VM is at rest as it was.
    let now = world.inspect("one");
    for field in ["state", "exit", "command", "shares"] {
        assert_eq!(now[field], was[field], "{field}");
    }
    let out = world
        .pinion(["cp", &format!(r"one:{work}\dir"), "out"])
        .run();
    out.ok();
    let expected = named(&[
        ("", None),
        ("host", Some("host")),
        ("changed", Some("in")),
        ("named", Some("in")),
        ("sub", None),
        ("sub/deep", Some("host")),
        ("sub/own", Some("vm")),
        ("cut", None),
        ("cut/below", Some("in")),
        ("cut/x", None),
        ("new", None),
    ]);
    assert_eq!(picture(&world.work().join("out")), expected);
    // A VM that runs, whose program has the file open for all to write.
    world.sleeper("busy", 60);
    world
        .pinion(["cp", "source", r"busy:C:\pinion-e2e-made"])
        .run()
        .ok();
    let read = ["file-read", r"C:\pinion-e2e-made\cut\below"];
    assert_eq!(
        seen(&world.exec("busy", "files_keys", &read)),
        [json!("in")]
    );
    world
        .pinion(["cp", r"busy:C:\pinion-e2e-made\changed", "busy"])
        .run()
        .ok();
    assert_eq!(fs::read(world.work().join("busy")).expect("bytes"), b"in");
    assert_eq!(world.inspect("busy")["state"], "running");
    assert!(!world.host.drive_c().join("pinion-e2e-made").exists());
    world.pinion(["rm", "-f", "busy"]).run().ok();
}

#[test]
fn a_vm_that_is_removed_at_its_end_is_there_after_a_copy() {
    let (world, _) = world();
    world
        .pinion(["create", "--rm", "--name", "two", "--", "cmd.exe"])
        .run()
        .ok();
    world
        .pinion(["cp", r"dir\host", r"two:C:\pinion-e2e-file"])
        .run()
        .ok();
    assert!(world.names().contains(&"two".to_owned()));
    assert_eq!(world.inspect("two")["state"], "created");
    world
        .pinion(["cp", r"two:C:\pinion-e2e-file", "out"])
        .run()
        .ok();
    assert_eq!(fs::read(world.work().join("out")).expect("bytes"), b"host");
}

#[test]
fn what_cannot_be_copied_is_told_and_nothing_is_written_elsewhere() {
    let (world, work) = world();
    let bad = format!(r"\??\{work}\dir\ends.");
    let program = world.host.path_of("file_forms");
    let run = world.pinion(["run", "--name", "two", "--", &program, "write", &bad, "x"]);
    run.run().ok();
    let before = picture(&world.work());
    let refused = |from: &str, to: &str, code: i32| {
        let output = world.pinion(["cp", from, to]).run().expect(code);
        assert!(
            output.stderr.starts_with("pinion:") || code == USAGE,
            "{output:#?}"
        );
        assert!(
            code == USAGE || output.stderr.lines().count() == 1,
            "{output:#?}"
        );
        output.stderr
    };
    refused(&format!(r"one:{work}\none"), "out", PINION);
    refused(&format!(r"one:{work}\dir\gone"), "out", PINION);
    refused(&format!(r"one:{work}\dir"), r"none\out", PINION);
    refused("none", &format!(r"one:{work}"), PINION);
    refused("dir", &format!(r"one:{work}\none\out"), PINION);
    refused(&format!(r"none:{work}\dir"), "out", NO_SUCH_VM);
    refused("dir", "out", USAGE);
    refused(
        &format!(r"one:{work}\dir"),
        &format!(r"one:{work}\out"),
        USAGE,
    );
    refused("one:dir", "out", USAGE);
    assert_eq!(picture(&world.work()), before);
    let told = refused(&format!(r"two:{work}\dir"), "out", PINION);
    assert!(told.contains("ends."), "{told}");
    std::os::unix::fs::symlink("/etc", world.work().join("dir/link")).expect("a link");
    let told = refused(&format!(r"one:{work}\dir"), "linked", PINION);
    assert!(told.contains("1 links"), "{told}");
    assert!(!world.work().join("linked/link").exists());
    assert_eq!(
        fs::read(world.work().join("linked/host")).expect("bytes"),
        b"host"
    );
}

#[test]
fn a_shared_folder_is_copied_as_the_hosts() {
    let (world, work) = world();
    let share = format!(r"{work}\dir:C:\pinion-e2e-share");
    world
        .pinion(["create", "--name", "two", "-v", &share, "--", "cmd.exe"])
        .run()
        .ok();
    world
        .pinion(["cp", r"two:C:\pinion-e2e-share\gone", "out"])
        .run()
        .ok();
    assert_eq!(fs::read(world.work().join("out")).expect("bytes"), b"host");
    world
        .pinion(["cp", "out", r"two:C:\pinion-e2e-share\in"])
        .run()
        .ok();
    assert_eq!(
        fs::read(world.work().join("dir/in")).expect("bytes"),
        b"host"
    );
}
