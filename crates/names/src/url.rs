//! URLs of the HTTP Server API: what a VM's member registers, what http.sys is
//! given in its place, and back.
//!
//! A VM's URLs are bound to its own address: by Microsoft's "UrlPrefix Strings" a
//! prefix whose host is an address has the requests that arrive there, whatever
//! their `Host` header says. So `http://+:80/` of a VM is `http://127.77.1.2:80/`
//! to http.sys. Pure functions; http.sys itself judges what is left as it is: the
//! scheme's case, and the path.

use crate::socket;
use crate::units::{join, starts};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why http.sys is not given a URL or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbound {
    /// It is no UrlPrefix with scheme, host, port and slash.
    Invalid,
    /// Its host is an address that the VM does not have.
    NotHere,
    /// It does not fit the buffer.
    TooLong,
}

impl Unbound {
    /// The Win32 error (winerror.h) that the API gives: `ERROR_INVALID_PARAMETER`
    /// by its documentation; `ERROR_INVALID_NETNAME` for an address that the
    /// machine does not have, as http.sys does (reported for `HttpAddUrlToUrlGroup`
    /// in dotnet/AspNetCore.Docs issue 10164).
    #[must_use]
    pub const fn error(self) -> u32 {
        match self {
            Self::Invalid | Self::TooLong => 87,
            Self::NotHere => 1214,
        }
    }
}

/// The host of a UrlPrefix, by the categories of "UrlPrefix Strings".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// `+`: the strong wildcard.
    Strong,
    /// `*`: the weak wildcard.
    Weak,
    /// A name.
    Name,
    /// An address, which has the requests that arrive at it.
    Address(IpAddr),
}

/// A UrlPrefix: `scheme://host:port/path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<'u> {
    /// `http://` or `https://`, in any case.
    scheme: &'u [u16],
    /// Where it is served.
    pub host: Host,
    /// From 1 on.
    pub port: u16,
    /// What follows the host: the colon, the port, the path.
    rest: &'u [u16],
}

const SLASH: u16 = b'/' as u16;
const COLON: u16 = b':' as u16;
/// What no name of a host has (RFC 3986, gen-delims and what is no URL).
const NOT_OF_A_NAME: &[u8] = b"\"#%<>?@[\\]^`{|}";

/// The most units of a bound URL that are not of the one that was asked for.
pub const ADDED: usize = 15;

impl<'u> Prefix<'u> {
    /// Reads `url`, which has no zero at its end.
    ///
    /// # Errors
    /// [`Unbound::Invalid`].
    pub fn parse(url: &'u [u16]) -> Result<Self, Unbound> {
        let after = starts(url, "http://").or_else(|| starts(url, "https://"));
        let after = after.ok_or(Unbound::Invalid)?;
        let (scheme, _) = url
            .split_at_checked(url.len() - after.len())
            .ok_or(Unbound::Invalid)?;
        let end = host_end(after).ok_or(Unbound::Invalid)?;
        let (host, rest) = after.split_at_checked(end).ok_or(Unbound::Invalid)?;
        let port = port(rest).ok_or(Unbound::Invalid)?;
        let host = Host::parse(host)?;
        Ok(Self {
            scheme,
            host,
            port,
            rest,
        })
    }

    /// Writes the URL that http.sys is given for a VM of this address to `out`;
    /// its length in units.
    ///
    /// # Errors
    /// [`Unbound::NotHere`], [`Unbound::TooLong`].
    pub fn bind(&self, address: Ipv4Addr, out: &mut [u16]) -> Result<usize, Unbound> {
        if let Host::Address(ip) = self.host
            && !is_own(ip)
        {
            return Err(Unbound::NotHere);
        }
        let (text, length) = dotted(address);
        let host = text.get(..length).unwrap_or(&[]);
        join(&[self.scheme, host, self.rest], out).map_err(|_| Unbound::TooLong)
    }

