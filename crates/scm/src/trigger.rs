//! Owns what a service's triggers say. They are kept and told; no event of the
//! machine starts a service of a VM.

use alloc::vec::Vec;

use crate::error::{Result, Win32Error};

/// Most triggers of one service, and most data items of one trigger.
pub const MAX_TRIGGERS: usize = 64;

/// Most bytes of all data of one service's triggers.
pub const MAX_DATA: usize = 4096;

/// `SERVICE_TRIGGER_SPECIFIC_DATA_ITEM`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// `dwDataType`: `SERVICE_TRIGGER_DATA_TYPE_*`
    pub kind: u32,
    /// `pData`
    pub bytes: Vec<u8>,
}

/// `SERVICE_TRIGGER`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// `dwTriggerType`: `SERVICE_TRIGGER_TYPE_*`
    pub kind: u32,
    /// `dwAction`: `SERVICE_TRIGGER_ACTION_SERVICE_START` or `_STOP`
    pub action: u32,
    /// `pTriggerSubtype`, in the order of its bytes in memory.
    pub subtype: [u8; 16],
    /// `pDataItems`
    pub data: Vec<Data>,
}

/// Checks what a program, or the registry, has given.
pub(crate) fn check(triggers: &[Trigger]) -> Result<()> {
    let bytes: usize = triggers
        .iter()
        .flat_map(|trigger| &trigger.data)
        .map(|data| data.bytes.len())
        .sum();
    let well = |trigger: &Trigger| {
        trigger.kind != 0 && (1..=2).contains(&trigger.action) && trigger.data.len() <= MAX_TRIGGERS
    };
    if triggers.len() > MAX_TRIGGERS || bytes > MAX_DATA || !triggers.iter().all(well) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_and_nonsense_are_refused() {
        let trigger = Trigger {
            kind: 1,
            action: 1,
            subtype: [7; 16],
            data: Vec::new(),
        };
        assert_eq!(check(core::slice::from_ref(&trigger)), Ok(()));
        for bad in [
            Trigger {
                action: 3,
                ..trigger.clone()
            },
            Trigger {
                kind: 0,
                ..trigger.clone()
            },
            Trigger {
                data: alloc::vec![Data {
                    kind: 1,
                    bytes: alloc::vec![0; MAX_DATA + 1]
                }],
                ..trigger.clone()
            },
        ] {
            assert_eq!(check(&[bad]), Err(Win32Error::INVALID_PARAMETER));
        }
        let many = alloc::vec![trigger; MAX_TRIGGERS + 1];
        assert_eq!(check(&many), Err(Win32Error::INVALID_PARAMETER));
    }
}
