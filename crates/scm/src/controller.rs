//! Owns the controller as a whole: its parts, the opening and closing of
//! handles, and what happens when a service stops. The operations themselves
//! are in `config`, `query`, `start` and `control`.

use alloc::vec::Vec;
use core::mem;

use windows_sys::Win32::System::Services::{
    SC_MANAGER_CONNECT, SC_MANAGER_LOCK, SC_MANAGER_QUERY_LOCK_STATUS, SERVICE_CONTROL_STOP,
};

use crate::access;
use crate::automatic::Automatic;
use crate::database::Database;
use crate::effect::{Effect, Failure, Message, Millis, Outcome, Ticket};
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId, Handles, Object, ServiceId};
use crate::notices::Notices;
use crate::process::{Errand, Processes, Purpose};
use crate::record::{Record, check_name};
use crate::security::Sid;
use crate::shutdown::Shutdown;
use crate::status::{State, Status};
use crate::text::Text;

/// How long the controller waits for services, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For a process to call `StartServiceCtrlDispatcher` and to answer its
    /// start; also the least time a pending start may be silent before the
    /// services that wait for it give up. Windows' `ServicesPipeTimeout`.
    pub start_timeout: Millis,
    /// For a control handler to return; 30 seconds, as documented.
    pub control_timeout: Millis,
    /// What `StartService` waits after the start for the first status, so that
    /// most clients see `SERVICE_RUNNING` at once and need not poll.
    pub settle_time: Millis,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start_timeout: 30_000,
            control_timeout: 30_000,
            settle_time: 200,
        }
    }
}

/// The service controller of one VM.
pub struct Controller {
    pub(crate) settings: Settings,
    pub(crate) services: Database,
    pub(crate) handles: Handles,
    pub(crate) notices: Notices,
    pub(crate) processes: Processes,
    pub(crate) effects: Vec<Effect>,
    /// Services whose change others may wait for; empty between operations.
    pub(crate) changed: Vec<ServiceId>,
    pub(crate) automatic: Automatic,
    pub(crate) shutdown: Option<Shutdown>,
    /// Whom the access lists of services know the VM's programs as.
    pub(crate) identity: Vec<Sid>,
    locked_by: Option<Client>,
}

