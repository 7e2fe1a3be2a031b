//! The values of options: sizes, ports, variables, times. Each parser tells in
//! its error what would be right.

use pinion_store::share::folder;
use pinion_store::{Network, PortMapping, Share};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Reads `[ADDRESS:]HOST:VM`, or one port for both.
pub fn publish(text: &str) -> Result<PortMapping, String> {
    let right = "give HOST:VM, such as 8080:80, or ADDRESS:HOST:VM";
    let port = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("'{text}' is no port from 1 to 65535: {right}")),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (address, host, vm) = match parts[..] {
        [both] => (None, both, both),
        [host, vm] => (None, host, vm),
        [address, host, vm] => (Some(address), host, vm),
        _ => return Err(right.into()),
    };
    let host_address = match address.map(str::parse::<Ipv4Addr>) {
        None => Ipv4Addr::UNSPECIFIED,
        Some(Ok(address)) => address,
        Some(Err(_)) => return Err(format!("no IPv4 address: {right}")),
    };
    Ok(PortMapping {
        host_address,
        host: port(host)?,
        vm: port(vm)?,
    })
}

/// Reads the mode of a network.
pub fn network(text: &str) -> Result<Network, String> {
    Network::named(text).ok_or_else(|| {
        let modes = Network::ALL.map(Network::name).join(", ");
        format!("'{text}' is no mode of a network: give one of {modes}")
    })
}

/// Says why a VM with this network publishes no ports.
pub fn no_ports(network: Network, ports: &[PortMapping]) -> Result<(), String> {
    match network {
        Network::None | Network::Host if !ports.is_empty() => Err(format!(
            "a VM with the network '{}' has no address of its own, so no port can be published",
            network.name()
        )),
        _ => Ok(()),
    }
}

/// Reads `HOSTDIR:VMDIR`, or one with `:ro` or `:rw` at its end. The host's folder may be relative to
/// the current one; whether it is there is looked at later.
pub fn share(text: &str) -> Result<Share, String> {
    let right = "give HOSTDIR:VMDIR, such as D:\\data:C:\\data, or with :ro at its end";
    let (paths, read_only) = match text.rsplit_once(':') {
        Some((paths, mode)) if mode.eq_ignore_ascii_case("ro") => (paths, true),
        Some((paths, mode)) if mode.eq_ignore_ascii_case("rw") => (paths, false),
        _ => (text, false),
    };
    let is_whole = |path: &str| {
        let mut units = path.chars();
        units
            .next()
            .is_some_and(|letter| letter.is_ascii_alphabetic())
            && units.next() == Some(':')
            && matches!(units.next(), Some('\\' | '/'))
    };
    let split = paths.match_indices(':').map(|(at, _)| paths.split_at(at));
    let mut split = split.filter(|(host, vm)| !host.is_empty() && is_whole(&vm[1..]));
    let (host, vm) = split.next().ok_or(right)?;
    let vm = &vm[1..];
    Ok(Share {
        host: host.into(),
        vm: folder(vm).map_err(|why| format!("{vm}: {why}"))?,
        read_only,
    })
}

/// Reads a size in bytes: `512m`, `2g`, `65536`, `1.5g`.
pub fn size(text: &str) -> Result<u64, String> {
    let right = "give a number with k, m or g, such as 512m";
    let lower = text.trim().to_ascii_lowercase();
    let lower = lower
        .strip_suffix("ib")
        .or_else(|| lower.strip_suffix('b'))
        .unwrap_or(&lower);
    let (number, shift) = match lower.as_bytes().last() {
        Some(b'k') => (&lower[..lower.len() - 1], 10),
        Some(b'm') => (&lower[..lower.len() - 1], 20),
        Some(b'g') => (&lower[..lower.len() - 1], 30),
        _ => (lower, 0),
    };
    let value: f64 = number.parse().map_err(|_| format!("no size: {right}"))?;
    let bytes = value * f64::from(1_u32 << shift);
    if !(1.0..1e18).contains(&bytes) {
        return Err(format!("out of range: {right}"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(bytes as u64)
}

/// Reads a number of processors, such as `1.5`, into thousandths.
pub fn cpus(text: &str) -> Result<u32, String> {
    let value: f64 = text
        .parse()
        .map_err(|_| "give a number, such as 1.5".to_owned())?;
    if !(0.01..=1024.0).contains(&value) {
        return Err("give a number of processors from 0.01 to 1024".into());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok((value * 1000.0).round() as u32)
}

/// Reads a number of processes.
pub fn count(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("give a number from 1 on".into()),
    }
}

/// A limit to set, or to lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<T>(pub Option<T>);

/// A reader of what `read` reads, or of `none`.
pub fn or_none<T>(
    read: impl Fn(&str) -> Result<T, String> + Clone,
) -> impl Fn(&str) -> Result<Change<T>, String> + Clone {
    move |text| match text {
        "none" => Ok(Change(None)),
        text => read(text).map(|value| Change(Some(value))),
    }
}

/// Reads `NAME=VALUE`, or `NAME` for the value that the variable has here;
/// an unset one gives `None`.
pub fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, std::env::var(text).ok()),
    };
    if name.is_empty() {
        return Err("a variable needs a name: give NAME=VALUE".into());
    }
    Ok((name.to_owned(), value))
}

