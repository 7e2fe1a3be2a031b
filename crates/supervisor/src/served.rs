//! The ports at which http.sys serves URLs of the VM.
//!
//! On Windows http.sys listens at any address, for all programs, as the system's own process: no socket of the VM's
//! is at its address, and members could not connect. What a member says of a port counts only where the VM's policy
//! allows it URLs, and as long as the system's own process listens there. Asks for no table itself.

use std::collections::BTreeSet;
use std::sync::Mutex;

use pinion_policy::rules::{Channel, Effect};
use pinion_policy_file::Policy;

/// The ports that were told.
#[derive(Default)]
pub(crate) struct Served(Mutex<BTreeSet<u16>>);

impl Served {
    /// Notes a port that a member tells, where `policy` allows the VM some URL.
    pub(crate) fn note(&self, policy: &Policy, port: u16) {
        let allows = policy
            .rules
            .iter()
            .any(|rule| rule.channel == Channel::Http && rule.effect == Effect::Host);
        if let Ok(mut ports) = self.0.lock()
            && allows
        {
            ports.insert(port);
        }
    }

    /// Whether the port was told.
    pub(crate) fn has(&self, port: u16) -> bool {
        self.0.lock().is_ok_and(|ports| ports.contains(&port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_counts_where_the_policy_allows_urls() {
        let of = |verdict: &str| {
            let text = format!("[[rule]]\nchannel = 'http'\nname = '*'\n{verdict}\n");
            let served = Served::default();
            served.note(&Policy::parse(&text).expect("sound"), 80);
            served.has(80)
        };
        assert!(of("verdict = 'allow'\npeer = 'host'"));
        assert!(!of("verdict = 'deny'"));
        let served = Served::default();
        served.note(&Policy::default(), 80);
        assert!(!served.has(80));
    }
}
