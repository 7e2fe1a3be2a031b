//! The list of streams that a file system tells: `FILE_STREAM_INFORMATION` after `FILE_STREAM_INFORMATION`
//! (MS-FSCC 2.4.49). Pure.

use super::Stream;

/// Bytes before a name: where the next entry is, the name's length in bytes, size, allocated size.
const NAME: usize = 24;

/// The alternate streams in what the system wrote; none when it is damaged, or a name is no Unicode. The
/// file's own bytes, `::$DATA`, are no alternate stream; other types than `$DATA` hold no bytes of programs.
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "only Windows tells such lists")
)]
pub(super) fn parse(told: &[u8]) -> Option<Vec<Stream>> {
    let mut all = Vec::new();
    let mut rest = told;
    while !rest.is_empty() {
        let word =
            |at: usize| Some(u32::from_le_bytes(rest.get(at..at + 4)?.try_into().ok()?) as usize);
        let (next, length) = (word(0)?, word(4)?);
        let size = u64::from_le_bytes(rest.get(8..16)?.try_into().ok()?);
        let name = rest.get(NAME..NAME.checked_add(length)?)?;
        let pairs = name.chunks_exact(2);
        let units: Vec<u16> = pairs
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let name = String::from_utf16(&units).ok()?;
        let named = name
            .strip_prefix(':')
            .and_then(|name| name.strip_suffix(":$DATA"));
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            let name = name.to_owned();
            all.push(Stream { name, size });
        }
        match next {
            0 => break,
            next => rest = rest.get(next..)?,
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The list as a file system writes it.
    fn list(streams: &[(&str, u64)]) -> Vec<u8> {
        let mut all = Vec::new();
        for (index, (name, size)) in streams.iter().enumerate() {
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let whole = (NAME + units.len()).next_multiple_of(8);
            let next = if index + 1 == streams.len() { 0 } else { whole };
            let start = all.len();
            all.extend((next as u32).to_le_bytes());
            all.extend((units.len() as u32).to_le_bytes());
            all.extend(size.to_le_bytes());
            all.extend([0xee; 8]);
            all.extend(units);
            if next != 0 {
                all.resize(start + whole, 0);
            }
        }
        all
    }

    #[test]
    fn streams_are_read() {
        let told = list(&[
            ("::$DATA", 5),
            (":a:$DATA", 7),
            (":\u{5}b:$DATA", 1 << 33),
            (":c:$OTHER", 1),
        ]);
        let names: Vec<_> = parse(&told)
            .unwrap()
            .into_iter()
            .map(|s| (s.name, s.size))
            .collect();
        assert_eq!(names, [("a".into(), 7), ("\u{5}b".into(), 1 << 33)]);
        assert_eq!(parse(&list(&[("::$DATA", 5)])), Some(vec![]));
        assert_eq!(parse(&[]), Some(vec![]));
    }

    proptest! {
        #[test]
        fn damaged_lists_do_no_harm(at in 0..80_usize, byte in any::<u8>(), end in 0..100_usize) {
            let mut told = list(&[("::$DATA", 5), (":a:$DATA", 7), (":b:$DATA", 1)]);
            let count = told.len();
            told[at % count] = byte;
            told.truncate(end);
            let _ = parse(&told);
        }
    }
}
