//! How far back each part of a topic can be told. It must never claim more
//! history than there is; claiming less only makes a reader list anew.

use std::collections::HashMap;
use std::sync::Arc;

/// Clusters remembered one by one, per topic, before they are lumped together.
const MOST_CLUSTERS: usize = 10_000;

/// The revisions from which on all events are kept: one for the whole topic,
/// and one for each cluster, so that what happens in one cluster does not make
/// a quiet watcher of another too old.
#[derive(Default)]
pub(crate) struct Floors {
    /// Holds for every cluster.
    base: u64,
    highest: u64,
    by_cluster: HashMap<Arc<str>, u64>,
}

impl Floors {
    /// The floor for one cluster, or for all of them.
    pub fn of(&self, cluster: Option<&str>) -> u64 {
        match cluster {
            None => self.highest,
            Some(cluster) => self.by_cluster.get(cluster).map_or(self.base, |floor| self.base.max(*floor)),
        }
    }

    /// The part of the floor that holds whatever the cluster.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The event at `revision` is forgotten.
    pub fn forget(&mut self, cluster: &Arc<str>, revision: u64) {
        if revision <= self.base {
            return;
        }
        self.highest = self.highest.max(revision);
        if self.by_cluster.len() >= MOST_CLUSTERS && !self.by_cluster.contains_key(cluster) {
            self.raise_base(self.highest);
        } else {
            let floor = self.by_cluster.entry(cluster.clone()).or_default();
            *floor = (*floor).max(revision);
        }
    }

    /// Everything up to `revision` is forgotten.
    pub fn raise_base(&mut self, revision: u64) {
        self.base = self.base.max(revision);
        self.highest = self.highest.max(self.base);
        let base = self.base;
        self.by_cluster.retain(|_, floor| *floor > base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_its_own_floor_until_there_are_too_many() {
        let mut floors = Floors::default();
        floors.raise_base(5);
        let name = |number: usize| Arc::<str>::from(format!("c{number}"));
        for number in 0..MOST_CLUSTERS {
            floors.forget(&name(number), 10 + number as u64);
        }
        let last = 9 + MOST_CLUSTERS as u64;
        assert_eq!(floors.of(None), last);
        assert_eq!((floors.of(Some("c0")), floors.of(Some("c7")), floors.of(Some("new"))), (10, 17, 5));
        floors.forget(&name(3), 3);
        assert_eq!(floors.of(Some("c3")), 13);
        floors.forget(&name(MOST_CLUSTERS), last + 1);
        assert_eq!((floors.of(Some("c0")), floors.of(Some("new")), floors.of(None)), (last + 1, last + 1, last + 1));
        assert!(floors.by_cluster.is_empty());
    }
}
