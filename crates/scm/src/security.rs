//! Owns the security descriptor of a service: what is kept of it, what of it is
//! told, and which rights its access list grants. Knows no accounts: a SID is bytes.
//!
//! The layout is that of a self-relative `SECURITY_DESCRIPTOR` (winnt.h; [MS-DTYP]
//! 2.4.6), the order of the list's entries that of [MS-DTYP] 2.5.3.2.

use alloc::vec::Vec;

use windows_sys::Win32::Storage::FileSystem::{READ_CONTROL, WRITE_DAC, WRITE_OWNER};
use windows_sys::Win32::System::SystemServices::{ACCESS_SYSTEM_SECURITY, MAXIMUM_ALLOWED};

use crate::access;
use crate::controller::Controller;
use crate::effect::Effect;
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId};

/// Most bytes of one descriptor.
pub const MAX_SECURITY: usize = 8192;

/// `OWNER_SECURITY_INFORMATION` and its like, in the order of a descriptor's parts.
const PARTS: [u32; 4] = [1, 2, 8, 4];
/// Where a descriptor has the places of its owner, group, system and access list.
const PLACES: [usize; 4] = [4, 8, 12, 16];
/// `SE_DACL_PRESENT` and `SE_SACL_PRESENT`; of an owner and a group the place says it.
const PRESENT: [u16; 4] = [0, 0, 0x10, 0x4];
/// `SE_SELF_RELATIVE`
const SELF_RELATIVE: u16 = 0x8000;
const HEAD: usize = 20;

/// `PROTECTED_DACL_SECURITY_INFORMATION` and its like, which mean nothing to a
/// service: it inherits from nobody.
const PROTECTION: u32 = 0xf000_0000;
/// `INHERIT_ONLY_ACE`
const INHERIT_ONLY: u8 = 8;
/// `ACCESS_ALLOWED_ACE_TYPE` and `ACCESS_DENIED_ACE_TYPE`
const ALLOW: u8 = 0;
const DENY: u8 = 1;

/// A security identifier as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sid(pub Vec<u8>);

/// A descriptor's parts. The default grants everything to everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// The owner, the group, the system list and the access list; nothing for one that
    /// is not there.
    parts: [Option<Vec<u8>>; 4],
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The bytes of the SID at the beginning.
fn sid(bytes: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*bytes.get(1)?);
    (bytes.first() == Some(&1) && count <= 15)
        .then(|| bytes.get(..8 + 4 * count))
        .flatten()
}

/// The bytes of the list at the beginning, if each of its entries lies within.
fn list(bytes: &[u8]) -> Option<&[u8]> {
    let whole = bytes.get(..usize::from(half(bytes, 2)?))?;
    let mut rest = whole.get(8..)?;
    for _ in 0..half(whole, 4)? {
        let size = usize::from(half(rest, 2)?);
        if size < 4 {
            return None;
        }
        rest = rest.get(size..)?;
    }
    Some(whole)
}

