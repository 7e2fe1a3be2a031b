//! A program in a VM, its supervisor or its command line is killed at a random
//! moment, again and again. Whatever change the program was told was done is
//! there afterwards, the one under way is done or not, and nothing half made is
//! seen. `PINION_KILLS` says how often.

use pinion_e2e::{World, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The length of a file that was not made by the program.
const LENGTH: usize = 0x4_0000;
/// Kills without `PINION_KILLS`.
const KILLS: u64 = 9;

/// The files of the folder, as `victim tell` prints them.
type Files = BTreeMap<String, Value>;

/// The files after `operation`, if it is done.
fn after(files: &Files, operation: &str) -> Files {
    let mut new = files.clone();
    let words: Vec<&str> = operation.split(' ').collect();
    match words[..] {
        ["mark", file, mark] => {
            if let Some(file) = new.get_mut(file) {
                file[1] = json!(mark);
                file[0] = json!(file[0].as_u64().unwrap_or(0).max(1));
            }
        }
        ["delete", file] => drop(new.remove(file)),
        ["rename", from, to] => {
            if let Some(file) = new.remove(from) {
                new.insert(to.into(), file);
            }
        }
        ["make", file] => drop(new.insert(file.into(), json!([0, null, null]))),
        _ => panic!("{operation}"),
    }
    new
}

/// What the files are, after what the killed program said; and what else they
/// may be.
fn heard(before: &Files, said: &str) -> (Files, Option<Files>) {
    let (mut files, mut trying) = (before.clone(), None);
    // The last line may have been cut off.
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    for line in whole.lines() {
        let line = line.trim_end_matches('\r');
        match line.split_once(' ') {
            Some(("@try", operation)) => trying = Some(after(&files, operation)),
            Some(("@done", _)) => files = trying.take().expect("it was tried"),
            Some(("@refused", _)) => trying = None,
            _ => panic!("{line}"),
        }
    }
    (files, trying)
}

fn told(world: &World, folder: &str) -> Files {
    let output = world.exec("v", "victim", &["tell", folder]).expect(0);
    serde_json::from_value(output.json()).expect("files")
}

#[test]
fn a_kill_loses_nothing_done_and_shows_nothing_half_made() {
    let world = World::new();
    let folder = world.work().join("files");
    std::fs::create_dir(&folder).expect("a folder");
    for number in 0..6 {
        let content = vec![b'a' + number; LENGTH];
        std::fs::write(folder.join(format!("f{number}")), content).expect("written");
    }
    let inside = format!("{}\\files", world.windows_work());
    let kills = std::env::var("PINION_KILLS").ok();
    let kills = kills.and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    world.sleeper("v", 1000);
    let mut files = told(&world, &inside);
    assert_eq!(files.len(), 6);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let mut seed = now.subsec_nanos().into();
    for kill in 0..kills {
        let said = killed_story(&world, &inside, &mut seed, kill);
        let (done, may_be) = heard(&files, &said);
        let found = told(&world, &inside);
        assert!(
            found == done || may_be.as_ref() == Some(&found),
            "kill {kill} after\n{said}found {found:#?}\nnot {done:#?}\nnor {may_be:#?}"
        );
        files = found;
    }
    for number in 0..6 {
        let content = std::fs::read(folder.join(format!("f{number}"))).expect("the host's file");
        assert_eq!(content, vec![b'a' + number; LENGTH]);
    }
}

/// Lets the program change files and kills it, its supervisor, or its command
/// line and then the VM; what it said. The VM runs again afterwards.
fn killed_story(world: &World, folder: &str, seed: &mut u64, kill: u64) -> String {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let story = ["story", folder, &seed.to_string()];
    let path = world.host.path_of("victim");
    let mut running = world.pinion(["exec", "v", &path]).args(story).spawn();
    eventually(20, "the program begins", || {
        running.stdout().contains("@try").then_some(())
    });
    std::thread::sleep(Duration::from_micros(*seed >> 48));
    match kill % 3 {
        0 => {
            members(world).into_iter().for_each(|pid| world.kill(pid));
        }
        1 => {
            let told = world.inspect("v");
            world.kill(told["supervisor_pid"].as_u64().expect("a pid"));
        }
        _ => {
            running.kill();
            world.pinion(["kill", "v"]).run().ok();
        }
    }
    eventually(20, "all of the program has ended", || {
        running.has_ended().then_some(())
    });
    if !kill.is_multiple_of(3) {
        eventually(20, "the VM can run again", || {
            let started = world.pinion(["start", "v"]).run();
            (started.code == 0).then_some(())
        });
    }
    running.stdout()
}

/// The VM's processes that run `victim`.
fn members(world: &World) -> Vec<u64> {
    let listed = world.pinion(["ps", "v", "--json"]).run().expect(0).json();
    let all = listed.as_array().into_iter().flatten();
    all.filter(|one| {
        one["image"]
            .as_str()
            .is_some_and(|at| at.ends_with("victim.exe"))
    })
    .filter_map(|one| one["pid"].as_u64())
    .collect()
}

#[test]
fn what_a_thread_was_told_is_there_it_sees() {
    let world = World::new();
    let folder = world.windows_work();
    let output = world.run("victim", &["race", &folder, "8", "200"]);
    assert_eq!(output.expect(0).json()["unseen"], 0);
}
