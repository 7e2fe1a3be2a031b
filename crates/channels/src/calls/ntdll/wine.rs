//! What Wine's ntdll exports as system calls beyond NT's own (seen on Wine 8
//! and Wine 10).

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    ProcessLists Other SameVm Settled "another name of NtQuerySystemInformation's very stub on Wine 8, so its hook is met" {
        RtlGetNativeSystemInformation
    }
    Unix Name Denied Hooked "starts a program of Unix" {
        __wine_unix_spawnvp
    }
    Unix Name Denied Open "tells the Unix name of a file, or the NT name of a Unix file, past the VM's layers" {
        wine_nt_to_unix_file_name wine_unix_to_nt_file_name
    }
    Unix Other SameVm Partly "speaks to the server of all VMs directly; what user32 of Wine 8.0 asks of windows and stations by it is confined" {
        wine_server_call
    }
    Unix Other ByHandle Settled "turns a handle into a Unix descriptor of the same object and back" {
        wine_server_fd_to_handle wine_server_handle_to_fd
    }
    Local None NoIpc Settled "writes to the standard error that the process was given" {
        __wine_dbg_write
    }
};
