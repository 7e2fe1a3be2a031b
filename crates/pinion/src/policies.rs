//! Policies that the command line is given: read from their files, and only sound ones taken.

use crate::failure::{Failure, USAGE};
use pinion_policy_file::{Fault, LONGEST, Peer, Policy, Verdict, write};
use std::io::Read;

/// The word that takes a policy away.
const NONE: &str = "none";

/// The text of the policy in the file, or none for `none`.
///
/// # Errors
/// The file cannot be read, or what is wrong with it first, by line and column.
pub fn given(file: &str) -> Result<Option<String>, Failure> {
    if file == NONE {
        return Ok(None);
    }
    let text = read(file)?;
    match Policy::parse(&text) {
        Ok(_) => Ok(Some(text)),
        Err(faults) => Err(refused(file, &faults)),
    }
}

/// The policy with the rules of `--deny` and `--allow` in front of its own.
///
/// # Errors
/// What is wrong with one of them, or with all rules together.
pub fn with_flags(
    policy: Option<String>,
    deny: &[String],
    allow: &[String],
) -> Result<Option<String>, Failure> {
    if deny.is_empty() && allow.is_empty() {
        return Ok(policy);
    }
    let mut text = String::new();
    let denied = deny.iter().map(|given| ("--deny", given, None));
    let allowed = allow
        .iter()
        .map(|given| ("--allow", given, Some(&Peer::Host)));
    for (option, given, peer) in denied.chain(allowed) {
        let wrong = |why: &str| Failure::new(USAGE, format!("{option} {given}: {why}"));
        let (channel, name) = given.split_once('=').ok_or_else(|| {
            wrong("give the channel and a pattern of names, such as pipes=MyServer")
        })?;
        let verdict = peer.map_or(Verdict::Deny, |_| Verdict::Allow);
        let rule = write::rule(channel, name, None, peer, verdict);
        if let Err(faults) = Policy::parse(&rule) {
            let why = faults.first().map_or("", |fault| fault.why.as_str());
            return Err(wrong(why));
        }
        text += &rule;
    }
    text += &policy.unwrap_or_default();
    match Policy::parse(&text) {
        Ok(_) => Ok(Some(text)),
        Err(faults) => {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            Err(Failure::new(
                USAGE,
                format!("with the rules of --deny and --allow in front of the policy: {first}"),
            ))
        }
    }
}

/// The file's text.
pub fn read(file: &str) -> Result<String, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::pinion(format!(
            "cannot read the policy {file}: {why}; give a file of rules in UTF-8"
        ))
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| failed(&error))?;
    // A byte more than a policy can have, so that a longer one is seen.
    let most = LONGEST as u64 + 1;
    opened
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(&error.utf8_error()))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn refused(file: &str, faults: &[Fault]) -> Failure {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    let more = match faults.len() {
        0 | 1 => String::new(),
        all => format!(
            " ({} more; 'pinion policy check {file}' tells all)",
            all - 1
        ),
    };
    Failure::new(USAGE, format!("{file}:{first}{more}"))
}
