//! Groups as the command line tells of them, and faults that are put into their replicas.

use crate::{Wine, nginx};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The part of `pinion group status --json` that tools look at.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// `up`, `starting`, `degraded`, `failing` or `down`.
    pub state: String,
    /// Where the front listens.
    pub front: SocketAddrV4,
    /// The group's process.
    pub pid: u32,
    /// Replicas that serve.
    pub serving: usize,
    /// Replicas wanted.
    pub wanted: usize,
    /// Replicas that are ready and do not serve.
    pub ready: usize,
    /// Replicas replaced for a fault.
    pub faults: u64,
    /// The longest life of a replica that is gone, in ms.
    pub longest_life_ms: u64,
    /// The front's figures.
    pub figures: Figures,
    /// The replicas.
    pub replicas: Vec<Replica>,
}

/// The front's figures.
#[derive(Debug, Clone, Deserialize)]
pub struct Figures {
    /// Requests.
    pub requests: u64,
    /// Requests that got 503.
    pub refused: u64,
    /// Requests that failed otherwise.
    pub failed: u64,
    /// Requests sent to another replica.
    pub retried: u64,
    /// The most that ever waited.
    pub most_waiting: u64,
}

/// A replica.
#[derive(Debug, Clone, Deserialize)]
pub struct Replica {
    /// Its number.
    pub replica: u32,
    /// Its VM.
    pub vm: String,
    /// `serving` and so on.
    pub state: String,
    /// Its address.
    pub address: Option<std::net::Ipv4Addr>,
    /// Its age in ms.
    pub age_ms: u64,
}

/// An event of `pinion group events --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// `discarded` and so on.
    pub event: String,
    /// The replica.
    pub replica: Option<u32>,
    /// Why, in a word.
    #[serde(default)]
    pub why: String,
    /// The folder of evidence, a Windows path.
    #[serde(default)]
    pub evidence: String,
}

/// What is done to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its VM is killed.
    Killed,
    /// Its processes are suspended.
    Hung,
    /// A file of its server is written to from inside.
    Defaced,
}

impl Fault {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Hung => "hung",
            Self::Defaced => "defaced",
        }
    }
}

/// A group that is up; ended when dropped.
pub struct Group<'a> {
    wine: &'a Wine,
    /// Its name.
    pub name: String,
}

impl<'a> Group<'a> {
    /// `pinion group up FILE`.
    ///
    /// # Errors
    /// When its replicas do not come up.
    pub fn up(wine: &'a Wine, file: &str, name: &str) -> Result<Self> {
        let group = Self {
            wine,
            name: name.into(),
        };
        wine.pinion(&["group", "up", file])?.success()?;
        Ok(group)
    }

    /// `pinion group status --json`.
    ///
    /// # Errors
    /// When the group is not up.
    pub fn status(&self) -> Result<Status> {
        let output = self
            .wine
            .pinion(&["group", "status", "--json", &self.name])?
            .success()?;
        serde_json::from_value(output.json()?).context("pinion group status")
    }

    /// `pinion group events --json`.
    ///
    /// # Errors
    /// When there are none.
    pub fn events(&self) -> Result<Vec<Event>> {
        let output = self
            .wine
            .pinion(&["group", "events", "--json", &self.name])?
            .success()?;
        let lines = output.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).context("an event"))
            .collect()
    }

    /// Waits until all replicas serve.
    ///
    /// # Errors
    /// When they do not within `limit`.
    pub fn wait(&self, limit: Duration) -> Result<Status> {
        let end = std::time::Instant::now() + limit;
        loop {
            let status = self.status()?;
            if status.serving >= status.wanted {
                return Ok(status);
            }
            if std::time::Instant::now() > end {
                bail!(
                    "{} of {} replicas serve after {limit:?}",
                    status.serving,
                    status.wanted
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Does it to the replica's VM; `page` is the file to deface, a Windows path. Whether it was done: a
    /// replica may be gone by then.
    ///
    /// # Errors
    /// When Wine does not run.
    pub fn hurt(&self, fault: Fault, vm: &str, page: &str) -> Result<bool> {
        let deface = format!("echo defaced>{page}");
        let output = match fault {
            Fault::Killed => self.wine.pinion(&["kill", vm])?,
            Fault::Hung => self.wine.pinion(&["pause", vm])?,
            Fault::Defaced => self
                .wine
                .pinion(&["exec", vm, "--", "cmd.exe", "/c", &deface])?,
        };
        Ok(output.code == 0)
    }

    /// `pinion group down`.
    ///
    /// # Errors
    /// When it does not go.
    pub fn down(&self) -> Result<()> {
        self.wine
            .pinion(&["group", "down", &self.name])?
            .success()?;
        Ok(())
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        let _ = self.wine.pinion(&["group", "down", &self.name]);
    }
}

/// Milliseconds since 1970, as events have them.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The page that nginx of [`lay`] serves.
pub const PAGE: &str = "the page of all replicas\n";

/// Lays the examples' servers and files into `C:\<folder>`, which stands for their `C:\srv`: nginx, Node where it was fetched,
/// and `web-vote.toml`, `node-balance.toml` from `examples`.
///
/// # Errors
/// When something cannot be written.
pub fn lay(wine: &Wine, folder: &str, examples: &Path) -> Result<PathBuf> {
    let root = wine.drive_c().join(folder);
    nginx::remove(&root)?;
    fs::create_dir_all(root.join("uploads"))?;
    let configuration = "worker_processes 1;
events { worker_connections 256; }
http { include mime.types; server { listen 8080; location / { root html; index index.html; } } }
";
    nginx::lay(wine, &format!("{folder}/nginx"), configuration)?;
    fs::write(root.join("nginx").join("html").join("index.html"), PAGE)?;
    let node = std::env::var("PINION_NODE").unwrap_or_default();
    fs::create_dir_all(root.join("node"))?;
    if Path::new(&node).join("node.exe").exists() {
        fs::copy(
            Path::new(&node).join("node.exe"),
            root.join("node").join("node.exe"),
        )?;
    }
    for (file, to) in [
        ("server.js", "node/server.js"),
        ("page.txt", "node/page.txt"),
        ("web-vote.toml", "web-vote.toml"),
        ("node-balance.toml", "node-balance.toml"),
    ] {
        let text =
            fs::read_to_string(examples.join(file)).with_context(|| format!("reading {file}"))?;
        fs::write(
            root.join(to),
            text.replace("C:\\srv\\", &format!("C:\\{folder}\\")),
        )?;
    }
    Ok(root)
}
