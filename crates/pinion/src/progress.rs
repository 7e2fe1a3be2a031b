//! Tells a person at a terminal what takes long, from the second second on.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Shows a line as long as it lives, if it lives long.
pub struct Progress {
    end: Option<(Sender<()>, JoinHandle<()>)>,
}

const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(120);

/// Begins something that may take long, such as "starting web".
pub fn doing(what: &str) -> Progress {
    if !std::io::stderr().is_terminal() {
        return Progress { end: None };
    }
    let what = what.to_owned();
    let (sender, receiver) = channel::<()>();
    let thread = std::thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar.enable_steady_tick(TICK);
            let _ = receiver.recv();
            bar.finish_and_clear();
        }
    });
    Progress {
        end: Some((sender, thread)),
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.end.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
