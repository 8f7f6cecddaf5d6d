//! Which key is next. Pure bookkeeping under the runtime's lock: time comes in
//! as a duration since the start, and nothing here waits.
//!
//! Each key is there once: queued, running, or running and dirty (asked for
//! again meanwhile). Clusters take turns, so that a busy one cannot starve others.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use api::ClusterName;
use client::ObjectKey;

/// When something falls due, and a number to tell apart what falls due at once.
type Due = (Duration, u64);

#[derive(Default)]
pub(crate) struct Queue {
    ready: HashMap<ClusterName, VecDeque<ObjectKey>>,
    /// Clusters with ready keys, the next one first.
    turns: VecDeque<ClusterName>,
    queued: HashSet<ObjectKey>,
    /// Keys being reconciled, and whether they were asked for again meanwhile.
    running: HashMap<ObjectKey, bool>,
    delayed: BTreeMap<Due, ObjectKey>,
    due: HashMap<ObjectKey, Due>,
    failures: HashMap<ObjectKey, u32>,
    counter: u64,
}

impl Queue {
    /// Asks for a key. Asking again before it is taken changes nothing.
    pub(crate) fn add(&mut self, key: ObjectKey) {
        if let Some(dirty) = self.running.get_mut(&key) {
            *dirty = true;
            return;
        }
        if !self.queued.insert(key.clone()) {
            return;
        }
        let ready = self.ready.entry(key.cluster.clone()).or_default();
        if ready.is_empty() {
            self.turns.push_back(key.cluster.clone());
        }
        ready.push_back(key);
    }

    /// Takes the next key to reconcile.
    pub(crate) fn pop(&mut self) -> Option<ObjectKey> {
        let cluster = self.turns.pop_front()?;
        let ready = self.ready.get_mut(&cluster)?;
        let key = ready.pop_front()?;
        if ready.is_empty() {
            self.ready.remove(&cluster);
        } else {
            self.turns.push_back(cluster);
        }
        self.queued.remove(&key);
        // What the last reconcile asked for later is settled by this one.
        self.forget_delay(&key);
        self.running.insert(key.clone(), false);
        Some(key)
    }

    /// A reconcile ended well; `again` is when to reconcile next, if it said so.
    pub(crate) fn succeeded(&mut self, key: &ObjectKey, again: Option<Duration>) {
        self.failures.remove(key);
        self.ended(key, again);
    }

    /// A reconcile failed: counts it, so that the caller can say when to try again.
    pub(crate) fn count_failure(&mut self, key: &ObjectKey) -> u32 {
        let failures = self.failures.entry(key.clone()).or_default();
        *failures = failures.saturating_add(1);
        *failures
    }

    /// A reconcile ended; a key that was asked for meanwhile is ready at once.
    pub(crate) fn ended(&mut self, key: &ObjectKey, again: Option<Duration>) {
        let dirty = self.running.remove(key).unwrap_or(false);
        match again {
            _ if dirty => self.add(key.clone()),
            Some(at) => self.delay(key.clone(), at),
            None => {}
        }
    }

    fn delay(&mut self, key: ObjectKey, at: Duration) {
        self.counter += 1;
        let due = (at, self.counter);
        self.forget_delay(&key);
        self.due.insert(key.clone(), due);
        self.delayed.insert(due, key);
    }

    fn forget_delay(&mut self, key: &ObjectKey) {
        if let Some(due) = self.due.remove(key) {
            self.delayed.remove(&due);
        }
    }

    /// Makes ready what has fallen due; returns when the next one will.
    pub(crate) fn release(&mut self, now: Duration) -> Option<Duration> {
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                return Some(entry.key().0);
            }
            let key = entry.remove();
            self.due.remove(&key);
            self.add(key);
        }
        None
    }

    /// Keys that wait for a worker.
    pub(crate) fn depth(&self) -> usize {
        self.queued.len()
    }

    /// Keys being reconciled.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    /// Keys that wait for a time.
    pub(crate) fn delayed(&self) -> usize {
        self.delayed.len()
    }

    /// Nothing is ready and nothing is running.
    pub(crate) fn is_idle(&self) -> bool {
        self.queued.is_empty() && self.running.is_empty()
    }
}
