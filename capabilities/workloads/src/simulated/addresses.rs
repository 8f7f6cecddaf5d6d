//! The addresses that simulated nodes and pods bear: unique while they live,
//! taken in turn from a private range. Nothing is routed to them.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use client::ObjectKey;
use parking_lot::Mutex;

/// Addresses of one range and who has them.
pub(super) struct Addresses {
    first: u32,
    size: u32,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_key: HashMap<ObjectKey, u32>,
    used: HashSet<u32>,
    next: u32,
}

impl Addresses {
    /// The addresses of pods: `10.128.0.0/9`, which no service has.
    pub(super) fn of_pods() -> Self {
        Addresses { first: u32::from(Ipv4Addr::new(10, 128, 0, 1)), size: (1 << 23) - 2, held: Mutex::default() }
    }

    /// The addresses of nodes: `172.16.0.0/12`.
    pub(super) fn of_nodes() -> Self {
        Addresses { first: u32::from(Ipv4Addr::new(172, 16, 0, 1)), size: (1 << 20) - 2, held: Mutex::default() }
    }

    /// Remembers that somebody has an address, for instance since before a restart.
    pub(super) fn claim(&self, key: &ObjectKey, address: &str) {
        let Ok(address) = address.parse::<Ipv4Addr>() else { return };
        let Some(place) = u32::from(address).checked_sub(self.first).filter(|place| *place < self.size) else { return };
        let mut held = self.held.lock();
        if held.by_key.get(key) == Some(&place) {
            return;
        }
        held.release(key);
        if held.used.insert(place) {
            held.by_key.insert(key.clone(), place);
            held.next = held.next.max(place + 1);
        }
    }

    /// An address for somebody who has none; one that was given before is given up.
    pub(super) fn give(&self, key: &ObjectKey) -> Option<Ipv4Addr> {
        let mut held = self.held.lock();
        held.release(key);
        let start = held.next;
        let free = (0..self.size).map(|step| (start + step) % self.size).find(|place| !held.used.contains(place))?;
        held.used.insert(free);
        held.by_key.insert(key.clone(), free);
        held.next = (free + 1) % self.size;
        Some(Ipv4Addr::from(self.first + free))
    }

    /// Whether somebody has an address.
    pub(super) fn is_held_by(&self, key: &ObjectKey) -> bool {
        self.held.lock().by_key.contains_key(key)
    }

    /// Forgets who is gone.
    pub(super) fn release(&self, key: &ObjectKey) {
        self.held.lock().release(key);
    }
}

impl Held {
    fn release(&mut self, key: &ObjectKey) {
        if let Some(place) = self.by_key.remove(key) {
            self.used.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::ClusterName;
    use proptest::prelude::*;

    fn key(name: u8) -> ObjectKey {
        ObjectKey::new(&ClusterName::root(), "default", &name.to_string())
    }

    fn small() -> Addresses {
        Addresses { first: u32::from(Ipv4Addr::new(10, 0, 0, 1)), size: 4, held: Mutex::default() }
    }

    #[test]
    fn addresses_go_round_and_run_out() {
        let addresses = small();
        addresses.claim(&key(9), "10.0.0.2");
        addresses.claim(&key(8), "192.168.0.1");
        addresses.claim(&key(7), "no address");
        let given: Vec<String> =
            (0..4).map(|name| addresses.give(&key(name)).map_or("none".into(), |ip| ip.to_string())).collect();
        assert_eq!(given, ["10.0.0.3", "10.0.0.4", "10.0.0.1", "none"]);
        addresses.release(&key(1));
        assert!(!addresses.is_held_by(&key(1)));
        assert_eq!(addresses.give(&key(5)).map(|ip| ip.to_string()), Some("10.0.0.4".into()));
    }

    proptest! {
        #[test]
        fn no_two_have_the_same(acts in proptest::collection::vec((0u8..3, 0u8..6), 1..40)) {
            let addresses = small();
            let mut given = HashMap::new();
            for (act, name) in acts {
                if act == 0 {
                    addresses.release(&key(name));
                    given.remove(&name);
                } else {
                    given.remove(&name);
                    if let Some(address) = addresses.give(&key(name)) {
                        prop_assert!(!given.values().any(|held| *held == address));
                        given.insert(name, address);
                    } else {
                        prop_assert_eq!(given.len(), 4);
                    }
                }
            }
        }
    }
}
