//! Faults of single replicas: what clients see of them (nothing), how they are noticed, what is kept.

use crate::Servers;
use pinion_e2e::eventually;
use pinion_harness::faults::Load;
use pinion_harness::group::{Fault, PAGE};
use std::time::Duration;

#[test]
fn a_vote_masks_what_is_defaced_killed_and_hangs() {
    let servers = Servers::new("vote");
    let folder = &servers.folder;
    let more = format!(
        "mode = 'vote'\n[check]\ninterval = '500ms'\nfall = 2\n[vote]\nlate = '1s'\n[changes]\nfiles = ['{folder}\\logs\\**', '{folder}\\temp\\**']\n"
    );
    let file = servers.file("ballot", 18_101, "replicas = 3", &more);
    let group = servers.up(&file, "ballot");
    let load = Load {
        group: &group,
        mode: "vote",
        page: PAGE,
        file: &servers.page(),
        kinds: &[Fault::Defaced, Fault::Killed, Fault::Hung],
        every: Duration::from_secs(1),
        time: Duration::from_secs(6),
        at_least: 4,
    };
    let outcome = load.run(7).expect("it goes on");
    assert_eq!(
        (outcome.wrong_answers, outcome.failed_requests),
        (0, 0),
        "{outcome:#?}"
    );
    assert!(outcome.requests > 50 && outcome.faults >= 3, "{outcome:#?}");
    assert_eq!(outcome.noticed, outcome.faults, "{outcome:#?}");
    for row in &outcome.rows {
        let about = row.evidence.replace('\\', "/");
        let (_, about) = about.split_once("/groups/").expect("in the store");
        let about = servers
            .world
            .store()
            .join("groups")
            .join(about)
            .join("about.json");
        let text = std::fs::read_to_string(&about).expect("evidence");
        let about: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        if row.fault == "defaced" {
            let files = about["files"].as_array().expect("files");
            let changed = |file: &&serde_json::Value| {
                file["name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(&servers.page()))
            };
            assert!(files.iter().any(|file| changed(&file)), "{about:#}");
        }
    }
    group.down().expect("down");
    assert_eq!(servers.world.names(), [] as [&str; 0]);
}

#[test]
fn a_killed_supervisor_is_a_crash() {
    let servers = Servers::new("keeper");
    let file = servers.file("kept", 18_105, "replicas = 2", "");
    let group = servers.up(&file, "kept");
    let pid = servers.world.inspect("kept.1")["supervisor_pid"]
        .as_u64()
        .expect("a pid");
    servers.world.kill(pid);
    eventually(30, "it is replaced", || {
        let status = group.status().expect("up");
        (status.faults == 1 && status.serving == 2).then_some(())
    });
    let events = group.events().expect("events");
    assert!(
        events
            .iter()
            .any(|event| event.replica == Some(1) && event.why == "crashed"),
        "{events:?}"
    );
}

/// The exit code of a program whose VM was removed under it.
const KILLED: i32 = 137;

#[test]
fn checks_inside_and_changes_tell_of_intruders() {
    let servers = Servers::new("inside");
    let folder = servers.folder.clone();
    let more = format!(
        "[check]\nhttp = '/'\nbody = 'all replicas'\ninterval = '300ms'\nfall = 2\ncommand = ['cmd.exe', '/c', 'if exist {folder}\\temp\\sick.txt (exit 1) else (exit 0)']\ntimeout = '5s'\n[changes]\nfiles = ['{folder}\\logs\\**', '{folder}\\temp\\**']\nkeys = ['HKCU\\Console\\**']\ninterval = '500ms'\n[evidence]\nsize = '1k'\nkeep = 2\n"
    );
    let file = servers.file("inside", 18_107, "replicas = 2", &more);
    let group = servers.up(&file, "inside");
    let inside = |vm: &str, command: &str| {
        let exec = servers
            .world
            .pinion(["exec", vm, "--", "cmd.exe", "/c", command]);
        let ended = exec.run();
        // The replica may be gone before the command that was noticed has ended.
        assert!([0, KILLED].contains(&ended.code), "{ended:#?}");
    };
    let noticed = |replica: u32, why: &str| {
        eventually(30, why, || {
            let events = group.events().expect("events");
            events.into_iter().find(|event| {
                event.replica == Some(replica) && event.event == "discarded" && event.why == why
            })
        })
    };
    inside("inside.1", &format!("echo x>{folder}\\temp\\sick.txt"));
    noticed(1, "unhealthy");
    inside("inside.2", &format!("echo x>{folder}\\intruder.txt"));
    noticed(2, "changed");
    group.wait(Duration::from_secs(30)).expect("whole again");
    let third = group.status().expect("up").replicas[0].clone();
    inside(&third.vm, "reg add HKCU\\Software\\Intruder /f");
    noticed(third.replica, "changed");
    let evidence = servers.world.store().join("groups/inside/evidence");
    let kept = eventually(30, "two bundles are kept, each within its size", || {
        let kept: Vec<_> = std::fs::read_dir(&evidence)
            .ok()?
            .flatten()
            .map(|item| item.path())
            .collect();
        (kept.len() == 2 && kept.iter().all(|one| one.join("about.json").exists())).then_some(kept)
    });
    for bundle in kept {
        let files = std::fs::read_dir(bundle).expect("a folder").flatten();
        let others = files.filter(|file| file.file_name() != "about.json");
        let size: u64 = others
            .map(|file| file.metadata().map_or(0, |file| file.len()))
            .sum();
        assert!(size <= 1024, "{size} bytes");
    }
}

#[test]
fn a_denied_attempt_is_a_fault() {
    let servers = Servers::new("denied");
    let rules = "[[rule]]\nchannel = 'pipes'\nname = 'forbidden*'\nverdict = 'deny'\n";
    let rules = servers.world.file("rules.toml", rules.as_bytes());
    let more = "[denied]\nignore = ['forbidden-often']\ninterval = '300ms'\n";
    let file = servers.file(
        "denied",
        18_115,
        &format!("replicas = 2\npolicy = '{rules}'"),
        more,
    );
    let group = servers.up(&file, "denied");
    let reach = |vm: &str, pipe: &str| {
        let command = format!(r"type \\.\pipe\{pipe}");
        let _ = servers
            .world
            .pinion(["exec", vm, "--", "cmd.exe", "/c", &command])
            .run();
    };
    reach("denied.1", "forbidden-often");
    reach("denied.2", "forbidden");
    let event = eventually(30, "the second is taken out", || {
        let events = group.events().expect("events");
        events.into_iter().find(|event| event.event == "discarded")
    });
    assert_eq!((event.replica, event.why.as_str()), (Some(2), "denied"));
    let evidence = servers
        .world
        .store()
        .join("groups/denied/evidence/2-denied");
    let trace = eventually(30, "its trace is kept", || {
        evidence.join("about.json").exists().then_some(())?;
        std::fs::read_to_string(evidence.join("trace.jsonl")).ok()
    });
    assert!(
        trace.contains("forbidden") && trace.contains("refused"),
        "{trace}"
    );
    assert!(group.status().expect("up").faults == 1);
}

#[test]
fn a_spare_takes_the_place_of_a_fault_at_once() {
    let servers = Servers::new("spare");
    let file = servers.file("spare", 18_117, "replicas = 2", "");
    let group = servers.up(&file, "spare");
    let spare = eventually(30, "a spare is ready", || {
        let replicas = group.status().expect("up").replicas;
        let ready = replicas.into_iter().find(|one| one.state == "ready");
        ready.map(|one| one.replica)
    });
    let victim = group.status().expect("up").replicas[0].clone();
    servers.world.pinion(["kill", &victim.vm]).run().ok();
    let (noticed, serving) = eventually(30, "the spare serves", || {
        let events = group.events().expect("events");
        let at = |event: &str, replica: u32| {
            let found = events
                .iter()
                .find(|one| one.event == event && one.replica == Some(replica));
            found.map(|one| one.at_ms)
        };
        Some((at("discarded", victim.replica)?, at("serving", spare)?))
    });
    // Both are told at one moment, but for the writing of them.
    assert!(
        (noticed..noticed + 100).contains(&serving),
        "noticed at {noticed}, replaced at {serving}"
    );
    eventually(30, "there is a spare again", || {
        let status = group.status().expect("up");
        (status.serving == 2 && status.ready == 1).then_some(())
    });
}

#[test]
fn growth_and_changes_of_spares_are_noticed() {
    let servers = Servers::new("grown");
    let folder = servers.folder.clone();
    let more = format!(
        "[check]\ninterval = '300ms'\n[changes]\nfiles = ['{folder}\\logs\\**', '{folder}\\temp\\**']\nkeys = ['HKCU\\Console\\**']\ninterval = '300ms'\n[growth]\nfiles = 40\n"
    );
    let file = servers.file("grown", 18_118, "replicas = 1", &more);
    let group = servers.up(&file, "grown");
    let of = |state: &str| {
        eventually(30, state, || {
            let replicas = group.status().expect("up").replicas;
            replicas.into_iter().find(|one| one.state == state)
        })
    };
    let (serving, spare) = (of("serving"), of("ready"));
    let inside = |vm: &str, command: &str| {
        servers
            .world
            .pinion(["exec", vm, "--", "cmd.exe", "/c", command])
            .run()
            .ok();
    };
    inside(
        &serving.vm,
        &format!("for /l %i in (1,1,60) do @echo x>{folder}\\temp\\%i.txt"),
    );
    inside(&spare.vm, &format!("echo x>{folder}\\intruder.txt"));
    for (replica, why) in [(serving.replica, "grown"), (spare.replica, "changed")] {
        eventually(30, why, || {
            let events = group.events().expect("events");
            let mut events = events.iter().filter(|event| event.event == "discarded");
            events
                .any(|event| event.replica == Some(replica) && event.why == why)
                .then_some(())
        });
    }
}

#[test]
fn memory_past_its_limit_is_noticed() {
    let servers = Servers::new("eaten");
    let more = "[check]\ninterval = '300ms'\n[growth]\nmemory = '200m'\n";
    let file = servers.file("eaten", 18_124, "replicas = 1", more);
    let group = servers.up(&file, "eaten");
    let spare = eventually(30, "a spare is ready", || {
        let replicas = group.status().expect("up").replicas;
        replicas.into_iter().find(|one| one.state == "ready")
    });
    let child = servers.world.host.path_of("child");
    // More than a replica may grow to, and less than what its VM may have.
    let exec = ["exec", "eaten.1", "--", &child, "eat", "220", "60"];
    let _eater = servers.world.pinion(exec).spawn();
    let event = eventually(30, "it is replaced", || {
        let events = group.events().expect("events");
        events.into_iter().find(|event| event.event == "discarded")
    });
    assert_eq!((event.replica, event.why.as_str()), (Some(1), "grown"));
    let status = group.status().expect("up");
    assert_eq!(status.faults, 1, "{status:?}");
    assert!(
        status
            .replicas
            .iter()
            .any(|one| one.replica == spare.replica && one.state == "serving"),
        "{status:?}"
    );
}
