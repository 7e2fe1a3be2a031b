//! What the system's refusal to create a process means for people.

use std::io;
use std::path::Path;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY, ERROR_ELEVATION_REQUIRED,
    ERROR_EXE_MACHINE_TYPE_MISMATCH, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
};

use crate::error::Error;

/// The error of a program that was to start in the folder `cwd`, of the host.
pub(crate) fn not_created(program: &str, cwd: Option<&str>, why: io::Error) -> Error {
    let cannot = |why: &str| Error::CannotRun {
        program: program.into(),
        why: why.into(),
    };
    match why.raw_os_error().unwrap_or(0).cast_unsigned() {
        ERROR_DIRECTORY => Error::BadDirectory {
            path: cwd.unwrap_or_default().into(),
            why,
        },
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => match cwd {
            Some(path) if !Path::new(path).is_dir() => Error::BadDirectory {
                path: path.into(),
                why,
            },
            _ => Error::ProgramNotFound {
                program: program.into(),
            },
        },
        ERROR_BAD_EXE_FORMAT | ERROR_EXE_MACHINE_TYPE_MISMATCH => {
            cannot("it is not a 64-bit Windows program; give the path of one")
        }
        ERROR_ACCESS_DENIED => cannot("access is denied; check the permissions of the file"),
        ERROR_ELEVATION_REQUIRED => {
            cannot("it asks for administrator rights, which a VM does not give")
        }
        _ => cannot(&why.to_string()),
    }
}
