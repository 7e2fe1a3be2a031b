//! The keeper: all that one running VM is made of, and what can be asked of it.
//!
//! Owns the job, the object directory, the sections, the limits and the run's life. `server` and
//! `requests` bring the questions, `finish` carries the end out.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pinion_launch::place::Legacy;
use pinion_nt::{NTSTATUS, status};
use pinion_policy_file::Policy;
use pinion_store::{Layer, Limits, Store, Vm, registry};
use pinion_wire::tally::Tally;

use crate::agent::Agent;
use crate::control::{LimitsStatus, Program, State, Status};
use crate::devices::Devices;
use crate::error::{Error, Result};
use crate::examine;
use crate::job::Job;
use crate::lifecycle::{End, Life, Main, Next};
use crate::limits::{INTERVAL, Limiter};
use crate::membership::Membership;
use crate::names::Names;
use crate::page::{self, Facts};
use crate::pause::Paused;
use crate::policy;
use crate::process::{Process, current_session};
use crate::quote::command_line;
use crate::recorder::Recorder;
use crate::section::Section;
use crate::served::Served;
use crate::services::Services;
use crate::start::{Launch, NOT_CONFINED};
use crate::system::{computer_name, is_wine};

/// How long a VM without a main program is kept.
const AWAIT_MAIN: Duration = Duration::from_secs(30);

/// One running VM.
pub struct Keeper {
    vm: Vm,
    job: Job,
    membership: Membership,
    recorder: Recorder,
    names: Names,
    devices: Devices,
    policy: Policy,
    agent: Agent,
    page: Section,
    tally: Section,
    agent_section: Section,
    layer_keys: Vec<String>,
    limiter: Limiter,
    services: OnceLock<Services>,
    started_ms: u64,
    life: Mutex<Life>,
    changed: Condvar,
    paused: Mutex<Paused>,
    /// Programs that this process started, each on a console of its own.
    detached: Mutex<Vec<u32>>,
    served: Served,
}

impl Keeper {
    /// Makes all that the VM needs; nothing runs in it yet.
    pub(crate) fn new(store: &Store, vm: Vm) -> Result<Arc<Self>> {
        let agent = Agent::load()?;
        if !vm.record().watch {
            examine::refuse_unknown_calls(agent.ntdll())?;
        }
        let session = current_session()?;
        let names = Names::create(vm.id(), session)?;
        crate::shares::check(&vm, store.root())?;
        let policy = policy::read(&vm)?;
        vm.prepare_layers()?;
        vm.make_shared_folders()?;
        let stack = vm.stack();
        let keys = stack.iter().map(Layer::keys);
        let layer_keys = keys.collect::<pinion_store::Result<Vec<_>>>()?;
        let page = page::fill(&Facts {
            vm: &vm,
            store: store.root(),
            wine_folder: crate::wine_folder::find().as_deref(),
            session,
            object_directory: names.root(),
            store_keys: &registry::root_path()?,
            layer_keys: &layer_keys,
            user_key: &registry::user_key_path()?,
            computer_name: &computer_name()?,
            rules: policy::compile(store, &vm, &policy)?,
        })?;
        let keeper = Arc::new(Self {
            job: Job::create(vm.record().watch)?,
            membership: Membership::create()?,
            recorder: Recorder::new()?,
            page: Section::of_value(&*page, "the VM's page")?,
            tally: Section::new(size_of::<Tally>(), "the VM's counters")?,
            agent_section: Section::of_code(agent.layout(), "the agent")?,
            limiter: Limiter::new(!is_wine(), vm.id().get()),
            services: OnceLock::new(),
            started_ms: now_ms(),
            life: Mutex::new(Life::new(Instant::now() + AWAIT_MAIN)),
            changed: Condvar::new(),
            paused: Mutex::default(),
            detached: Mutex::default(),
            served: Served::default(),
            vm,
            names,
            devices: Devices::default(),
            policy,
            agent,
            layer_keys,
        });
        if let Some(tally) = keeper.tally() {
            tally
                .base_end
                .store(keeper.vm.base_end(), Ordering::Relaxed);
        }
        keeper.set_limits(keeper.vm.record().limits);
        if keeper.vm.record().trace {
            keeper.record(None);
        }
        keeper
            .services
            .get_or_init(|| Services::new(Arc::downgrade(&keeper)));
        Ok(keeper)
    }

