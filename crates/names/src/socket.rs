//! Socket addresses: what a VM's member asks for, what it gets, and back.
//!
//! A VM owns one loopback address. Inside, every loopback address and "any"
//! mean it; what a member is told is the address that it asked for, or plain
//! loopback. Pure functions over the bytes of a Winsock `SOCKADDR`, whose
//! layout (ws2def.h, ws2ipdef.h) is family (2 bytes, little endian), port (2,
//! network order), then 4 bytes of address for IPv4, or 4 of flow, 16 of
//! address and 4 of scope for IPv6.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `AF_UNSPEC`.
pub const UNSPECIFIED: u16 = 0;
/// `AF_INET`.
pub const INET: u16 = 2;
/// `AF_INET6`.
pub const INET6: u16 = 23;
/// The bytes of a `SOCKADDR_IN`.
pub const INET_LENGTH: usize = 16;
/// The bytes of a `SOCKADDR_IN6`.
pub const INET6_LENGTH: usize = 28;

/// What may be done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The VM's own address takes its place.
    Own,
    /// As asked.
    Pass,
    /// Not at all.
    Refuse,
}

/// What a VM's members reach by sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Nothing: no socket is bound, none reaches another.
    None,
    /// The VM itself, at its own loopback address.
    Loopback,
    /// That, and the outer network.
    #[default]
    Outbound,
    /// What the host's programs reach; the VM has no address of its own.
    Host,
}

impl Network {
    /// All modes, from the least to the most.
    pub const ALL: [Self; 4] = [Self::None, Self::Loopback, Self::Outbound, Self::Host];

    /// Its name in options and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loopback => "loopback",
            Self::Outbound => "outbound",
            Self::Host => "host",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Its number in the VM's page.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The mode of that number; a number that is none reaches nothing.
    #[must_use]
    pub fn from_code(code: u32) -> Self {
        let known = Self::ALL.into_iter().find(|mode| mode.code() == code);
        known.unwrap_or(Self::None)
    }
}

/// The family of a socket address; `None` when it is cut short.
#[must_use]
pub fn family(sockaddr: &[u8]) -> Option<u16> {
    sockaddr
        .first_chunk()
        .map(|bytes| u16::from_le_bytes(*bytes))
}

/// The port; `None` when the address is cut short.
#[must_use]
pub fn port(sockaddr: &[u8]) -> Option<u16> {
    let bytes = sockaddr.get(2..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// The IP address; `None` for another family or one cut short.
#[must_use]
pub fn ip(sockaddr: &[u8]) -> Option<IpAddr> {
    match family(sockaddr)? {
        INET => Some(IpAddr::from(*sockaddr.get(4..)?.first_chunk::<4>()?)),
        INET6 => Some(IpAddr::from(*sockaddr.get(8..)?.first_chunk::<16>()?)),
        _ => None,
    }
}

/// Puts `ip` into `sockaddr` and leaves family and port: into one of IPv6 an
/// IPv4 address goes in its mapped form, without flow and scope. `false`, and
/// nothing changed, when it does not fit.
pub fn put(sockaddr: &mut [u8], ip: IpAddr) -> bool {
    match (family(sockaddr), ip) {
        (Some(INET), IpAddr::V4(ip)) => copy(sockaddr, 4, &ip.octets()),
        (Some(INET6), ip) => {
            let ip = match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            let done = copy(sockaddr, 8, &ip.octets());
            if done {
                copy(sockaddr, 4, &[0; 4]);
                copy(sockaddr, 24, &[0; 4]);
            }
            done
        }
        _ => false,
    }
}

fn copy(target: &mut [u8], at: usize, bytes: &[u8]) -> bool {
    match target.get_mut(at..at + bytes.len()) {
        Some(place) => {
            place.copy_from_slice(bytes);
            true
        }
        None => false,
    }
}

/// The IPv4 address that `ip` is or maps; `::` and `::1` are taken for
/// 0.0.0.0 and 127.0.0.1.
fn plain(ip: IpAddr) -> Option<Ipv4Addr> {
    match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) => ip.to_ipv4_mapped(),
    }
}

fn is_ours(ip: IpAddr) -> bool {
    plain(ip).is_some_and(|ip| ip.is_unspecified() || ip.is_loopback())
}

/// Whether `ip` is a group's or everybody's.
fn is_many(ip: IpAddr) -> bool {
    match plain(ip) {
        Some(ip) => ip.is_multicast() || ip.is_broadcast(),
        None => ip.is_multicast(),
    }
}

/// Whether a socket may be bound to `ip`: only to what is the VM's own. The
/// host's other addresses are not the VM's.
#[must_use]
pub fn bind(network: Network, ip: IpAddr) -> Verdict {
    match network {
        Network::Host => Verdict::Pass,
        Network::Loopback | Network::Outbound if is_ours(ip) => Verdict::Own,
        _ => Verdict::Refuse,
    }
}

