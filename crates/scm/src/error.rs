//! Owns the error type of the controller: a Win32 error code, as the service
//! API reports it. Declares no code of its own: they are windows-sys's.

use core::fmt;

use windows_sys::Win32::Foundation as win32;

/// A Win32 error code (`winerror.h`), never `ERROR_SUCCESS`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Win32Error(pub u32);

impl fmt::Debug for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Win32Error({})", self.0)
    }
}

impl fmt::Display for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Win32 error {}", self.0)
    }
}

macro_rules! codes {
    ($($name:ident = $code:ident;)*) => {
        impl Win32Error {
            $(
                #[doc = concat!("`", stringify!($code), "`")]
                pub const $name: Self = Self(win32::$code);
            )*
        }
    };
}

codes! {
    FILE_NOT_FOUND = ERROR_FILE_NOT_FOUND;
    ACCESS_DENIED = ERROR_ACCESS_DENIED;
    INVALID_HANDLE = ERROR_INVALID_HANDLE;
    INVALID_DATA = ERROR_INVALID_DATA;
    INVALID_PARAMETER = ERROR_INVALID_PARAMETER;
    CALL_NOT_IMPLEMENTED = ERROR_CALL_NOT_IMPLEMENTED;
    INVALID_NAME = ERROR_INVALID_NAME;
    INVALID_LEVEL = ERROR_INVALID_LEVEL;
    MORE_DATA = ERROR_MORE_DATA;
    DEPENDENT_SERVICES_RUNNING = ERROR_DEPENDENT_SERVICES_RUNNING;
    INVALID_SERVICE_CONTROL = ERROR_INVALID_SERVICE_CONTROL;
    SERVICE_REQUEST_TIMEOUT = ERROR_SERVICE_REQUEST_TIMEOUT;
    SERVICE_DATABASE_LOCKED = ERROR_SERVICE_DATABASE_LOCKED;
    SERVICE_ALREADY_RUNNING = ERROR_SERVICE_ALREADY_RUNNING;
    INVALID_SERVICE_ACCOUNT = ERROR_INVALID_SERVICE_ACCOUNT;
    SERVICE_DISABLED = ERROR_SERVICE_DISABLED;
    CIRCULAR_DEPENDENCY = ERROR_CIRCULAR_DEPENDENCY;
    SERVICE_DOES_NOT_EXIST = ERROR_SERVICE_DOES_NOT_EXIST;
    SERVICE_CANNOT_ACCEPT_CTRL = ERROR_SERVICE_CANNOT_ACCEPT_CTRL;
    SERVICE_NOT_ACTIVE = ERROR_SERVICE_NOT_ACTIVE;
    FAILED_SERVICE_CONTROLLER_CONNECT = ERROR_FAILED_SERVICE_CONTROLLER_CONNECT;
    DATABASE_DOES_NOT_EXIST = ERROR_DATABASE_DOES_NOT_EXIST;
    PROCESS_ABORTED = ERROR_PROCESS_ABORTED;
    SERVICE_DEPENDENCY_FAIL = ERROR_SERVICE_DEPENDENCY_FAIL;
    SERVICE_MARKED_FOR_DELETE = ERROR_SERVICE_MARKED_FOR_DELETE;
    SERVICE_EXISTS = ERROR_SERVICE_EXISTS;
    SERVICE_DEPENDENCY_DELETED = ERROR_SERVICE_DEPENDENCY_DELETED;
    SERVICE_NEVER_STARTED = ERROR_SERVICE_NEVER_STARTED;
    DUPLICATE_SERVICE_NAME = ERROR_DUPLICATE_SERVICE_NAME;
    SERVICE_NOT_IN_EXE = ERROR_SERVICE_NOT_IN_EXE;
    NOT_ENOUGH_SERVER_MEMORY = ERROR_NOT_ENOUGH_SERVER_MEMORY;
}

/// What an operation of the controller gives back.
pub type Result<T> = core::result::Result<T, Win32Error>;