impl Controller {
    /// A controller without services.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            services: Database::default(),
            handles: Handles::new(),
            notices: Notices::default(),
            processes: Processes::default(),
            effects: Vec::new(),
            changed: Vec::new(),
            automatic: Automatic::default(),
            shutdown: None,
            identity: Vec::new(),
            locked_by: None,
        }
    }

    /// Adds a service that the registry holds; refuses a record that breaks
    /// the rules, as controllers skip such keys.
    pub fn load(&mut self, record: Record) -> Result<ServiceId> {
        record.check()?;
        self.services.add(record)
    }

    /// Takes what the driver must do now, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        mem::take(&mut self.effects)
    }

    /// `OpenSCManager`. `database` is `ServicesActive` or nothing.
    pub fn open_manager(
        &mut self,
        client: Client,
        database: Option<&Text>,
        requested: u32,
    ) -> Result<HandleId> {
        if let Some(name) = database
            && !name.same_name(&Text::from("ServicesActive"))
        {
            return Err(if name.same_name(&Text::from("ServicesFailed")) {
                Win32Error::DATABASE_DOES_NOT_EXIST
            } else {
                Win32Error::INVALID_NAME
            });
        }
        self.handles
            .add(client, Object::Manager, access::manager(requested)?)
    }

    /// `OpenService`
    pub fn open_service(
        &mut self,
        client: Client,
        manager: HandleId,
        name: &Text,
        requested: u32,
    ) -> Result<HandleId> {
        self.handles.manager(client, manager, SC_MANAGER_CONNECT)?;
        check_name(name)?;
        let service = self
            .services
            .by_name(name)
            .ok_or(Win32Error::SERVICE_DOES_NOT_EXIST)?;
        let mut granted = access::service(requested)?;
        if client != Client::DRIVER {
            let security = &self.services.get(service)?.record.security;
            granted = security.grant(&self.identity, requested, granted)?;
        }
        self.handles.add(client, Object::Service(service), granted)
    }

    /// `CloseServiceHandle`, and `UnlockServiceDatabase` for a lock.
    pub fn close(&mut self, client: Client, handle: HandleId) -> Result<()> {
        let object = self.handles.get(client, handle, 0)?;
        // A status handle is not the program's to close.
        if matches!(object, Object::Status(_)) {
            return Err(Win32Error::INVALID_HANDLE);
        }
        self.handles.close(client, handle)?;
        self.notices.close(handle);
        self.after_close(object);
        Ok(())
    }

    /// `LockServiceDatabase`. One client has it, and it holds back nothing, as since
    /// Windows Vista (documented).
    pub fn lock(&mut self, client: Client, manager: HandleId) -> Result<HandleId> {
        self.handles.manager(client, manager, SC_MANAGER_LOCK)?;
        if self.locked_by.is_some() {
            return Err(Win32Error::SERVICE_DATABASE_LOCKED);
        }
        let lock = self.handles.add(client, Object::Lock, 0)?;
        self.locked_by = Some(client);
        Ok(lock)
    }

    /// Whom access lists know the VM's programs as: the supervisor's own identity.
    pub fn set_identity(&mut self, identity: Vec<Sid>) {
        self.identity = identity;
    }

    /// `QueryServiceLockStatus`: whether somebody has the lock.
    pub fn is_locked(&self, client: Client, manager: HandleId) -> Result<bool> {
        self.handles
            .manager(client, manager, SC_MANAGER_QUERY_LOCK_STATUS)?;
        Ok(self.locked_by.is_some())
    }

    /// A process that may have held handles has ended.
    pub fn client_gone(&mut self, client: Client) {
        self.notices.close_all(client);
        for object in self.handles.close_all(client) {
            self.after_close(object);
        }
    }

    fn after_close(&mut self, object: Object) {
        match object {
            Object::Lock => self.locked_by = None,
            Object::Service(service) => self.remove_if_due(service),
            Object::Manager | Object::Status(_) => {}
        }
    }

    /// Deletes a service that is marked for it, once nothing needs it.
    pub(crate) fn remove_if_due(&mut self, id: ServiceId) {
        let due = self
            .services
            .get(id)
            .is_ok_and(|s| s.delete_pending && !s.status.state.is_active());
        if due
            && !self.handles.is_open(id)
            && let Some(service) = self.services.remove(id)
        {
            self.notices.deleted(&service.record.name);
            self.effects.push(Effect::DeleteConfig(service.record.name));
        }
    }

    /// Ends an operation that took time.
    pub(crate) fn finish(&mut self, ticket: Option<Ticket>, outcome: Outcome) {
        if let Some(ticket) = ticket {
            self.effects.push(Effect::Finished { ticket, outcome });
        }
    }

    /// Ends an operation with an error and no status.
    pub(crate) fn finish_failed(&mut self, ticket: Option<Ticket>, error: Win32Error) {
        self.finish(
            ticket,
            Err(Failure {
                error,
                status: None,
            }),
        );
    }

    /// Gives a service a new status and notes the change of state.
    pub(crate) fn set(&mut self, id: ServiceId, status: Status) {
        let Ok(service) = self.services.get_mut(id) else {
            return;
        };
        let from = mem::replace(&mut service.status, status).state;
        if from != status.state {
            let name = service.record.name.clone();
            self.notices.state_changed(id, status);
            self.effects.push(Effect::Changed {
                service: name,
                from,
                status,
            });
        }
        self.changed.push(id);
    }

    /// A service has stopped: takes it out of its process, and lets the
    /// process go when it was the last one there.
    pub(crate) fn stopped(&mut self, now: Millis, id: ServiceId, exit_code: u32, specific: u32) {
        self.handles.close_status(id);
        let Ok(service) = self.services.get_mut(id) else {
            return;
        };
        let process = service.process.take();
        service.hangs_at = None;
        service.hung = false;
        let mut status = Status::stopped(service.record.service_type, exit_code);
        status.specific_exit_code = specific;
        self.set(id, status);
        if let Some(process) = process {
            self.drop_messages(process, id);
            if let Some(p) = self.processes.get_mut(process) {
                p.services.retain(|&s| s != id);
                if p.services.is_empty() && !p.ending {
                    p.ending = true;
                    p.waiting.push_back(Errand {
                        purpose: Purpose::Abandoned,
                        message: Message::Exit,
                        deadline: now.saturating_add(self.settings.control_timeout),
                    });
                }
                p.pump(process, &mut self.effects);
            }
        }
        self.remove_if_due(id);
    }

    /// Whether a control would stop a service that others need.
    pub(crate) fn is_needed(&self, id: ServiceId, control: u32) -> bool {
        control == SERVICE_CONTROL_STOP
            && self.services.dependents(id).iter().any(|&dependent| {
                dependent != id
                    && self
                        .services
                        .get(dependent)
                        .is_ok_and(|s| s.status.state != State::Stopped)
            })
    }
}
