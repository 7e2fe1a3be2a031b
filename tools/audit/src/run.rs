//! Owns the running: a Wine server that logs, a copy of the project's prefix, the scenarios through the real command line.
//! Takes from Pinion only where each machine's places are (`pinion inspect`); what happened there is told by the server.
//!
//! The environment comes from `./x`: `PINION_WINE_RUN` (`wine-run WHICH PREFIX PROGRAM…`), `PINION_PREFIX`, `PINION_BIN`,
//! `PINION_NGINX`.

use crate::judge::Judge;
use crate::pass::PassList;
use crate::report::Report;
use crate::scenarios::{self, Scenario, Step};
use crate::vms::Vm;
use anyhow::{Context, Result, anyhow, bail};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Long enough for the slowest step on a busy machine with the server writing its log.
const STEP_LIMIT: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(50);

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// `system` or `10`.
    pub wine: String,
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
    let version = stage.wine_version()?;
    let pass = match &plan.pass {
        Some(path) => PassList::read(path, &version)?,
        None => PassList::parse(
            include_str!("../pass.toml"),
            "tools/audit/pass.toml",
            &version,
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
    Ok(Report::new(&version, &judge, &pass))
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
    which: String,
    runner: PathBuf,
    prefix: PathBuf,
    bin: PathBuf,
    nginx: Option<PathBuf>,
    logs: PathBuf,
    output: PathBuf,
    _folder: TempDir,
}

impl Stage {
    fn new(plan: &Plan) -> Result<Self> {
        let variable = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .ok_or_else(|| anyhow!("{name} is not set; run the audit by ./x audit"))
        };
        let original = variable("PINION_PREFIX")?;
        let folder =
            TempDir::with_prefix("pinion-audit-").context("cannot make a folder for the audit")?;
        let prefix = folder.path().join("prefix");
        let copied = Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(&original)
            .arg(&prefix)
            .status();
        if !copied.context("cannot run cp")?.success() {
            bail!(
                "cannot copy the prefix {} to {}; is there room?",
                original.display(),
                prefix.display()
            );
        }
        let logs = plan
            .keep
            .clone()
            .unwrap_or_else(|| folder.path().join("logs"));
        std::fs::create_dir_all(&logs)
            .with_context(|| format!("cannot make the folder {}", logs.display()))?;
        Ok(Stage {
            which: plan.wine.clone(),
            runner: variable("PINION_WINE_RUN")?,
            prefix,
            bin: variable("PINION_BIN")?,
            nginx: variable("PINION_NGINX").ok(),
            logs,
            output: folder.path().join("output"),
            _folder: folder,
        })
    }

    fn log(&self, scenario: &Scenario) -> PathBuf {
        self.logs.join(format!("{}.log", scenario.name))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.runner);
        command
            .arg(&self.which)
            .arg(&self.prefix)
            .stdin(Stdio::null());
        command
    }

    /// The number in `wine-8.0 (Debian …)`.
    fn wine_version(&self) -> Result<String> {
        let told = self
            .command()
            .arg("--version")
            .output()
            .context("cannot run Wine")?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let version = told
            .trim()
            .strip_prefix("wine-")
            .and_then(|rest| rest.split_whitespace().next());
        Ok(version
            .ok_or_else(|| anyhow!("Wine does not tell its version but '{}'", told.trim()))?
            .to_string())
    }

    fn step(&self, step: &Step, vms: &mut Vec<Vm>) -> Result<()> {
        match step {
            Step::Pinion(arguments) => self.pinion(arguments).map(drop),
            Step::Host(command) => self.wine(command).map(drop),
            Step::Inspect(name) => {
                let told = self.pinion(&["inspect", name])?;
                vms.push(vm_from_inspect(&told).with_context(|| format!("pinion inspect {name}"))?);
                Ok(())
            }
            Step::Wait(milliseconds) => {
                sleep(Duration::from_millis(*milliseconds));
                Ok(())
            }
        }
    }

    /// Runs `pinion` and gives what it printed.
    fn pinion(&self, arguments: &[&str]) -> Result<String> {
        let command: Vec<&str> = [r"{bin}\pinion.exe"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let (status, told) = self.wine(&command)?;
        if !status.success() {
            bail!(
                "pinion {} failed ({status}): {}",
                arguments.join(" "),
                told.trim()
            );
        }
        Ok(told)
    }

    /// Runs a Windows program. Its output goes to a file: a pipe would be held open by what it leaves behind.
    fn wine(&self, command: &[&str]) -> Result<(ExitStatus, String)> {
        let arguments: Vec<String> = command
            .iter()
            .map(|argument| self.filled(argument))
            .collect::<Result<_>>()?;
        let output = File::create(&self.output).context("cannot make a file for the output")?;
        let errors = output.try_clone()?;
        let mut child = self
            .command()
            .args(&arguments)
            .stdout(output)
            .stderr(errors)
            .spawn()
            .context("cannot run Wine")?;
        let status = wait(&mut child, STEP_LIMIT)?;
        let told = String::from_utf8_lossy(&std::fs::read(&self.output)?).into_owned();
        match status {
            Some(status) => Ok((status, told)),
            None => bail!(
                "{} did not end within {} s: {}",
                command.join(" "),
                STEP_LIMIT.as_secs(),
                told.trim()
            ),
        }
    }

    fn filled(&self, argument: &str) -> Result<String> {
        let mut filled = argument.replace("{bin}", &windows_path(&self.bin));
        if filled.contains("{nginx}") {
            let nginx = self
                .nginx
                .as_deref()
                .ok_or_else(|| anyhow!("PINION_NGINX is not set; run the audit by ./x audit"))?;
            filled = filled.replace("{nginx}", &windows_path(nginx));
        }
        Ok(filled)
    }
}

/// Drive Z: of a prefix is the root folder.
fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.display().to_string().replace('/', r"\"))
}

/// Waits for a child; kills it at the limit and gives no status then.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(POLL);
    }
}

/// What the judge needs of `pinion inspect`. A machine's pipes begin with its id if the prefix is not told.
fn vm_from_inspect(told: &str) -> Result<Vm> {
    let mut value: serde_json::Value = serde_json::from_str(told).context("it is no JSON")?;
    if value
        .get("pipe_prefix")
        .is_none_or(serde_json::Value::is_null)
    {
        let id = value
            .get("id")
            .and_then(|id| id.as_str())
            .ok_or_else(|| anyhow!("it tells no id"))?;
        value["pipe_prefix"] = format!(r"pinion-{id}\").into();
    }
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
        let mut command = stage.command();
        command
            .args(["--wineserver", "-f", "-p", "-d1"])
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
            .command()
            .args(["--wineserver", "-k"])
            .status()
            .context("cannot stop the Wine server")?;
        match wait(&mut self.child, Duration::from_secs(30))? {
            Some(_) => Ok(()),
            None => bail!("the Wine server did not stop within 30 s"),
        }
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