    /// Whether it is one that [`Prefix::bind`] gives for this address.
    #[must_use]
    pub fn is_bound(&self, address: Ipv4Addr) -> bool {
        self.host == Host::Address(IpAddr::V4(address))
    }

    /// Writes the URL as a member may have asked for it, where that is not known:
    /// with the strong wildcard. It is shorter than a bound one.
    ///
    /// # Errors
    /// [`Unbound::TooLong`].
    pub fn undo(&self, out: &mut [u16]) -> Result<usize, Unbound> {
        let host = [u16::from(b'+')];
        join(&[self.scheme, &host, self.rest], out).map_err(|_| Unbound::TooLong)
    }
}

impl Host {
    fn parse(host: &[u16]) -> Result<Self, Unbound> {
        const STRONG: u16 = b'+' as u16;
        const WEAK: u16 = b'*' as u16;
        const BRACKET: u16 = b'[' as u16;
        match host {
            [] => Err(Unbound::Invalid),
            [STRONG] => Ok(Self::Strong),
            [WEAK] => Ok(Self::Weak),
            [BRACKET, inner @ .., _] => six(inner)
                .map(|ip| Self::Address(IpAddr::V6(ip)))
                .ok_or(Unbound::Invalid),
            _ if !host.iter().all(|&unit| is_of_a_name(unit)) => Err(Unbound::Invalid),
            _ => Ok(four(host).map_or(Self::Name, |ip| Self::Address(IpAddr::V4(ip)))),
        }
    }
}

/// The socket address of IPv4 that http.sys is given for the one of a member's SSL
/// binding: any address and loopback mean the VM's.
///
/// # Errors
/// [`Unbound::Invalid`] for no address of IPv4 or IPv6, [`Unbound::NotHere`].
pub fn bind_socket(asked: &[u8], address: Ipv4Addr) -> Result<[u8; socket::INET_LENGTH], Unbound> {
    let ip = socket::ip(asked).ok_or(Unbound::Invalid)?;
    let port = socket::port(asked).ok_or(Unbound::Invalid)?;
    if is_own(ip) {
        Ok(of_four(address, port))
    } else {
        Err(Unbound::NotHere)
    }
}

/// The socket address as a member may have asked for it, where that is not known:
/// any address, with the port; `None` when `real` is not the VM's.
#[must_use]
pub fn undo_socket(real: &[u8], address: Ipv4Addr) -> Option<[u8; socket::INET_LENGTH]> {
    let ip = socket::ip(real)?;
    (ip == IpAddr::V4(address)).then_some(of_four(Ipv4Addr::UNSPECIFIED, socket::port(real)?))
}

/// A `SOCKADDR_IN`.
fn of_four(ip: Ipv4Addr, port: u16) -> [u8; socket::INET_LENGTH] {
    let mut bytes = [0; socket::INET_LENGTH];
    let all = socket::INET.to_le_bytes().into_iter();
    let all = all.chain(port.to_be_bytes()).chain(ip.octets());
    for (place, byte) in bytes.iter_mut().zip(all) {
        *place = byte;
    }
    bytes
}

/// Whether an address means the VM's own: every loopback and "any".
fn is_own(ip: IpAddr) -> bool {
    let ip = match ip {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    };
    ip.is_loopback() || ip.is_unspecified()
}

/// Where the host ends: at its colon, which in brackets is none.
fn host_end(after: &[u16]) -> Option<usize> {
    const OPEN: u16 = b'[' as u16;
    const CLOSE: u16 = b']' as u16;
    if after.first() == Some(&OPEN) {
        let close = after.iter().position(|&unit| unit == CLOSE)?;
        return Some(close + 1);
    }
    after
        .iter()
        .position(|&unit| unit == COLON || unit == SLASH)
}

