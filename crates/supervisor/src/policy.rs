//! The policy of a VM: read when it starts, told in the log when it refuses something, and what its
//! names would be for `pinion policy explain`.

use pinion_policy_file::{Peer, Policy};
use pinion_store::{Store, Vm, VmName};
use pinion_wire::rules::Rules;

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

/// What the members of `vm` read of its policy: the other VMs that it leads to are found in the store,
/// and what their policies let it have. A VM that is not there lets it have nothing.
///
/// # Errors
/// The rules are too many, those of the other VMs counted, too.
pub fn compile(store: &Store, vm: &Vm, policy: &Policy) -> Result<Rules> {
    let find = |name: &str| {
        let name = VmName::check(name).ok()?;
        let peer = store.load(&name).ok()?;
        Some((peer.id().get(), read(&peer).ok()?))
    };
    policy
        .compiled_among(vm.name().as_str(), find)
        .map_err(|why| Error::Policy {
            name: vm.name().to_string(),
            why,
        })
}

/// What the log tells of a refusal by the rule of this number, which a member gave.
pub(crate) fn refusal(policy: &Policy, rule: u32) -> String {
    let rule = usize::try_from(rule)
        .ok()
        .and_then(|rule| policy.rules.get(rule));
    match rule.map(|rule| (rule, &rule.message)) {
        None => "a rule of the policy".into(),
        Some((rule, _)) if matches!(rule.peer, Peer::Vm(_)) => format!(
            "the policy's rule in line {} leads to {}, which was not there when this VM was started, or whose policy does not let this VM have the name",
            rule.line,
            rule.peer.word()
        ),
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
    /// Whether http.sys runs inside.
    pub has_http: bool,
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
        has_http: crate::system::is_wine(),
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
    fn another_vms_names_are_those_that_its_supervisor_makes() {
        use pinion_policy::rules::peer;
        let id = pinion_store::VmId::from_u64(0x1234_5678_9abc_def0);
        for session in [0, 1, 12] {
            let mut room = [0; 100];
            let length = peer::directory(session, id.get(), &mut room).unwrap();
            assert_eq!(
                String::from_utf16(&room[..length]).unwrap(),
                crate::namespace::root_path(id, session)
            );
        }
        let prefix = String::from_utf16(&peer::pipe_prefix(id.get())).unwrap();
        assert_eq!(prefix, crate::control::pipe_prefix(id));
    }

    #[test]
    fn a_policy_reads_those_of_the_vms_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let rule = |peer: &str, way: &str| {
            format!(
                "[[rule]]\nchannel = 'pipes'\nname = '{peer}-x'\ndirection = '{way}'\npeer = 'vm:{peer}'\nverdict = 'allow'\n"
            )
        };
        let make = |name: &str, policy: String| {
            let new = pinion_store::NewVm {
                name: Some(name.parse().unwrap()),
                policy: Some(policy),
                ..pinion_store::NewVm::default()
            };
            store.create(new).unwrap()
        };
        let web = make("web", [rule("db", "out"), rule("gone", "out")].concat());
        let db = make("db", [rule("web", "in"), rule("other", "in")].concat());
        let policy = read(&web).unwrap();
        let rules = compile(&store, &web, &policy).unwrap();
        assert_eq!(rules.peers[..2], [db.id().get(), 0]);
        assert_eq!(rules.count, 3);
        assert!(refusal(&policy, 1).contains("leads to vm:gone"));
    }

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
