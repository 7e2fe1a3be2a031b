//! The VMs that are tried, and where they really are. They are gone when this is.

use super::cast::Player;
use crate::failure::Failure;
use pinion_probes::Place;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Two VMs.
pub struct Machines {
    own: PathBuf,
    probe: PathBuf,
    vms: Vec<Machine>,
}

/// One of them.
pub struct Machine {
    name: String,
    /// Where it really is.
    pub place: Place,
}

impl Machines {
    /// Makes and starts both, on the user's desktop or each on its own.
    pub fn start(on_desktop: bool) -> Result<Self, Failure> {
        let own = std::env::current_exe().map_err(|error| {
            Failure::pinion(format!("cannot find pinion.exe's own path: {error}"))
        })?;
        let probe = own.with_file_name("pinion_probe.exe");
        if !probe.is_file() {
            return Err(Failure::pinion(format!(
                "there is no {}; it belongs beside pinion.exe",
                probe.display()
            )));
        }
        let mut machines = Self {
            own,
            probe,
            vms: Vec::new(),
        };
        for letter in ["a", "b"] {
            let name = format!("verify-{}-{letter}", std::process::id());
            let keep = [machines.probe.display().to_string(), "keep".into()];
            let mut command = vec!["run", "-d", "--name", &name];
            command.extend(on_desktop.then_some("--desktop"));
            command.push("--");
            command.extend(keep.iter().map(String::as_str));
            machines.vms.push(Machine {
                name: name.clone(),
                place: Place::default(),
            });
            machines.pinion(&command)?;
            let place = machines.place(&name)?;
            if let Some(machine) = machines.vms.last_mut() {
                machine.place = place;
            }
        }
        Ok(machines)
    }

    /// The VM of that number, 0 or 1.
    pub fn vm(&self, number: usize) -> &Machine {
        &self.vms[number]
    }

    /// Stops the VM and starts it again.
    pub fn restart(&mut self, number: usize) -> Result<(), Failure> {
        let name = self.vms[number].name.clone();
        self.pinion(&["stop", "-t", "1", &name])?;
        self.pinion(&["start", &name])?;
        self.vms[number].place = self.place(&name)?;
        Ok(())
    }

    /// A player on the host.
    pub fn on_host(&self) -> Player {
        Player::new(vec![self.probe.display().to_string(), "play".into()])
    }

    /// A player in a VM; `how` is what else its command has.
    pub fn in_vm(&self, number: usize, how: &[&str]) -> Player {
        let exec = [
            self.own.display().to_string(),
            "exec".into(),
            self.vms[number].name.clone(),
            self.probe.display().to_string(),
            "play".into(),
        ];
        let how = how.iter().map(|&word| word.to_owned());
        Player::new(exec.into_iter().chain(how).collect())
    }

    fn place(&self, name: &str) -> Result<Place, Failure> {
        let told = self.pinion(&["inspect", name])?;
        let told: Value = serde_json::from_str(&told)
            .map_err(|error| Failure::pinion(format!("pinion inspect {name}: {error}")))?;
        let text = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
        Ok(Place {
            objects: text("object_directory"),
            pipes: text("pipe_prefix"),
            files: text("upper_files"),
            keys: text("registry_upper"),
            address: text("address"),
            supervisor: told["supervisor_pid"]
                .as_u64()
                .and_then(|pid| pid.try_into().ok())
                .unwrap_or(0),
            id: text("id"),
        })
    }

    fn pinion(&self, arguments: &[&str]) -> Result<String, Failure> {
        let shown = arguments.join(" ");
        let output = Command::new(&self.own)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure::pinion(format!("cannot start pinion {shown}: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::pinion(format!("pinion {shown}: {}", said.trim())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for Machine { name, .. } in &self.vms {
            let _ = self.pinion(&["rm", "-f", name]);
        }
    }
}
