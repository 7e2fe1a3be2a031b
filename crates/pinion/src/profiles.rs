//! Profiles that the command line is given: found, read, and put where no option
//! says otherwise.

use crate::failure::{Failure, USAGE};
use crate::options::NewOptions;
use crate::values;
use pinion_profile::{Fault, LONGEST, Profile, find, known};
use std::io::Read;

/// The text of the profile of this name, or of the file.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn text(given: &str) -> Result<String, Failure> {
    if let Some(known) = find(given) {
        return Ok(known.text.into());
    }
    let failed = |why: &dyn std::fmt::Display| {
        let names: Vec<&str> = known().iter().map(|known| known.name).collect();
        Failure::new(
            USAGE,
            format!(
                "cannot read the profile {given}: {why}; give a file in UTF-8, or one of {}",
                names.join(", ")
            ),
        )
    };
    let mut bytes = Vec::new();
    // A byte more than a profile can have, so that a longer one is seen.
    std::fs::File::open(given)
        .and_then(|file| file.take(LONGEST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// The profile of this name, or in the file.
///
/// # Errors
/// It cannot be read, or what is wrong with it first, by line and column.
pub fn given(given: &str) -> Result<Profile, Failure> {
    let refused = |faults: Vec<Fault>| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        let more = match faults.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more; see 'pinion profile check')", count - 1),
        };
        Failure::new(USAGE, format!("{given}:{first}{more}"))
    };
    Profile::parse(&text(given)?).map_err(refused)
}

/// Puts what the profile says where the options say nothing.
///
/// # Errors
/// Neither names a program.
pub fn fill(options: &mut NewOptions, profile: &Profile) -> Result<(), Failure> {
    if options.command.is_empty() && options.from.is_none() {
        options.command.clone_from(&profile.program);
        if options.command.is_empty() {
            let text = "the profile names no program; give one after the options";
            return Err(Failure::new(USAGE, text));
        }
    }
    if options.program.workdir.is_none() {
        options.program.workdir.clone_from(&profile.workdir);
    }
    if options.publish.is_empty() {
        for port in &profile.ports {
            let port = values::publish(&format!("{}:{}", port.host, port.vm));
            options
                .publish
                .push(port.map_err(|why| Failure::new(USAGE, why))?);
        }
    }
    options.profile_policy = Some(profile.policy.clone()).filter(|policy| !policy.is_empty());
    Ok(())
}
