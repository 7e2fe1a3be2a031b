//! Shared folders: in them a VM and the host have one and the same.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the VMs see the folder; no such folder is on the host.
const INSIDE: &str = r"C:\pinion-e2e-été";
/// Win32 errors (winerror.h).
const DENIED: u32 = 5;
const NOT_SAME_DEVICE: u32 = 17;
const WRITE_PROTECT: u32 = 19;
const SHARING: u32 = 32;
const LOCKED: u32 = 33;
const MISSING: u32 = 2;
const EXISTS: u32 = 80;

/// Operations of `files_keys` on the tree that [`plant`] makes. `@` stands for its folder.
const STORY: &str = r"file-read @\a.txt ; file-append @\a.txt +more ; file-read @\A.TXT ;
    file-write @\new.txt n ; folder-make @\made ; file-write @\made\x y ; folder-list @ ; file-find @\MADE\X ;
    file-rename @\new.txt @\sub\moved ; file-rename @\sub @\sub2 ; file-read @\sub2\deep\d.txt ;
    file-copy @\a.txt @\.wh.copy ; file-delete @\a.txt ; file-stat @\a.txt ; file-write @\a.txt again ;
    file-rename @\sub2\moved @\a.txt ; file-read @\a.txt ; folder-delete @\sub2 ; file-delete @\made\x ;
    folder-delete @\made ; folder-list @ ; folder-list @\sub2 ; file-write @\none\x y ; file-stat @";

fn plant(folder: &Path) {
    fs::create_dir_all(folder.join("sub/deep")).expect("folders");
    fs::write(folder.join("a.txt"), "hello").expect("a file");
    fs::write(folder.join("sub/deep/d.txt"), "d").expect("a file");
}

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

fn words(operations: &str, folder: &str) -> Vec<String> {
    let words = operations.split_whitespace();
    words.map(|word| word.replace('@', folder)).collect()
}

/// The answers, one for each line or entry of JSON, without the words of the operations.
fn answers(output: &Output) -> Vec<Value> {
    let lines = output.stdout.lines();
    let mut all: Vec<Value> = lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    if let [Value::Array(list)] = &all[..] {
        all = list.clone();
    }
    for answer in &mut all {
        answer
            .as_object_mut()
            .map(|answer| answer.remove("operation"));
    }
    assert!(!all.is_empty(), "{output:#?}");
    all
}

fn errors(output: &Output) -> Vec<u64> {
    let of = |answer: &Value| answer["error"].as_u64().expect("an error");
    answers(output).iter().map(of).collect()
}

/// A world with the folder `work\host`, and how it is shared.
fn world(mode: &str) -> (World, String) {
    let world = World::new();
    plant(&world.work().join("host"));
    let share = format!(r"{}\host:{INSIDE}{mode}", world.windows_work());
    (world, share)
}

/// Runs operations of a program in a VM of this name, made with the share.
fn tell(world: &World, vm: &str, share: &str, program: &str, operations: &str) -> Output {
    let path = world.host.path_of(program);
    let run = world.pinion(["run", "--name", vm, "-v", share, "--", &path]);
    run.args(words(operations, INSIDE)).run().expect(0)
}

#[test]
fn what_is_done_in_a_share_is_done_on_the_host() {
    let (world, share) = world("");
    plant(&world.work().join("plain"));
    let plain = format!(r"{}\plain", world.windows_work());
    let outside = world.host.program("files_keys").args(words(STORY, &plain));
    let outside = answers(&outside.run());
    let inside = answers(&tell(&world, "one", &share, "files_keys", STORY));
    for (index, operation) in STORY.split(" ; ").enumerate() {
        assert_eq!(inside[index], outside[index], "{operation}");
    }
    let after = picture(&world.work().join("host"));
    assert_eq!(after, picture(&world.work().join("plain")));
    assert!(
        after.contains_key(Path::new(".wh.copy")),
        "no name is kept for layers"
    );
    // The layer has the empty folder under which it shows, and it is listed there.
    let own = picture(&world.upper("one"));
    assert!(
        own.keys()
            .all(|path| !path.to_string_lossy().contains("a.txt")),
        "{own:?}"
    );
    let found = tell(
        &world,
        "two",
        &share,
        "files_keys",
        r"file-find @ ; folder-list C:\",
    );
    let [found, listed] = &answers(&found)[..] else {
        panic!("two answers")
    };
    assert_eq!(found["value"], "pinion-e2e-été");
    assert!(
        listed["value"]
            .as_array()
            .expect("names")
            .contains(&json!("pinion-e2e-été"))
    );
}

