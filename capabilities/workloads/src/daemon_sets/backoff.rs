//! How long a node is left alone after a daemon pod has failed there, so that
//! a pod which fails at once is not replaced without end. It keeps no clock.

use std::collections::HashMap;
use std::time::Duration;

use client::ObjectKey;
use jiff::Timestamp;

/// After the first failure; it doubles with each.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What is remembered of failures, by daemon set and node.
#[derive(Debug, Default)]
pub(super) struct Backoffs(HashMap<ObjectKey, HashMap<String, Entry>>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    delay: Duration,
    since: Timestamp,
}

impl Backoffs {
    /// Takes note that a failed pod is replaced now, or says how much longer that has to wait.
    pub(super) fn replace(&mut self, set: &ObjectKey, node: &str, now: Timestamp) -> Result<(), Duration> {
        let nodes = self.0.entry(set.clone()).or_default();
        nodes.retain(|_, entry| entry.age(now) <= LONGEST * 2);
        let delay = match nodes.get(node) {
            Some(entry) if entry.age(now) < entry.delay => return Err(entry.delay - entry.age(now)),
            Some(entry) => (entry.delay * 2).min(LONGEST),
            None => FIRST,
        };
        nodes.insert(node.to_owned(), Entry { delay, since: now });
        Ok(())
    }

    /// Forgets a daemon set that is gone.
    pub(super) fn forget(&mut self, set: &ObjectKey) {
        self.0.remove(set);
    }
}

impl Entry {
    /// Nothing, if the clock was set back.
    fn age(&self, now: Timestamp) -> Duration {
        now.duration_since(self.since).try_into().unwrap_or(Duration::ZERO)
    }
}
