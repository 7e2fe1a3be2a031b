//! Owns the values inside a line: `key=value` lists, `{…}` groups, `L"…"` and `"…"` strings. Reads on demand, copies nothing
//! but strings, and never panics: a damaged value is no value.
//!
//! Observed on Wine 8 and Wine 10: in `L"…"` the backslash, the quote, control characters and everything above 127 are
//! escaped; in `"…"` (names of Unix files, always the last field) nothing is.

/// A list of fields, `a=1, b={…}` or just `1,2`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fields<'a>(&'a str);

/// One value, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A number, a constant's name, a time: anything without quotes or braces.
    Bare(&'a str),
    /// What stands between `{` and `}`.
    Group(Fields<'a>),
    /// What stands between `L"` and `"`, still escaped.
    Wide(&'a str),
    /// What stands between `"` and `"`.
    Unix(&'a str),
}

impl<'a> Value<'a> {
    /// The number, written in hexadecimal without prefix.
    pub fn hex(self) -> Option<u32> {
        match self {
            Value::Bare(text) => u32::from_str_radix(text, 16).ok(),
            _ => None,
        }
    }
}

impl<'a> Fields<'a> {
    /// The fields in `text`.
    pub fn new(text: &'a str) -> Self {
        Fields(text)
    }

    /// The value of `key`, if it is there and readable.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.into_iter()
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value)
    }

    /// A number in hexadecimal.
    pub fn hex(self, key: &str) -> Option<u32> {
        self.get(key)?.hex()
    }

    /// A number in decimal.
    pub fn decimal(self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Bare(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A constant's name or anything else unquoted.
    pub fn bare(self, key: &str) -> Option<&'a str> {
        match self.get(key)? {
            Value::Bare(text) => Some(text),
            _ => None,
        }
    }

    /// A group.
    pub fn group(self, key: &str) -> Option<Fields<'a>> {
        match self.get(key)? {
            Value::Group(fields) => Some(fields),
            _ => None,
        }
    }

    /// An NT string, unescaped. Unpaired surrogates become U+FFFD.
    pub fn wide(self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Wide(text) => Some(unescape(text)),
            _ => None,
        }
    }

    /// The name of a Unix file, as written.
    pub fn unix(self, key: &str) -> Option<&'a str> {
        match self.get(key)? {
            Value::Unix(text) => Some(text),
            _ => None,
        }
    }

    /// A list of bytes, `{2f,00}`.
    pub fn bytes(self, key: &str) -> Option<Vec<u8>> {
        let group = self.group(key)?;
        group
            .into_iter()
            .map(|(_, value)| value.hex().and_then(|byte| u8::try_from(byte).ok()))
            .collect()
    }

    /// A list of handles, `{00000034,00000038}`.
    pub fn handles(self, key: &str) -> Vec<u32> {
        let list = self.group(key).unwrap_or_default();
        list.into_iter()
            .filter_map(|(_, value)| value.hex())
            .collect()
    }
}

impl<'a> IntoIterator for Fields<'a> {
    type Item = (&'a str, Value<'a>);
    type IntoIter = Walk<'a>;

    fn into_iter(self) -> Walk<'a> {
        Walk(self.0)
    }
}

/// Walks over fields; ends early where they are damaged. The key of an unnamed element is empty.
#[derive(Debug, Clone)]
pub struct Walk<'a>(&'a str);

impl<'a> Iterator for Walk<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start_matches([',', ' ']);
        self.0 = "";
        if text.is_empty() {
            return None;
        }
        let key_length = text
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
            .count();
        let (key, value) = match text.get(key_length..)?.strip_prefix('=') {
            Some(value) => (text.get(..key_length)?, value),
            None => ("", text),
        };
        let (value, rest) = take_value(value)?;
        self.0 = rest;
        Some((key, value))
    }
}

