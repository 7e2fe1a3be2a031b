//! The chain against a plain list of processes, and against garbage.

extern crate std;
use super::*;
use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;

/// One process of the plain list.
#[derive(Debug, Clone, PartialEq)]
struct Process {
    id: u64,
    name: String,
    threads: Vec<u64>,
    /// What follows the threads before the name, as the extension of the full
    /// class does.
    extra: Vec<u8>,
}

fn process() -> impl Strategy<Value = Process> {
    let threads = prop::collection::vec((1_u64..500).prop_map(|index| index * 4), 0..4);
    let extra = prop::collection::vec(any::<u8>(), 0..20);
    (0_u64..40, "[a-z]{0,9}", threads, extra).prop_map(|(id, name, threads, extra)| Process {
        id,
        name,
        threads,
        extra,
    })
}

/// The chain that a kernel writes for these at the address `base`.
fn chain(processes: &[Process], form: Form, base: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, process) in processes.iter().enumerate() {
        let (head, id_at, name_at) = form.layout();
        let mut entry = Vec::new();
        entry.resize(head, 0xaa);
        put(&mut entry, id_at, process.id.to_le_bytes());
        if form == Form::Full {
            put(&mut entry, HANDLES, (process.id as u32 * 7).to_le_bytes());
            put(
                &mut entry,
                THREADS,
                (process.threads.len() as u32).to_le_bytes(),
            );
            for thread in &process.threads {
                let mut bytes = [0xbb; THREAD.0];
                put(&mut bytes, THREAD.1, thread.to_le_bytes());
                entry.extend(bytes);
            }
        }
        entry.extend(&process.extra);
        let units: Vec<u8> = process
            .name
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let at = base + (bytes.len() + entry.len()) as u64;
        put(&mut entry, name_at, (units.len() as u16).to_le_bytes());
        put(&mut entry, name_at + 8, at.to_le_bytes());
        entry.extend(units);
        let next = if index + 1 < processes.len() {
            entry.len()
        } else {
            0
        };
        put(&mut entry, 0, (next as u32).to_le_bytes());
        bytes.extend(entry);
    }
    bytes
}

/// Ids and names as a program reads them from the chain at the address `base`.
fn read(bytes: &[u8], form: Form, base: u64) -> Vec<(u64, String)> {
    let (head, id_at, name_at) = form.layout();
    let (mut seen, mut at) = (Vec::new(), 0);
    loop {
        let entry = &bytes[at..];
        assert!(entry.len() >= head);
        let length = number::<2>(entry, name_at).expect("there") as usize;
        let name = (number::<8>(entry, name_at + 8).expect("there") - base) as usize;
        let units: Vec<u16> = bytes[name..name + length]
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
            .collect();
        let name = String::from_utf16(&units).expect("a name");
        seen.push((number::<8>(entry, id_at).expect("there"), name));
        match number::<4>(entry, 0).expect("there") as usize {
            0 => return seen,
            next => at += next,
        }
    }
}

proptest! {
    #[test]
    fn members_are_left_with_their_names(
        processes in prop::collection::vec(process(), 1..12),
        members: std::collections::BTreeSet<u8>,
        full: bool,
        (from, to) in (0x1_0000_u64..0x1000_0000, 0x1_0000_u64..0x1000_0000),
    ) {
        let form = if full { Form::Full } else { Form::Basic };
        let member = |id: u64| u8::try_from(id).is_ok_and(|id| members.contains(&id));
        let mut bytes = chain(&processes, form, from);
        let left = keep(&mut bytes, form, (from, to), member);
        let wanted: Vec<_> = processes
            .iter()
            .filter(|process| process.id == 0 || process.id == 4 || member(process.id))
            .map(|process| (process.id, process.name.clone()))
            .collect();
        match left {
            Err(Damaged) => prop_assert!(wanted.is_empty()),
            Ok(size) => prop_assert_eq!(read(&bytes[..size], form, to), wanted),
        }
    }

    #[test]
    fn all_but_the_members_is_gone(processes in prop::collection::vec(process(), 1..12)) {
        let mut bytes = chain(&processes, Form::Full, 0);
        let Ok(size) = keep(&mut bytes, Form::Full, (0, 0), |_| false) else {
            return Ok(());
        };
        let kernel: Vec<_> = processes.into_iter().filter(|process| KERNEL.contains(&process.id)).collect();
        prop_assert_eq!(size, chain(&kernel, Form::Full, 0).len());
    }

    #[test]
    fn garbage_never_panics(mut bytes: Vec<u8>, full: bool, id: u64) {
        let form = if full { Form::Full } else { Form::Basic };
        let _ = (process_of_thread(&bytes, id), handle_count(&bytes, id));
        let size = bytes.len();
        if let Ok(left) = keep(&mut bytes, form, (0, u64::MAX), |id| id & 1 == 0) {
            prop_assert!(left <= size);
        }
    }

    #[test]
    fn a_damaged_chain_never_panics(
        processes in prop::collection::vec(process(), 1..6),
        at: prop::sample::Index,
        value: u8,
        cut: prop::sample::Index,
    ) {
        let mut bytes = chain(&processes, Form::Full, 0x1000);
        let index = at.index(bytes.len());
        bytes[index] = value;
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = process_of_thread(&bytes, 3);
        let _ = keep(&mut bytes, Form::Full, (0x1000, 0), |_| true);
    }

    #[test]
    fn handles_are_counted_of_the_right_process(processes in prop::collection::vec(process(), 1..12), id in 0_u64..40) {
        let bytes = chain(&processes, Form::Full, 0);
        let there = processes.iter().any(|process| process.id == id);
        prop_assert_eq!(handle_count(&bytes, id), there.then_some(id * 7));
    }

    #[test]
    fn a_thread_is_found_in_its_process(processes in prop::collection::vec(process(), 1..12), id in 1_u64..2000) {
        let bytes = chain(&processes, Form::Full, 0);
        let wanted = processes.iter().find(|process| process.threads.contains(&(id & !3)));
        prop_assert_eq!(process_of_thread(&bytes, id), wanted.map(|process| process.id));
    }
}

#[test]
fn a_name_outside_its_entry_is_none() {
    let process = Process {
        id: 8,
        name: "name".into(),
        threads: Vec::new(),
        extra: Vec::new(),
    };
    let mut bytes = chain(&[process], Form::Full, 0x1000);
    put(&mut bytes, 64, 0x7fff_0000_u64.to_le_bytes());
    let size = keep(&mut bytes, Form::Full, (0x1000, 0x2000), |_| true).expect("whole");
    assert_eq!(size, bytes.len());
    assert_eq!(number::<4>(&bytes, 56), Some(0));
    assert_eq!(number::<8>(&bytes, 64), Some(0));
}