impl Descriptor {
    /// Reads a self-relative descriptor.
    ///
    /// # Errors
    /// `ERROR_INVALID_SECURITY_DESCR`: it is none, or too long.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or(Win32Error::INVALID_SECURITY_DESCR)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let control = half(bytes, 2)?;
        if bytes.len() > MAX_SECURITY || bytes.first() != Some(&1) || control & SELF_RELATIVE == 0 {
            return None;
        }
        let mut descriptor = Self::default();
        let parts = descriptor.parts.iter_mut().enumerate();
        for ((index, part), (place, present)) in parts.zip(PLACES.into_iter().zip(PRESENT)) {
            let at = word(bytes, place)? as usize;
            if at == 0 || control & present != present {
                continue;
            }
            let from = bytes.get(at..)?;
            let found = if index < 2 { sid(from) } else { list(from) };
            *part = Some(found?.to_vec());
        }
        Some(descriptor)
    }

    /// The descriptor with the parts that `information` names, self-relative. An
    /// access list that is not there is told as one that grants everything.
    pub fn bytes(&self, information: u32) -> Vec<u8> {
        let mut bytes = alloc::vec![0; HEAD];
        let mut control = SELF_RELATIVE;
        for (index, part) in self.parts.iter().enumerate() {
            let (Some(&bit), Some(&place), Some(&present)) =
                (PARTS.get(index), PLACES.get(index), PRESENT.get(index))
            else {
                continue;
            };
            if information & bit == 0 {
                continue;
            }
            if part.is_some() || bit == 4 {
                control |= present;
            }
            if let Some(part) = part {
                let at = u32::try_from(bytes.len()).unwrap_or(0);
                if let Some(to) = bytes.get_mut(place..place + 4) {
                    to.copy_from_slice(&at.to_le_bytes());
                }
                bytes.extend(part);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
        }
        if let Some(head) = bytes.first_chunk_mut::<4>() {
            let [low, high] = control.to_le_bytes();
            *head = [1, 0, low, high];
        }
        bytes
    }

    /// Whether nothing was ever set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Takes the named parts of another.
    fn take(&mut self, information: u32, from: Self) {
        let parts = self.parts.iter_mut().zip(from.parts);
        for ((part, new), bit) in parts.zip(PARTS) {
            if information & bit != 0 {
                *part = new;
            }
        }
    }

    /// The rights out of `asked` for somebody of these SIDs: all of them or none, and
    /// with `MAXIMUM_ALLOWED` in `requested` as many as there are.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED`
    pub(crate) fn grant(&self, identity: &[Sid], requested: u32, asked: u32) -> Result<u32> {
        let [owner, _, _, Some(list)] = &self.parts else {
            return Ok(asked);
        };
        let is_me = |bytes: &[u8]| identity.iter().any(|sid| sid.0 == bytes);
        let (mut allowed, mut denied) = (0, 0);
        // The owner may always look at the list and change it.
        if owner.as_ref().is_some_and(|owner| is_me(owner)) {
            allowed |= READ_CONTROL | WRITE_DAC;
        }
        let mut rest = list.get(8..).unwrap_or(&[]);
        while let (Some(kind), Some(flags), Some(size)) = (rest.first(), rest.get(1), half(rest, 2))
        {
            let size = usize::from(size);
            let (Some(entry), Some(following)) = (rest.get(..size), rest.get(size..)) else {
                break;
            };
            if size < 4 {
                break;
            }
            rest = following;
            let of_me = entry.get(8..).and_then(sid).is_some_and(is_me);
            if flags & INHERIT_ONLY != 0 || !of_me {
                continue;
            }
            let mask = access::specific(word(entry, 4).unwrap_or(0));
            match *kind {
                ALLOW => allowed |= mask & !denied,
                DENY => denied |= mask & !allowed,
                _ => {}
            }
        }
        if requested & MAXIMUM_ALLOWED != 0 && asked & allowed != 0 {
            return Ok(asked & allowed);
        }
        if asked & !allowed != 0 {
            return Err(Win32Error::ACCESS_DENIED);
        }
        Ok(asked)
    }
}

impl Controller {
    /// `QueryServiceObjectSecurity`: the named parts.
    pub fn security(&self, client: Client, handle: HandleId, information: u32) -> Result<Vec<u8>> {
        let mut right = READ_CONTROL;
        if information & 8 != 0 {
            right |= ACCESS_SYSTEM_SECURITY;
        }
        let id = self.handles.service(client, handle, right)?;
        Ok(self.services.get(id)?.record.security.bytes(information))
    }