/// The port of `:port/…`: decimal, not beginning with zero, 1 to 65,535.
fn port(rest: &[u16]) -> Option<u16> {
    let (&COLON, rest) = rest.split_first()? else {
        return None;
    };
    let end = rest.iter().position(|&unit| unit == SLASH)?;
    let digits = rest.get(..end)?;
    if digits.first() == Some(&u16::from(b'0')) || digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u16, |value, &unit| {
        let digit = unit
            .checked_sub(u16::from(b'0'))
            .filter(|&digit| digit < 10)?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

fn is_of_a_name(unit: u16) -> bool {
    u8::try_from(unit).map_or(true, |byte| {
        byte > b' ' && byte != 0x7f && !NOT_OF_A_NAME.contains(&byte)
    })
}

/// The units as ASCII, in `room`; `None` when they are none or too many.
fn ascii<'r, const ROOM: usize>(units: &[u16], room: &'r mut [u8; ROOM]) -> Option<&'r str> {
    let bytes = room.get_mut(..units.len())?;
    for (byte, &unit) in bytes.iter_mut().zip(units) {
        *byte = u8::try_from(unit).ok().filter(u8::is_ascii)?;
    }
    core::str::from_utf8(bytes).ok()
}

fn four(host: &[u16]) -> Option<Ipv4Addr> {
    ascii(host, &mut [0; 15])?.parse().ok()
}

/// An address of IPv6; its zone (`%1`) does not count.
fn six(inner: &[u16]) -> Option<Ipv6Addr> {
    let zone = inner.iter().position(|&unit| unit == u16::from(b'%'));
    let address = inner.get(..zone.unwrap_or(inner.len()))?;
    ascii(address, &mut [0; 45])?.parse().ok()
}

