//! Owns the running: a Wine server that logs, a copy of the project's prefix, the scenarios through the real command line.
//! Takes from Pinion only where each machine's places are (`pinion inspect`); what happened there is told by the server.
//!
//! The environment comes from `./x`: `PINION_WINE_RUN` (`wine-run WHICH PREFIX PROGRAM…`), `PINION_PREFIX`, `PINION_BIN`,
//! `PINION_NGINX`.

use crate::judge::Judge;
use crate::pass::PassList;
use crate::record::reasons::Reasons;
use crate::record::{Comparison, Events};
use crate::report::Report;
use crate::scenarios::{self, Scenario, Step};
use crate::vms::Vm;
use anyhow::{Context, Result, anyhow, bail};
use pinion_harness::wine::{Wine, windows_path};
use pinion_harness::{nginx, web};
use std::fs::File;
use std::io::BufReader;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where nginx listens. Who listens on it at every address of this computer, outside Wine too, has it from every VM.
const PORT: u16 = 28_080;
const POLL: Duration = Duration::from_millis(50);

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The pass list; the one that this program was built with if none.
    pub pass: Option<PathBuf>,
    /// Where to keep the logs and the list of machines.
    pub keep: Option<PathBuf>,
    /// Names of the scenarios to run; all if empty.
    pub only: Vec<String>,
}

/// Runs the scenarios and judges their logs.
///
/// # Errors
/// A scenario is not known, the environment is not complete, or a step failed: an audit of half a run proves nothing.
pub fn run(plan: &Plan) -> Result<Report> {
    let chosen = choose(&plan.only)?;
    let stage = Stage::new(plan)?;
    let told = stage.wine.version()?;
    let version = wine_number(&told)?;
    let pass = match &plan.pass {
        Some(path) => PassList::read(path, version)?,
        None => PassList::parse(
            include_str!("../pass.toml"),
            "tools/audit/pass.toml",
            version,
        )?,
    };
    let mut vms = Vec::new();
    for scenario in &chosen {
        eprintln!("audit: {} on Wine {version}", scenario.name);
        let server = Server::start(&stage, &stage.log(scenario))?;
        let outcome = scenario
            .steps
            .iter()
            .try_for_each(|step| stage.step(step, &mut vms));
        server.stop()?;
        outcome.with_context(|| format!("scenario {}", scenario.name))?;
    }
    let list = serde_json::to_vec_pretty(&vms)?;
    std::fs::write(stage.logs.join("vms.json"), list).context("cannot write the list of VMs")?;
    let mut judge = Judge::new(&vms, &pass);
    for scenario in &chosen {
        let path = stage.log(scenario);
        let log =
            File::open(&path).with_context(|| format!("cannot read the log {}", path.display()))?;
        judge.log(scenario.name, BufReader::new(log))?;
    }
    judge.finish();
    let reasons = Reasons::parse(include_str!("../record.toml"), version)?;
    let compared = compare(&stage.logs, &vms, &judge, &reasons)?;
    Ok(Report::new(version, &judge, &pass).with_record(compared, &reasons))
}

/// Compares what each machine recorded with the logs.
fn compare(logs: &Path, vms: &[Vm], judge: &Judge<'_>, reasons: &Reasons) -> Result<Comparison> {
    let mut compared = Comparison::new(reasons);
    for (index, vm) in vms.iter().enumerate() {
        let path = events_path(logs, &vm.name);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the events {}", path.display()))?;
        let events =
            Events::parse(&text).with_context(|| format!("{} are no events", path.display()))?;
        let lines: Vec<_> = judge.lines.iter().filter(|line| line.vm == index).collect();
        compared.add(vm, &lines, &events, reasons);
    }
    Ok(compared)
}

fn events_path(logs: &Path, vm: &str) -> PathBuf {
    logs.join(format!("{vm}.events"))
}

