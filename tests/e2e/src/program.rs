//! Runs one Windows program: its output to files, as background processes of
//! Wine would hold a pipe open; its time limited.

use serde_json::Value;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(120);

/// A program to run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Option<String>,
    limit: Duration,
}

/// A program that runs; ended when dropped.
#[derive(Debug)]
pub struct Running {
    shown: String,
    child: Child,
    stdout: File,
    stderr: File,
    start: Instant,
    limit: Duration,
}

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit code; Wine hands on the low 8 bits.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// The command, for messages.
    pub command: String,
}

impl Program {
    pub(crate) fn new(command: Command) -> Self {
        Self {
            command,
            input: None,
            limit: LIMIT,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<str>) -> Self {
        self.command.arg(argument.as_ref());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<str>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            self.command.arg(argument.as_ref());
        }
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    /// Sets the current folder, a Unix path.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives it a standard input; else it has an empty one.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.into());
        self
    }

    /// Ends it after so many seconds instead of 120.
    #[must_use]
    pub fn limit(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When the script that runs Wine cannot be started.
    #[must_use]
    pub fn spawn(mut self) -> Running {
        let (stdout, stderr) = (temporary(), temporary());
        let input = self.input.map(|text| {
            let mut file = temporary();
            file.write_all(text.as_bytes())
                .expect("the input can be written");
            file.rewind().expect("the input can be read again");
            Stdio::from(file)
        });
        self.command
            .stdin(input.unwrap_or_else(Stdio::null))
            .stdout(stdout.try_clone().expect("a handle"))
            .stderr(stderr.try_clone().expect("a handle"));
        let shown = format!("{:?}", self.command);
        let child = self
            .command
            .spawn()
            .unwrap_or_else(|why| panic!("cannot start {shown}: {why}"));
        Running {
            shown,
            child,
            stdout,
            stderr,
            start: Instant::now(),
            limit: self.limit,
        }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When its time is over.
    #[must_use]
    pub fn run(self) -> Output {
        self.spawn().wait()
    }
}

impl Running {
    /// The standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        contents(&self.stdout)
    }

    /// Ends it at once, as nothing in it can notice.
    ///
    /// # Panics
    /// When the system does not let it.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        let _ = self.child.wait();
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn has_ended(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("the state of a child")
            .is_some()
    }

    /// Its first line of JSON, once it is there.
    ///
    /// # Panics
    /// When it ends without one or its time is over.
    pub fn first_json(&mut self) -> Value {
        loop {
            let ended = self.has_ended();
            if let Some(value) = self
                .stdout()
                .lines()
                .find_map(|line| serde_json::from_str(line).ok())
            {
                return value;
            }
            if ended || self.start.elapsed() > self.limit {
                panic!(
                    "no JSON from {}: {:?} {:?}",
                    self.shown,
                    self.stdout(),
                    contents(&self.stderr)
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When its time is over.
    #[must_use]
    pub fn wait(mut self) -> Output {
        loop {
            if let Some(status) = self.child.try_wait().expect("the state of a child") {
                return Output {
                    code: status.code().unwrap_or(-1),
                    stdout: self.stdout(),
                    stderr: contents(&self.stderr),
                    command: self.shown.clone(),
                };
            }
            if self.start.elapsed() > self.limit {
                panic!(
                    "{} did not end in {:?}: {:?} {:?}",
                    self.shown,
                    self.limit,
                    self.stdout(),
                    contents(&self.stderr)
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Output {
    /// Panics unless the exit code is `code`.
    ///
    /// # Panics
    /// As told.
    #[must_use = "the output is often asked next"]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Panics unless the exit code is 0.
    pub fn ok(self) {
        let _ = self.expect(0);
    }

    /// The first line of the standard output that is JSON, or all of it.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .ok()
            .or_else(|| {
                self.stdout
                    .lines()
                    .find_map(|line| serde_json::from_str(line).ok())
            })
            .unwrap_or_else(|| panic!("no JSON: {self:#?}"))
    }

    /// Panics unless Pinion failed with `code` and one line that holds `words`.
    ///
    /// # Panics
    /// As told.
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        let lines: Vec<&str> = self.stderr.lines().filter(|line| !is_wines(line)).collect();
        let line = lines.join("\n");
        assert!(
            line.starts_with("pinion: ") && !line.contains('\n'),
            "not one line: {self:#?}"
        );
        for word in words {
            assert!(line.contains(word), "no '{word}': {self:#?}");
        }
    }
}

/// Whether Wine itself wrote the line: a thread that its process's end overtook,
/// as the supervisor's on Wine 10 now and then.
fn is_wines(line: &str) -> bool {
    line.starts_with("wine client error:")
}

fn temporary() -> File {
    tempfile::tempfile().expect("a temporary file")
}

/// All of the file. The handle shares its position with the program's, so that
/// it is read by place.
fn contents(file: &File) -> String {
    use std::os::unix::fs::FileExt;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = file.read_at(&mut buffer, bytes.len() as u64) {
        bytes.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
