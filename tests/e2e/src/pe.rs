//! Changes a PE file so that only what a test wants is wrong with it. Offsets
//! are those of the PE format specification. A file that is no sound PE panics.

/// Where in the file the exported data `name` lie.
///
/// # Panics
/// When it is not exported.
#[must_use]
pub fn export(file: &[u8], name: &str) -> usize {
    let header = word(file, 0x3c);
    let table = offset(file, word(file, header + 24 + 112));
    let functions = offset(file, word(file, table + 28));
    let names = offset(file, word(file, table + 32));
    let ordinals = offset(file, word(file, table + 36));
    let is_it = |index: &usize| {
        let at = offset(file, word(file, names + index * 4));
        file[at..].starts_with(name.as_bytes()) && file[at + name.len()] == 0
    };
    let index = (0..word(file, table + 24)).find(is_it).expect("the export");
    let ordinal = usize::from(u16::from_le_bytes([
        file[ordinals + index * 2],
        file[ordinals + index * 2 + 1],
    ]));
    offset(file, word(file, functions + ordinal * 4))
}

/// Makes the checksum right again.
pub fn seal(file: &mut [u8]) {
    let field = word(file, 0x3c) + 24 + 64;
    file[field..field + 4].fill(0);
    let mut sum: usize = file
        .chunks(2)
        .map(|pair| usize::from(pair[0]) | usize::from(*pair.get(1).unwrap_or(&0)) << 8)
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = u32::try_from(sum + file.len()).expect("32 bits");
    file[field..field + 4].copy_from_slice(&sum.to_le_bytes());
}

fn word(file: &[u8], at: usize) -> usize {
    let bytes = file[at..at + 4].try_into().expect("four bytes");
    u32::from_le_bytes(bytes) as usize
}

/// The place in the file of what is at `rva` in memory.
fn offset(file: &[u8], rva: usize) -> usize {
    let header = word(file, 0x3c);
    let count = word(file, header + 4) >> 16;
    let first = header + 24 + (word(file, header + 20) & 0xffff);
    (0..count)
        .map(|index| first + index * 40)
        .find_map(|section| {
            let from = rva.checked_sub(word(file, section + 12))?;
            (from < word(file, section + 16)).then(|| word(file, section + 20) + from)
        })
        .expect("a section")
}