fn choose(only: &[String]) -> Result<Vec<Scenario>> {
    if let Some(unknown) = only.iter().find(|name| {
        scenarios::ALL
            .iter()
            .all(|scenario| scenario.name != **name)
    }) {
        let known: Vec<&str> = scenarios::ALL
            .iter()
            .map(|scenario| scenario.name)
            .collect();
        bail!("no scenario '{unknown}'; there are {}", known.join(", "));
    }
    let wanted =
        |scenario: &&Scenario| only.is_empty() || only.iter().any(|name| name == scenario.name);
    Ok(scenarios::ALL.iter().filter(wanted).copied().collect())
}

/// Where everything happens. The copy of the prefix vanishes with it.
struct Stage {
    wine: Wine,
    logs: PathBuf,
    _folder: TempDir,
}

impl Stage {
    fn new(plan: &Plan) -> Result<Self> {
        let mut wine = Wine::from_env()?;
        let folder =
            TempDir::with_prefix("pinion-audit-").context("cannot make a folder for the audit")?;
        let prefix = folder.path().join("prefix");
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(wine.prefix())
            .arg(&prefix)
            .status();
        if !copied.context("cannot run cp")?.success() {
            bail!(
                "cannot copy the prefix {} to {}; is there room?",
                wine.prefix().display(),
                prefix.display()
            );
        }
        wine.set_prefix(&prefix);
        let logs = plan
            .keep
            .clone()
            .unwrap_or_else(|| folder.path().join("logs"));
        std::fs::create_dir_all(&logs)
            .with_context(|| format!("cannot make the folder {}", logs.display()))?;
        Ok(Stage {
            wine,
            logs,
            _folder: folder,
        })
    }

    fn log(&self, scenario: &Scenario) -> PathBuf {
        self.logs.join(format!("{}.log", scenario.name))
    }

    fn step(&self, step: &Step, vms: &mut Vec<Vm>) -> Result<()> {
        match step {
            Step::Pinion(arguments) => self.pinion(arguments).map(drop),
            Step::Host(command) => {
                let words: Vec<String> = command.iter().map(|word| self.filled(word)).collect();
                let (program, arguments) = words
                    .split_first()
                    .ok_or_else(|| anyhow!("a step without a program"))?;
                self.wine.run(program, arguments).map(drop)
            }
            Step::Inspect(name) => {
                let told = self.pinion(&["inspect", name])?;
                let vm = vm_from_inspect(&told).with_context(|| {
                    let said = self.pinion(&["logs", name]).unwrap_or_default();
                    format!("pinion inspect {name}; its program said: {}", said.trim())
                })?;
                vms.push(vm);
                Ok(())
            }
            Step::Events(names) => names.iter().try_for_each(|name| {
                let told = self.pinion(&["trace", "--all", "--json", name])?;
                let path = events_path(&self.logs, name);
                std::fs::write(&path, told)
                    .with_context(|| format!("cannot write {}", path.display()))
            }),
            Step::LayNginx => {
                let site = "location / { root html; index index.html; }";
                let configuration =
                    format!("events {{}}\nhttp {{ server {{ listen {PORT}; {site} }} }}\n");
                nginx::lay(&self.wine, "audit-nginx", &configuration).map(drop)
            }
            Step::Page(name) => {
                let vm = vms.iter().rfind(|vm| vm.name == *name);
                let address = vm.and_then(|vm| vm.address.as_deref());
                let address =
                    address.ok_or_else(|| anyhow!("the address of {name} is not known"))?;
                let address = SocketAddrV4::new(address.parse()?, PORT);
                web::wait(address, "/", Duration::from_secs(60)).map(drop)
            }
        }
    }

    /// Runs `pinion` and gives what it printed.
    fn pinion(&self, arguments: &[&str]) -> Result<String> {
        let filled: Vec<String> = arguments
            .iter()
            .map(|argument| self.filled(argument))
            .collect();
        let output = self
            .wine
            .pinion(&filled)?
            .success()
            .with_context(|| format!("pinion {}", arguments.join(" ")))?;
        Ok(output.stdout)
    }

    fn filled(&self, argument: &str) -> String {
        argument.replace("{bin}", &windows_path(self.wine.bin()))
    }
}

