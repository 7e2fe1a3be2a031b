//! Policies: a name that is allowed is the host's own, both ways, and nothing else
//! is; a name that is denied is refused and the log says why; a policy that cannot
//! be carried out is told by line and column; what is explained is what happens.

mod kept;
mod names;
mod told;
mod vms;

use pinion_e2e::{Program, Running, World};
use serde_json::Value;

/// Win32 errors (winerror.h) and statuses (ntstatus.h).
const MISSING: u64 = 2;
const DENIED: u64 = 5;
const STATUS_DENIED: u64 = 0xC000_0022;

/// One rule of a file.
fn rule(channel: &str, name: &str, more: &str) -> String {
    format!("[[rule]]\nchannel = \"{channel}\"\nname = '{name}'\n{more}\n\n")
}

fn allow(channel: &str, name: &str) -> String {
    rule(channel, name, "peer = \"host\"\nverdict = \"allow\"")
}

fn deny(channel: &str, name: &str) -> String {
    rule(
        channel,
        name,
        "verdict = \"deny\"\nmessage = \"not for web\"",
    )
}

fn out(channel: &str, name: &str) -> String {
    let more = "direction = \"out\"\npeer = \"host\"\nverdict = \"allow\"";
    rule(channel, name, more)
}

/// A world with a policy in a file, whose path is given.
fn world(policy: &[String]) -> (World, String) {
    let world = World::new();
    let file = world.file("policy.toml", policy.concat().as_bytes());
    (world, file)
}

/// A VM of this name with the policy that does nothing for a minute.
fn sleeper(world: &World, vm: &str, policy: &str) {
    let path = world.host.path_of("child");
    world
        .pinion([
            "run", "-d", "--name", vm, "--policy", policy, &path, "sleep", "60",
        ])
        .run()
        .ok();
}

/// The `names` program inside, or on the host.
fn inside(world: &World, vm: &str) -> Program {
    world.pinion(["exec", vm, &world.host.path_of("names")])
}

fn on_host(world: &World) -> Program {
    world.host.program("names")
}

/// Starts the program and takes its first answer.
fn begun(program: Program) -> (Running, Value) {
    let mut running = program.spawn();
    let first = running.first_json();
    (running, first)
}

/// The last line of JSON of a program that has ended.
fn last(running: Running) -> Value {
    let output = running.wait();
    let line = output.stdout.lines().last().map(str::to_owned);
    serde_json::from_str(&line.unwrap_or_default()).unwrap_or_else(|_| panic!("{output:#?}"))
}

fn open(program: Program, kind: &str, name: &str) -> u64 {
    let opened = program.args(["open", kind, name]).run().expect(0).json();
    opened["error"].as_u64().expect("an error")
}

/// Names of each kind, with a word of the test's own: the host is all tests'.
fn kinds(word: &str) -> Vec<(&'static str, String)> {
    let of = |(kind, name): (&'static str, &str)| (kind, name.replace("shared", word));
    KINDS.map(of).into()
}

const KINDS: [(&str, &str); 8] = [
    ("mutant", "e2e-shared-m"),
    ("event", "Local\\e2e-shared-e"),
    ("semaphore", "e2e-shared-s"),
    ("timer", "E2E-shared-T"),
    ("section", "Global\\e2e-shared-f"),
    ("job", "e2e-shared-j"),
    ("pipe", "\\\\.\\pipe\\e2e-shared-p"),
    ("mailslot", "\\\\.\\mailslot\\e2e\\shared"),
];

fn shared(word: &str) -> Vec<String> {
    let all = [
        allow("objects", "e2e-shared-*"),
        allow("sections", "Global\\e2e-shared-?"),
        allow("jobs", "Local\\E2E-shared-?"),
        allow("pipes", "e2e-shared*"),
        allow("mailslots", "e2e\\shared*"),
    ];
    all.map(|rule| rule.replace("shared", word)).into()
}
