//! At which addresses of the machine a port is published.
//!
//! On Windows a socket at any address leaves room for others at the same port of one address; below Wine
//! Linux refuses the later of the two. Published at any address, a port would keep all VMs from listening
//! at it. So on Wine such a port is published at each address that the machine has now.

use std::net::Ipv4Addr;

use crate::system::{at_run_time, is_wine};

/// `GetIpAddrTable` (iphlpapi.h): table, size in bytes, whether ordered.
type IpTable = unsafe extern "system" fn(*mut u32, *mut u32, i32) -> u32;

/// Words of one row (`MIB_IPADDRROW`), which begins with the address.
const ROW: usize = 6;
/// Words that the table is asked for with: more addresses than a machine has.
const WORDS: usize = 1 + 1024 * ROW;

/// The addresses to listen at for `asked`.
pub(crate) fn of(asked: Ipv4Addr) -> Vec<Ipv4Addr> {
    if !asked.is_unspecified() || !is_wine() {
        return vec![asked];
    }
    let mut all = of_machine().unwrap_or_default();
    if !all.contains(&Ipv4Addr::LOCALHOST) {
        all.push(Ipv4Addr::LOCALHOST);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn of_machine() -> Option<Vec<Ipv4Addr>> {
    let found = at_run_time("iphlpapi.dll", c"GetIpAddrTable")?;
    // SAFETY: the function has this type (iphlpapi.h).
    let function =
        unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, IpTable>(found) };
    let mut words = vec![0_u32; WORDS];
    let mut size = (WORDS * size_of::<u32>()) as u32;
    // SAFETY: the buffer has the size told.
    let status = unsafe { function(words.as_mut_ptr(), &raw mut size, 0) };
    (status == 0).then(|| in_table(&words))
}

/// The addresses in a table, its number of rows first.
fn in_table(table: &[u32]) -> Vec<Ipv4Addr> {
    let Some((&count, rows)) = table.split_first() else {
        return Vec::new();
    };
    let rows = rows.chunks_exact(ROW).take(count as usize);
    let addresses = rows.map(|row| Ipv4Addr::from(row[0].to_le_bytes()));
    addresses
        .filter(|address| !address.is_unspecified())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_that_are_counted_are_told_but_for_those_without_an_address() {
        let row = |octets: [u8; 4]| [vec![u32::from_le_bytes(octets)], vec![9; ROW - 1]].concat();
        let rows = [
            row([127, 0, 0, 1]),
            row([0; 4]),
            row([10, 0, 0, 5]),
            row([1; 4]),
        ];
        let table = [vec![3], rows.concat()].concat();
        let told = in_table(&table);
        assert_eq!(told, [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 0, 0, 5)]);
        assert_eq!(in_table(&table[..8]), [Ipv4Addr::LOCALHOST], "cut short");
        assert_eq!(in_table(&[]), Vec::<Ipv4Addr>::new());
    }

    #[test]
    fn one_address_is_itself_and_any_is_at_least_the_machines_own() {
        let one = Ipv4Addr::new(127, 0, 0, 9);
        assert_eq!(of(one), [one]);
        let all = of(Ipv4Addr::UNSPECIFIED);
        assert!(
            all.contains(&Ipv4Addr::LOCALHOST) || all == [Ipv4Addr::UNSPECIFIED],
            "{all:?}"
        );
    }
}