/// The address as text, and its length in units.
fn dotted(address: Ipv4Addr) -> ([u16; ADDED], usize) {
    let (mut text, mut length) = ([0; ADDED], 0);
    let mut put = |unit: u8| {
        if let Some(place) = text.get_mut(length) {
            *place = u16::from(unit);
            length += 1;
        }
    };
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            put(b'.');
        }
        for (unit, from) in [(octet / 100, 100), (octet / 10 % 10, 10), (octet % 10, 0)] {
            if octet >= from {
                put(b'0' + unit);
            }
        }
    }
    (text, length)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    const OWN: Ipv4Addr = Ipv4Addr::new(127, 77, 1, 200);

    fn w(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn bound(url: &str) -> Result<String, Unbound> {
        let mut out = [0; 200];
        let units = w(url);
        let length = Prefix::parse(&units)?.bind(OWN, &mut out)?;
        Ok(String::from_utf16(&out[..length]).expect("text"))
    }

    #[test]
    fn every_host_of_the_vms_becomes_its_address() {
        for host in [
            "+",
            "*",
            "localhost",
            "LOCALHOST",
            "web",
            "www.adatum.com",
            "*.adatum.com",
            "bücher.example",
            "127.0.0.1",
            "127.77.9.9",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::1%3]",
            "1.2.3",
        ] {
            for (scheme, rest) in [("http", ":8080/"), ("https", ":443/a/b/"), ("HTTP", ":1/x")] {
                assert_eq!(
                    bound(&format!("{scheme}://{host}{rest}")),
                    Ok(format!("{scheme}://127.77.1.200{rest}"))
                );
            }
        }
    }

    #[test]
    fn another_address_is_not_there() {
        for host in [
            "10.1.2.3",
            "192.168.0.1",
            "[fe80::1%4]",
            "[2001:db8::1]",
            "255.255.255.255",
        ] {
            let refused = bound(&format!("http://{host}:80/"));
            assert_eq!(refused, Err(Unbound::NotHere), "{host}");
        }
        assert_eq!(Unbound::NotHere.error(), 1214);
        assert_eq!(Unbound::Invalid.error(), 87);
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for url in [
            "",
            "http://",
            "http://+",
            "http://+/",
            "http://+:80",
            "http://+:/",
            "http://+:0/",
            "http://+:080/",
            "http://+:65536/",
            "http://+:8x/",
            "http://:80/",
            "ftp://+:80/",
            "http:/+:80/",
            "http://a b:80/",
            "http://u@h:80/",
            "http://[::1:80/",
            "http://[x]:80/",
            "http://[::1]80/",
            "http://+:80:10.0.0.1/",
            "http://[]:80/",
            "http://[:80/",
        ] {
            assert_eq!(bound(url), Err(Unbound::Invalid), "{url}");
        }
        assert_eq!(
            bound("http://+:65535/"),
            Ok("http://127.77.1.200:65535/".into())
        );
    }

    #[test]
    fn what_has_no_room_is_told() {
        let url = w("http://+:80/");
        let prefix = Prefix::parse(&url).expect("sound");
        assert_eq!(prefix.bind(OWN, &mut [0; 22]), Err(Unbound::TooLong));
        assert_eq!(prefix.bind(OWN, &mut [0; 23]), Ok(23));
        assert_eq!(prefix.undo(&mut [0; 11]), Err(Unbound::TooLong));
    }

    #[test]
    fn sockets_of_ssl_bindings_are_bound_and_undone() {
        let of = |ip: Ipv4Addr| of_four(ip, 443);
        for ip in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST, OWN] {
            assert_eq!(bind_socket(&of(ip), OWN), Ok(of(OWN)));
        }
        let mut six = [0; socket::INET6_LENGTH];
        (six[0], six[2], six[3]) = (23, 1, 187);
        assert_eq!(bind_socket(&six, OWN), Ok(of(OWN)));
        assert_eq!(
            bind_socket(&of(Ipv4Addr::new(10, 0, 0, 1)), OWN),
            Err(Unbound::NotHere)
        );
        assert_eq!(bind_socket(&of(OWN)[..7], OWN), Err(Unbound::Invalid));
        assert_eq!(undo_socket(&of(OWN), OWN), Some(of(Ipv4Addr::UNSPECIFIED)));
        assert_eq!(undo_socket(&of(Ipv4Addr::LOCALHOST), OWN), None);
    }

    proptest! {
        #[test]
        fn garbage_never_panics_and_leads_nowhere_else(url in proptest::collection::vec(any::<u16>(), 0..60), http in any::<bool>()) {
            let mut url = url;
            if http {
                url.splice(0..0, w("http://"));
            }
            if let Ok(prefix) = Prefix::parse(&url) {
                let mut out = [0; 100];
                if let Ok(length) = prefix.bind(OWN, &mut out) {
                    let bound = Prefix::parse(&out[..length]).expect("a prefix");
                    prop_assert!(bound.is_bound(OWN));
                    prop_assert_eq!((bound.port, bound.rest), (prefix.port, prefix.rest));
                }
            }
        }

        #[test]
        fn two_vms_never_meet(a in any::<u32>(), b in any::<u32>(), host in "[a-z+*.]{1,9}", port in 1..=u16::MAX, path in "[a-z/]{0,9}") {
            prop_assume!(a != b);
            let url = w(&format!("http://{host}:{port}/{path}"));
            let of = |address: u32, out: &mut [u16; 99]| {
                Prefix::parse(&url).and_then(|prefix| prefix.bind(Ipv4Addr::from(address), out))
            };
            let (mut first, mut second) = ([0; 99], [0; 99]);
            let lengths = (of(a, &mut first).expect("bound"), of(b, &mut second).expect("bound"));
            prop_assert_ne!(&first[..lengths.0], &second[..lengths.1]);
            let undone = |bound: &[u16], out: &mut [u16; 99]| {
                let length = Prefix::parse(bound).and_then(|prefix| prefix.undo(out)).expect("undone");
                String::from_utf16(&out[..length]).expect("text")
            };
            prop_assert_eq!(undone(&first[..lengths.0], &mut [0; 99]), format!("http://+:{port}/{path}"));
        }

        #[test]
        fn an_address_is_written_as_it_is_read(address in any::<u32>()) {
            let address = Ipv4Addr::from(address);
            let (text, length) = dotted(address);
            prop_assert_eq!(String::from_utf16(&text[..length]).expect("text"), format!("{address}"));
        }
    }
}