/// Reads a time in seconds, such as `10` or `0.5`.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds, such as 10".into())
}

/// Thousandths of processors for people.
pub fn show_cpus(milli: u64) -> String {
    format!("{}.{:03}", milli / 1000, milli % 1000)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// `bytes` for people.
pub fn show_size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in units {
        if bytes >> shift > 0 {
            #[allow(clippy::cast_precision_loss)]
            let value = bytes as f64 / f64::from(1_u32 << shift);
            return format!("{value:.1} {unit}");
        }
    }
    format!("{bytes} B")
}

/// How long ago something was, for people.
pub fn show_age(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [
        ("day", 86_400),
        ("hour", 3600),
        ("minute", 60),
        ("second", 1),
    ];
    let fits = units.iter().find(|(_, size)| seconds >= *size);
    fits.map_or_else(
        || "now".into(),
        |(unit, size)| {
            let count = seconds / size;
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {unit}{plural} ago")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let shown = |seconds| show_age(Duration::from_secs(seconds));
        assert_eq!(shown(0), "now");
        assert_eq!(shown(1), "1 second ago");
        assert_eq!(shown(3599), "59 minutes ago");
        assert_eq!(shown(3 * 86_400), "3 days ago");
    }

    #[test]
    fn ports() {
        let of = |host_address, host, vm| {
            Ok(PortMapping {
                host_address,
                host,
                vm,
            })
        };
        assert_eq!(publish("8080:80"), of(Ipv4Addr::UNSPECIFIED, 8080, 80));
        assert_eq!(publish("80"), of(Ipv4Addr::UNSPECIFIED, 80, 80));
        assert_eq!(publish("127.0.0.1:81:80"), of(Ipv4Addr::LOCALHOST, 81, 80));
        for wrong in [
            "",
            "0:1",
            "1:0",
            "70000:1",
            "1:2:3",
            "1:2/udp",
            "a:b",
            "1.2.3.4:5",
        ] {
            assert!(publish(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares() {
        let of = |host: &str, vm: &str, read_only| {
            Ok(Share {
                host: host.into(),
                vm: vm.into(),
                read_only,
            })
        };
        assert_eq!(share(r"D:\a:C:\b"), of(r"D:\a", r"C:\b", false));
        assert_eq!(share(r"D:\a:c:/b/:RO"), of(r"D:\a", r"C:\b", true));
        assert_eq!(share(r"D:\a:C:\b:rw"), of(r"D:\a", r"C:\b", false));
        assert_eq!(share(r".:C:\b"), of(".", r"C:\b", false));
        for wrong in [
            "",
            r"D:\a",
            r":C:\b",
            r"D:\a:b",
            r"D:\a:C:\b:x",
            r"D:\a:C:\",
            r"D:\a:C:\..\b",
        ] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512m"), Ok(512 << 20));
        assert_eq!(size("1.5G"), Ok(3 << 29));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("65536"), Ok(65536));
        for wrong in ["", "m", "-1m", "0", "nan", "inf", "1x", "9999999999g"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn processors_and_times() {
        assert_eq!(cpus("1.5"), Ok(1500));
        assert!(cpus("0").is_err());
        assert!(cpus("nan").is_err());
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err());
    }

    #[test]
    fn limits_can_be_lifted() {
        assert_eq!(or_none(count)("none"), Ok(Change(None)));
        assert_eq!(or_none(count)("7"), Ok(Change(Some(7))));
        assert!(or_none(count)("0").is_err());
        assert_eq!(show_cpus(1500), "1.5");
        assert_eq!(show_cpus(2000), "2");
    }

    #[test]
    fn variables() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), Some("b=c".into()))));
        assert_eq!(variable("A="), Ok(("A".into(), Some(String::new()))));
        assert!(variable("=x").is_err());
    }

    #[test]
    fn sizes_for_people() {
        assert_eq!(show_size(512), "512 B");
        assert_eq!(show_size(3 << 29), "1.5 GiB");
    }
}
