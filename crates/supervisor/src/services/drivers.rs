//! Which drivers a VM has a process of its own for: those of the policy's list, on Wine, where a driver is
//! loaded by a program. Decides; loads nothing.

use pinion_policy::device::DRIVEN_INSIDE;
use pinion_scm::{Record, Text};

/// Wine's program that loads drivers, as its own controller starts it (programs/services/services.c of
/// 8.0 and 10.0).
const HOST: &str = r"%SystemRoot%\system32\winedevice.exe";

/// Notes the program that loads the driver, if it is one that a VM has its own of.
pub(super) fn give_host(record: &mut Record, is_wine: bool) {
    let listed = |name: &str| record.name.same_name(&Text::from(name));
    if is_wine && record.is_driver() && DRIVEN_INSIDE.iter().any(|line| listed(line.1)) {
        record.driver_host = Text::from(HOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_drivers_have_a_host_and_on_wine_only() {
        let driver = |name: &str| {
            let mut record = Record::new(Text::from(name));
            record.service_type = 1;
            record
        };
        for (name, kind, is_wine, has) in [
            ("http", 1, true, true),
            ("HTTP", 1, true, true),
            ("HTTP", 1, false, false),
            ("HTTP", 0x10, true, false),
            ("MountMgr", 1, true, false),
        ] {
            let mut record = driver(name);
            record.service_type = kind;
            give_host(&mut record, is_wine);
            assert_eq!(
                !record.driver_host.is_empty(),
                has,
                "{name} {kind:#x} {is_wine}"
            );
        }
    }
}
