//! The VM's service controller: drives `pinion_scm`'s state machine with processes, pipes and time.
//!
//! What the supervisor needs of it is what is public to the crate here; nothing else is looked at.

use std::sync::Weak;
use std::time::Instant;

use pinion_wire::message::{Reply, encode};
use pinion_wire::services::{ServiceReply, ServiceRequest};

use crate::control::ServiceInfo;
use crate::keeper::Keeper;
use crate::requests::Caller;

/// The service controller of one VM.
pub(crate) struct Services {
    _keeper: Weak<Keeper>,
}

impl Services {
    /// A controller without a running service.
    pub(crate) fn new(keeper: Weak<Keeper>) -> Self {
        Self { _keeper: keeper }
    }

    /// Answers one request of a member; the answer is an encoded [`Reply`] in `buffer`. May block, as
    /// each connection has a thread of its own, but looks at [`Caller::is_there`] meanwhile.
    pub(crate) fn answer<'b>(
        &self,
        _caller: &Caller<'_>,
        _request: ServiceRequest<'_>,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        const ERROR_CALL_NOT_IMPLEMENTED: u32 = 120;
        encode(
            &Reply::Service(ServiceReply::Error(ERROR_CALL_NOT_IMPLEMENTED)),
            buffer,
        )
    }

    /// A connection of the process with this id has ended; it may have others.
    pub(crate) fn disconnected(&self, _pid: u32) {}

    /// Asks all services to stop and waits until they have, at most until the deadline.
    pub(crate) fn stop_all(&self, _deadline: Instant) {}

    /// The services that run or ran, by name.
    pub(crate) fn list(&self) -> Vec<ServiceInfo> {
        Vec::new()
    }

    /// The service that the process with this id runs, if any.
    pub(crate) fn service_of(&self, _pid: u32) -> Option<String> {
        None
    }
}