#[test]
fn a_share_for_reading_is_as_a_medium_that_cannot_be_written() {
    let (world, share) = world(":ro");
    let before = picture(&world.work().join("host"));
    let reads = r"file-read @\a.txt ; folder-list @\sub ; file-find @\SUB\deep ; file-stat @";
    let seen = answers(&tell(&world, "one", &share, "files_keys", reads));
    assert_eq!(seen[0]["value"], "hello");
    assert_eq!(seen[1]["value"], json!(["deep"]));
    assert_eq!(seen[2]["value"], "deep");
    let writes = r"file-write @\a.txt x ; file-append @\a.txt x ; file-write @\new x ; file-delete @\a.txt ;
        file-rename @\a.txt @\b.txt ; folder-make @\made ; folder-delete @\sub\deep ; file-rename @\sub @\s ;
        file-touch-as-reader @\a.txt ; file-write @\none\x y ; file-delete @\none ; folder-make @\sub";
    let refused = errors(&tell(&world, "two", &share, "files_keys", writes));
    let expected = [
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        3,
        MISSING,
        183,
    ];
    assert_eq!(refused, expected.map(u64::from));
    // GENERIC_READ, MAXIMUM_ALLOWED, GENERIC_ALL, WRITE_DAC; CREATE_NEW 1, CREATE_ALWAYS 2,
    // OPEN_EXISTING 3, OPEN_ALWAYS 4, TRUNCATE_EXISTING 5.
    let opens = r"open @\a.txt 80000000 3 ; open @\a.txt 2000000 3 ; open @\a.txt 10000000 3 ;
        open @\a.txt 40000 3 ; open @\a.txt 80000000 4 ; open @\n 80000000 4 ; open @\a.txt 80000000 1 ;
        open @\n 80000000 1 ; open @\a.txt 80000000 2 ; open @\a.txt 40000000 5 ; open @ 80000000 3 ;
        open @ 100 3 ; set-attributes @\a.txt 1 ; link @\a.txt @\l ; write-by-section @\a.txt x ; try-lock @\a.txt";
    let opened = errors(&tell(&world, "three", &share, "shared", opens));
    let expected = [
        0,
        0,
        WRITE_PROTECT,
        WRITE_PROTECT,
        0,
        WRITE_PROTECT,
        EXISTS,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        0,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
        WRITE_PROTECT,
    ];
    assert_eq!(opened, expected.map(u64::from));
    assert_eq!(picture(&world.work().join("host")), before);
    let mode = fs::metadata(world.work().join("host/a.txt"))
        .expect("it is there")
        .permissions();
    assert!(!mode.readonly());
}

