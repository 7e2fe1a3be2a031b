//! Owns the set of services: finding them by name, by display name and by
//! dependency. Changes no state of a service by itself.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::effect::{Millis, Ticket};
use crate::error::{Result, Win32Error};
use crate::failure::Failures;
use crate::handles::ServiceId;
use crate::process::ProcessId;
use crate::record::Record;
use crate::status::Status;
use crate::text::Text;

/// Most services of one VM.
pub(crate) const MAX_SERVICES: usize = 4096;

/// How far the start of a service has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Services that must run before are not all running.
    Dependencies,
    /// Its process has not called `StartServiceCtrlDispatcher`.
    Dispatcher(Millis),
    /// The start was sent, the dispatcher has not answered.
    Acknowledge,
    /// `ServiceMain` runs; a moment is left for its first status.
    Settling(Millis),
}

/// A start under way.
#[derive(Debug)]
pub(crate) struct Start {
    pub phase: Phase,
    pub arguments: Vec<Text>,
    pub ticket: Option<Ticket>,
    /// Dependencies that were started for it, to start none twice.
    pub attempted: Vec<ServiceId>,
}

/// One service.
#[derive(Debug)]
pub(crate) struct Service {
    pub record: Record,
    pub status: Status,
    pub process: Option<ProcessId>,
    pub start: Option<Start>,
    pub delete_pending: bool,
    /// When a pending start without news counts as hung; `None` if not pending.
    pub hangs_at: Option<Millis>,
    pub hung: bool,
    pub failures: Failures,
}

impl Service {
    /// Whether its start waits for other services.
    pub fn is_waiting(&self) -> bool {
        self.start
            .as_ref()
            .is_some_and(|start| start.phase == Phase::Dependencies)
    }
}

/// All services.
#[derive(Debug, Default)]
pub(crate) struct Database {
    services: BTreeMap<ServiceId, Service>,
    names: BTreeMap<Text, ServiceId>,
    next: u32,
}

impl Database {
    /// Adds a service that does not run.
    pub fn add(&mut self, record: Record) -> Result<ServiceId> {
        let folded = record.name.folded();
        if self.names.contains_key(&folded) {
            return Err(Win32Error::SERVICE_EXISTS);
        }
        if self.services.len() >= MAX_SERVICES {
            return Err(Win32Error::NOT_ENOUGH_SERVER_MEMORY);
        }
        self.next = self.next.wrapping_add(1);
        let id = ServiceId(self.next);
        let status = Status::stopped(record.service_type, Win32Error::SERVICE_NEVER_STARTED.0);
        self.names.insert(folded, id);
        self.services.insert(
            id,
            Service {
                record,
                status,
                process: None,
                start: None,
                delete_pending: false,
                hangs_at: None,
                hung: false,
                failures: Failures::default(),
            },
        );
        Ok(id)
    }

    pub fn remove(&mut self, id: ServiceId) -> Option<Service> {
        let service = self.services.remove(&id)?;
        self.names.remove(&service.record.name.folded());
        Some(service)
    }

    pub fn by_name(&self, name: &Text) -> Option<ServiceId> {
        self.names.get(&name.folded()).copied()
    }

    /// The service that a user sees under this name.
    pub fn by_display_name(&self, name: &Text) -> Option<ServiceId> {
        self.iter()
            .find(|(_, service)| service.record.shown_name().same_name(name))
            .map(|(id, _)| id)
    }

    /// A service, or the error for a handle on one that is gone.
    pub fn get(&self, id: ServiceId) -> Result<&Service> {
        self.services.get(&id).ok_or(Win32Error::INVALID_HANDLE)
    }

    /// As [`Self::get`], to change it.
    pub fn get_mut(&mut self, id: ServiceId) -> Result<&mut Service> {
        self.services.get_mut(&id).ok_or(Win32Error::INVALID_HANDLE)
    }

    pub fn iter(&self) -> impl Iterator<Item = (ServiceId, &Service)> {
        self.services.iter().map(|(&id, service)| (id, service))
    }

    /// The services whose start waits for others.
    pub fn waiting(&self) -> Vec<ServiceId> {
        self.iter()
            .filter(|(_, service)| service.is_waiting())
            .map(|(id, _)| id)
            .collect()
    }

