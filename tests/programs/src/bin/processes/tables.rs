//! How the lists answer to odd buffers: for each class the statuses and whether
//! the length told makes sense, which is the same inside and outside.

use crate::nt::NtQuerySystemInformation;
use core::ptr::null_mut;
use serde_json::{Map, Value, json};

/// Of all classes but those of handles, which have a test of their own: Wine 8's
/// server must not be asked for them.
pub fn answers() -> Value {
    of_classes(&[5, 17, 53, 57, 79, 88, 148, 252, 254, 5000])
}

/// The answers by class.
pub fn of_classes(classes: &[u32]) -> Value {
    let told: Map<String, Value> = classes
        .iter()
        .map(|class| (class.to_string(), of_class(*class)))
        .collect();
    json!(told)
}

fn of_class(class: u32) -> Value {
    let mut buffer = vec![0_u64; 1 << 17];
    let room = (buffer.len() * 8) as u32;
    let place = buffer.as_mut_ptr().cast();
    let bad = core::ptr::without_provenance_mut::<core::ffi::c_void>(8);
    let mut told = 0;
    // SAFETY: good buffers have the size told, bad ones are to be refused; an
    // own structure of class 53 and 88 is zeros, whose buffer is null.
    unsafe {
        let empty = NtQuerySystemInformation(class, null_mut(), 0, &raw mut told);
        // Wine tells no length for a table of handles that has no room at all.
        let empty_tells = told > 0 || [16, 64].contains(&class);
        let whole = NtQuerySystemInformation(class, place, room, &raw mut told);
        let length = told;
        let no_length = NtQuerySystemInformation(class, place, room, null_mut());
        let exact = NtQuerySystemInformation(class, place, length + 4096, &raw mut told);
        let half = NtQuerySystemInformation(class, place, length / 2, &raw mut told);
        let half_tells = whole < 0 || told > length / 2;
        let no_buffer = NtQuerySystemInformation(class, null_mut(), room, &raw mut told);
        let bad_buffer = NtQuerySystemInformation(class, bad, room, &raw mut told);
        let statuses = [empty, whole, no_length, exact, half, no_buffer, bad_buffer];
        json!({
            "statuses": statuses.map(|status| format!("{:x}", status.cast_unsigned())),
            "tells": [empty_tells, half_tells],
        })
    }
}