#[test]
fn every_name_of_a_shared_file_means_the_hosts_and_comes_back_as_the_vms() {
    let (world, share) = world("");
    fs::write(world.work().join("host/A long name.text"), "host").expect("a file");
    let top = format!(r"\??\{}\host", world.windows_work());
    let short = world
        .host
        .program("file_forms")
        .args(["short", &top, "A long name.text"])
        .run();
    let short = answers(&short)[0]["value"]
        .as_str()
        .expect("a short name")
        .to_owned();
    assert!(short.contains('~'));
    let below = INSIDE.trim_start_matches(r"C:\");
    let long = "A long name.text";
    let unix = world.work().display().to_string().replace('/', r"\");
    let names = [
        format!(r"\??\C:\{below}\{long}"),
        format!(r"\??\c:\{}\{}", below.to_uppercase(), long.to_uppercase()),
        format!(r"\??\C:\{below}\{short}"),
        format!(r"\GLOBAL??\C:\{below}\{long}"),
        format!(r"\??\GLOBALROOT\??\C:\{below}\{short}"),
        format!(r"\??\UNC\localhost\C$\{below}\{long}"),
        format!(r"\Device\HarddiskVolume1\{below}\{long}"),
        // The host's own path of it.
        format!(r"{top}\{long}"),
        format!(r"\??\unix{unix}\host\{long}"),
        format!(r"{top}\{short}"),
    ];
    let mut all: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        all.extend(["write".into(), name.clone(), index.to_string(), ";".into()]);
        for other in &names {
            all.extend(["read".into(), other.clone(), ";".into()]);
        }
    }
    for directory in [format!(r"\??\{INSIDE}"), top.clone()] {
        all.extend([
            "write-in".into(),
            directory.clone(),
            r"sub\in".into(),
            directory.clone(),
            ";".into(),
        ]);
        all.extend(["read-in".into(), directory, short.clone(), ";".into()]);
    }
    all.extend([
        "by-id".into(),
        names[7].clone(),
        "40000000".into(),
        ";".into(),
    ]);
    let path = format!(r"{INSIDE}\{long}");
    all.extend(["told".into(), path.clone()]);
    let program = world.host.path_of("file_forms");
    let run = world
        .pinion(["run", "--name", "one", "-v", &share, "--", &program])
        .args(&all);
    let inside = answers(&run.run().expect(0));
    let (rest, last) = inside.split_at(names.len() * (names.len() + 1));
    for (index, answers) in rest.chunks(names.len() + 1).enumerate() {
        assert_eq!(answers[0]["status"], "0x00000000", "{}", names[index]);
        for (answer, name) in answers[1..].iter().zip(&names) {
            assert_eq!(
                answer["value"],
                index.to_string(),
                "{} by {name}",
                names[index]
            );
        }
    }
    for answer in &last[..5] {
        assert_eq!(answer["status"], "0x00000000", "{last:?}");
    }
    assert_eq!(
        fs::read_to_string(world.work().join("host/sub/in")).expect("bytes"),
        top
    );
    let told = last.last().expect("the names");
    let on_volume = format!(r"\{below}\{long}");
    assert_eq!(told["final"], format!(r"\\?\{path}"), "{told}");
    assert_eq!(told["information"], on_volume.as_str(), "{told}");
    assert_eq!(told["all"], on_volume.as_str(), "{told}");
    for name in [&told["object"], &told["mapped"]] {
        let name = name.as_str().expect("a name");
        assert!(name.ends_with(&on_volume), "{told}");
    }
}

#[test]
fn nothing_passes_that_is_not_in_the_folder() {
    let (world, share) = world("");
    let other = world.work().join("other");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("f"), "host").expect("a file");
    std::os::unix::fs::symlink(&other, world.work().join("host/link")).expect("a link");
    let before = picture(&other);
    let work = world.windows_work();
    let story = format!(
        r"file-read @\link\f ; file-write @\link\f x ; file-write @\link\new x ; folder-list @\link ;
        file-delete @\link\f ; folder-delete @\link ; file-rename @\a.txt @\link\a ;
        file-write {work}\other\f own ; file-write {work}\host2 own ; file-write @x own ;
        file-rename {work}\other\f @\f ; folder-delete @ ; file-rename @ C:\elsewhere ;
        file-rename {work}\host {work}\host3 ; file-rename {work} {work}2 ; file-read {work}\other\f"
    );
    let told = errors(&tell(&world, "one", &share, "files_keys", &story));
    let expected = [
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        0,
        0,
        0,
        NOT_SAME_DEVICE,
        DENIED,
        NOT_SAME_DEVICE,
        NOT_SAME_DEVICE,
        DENIED,
        0,
    ];
    let links =
        format!(r"link {work}\other\f @\hard ; link @\a.txt {work}\hard ; link @\a.txt @\hard");
    let linked = errors(&tell(&world, "two", &share, "shared", &links));
    assert_eq!(linked, [NOT_SAME_DEVICE, NOT_SAME_DEVICE, 0].map(u64::from));
    assert_eq!(told, expected.map(u64::from));
    assert_eq!(picture(&other), before);
    assert!(!world.work().join("host2").exists());
    assert_eq!(
        fs::read(world.work().join("host/hard")).expect("bytes"),
        b"hello"
    );
}

#[test]
fn vms_and_the_host_are_at_the_same_files() {
    let (world, share) = world("");
    let inside = |vm: &str, program: &str, operations: &str| {
        let path = world.host.path_of(program);
        let run = world.pinion(["run", "--rm", "--name", vm, "-v", &share, "--", &path]);
        run.args(words(operations, INSIDE))
    };
    let mut watcher = inside("watcher", "shared", "watch @").spawn();
    assert_eq!(watcher.first_json()["watching"], true);
    fs::write(world.work().join("host/by the host"), "x").expect("a file");
    assert_eq!(answers(&watcher.wait())[1]["value"], "by the host");
    let mut holder = inside("holder", "files_keys", r"file-hold @\a.txt 5").spawn();
    let _ = holder.first_json();
    let mut locker = inside("locker", "shared", r"lock @\sub\deep\d.txt 5").spawn();
    let _ = locker.first_json();
    let refused = errors(&inside("three", "files_keys", r"file-append @\a.txt x").run());
    assert_eq!(refused, [u64::from(SHARING)]);
    let refused = errors(&inside("four", "shared", r"try-lock @\sub\deep\d.txt").run());
    assert_eq!(refused, [u64::from(LOCKED)]);
    let name = format!(r"{}\host\sub\deep\d.txt", world.windows_work());
    let outside = world.host.program("shared").args(["try-lock", &name]).run();
    assert_eq!(errors(&outside), [u64::from(LOCKED)]);
    drop((holder, locker));
    let written = errors(&inside("five", "shared", r"write-by-section @\sub\deep\d.txt M").run());
    assert_eq!(written, [0]);
    assert_eq!(
        fs::read(world.work().join("host/sub/deep/d.txt")).expect("bytes"),
        b"M"
    );
}