    /// The services after one in the database's order.
    pub fn after(&self, id: ServiceId) -> impl Iterator<Item = (ServiceId, &Service)> {
        use core::ops::Bound::{Excluded, Unbounded};
        self.services
            .range((Excluded(id), Unbounded))
            .map(|(&id, service)| (id, service))
    }

    /// The services that name this one as a dependency.
    pub fn dependents(&self, id: ServiceId) -> Vec<ServiceId> {
        let Ok(service) = self.get(id) else {
            return Vec::new();
        };
        let name = &service.record.name;
        self.iter()
            .filter(|(_, other)| other.record.services_before().any(|d| d.same_name(name)))
            .map(|(id, _)| id)
            .collect()
    }

    /// All services that need this one, those first that must stop first.
    pub fn all_dependents(&self, id: ServiceId) -> Vec<ServiceId> {
        let mut found = alloc::vec![id];
        let mut at = 0;
        while let Some(&next) = found.get(at) {
            for dependent in self.dependents(next) {
                // A later place means an earlier stop: move it there.
                if dependent != id && !found.get(..=at).is_some_and(|f| f.contains(&dependent)) {
                    found.retain(|&f| f != dependent);
                    found.push(dependent);
                }
            }
            at += 1;
        }
        found.remove(0);
        found.reverse();
        found
    }

    /// The services of a load order group, but one.
    pub fn members(&self, group: &Text, but: ServiceId) -> Vec<ServiceId> {
        self.iter()
            .filter(|&(id, service)| id != but && service.record.group.same_name(group))
            .map(|(id, _)| id)
            .collect()
    }

    /// The names of all services that are started before the record's, those of its
    /// groups too.
    fn before(&self, record: &Record) -> Vec<Text> {
        let own = self.by_name(&record.name).unwrap_or(ServiceId(0));
        let members = record
            .groups_before()
            .flat_map(|group| self.members(&group, own))
            .filter_map(|id| Some(self.get(id).ok()?.record.name.clone()));
        record.services_before().cloned().chain(members).collect()
    }

    /// Whether starting the record's service would go round in a circle.
    pub fn has_cycle(&self, record: &Record) -> bool {
        let mut done: Vec<ServiceId> = Vec::new();
        let mut path: Vec<(Text, Vec<Text>)> =
            alloc::vec![(record.name.clone(), self.before(record))];
        while let Some((current, before)) = path.last_mut() {
            let Some(name) = before.pop() else {
                done.extend(self.by_name(current));
                path.pop();
                continue;
            };
            if path.iter().any(|(on, _)| on.same_name(&name)) {
                return true;
            }
            if let Some(id) = self.by_name(&name)
                && !done.contains(&id)
                && let Ok(service) = self.get(id)
            {
                path.push((name, self.before(&service.record)));
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(services: &[(&str, &[&str])]) -> Database {
        let mut database = Database::default();
        for (name, depend_on) in services {
            let mut record = Record::new(Text::from(*name));
            record.depend_on = depend_on.iter().map(|&d| Text::from(d)).collect();
            database.add(record).unwrap();
        }
        database
    }

    fn named(database: &Database, name: &str) -> ServiceId {
        database.by_name(&Text::from(name)).unwrap()
    }

    #[test]
    fn names_are_unique_without_case() {
        let mut database = with(&[("RpcSs", &[])]);
        assert!(database.by_name(&Text::from("rpcss")).is_some());
        let again = Record::new(Text::from("RPCSS"));
        assert_eq!(database.add(again), Err(Win32Error::SERVICE_EXISTS));
    }

    #[test]
    fn circles_are_found() {
        let database = with(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a"]),
            ("d", &["+a", "e"]),
        ]);
        for (name, circular) in [("a", true), ("c", true), ("d", false)] {
            let record = &database.get(named(&database, name)).unwrap().record;
            assert_eq!(database.has_cycle(record), circular, "{name}");
        }
    }

    #[test]
    fn dependents_come_in_the_order_of_stopping() {
        let database = with(&[("a", &[]), ("b", &["a"]), ("c", &["b", "a"]), ("d", &[])]);
        let order = database.all_dependents(named(&database, "a"));
        assert_eq!(order, [named(&database, "c"), named(&database, "b")]);
    }
}
