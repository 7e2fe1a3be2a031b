//! Every list of processes that the system gives: `{"way": [ids…]}`.

use crate::nt;
use core::ptr::null_mut;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
    TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::ProcessStatus::K32EnumProcesses;
use windows_sys::Win32::System::RemoteDesktop::{
    WTS_PROCESS_INFOW, WTSEnumerateProcessesW, WTSFreeMemory,
};

type Ids = BTreeSet<u64>;

/// All lists.
pub fn all() -> Value {
    let mut lists = Map::new();
    lists.insert("toolhelp".into(), json!(toolhelp()));
    lists.insert("threads".into(), json!(thread_owners()));
    lists.insert("psapi".into(), json!(psapi()));
    lists.insert("wts".into(), json!(wts()));
    for class in [5, 57, 148, 252] {
        let name = format!("class {class}");
        lists.insert(
            name,
            json!(chain(class).map_or_else(|_| Ids::new(), |(ids, _)| ids)),
        );
    }
    let native = nt::system_by(nt::RtlGetNativeSystemInformation, 5);
    lists.insert(
        "native".into(),
        json!(native.map(|words| links(5, &words).0).unwrap_or_default()),
    );
    let mut told = json!({"lists": lists});
    told["names"] = json!(chain(5).map(|(_, names)| names).unwrap_or_default());
    told["parents"] = json!(toolhelp_parents());
    told
}

/// The ids and names of a chain of processes.
pub fn chain(class: u32) -> Result<(Ids, BTreeSet<String>), i32> {
    nt::system(class).map(|words| links(class, &words))
}

/// The ids and names of the chain that a class wrote.
fn links(class: u32, words: &[u64]) -> (Ids, BTreeSet<String>) {
    let basic = class == 252;
    let (id_at, name_at) = if basic { (8, 32) } else { (80, 56) };
    let base = words.as_ptr().cast::<u8>();
    let bytes = words.len() * 8;
    let (mut ids, mut names, mut at) = (Ids::new(), BTreeSet::new(), 0_usize);
    loop {
        assert!(
            at + if basic { 48 } else { 256 } <= bytes,
            "the chain leaves its buffer"
        );
        // SAFETY: the entry's head is inside the buffer, as just checked; its
        // name, by the kernel's word, too, which is checked as well.
        unsafe {
            let entry = base.add(at);
            ids.insert(entry.add(id_at).cast::<u64>().read_unaligned());
            let length = usize::from(entry.add(name_at).cast::<u16>().read_unaligned());
            let name = entry.add(name_at + 8).cast::<*const u8>().read_unaligned();
            if !name.is_null() {
                let offset = name.addr().wrapping_sub(base.addr());
                assert!(offset + length <= bytes, "a name outside its buffer");
                let units: Vec<u16> = (0..length / 2)
                    .map(|unit| name.add(unit * 2).cast::<u16>().read_unaligned())
                    .collect();
                names.insert(String::from_utf16_lossy(&units));
            }
            match entry.cast::<u32>().read_unaligned() as usize {
                0 => return (ids, names),
                next => at += next,
            }
        }
    }
}

fn entries(mut each: impl FnMut(&PROCESSENTRY32W)) {
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..Default::default()
    };
    // SAFETY: the entry has the size told in it; the snapshot is closed once.
    unsafe {
        let snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
        let mut more = Process32FirstW(snapshot, &raw mut entry);
        while more != 0 {
            each(&entry);
            more = Process32NextW(snapshot, &raw mut entry);
        }
        CloseHandle(snapshot);
    }
}

fn toolhelp() -> Ids {
    let mut ids = Ids::new();
    entries(|entry| {
        ids.insert(entry.th32ProcessID.into());
    });
    ids
}

/// Process, parent.
fn toolhelp_parents() -> Vec<(u32, u32)> {
    let mut parents = Vec::new();
    entries(|entry| parents.push((entry.th32ProcessID, entry.th32ParentProcessID)));
    parents
}

/// The threads of all processes: thread, owner.
pub fn threads() -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    let mut entry = THREADENTRY32 {
        dwSize: size_of::<THREADENTRY32>() as u32,
        ..Default::default()
    };
    // SAFETY: the entry has the size told in it; the snapshot is closed once.
    unsafe {
        let snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
        let mut more = Thread32First(snapshot, &raw mut entry);
        while more != 0 {
            all.push((entry.th32ThreadID, entry.th32OwnerProcessID));
            more = Thread32Next(snapshot, &raw mut entry);
        }
        CloseHandle(snapshot);
    }
    all
}

fn thread_owners() -> Ids {
    threads()
        .into_iter()
        .map(|(_, owner)| owner.into())
        .collect()
}

/// The ids of the threads of the process `owner`.
pub fn threads_of(owner: u32) -> Value {
    let all = threads().into_iter();
    let own: Vec<_> = all
        .filter(|&(_, of)| of == owner)
        .map(|(id, _)| id)
        .collect();
    json!(own)
}

fn psapi() -> Ids {
    let mut ids = vec![0_u32; 4096];
    let mut told = 0;
    // SAFETY: the buffer has the size told.
    unsafe { K32EnumProcesses(ids.as_mut_ptr(), (ids.len() * 4) as u32, &raw mut told) };
    ids.truncate(told as usize / 4);
    ids.into_iter().map(u64::from).collect()
}

/// As wtsapi32 exports it, which is not linked with every program.
fn wts() -> Ids {
    let (mut list, mut count) = (null_mut::<WTS_PROCESS_INFOW>(), 0);
    let mut ids = Ids::new();
    // SAFETY: the list has `count` entries and is freed once.
    unsafe {
        if WTSEnumerateProcessesW(null_mut(), 0, 1, &raw mut list, &raw mut count) != 0 {
            for index in 0..count as usize {
                ids.insert((*list.add(index)).ProcessId.into());
            }
            WTSFreeMemory(list.cast());
        }
    }
    ids
}

/// The name of the image of a process by its id (class 88); the status.
pub fn image_of_id(id: u32) -> Result<String, i32> {
    let mut name = [0_u16; 1024];
    let mut question = [u64::from(id), 2048 << 16, name.as_mut_ptr().addr() as u64];
    let mut told = 0;
    // SAFETY: the structure has the class's size, and its buffer the size told.
    let status = unsafe {
        nt::NtQuerySystemInformation(88, question.as_mut_ptr().cast(), 24, &raw mut told)
    };
    if status < 0 {
        return Err(status);
    }
    let length = (question[1] & 0xffff) as usize / 2;
    Ok(String::from_utf16_lossy(&name[..length]))
}

/// The last part of a path, in lower case.
pub fn file_name(path: &str) -> String {
    path.rsplit('\\').next().unwrap_or_default().to_lowercase()
}
