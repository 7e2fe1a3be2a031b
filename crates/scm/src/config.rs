//! Owns the making, changing and deleting of services.

use alloc::boxed::Box;

use windows_sys::Win32::Storage::FileSystem::DELETE;
use windows_sys::Win32::System::Services::{
    SC_MANAGER_CREATE_SERVICE, SERVICE_CHANGE_CONFIG, SERVICE_START,
};

use crate::access;
use crate::controller::Controller;
use crate::effect::{Effect, Millis};
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId, Object, ServiceId};
use crate::record::{Change, LOCAL_SYSTEM, Record, check_name};
use crate::text::Text;

impl Controller {
    /// `CreateService`. An empty account becomes `LocalSystem`.
    pub fn create(
        &mut self,
        client: Client,
        manager: HandleId,
        mut record: Record,
        requested: u32,
    ) -> Result<HandleId> {
        self.handles
            .manager(client, manager, SC_MANAGER_CREATE_SERVICE)?;
        let granted = access::service(requested)?;
        check_name(&record.name)?;
        if let Some(existing) = self.services.by_name(&record.name) {
            return Err(if self.services.get(existing)?.delete_pending {
                Win32Error::SERVICE_MARKED_FOR_DELETE
            } else {
                Win32Error::SERVICE_EXISTS
            });
        }
        if record.account.is_empty() {
            record.account = Text::from(LOCAL_SYSTEM);
        }
        record.own = true;
        record.check()?;
        self.check_display_name(None, record.shown_name())?;
        if self.services.has_cycle(&record) {
            return Err(Win32Error::CIRCULAR_DEPENDENCY);
        }
        let id = self.services.add(record.clone())?;
        let handle = match self.handles.add(client, Object::Service(id), granted) {
            Ok(handle) => handle,
            Err(error) => {
                self.services.remove(id);
                return Err(error);
            }
        };
        self.notices.created(&record.name);
        self.effects.push(Effect::WriteConfig(Box::new(record)));
        Ok(handle)
    }

    /// `ChangeServiceConfig` and `ChangeServiceConfig2`; gives back the record as
    /// it was.
    pub fn change(
        &mut self,
        now: Millis,
        client: Client,
        handle: HandleId,
        change: Change,
    ) -> Result<Record> {
        let id = self
            .handles
            .service(client, handle, SERVICE_CHANGE_CONFIG)?;
        let service = self.services.get(id)?;
        if service.delete_pending {
            return Err(Win32Error::SERVICE_MARKED_FOR_DELETE);
        }
        let new = change.apply(&service.record);
        // Who has the service started by its failure must be allowed to start it.
        if new.failure != service.record.failure && new.failure.restarts() {
            self.handles.service(client, handle, SERVICE_START)?;
        }
        new.check()?;
        // A driver does not become a program, nor the other way round.
        if new.is_driver() != service.record.is_driver() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        self.check_display_name(Some(id), new.shown_name())?;
        if self.services.has_cycle(&new) {
            return Err(Win32Error::CIRCULAR_DEPENDENCY);
        }
        self.effects
            .push(Effect::WriteConfig(Box::new(new.clone())));
        let old = core::mem::replace(&mut self.services.get_mut(id)?.record, new);
        // A start that waits may wait for something else now.
        self.changed.push(id);
        self.settle(now);
        Ok(old)
    }

    /// A display name may be no other service's name of either kind.
    fn check_display_name(&self, own: Option<ServiceId>, shown: &Text) -> Result<()> {
        let taken = [
            self.services.by_name(shown),
            self.services.by_display_name(shown),
        ];
        if taken.into_iter().flatten().any(|id| Some(id) != own) {
            return Err(Win32Error::DUPLICATE_SERVICE_NAME);
        }
        Ok(())
    }

    /// `DeleteService`: marks the service; it goes when it has stopped and its
    /// last handle is closed. Gives back its name.
    pub fn delete(&mut self, client: Client, handle: HandleId) -> Result<Text> {
        let id = self.handles.service(client, handle, DELETE)?;
        let service = self.services.get_mut(id)?;
        if service.delete_pending {
            return Err(Win32Error::SERVICE_MARKED_FOR_DELETE);
        }
        service.delete_pending = true;
        let (name, status) = (service.record.name.clone(), service.status);
        self.notices.delete_pending(id, status);
        Ok(name)
    }
}
