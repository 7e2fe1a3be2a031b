//! Rules as text, for a policy.

use crate::able::{Direction, Peer, Verdict};

/// A rule of these parts; it is not checked.
#[must_use]
pub fn rule(
    channel: &str,
    name: &str,
    direction: Option<Direction>,
    peer: Option<&Peer>,
    verdict: Verdict,
) -> String {
    let mut text = format!(
        "[[rule]]\nchannel = {}\nname = {}\n",
        quoted(channel),
        quoted(name)
    );
    if let Some(direction) = direction {
        text += &format!("direction = \"{}\"\n", direction.word());
    }
    if let Some(peer) = peer {
        text += &format!("peer = \"{}\"\n", peer.word());
    }
    text + &format!("verdict = \"{}\"\n", verdict.word())
}

/// A TOML string: a literal one where that is possible.
fn quoted(text: &str) -> String {
    if text.contains(['\'', '\n']) || text.chars().any(char::is_control) {
        let escaped: String = text
            .chars()
            .map(|c| match c {
                '\\' => "\\\\".into(),
                '"' => "\\\"".into(),
                c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        return format!("\"{escaped}\"");
    }
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_string_comes_back(text in any::<String>()) {
            let table: toml::Table = toml::from_str(&format!("x = {}", quoted(&text))).expect("TOML");
            prop_assert_eq!(table["x"].as_str(), Some(text.as_str()));
        }
    }
}
