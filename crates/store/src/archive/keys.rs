//! A layer's keys as text: a line of JSON for each key, a key before those below it.
//!
//! Pure. A name is a string; one that is no proper UTF-16 is an array of its units.

use serde::{Deserialize, Serialize};

use super::member::Tree;
use crate::security;
use pinion_names::key::STAGED;

/// The longest line, in bytes: room for the largest value that registries take.
pub(super) const LONGEST: u64 = 256 << 20;
/// The deepest key (Microsoft, "Registry element size limits").
const DEEPEST: usize = 512;
const LONGEST_NAME: usize = 255;
const LONGEST_VALUE_NAME: usize = 16_383;

/// A name in UTF-16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Name {
    Text(String),
    Units(Vec<u16>),
}

impl Name {
    #[cfg(any(windows, test))]
    pub(super) fn new(units: &[u16]) -> Self {
        match String::from_utf16(units) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Units(units.to_vec()),
        }
    }

    pub(super) fn units(&self) -> Vec<u16> {
        match self {
            Self::Text(text) => text.encode_utf16().collect(),
            Self::Units(units) => units.clone(),
        }
    }
}

/// A key of the layer, or what it hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// The names below `\REGISTRY`: `MACHINE`, `Software`, …
    pub(super) key: Vec<Name>,
    /// The line says that nothing of the layers below shows here; else it is a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) hidden: bool,
    /// The key is a symbolic link: its only value says where to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) link: bool,
    /// Its list of rights in SDDL, where it is not what keys at its place have anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) security: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<Name>,
    /// When it was written last: 100 ns since 1601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<Value>,
}

#[cfg(windows)]
impl Key {
    /// Its path in the layer.
    pub(crate) fn path(&self) -> Vec<std::ffi::OsString> {
        let name = |name: &Name| std::os::windows::ffi::OsStringExt::from_wide(&name.units());
        self.key.iter().map(name).collect()
    }

    /// Whether it is a whiteout.
    pub(crate) fn is_whiteout(&self) -> bool {
        self.hidden
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Value {
    pub(super) name: Name,
    #[serde(rename = "type")]
    pub(super) kind: u32,
    /// Hexadecimal digits, two for each byte.
    pub(super) data: String,
}

/// The bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text
}

/// The bytes of hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// Judges the keys of a layer one after another.
#[derive(Debug, Default)]
pub(super) struct Judge {
    keys: Tree,
    hidden: Tree,
}

impl Judge {
    /// Why the key is refused, if it is.
    pub(super) fn check(&mut self, key: &Key) -> Result<(), &'static str> {
        let names: Vec<Vec<u16>> = key.key.iter().map(Name::units).collect();
        match key.key.first() {
            Some(Name::Text(tree)) if tree == "MACHINE" || tree == "USER" => (),
            _ => return Err("it is below no tree of the registry that layers mirror"),
        }
        if names.len() > DEEPEST {
            return Err("it is too deep");
        }
        let plain = |name: &Vec<u16>| {
            !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(&u16::from(b'\\'))
        };
        if !names.iter().all(plain) {
            return Err("a name is no name of a key");
        }
        if names.iter().any(|name| name.starts_with(STAGED)) {
            return Err("its name is kept for layers");
        }
        if matches!(&names[..], [_, _, software, own, ..] if is(software, "Software") && is(own, "Pinion"))
        {
            return Err("it is Pinion's own");
        }
        if key.hidden {
            let bare = key.class.is_none()
                && key.values.is_empty()
                && key.security.is_none()
                && key.written.is_none();
            if names.len() < 2 || !bare || key.link {
                return Err("a whiteout has more than a name");
            }
            return self.hidden.add_alone(&flat(&names), false);
        }
        if key
            .security
            .as_deref()
            .is_some_and(|text| !security::is_plain(text))
        {
            return Err("its rights are no list of rights");
        }
        if key.link {
            check_link(key)?;
        } else {
            self.check_values(key)?;
        }
        self.keys.add(&flat(&names), !key.link)
    }

