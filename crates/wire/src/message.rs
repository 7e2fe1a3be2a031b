//! What a member asks its supervisor over the request pipe, and the answers.
//!
//! The pipe is in byte mode. A message is its length in bytes (`u32`, little
//! endian, at most [`MESSAGE`]) and that many bytes of postcard encoding of a
//! [`Request`] or [`Reply`]. The supervisor takes the caller's
//! identity from the kernel (the pipe's client process), never from a message.

use crate::services::{ServiceReply, ServiceRequest};
use serde::{Deserialize, Serialize};

/// The longest message in bytes.
pub const MESSAGE: usize = 16 * 1024;

/// A member's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// A line for the VM's log: something was refused, and why.
    Refused {
        /// The object, as UTF-16 little-endian bytes.
        #[serde(borrow)]
        what: &'a [u8],
        /// The cause, for people.
        why: &'a str,
        /// The NTSTATUS returned to the program.
        status: i32,
    },
    /// A call of the service API.
    Service(#[serde(borrow)] ServiceRequest<'a>),
    /// A line for the VM's log: a rule of its policy has refused a name.
    Denied {
        /// The rule's number in the page.
        rule: u32,
        /// The name, as UTF-16 little-endian bytes.
        #[serde(borrow)]
        what: &'a [u8],
        /// The NTSTATUS returned to the program.
        status: i32,
    },
    /// A DOS device name of the VM's own is defined, or given up.
    Device {
        /// The name (`X:`), as UTF-16 little-endian bytes.
        #[serde(borrow)]
        name: &'a [u8],
        /// Where it leads (`\??\C:\dir`), in the same form; empty gives it up.
        target: &'a [u8],
    },
    /// Whether a program of the VM has a socket at the VM's own address.
    Socket {
        /// Its port.
        port: u16,
        /// What it carries.
        transport: Transport,
    },
    /// Whether an address is one of this machine's.
    Host {
        /// Of IPv6.
        address: [u8; 16],
    },
    /// http.sys serves a URL of the VM's, at the VM's address.
    Served {
        /// The beginning of the URL as the program registered it, as UTF-16 little-endian bytes.
        #[serde(borrow)]
        url: &'a [u8],
    },
}

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transport {
    /// Streams (TCP); it listens.
    Streams,
    /// Datagrams (UDP).
    Datagrams,
    /// The asker does not know which.
    Either,
}

/// The supervisor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// Taken note of.
    Noted,
    /// The message could not be understood.
    Malformed,
    /// The answer to [`Request::Service`].
    Service(#[serde(borrow)] ServiceReply<'a>),
    /// The answer to [`Request::Device`].
    Device {
        /// The NTSTATUS for the program.
        status: i32,
    },
    /// The answer to [`Request::Socket`] and [`Request::Host`].
    Answer {
        /// Whether it is so.
        is_so: bool,
    },
}

/// Encodes `message` into `buffer`; `None` when it does not fit.
pub fn encode<'b, T: Serialize>(message: &T, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    postcard::to_slice(message, buffer)
        .ok()
        .map(|bytes| &*bytes)
}

/// Decodes one message that fills `bytes`; `None` when it is malformed or
/// something follows it.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_comes_back() {
        let request = Request::Refused {
            what: b"a\0b\0",
            why: "a 32-bit program",
            status: -1,
        };
        let mut buffer = [0; 128];
        let bytes = encode(&request, &mut buffer).expect("fits");
        assert_eq!(decode::<Request>(bytes), Some(request));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<Request>(&bytes);
            let _ = decode::<Reply>(&bytes);
        }
    }
}
