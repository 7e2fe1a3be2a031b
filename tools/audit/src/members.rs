//! Owns who is who: threads to processes, processes to virtual machines. Membership is what the kernel knows: the job.
//!
//! How a machine shows itself to the kernel: a host process makes the machine's object directory, and is its supervisor
//! from then on; the jobs that it makes afterwards are the machine's; a process assigned to one, and every child of a
//! member, is a member for good. Nothing here comes from the agent.

use std::collections::HashMap;

/// What a process is to the machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A process of the host.
    Host,
    /// The supervisor of the machine of this number.
    Supervisor(usize),
    /// Inside the machine of this number.
    Member(usize),
}

/// One process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Path of its program, empty where the log does not tell.
    pub image: String,
    /// What it is to the machines.
    pub role: Role,
    ended: bool,
}

/// All threads, processes and jobs that a log has shown.
#[derive(Debug, Clone, Default)]
pub struct Members {
    threads: HashMap<u32, u32>,
    processes: HashMap<u32, Process>,
    jobs: Vec<Option<usize>>,
    named_jobs: HashMap<String, u32>,
    supervised: HashMap<usize, usize>,
}

impl Members {
    /// A thread exists in a process. A process never heard of, or one whose id is used again, is a process of the host.
    pub fn thread_started(&mut self, tid: u32, pid: u32) {
        self.threads.insert(tid, pid);
        if self.processes.get(&pid).is_none_or(|process| process.ended) {
            self.processes.insert(
                pid,
                Process {
                    image: String::new(),
                    role: Role::Host,
                    ended: false,
                },
            );
        }
    }

    /// The process of a thread.
    pub fn process_of(&self, tid: u32) -> Option<u32> {
        self.threads.get(&tid).copied()
    }

    /// What a process is to the machines; unknown ones are the host's.
    pub fn role(&self, pid: u32) -> Role {
        self.processes
            .get(&pid)
            .map_or(Role::Host, |process| process.role)
    }

    /// The file name of a process's program; its id where the log does not tell the program.
    pub fn program(&self, pid: u32) -> String {
        let image = self
            .processes
            .get(&pid)
            .map_or("", |process| process.image.as_str());
        match image.rsplit(['\\', '/']).next() {
            Some(name) if !name.is_empty() => name.to_string(),
            _ => format!("process {pid:04x}"),
        }
    }

    /// The log hints at the program of a process that was started from outside.
    pub fn hint_image(&mut self, pid: u32, image: &str) {
        if let Some(process) = self.processes.get_mut(&pid)
            && process.image.is_empty()
        {
            process.image = image.to_string();
        }
    }

    /// A process was created by `creator`, perhaps in the name of another `parent`, perhaps into jobs.
    pub fn process_created(
        &mut self,
        pid: u32,
        image: &str,
        creator: u32,
        parent: Option<u32>,
        jobs: &[u32],
    ) {
        let inherited = [Some(creator), parent]
            .into_iter()
            .flatten()
            .find_map(|pid| match self.role(pid) {
                Role::Member(vm) => Some(vm),
                _ => None,
            });
        let role = match inherited.or_else(|| jobs.iter().find_map(|job| self.machine_of(*job))) {
            Some(vm) => {
                self.supervised
                    .entry(vm)
                    .and_modify(|members| *members += 1);
                Role::Member(vm)
            }
            None => Role::Host,
        };
        self.processes.insert(
            pid,
            Process {
                image: image.to_string(),
                role,
                ended: false,
            },
        );
    }

    /// The object directory of a machine was made. Only a process of the host becomes a supervisor by that.
    pub fn directory_made(&mut self, pid: u32, vm: usize) {
        if let Some(process) = self.processes.get_mut(&pid)
            && !matches!(process.role, Role::Member(_))
        {
            process.role = Role::Supervisor(vm);
            self.supervised.entry(vm).or_insert(0);
        }
    }

    /// A job was made; its number. Only those of a supervisor are a machine's.
    pub fn job_made(&mut self, pid: u32, name: Option<&str>) -> u32 {
        let vm = match self.role(pid) {
            Role::Supervisor(vm) => Some(vm),
            _ => None,
        };
        let job = self.jobs.len() as u32;
        self.jobs.push(vm);
        if let Some(name) = name {
            self.named_jobs.insert(name.to_string(), job);
        }
        job
    }

    /// The number of a job that is there already.
    pub fn job_named(&self, name: &str) -> Option<u32> {
        self.named_jobs.get(name).copied()
    }

    /// A process was put into a job.
    pub fn assigned(&mut self, pid: u32, job: u32) {
        let Some(vm) = self.machine_of(job) else {
            return;
        };
        if let Some(process) = self.processes.get_mut(&pid)
            && process.role == Role::Host
        {
            process.role = Role::Member(vm);
            self.supervised
                .entry(vm)
                .and_modify(|members| *members += 1);
        }
    }

    /// A process is gone; its id may be used again.
    pub fn ended(&mut self, pid: u32) {
        if let Some(process) = self.processes.get_mut(&pid) {
            process.ended = true;
        }
    }

    /// The machines that the log has shown to be made, with the number of processes that became members.
    pub fn machines_seen(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.supervised.iter().map(|(vm, members)| (*vm, *members))
    }

    fn machine_of(&self, job: u32) -> Option<usize> {
        self.jobs.get(job as usize).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor() -> Members {
        let mut members = Members::default();
        members.thread_started(0x24, 0x20);
        members.directory_made(0x20, 3);
        members
    }

    #[test]
    fn a_job_made_after_the_directory_makes_members() {
        let mut members = supervisor();
        let job = members.job_made(0x20, None);
        members.process_created(0x30, r"C:\a.exe", 0x20, None, &[]);
        assert_eq!(members.role(0x30), Role::Host);
        members.assigned(0x30, job);
        assert_eq!(members.role(0x30), Role::Member(3));
        members.process_created(0x40, r"C:\b.exe", 0x30, None, &[]);
        assert_eq!(members.role(0x40), Role::Member(3));
        assert_eq!(members.program(0x40), "b.exe");
        assert_eq!(members.machines_seen().collect::<Vec<_>>(), [(3, 2)]);
    }

    #[test]
    fn a_job_list_at_creation_and_a_parent_inside_count_too() {
        let mut members = supervisor();
        let job = members.job_made(0x20, None);
        members.process_created(0x30, "a", 0x20, None, &[job]);
        assert_eq!(members.role(0x30), Role::Member(3));
        members.process_created(0x50, "a", 0x20, Some(0x30), &[]);
        assert_eq!(members.role(0x50), Role::Member(3));
    }

    #[test]
    fn other_jobs_make_no_members_and_members_no_supervisors() {
        let mut members = supervisor();
        members.thread_started(0x64, 0x60);
        let job = members.job_made(0x60, None);
        members.process_created(0x30, "a", 0x60, None, &[job]);
        assert_eq!(members.role(0x30), Role::Host);
        let job = members.job_made(0x20, None);
        members.assigned(0x30, job);
        members.directory_made(0x30, 4);
        assert_eq!(members.role(0x30), Role::Member(3));
    }

    #[test]
    fn an_id_used_again_is_somebody_else() {
        let mut members = supervisor();
        members.ended(0x20);
        members.thread_started(0x24, 0x20);
        assert_eq!(members.role(0x20), Role::Host);
    }
}
