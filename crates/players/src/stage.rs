//! The stage: reads what is asked, lets the probe's player do it, answers. Keeps
//! what players serve.

use crate::play::{self, Served};
use crate::win;
use pinion_probes::{Answer, Ask, Facts, Seen, Task};
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long an effect may take to be felt.
const FELT_WITHIN: u32 = 12;
const LOOK: Duration = Duration::from_millis(8);

/// Plays until `asks` ends; the exit code.
pub fn play(asks: impl BufRead, mut answers: impl Write) -> i32 {
    win::answer_stubs();
    let mut served: Option<Box<dyn Served>> = None;
    for line in asks.lines() {
        let Ok(line) = line else { return 0 };
        let answer = match serde_json::from_str::<Ask>(&line) {
            Ok(ask) => act(&ask, &mut served),
            Err(error) => answer(Seen::Broken(format!("a line that cannot be read: {error}"))),
        };
        let Ok(text) = serde_json::to_string(&answer) else {
            return 1;
        };
        if writeln!(answers, "{text}")
            .and_then(|()| answers.flush())
            .is_err()
        {
            return 0;
        }
    }
    0
}

/// The same by a child of this process, on the same standard handles.
pub fn play_as_child() -> i32 {
    let own = std::env::current_exe();
    let child = own.and_then(|own| {
        Command::new(own)
            .arg("play")
            .stdin(Stdio::inherit())
            .stdout(Stdio::inherit())
            .status()
    });
    child.map_or(1, |status| status.code().unwrap_or(1))
}

fn answer(seen: Seen) -> Answer {
    let facts = Facts::new();
    Answer { seen, facts }
}

fn act(ask: &Ask, served: &mut Option<Box<dyn Served>>) -> Answer {
    let Some(player) = play::player(&ask.probe) else {
        return answer(Seen::Broken(format!("no player for {}", ask.probe)));
    };
    match ask.task {
        Task::Serve => {
            *served = None;
            match (player.serve)(ask) {
                Ok(it) => {
                    let facts = it.facts();
                    *served = Some(it);
                    Answer {
                        seen: Seen::Got,
                        facts,
                    }
                }
                Err(seen) => answer(seen),
            }
        }
        Task::Reach => answer((player.reach)(ask).err().unwrap_or(Seen::Got)),
        Task::Check => answer(check(ask, served.as_mut())),
        Task::Drop => {
            *served = None;
            answer(Seen::Got)
        }
    }
}

fn check(ask: &Ask, served: Option<&mut Box<dyn Served>>) -> Seen {
    let Some(served) = served else {
        return Seen::Broken("nothing is served".into());
    };
    for _ in 0..FELT_WITHIN {
        if served.felt(ask.token) {
            return Seen::Got;
        }
        std::thread::sleep(LOOK);
    }
    Seen::Other("nothing was felt".into())
}