    fn check_values(&self, key: &Key) -> Result<(), &'static str> {
        if key
            .class
            .as_ref()
            .is_some_and(|class| class.units().len() > LONGEST_NAME)
        {
            return Err("its class is too long");
        }
        let mut names = Tree::default();
        for value in &key.values {
            let units = value.name.units();
            if units.len() > LONGEST_VALUE_NAME {
                return Err("the name of a value is too long");
            }
            if value.kind == REG_LINK {
                return Err("it has a value that only links have");
            }
            if unhex(&value.data).is_none() {
                return Err("the data of a value is damaged");
            }
            names
                .add(&flat(&[units]), false)
                .map_err(|_| "a value is there twice")?;
        }
        Ok(())
    }
}

/// The type of a link's only value (winnt.h).
pub(super) const REG_LINK: u32 = 6;
/// The name of a link's only value.
pub(super) const TARGET: &str = "SymbolicLinkValue";
/// A link has its target and nothing else; none at all leads nowhere. Wherever it leads, it is followed in
/// the VM's view only.
fn check_link(key: &Key) -> Result<(), &'static str> {
    let good = match &key.values[..] {
        [] => true,
        [value] => value.kind == REG_LINK && is(&value.name.units(), TARGET),
        _ => false,
    };
    let data = key.values.iter().all(|value| unhex(&value.data).is_some());
    if good && data && key.class.is_none() && key.key.len() > 2 {
        Ok(())
    } else {
        Err("it is a link that has more than a target")
    }
}

fn is(name: &[u16], text: &str) -> bool {
    pinion_names::units::equals(name, text)
}

