//! One side of the comparison: a copy of the project's prefix, with the tests
//! in it, in which programs run outside of VMs or inside.

use crate::outcome::Outcome;
use anyhow::{Context, Result, bail};
use pinion_harness::Wine;
use pinion_harness::wine::{Running, windows_path};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// How long one unit may take.
const LIMIT: Duration = Duration::from_secs(120);
/// The folder of the tests, below drive C.
const FOLDER: &str = "judge";
/// The store of the VMs.
const STORE: &str = "C:\\judge\\store";

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// As any program does.
    Outside,
    /// In a VM made for it.
    Inside,
}

/// A prefix of its own. Its processes are ended, and it is removed, when this is
/// dropped.
pub struct Side {
    wine: Wine,
    place: Where,
    // Where what the runs print is kept.
    output: Option<PathBuf>,
    // Declared last: the processes have ended before the folder goes.
    _copy: TempDir,
}

impl Side {
    /// Copies the prefix into `cache`.
    ///
    /// # Errors
    /// When the copy cannot be made or its server not be started.
    pub fn new(place: Where, cache: &Path) -> Result<Self> {
        let mut wine = Wine::from_env()?;
        let copy = tempfile::Builder::new()
            .prefix("judge-")
            .tempdir_in(cache)
            .with_context(|| format!("cannot make a folder in {}", cache.display()))?;
        let prefix = copy.path().join("prefix");
        let status = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .args([wine.prefix(), &prefix])
            .status()?;
        if !status.success() {
            bail!("copying the prefix {} failed", wine.prefix().display());
        }
        wine.set_prefix(&prefix);
        wine.set("PINION_ROOT", STORE);
        fs::create_dir_all(wine.drive_c().join(FOLDER))?;
        wine.wineserver(&["-p"])?;
        Ok(Self {
            wine,
            place,
            output: None,
            _copy: copy,
        })
    }

    /// The Wine, with this prefix.
    pub fn wine(&self) -> &Wine {
        &self.wine
    }

    /// Keeps what each run prints in `folder`, a file for each unit and side.
    pub fn keep_output(&mut self, folder: Option<&Path>) {
        self.output = folder.map(Path::to_owned);
    }

    /// Lays a file into the folder of the tests.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn lay(&self, file: &Path) -> Result<()> {
        let name = file.file_name().context("no file")?;
        fs::copy(file, self.wine.drive_c().join(FOLDER).join(name))
            .with_context(|| format!("cannot copy {}", file.display()))?;
        Ok(())
    }

    /// Runs `unit` of the tests of `module`, so many copies at the same time, each in
    /// an empty folder. A unit that does not end is an outcome, not an error; what it
    /// leaves running is ended.
    ///
    /// # Errors
    /// When Wine cannot be run.
    pub fn run(&self, module: &str, unit: &str, copies: usize) -> Result<Vec<Outcome>> {
        let mut running = Vec::new();
        for copy in 0..copies {
            running.push(self.start(module, unit, copy)?);
        }
        let ends: Vec<_> = running
            .into_iter()
            .map(|running| running.finish_or_tell(LIMIT))
            .collect();
        if ends.iter().any(Result::is_err) {
            self.wine.wineserver(&["-k"])?;
            self.wine.wineserver(&["-p"])?;
        }
        let mut outcomes = Vec::new();
        for (copy, end) in ends.into_iter().enumerate() {
            let (text, ended) = match end {
                Ok(output) => (output.stdout + &output.stderr, true),
                Err(so_far) => (so_far, false),
            };
            self.keep(module, unit, copy, &text)?;
            let mut outcome = Outcome::read(unit, &text);
            if !ended {
                outcome.figures = None;
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Starts one copy.
    fn start(&self, module: &str, unit: &str, copy: usize) -> Result<Running> {
        let name = match copy {
            0 => "run".to_owned(),
            _ => format!("run-{}", copy + 1),
        };
        let folder = self.wine.drive_c().join(FOLDER).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let program = format!("C:\\{FOLDER}\\{module}_test.exe");
        let mut command = match self.place {
            Where::Outside => self.wine.command(&program),
            Where::Inside => {
                let pinion = windows_path(&self.wine.program("pinion.exe"));
                let mut command = self.wine.command(pinion);
                command.args(["run", "--rm", "--", &program]);
                command
            }
        };
        command.arg(unit).current_dir(&folder);
        self.wine.start(command)
    }

    fn keep(&self, module: &str, unit: &str, copy: usize, text: &str) -> Result<()> {
        let Some(folder) = &self.output else {
            return Ok(());
        };
        let side = match (self.place, copy) {
            (Where::Outside, _) => "outside".to_owned(),
            (Where::Inside, 0) => "inside".to_owned(),
            (Where::Inside, _) => format!("inside-{}", copy + 1),
        };
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{module}-{unit}-{side}.txt"));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.wine.wineserver(&["-k"]);
        let _ = self.wine.wineserver(&["-w"]);
    }
}
