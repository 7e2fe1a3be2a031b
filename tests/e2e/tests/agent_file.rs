//! The agent's file missing, damaged or of another Pinion: nothing runs, and the
//! cause is told.

use pinion_e2e::{World, pe};
use std::fs;

fn refused(world: &World) {
    refused_with(world, "pinion_agent.dll");
}

fn refused_with(world: &World, word: &str) {
    let echo = world.host.path_of("echo_stdio");
    for detach in [false, true] {
        let options: &[&str] = if detach { &["-d"] } else { &[] };
        let output = world
            .pinion(["run"])
            .args(options)
            .args([&echo, "show", "--exit", "0"])
            .run();
        output.fails(125, &["pinion_agent.dll", word]);
        assert_eq!(output.stdout, "", "nothing ran: {output:?}");
        assert_eq!(world.folders(), [""; 0]);
    }
}

#[test]
fn a_missing_agent() {
    let world = World::with_own_pinion();
    fs::remove_file(world.agent()).expect("removed");
    refused(&world);
}

#[test]
fn a_damaged_agent() {
    let world = World::with_own_pinion();
    let whole = fs::read(world.agent()).expect("the agent");
    let mut damages: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"MZ".to_vec(),
        whole[..whole.len() / 2].to_vec(),
    ];
    let mut headless = whole.clone();
    headless[..0x200].fill(0);
    damages.push(headless);
    for damaged in damages {
        fs::write(world.agent(), damaged).expect("written");
        refused(&world);
    }
}

#[test]
fn another_dll_in_place_of_the_agent() {
    let world = World::with_own_pinion();
    fs::copy(world.host.bin().join("early_dll.dll"), world.agent()).expect("a copy");
    refused(&world);
}

#[test]
fn one_flipped_bit_in_the_agent() {
    let world = World::with_own_pinion();
    let mut agent = fs::read(world.agent()).expect("the agent");
    let middle = agent.len() / 2;
    agent[middle] ^= 1;
    fs::write(world.agent(), agent).expect("written");
    refused_with(&world, "damaged");
}

#[test]
fn an_agent_of_another_version() {
    let world = World::with_own_pinion();
    let mut agent = fs::read(world.agent()).expect("the agent");
    let at = pe::export(&agent, "PINION_VERSION");
    agent[at..at + 4].copy_from_slice(&77_u32.to_le_bytes());
    pe::seal(&mut agent);
    fs::write(world.agent(), agent).expect("written");
    refused_with(&world, "77");
}

#[test]
fn the_agent_as_it_is_survives_a_new_checksum() {
    let world = World::with_own_pinion();
    let mut agent = fs::read(world.agent()).expect("the agent");
    pe::seal(&mut agent);
    fs::write(world.agent(), agent).expect("written");
    let child = world.host.path_of("child");
    world.pinion(["run", "--rm", &child, "trivial"]).run().ok();
}
