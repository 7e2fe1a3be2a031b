//! A worker of the web service: takes requests from the queue that it has
//! inherited, answers them and counts them on the scoreboard. It ends after a
//! number of requests, or after the first when it is of an older generation.
#![cfg(windows)]

use pinion_test_programs::http::Queue;
use pinion_test_programs::score::board;
use pinion_test_programs::{arguments, usage};
use std::sync::atomic::Ordering::SeqCst;

fn main() {
    let arguments = arguments();
    let [queue, place, most, text] = &arguments[..] else {
        usage("web_worker QUEUE PLACE REQUESTS TEXT");
    };
    let number = |text: &String| text.parse::<usize>().unwrap_or_else(|_| usage("a number"));
    let (queue, place, most) = (Queue::inherited(number(queue)), number(place), number(most));
    let board = board(false).unwrap_or_else(|_| std::process::exit(3));
    let (generation, own) = (board.generation.load(SeqCst), std::process::id());
    board.places[place].pid.store(own, SeqCst);
    for _ in 0..most {
        let answered = queue.answer(|asked| {
            board.places[place].answered.fetch_add(1, SeqCst);
            format!("{text} {own} {}\n", asked.url)
        });
        if answered.is_err() {
            std::process::exit(4);
        }
        if board.generation.load(SeqCst) != generation {
            break;
        }
    }
}