fn take_value(text: &str) -> Option<(Value<'_>, &str)> {
    if let Some(inner) = text.strip_prefix("L\"") {
        let end = wide_end(inner)?;
        return Some((Value::Wide(inner.get(..end)?), inner.get(end + 1..)?));
    }
    if let Some(inner) = text.strip_prefix('"') {
        // Not escaped and always the last field: its end is the last quote there is.
        let end = inner.rfind('"')?;
        return Some((Value::Unix(inner.get(..end)?), inner.get(end + 1..)?));
    }
    if let Some(inner) = text.strip_prefix('{') {
        let end = group_end(inner)?;
        return Some((
            Value::Group(Fields(inner.get(..end)?)),
            inner.get(end + 1..)?,
        ));
    }
    let end = text.find([',', '}']).unwrap_or(text.len());
    if end == 0 && text.starts_with('}') {
        return None;
    }
    Some((Value::Bare(text.get(..end)?), text.get(end..)?))
}

/// Where the unescaped quote is that ends an `L"…"` string.
fn wide_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// Where the brace is that ends a group; braces inside strings do not count.
fn group_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'"' => at += 1 + wide_end(text.get(at + 1..)?)?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Undoes the escapes of an `L"…"` string.
fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            continue;
        }
        match chars.next() {
            Some('x') => units.push(digits(&mut chars, 16, 4)),
            Some(c @ '0'..='7') => {
                let first = c as u16 - '0' as u16;
                let more = chars.clone().take(2).take_while(|c| c.is_digit(8)).count();
                units.push((0..more).fold(first, |value, _| value * 8 + digits(&mut chars, 8, 1)));
            }
            Some(c) => units.push(control(c)),
            None => {}
        }
    }
    String::from_utf16_lossy(&units)
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize) -> u16 {
    let mut value = 0u32;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
            break;
        };
        value = value * radix + digit;
        chars.next();
    }
    value as u16
}

fn control(c: char) -> u16 {
    match c {
        'a' => 7,
        'b' => 8,
        't' => 9,
        'n' => 10,
        'v' => 11,
        'f' => 12,
        'r' => 13,
        'e' => 27,
        other => u16::try_from(other as u32).unwrap_or(0xfffd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nested_groups_and_strings_with_braces() {
        let fields = Fields::new(
            r#"access=1f, objattr={rootdir=0068,sd={a=1,b={}},name=L"caf\xe9\"q\\b,}"}, last=7"#,
        );
        assert_eq!(
            fields
                .group("objattr")
                .and_then(|g| g.wide("name"))
                .as_deref(),
            Some("caf\u{e9}\"q\\b,}")
        );
        assert_eq!(fields.hex("last"), Some(7));
    }

    #[test]
    fn unix_names_are_raw_and_last() {
        let fields = Fields::new(r#"objattr={name=L"x"}, filename="/a/b" c, d=1""#);
        assert_eq!(fields.unix("filename"), Some(r#"/a/b" c, d=1"#));
    }

    #[test]
    fn escapes() {
        let fields = Fields::new(r#"n=L"a\0b\n\x416\101""#);
        assert_eq!(fields.wide("n").as_deref(), Some("a\0b\n\u{416}A"));
    }

    #[test]
    fn lists() {
        let fields =
            Fields::new("handles={00000034,0000003c}, in_data={02,00,ff}, timeout=+9.85, flags=1");
        assert_eq!(fields.handles("handles"), [0x34, 0x3c]);
        assert_eq!(fields.bytes("in_data"), Some(vec![2, 0, 255]));
        assert_eq!(fields.decimal("flags"), Some(1));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[{}\"L\\\\x0-9a-f,=\u{e9} ]*") {
            for (count, (key, value)) in Fields::new(&text).into_iter().enumerate() {
                prop_assert!(count <= text.len());
                let _ = (key, value.hex());
                if let Value::Wide(wide) = value {
                    let _ = unescape(wide);
                }
            }
        }
    }
}
