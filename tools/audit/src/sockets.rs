//! Owns the little of Winsock and named pipes that the kernel sees inside an ioctl: which address is bound or connected to,
//! which pipe waited for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `bind` on `\Device\Afd`, observed on Wine 8 and Wine 10: the address begins at byte 4.
pub const BIND: &str = "00012003";
/// `connect` and `ConnectEx` on `\Device\Afd`, observed on Wine 8 and Wine 10: the address begins at byte 8.
pub const CONNECT: &str = "0012032c";
/// `FSCTL_PIPE_WAIT` on the pipe device, as the log names it.
pub const PIPE_WAIT: &str = "FSCTL_PIPE_WAIT";

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 23;

/// `address:port` of a `SOCKADDR` (family and port in front, port in network order). Mapped IPv4 comes out as IPv4.
pub fn address(sockaddr: &[u8]) -> Option<String> {
    let family = u16::from_le_bytes(sockaddr.get(..2)?.try_into().ok()?);
    if family == AF_UNIX {
        let path: Vec<u8> = sockaddr
            .get(2..)?
            .iter()
            .copied()
            .take_while(|byte| *byte != 0)
            .collect();
        return Some(format!("unix {}", String::from_utf8_lossy(&path)));
    }
    let port = u16::from_be_bytes(sockaddr.get(2..4)?.try_into().ok()?);
    let address: IpAddr = match family {
        AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(sockaddr.get(4..8)?).ok()?).into(),
        AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(sockaddr.get(8..24)?).ok()?).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(address, port).to_string())
}

/// The address in the input of a bind.
pub fn bound(input: &[u8]) -> Option<String> {
    address(input.get(4..)?)
}

/// The address in the input of a connect, if it leads to this computer itself: loopback, or the unspecified address, which
/// means the same. Connections to elsewhere are allowed.
pub fn connected(input: &[u8]) -> Option<String> {
    let to = address(input.get(8..)?)?;
    let ip = to.parse::<SocketAddr>().ok()?.ip();
    (ip.is_loopback() || ip.is_unspecified()).then_some(to)
}

/// The pipe's name in a `FILE_PIPE_WAIT_FOR_BUFFER`: its length in bytes at 8, the name at 14.
pub fn waited_for(input: &[u8]) -> Option<String> {
    let length = u32::from_le_bytes(input.get(8..12)?.try_into().ok()?) as usize;
    let name = input.get(14..)?.get(..length)?;
    let units: Vec<u16> = name
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        assert_eq!(
            address(&[2, 0, 0x46, 0xa0, 127, 0, 0, 1]).as_deref(),
            Some("127.0.0.1:18080")
        );
        let mut mapped = vec![23, 0, 0, 80, 0, 0, 0, 0];
        mapped.extend(Ipv4Addr::new(127, 1, 2, 3).to_ipv6_mapped().octets());
        assert_eq!(address(&mapped).as_deref(), Some("127.1.2.3:80"));
        assert_eq!(address(&[99, 0, 1, 2, 3, 4, 5, 6]), None);
        let connect = |ip: [u8; 4]| [&[0; 8][..], &[2, 0, 0, 80], &ip[..]].concat();
        assert_eq!(
            connected(&connect([127, 0, 0, 1])).as_deref(),
            Some("127.0.0.1:80")
        );
        assert_eq!(connected(&connect([10, 0, 0, 1])), None);
    }

    #[test]
    fn pipe_waits() {
        let input = [
            0x60, 0x79, 0xfe, 255, 255, 255, 255, 255, 4, 0, 0, 0, 1, 0x7f, 0x75, 0, 0x6e, 0,
        ];
        assert_eq!(waited_for(&input).as_deref(), Some("un"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(input: Vec<u8>) {
            let _ = (address(&input), bound(&input), connected(&input), waited_for(&input));
        }
    }
}