/// Whether a member may connect or send to `ip`: the outer network passes, and
/// an address of the machine itself (`is_host` knows the host's) means the VM,
/// so that no server of the host is reached. What is sent to many reaches those
/// on this machine, too, and is refused. The one place that decides it.
#[must_use]
pub fn reach(network: Network, ip: IpAddr, is_host: impl FnOnce(IpAddr) -> bool) -> Verdict {
    let known = plain(ip).map_or(ip, IpAddr::V4);
    match network {
        Network::Host => Verdict::Pass,
        Network::None => Verdict::Refuse,
        _ if is_many(ip) => Verdict::Refuse,
        _ if is_ours(ip) || is_host(known) => Verdict::Own,
        Network::Loopback => Verdict::Refuse,
        Network::Outbound => Verdict::Pass,
    }
}

/// The second loopback address that goes with the VM's own: where a socket
/// lands whose process has one of the other IP version on the same port, as
/// the versions share no ports on NT. Nothing inside is led there: the first
/// socket answers clients of both versions.
#[must_use]
pub fn second(own: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = own.octets();
    Ipv4Addr::new(a, b ^ 1, c, d)
}

/// An address as a member asked for it, where the VM's own took its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// 0.0.0.0 also stands for `::`, 127.0.0.1 for `::1`.
    ip: Ipv4Addr,
    /// Whether it was the mapped form of IPv6.
    mapped: bool,
}

impl Asked {
    /// Where nothing was asked: plain loopback.
    pub const LOOPBACK: Self = Self {
        ip: Ipv4Addr::LOCALHOST,
        mapped: false,
    };

    /// The asked address `ip`; `None` for one of IPv6 alone, which is never
    /// replaced.
    #[must_use]
    pub fn new(ip: IpAddr) -> Option<Self> {
        let mapped = matches!(ip, IpAddr::V6(six) if six.to_ipv4_mapped().is_some());
        let ip = plain(ip)?;
        Some(Self { ip, mapped })
    }

    /// Whether it was exactly `ip`, mapped or not.
    #[must_use]
    pub fn is(self, ip: Ipv4Addr) -> bool {
        self.ip == ip
    }

    /// Whether it was "any".
    #[must_use]
    pub fn is_any(self) -> bool {
        self.ip.is_unspecified()
    }

    /// The lower 33 bits of a word.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        u64::from(u32::from(self.ip)) | u64::from(self.mapped) << 32
    }

    /// Undoes [`Asked::to_bits`]; higher bits do not count.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self {
            ip: Ipv4Addr::from(bits as u32),
            mapped: bits >> 32 & 1 == 1,
        }
    }

    fn in_family(self, six: bool) -> IpAddr {
        match self {
            _ if !six => self.ip.into(),
            Self { mapped: false, ip } if ip.is_unspecified() => Ipv6Addr::UNSPECIFIED.into(),
            Self { mapped: false, ip } if ip == Ipv4Addr::LOCALHOST => Ipv6Addr::LOCALHOST.into(),
            _ => self.ip.to_ipv6_mapped().into(),
        }
    }
}

