//! Named pipe servers: listen, accept, who is at the other end, is it still there.

use std::fs::File;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::sync::{Mutex, PoisonError};

use windows_sys::Win32::Foundation::{ERROR_NO_DATA, ERROR_PIPE_CONNECTED, GetLastError};
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_ACCESS_DUPLEX};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, GetNamedPipeClientProcessId, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_UNLIMITED_INSTANCES, PIPE_WAIT, PeekNamedPipe,
};

use crate::error::Result;
use crate::system::{last_error, own, wide};

/// The pipe's buffer in each direction, in bytes.
const BUFFER: u32 = 64 * 1024;

/// A listening pipe name. Each thread in [`Listener::accept`] keeps one instance that waits for a
/// client.
#[derive(Debug)]
pub struct Listener {
    path: String,
    waiting: Mutex<Option<OwnedHandle>>,
}

/// One client's connection.
#[derive(Debug)]
pub struct Connection {
    file: File,
}

impl Listener {
    /// Listens, in byte mode.
    ///
    /// # Errors
    /// The name is taken (on Windows; both Wines share a taken name silently).
    pub fn bind(path: &str) -> Result<Self> {
        let listener = Self {
            path: path.into(),
            waiting: Mutex::new(None),
        };
        let first = listener.instance(FILE_FLAG_FIRST_PIPE_INSTANCE)?;
        *listener
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(first);
        Ok(listener)
    }

    fn instance(&self, flags: u32) -> Result<OwnedHandle> {
        let name = wide(&self.path);
        // SAFETY: a zero-terminated name; the default security lets only this user write.
        let handle = unsafe {
            CreateNamedPipeW(
                name.as_ptr(),
                PIPE_ACCESS_DUPLEX | flags,
                PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                PIPE_UNLIMITED_INSTANCES,
                BUFFER,
                BUFFER,
                0,
                null(),
            )
        };
        // SAFETY: a fresh handle or -1, the last error is the call's.
        unsafe { own(handle, format!("listen on the pipe {}", self.path)) }
    }

    /// Waits for a client. One that has come and gone already is passed over.
    ///
    /// # Errors
    /// The system's refusal; the next call may succeed.
    pub fn accept(&self) -> Result<Connection> {
        loop {
            let waiting = self
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let handle = match waiting {
                Some(handle) => handle,
                None => self.instance(0)?,
            };
            // SAFETY: a live, synchronous pipe handle.
            let done = unsafe { ConnectNamedPipe(handle.as_raw_handle(), null_mut()) };
            // SAFETY: reads the thread's last error.
            match (done, unsafe { GetLastError() }) {
                (0, ERROR_NO_DATA) => {}
                (0, error) if error != ERROR_PIPE_CONNECTED => {
                    return Err(last_error(format!("accept on the pipe {}", self.path)));
                }
                _ => {
                    return Ok(Connection {
                        file: File::from(handle),
                    });
                }
            }
        }
    }
}

impl Connection {
    /// The process id of the client, as the kernel knows it.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn client_pid(&self) -> Result<u32> {
        let mut pid = 0;
        // SAFETY: a live pipe handle; `pid` is a local.
        let done = unsafe { GetNamedPipeClientProcessId(self.file.as_raw_handle(), &raw mut pid) };
        if done == 0 {
            Err(last_error("ask for a pipe's client"))
        } else {
            Ok(pid)
        }
    }

    /// Whether the client is still there.
    #[must_use]
    pub fn is_open(&self) -> bool {
        // SAFETY: a live pipe handle; nothing is read.
        let done = unsafe {
            PeekNamedPipe(
                self.file.as_raw_handle(),
                null_mut(),
                0,
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        done != 0
    }

    /// The connection as a file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}
