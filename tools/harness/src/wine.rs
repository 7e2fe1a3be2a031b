//! One Wine with one prefix, as the environment tells: `PINION_WINE`,
//! `PINION_WINE_RUN`, `PINION_PREFIX`, `PINION_BIN`, `PINION_NGINX`.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use wait_timeout::ChildExt;

/// A Wine, a prefix, and where the programs are.
pub struct Wine {
    which: String,
    run: PathBuf,
    prefix: PathBuf,
    bin: PathBuf,
    nginx: PathBuf,
    environment: Vec<(String, String)>,
    limit: Duration,
    outputs: TempDir,
}

/// What a program left.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output, lossily decoded.
    pub stdout: String,
    /// Standard error, lossily decoded.
    pub stderr: String,
}

impl Output {
    /// The last line of standard output as JSON.
    ///
    /// # Errors
    /// When there is none, with all that was printed.
    pub fn json(&self) -> Result<serde_json::Value> {
        let text = self.stdout.trim();
        serde_json::from_str(text)
            .or_else(|_| serde_json::from_str(text.lines().last().unwrap_or("")))
            .with_context(|| format!("no JSON in {self:?}"))
    }

    /// Fails unless the exit code is 0.
    ///
    /// # Errors
    /// With all that was printed.
    pub fn success(self) -> Result<Self> {
        if self.code == 0 {
            Ok(self)
        } else {
            bail!(
                "exit code {}: {} {}",
                self.code,
                self.stderr.trim(),
                self.stdout.trim()
            )
        }
    }
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name)
        .with_context(|| format!("{name} is not set: run this through ./x, which sets Wine up"))
}

impl Wine {
    /// The Wine that the environment names.
    ///
    /// # Errors
    /// When a variable is missing: this was not started by `./x`.
    pub fn from_env() -> Result<Self> {
        Ok(Self {
            which: variable("PINION_WINE")?,
            run: variable("PINION_WINE_RUN")?.into(),
            prefix: variable("PINION_PREFIX")?.into(),
            bin: variable("PINION_BIN")?.into(),
            nginx: std::env::var("PINION_NGINX").unwrap_or_default().into(),
            environment: Vec::new(),
            limit: LIMIT,
            outputs: tempfile::Builder::new().prefix("pinion-run-").tempdir()?,
        })
    }

    /// Adds a variable to the environment of every program started later.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
    }

    /// Gives programs more or less time than [`LIMIT`].
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// `system` or `10`.
    #[must_use]
    pub fn which(&self) -> &str {
        &self.which
    }

    /// The prefix.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// Uses another prefix.
    pub fn set_prefix(&mut self, prefix: &Path) {
        self.prefix = prefix.into();
    }

    /// How Wine is run, as a rule `wine-run`.
    #[must_use]
    pub fn runner(&self) -> &Path {
        &self.run
    }

    /// Runs Wine by another program with the arguments of `wine-run`.
    pub fn set_runner(&mut self, runner: &Path) {
        self.run = runner.into();
    }

    /// The folder of `pinion.exe`, the agent and the test programs.
    #[must_use]
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The folder of the built nginx.
    #[must_use]
    pub fn nginx(&self) -> &Path {
        &self.nginx
    }

    /// The prefix's drive C.
    #[must_use]
    pub fn drive_c(&self) -> PathBuf {
        self.prefix.join("drive_c")
    }

    /// A program that `./x build` made.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Wine's version as it says it, such as `wine-8.0 (Debian 8.0~repack-4)`.
    ///
    /// # Errors
    /// When Wine does not run.
    pub fn version(&self) -> Result<String> {
        let output = self.command("--version").output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A command that runs `program` on this Wine.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.run);
        command.arg(&self.which).arg(&self.prefix).arg(program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Runs `wineserver` with `arguments` and waits for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn wineserver(&self, arguments: &[&str]) -> Result<()> {
        self.command("--wineserver")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(())
    }

    /// Starts `command` with its output in files that [`Wine::finish`] reads.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, mut command: Command) -> Result<Running> {
        let out = tempfile::NamedTempFile::new_in(self.outputs.path())?;
        let err = tempfile::NamedTempFile::new_in(self.outputs.path())?;
        command.stdout(File::create(out.path())?);
        command.stderr(File::create(err.path())?);
        let child = command
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        Ok(Running { child, out, err })
    }

    /// Runs `program` with `arguments` in `folder` and waits at most `limit`.
    ///
    /// # Errors
    /// When it cannot be started or does not end in time (it is then ended).
    pub fn run_in<S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        program: impl AsRef<OsStr>,
        arguments: &[S],
        limit: Duration,
    ) -> Result<Output> {
        let mut command = self.command(program);
        command.args(arguments).current_dir(folder);
        self.start(command)?.finish(limit)
    }

    /// Runs `program` as [`Wine::run_in`], in the prefix's drive C.
    ///
    /// # Errors
    /// As [`Wine::run_in`].
    pub fn run<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: &[S],
    ) -> Result<Output> {
        self.run_in(&self.drive_c(), program, arguments, self.limit)
    }

    /// Runs `pinion.exe` with `arguments`.
    ///
    /// # Errors
    /// As [`Wine::run_in`]; an exit code other than 0 is no error here.
    pub fn pinion<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Output> {
        self.run(self.program("pinion.exe"), arguments)
    }
}

/// How long a program may take when nothing else is said.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A program that runs.
pub struct Running {
    child: Child,
    out: tempfile::NamedTempFile,
    err: tempfile::NamedTempFile,
}

impl Running {
    /// Waits at most `limit` for the end.
    ///
    /// # Errors
    /// When it does not end in time; it is then ended.
    pub fn finish(mut self, limit: Duration) -> Result<Output> {
        let Some(status) = self.child.wait_timeout(limit)? else {
            self.child.kill()?;
            self.child.wait()?;
            bail!("no end within {limit:?}: {}", self.so_far());
        };
        Ok(self.output(status))
    }

    /// As [`Running::finish`], but an end that does not come in time, or cannot be
    /// had, is told by what it has printed so far.
    ///
    /// # Errors
    /// The output so far of a program that did not end; it is then ended.
    pub fn finish_or_tell(mut self, limit: Duration) -> std::result::Result<Output, String> {
        if let Ok(Some(status)) = self.child.wait_timeout(limit) {
            return Ok(self.output(status));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        Err(self.so_far())
    }

    fn output(&self, status: ExitStatus) -> Output {
        Output {
            code: status.code().unwrap_or(-1),
            stdout: read(&self.out),
            stderr: read(&self.err),
        }
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The Unix process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    #[must_use]
    pub fn so_far(&self) -> String {
        format!("{}{}", read(&self.out), read(&self.err))
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

fn read(file: &tempfile::NamedTempFile) -> String {
    let bytes = std::fs::read(file.path()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The Windows path of a Unix path, on drive Z, which is Unix's root.
#[must_use]
pub fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}
