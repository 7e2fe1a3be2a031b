//! Patterns of names as people write them, and those that no name can ever match.

use pinion_policy::rules::{Channel, Effect, KEPT, places};

/// The longest pattern in UTF-16 units.
const LONGEST: usize = 255;

/// The directories that `text` is about, as bits of [`places`], and the pattern of
/// the names in them.
///
/// # Errors
/// Why no name can match, and what to write instead.
pub(crate) fn pattern(
    channel: Channel,
    effect: Effect,
    text: &str,
) -> Result<(u8, Vec<u16>), String> {
    let (at, pattern) = match channel {
        _ if channel.has_places() => object(text)?,
        Channel::Pipes | Channel::Mailslots => (places::ANY, of_device(channel, effect, text)?),
        Channel::Http => (places::ANY, url(text)?),
        _ => (places::ANY, port(text)?),
    };
    let units: Vec<u16> = pattern.encode_utf16().collect();
    if units.is_empty() {
        return Err("no name is empty; \"*\" stands for every name".into());
    }
    if units.contains(&0) {
        return Err("no name has a NUL in it, so this can never match".into());
    }
    if units.len() > LONGEST {
        return Err(format!(
            "a pattern has at most {LONGEST} UTF-16 units; this has {}",
            units.len()
        ));
    }
    Ok((at, units))
}

fn after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

fn object(text: &str) -> Result<(u8, &str), String> {
    if after(text, r"Session\").is_some() {
        return Err(r"names are matched after 'Session\N\' is followed, so this can never match; write 'Local\NAME' or 'Global\NAME'".into());
    }
    if text.starts_with('\\') {
        return Err(r"names are matched as Win32 programs give them, so a full NT path can never match; write 'Local\NAME' (the session's own) or 'Global\NAME'".into());
    }
    let (at, leaf) = match (after(text, r"Local\"), after(text, r"Global\")) {
        (Some(leaf), _) => (places::LOCAL, leaf),
        (_, Some(leaf)) => (places::GLOBAL, leaf),
        _ => (places::LOCAL, text),
    };
    if leaf.contains('\\') {
        return Err(r"the name of an object has no backslash but the one after 'Local' or 'Global', so this can never match; rules are about objects right in these directories".into());
    }
    let links = ["Local", "Global", "Session"];
    if links.iter().any(|link| leaf.eq_ignore_ascii_case(link)) {
        return Err(format!(
            "'{leaf}' is a directory's link and no object, so this can never match"
        ));
    }
    Ok((at, leaf))
}

fn of_device(channel: Channel, effect: Effect, text: &str) -> Result<&str, String> {
    let device = if channel == Channel::Pipes {
        "pipe"
    } else {
        "mailslot"
    };
    if text.starts_with('\\') {
        return Err(format!(
            r"names are matched without the device, so this can never match; write only what follows '\\.\{device}\'"
        ));
    }
    if effect == Effect::Host && after(text, KEPT).is_some() {
        return Err(format!(
            "names that begin with '{KEPT}' are Pinion's own and never a rule's to allow, so this can never match; choose another name"
        ));
    }
    Ok(text)
}

fn url(text: &str) -> Result<&str, String> {
    let scheme = ["http://", "https://"]
        .iter()
        .any(|scheme| after(text, scheme).is_some());
    if !text.is_empty() && !scheme && !text.contains(['*', '?']) {
        return Err(format!(
            "names are URLs as programs register them, with scheme, host, port and path, so this can never match; write 'http://+:8080/' or 'http*{text}*'"
        ));
    }
    Ok(text)
}

fn port(text: &str) -> Result<&str, String> {
    if !text.is_empty() && !text.starts_with(['\\', '*', '?']) {
        return Err(format!(
            r"names of ports are full NT paths, so this can never match; write '\RPC Control\{text}'"
        ));
    }
    Ok(text)
}
