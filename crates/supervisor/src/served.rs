//! The ports at which http.sys serves URLs of the VM.
//!
//! On Windows http.sys listens at any address, for all programs, as the system's own process: no socket of the VM's
//! is at its address, and members could not connect. What a member says of a URL counts only where the VM's policy
//! allows that URL, and as long as the system's own process listens at its port. Asks for no table itself.

use std::collections::BTreeSet;
use std::sync::Mutex;

use pinion_names::units::fold;
use pinion_names::url::Prefix;
use pinion_policy::rules::{self, Action, Channel, Verdict, places};
use pinion_policy_file::Policy;

/// The ports that were told.
#[derive(Default)]
pub(crate) struct Served(Mutex<BTreeSet<u16>>);

impl Served {
    /// Notes the port of a URL that a member tells, where `policy` allows that.
    pub(crate) fn note(&self, policy: &Policy, url: &[u16]) {
        if let Some(port) = allowed(policy, url)
            && let Ok(mut ports) = self.0.lock()
        {
            ports.insert(port);
        }
    }

    /// Whether the port was told.
    pub(crate) fn has(&self, port: u16) -> bool {
        self.0.lock().is_ok_and(|ports| ports.contains(&port))
    }
}

/// The port of the URL, if it is one that `policy` allows.
fn allowed(policy: &Policy, url: &[u16]) -> Option<u16> {
    let prefix = Prefix::parse(url).ok()?;
    let rules = policy.compiled().ok()?;
    let verdict = rules::decide(&rules, Channel::Http, Action::Make, places::ANY, url, fold);
    matches!(verdict, Verdict::Host(_)).then_some(prefix.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_counts_where_the_policy_allows_its_url() {
        let noted = |rule: &str, url: &str| {
            let text = format!("[[rule]]\nchannel = 'http'\nname = 'http://+:80/*'\n{rule}\n");
            let policy = Policy::parse(&text).expect("sound");
            let served = Served::default();
            served.note(&policy, &url.encode_utf16().collect::<Vec<_>>());
            [80, 5985].map(|port| served.has(port))
        };
        let allow = "verdict = 'allow'\npeer = 'host'";
        assert_eq!(noted(allow, "HTTP://+:80/app/"), [true, false]);
        assert_eq!(noted(allow, "http://+:5985/"), [false, false]);
        assert_eq!(noted(allow, "80"), [false, false]);
        assert_eq!(noted("verdict = 'deny'", "http://+:80/"), [false, false]);
        let served = Served::default();
        let url: Vec<_> = "http://+:80/".encode_utf16().collect();
        served.note(&Policy::default(), &url);
        assert!(!served.has(80));
    }
}
