//! The arithmetic of the ranges.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::ranges::{Ranges, seed};

#[test]
fn a_range_has_neither_its_first_nor_its_last_address() {
    let ranges = Ranges::default();
    let check = |address: [u8; 4], expect: bool| assert_eq!(ranges.has_address(Ipv4Addr::from(address)), expect);
    check([10, 96, 0, 0], false);
    check([10, 96, 0, 1], true);
    check([10, 96, 255, 254], true);
    check([10, 96, 255, 255], false);
    check([10, 97, 0, 1], false);
    check([10, 95, 255, 255], false);
}

#[test]
fn odd_ranges_are_refused() {
    let first = Ipv4Addr::new(10, 1, 2, 3);
    assert!(
        Ranges::new(first, 24, (30_000, 32_767)).is_some_and(|ranges| ranges.has_address(Ipv4Addr::new(10, 1, 2, 9)))
    );
    assert!(Ranges::new(first, 30, (30_000, 32_767)).is_none());
    assert!(Ranges::new(first, 24, (5, 4)).is_none());
    assert!(Ranges::new(first, 24, (0, 4)).is_none());
}

proptest! {
    #[test]
    fn a_search_visits_everything_once(text in ".{0,40}", prefix in 20..=28_u8, from in 1..2000_u16, more in 1..600_u16) {
        let ranges = Ranges::new(Ipv4Addr::new(10, 9, 0, 0), prefix, (from, from + more)).unwrap();
        let addresses: Vec<Ipv4Addr> = ranges.addresses(seed(&text)).collect();
        prop_assert!(addresses.iter().all(|address| ranges.has_address(*address)));
        prop_assert_eq!(addresses.iter().collect::<BTreeSet<_>>().len(), (1 << (32 - prefix)) - 2);
        prop_assert_eq!(addresses.len(), (1 << (32 - prefix)) - 2);
        let ports: BTreeSet<u64> = ranges.ports(seed(&text)).collect();
        prop_assert_eq!(ports.len(), usize::from(more) + 1);
        prop_assert!(ports.iter().all(|port| ranges.has_port(*port)));
    }
}
