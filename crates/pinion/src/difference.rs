//! Shows what differs, line by line and value by value. All of it comes from inside a VM: what would
//! steer a terminal is shown as an escape.

use pinion_store::changes::{FileKind, FileNode, KeyValue};
use pinion_store::diff;
use similar::TextDiff;

/// The longest text, in bytes, of which lines are shown.
const LONGEST: u64 = 1 << 20;
/// The most bytes of a value's data that are shown.
const MOST_DATA: usize = 64;

/// `text` with all that steers a terminal as escapes.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_control() || is_mark(c) => c.escape_unicode().to_string(),
            c => c.to_string(),
        })
        .collect()
}

/// Marks that turn the direction of what follows, or show nothing.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The lines that differ between two files; nothing when one of them is no text.
pub fn lines(was: Option<&FileNode>, now: Option<&FileNode>) -> String {
    let (Some(was), Some(now)) = (text(was), text(now)) else {
        return String::new();
    };
    let difference = TextDiff::from_lines(&was, &now);
    let mut all = String::new();
    for hunk in difference.unified_diff().iter_hunks() {
        all += &format!("{}\n", hunk.header());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches(['\r', '\n']);
            let line = line.replace('\t', "    ");
            all += &format!("{}{}\n", change.tag(), plain(&line));
        }
    }
    all
}

/// The file as text; a missing one is empty.
fn text(node: Option<&FileNode>) -> Option<String> {
    let Some(node) = node else {
        return Some(String::new());
    };
    if node.kind != FileKind::File || node.size > LONGEST {
        return None;
    }
    let bytes = diff::content(node, LONGEST).ok()?;
    let text = match bytes.as_slice() {
        [0xff, 0xfe, units @ ..] => {
            let units: Vec<u16> = units
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16(&units).ok()?
        }
        _ => String::from_utf8(bytes).ok()?,
    };
    (!text.contains('\0')).then_some(text)
}

/// One value for people: `name: REG_SZ "text"`.
pub fn value(value: &KeyValue) -> String {
    let name = match value.name.to_string_lossy() {
        name if name.is_empty() => "(default)".into(),
        name => plain(&name),
    };
    format!("{name}: {}", data(value))
}

/// Type and data of a value, the beginning of long ones.
pub fn data(value: &KeyValue) -> String {
    let number = |bytes: &[u8]| {
        let number = bytes
            .iter()
            .rev()
            .fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        format!("{number} ({number:#x})")
    };
    match (value.kind, value.data.as_slice()) {
        (1, data) => format!("REG_SZ {}", string(data)),
        (2, data) => format!("REG_EXPAND_SZ {}", string(data)),
        (7, data) => format!("REG_MULTI_SZ {}", string(data)),
        (4, data) if data.len() == 4 => format!("REG_DWORD {}", number(data)),
        (11, data) if data.len() == 8 => format!("REG_QWORD {}", number(data)),
        (3, data) => format!("REG_BINARY {}", bytes(data)),
        (kind, data) => format!("type {kind} {}", bytes(data)),
    }
}

/// UTF-16 in quotes, the zeros between strings as `\0`, those at the end left out.
fn string(data: &[u8]) -> String {
    let units = data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    let text = text.trim_end_matches('\0').replace('\0', "\\0");
    let short: String = text.chars().take(1024).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}\"{more}", plain(&short))
}

fn bytes(data: &[u8]) -> String {
    let shown: Vec<_> = data
        .iter()
        .take(MOST_DATA)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let more = if data.len() > MOST_DATA { " …" } else { "" };
    format!("{}{more} ({} bytes)", shown.join(" "), data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: u32, data: &[u8]) -> String {
        data_of(kind, data.to_vec())
    }

    fn data_of(kind: u32, data: Vec<u8>) -> String {
        super::data(&KeyValue {
            name: "x".into(),
            kind,
            data,
        })
    }

    #[test]
    fn data_is_shown_by_its_type() {
        assert_eq!(of(1, b"a\0b\0\0\0"), "REG_SZ \"ab\"");
        assert_eq!(of(7, b"a\0\0\0b\0\0\0\0\0"), "REG_MULTI_SZ \"a\\0b\"");
        assert_eq!(of(4, &[1, 2, 0, 0]), "REG_DWORD 513 (0x201)");
        assert_eq!(of(4, &[1]), "type 4 01 (1 bytes)");
        assert_eq!(of(3, &[1, 255]), "REG_BINARY 01 ff (2 bytes)");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert!(!of(1, &[0x1b, 0, b'[', 0]).contains('\u{1b}'));
    }
}
