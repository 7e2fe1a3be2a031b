//! Leaves a hook out of the agent's file. The table of hooks holds for each the
//! address and the length of its name; with a length of none the name is nobody's.
//! Offsets are those of the PE format specification.

use anyhow::{Result, bail};

/// Takes the hook on `call` out of the table, and makes the checksum right again.
///
/// # Errors
/// There is not one such hook.
pub fn leave_out(file: &mut [u8], call: &str) -> Result<()> {
    let places: Vec<usize> = (0..file.len().saturating_sub(16))
        .step_by(8)
        .filter(|at| is_name(file, *at, call))
        .collect();
    let [place] = places[..] else {
        bail!("{} places have the name, not one", places.len());
    };
    file[place + 8..place + 16].fill(0);
    seal(file);
    Ok(())
}

/// Whether the address and the length at `at` are those of the name.
fn is_name(file: &[u8], at: usize, name: &str) -> bool {
    let number = |at: usize| file[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
    if number(at + 8) != name.len() as u64 {
        return false;
    }
    let header = word(file, 0x3c);
    let base = number(header + 24 + 24);
    let rva = number(at)
        .checked_sub(base)
        .and_then(|rva| usize::try_from(rva).ok());
    let offset = rva.and_then(|rva| offset(file, rva));
    offset.is_some_and(|at| file[at..].starts_with(name.as_bytes()))
}

fn word(file: &[u8], at: usize) -> usize {
    let bytes = file[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
    bytes as usize
}

/// The place in the file of what is at `rva` in memory.
fn offset(file: &[u8], rva: usize) -> Option<usize> {
    let header = word(file, 0x3c);
    let count = word(file, header + 4) >> 16;
    let first = header + 24 + (word(file, header + 20) & 0xffff);
    (0..count)
        .map(|index| first + index * 40)
        .find_map(|section| {
            let from = rva.checked_sub(word(file, section + 12))?;
            (from < word(file, section + 16)).then(|| word(file, section + 20) + from)
        })
}

/// The checksum of `CheckSumMappedFile`: the one's complement sum and the length.
fn seal(file: &mut [u8]) {
    let field = word(file, 0x3c) + 24 + 64;
    file[field..field + 4].fill(0);
    let pair = |pair: &[u8]| usize::from(pair[0]) | usize::from(*pair.get(1).unwrap_or(&0)) << 8;
    let mut sum: usize = file.chunks(2).map(pair).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = (sum + file.len()) as u32;
    file[field..field + 4].copy_from_slice(&sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one section, a name in it, and a table of one row.
    fn file(name: &str) -> Vec<u8> {
        let mut file = vec![0_u8; 0x600];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0x3c, &0x40_u32.to_le_bytes());
        put(0x46, &1_u16.to_le_bytes());
        put(0x54, &240_u16.to_le_bytes());
        put(0x58 + 24, &0x1_8000_0000_u64.to_le_bytes());
        let section = 0x58 + 240;
        put(section + 12, &0x1000_u32.to_le_bytes());
        put(section + 16, &0x200_u32.to_le_bytes());
        put(section + 20, &0x400_u32.to_le_bytes());
        put(0x400, name.as_bytes());
        put(0x500, &0x1_8000_1000_u64.to_le_bytes());
        put(0x508, &(name.len() as u64).to_le_bytes());
        file
    }

    #[test]
    fn the_hook_s_name_alone_is_taken_out() {
        let whole = file("NtOpenKeyEx");
        let mut changed = whole.clone();
        leave_out(&mut changed, "NtOpenKeyEx").expect("one row");
        let field = 0x58 + 64;
        for (at, (now, was)) in changed.iter().zip(&whole).enumerate() {
            let may = (0x508..0x510).contains(&at) || (field..field + 4).contains(&at);
            assert!(may || now == was, "{at:#x}");
        }
        assert_eq!(changed[0x508..0x510], [0; 8]);
    }

    #[test]
    fn a_name_that_only_begins_so_is_left() {
        let mut other = file("NtOpenKeyEx");
        let error = leave_out(&mut other, "NtOpenKey").expect_err("no row");
        assert!(error.to_string().contains("0 places"), "{error}");
    }
}
