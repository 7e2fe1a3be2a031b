//! The Wine that tests run on, and the folder of the built programs.

use crate::program::Program;
use pinion_harness::Wine;
use pinion_harness::wine::windows_path;
use std::path::{Path, PathBuf};

/// One Wine with its prefix.
pub struct Host {
    wine: Wine,
}

impl Host {
    /// The Wine that the environment names.
    ///
    /// # Panics
    /// When it names none: these tests never pass without having run.
    #[must_use]
    pub fn from_env() -> Self {
        match Wine::from_env() {
            Ok(wine) => Self { wine },
            Err(why) => panic!("run the end-to-end tests by './x test': {why:#}"),
        }
    }

    /// Reaches the same Wine by another runner and with another prefix from now on.
    pub(crate) fn go_through(&mut self, runner: &Path, prefix: &Path) {
        self.wine.set_runner(runner);
        self.wine.set_prefix(prefix);
    }

    /// The harness's own view, for what is not here.
    #[must_use]
    pub fn wine(&self) -> &Wine {
        &self.wine
    }

    /// Whether this is Wine 8.
    ///
    /// # Panics
    /// When it does not tell its version.
    #[must_use]
    pub fn is_wine_8(&self) -> bool {
        self.wine.version().expect("a version").contains("wine-8.")
    }

    /// The folder of the built programs.
    #[must_use]
    pub fn bin(&self) -> &Path {
        self.wine.bin()
    }

    /// The prefix's drive C.
    #[must_use]
    pub fn drive_c(&self) -> PathBuf {
        self.wine.drive_c()
    }

    /// A built program by its name, such as `names`, as a Windows path.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        windows_path(&self.bin().join(format!("{name}.exe")))
    }

    /// The built program `name` on the plain host, outside any VM.
    #[must_use]
    pub fn program(&self, name: &str) -> Program {
        self.any(&self.path_of(name))
    }

    /// Any program of the host, by a Windows path or a name that Wine finds.
    #[must_use]
    pub fn any(&self, program: &str) -> Program {
        Program::new(self.wine.command(program))
    }
}
