//! Owns what clients have asked to be told of: `NotifyServiceStatusChange`, whose
//! documentation says what is told when. A handle has one request at a time, as
//! Windows before 8 and Wine have it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;

use windows_sys::Win32::System::Services as services;

use crate::controller::Controller;
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId, Object, ServiceId};
use crate::status::Status;
use crate::text::Text;

/// What may be asked of a service, and of the manager.
const OF_SERVICE: u32 = services::SERVICE_NOTIFY_STOPPED
    | services::SERVICE_NOTIFY_START_PENDING
    | services::SERVICE_NOTIFY_STOP_PENDING
    | services::SERVICE_NOTIFY_RUNNING
    | services::SERVICE_NOTIFY_CONTINUE_PENDING
    | services::SERVICE_NOTIFY_PAUSE_PENDING
    | services::SERVICE_NOTIFY_PAUSED
    | services::SERVICE_NOTIFY_DELETE_PENDING;
const OF_MANAGER: u32 = services::SERVICE_NOTIFY_CREATED | services::SERVICE_NOTIFY_DELETED;

/// Most names that are kept for one handle; with more its client lags behind.
pub const MAX_NAMES: usize = 24;

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `dwNotificationStatus`; nothing for success.
    pub error: Option<Win32Error>,
    /// `dwNotificationTriggered`: `SERVICE_NOTIFY_*`
    pub triggered: u32,
    /// The service's status.
    pub status: Option<Status>,
    /// Services that were made, with a slash before the name, and deleted.
    pub names: Vec<Text>,
}

/// How far a request has come.
#[derive(Debug)]
enum Request {
    /// Nothing of the mask has happened.
    Waits(u32),
    /// It has, and nobody has taken the news.
    Fired(Notice),
}

/// What is kept of a handle that something was ever asked by.
#[derive(Debug)]
struct Watch {
    client: Client,
    object: Object,
    /// Whether the service's present state has been told.
    told: bool,
    /// Services made and deleted that have not been told, each with its bit.
    names: Vec<(u32, Text)>,
    lags: bool,
    number: u32,
    request: Option<Request>,
}

impl Watch {
    /// Tells of what is new, if it is asked for.
    fn fire(&mut self, triggered: u32, status: Option<Status>) {
        if let Some(Request::Waits(mask)) = self.request
            && mask & triggered != 0
        {
            self.told = true;
            self.request = Some(Request::Fired(Notice {
                error: None,
                triggered,
                status,
                names: Vec::new(),
            }));
        }
    }

    /// Tells of the services that were made and deleted, if one is asked for.
    fn fire_names(&mut self) {
        let Some(Request::Waits(mask)) = self.request else {
            return;
        };
        let all = mem::take(&mut self.names);
        let (news, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(bit, _)| mask & bit != 0);
        self.names = rest;
        if !news.is_empty() {
            self.request = Some(Request::Fired(Notice {
                error: None,
                triggered: news.iter().fold(0, |all, (bit, _)| all | bit),
                status: None,
                names: news.into_iter().map(|(_, name)| name).collect(),
            }));
        }
    }
}

/// All requests.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    watches: BTreeMap<HandleId, Watch>,
    numbers: u32,
}

impl Notices {
    fn of_service(&mut self, id: ServiceId) -> impl Iterator<Item = &mut Watch> {
        let of_it = move |watch: &&mut Watch| watch.object == Object::Service(id);
        self.watches.values_mut().filter(of_it)
    }

    /// A service has another state.
    pub fn state_changed(&mut self, id: ServiceId, status: Status) {
        for watch in self.of_service(id) {
            watch.told = false;
            watch.fire(status.state.notify_bit(), Some(status));
        }
    }

    /// A service is marked for deletion: all who wait for it hear of that.
    pub fn delete_pending(&mut self, id: ServiceId, status: Status) {
        for watch in self.of_service(id) {
            watch.fire(services::SERVICE_NOTIFY_DELETE_PENDING, Some(status));
            if matches!(watch.request, Some(Request::Waits(_))) {
                watch.request = Some(Request::Fired(Notice {
                    error: Some(Win32Error::SERVICE_MARKED_FOR_DELETE),
                    triggered: 0,
                    status: None,
                    names: Vec::new(),
                }));
            }
        }
    }

