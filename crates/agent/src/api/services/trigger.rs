//! `SERVICE_TRIGGER_INFO` of a program, read and filled.

use super::call::Result;
use super::pack::Packer;
use core::ffi::c_void;
use pinion_wire::services::{TriggerPart, next_trigger_part, put_trigger_part};
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER,
};
use windows_sys::Win32::System::Services::{
    SERVICE_TRIGGER, SERVICE_TRIGGER_INFO, SERVICE_TRIGGER_SPECIFIC_DATA_ITEM,
};
use windows_sys::core::GUID;

/// Most triggers, and most data items of one, that are looked at; the controller
/// allows fewer.
const MOST: u32 = 256;

/// Writes what the structure says into `room`; how much of it.
///
/// # Safety
/// `information` is the program's own structure, with all that it points to.
pub(super) unsafe fn read(information: *const c_void, room: &mut [u8]) -> Result<usize> {
    let mut used = 0;
    let mut put = |part: &TriggerPart<'_>| -> Result<()> {
        let place = room.get_mut(used..).unwrap_or(&mut []);
        used += put_trigger_part(part, place).ok_or(ERROR_INVALID_PARAMETER)?;
        Ok(())
    };
    // SAFETY: the caller's promise, for this and all that follows.
    let given = unsafe { information.cast::<SERVICE_TRIGGER_INFO>().read_unaligned() };
    if given.cTriggers > MOST {
        return Err(ERROR_INVALID_PARAMETER);
    }
    for index in 0..given.cTriggers as usize {
        if given.pTriggers.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        // SAFETY: as above: so many triggers.
        let trigger = unsafe { given.pTriggers.add(index).read_unaligned() };
        if trigger.pTriggerSubtype.is_null() || trigger.cDataItems > MOST {
            return Err(ERROR_INVALID_PARAMETER);
        }
        put(&TriggerPart::Head {
            kind: trigger.dwTriggerType,
            action: trigger.dwAction,
            // SAFETY: as above: a GUID of 16 bytes.
            subtype: unsafe { trigger.pTriggerSubtype.cast::<[u8; 16]>().read_unaligned() },
        })?;
        for item in 0..trigger.cDataItems as usize {
            if trigger.pDataItems.is_null() {
                return Err(ERROR_INVALID_ADDRESS);
            }
            // SAFETY: as above: so many items, each with so many bytes.
            let bytes = unsafe {
                let item = trigger.pDataItems.add(item).read_unaligned();
                if item.pData.is_null() {
                    return Err(ERROR_INVALID_ADDRESS);
                }
                let bytes = core::slice::from_raw_parts(item.pData, item.cbData as usize);
                (item.dwDataType, bytes)
            };
            put(&TriggerPart::Data {
                kind: bytes.0,
                bytes: bytes.1,
            })?;
        }
    }
    Ok(used)
}

/// Each part of the list.
fn each<'p>(mut parts: &'p [u8]) -> impl Iterator<Item = TriggerPart<'p>> {
    core::iter::from_fn(move || {
        let (part, rest) = next_trigger_part(parts)?;
        parts = rest;
        Some(part)
    })
}

/// Fills the program's buffer in: the structure, the triggers with their GUIDs, the
/// items, and last the items' bytes.
///
/// # Safety
/// `needed` is the program's own variable.
pub(super) unsafe fn fill(parts: &[u8], packer: &mut Packer, needed: *mut u32) -> Result<()> {
    let (mut count, mut size) = (0, size_of::<SERVICE_TRIGGER_INFO>());
    for part in each(parts) {
        size += match part {
            TriggerPart::Head { .. } => {
                count += 1;
                size_of::<SERVICE_TRIGGER>() + size_of::<GUID>()
            }
            TriggerPart::Data { bytes, .. } => {
                size_of::<SERVICE_TRIGGER_SPECIFIC_DATA_ITEM>() + bytes.len()
            }
        };
    }
    let fits = packer.reserve(size, &[]);
    // SAFETY: the caller's promise.
    unsafe { needed.write_unaligned(packer.needed()) };
    if !fits {
        return Err(ERROR_INSUFFICIENT_BUFFER);
    }
    let info = packer.place::<SERVICE_TRIGGER_INFO>();
    let triggers: *mut SERVICE_TRIGGER = packer.places(count);
    let subtypes: *mut [u8; 16] = packer.places(count);
    let items = each(parts).filter(|part| matches!(part, TriggerPart::Data { .. }));
    let mut item: *mut SERVICE_TRIGGER_SPECIFIC_DATA_ITEM = packer.places(items.count());
    let mut at = 0;
    for part in each(parts) {
        // SAFETY: `reserve` said that all of it fits, and it is counted as above; data
        // before the first head, which the controller never sends, has no place.
        unsafe {
            match part {
                TriggerPart::Head {
                    kind,
                    action,
                    subtype,
                } => {
                    let place = subtypes.add(at);
                    place.write_unaligned(subtype);
                    triggers.add(at).write_unaligned(SERVICE_TRIGGER {
                        dwTriggerType: kind,
                        dwAction: action,
                        pTriggerSubtype: place.cast(),
                        cDataItems: 0,
                        pDataItems: core::ptr::null_mut(),
                    });
                    at += 1;
                }
                TriggerPart::Data { kind, bytes } if at > 0 => {
                    let data: *mut u8 = packer.places(bytes.len());
                    core::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
                    item.write_unaligned(SERVICE_TRIGGER_SPECIFIC_DATA_ITEM {
                        dwDataType: kind,
                        cbData: bytes.len() as u32,
                        pData: data,
                    });
                    let of = triggers.add(at - 1);
                    let mut trigger = of.read_unaligned();
                    if trigger.cDataItems == 0 {
                        trigger.pDataItems = item;
                    }
                    trigger.cDataItems += 1;
                    of.write_unaligned(trigger);
                    item = item.add(1);
                }
                TriggerPart::Data { .. } => {}
            }
        }
    }
    let filled = SERVICE_TRIGGER_INFO {
        cTriggers: count as u32,
        pTriggers: if count == 0 {
            core::ptr::null_mut()
        } else {
            triggers
        },
        pReserved: core::ptr::null_mut(),
    };
    // SAFETY: `reserve` said that the structure fits.
    unsafe { info.write_unaligned(filled) };
    Ok(())
}