/// One string of the names, for [`Tree`]: a slash can be part of a name, so each name is written with what
/// no name has.
fn flat(names: &[Vec<u16>]) -> String {
    let mut path = String::new();
    for name in names {
        if !path.is_empty() {
            path.push('/');
        }
        for unit in char::decode_utf16(name.iter().copied()) {
            match unit {
                Ok('/') => path.push_str("\\s"),
                Ok(c) => path.push(c),
                Err(lone) => path.push_str(&format!("\\{:04x}", lone.unpaired_surrogate())),
            }
        }
        if name.is_empty() {
            path.push_str("\\0");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(names: &[&str]) -> Key {
        Key {
            key: names
                .iter()
                .map(|name| Name::Text((*name).into()))
                .collect(),
            hidden: false,
            link: false,
            security: None,
            class: None,
            written: Some(7),
            values: vec![],
        }
    }

    fn link(names: &[&str], kind: u32) -> Key {
        Key {
            link: true,
            values: vec![Value {
                name: Name::Text("SymbolicLinkValue".into()),
                kind,
                data: "5c00".into(),
            }],
            ..key(names)
        }
    }

    fn refused(keys: &[Key]) -> bool {
        let mut judge = Judge::default();
        keys.iter().any(|key| judge.check(key).is_err())
    }

    #[test]
    fn good_keys_pass() {
        let value = |name: &str| Value {
            name: Name::Text(name.into()),
            kind: 1,
            data: "00ff".into(),
        };
        let with_values = Key {
            values: vec![value(""), value("a"), value("a/b")],
            ..key(&["USER", "S-1"])
        };
        let hidden = Key {
            hidden: true,
            written: None,
            ..key(&["MACHINE", "x", "y"])
        };
        let lone = Key {
            key: vec![Name::Text("MACHINE".into()), Name::Units(vec![0xd800, 0])],
            ..key(&[])
        };
        assert!(!refused(&[
            key(&["MACHINE"]),
            key(&["MACHINE", "a/b"]),
            key(&["MACHINE", "a"]),
            lone,
            hidden,
            key(&["USER"]),
            with_values,
            Key {
                security: Some("D:(A;;KA;;;WD)".into()),
                ..link(&["MACHINE", "a", "link"], REG_LINK)
            },
        ]));
    }

    #[test]
    fn bad_keys_are_refused() {
        let long = "x".repeat(256);
        for names in [
            &[][..],
            &["Hidden"],
            &["machine"],
            &["REGISTRY", "MACHINE"],
            &["MACHINE", ""],
            &["MACHINE", "a\\b"],
            &["MACHINE", "..", "x"],
            &["MACHINE", &long],
            &["MACHINE", "\u{ffff}pinion00"],
        ] {
            assert!(
                refused(&[key(names)]) || refused(&[key(&["MACHINE"]), key(names)]),
                "{names:?}"
            );
        }
        assert!(refused(&[
            key(&["MACHINE"]),
            key(&["MACHINE", "A"]),
            key(&["MACHINE", "a"])
        ]));
        assert!(refused(&[
            key(&["USER"]),
            key(&["USER", "S"]),
            key(&["USER", "S", "Software"]),
            key(&["USER", "S", "Software", "Pinion"])
        ]));
        let at = ["MACHINE", "a"];
        for bad in [
            link(&["MACHINE"], REG_LINK),
            link(&at, 1),
            Key {
                class: Some(Name::Text("x".into())),
                ..link(&at, REG_LINK)
            },
            Key {
                hidden: true,
                ..link(&at, REG_LINK)
            },
            Key {
                security: Some("O:BAD:".into()),
                ..key(&at)
            },
        ] {
            assert!(refused(&[key(&["MACHINE"]), bad.clone()]), "{bad:?}");
        }
        let below = key(&["MACHINE", "a", "link", "below"]);
        let way = [
            key(&["MACHINE"]),
            key(&at),
            link(&["MACHINE", "a", "link"], REG_LINK),
            below,
        ];
        assert!(refused(&way) && !refused(&way[..3]));
        let link = Value {
            name: Name::Text("SymbolicLinkValue".into()),
            kind: 6,
            data: String::new(),
        };
        assert!(refused(&[Key {
            values: vec![link.clone()],
            ..key(&["MACHINE"])
        }]));
        let odd = Value {
            kind: 1,
            data: "0".into(),
            ..link
        };
        assert!(refused(&[Key {
            values: vec![odd.clone()],
            ..key(&["MACHINE"])
        }]));
        let good = Value {
            data: String::new(),
            ..odd
        };
        assert!(refused(&[Key {
            values: vec![good.clone(), good],
            ..key(&["MACHINE"])
        }]));
    }

    proptest! {
        #[test]
        fn keys_survive_their_line(
            names in proptest::collection::vec(proptest::collection::vec(any::<u16>(), 0..6), 0..4),
            data in proptest::collection::vec(any::<u8>(), 0..20), kind in any::<u32>(), hidden in any::<bool>(),
        ) {
            let value = Value { name: Name::new(&[0xdc00]), kind, data: hex(&data) };
            let key = Key { key: names.iter().map(|n| Name::new(n)).collect(), hidden, link: !hidden, security: None, class: None, written: Some(i64::from(kind) << 20), values: vec![value] };
            let line = serde_json::to_string(&key).unwrap();
            prop_assert!(!line.contains('\n'));
            let back: Key = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&back, &key);
            prop_assert_eq!(unhex(&back.values[0].data), Some(data));
            prop_assert_eq!(back.key.iter().map(Name::units).collect::<Vec<_>>(), names);
        }

        #[test]
        fn different_names_stay_apart(
            a in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(47_u16), Just(92), any::<u16>()], 0..4), 1..3),
            b in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(47_u16), Just(92), any::<u16>()], 0..4), 1..3),
        ) {
            let has_backslash = |names: &Vec<Vec<u16>>| names.iter().flatten().any(|&u| u == 92);
            prop_assume!(!has_backslash(&a) && !has_backslash(&b));
            prop_assert_eq!(flat(&a) == flat(&b), a == b);
        }
    }
}
