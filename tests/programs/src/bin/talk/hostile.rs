//! Traffic as no program of Pinion's makes it. `open` opens the pipe anew; an
//! opening that fails is no error: a server may refuse.

use pinion_test_programs::{hold, say};
use serde_json::json;
use std::fs::File;
use std::io::{Read, Write};

/// How many connections are left half open until the end.
const HALF_OPEN: usize = 64;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let count = self.throw(most + 1);
        (0..count).map(|_| self.throw(256) as u8).collect()
    }
}

/// A member's: messages with their length before them, right and wrong.
pub fn messages(open: impl Fn() -> Option<File>, seconds: Option<String>) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let held = half_open(&open);
    let mut answered = 0_u32;
    for _ in 0..100 {
        send_and_go(&open, &dice.bytes(64));
    }
    for length in [16 * 1024 + 1, 0x8000_0000, u32::MAX, 0, 100, 16 * 1024] {
        let mut message = length.to_le_bytes().to_vec();
        message.extend(dice.bytes(40));
        send_and_go(&open, &message);
    }
    for _ in 0..40 {
        let Some(mut pipe) = open() else { continue };
        for _ in 0..25 {
            // The first bytes say what is asked: most are known, in any order.
            let mut message = vec![dice.throw(3) as u8, dice.throw(40) as u8];
            message.extend(dice.bytes(60));
            if !ask(&mut pipe, &message) {
                break;
            }
            answered += 1;
        }
    }
    let deaf = deaf(&open, &[4, 0, 0, 0, 9, 9, 9, 9]);
    say(&json!({"answered": answered, "held": held.len(), "deaf": deaf}));
    hold(seconds);
}

/// Lines as the command line sends them, right and wrong.
pub fn lines(open: impl Fn() -> Option<File>, seconds: Option<String>) {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let held = half_open(&open);
    for _ in 0..100 {
        send_and_go(&open, &dice.bytes(200));
    }
    let nested = "[".repeat(100_000);
    let odd = [
        "\n\n\n",
        "{}\n",
        "null\n",
        "{\"op\":\"fly\"}\n",
        "{\"op\":\"stop\"}\n",
        "{\"op\":\"adopt\",\"pid\":4,\"main\":true}\n",
        "{\"op\":\"adopt\",\"pid\":4294967295,\"main\":false}\n",
        "{\"op\":\"adopt\",\"pid\":-1,\"main\":false}\n",
        "{\"op\":\"admit\"}\n{\"op\":\"admit\"}\n{\"op\":\"admit\"}\n",
        "{\"op\":\"start\",\"program\":{\"command\":[],\"env\":[]},\"main\":true}\n",
        "{\"op\":\"status\"}",
        &nested,
    ];
    let mut answered = 0_u32;
    for line in odd {
        let Some(mut pipe) = open() else { continue };
        let mut one = [0; 1];
        let sent = pipe.write_all(line.as_bytes()).is_ok();
        if sent && line.ends_with('\n') && pipe.read_exact(&mut one).is_ok() {
            answered += 1;
        }
    }
    // Longer than any line may be.
    let endless = vec![b'x'; 1 << 20];
    if let Some(mut pipe) = open() {
        for _ in 0..6 {
            let _ = pipe.write_all(&endless);
        }
    }
    say(&json!({"answered": answered, "held": held.len()}));
    hold(seconds);
}

fn half_open(open: &impl Fn() -> Option<File>) -> Vec<File> {
    let mut held: Vec<File> = (0..HALF_OPEN).filter_map(|_| open()).collect();
    for pipe in held.iter_mut().step_by(2) {
        let _ = pipe.write_all(&[1, 0]);
    }
    held
}

fn send_and_go(open: &impl Fn() -> Option<File>, bytes: &[u8]) {
    if let Some(mut pipe) = open() {
        let _ = pipe.write_all(bytes);
    }
}

/// Whether the message was answered by another.
fn ask(pipe: &mut File, message: &[u8]) -> bool {
    let mut length = [0; 4];
    let size = u32::try_from(message.len()).unwrap_or(0);
    let asked = pipe
        .write_all(&[&size.to_le_bytes(), message].concat())
        .and_then(|()| pipe.read_exact(&mut length));
    let mut answer = vec![0; u32::from_le_bytes(length) as usize];
    asked.and_then(|()| pipe.read_exact(&mut answer)).is_ok()
}

/// Asks on and on and never listens, in threads that end with this process;
/// how many there are.
fn deaf(open: &impl Fn() -> Option<File>, message: &'static [u8]) -> usize {
    let pipes: Vec<File> = (0..4).filter_map(|_| open()).collect();
    let count = pipes.len();
    for mut pipe in pipes {
        std::thread::spawn(move || while pipe.write_all(message).is_ok() {});
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    count
}