#[test]
fn a_program_in_a_share_runs_and_knows_itself_by_the_vms_name() {
    let (world, share) = world(":ro");
    let bin = world.host.bin().join("file_forms.exe");
    fs::copy(bin, world.work().join("host/own.exe")).expect("a copy");
    let own = format!(r"{INSIDE}\own.exe");
    let run = world.pinion([
        "run", "--rm", "-v", &share, "--", "cmd.exe", "/c", &own, "program",
    ]);
    let told = run.run().expect(0).json();
    for name in ["image", "module"] {
        assert_eq!(told[0][name], own.as_str(), "{told}");
    }
}

#[test]
fn shares_are_listed_changed_and_refused_by_the_command_line() {
    let (world, share) = world("");
    let ok = |arguments: &[&str]| world.pinion(arguments).run().expect(0);
    let work = world.windows_work();
    world.sleeper("web", 60);
    let first = ok(&["share", "web", &share]);
    assert!(first.stderr.contains("next start"), "{first:#?}");
    let seen = world.exec("web", "files_keys", &["file-stat", INSIDE]);
    assert_eq!(errors(&seen), [u64::from(MISSING)]);
    ok(&["stop", "-t", "0", "web"]);
    let host = format!(r"{work}\host");
    let expected = json!([{"host": host, "vm": INSIDE, "read_only": false}]);
    assert_eq!(ok(&["share", "--json", "web"]).json(), expected);
    assert_eq!(world.inspect("web")["shares"], expected);
    let listed = ok(&["share", "web"]).stdout;
    assert!(listed.contains(INSIDE) && listed.contains("rw"), "{listed}");
    // A snapshot and a clone of a VM have none of its shares; a reset leaves them.
    ok(&["snapshot", "web", "base"]);
    ok(&["create", "--name", "clone", "--from", "web"]);
    assert_eq!(world.inspect("clone")["shares"], json!([]));
    ok(&["reset", "web"]);
    assert_eq!(world.inspect("web")["shares"], expected);
    let store = format!(r"{work}\..\store");
    fs::create_dir(world.work().join("more")).expect("a folder");
    fs::write(world.work().join("file"), "x").expect("a file");
    for (wrong, code) in [
        (format!(r"{work}\more:{INSIDE}\deeper"), 121),
        (format!(r"{work}\host\sub:C:\x"), 121),
        (format!(r"{work}\more:{work}\host"), 121),
        (format!(r"{store}:C:\x"), 121),
        (format!(r"{work}\..:C:\x"), 121),
        (r"Z:\:C:\x".to_owned(), 121),
        (format!(r"{work}\none:C:\x"), 121),
        (format!(r"{work}\file:C:\x"), 121),
        (format!(r"{work}\more:C:\"), 2),
        (format!(r"{work}\more:x"), 2),
        (format!(r"{work}\more:C:\a\..\b"), 2),
    ] {
        let refused = world.pinion(["share", "web", &wrong]).run().expect(code);
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:#?}");
    }
    assert_eq!(ok(&["share", "--json", "web"]).json(), expected);
    let unknown = world.pinion(["share", "--rm", "web", r"C:\none"]).run();
    let _ = unknown.expect(120);
    // A folder that is gone stops the start, in one line.
    fs::rename(world.work().join("host"), world.work().join("gone")).expect("renamed");
    let start = world.pinion(["start", "web"]).run().expect(121);
    assert!(start.stderr.contains("host"), "{start:#?}");
    ok(&["share", "--rm", "web", &INSIDE.to_lowercase()]);
    assert_eq!(ok(&["share", "--json", "web"]).json(), json!([]));
}
