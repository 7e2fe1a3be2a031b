//! Which of the host's folders may be shared with a VM.
//!
//! Owns the one name by which a folder is shared, and the refusal of those that hold Pinion's store,
//! or are in it: they would open all VMs to a member.

use std::fs::File;
use std::mem::zeroed;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};

use pinion_names::file::on_own_drive;
use pinion_store::share::folder;
use pinion_store::{Error, Share, Vm};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, GetFileInformationByHandle,
};

use crate::error::Result;
use crate::page::own_path;
use crate::wine_folder;

/// The whole path by which the host itself calls the folder `host`, when it may be shared.
///
/// # Errors
/// [`Error::BadShare`]: it is no folder, or no path can name it for all; it holds the store at `store`
/// or Wine's own folder, or is in one of them.
pub fn resolve(host: &str, store: &Path) -> Result<String> {
    let bad = |why: String| Error::BadShare {
        why: format!("{host}: {why}"),
    };
    let own = own_path(Path::new(&folder(host).map_err(bad)?));
    if !own.is_dir() {
        return Err(bad("it is no folder of the host".into()).into());
    }
    let own = on_its_drive(&own.to_string_lossy());
    let own = folder(&own).map_err(bad)?;
    let wine = wine_folder::find();
    for closed in [Some(store), wine.as_deref().map(Path::new)] {
        if let Some(closed) = closed
            && meet(Path::new(&own), closed)
        {
            let closed = closed.display();
            return Err(bad(format!("it holds {closed}, or is in it")).into());
        }
    }
    Ok(own)
}

/// Fails when some folder that `vm` shares is not what it was when it was shared.
pub(crate) fn check(vm: &Vm, store: &Path) -> Result<()> {
    for Share {
        host, vm: inside, ..
    } in &vm.record().shares
    {
        if !resolve(host, store)?.eq_ignore_ascii_case(host) {
            let why = format!("{host} leads elsewhere than when it was shared");
            return Err(Error::BadShare { why }.into());
        }
        if meet_by_name(inside, &store.to_string_lossy()) {
            let why = format!("{inside}: the store is there");
            return Err(Error::BadShare { why }.into());
        }
    }
    Ok(())
}

/// The path on the drive that Wine shows it on, where `path` is below Wine's own folder.
fn on_its_drive(path: &str) -> String {
    let units = |path: &str| -> Vec<u16> { path.replacen(':', "", 1).encode_utf16().collect() };
    let wine = units(&wine_folder::find().unwrap_or_default());
    match on_own_drive(&wine, &units(path)) {
        Some((letter, rest)) => {
            let letter = char::from_u32(letter.into()).unwrap_or('C');
            format!("{letter}:{}", String::from_utf16_lossy(rest))
        }
        None => path.to_owned(),
    }
}

/// Whether one of the two folders, which are there, is the other or in it, by whatever name.
fn meet(a: &Path, b: &Path) -> bool {
    let (Some(own), Some(other)) = (identity(a), identity(b)) else {
        return true;
    };
    let above = |path: &Path, wanted| path.ancestors().any(|dir| identity(dir) == Some(wanted));
    meet_by_name(&a.to_string_lossy(), &b.to_string_lossy()) || above(a, other) || above(b, own)
}

fn meet_by_name(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|path| PathBuf::from(path.to_uppercase()));
    a.starts_with(&b) || b.starts_with(&a)
}

/// Volume and number of a folder.
fn identity(path: &Path) -> Option<(u32, u32, u32)> {
    let open = File::options()
        .access_mode(0)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
        .ok()?;
    // SAFETY: zeros are a value of the structure.
    let mut told: BY_HANDLE_FILE_INFORMATION = unsafe { zeroed() };
    // SAFETY: a live handle; the structure is a local.
    let done = unsafe { GetFileInformationByHandle(open.as_raw_handle(), &raw mut told) };
    (done != 0).then_some((
        told.dwVolumeSerialNumber,
        told.nFileIndexHigh,
        told.nFileIndexLow,
    ))
}
