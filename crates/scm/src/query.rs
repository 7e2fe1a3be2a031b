//! Owns the questions: configuration, status, names and lists. Changes nothing.

use alloc::vec::Vec;

use windows_sys::Win32::System::Services::{
    SC_MANAGER_CONNECT, SC_MANAGER_ENUMERATE_SERVICE, SERVICE_ACTIVE, SERVICE_ENUMERATE_DEPENDENTS,
    SERVICE_INACTIVE, SERVICE_QUERY_CONFIG, SERVICE_QUERY_STATUS, SERVICE_STATE_ALL,
};

use crate::controller::Controller;
use crate::database::Service;
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId, ServiceId};
use crate::record::{Record, check_name};
use crate::status::{State, Status};
use crate::text::Text;

/// `SERVICE_TYPE_ALL` of `winnt.h`: every type that a filter may name.
const SERVICE_TYPE_ALL: u32 = 0x3ff;

/// Which services a list holds.
#[derive(Clone, Debug)]
pub struct Filter {
    /// `SERVICE_WIN32`, `SERVICE_DRIVER` and so on.
    pub types: u32,
    /// `SERVICE_ACTIVE`, `SERVICE_INACTIVE` or both.
    pub states: u32,
    /// Only this load order group; the empty one for services without any.
    pub group: Option<Text>,
}

/// One line of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// Where to go on from.
    pub id: ServiceId,
    /// The service's configuration.
    pub record: &'a Record,
    /// What it is doing.
    pub status: &'a Status,
}

impl Controller {
    /// `QueryServiceStatus` and `QueryServiceStatusEx`
    pub fn status(&self, client: Client, handle: HandleId) -> Result<Status> {
        let id = self.handles.service(client, handle, SERVICE_QUERY_STATUS)?;
        Ok(self.services.get(id)?.status)
    }

    /// `QueryServiceConfig` and `QueryServiceConfig2`
    pub fn config(&self, client: Client, handle: HandleId) -> Result<&Record> {
        let id = self.handles.service(client, handle, SERVICE_QUERY_CONFIG)?;
        Ok(&self.services.get(id)?.record)
    }

    /// The names of all services, for the driver.
    pub fn names(&self) -> impl Iterator<Item = &Text> {
        self.services
            .iter()
            .map(|(_, service)| &service.record.name)
    }

    /// `EnumServicesStatus(Ex)`: the services after one, or all.
    pub fn list(
        &self,
        client: Client,
        manager: HandleId,
        filter: &Filter,
        after: Option<ServiceId>,
    ) -> Result<impl Iterator<Item = Listed<'_>>> {
        // Before the handle is looked at, as Wine's own tests of the API ask for.
        if filter.types == 0 || filter.types & !SERVICE_TYPE_ALL != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        check_states(filter.states)?;
        self.handles
            .manager(client, manager, SC_MANAGER_ENUMERATE_SERVICE)?;
        let Filter {
            types,
            states,
            group,
        } = filter.clone();
        if let Some(group) = group.as_ref().filter(|group| !group.is_empty()) {
            self.check_group(group)?;
        }
        Ok(self
            .services
            .after(after.unwrap_or(ServiceId(0)))
            .filter(move |(_, service)| {
                service.record.service_type & types != 0
                    && in_states(service.status.state, states)
                    && group
                        .as_ref()
                        .is_none_or(|group| service.record.group.same_name(group))
            })
            .map(listed))
    }

    /// A group that some service is of.
    fn check_group(&self, group: &Text) -> Result<()> {
        let mut all = self.services.after(ServiceId(0));
        if all.any(|(_, service)| service.record.group.same_name(group)) {
            Ok(())
        } else {
            Err(Win32Error::SERVICE_DOES_NOT_EXIST)
        }
    }

    /// `EnumDependentServices`: in the order in which they must be stopped,
    /// from the given place in it.
    pub fn list_dependents(
        &self,
        client: Client,
        handle: HandleId,
        states: u32,
        from: usize,
    ) -> Result<impl Iterator<Item = Listed<'_>>> {
        let id = self
            .handles
            .service(client, handle, SERVICE_ENUMERATE_DEPENDENTS)?;
        check_states(states)?;
        let order: Vec<ServiceId> = self.services.all_dependents(id);
        Ok(order
            .into_iter()
            .filter_map(|id| self.services.get(id).ok().map(|service| (id, service)))
            .filter(move |(_, service)| in_states(service.status.state, states))
            .skip(from)
            .map(listed))
    }

    /// `GetServiceDisplayName`
    pub fn display_name(&self, client: Client, manager: HandleId, name: &Text) -> Result<&Text> {
        self.handles.manager(client, manager, SC_MANAGER_CONNECT)?;
        check_name(name)?;
        let id = self
            .services
            .by_name(name)
            .ok_or(Win32Error::SERVICE_DOES_NOT_EXIST)?;
        Ok(self.services.get(id)?.record.shown_name())
    }

    /// `GetServiceKeyName`
    pub fn key_name(&self, client: Client, manager: HandleId, display: &Text) -> Result<&Text> {
        self.handles.manager(client, manager, SC_MANAGER_CONNECT)?;
        if display.is_empty() {
            return Err(Win32Error::INVALID_NAME);
        }
        let id = self
            .services
            .by_display_name(display)
            .ok_or(Win32Error::SERVICE_DOES_NOT_EXIST)?;
        Ok(&self.services.get(id)?.record.name)
    }

    /// A service's state by name, for the driver itself.
    pub fn find(&self, name: &Text) -> Option<(&Record, &Status)> {
        let service = self.services.get(self.services.by_name(name)?).ok()?;
        Some((&service.record, &service.status))
    }
}

fn listed<'a>((id, service): (ServiceId, &'a Service)) -> Listed<'a> {
    Listed {
        id,
        record: &service.record,
        status: &service.status,
    }
}

fn check_states(states: u32) -> Result<()> {
    if states == 0 || states & !SERVICE_STATE_ALL != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(())
}

fn in_states(state: State, states: u32) -> bool {
    let asked = if state.is_active() {
        SERVICE_ACTIVE
    } else {
        SERVICE_INACTIVE
    };
    states & asked != 0
}
