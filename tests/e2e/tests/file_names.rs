//! Every way to name a file leads to the same one, inside as on the host.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The answers of `file_forms`.
fn answers(output: Output) -> Vec<Value> {
    let Value::Array(all) = output.expect(0).json() else {
        panic!("no list of answers");
    };
    all
}

/// A folder of drive C, gone when the value is.
struct OnDriveC(PathBuf);

impl OnDriveC {
    fn new(world: &World, name: &str) -> Self {
        let path = world
            .host
            .drive_c()
            .join(format!("pinion-e2e-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("A Long Directory")).expect("a folder");
        fs::write(path.join("A Long Directory/A long name.text"), "host").expect("a file");
        Self(path)
    }

    fn name(&self) -> String {
        let name = self.0.file_name().expect("a name");
        name.to_string_lossy().into_owned()
    }
}

impl Drop for OnDriveC {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn one(world: &World, words: &[&str]) -> Value {
    answers(world.host.program("file_forms").args(words).run()).remove(0)["value"].clone()
}

#[test]
fn every_name_of_a_file_means_the_vms_one() {
    let world = World::new();
    let folder = OnDriveC::new(&world, "names");
    let top = format!(r"\??\C:\{}", folder.name());
    let long = format!(r"{top}\A Long Directory");
    let short_folder = one(&world, &["short", &top, "A Long Directory"]);
    let short_file = one(&world, &["short", &long, "A long name.text"]);
    let (short_folder, short_file) = (
        short_folder.as_str().expect("a short name"),
        short_file.as_str().expect("a short name"),
    );
    assert!(short_folder.contains('~') && short_file.contains('~'));
    let below = format!(r"{}\{short_folder}\{short_file}", folder.name());
    let unix = world
        .host
        .wine()
        .prefix()
        .display()
        .to_string()
        .replace('/', r"\");
    let whole = format!(r"{}\A Long Directory\A long name.text", folder.name());
    let names = [
        format!(r"\??\C:\{whole}"),
        format!(r"\??\c:\{}", whole.to_uppercase()),
        format!(r"\??\C:\{below}"),
        format!(r"\DosDevices\C:\{whole}"),
        format!(r"\GLOBAL??\C:\{whole}"),
        format!(r"\??\GLOBALROOT\??\C:\{below}"),
        format!(r"\??\UNC\localhost\C$\{whole}"),
        format!(r"\??\UNC\127.0.0.1\c$\{below}"),
        format!(r"\Device\HarddiskVolume1\{whole}"),
        format!(r"\??\unix{unix}\drive_c\{whole}"),
        format!(r"\??\unix{unix}\dosdevices\c:\{whole}"),
        format!(r"\??\Z:{unix}\drive_c\{below}"),
    ];
    let mut words = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let text = index.to_string();
        words.extend(["write".to_owned(), name.clone(), text, ";".to_owned()]);
        for other in &names {
            words.extend(["read".to_owned(), other.clone(), ";".to_owned()]);
        }
    }
    let list = format!(r"{top}\{short_folder}");
    words.extend(["list", &list, "1", "*"].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let inside = answers(world.run("file_forms", &words));
    let (listed, rest) = inside.split_last().expect("answers");
    assert_eq!(listed["value"], json!([".", "..", "A long name.text"]));
    for (index, answers) in rest.chunks(names.len() + 1).enumerate() {
        for (answer, name) in answers[1..].iter().zip(&names) {
            assert_eq!(
                answer["value"],
                index.to_string(),
                "{} by {name}",
                names[index]
            );
        }
    }
    let kept = fs::read(folder.0.join("A Long Directory/A long name.text"));
    assert_eq!(kept.expect("bytes"), b"host");
}

#[test]
fn ill_formed_names_get_the_hosts_answers() {
    let world = World::new();
    fs::create_dir(world.work().join("sub")).expect("a folder");
    fs::write(world.work().join("sub/f"), "f").expect("a file");
    fs::write(world.work().join("colon:stream"), "one name").expect("a file");
    let folder = format!(r"\??\{}", world.windows_work());
    let mut words = Vec::new();
    for name in [
        r"sub\\f",
        r"sub\f\",
        r"sub\.\f",
        r"sub\..\sub\f",
        r"sub\f.",
        r"sub\f ",
        r"sub\\",
        "sub/f",
        "a*b",
        r"sub\NUL",
        "f:x",
        "colon:stream",
        r"sub\f::$DATA",
        r"none\f",
        r"sub\f\x",
        "",
    ] {
        let name = format!(r"{folder}\{name}");
        words.extend(["read".to_owned(), name.clone(), ";".to_owned()]);
        words.extend(["attributes".to_owned(), name, ";".to_owned()]);
    }
    for count in [20, 30, 300, 500, 3000] {
        for part in ["yyyyyyyyy", "y"] {
            let name = format!(r"{folder}\{part}{{{count}}}");
            words.extend(["read".to_owned(), name, ";".to_owned()]);
        }
        let name = format!(r"{folder}\{}{{{count}}}", "y".repeat(200));
        words.extend(["read".to_owned(), name, ";".to_owned()]);
    }
    words.pop();
    let outside = answers(world.host.program("file_forms").args(&words).run());
    let shown: Vec<&str> = words.iter().map(String::as_str).collect();
    let inside = answers(world.run("file_forms", &shown));
    for (index, operation) in shown.split(|&word| word == ";").enumerate() {
        assert_eq!(inside[index], outside[index], "{operation:.200?}");
    }
}

#[test]
fn a_file_is_found_by_its_number() {
    let world = World::new();
    fs::write(world.work().join("f"), "host").expect("a file");
    let name = format!(r"\??\{}\f", world.windows_work());
    let story = [
        "by-id", &name, "80000000", ";", "by-id", &name, "40000000", ";", "by-id", &name,
        "80000000",
    ];
    let outside = answers(world.host.program("file_forms").args(story).run());
    assert_eq!(outside[1]["status"], "0x00000000", "{outside:?}");
    let inside = answers(world.run("file_forms", &story));
    assert_eq!(inside, outside);
}

/// Where the VM keeps its own copy of a host's path.
fn own(world: &World, vm: &str, path: &Path) -> PathBuf {
    let below = path.strip_prefix("/").expect("absolute");
    world.upper(vm).join("Z").join(below)
}

#[test]
fn a_copy_keeps_name_times_and_rights() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let folder = world.work().join("Some Folder");
    fs::create_dir_all(folder.join("Sub")).expect("folders");
    let file = folder.join("Sub/Mixed.Txt");
    fs::write(&file, "text").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let paths = [file.clone(), folder.join("Sub"), folder.clone()];
    for path in &paths {
        let opened = fs::File::open(path).expect("it is there");
        opened.set_modified(old).expect("a time");
    }
    // Opened for appending, by a name in another case, and nothing written.
    let name = format!(r"\??\{}\SOME FOLDER\sub\MIXED.TXT", world.windows_work());
    let program = world.host.path_of("file_forms");
    let run = world.pinion(["run", "--name", "one", &program]);
    let opened = answers(run.args(["open", &name, "4"]).run());
    assert_eq!(opened[0]["status"], "0x00000000");
    for path in &paths {
        let kept = fs::metadata(own(&world, "one", path)).expect("a copy of this name");
        assert_eq!(kept.modified().expect("a time"), old, "{path:?}");
    }
    let mode = fs::metadata(own(&world, "one", &file))
        .expect("it")
        .permissions()
        .mode();
    assert_eq!(mode & 0o007, 0);
}

#[test]
fn volumes_and_control_codes_answer_as_on_the_host() {
    let world = World::new();
    let folder = OnDriveC::new(&world, "volume");
    let name = format!(
        r"\??\C:\{}\A Long Directory\A long name.text",
        folder.name()
    );
    let mut words = Vec::new();
    // A change brings the directories of the drive into the VM's layer.
    words.extend(["write", &name, "changed"].map(str::to_owned));
    // The label twice: the second answer may be the first one, kept.
    // Size, label, device, attributes, quotas, object ids, sectors.
    for class in ["1", "1", "3", "4", "5", "6", "7", "8", "11"] {
        for name in [&name, r"\??\C:\"] {
            words.extend([";", "volume", name, class].map(str::to_owned));
        }
    }
    // Reparse points, compression, sparse files, object ids, then oplocks and what locks a volume.
    let codes = [
        "900a4", "900a8", "900ac", "9c040", "9003c", "900c4", "940cf", "980c8", "900c0", "90000",
        "90004", "90008", "9005c", "90240", "90018", "90020",
    ];
    for code in codes {
        words.extend([";", "control", &name, code].map(str::to_owned));
    }
    words.extend([";", "read", r"\??\C:\$Recycle.Bin\none"].map(str::to_owned));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let inside = answers(world.run("file_forms", &words));
    let outside = answers(world.host.program("file_forms").args(&words).run());
    for (index, operation) in words.split(|&word| word == ";").enumerate() {
        assert_eq!(inside[index], outside[index], "{operation:?}");
    }
    let closed = answers(world.run("file_forms", &["read", r"\??\C:\$Mft"]));
    assert_eq!(closed[0]["status"], "0xc0000022");
}

#[test]
fn a_large_file_is_deleted_without_a_copy() {
    let world = World::new();
    let file = world.work().join("large.bin");
    fs::write(&file, vec![7; 300_000]).expect("a file");
    let name = format!(r"\??\{}\large.bin", world.windows_work());
    let program = world.host.path_of("file_forms");
    let story = [
        "delete-on-close",
        &name,
        ";",
        "attributes",
        &name,
        ";",
        "write",
        &name,
        "new",
        ";",
        "read",
        &name,
    ];
    let run = world.pinion(["run", "--name", "one", &program]);
    let told = answers(run.args(&story[..5]).run());
    assert_eq!(told[0]["status"], "0x00000000");
    assert_eq!(told[1]["status"], "0xc0000034");
    let upper = own(&world, "one", &world.work());
    let names: Vec<_> = fs::read_dir(upper)
        .expect("a list")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, [".wh.large.bin"]);
    let told = answers(world.run("file_forms", &story));
    assert_eq!(told[3]["value"], "new");
    assert_eq!(fs::metadata(&file).expect("it is there").len(), 300_000);
}

/// `FILE_DISPOSITION_ON_CLOSE` takes the place of what a handle was opened with (Wine 8 does not know the class).
#[test]
fn a_deletion_on_close_of_a_large_file_is_called_off_as_on_the_host() {
    let world = World::new();
    let names = ["stays.bin", "goes.bin", "later.bin", "plain.bin"];
    let mut words = Vec::new();
    for (name, steps) in names.into_iter().zip([
        &["disposition:8"][..],
        &["disposition:9"],
        &["disposition:9", "keep"],
        &["keep", "disposition:0"],
    ]) {
        fs::write(world.work().join(name), vec![7; 300_000]).expect("a file");
        let name = format!(r"\??\{}\{name}", world.windows_work());
        words.extend(["by-handle-on-close".to_owned(), name.clone()]);
        words.extend(steps.iter().map(|&step| step.to_owned()));
        words.extend([";", "attributes", &name, ";"].map(str::to_owned));
    }
    words.pop();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ends = |told: &[Value]| -> Vec<Value> {
        let one = |told: &Value| told.get("status").unwrap_or(told).clone();
        told.iter().map(one).collect()
    };
    let inside = ends(&answers(world.run("file_forms", &words)));
    let outside = ends(&answers(
        world.host.program("file_forms").args(&words).run(),
    ));
    assert_eq!(inside, outside);
    // The plain one is gone on every system.
    assert_eq!(outside[7], "0xc0000034");
}

/// A deletion by a handle takes no copy, and can be called off; a new name takes one, and the handle is of that
/// from then on.
#[test]
fn a_large_file_opened_for_deletion_is_copied_when_it_must_be() {
    let world = World::new();
    for name in ["gone.bin", "kept.bin", "moved.bin"] {
        fs::write(world.work().join(name), vec![7; 300_000]).expect("a file");
    }
    let at = |name: &str| format!(r"\??\{}\{name}", world.windows_work());
    let (gone, kept, moved) = (at("gone.bin"), at("kept.bin"), at("moved.bin"));
    let (first, second) = (at("first.bin"), at("second.bin"));
    let (to_first, to_second) = (format!("rename:{first}"), format!("rename:{second}"));
    let program = world.host.path_of("file_forms");
    let story = [
        &["by-handle", &gone, "delete"][..],
        &["by-handle", &kept, "delete", "keep"],
        &[
            "by-handle",
            &moved,
            "name",
            &to_first,
            "name",
            &to_second,
            "name",
        ],
        &["attributes", &gone],
        &["attributes", &kept],
        &["attributes", &moved],
        &["attributes", &first],
        &["attributes", &second],
        &["by-handle", &second, "delete"],
        &["attributes", &second],
    ]
    .join(&";");
    let told = answers(
        world
            .pinion(["run", "--name", "one", &program])
            .args(&story)
            .run(),
    );
    let ok = "0x00000000";
    assert_eq!(told[0], json!([ok]));
    assert_eq!(told[1], json!([ok, ok]));
    assert_eq!(
        told[2],
        json!(["moved.bin", ok, "first.bin", ok, "second.bin"])
    );
    let statuses: Vec<_> = told[3..8].iter().map(|one| one["status"].clone()).collect();
    let missing = "0xc0000034";
    assert_eq!(statuses, [missing, ok, missing, missing, ok]);
    assert_eq!(
        (&told[8], &told[9]["status"]),
        (&json!([ok]), &json!(missing))
    );
    let names: BTreeSet<_> = fs::read_dir(own(&world, "one", &world.work()))
        .expect("a list")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    assert_eq!(
        names,
        [".wh.gone.bin", ".wh.moved.bin"].map(str::to_owned).into()
    );
    let outside = answers(world.host.program("file_forms").args(&story[..]).run());
    assert_eq!(outside, told, "outside, inside");
}

/// The newer classes of `NtSetInformationFile` do what the older do, where there are such.
#[test]
fn a_file_that_is_shared_with_nobody_gets_another_name() {
    let world = World::new();
    let story = |folder: &str| {
        let path = world.work().join(folder);
        fs::create_dir(&path).expect("a folder");
        fs::write(path.join("alone"), "content").expect("a file");
        let at = |name: &str| format!(r"\??\{}\{folder}\{name}", world.windows_work());
        let link = format!("link:{}", at("second"));
        let mut words = vec!["by-handle-alone".into(), at("alone"), "go:3".into()];
        words.extend([link, "position".into(), ";".into()]);
        words.extend(["read".into(), at("second"), ";".into()]);
        words.extend(["list".into(), at(""), "1".into(), "*".into()]);
        words
    };
    let program = world.host.path_of("file_forms");
    let run = world.pinion(["run", "--rm", &program]);
    let inside = answers(run.args(story("inside")).run());
    let run = world.host.program("file_forms");
    assert_eq!(inside, answers(run.args(story("outside")).run()));
    assert_eq!(inside[0][2], "0x00000000 3", "{inside:?}");
}

#[test]
fn the_newer_classes_rename_link_and_delete_as_on_the_host() {
    let world = World::new();
    let folder = |name: &str| {
        let path = world.work().join(name);
        fs::create_dir(&path).expect("a folder");
        for (file, size) in [("a", 10), ("b", 300_000), ("c", 10), ("d", 300_000)] {
            fs::write(path.join(file), vec![7; size]).expect("a file");
        }
    };
    folder("inside");
    folder("outside");
    let story = |folder: &str| {
        let at = |name: &str| format!(r"\??\{}\{folder}\{name}", world.windows_work());
        let mut words = Vec::new();
        for (name, step) in [
            ("a", format!("rename-ex:{}", at("new a"))),
            ("b", format!("rename-ex:{}", at("new b"))),
            ("c", format!("link-ex:{}", at("new c"))),
            ("c", "disposition:1".into()),
            ("d", "disposition:1".into()),
        ] {
            words.extend([
                "by-handle".into(),
                at(name),
                step,
                "name".into(),
                ";".into(),
            ]);
        }
        for name in ["a", "b", "c", "d", "new a", "new b", "new c"] {
            words.extend(["read".into(), at(name), ";".into()]);
        }
        words.pop();
        words
    };
    let program = world.host.path_of("file_forms");
    let inside = story("inside");
    let inside = answers(world.pinion(["run", "--rm", &program]).args(inside).run());
    let outside = answers(
        world
            .host
            .program("file_forms")
            .args(story("outside"))
            .run(),
    );
    assert_eq!(inside, outside, "inside, outside");
    for file in ["a", "b", "c", "d"] {
        assert!(world.work().join("inside").join(file).exists(), "{file}");
    }
}

/// A backslash behind the new name, where a file, a directory or nothing is, and
/// behind what is deleted by its name.
#[test]
fn a_backslash_behind_a_new_name_is_answered_as_on_the_host() {
    const DOOMED: [&str; 3] = ["file", "directory", "nothing"];
    const STEPS: [&str; 4] = ["rename", "rename-over", "link-ex", "link-over"];
    let world = World::new();
    let mut story: Vec<[String; 3]> = Vec::new();
    for (place, step) in STEPS.iter().enumerate() {
        for from in ["file", "directory"] {
            for to in ["file", "CASED", "directory", "nothing"] {
                let row = format!("{from} {to} {place}");
                story.push([format!("from {row}"), (*step).into(), format!("to {row}")]);
            }
        }
    }
    let plant = |folder: &Path| {
        let make = |name: &str, kind: &str| {
            let path = folder.join(name);
            match kind {
                "nothing" => {}
                "directory" => {
                    fs::create_dir_all(&path).expect("a folder");
                    fs::write(path.join("in it"), "in it").expect("a file");
                }
                _ => fs::write(path, "text").expect("a file"),
            }
        };
        for [from, _, to] in &story {
            let words: Vec<&str> = from.split(' ').collect();
            make(from, words[1]);
            // That one is asked for in another case.
            make(&to.replace("CASED", "Cased"), words[2]);
        }
        for kind in DOOMED {
            make(&format!("doomed {kind}"), kind);
        }
    };
    let folder = |name: &str| {
        let path = world.work().join(name);
        fs::create_dir(&path).expect("a folder");
        plant(&path);
    };
    folder("inside");
    folder("outside");
    let words = |folder: &str| {
        let at = |name: &str| format!(r"\??\{}\{folder}\{name}", world.windows_work());
        let mut words = Vec::new();
        for [from, step, to] in &story {
            words.extend([
                "by-handle".into(),
                at(from),
                format!("{step}:{}\\", at(to)),
                ";".into(),
            ]);
        }
        for kind in DOOMED {
            let name = format!("{}\\", at(&format!("doomed {kind}")));
            words.extend(["delete".into(), name, ";".into()]);
        }
        words.extend(["list".into(), at(""), "1".into(), "*".into()]);
        words
    };
    let program = world.host.path_of("file_forms");
    let inside = answers(
        world
            .pinion(["run", "--rm", &program])
            .args(words("inside"))
            .run(),
    );
    let outside = answers(
        world
            .host
            .program("file_forms")
            .args(words("outside"))
            .run(),
    );
    for (row, (inside, outside)) in story.iter().zip(inside.iter().zip(&outside)) {
        assert_eq!(inside, outside, "{row:?}: inside, outside");
    }
    // The deletions, and the listing.
    assert_eq!(inside[story.len()..], outside[story.len()..]);
}
