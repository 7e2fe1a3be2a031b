//! Owns the handles that clients hold: which process holds which, on what, and
//! with which rights. Knows neither services nor their states.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::error::{Result, Win32Error};

/// The process that makes a request, by its process id as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(pub u32);

impl Client {
    /// The driver itself: no process has this id, and no access list holds it.
    pub const DRIVER: Self = Self(0);
}

/// A service of the database. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u32);

/// The value of a handle as a program sees it. Fits 32 bits, divisible by 4
/// and never 0, as handles are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(pub u32);

/// What a handle is open on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The database, by `OpenSCManager`.
    Manager,
    /// A service, by `OpenService` or `CreateService`.
    Service(ServiceId),
    /// The status of a service that the holder runs.
    Status(ServiceId),
    /// The lock on the database, by `LockServiceDatabase`.
    Lock,
}

struct Handle {
    client: Client,
    object: Object,
    access: u32,
}

/// Most handles of one client: a leaking program must not fill the supervisor.
pub const MAX_PER_CLIENT: usize = 4096;

/// The first handle given out: far from the small numbers that stray values are.
const FIRST: u32 = 0x0053_0000;

/// All open handles.
pub struct Handles {
    open: BTreeMap<HandleId, Handle>,
    next: u32,
}

impl Handles {
    /// No handle open.
    pub fn new() -> Self {
        Self {
            open: BTreeMap::new(),
            next: FIRST,
        }
    }

    /// Opens a handle, or says that the client has too many.
    pub fn add(&mut self, client: Client, object: Object, access: u32) -> Result<HandleId> {
        let held = self.open.values().filter(|h| h.client == client).count();
        let following = self.next.checked_add(4);
        let (true, Some(following)) = (held < MAX_PER_CLIENT, following) else {
            return Err(Win32Error::NOT_ENOUGH_SERVER_MEMORY);
        };
        let id = HandleId(self.next);
        self.next = following;
        self.open.insert(
            id,
            Handle {
                client,
                object,
                access,
            },
        );
        Ok(id)
    }

    /// What the client's handle is open on, if it has these rights.
    pub fn get(&self, client: Client, id: HandleId, access: u32) -> Result<Object> {
        match self.open.get(&id) {
            Some(handle) if handle.client == client => {
                if handle.access & access == access {
                    Ok(handle.object)
                } else {
                    Err(Win32Error::ACCESS_DENIED)
                }
            }
            _ => Err(Win32Error::INVALID_HANDLE),
        }
    }

    /// Checks that the handle is open on the database with these rights.
    pub fn manager(&self, client: Client, id: HandleId, access: u32) -> Result<()> {
        match self.get(client, id, 0)? {
            Object::Manager => self.get(client, id, access).map(|_| ()),
            _ => Err(Win32Error::INVALID_HANDLE),
        }
    }

    /// The service that the handle is open on with these rights.
    pub fn service(&self, client: Client, id: HandleId, access: u32) -> Result<ServiceId> {
        match self.get(client, id, 0)? {
            Object::Service(service) => self.get(client, id, access).map(|_| service),
            _ => Err(Win32Error::INVALID_HANDLE),
        }
    }

    /// Closes one handle and gives back what it was open on.
    pub fn close(&mut self, client: Client, id: HandleId) -> Result<Object> {
        let object = self.get(client, id, 0)?;
        self.open.remove(&id);
        Ok(object)
    }

    /// Closes everything that a client held, and gives it back.
    pub fn close_all(&mut self, client: Client) -> Vec<Object> {
        let mut closed = Vec::new();
        self.open.retain(|_, handle| {
            let keep = handle.client != client;
            if !keep {
                closed.push(handle.object);
            }
            keep
        });
        closed
    }

    /// Takes away the status handles of a service that has stopped.
    pub fn close_status(&mut self, service: ServiceId) {
        self.open
            .retain(|_, handle| handle.object != Object::Status(service));
    }

    /// Whether a client still holds the service open.
    pub fn is_open(&self, service: ServiceId) -> bool {
        self.open
            .values()
            .any(|handle| handle.object == Object::Service(service))
    }
}

impl Default for Handles {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_its_holders_alone() {
        let mut handles = Handles::new();
        let id = handles.add(Client(1), Object::Manager, 1).unwrap();
        assert_eq!(handles.manager(Client(1), id, 1), Ok(()));
        assert_eq!(
            handles.manager(Client(2), id, 1),
            Err(Win32Error::INVALID_HANDLE)
        );
        assert_eq!(
            handles.manager(Client(1), id, 2),
            Err(Win32Error::ACCESS_DENIED)
        );
        assert_eq!(
            handles.service(Client(1), id, 0),
            Err(Win32Error::INVALID_HANDLE)
        );
        assert_eq!(handles.close(Client(1), id), Ok(Object::Manager));
        assert_eq!(
            handles.close(Client(1), id),
            Err(Win32Error::INVALID_HANDLE)
        );
    }

    #[test]
    fn one_client_cannot_take_all() {
        let mut handles = Handles::new();
        for _ in 0..MAX_PER_CLIENT {
            handles.add(Client(1), Object::Manager, 0).unwrap();
        }
        assert_eq!(
            handles.add(Client(1), Object::Manager, 0),
            Err(Win32Error::NOT_ENOUGH_SERVER_MEMORY)
        );
        assert!(handles.add(Client(2), Object::Manager, 0).is_ok());
        assert_eq!(handles.close_all(Client(1)).len(), MAX_PER_CLIENT);
    }
}
