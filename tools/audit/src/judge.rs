//! Owns the verdict on each access: own, read through, failed, passed with a reason, or a leak. Default deny.

use crate::kernel::{Access, How, Kernel, Tally};
use crate::members::Role;
use crate::pass::{By, PassList};
use crate::record;
use crate::vms::{Place, Vm};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// Something that crossed the boundary of a virtual machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leak {
    /// The scenario in whose log it stands.
    pub scenario: String,
    /// The machine whose boundary was crossed.
    pub vm: String,
    /// The program that did it.
    pub process: String,
    /// Kind of object.
    pub kind: String,
    /// Resolved name.
    pub name: String,
    /// How it was touched.
    pub access: String,
    /// What is wrong with it.
    pub why: String,
}

/// What was counted beside leaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Accesses of confined processes to their own machine's places.
    pub own: u64,
    /// Files and keys of the host opened by confined processes for reading: allowed, reads fall through.
    pub host_reads: u64,
    /// Attempts to leave or enter a machine that the kernel refused.
    pub failed: u64,
    /// Processes that became members of a machine.
    pub members: u64,
}

/// The verdicts on all logs judged so far.
#[derive(Debug)]
pub struct Judge<'a> {
    vms: &'a [Vm],
    pass: &'a PassList,
    /// Leaks, with how often each happened.
    pub leaks: BTreeMap<Leak, u64>,
    /// How often each rule of the pass list let something pass.
    pub passed: Vec<u64>,
    /// What else was counted.
    pub counts: Counts,
    /// Sum over all logs.
    pub tally: Tally,
    /// Names of the scenarios judged.
    pub scenarios: Vec<String>,
    /// What confined processes asked for, line for line.
    pub lines: Vec<record::Line>,
    seen: Vec<bool>,
}

enum Verdict {
    Ignored,
    Own,
    HostRead,
    Failed,
    Passed(usize),
    Leak { vm: usize, why: String },
}

impl<'a> Judge<'a> {
    /// A judge who has seen nothing yet.
    pub fn new(vms: &'a [Vm], pass: &'a PassList) -> Self {
        Judge {
            vms,
            pass,
            leaks: BTreeMap::new(),
            passed: vec![0; pass.rules().len()],
            counts: Counts::default(),
            tally: Tally::default(),
            scenarios: Vec::new(),
            lines: Vec::new(),
            seen: vec![false; vms.len()],
        }
    }