    /// `SetServiceObjectSecurity`: takes the named parts of a descriptor. Who holds a
    /// handle keeps what it was granted. Gives the service's name.
    pub fn set_security(
        &mut self,
        client: Client,
        handle: HandleId,
        information: u32,
        descriptor: &[u8],
    ) -> Result<crate::text::Text> {
        let mut right = 0;
        for (bit, needed) in [
            (1, WRITE_OWNER),
            (2, WRITE_OWNER),
            (4, WRITE_DAC),
            (8, ACCESS_SYSTEM_SECURITY),
        ] {
            if information & bit != 0 {
                right |= needed;
            }
        }
        if right == 0 || information & !(0xf | PROTECTION) != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let id = self.handles.service(client, handle, right)?;
        let given = Descriptor::read(descriptor)?;
        let service = self.services.get_mut(id)?;
        if service.delete_pending {
            return Err(Win32Error::SERVICE_MARKED_FOR_DELETE);
        }
        service.record.security.take(information, given);
        service.record.own = true;
        self.effects
            .push(Effect::WriteConfig(alloc::boxed::Box::new(
                service.record.clone(),
            )));
        Ok(service.record.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use windows_sys::Win32::Foundation::GENERIC_ALL;

    fn everyone() -> Vec<u8> {
        alloc::vec![1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    }

    fn me() -> Vec<u8> {
        alloc::vec![1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]
    }

    fn entry(kind: u8, mask: u32, sid: &[u8]) -> Vec<u8> {
        let size = u16::try_from(8 + sid.len()).unwrap().to_le_bytes();
        let mut bytes = alloc::vec![kind, 0, size[0], size[1]];
        bytes.extend(mask.to_le_bytes());
        bytes.extend(sid);
        bytes
    }

    fn descriptor(owner: Option<Vec<u8>>, entries: &[Vec<u8>]) -> Descriptor {
        let body: Vec<u8> = entries.concat();
        let size = u16::try_from(8 + body.len()).unwrap().to_le_bytes();
        let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
        let mut list = alloc::vec![2, 0, size[0], size[1], count[0], count[1], 0, 0];
        list.extend(body);
        Descriptor {
            parts: [owner, None, None, Some(list)],
        }
    }

    #[test]
    fn it_goes_to_bytes_and_back() {
        let whole = descriptor(Some(me()), &[entry(ALLOW, 1, &everyone())]);
        assert_eq!(Descriptor::read(&whole.bytes(0xf)), Ok(whole.clone()));
        let list = Descriptor::read(&whole.bytes(4)).unwrap();
        assert_eq!(list.parts[0], None);
        assert_eq!(list.parts[3], whole.parts[3]);
    }

    #[test]
    fn what_nobody_set_grants_everything() {
        let none = Descriptor::default();
        assert_eq!(none.grant(&[], 7, 7), Ok(7));
        assert_eq!(none.bytes(4)[2..4], [4, 0x80]);
        assert_eq!(Descriptor::read(&none.bytes(4)), Ok(none));
    }

    #[test]
    fn the_list_is_obeyed_in_its_order() {
        let own = [Sid(me()), Sid(everyone())];
        let denied = descriptor(
            None,
            &[entry(DENY, 0x10, &me()), entry(ALLOW, 0x34, &everyone())],
        );
        assert_eq!(denied.grant(&own, 0x24, 0x24), Ok(0x24));
        let refused = Err(Win32Error::ACCESS_DENIED);
        assert_eq!(denied.grant(&own, 0x10, 0x10), refused);
        assert_eq!(denied.grant(&own, MAXIMUM_ALLOWED, 0xf01ff), Ok(0x24));
        let allowed_first = descriptor(
            None,
            &[entry(ALLOW, 0x10, &everyone()), entry(DENY, 0x10, &me())],
        );
        assert_eq!(allowed_first.grant(&own, 0x10, 0x10), Ok(0x10));
        let nobody = descriptor(Some(me()), &[]);
        assert_eq!(nobody.grant(&own, 4, 4), refused);
        assert_eq!(nobody.grant(&own, WRITE_DAC, WRITE_DAC), Ok(WRITE_DAC));
        assert_eq!(nobody.grant(&own[1..], WRITE_DAC, WRITE_DAC), refused);
    }

    #[test]
    fn generic_rights_of_an_entry_are_specific_ones() {
        let own = [Sid(everyone())];
        let all = descriptor(None, &[entry(ALLOW, GENERIC_ALL, &everyone())]);
        assert_eq!(all.grant(&own, 0xf01ff, 0xf01ff), Ok(0xf01ff));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            let mut bytes = bytes;
            if let Some(head) = bytes.first_chunk_mut::<4>() {
                *head = [1, 0, 0x14, 0x80];
            }
            if let Ok(found) = Descriptor::read(&bytes) {
                let _ = found.grant(&[Sid(everyone())], 1, 1);
                prop_assert_eq!(Descriptor::read(&found.bytes(0xf)), Ok(found));
            }
        }
    }
}