    /// The VM on disk, as it was when the run began.
    #[must_use]
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// The VM's policy.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The ports at which http.sys serves its URLs.
    pub(crate) fn served(&self) -> &Served {
        &self.served
    }

    /// The VM's job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The job that tells members who is one.
    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// What its members record in.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Defines a DOS device name of the VM's own, or gives it up; gives the status for the program.
    pub(crate) fn define_device(&self, name: &[u16], target: &[u16]) -> NTSTATUS {
        match self.tally() {
            Some(tally) => self.devices.answer(self.names.root(), tally, name, target),
            None => status::STATUS_UNSUCCESSFUL,
        }
    }

    /// The VM's service controller.
    pub(crate) fn services(&self) -> Option<&Services> {
        self.services.get()
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    pub(crate) fn paused(&self) -> MutexGuard<'_, Paused> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn detached(&self) -> MutexGuard<'_, Vec<u32>> {
        self.detached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counters that the members share; they can write anything there.
    pub(crate) fn tally(&self) -> Option<&Tally> {
        // SAFETY: the tally is made of atomics only, and a fresh section is zeros.
        unsafe { self.tally.shared() }
    }

    /// What is handed on to a process taken in.
    pub(crate) fn legacy(&self) -> Legacy {
        Legacy {
            page_section: self.page.raw(),
            tally_section: self.tally.raw(),
            agent_section: self.agent_section.raw(),
            membership_job: self.membership.raw(),
            trace_section: self.recorder.section().raw(),
        }
    }

    pub(crate) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all who wait that the life has changed.
    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    fn state_error(&self, (state, remedy): (&'static str, &'static str)) -> Error {
        Error::State {
            name: self.vm.name().to_string(),
            state,
            remedy,
        }
    }

    /// Whether processes may join now.
    ///
    /// # Errors
    /// [`Error::State`]: the VM is paused or stopping.
    pub fn admits(&self) -> Result<()> {
        self.life().admits().map_err(|why| self.state_error(why))
    }

    /// Confines a process that the client created suspended in the job, and lets it run; on an error it
    /// is ended.
    pub(crate) fn adopt(self: &Arc<Self>, pid: u32, main: bool) -> Result<()> {
        self.joining(main, |keeper| keeper.take_over(pid)).map(drop)
    }

    /// The same of a helper, whose program is the one that joins; gives a handle of it in the client's
    /// process.
    pub(crate) fn adopt_by_helper(
        self: &Arc<Self>,
        pid: u32,
        main: bool,
        program: &str,
        client: &Process,
    ) -> Result<u64> {
        let mut lent = 0;
        self.joining(main, |keeper| {
            let helper = keeper.take_over(pid)?;
            let made = keeper.made_by(&helper, program)?;
            lent = made.lend(client)?;
            made.resume()
        })?;
        Ok(lent)
    }

    /// Confines a process that was created suspended in the job, and lets it run.
    fn take_over(&self, pid: u32) -> Result<Process> {
        let process = Process::open_to_confine(pid)?;
        if !self.job().contains(&process) {
            return Err(Error::Protocol {
                why: format!("the process {pid} was not created in the VM's job"),
            });
        }
        let image = process.image();
        let runs = self.confine(&process, &image);
        if let Err(error) = runs.and_then(|()| process.resume()) {
            process.terminate(NOT_CONFINED);
            return Err(error);
        }
        tracing::info!(pid, image, "adopted");
        Ok(process)
    }

    /// Starts a detached program.
    pub(crate) fn start(self: &Arc<Self>, program: &Program, main: bool) -> Result<u32> {
        let launch = Launch {
            command_line: command_line(&program.command),
            env: Some(program.env.clone()),
            cwd: program.cwd.clone(),
            is_service: false,
        };
        self.joining(main, |keeper| {
            let process = keeper.create_confined(&launch)?.resume()?;
            keeper.detached().push(process.pid());
            Ok(process)
        })
    }

    /// Lets a process join by `join`, as the main program if `main`; a main program that cannot is the
    /// end of the VM.
    fn joining(
        self: &Arc<Self>,
        main: bool,
        join: impl FnOnce(&Self) -> Result<Process>,
    ) -> Result<u32> {
        {
            let mut life = self.life();
            life.admits().map_err(|why| self.state_error(why))?;
            if main && !life.claim_main() {
                return Err(Error::MainTaken {
                    name: self.vm.name().to_string(),
                });
            }
        }
        let joined = join(self);
        if let Err(error) = &joined {
            tracing::warn!(%error, main, "a program did not join");
        }
        if main {
            self.life().main = match &joined {
                Ok(process) => Main::Runs(process.pid()),
                Err(error) => Main::Failed(error.exit_code()),
            };
            self.notify();
        }
        let process = joined?;
        let pid = process.pid();
        if main {
            let keeper = Arc::clone(self);
            thread::spawn(move || keeper.watch_main(&process));
        }
        Ok(pid)
    }

    fn watch_main(&self, process: &Process) {
        let _ = process.wait(None);
        let code = process.exit_code().unwrap_or(u32::MAX);
        tracing::info!(
            pid = process.pid(),
            code = code.cast_signed(),
            "the program ended"
        );
        self.life().main = Main::Ended(code);
        self.notify();
    }

    /// Puts limits in force.
    pub(crate) fn set_limits(self: &Arc<Self>, limits: Limits) -> LimitsStatus {
        let status = self.limiter.set(&self.job, limits);
        self.look_after_limits();
        self.notify();
        status
    }

    /// Looks after the limits that the job does not enforce, as long as there are any.
    fn look_after_limits(self: &Arc<Self>) {
        if !self.limiter.begin_to_look() {
            return;
        }
        let keeper = Arc::clone(self);
        thread::spawn(move || {
            while keeper.limiter.look(&keeper.job) {
                thread::sleep(INTERVAL);
            }
        });
    }

    /// Waits until the run has to end; how, and until when to ask first.
    pub(crate) fn wait_for_finish(&self) -> (Option<Instant>, End) {
        let mut life = self.life();
        loop {
            match life.next(Instant::now()) {
                Next::Finish(deadline, end) => {
                    life.state = State::Stopping;
                    return (deadline, end);
                }
                Next::Wait(until) => life = self.wait(life, until),
            }
        }
    }

    /// Waits for a change of the life, at most until then.
    pub(crate) fn wait<'a>(
        &'a self,
        life: MutexGuard<'a, Life>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, Life> {
        match until {
            None => self
                .changed
                .wait(life)
                .unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let time = until.saturating_duration_since(Instant::now());
                self.changed
                    .wait_timeout(life, time)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    /// The VM's status.
    pub(crate) fn status(&self) -> Status {
        let record = self.vm.record();
        let (state, main) = {
            let life = self.life();
            (life.state, life.main)
        };
        let main_pid = if let Main::Runs(pid) = main {
            Some(pid)
        } else {
            None
        };
        Status {
            id: record.id,
            name: record.name.clone(),
            state,
            supervisor_pid: std::process::id(),
            main_pid,
            started_ms: self.started_ms,
            address: record.address,
            ports: record.ports.clone(),
            limits: self.limiter.status(),
            recording: self.recorder.is_on(),
            object_directory: self.names.root().into(),
            registry_layer: self.layer_keys.first().cloned().unwrap_or_default(),
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