    /// Judges the log of one scenario. Damaged lines are counted, never fatal.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log(&mut self, scenario: &str, mut log: impl BufRead) -> io::Result<()> {
        let mut kernel = Kernel::new(self.vms);
        let (mut bytes, mut accesses) = (Vec::new(), Vec::new());
        while log.read_until(b'\n', &mut bytes)? > 0 {
            let line = String::from_utf8_lossy(&bytes);
            kernel.feed(line.trim_end_matches(['\n', '\r']), &mut accesses);
            for access in accesses.drain(..) {
                self.access(scenario, &kernel, &access);
            }
            bytes.clear();
        }
        self.end_of_log(scenario, &kernel);
        Ok(())
    }

    /// Adds what all logs together did not show. Call it once, at the end.
    pub fn finish(&mut self) {
        for (vm, seen) in self.vms.iter().zip(&self.seen) {
            if !seen {
                let why =
                    "no log shows this VM with a process in its job: nothing of it was judged";
                let leak = witness("*", &vm.name, "vm", &vm.object_directory, why);
                self.leaks.insert(leak, 1);
            }
        }
    }

    /// A witness who saw nothing, or who is damaged, proves nothing: both fail the audit.
    fn end_of_log(&mut self, scenario: &str, kernel: &Kernel<'_>) {
        let mut members = 0;
        for (vm, count) in kernel.members.machines_seen() {
            members += count as u64;
            if let Some(seen) = self.seen.get_mut(vm) {
                *seen |= count > 0;
            }
        }
        if members == 0 {
            let why = "no process of this log is in a VM's job: nothing was judged";
            self.leaks.insert(witness(scenario, "*", "log", "", why), 1);
        }
        // The last line may be cut off when the server is ended.
        if kernel.tally.unreadable > 1 {
            let why = "lines of the log cannot be read: it proves nothing";
            self.leaks.insert(
                witness(scenario, "*", "log", "", why),
                kernel.tally.unreadable,
            );
        }
        if kernel.tally.strangers > 0 {
            let why = "requests of threads whose process the log does not tell: it proves nothing";
            self.leaks.insert(
                witness(scenario, "*", "log", "", why),
                kernel.tally.strangers,
            );
        }
        self.counts.members += members;
        self.tally.requests += kernel.tally.requests;
        self.tally.unreadable += kernel.tally.unreadable;
        self.tally.strangers += kernel.tally.strangers;
        self.scenarios.push(scenario.to_string());
    }

    fn access(&mut self, scenario: &str, kernel: &Kernel<'_>, access: &Access) {
        let role = kernel.members.role(access.pid);
        if let Role::Member(vm) = role {
            self.lines.push(record::Line::of(vm, kernel, access));
        }
        match self.verdict(kernel, role, access) {
            Verdict::Ignored => {}
            Verdict::Own => self.counts.own += 1,
            Verdict::HostRead => self.counts.host_reads += 1,
            Verdict::Failed => self.counts.failed += 1,
            Verdict::Passed(rule) => {
                if let Some(count) = self.passed.get_mut(rule) {
                    *count += 1;
                }
            }
            Verdict::Leak { vm, why } => {
                let leak = Leak {
                    scenario: scenario.to_string(),
                    vm: self
                        .vms
                        .get(vm)
                        .map_or_else(String::new, |vm| vm.name.clone()),
                    process: kernel.members.program(access.pid),
                    kind: access.kind.clone(),
                    name: shown_name(kernel, access),
                    access: access.how.word().to_string(),
                    why,
                };
                *self.leaks.entry(leak).or_default() += 1;
            }
        }
    }

    fn verdict(&self, kernel: &Kernel<'_>, role: Role, access: &Access) -> Verdict {
        if access.kind == "process" || access.kind == "thread" {
            return self.process_verdict(kernel, role, access);
        }
        // A machine's servers are there for the host's clients, too.
        if access.kind == "connection" && !matches!(role, Role::Member(_)) {
            return Verdict::Ignored;
        }
        let place = Place {
            kind: &access.kind,
            name: &access.name,
            unix: access.unix.as_deref(),
            fold: access.fold,
        };
        let exactly = |vm: &Vm| vm.owns(&place);
        // To reach into a machine, a name that differs in case only is near enough to be reported.
        let folded = |vm: &Vm| {
            vm.owns(&Place {
                fold: true,
                ..place.clone()
            })
        };
        match role {
            Role::Member(own) => {
                if self.vms.get(own).is_some_and(exactly) {
                    return Verdict::Own;
                }
                match self.vms.iter().position(folded) {
                    Some(other) if other != own => {
                        self.intrusion(kernel, access, other, "a process of another VM")
                    }
                    _ => self.escape(kernel, access, own),
                }
            }
            Role::Supervisor(own) => match self.vms.iter().position(folded) {
                Some(other) if other != own => {
                    self.intrusion(kernel, access, other, "the supervisor of another VM")
                }
                _ => Verdict::Ignored,
            },
            Role::Host => match self.vms.iter().position(folded) {
                Some(vm) => self.intrusion(kernel, access, vm, "a process of the host"),
                None => Verdict::Ignored,
            },
        }
    }

    /// A confined process touches something outside its machine.
    fn escape(&self, kernel: &Kernel<'_>, access: &Access, vm: usize) -> Verdict {
        if !access.done {
            return Verdict::Failed;
        }
        if access.how == How::Read && matches!(access.kind.as_str(), "file" | "key") {
            return Verdict::HostRead;
        }
        match self.rule(kernel, By::Member, access) {
            Some(rule) => Verdict::Passed(rule),
            None => Verdict::Leak {
                vm,
                why: "a confined process reached outside its VM".into(),
            },
        }
    }

    /// Somebody else touches a place of a machine, even if only to read.
    fn intrusion(&self, kernel: &Kernel<'_>, access: &Access, vm: usize, who: &str) -> Verdict {
        if !access.done {
            return Verdict::Failed;
        }
        let host = kernel.members.role(access.pid) == Role::Host;
        match self.rule(kernel, By::Host, access) {
            Some(rule) if host => Verdict::Passed(rule),
            _ => Verdict::Leak {
                vm,
                why: format!("{who} reached into this VM"),
            },
        }
    }

    /// Confined processes may open the processes and threads of their machine only; the host may open any.
    fn process_verdict(&self, kernel: &Kernel<'_>, role: Role, access: &Access) -> Verdict {
        let Role::Member(own) = role else {
            return Verdict::Ignored;
        };
        let target = u32::from_str_radix(&access.name, 16).ok();
        match target.map(|pid| kernel.members.role(pid)) {
            Some(Role::Member(vm)) if vm == own => Verdict::Own,
            _ => self.escape(kernel, access, own),
        }
    }

    fn rule(&self, kernel: &Kernel<'_>, by: By, access: &Access) -> Option<usize> {
        let program = kernel.members.program(access.pid);
        self.pass.find(
            by,
            &access.kind,
            &shown_name(kernel, access),
            access.how.word(),
            &program,
        )
    }
}

/// Processes are shown, and passed, by program; their ids are different each time.
fn shown_name(kernel: &Kernel<'_>, access: &Access) -> String {
    match (access.kind.as_str(), u32::from_str_radix(&access.name, 16)) {
        ("process" | "thread", Ok(pid)) => kernel.members.program(pid),
        _ => access.name.clone(),
    }
}

fn witness(scenario: &str, vm: &str, kind: &str, name: &str, why: &str) -> Leak {
    Leak {
        scenario: scenario.to_string(),
        vm: vm.to_string(),
        process: String::new(),
        kind: kind.to_string(),
        name: name.to_string(),
        access: String::new(),
        why: why.to_string(),
    }
}
