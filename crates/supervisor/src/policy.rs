//! The policy of a VM: read when it starts, told in the log when it refuses something, and what its
//! names would be for `pinion policy explain`.

use pinion_policy_file::Policy;
use pinion_store::Vm;

use crate::error::{Error, Result};

/// Reads the policy in the VM's record; a VM without one has no rules.
///
/// # Errors
/// It is damaged: it was sound when it was set, and a VM is not started without its policy.
pub fn read(vm: &Vm) -> Result<Policy> {
    let Some(text) = &vm.record().policy else {
        return Ok(Policy::default());
    };
    Policy::parse(text).map_err(|faults| Error::Policy {
        name: vm.name().to_string(),
        why: faults.first().map(ToString::to_string).unwrap_or_default(),
    })
}

/// What the log tells of a refusal by the rule of this number, which a member gave.
pub(crate) fn refusal(policy: &Policy, rule: u32) -> String {
    let rule = usize::try_from(rule)
        .ok()
        .and_then(|rule| policy.rules.get(rule));
    match rule.map(|rule| (rule, &rule.message)) {
        None => "a rule of the policy".into(),
        Some((rule, None)) => format!("the policy's rule in line {}", rule.line),
        Some((rule, Some(message))) => {
            format!("the policy's rule in line {}: {message}", rule.line)
        }
    }
}

/// What the names of a VM begin with, whether it runs or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The session that it runs in when it is started from here.
    pub session: u32,
    /// NT path of its object directory.
    pub object_directory: String,
    /// What goes before its pipes' names.
    pub pipe_prefix: String,
    /// The host's name.
    pub computer_name: String,
}

/// The names of `vm`.
///
/// # Errors
/// The system does not tell the session or the host's name.
#[cfg(windows)]
pub fn names(vm: &Vm) -> Result<Names> {
    let session = crate::process::current_session()?;
    Ok(Names {
        session,
        object_directory: crate::namespace::root_path(vm.id(), session),
        pipe_prefix: crate::control::pipe_prefix(vm.id()),
        computer_name: crate::system::computer_name()?,
    })
}

/// The unit in upper case, as NT compares names.
#[cfg(windows)]
#[must_use]
pub fn fold(unit: u16) -> u16 {
    // SAFETY: a pure function of ntdll.
    unsafe { pinion_nt::calls::RtlUpcaseUnicodeChar(unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_line_and_message() {
        let text = "[[rule]]\nchannel = 'pipes'\nname = 'x'\nverdict = 'deny'\nmessage = 'no x'\n";
        let policy = Policy::parse(text).unwrap();
        assert_eq!(refusal(&policy, 0), "the policy's rule in line 1: no x");
        assert_eq!(refusal(&policy, 7), "a rule of the policy");
        let policy = Policy::parse(text.split_once("message").unwrap().0).unwrap();
        assert_eq!(refusal(&policy, 0), "the policy's rule in line 1");
    }
}