/// Turns the VM's own address in `sockaddr` back into `asked`. `false`, and
/// nothing changed, when another address is there.
pub fn undo(sockaddr: &mut [u8], own: Ipv4Addr, asked: Asked) -> bool {
    let Some(ip) = ip(sockaddr) else {
        return false;
    };
    let is_own = plain(ip).is_some_and(|ip| ip == own || ip == second(own));
    is_own && put(sockaddr, asked.in_family(ip.is_ipv6()))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const OWN: Ipv4Addr = Ipv4Addr::new(127, 77, 3, 4);

    fn sockaddr(ip: IpAddr, port: u16) -> Vec<u8> {
        let (family, length) = match ip {
            IpAddr::V4(_) => (INET, INET_LENGTH),
            IpAddr::V6(_) => (INET6, INET6_LENGTH),
        };
        let mut bytes = std::vec![0; length];
        bytes[..2].copy_from_slice(&family.to_le_bytes());
        bytes[2..4].copy_from_slice(&port.to_be_bytes());
        assert!(put(&mut bytes, ip));
        bytes
    }

    fn parsed(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn what_is_local_becomes_the_vms_own() {
        let own = ["0.0.0.0", "127.0.0.1", "127.77.9.9", "::", "::1"];
        for text in own
            .into_iter()
            .chain(["::ffff:0.0.0.0", "::ffff:127.0.0.1"])
        {
            assert_eq!(
                bind(Network::Outbound, parsed(text)),
                Verdict::Own,
                "{text}"
            );
            assert_eq!(
                reach(Network::Outbound, parsed(text), |_| false),
                Verdict::Own,
                "{text}"
            );
        }
        for text in ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1"] {
            assert_eq!(
                bind(Network::Outbound, parsed(text)),
                Verdict::Refuse,
                "{text}"
            );
            assert_eq!(
                reach(Network::Outbound, parsed(text), |_| false),
                Verdict::Pass,
                "{text}"
            );
        }
    }

    #[test]
    fn the_hosts_own_addresses_mean_the_vm() {
        let is_host = |ip| [parsed("10.0.0.1"), parsed("2001:db8::5")].contains(&ip);
        assert_eq!(
            reach(Network::Outbound, parsed("10.0.0.1"), is_host),
            Verdict::Own
        );
        assert_eq!(
            reach(Network::Outbound, parsed("::ffff:10.0.0.1"), is_host),
            Verdict::Own
        );
        assert_eq!(
            reach(Network::Outbound, parsed("2001:db8::5"), is_host),
            Verdict::Own
        );
        assert_eq!(
            reach(Network::Outbound, parsed("10.0.0.2"), is_host),
            Verdict::Pass
        );
    }

    #[test]
    fn without_a_question_the_answer_is_loopback() {
        for (own, told) in [("127.77.3.4", "127.0.0.1"), ("::ffff:127.77.3.4", "::1")] {
            let mut bytes = sockaddr(parsed(own), 80);
            assert!(undo(&mut bytes, OWN, Asked::LOOPBACK));
            assert_eq!((ip(&bytes), port(&bytes)), (Some(parsed(told)), Some(80)));
        }
    }

    fn local() -> impl Strategy<Value = IpAddr> {
        let four = any::<[u8; 3]>().prop_map(|[b, c, d]| Ipv4Addr::new(127, b, c, d));
        let four = prop_oneof![Just(Ipv4Addr::UNSPECIFIED), four];
        prop_oneof![
            four.clone().prop_map(IpAddr::from),
            four.prop_map(|ip| ip.to_ipv6_mapped().into()),
            Just(Ipv6Addr::UNSPECIFIED.into()),
            Just(Ipv6Addr::LOCALHOST.into()),
        ]
    }

    #[test]
    fn modes_reach_what_they_say() {
        use Network::{Host, Loopback, None, Outbound};
        let reached = |text: &str| Network::ALL.map(|mode| reach(mode, parsed(text), |_| false));
        let (own, pass, refuse) = (Verdict::Own, Verdict::Pass, Verdict::Refuse);
        for text in ["127.0.0.1", "127.77.8.9", "::1", "0.0.0.0"] {
            assert_eq!(reached(text), [refuse, own, own, pass], "{text}");
            let bound = Network::ALL.map(|mode| bind(mode, parsed(text)));
            assert_eq!(bound, [refuse, own, own, pass], "{text}");
        }
        for text in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert_eq!(reached(text), [refuse, refuse, pass, pass], "{text}");
        }
        for text in [
            "224.0.0.251",
            "255.255.255.255",
            "ff02::fb",
            "::ffff:239.1.2.3",
        ] {
            assert_eq!(reached(text), [refuse, refuse, refuse, pass], "{text}");
        }
        let host = |mode| reach(mode, parsed("192.0.2.1"), |_| true);
        assert_eq!(
            [None, Loopback, Outbound, Host].map(host),
            [refuse, own, own, pass]
        );
    }

    #[test]
    fn modes_have_names_and_numbers_and_the_unknown_reaches_nothing() {
        for mode in Network::ALL {
            assert_eq!(Network::named(mode.name()), Some(mode));
            assert_eq!(Network::from_code(mode.code()), mode);
        }
        assert_eq!(Network::named("all"), None);
        assert_eq!(Network::from_code(4), Network::None);
    }

    proptest! {
        #[test]
        fn undoing_gives_back_what_was_asked(ip in local(), port: u16) {
            let asked = sockaddr(ip, port);
            let bits = Asked::new(ip).expect("local").to_bits();
            for own in [OWN, second(OWN)] {
                let mut bytes = asked.clone();
                prop_assert!(put(&mut bytes, own.into()));
                prop_assert_eq!(super::port(&bytes), Some(port));
                prop_assert!(undo(&mut bytes, OWN, Asked::from_bits(bits)));
                prop_assert_eq!(&bytes, &asked);
            }
        }

        #[test]
        fn another_address_is_left_alone(ip: IpAddr, port: u16) {
            let mut bytes = sockaddr(ip, port);
            let before = bytes.clone();
            let is_own = plain(ip).is_some_and(|ip| ip == OWN || ip == second(OWN));
            prop_assert_eq!(undo(&mut bytes, OWN, Asked::LOOPBACK), is_own);
            prop_assert!(is_own || bytes == before);
        }

        #[test]
        fn what_is_not_local_never_becomes_the_vms(ip: IpAddr) {
            let local = plain(ip).is_some_and(|ip| ip.is_loopback() || ip.is_unspecified());
            prop_assert_eq!(bind(Network::Outbound, ip) == Verdict::Own, local);
            prop_assert_eq!(reach(Network::Outbound, ip, |_| false) == Verdict::Own, local);
        }

        #[test]
        fn garbage_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..40), ip: IpAddr) {
            let _ = (family(&bytes), port(&bytes), super::ip(&bytes));
            let _ = undo(&mut bytes, OWN, Asked::LOOPBACK);
            let _ = put(&mut bytes, ip);
        }
    }
}