/// The number in `wine-8.0 (Debian …)`.
fn wine_number(told: &str) -> Result<&str> {
    let number = told
        .strip_prefix("wine-")
        .and_then(|rest| rest.split_whitespace().next());
    number.ok_or_else(|| anyhow!("Wine does not tell its version but '{told}'"))
}

/// Waits for a child at most so long.
fn wait(child: &mut Child, limit: Duration) -> Result<bool> {
    let end = Instant::now() + limit;
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            return Ok(false);
        }
        sleep(POLL);
    }
    Ok(true)
}

/// What the judge needs of `pinion inspect`. A machine's pipes begin with its id if the prefix is not told, and the name of
/// its supervisor's pipe ends with it.
fn vm_from_inspect(told: &str) -> Result<Vm> {
    let mut value: serde_json::Value = serde_json::from_str(told).context("it is no JSON")?;
    let id = value
        .get("id")
        .and_then(|id| id.as_str())
        .ok_or_else(|| anyhow!("it tells no id"))?
        .to_string();
    if value
        .get("pipe_prefix")
        .is_none_or(serde_json::Value::is_null)
    {
        value["pipe_prefix"] = format!(r"pinion-{id}\").into();
    }
    value["request_pipe"] = format!("pinion-sv-{id}").into();
    serde_json::from_value(value)
        .context("it does not tell all of the VM's places; does the VM run?")
}

/// A server in the foreground whose standard error is the log.
struct Server<'a> {
    stage: &'a Stage,
    child: Child,
}

impl<'a> Server<'a> {
    fn start(stage: &'a Stage, log: &Path) -> Result<Self> {
        let file =
            File::create(log).with_context(|| format!("cannot write the log {}", log.display()))?;
        let mut command = stage.wine.command("--wineserver");
        command
            .args(["-f", "-p", "-d1"])
            .stdout(Stdio::null())
            .stderr(file);
        let mut server = Server {
            stage,
            child: command.spawn().context("cannot start the Wine server")?,
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !String::from_utf8_lossy(&std::fs::read(log)?).contains("starting") {
            if let Some(status) = server.child.try_wait()? {
                bail!(
                    "the Wine server ended at once ({status}); see {}",
                    log.display()
                );
            }
            if Instant::now() > end {
                bail!(
                    "the Wine server did not start within 20 s; see {}",
                    log.display()
                );
            }
            sleep(POLL);
        }
        Ok(server)
    }

    fn stop(mut self) -> Result<()> {
        self.stage
            .wine
            .wineserver(&["-k"])
            .context("cannot stop the Wine server")?;
        if !wait(&mut self.child, Duration::from_secs(30))? {
            bail!("the Wine server did not stop within 30 s");
        }
        Ok(())
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_inspect_tells_becomes_places() {
        let told = r#"{"id": "00ff", "name": "a", "address": "127.1.2.3", "object_directory": "\\d", "pipe_prefix": null,
            "upper_files": "C:\\pinion\\a\\upper", "registry_upper": "\\r", "stats": {}}"#;
        let vm = vm_from_inspect(told).expect("a running machine");
        assert_eq!(
            (vm.pipe_prefix.as_str(), vm.files_upper.as_str()),
            (r"pinion-00ff\", r"C:\pinion\a\upper")
        );
        assert!(vm_from_inspect(&told.replace(r#""\\d""#, "null")).is_err());
        assert!(vm_from_inspect("no JSON").is_err());
    }

    #[test]
    fn unknown_scenarios_are_refused() {
        assert!(choose(&["nothing".to_string()]).is_err());
        assert_eq!(
            choose(&[]).map(|chosen| chosen.len()).ok(),
            Some(scenarios::ALL.len())
        );
    }

    #[test]
    fn the_pass_list_that_comes_along_is_good() {
        for wine in ["8.0", "10.0"] {
            assert!(PassList::parse(include_str!("../pass.toml"), "pass.toml", wine).is_ok());
        }
    }
}
