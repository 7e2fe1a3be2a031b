//! DOS device names of the VM's own (`DefineDosDevice`, `subst`), kept as long as the VM runs.
//!
//! Each is a link in the VM's object directory that leads to a directory on a drive; members look it up there.
//! Beside them lie the host's names as they were at the first definition, so that one list has all. What is
//! asked comes from inside: names and targets are judged by `pinion_names::dos`.

use std::collections::HashMap;
use std::os::windows::io::OwnedHandle;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use pinion_names::dos;
use pinion_nt::{NTSTATUS, status};
use pinion_wire::tally::Tally;
use windows_sys::Win32::Storage::FileSystem::QueryDosDeviceW;

use crate::names::link;
use crate::system::wide;

/// The most names of one VM.
const MOST: usize = 256;

/// The names of a VM.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    kept: Mutex<Kept>,
}

/// Names are in upper case.
#[derive(Debug, Default)]
struct Kept {
    own: HashMap<String, Device>,
    /// None before the first definition.
    hosts: Option<HashMap<String, Option<OwnedHandle>>>,
}

#[derive(Debug)]
struct Device {
    /// `\??\C:\dir`.
    target: String,
    _link: OwnedHandle,
}

impl Devices {
    /// Defines `name` in the VM whose object directory is `root`, or gives it up when `target` is empty; both
    /// in UTF-16. Gives the status for the program.
    pub(crate) fn answer(
        &self,
        root: &str,
        tally: &Tally,
        name: &[u16],
        target: &[u16],
    ) -> NTSTATUS {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = String::from_utf16_lossy(name).to_uppercase();
        let done = if target.is_empty() {
            kept.give_up(&key)
        } else if dos::may_be_defined(name) {
            kept.define(root, key, target)
        } else {
            Err(status::STATUS_ACCESS_DENIED)
        };
        tally.drives.store(kept.drives(), Ordering::Relaxed);
        tally
            .devices
            .store(kept.own.len() as u64, Ordering::Relaxed);
        done.err().unwrap_or(status::STATUS_SUCCESS)
    }
}

impl Kept {
    fn define(&mut self, root: &str, key: String, target: &[u16]) -> Result<(), NTSTATUS> {
        let (letter, rest) = dos::target(target).ok_or(status::STATUS_ACCESS_DENIED)?;
        let rest = String::from_utf16(rest).map_err(|_| status::STATUS_OBJECT_NAME_INVALID)?;
        let drive = format!("{}:", char::from(letter as u8));
        let hosts = self.hosts.get_or_insert_with(|| mirror(root));
        if self.own.contains_key(&key) || hosts.contains_key(&key) {
            return Err(status::STATUS_OBJECT_NAME_COLLISION);
        }
        if self.own.len() >= MOST {
            return Err(status::STATUS_INSUFFICIENT_RESOURCES);
        }
        // A drive of the VM's own leads where that one does, so that one look finds the place.
        let target = match self.own.get(&drive) {
            Some(own) => format!("{}{rest}", own.target),
            None if hosts.contains_key(&drive) => format!(r"\??\{drive}{rest}"),
            None => return Err(status::STATUS_OBJECT_PATH_NOT_FOUND),
        };
        if target.encode_utf16().count() > dos::LONGEST_TARGET {
            return Err(status::STATUS_NAME_TOO_LONG);
        }
        let place = format!("{root}{}\\{key}", dos::DIRECTORY);
        let link = link(&place, &format!("{root}{target}"));
        let link = link.map_err(|_| status::STATUS_UNSUCCESSFUL)?;
        let device = Device {
            target,
            _link: link,
        };
        self.own.insert(key, device);
        Ok(())
    }

    fn give_up(&mut self, key: &str) -> Result<(), NTSTATUS> {
        let own = self.own.remove(key).map(drop);
        own.ok_or(status::STATUS_ACCESS_DENIED)
    }

    /// Which drives are the VM's own, a bit for each letter.
    fn drives(&self) -> u64 {
        let letters = self.own.keys().filter_map(|key| match key.as_bytes() {
            [letter @ b'A'..=b'Z', b':'] => Some(letter - b'A'),
            _ => None,
        });
        letters.fold(0, |all, letter| all | 1 << letter)
    }
}

/// Makes links of the host's names beside the VM's own; one that cannot be made is in no list inside.
fn mirror(root: &str) -> HashMap<String, Option<OwnedHandle>> {
    let mut hosts = HashMap::new();
    for name in ask(None) {
        let place = format!("{root}{}\\{name}", dos::DIRECTORY);
        let target = ask(Some(&name)).into_iter().next();
        let link = target.and_then(|target| link(&place, &target).ok());
        hosts.insert(name.to_uppercase(), link);
    }
    hosts
}

/// All names of the host, or where one of them leads.
fn ask(name: Option<&str>) -> Vec<String> {
    const LONGEST: usize = 1 << 20;
    let name = name.map(wide);
    let name = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    let mut buffer = vec![0_u16; 1 << 14];
    loop {
        // SAFETY: the name ends in a zero, the buffer has the room told.
        let length = unsafe { QueryDosDeviceW(name, buffer.as_mut_ptr(), buffer.len() as u32) };
        if length == 0 && buffer.len() < LONGEST {
            buffer.resize(buffer.len() * 8, 0);
            continue;
        }
        let told = buffer.get(..length as usize).unwrap_or_default();
        let texts = told
            .split(|&unit| unit == 0)
            .filter(|text| !text.is_empty());
        return texts.map(String::from_utf16_lossy).collect();
    }
}