    /// A service was made.
    pub fn created(&mut self, name: &Text) {
        let slash = core::iter::once(u16::from(b'/'));
        let shown: Vec<u16> = slash.chain(name.units().iter().copied()).collect();
        self.named(services::SERVICE_NOTIFY_CREATED, &Text::from(shown));
    }

    /// A service is no more.
    pub fn deleted(&mut self, name: &Text) {
        self.named(services::SERVICE_NOTIFY_DELETED, name);
    }

    fn named(&mut self, bit: u32, name: &Text) {
        for watch in self.watches.values_mut() {
            if watch.object == Object::Manager {
                if watch.names.len() < MAX_NAMES {
                    watch.names.push((bit, name.clone()));
                } else {
                    watch.lags = true;
                }
                watch.fire_names();
            }
        }
    }

    /// The handle is closed: who waits by it is told nothing more.
    pub fn close(&mut self, handle: HandleId) {
        self.watches.remove(&handle);
    }

    /// The client is gone with all its handles.
    pub fn close_all(&mut self, client: Client) {
        self.watches.retain(|_, watch| watch.client != client);
    }
}

impl Controller {
    /// `NotifyServiceStatusChange`; gives the number by which the news are taken.
    ///
    /// # Errors
    /// `ERROR_ALREADY_REGISTERED` while the handle has a request,
    /// `ERROR_SERVICE_MARKED_FOR_DELETE`, `ERROR_SERVICE_NOTIFY_CLIENT_LAGGING`
    /// when too much happened since the last.
    pub fn notify(&mut self, client: Client, handle: HandleId, mask: u32) -> Result<u32> {
        let object = self.handles.get(client, handle, 0)?;
        let (right, known) = match object {
            Object::Service(_) => (services::SERVICE_QUERY_STATUS, OF_SERVICE),
            Object::Manager => (services::SC_MANAGER_ENUMERATE_SERVICE, OF_MANAGER),
            Object::Status(_) | Object::Lock => return Err(Win32Error::INVALID_HANDLE),
        };
        self.handles.get(client, handle, right)?;
        if mask == 0 || mask & !known != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let status = match object {
            Object::Service(id) => {
                let service = self.services.get(id)?;
                if service.delete_pending {
                    return Err(Win32Error::SERVICE_MARKED_FOR_DELETE);
                }
                Some(service.status)
            }
            _ => None,
        };
        let notices = &mut self.notices;
        notices.numbers = notices.numbers.wrapping_add(1);
        let number = notices.numbers;
        let watch = notices.watches.entry(handle).or_insert(Watch {
            client,
            object,
            told: false,
            names: Vec::new(),
            lags: false,
            number,
            request: None,
        });
        if watch.request.is_some() {
            return Err(Win32Error::ALREADY_REGISTERED);
        }
        if watch.lags {
            return Err(Win32Error::SERVICE_NOTIFY_CLIENT_LAGGING);
        }
        watch.number = number;
        watch.request = Some(Request::Waits(mask));
        match status {
            Some(status) if !watch.told => watch.fire(status.state.notify_bit(), Some(status)),
            Some(_) => {}
            None => watch.fire_names(),
        }
        Ok(number)
    }

    /// The news for a request, once; nothing as long as there are none.
    ///
    /// # Errors
    /// `ERROR_REQUEST_ABORTED`: there is no such request any more.
    pub fn take_notice(
        &mut self,
        client: Client,
        handle: HandleId,
        number: u32,
    ) -> Result<Option<Notice>> {
        let found = self.notices.watches.get_mut(&handle);
        let watch = found
            .filter(|watch| watch.client == client && watch.number == number)
            .ok_or(Win32Error::REQUEST_ABORTED)?;
        match watch.request.take() {
            Some(Request::Fired(notice)) => Ok(Some(notice)),
            None => Err(Win32Error::REQUEST_ABORTED),
            waits => {
                watch.request = waits;
                Ok(None)
            }
        }
    }
}
