//! Tells a person at a terminal what takes long, from the second second on.

use indicatif::{ProgressBar, ProgressStyle};
use pinion_store::{Store, VmName};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    let what = what.to_owned();
    telling(move || what.clone())
}

/// Begins a removal from the store, and tells how many files and keys are gone.
pub fn removing(what: &VmName, store: &Store) -> Progress {
    let (what, removed) = (what.clone(), Arc::clone(store.removed()));
    telling(move || {
        let removed = removed.load(Ordering::Relaxed);
        format!("removing {what}: {removed} files and keys")
    })
}

/// Begins something whose state `tell` gives.
pub fn telling(tell: impl Fn() -> String + Send + 'static) -> Progress {
    if !std::io::stderr().is_terminal() {
        return Progress { end: None };
    }
    let (sender, receiver) = channel::<()>();
    let thread = std::thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            loop {
                bar.set_message(tell());
                bar.tick();
                if receiver.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
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

/// A bar over bytes, gone when it is dropped; nothing where nobody looks.
pub struct Bytes {
    bar: Option<ProgressBar>,
}

/// Begins something of which so many bytes of so many will be done.
pub fn bytes(what: &str) -> Bytes {
    if !std::io::stderr().is_terminal() {
        return Bytes { bar: None };
    }
    let bar = ProgressBar::new(0);
    let form = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    Bytes { bar: Some(bar) }
}

impl Bytes {
    /// Shows that `done` of `all` are done.
    pub fn at(&self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
