//! The pods that wait for a node: which is next, which wait for a change that
//! may help, and which for a time. It knows pods by key and priority only.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use client::ObjectKey;
use jiff::Timestamp;

use super::verdict::Plugin;

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LARGEST_BACKOFF: Duration = Duration::from_secs(10);

/// The more important first, then by arrival.
type Place = (Reverse<i64>, u64);
/// The same among those whose time comes at once.
type Due = (Timestamp, Place);

/// Pods that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: BTreeMap<Place, ObjectKey>,
    /// Pods that a change may have helped soon after they were tried: they have their turn when
    /// no other pod is ready.
    behind: BTreeMap<Due, ObjectKey>,
    /// Pods whose trial failed for no reason of theirs: tried again when it is time.
    failed: BTreeMap<Due, ObjectKey>,
    waiting: HashMap<ObjectKey, Waiting>,
    /// Those of them that wait for a change.
    parked: BTreeSet<ObjectKey>,
    /// Those that are being dealt with.
    taken: BTreeSet<ObjectKey>,
    arrivals: u64,
}

#[derive(Debug)]
struct Waiting {
    priority: i64,
    spot: Spot,
    /// Trials that found no node.
    refused: u32,
    /// Trials in a row that failed.
    failures: u32,
    tried: Option<Timestamp>,
    /// What refused it last.
    plugins: BTreeSet<Plugin>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Spot {
    Ready(Place),
    Behind(Due),
    Failed(Due),
    /// It waits for a change.
    Parked,
    /// It was taken and is being dealt with; whether something changed since that may help it.
    Taken {
        woken: bool,
    },
}

impl Queue {
    /// A pod arrives, or has changed so that it may be tried again.
    pub(super) fn add(&mut self, key: &ObjectKey, priority: i64, now: Timestamp) {
        if self.waiting.contains_key(key) {
            return self.wake(key, now);
        }
        let spot = self.ready(key, priority);
        let waiting = Waiting { priority, spot, refused: 0, failures: 0, tried: None, plugins: BTreeSet::new() };
        self.waiting.insert(key.clone(), waiting);
    }

    fn ready(&mut self, key: &ObjectKey, priority: i64) -> Spot {
        let place = self.place(priority);
        self.ready.insert(place, key.clone());
        Spot::Ready(place)
    }

    fn place(&mut self, priority: i64) -> Place {
        self.arrivals += 1;
        (Reverse(priority), self.arrivals)
    }

    /// A pod waits no more.
    pub(super) fn remove(&mut self, key: &ObjectKey) {
        if let Some(waiting) = self.waiting.remove(key) {
            self.leave(key, &waiting.spot);
        }
    }

    fn leave(&mut self, key: &ObjectKey, spot: &Spot) {
        match spot {
            Spot::Ready(place) => drop(self.ready.remove(place)),
            Spot::Behind(due) => drop(self.behind.remove(due)),
            Spot::Failed(due) => drop(self.failed.remove(due)),
            Spot::Parked => drop(self.parked.remove(key)),
            Spot::Taken { .. } => drop(self.taken.remove(key)),
        }
    }

    /// Takes the pod whose turn it is.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<ObjectKey> {
        for waits in [&mut self.failed, &mut self.behind] {
            while let Some(entry) = waits.first_entry().filter(|entry| entry.key().0 <= now) {
                let ((_, place), key) = entry.remove_entry();
                if let Some(waiting) = self.waiting.get_mut(&key) {
                    waiting.spot = Spot::Ready(place);
                    self.ready.insert(place, key);
                }
            }
        }
        let (_, key) = self.ready.pop_first().or_else(|| {
            let (due, key) = self.behind.pop_first()?;
            Some((due.1, key))
        })?;
        if let Some(waiting) = self.waiting.get_mut(&key) {
            waiting.spot = Spot::Taken { woken: false };
            waiting.tried = Some(now);
            self.taken.insert(key.clone());
        }
        Some(key)
    }

    /// No node was found for a pod that was taken: from now on only what concerns `plugins` may help.
    pub(super) fn refuse(&mut self, key: &ObjectKey, plugins: BTreeSet<Plugin>) {
        let Some(waiting) = self.waiting.get_mut(key) else { return };
        waiting.plugins = plugins;
        waiting.refused += 1;
        waiting.failures = 0;
    }

    /// A pod that was refused is dealt with: it waits for a change, unless one has come already.
    pub(super) fn park(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some(waiting) = self.waiting.get_mut(key) else { return };
        let Spot::Taken { woken } = waiting.spot else { return };
        waiting.spot = Spot::Parked;
        self.taken.remove(key);
        self.parked.insert(key.clone());
        if woken {
            self.wake(key, now);
        }
    }

    /// Something went wrong with a pod: it is tried again later, as no event tells when it would
    /// go well.
    pub(super) fn fail(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some(priority) = self.waiting.get(key).map(|waiting| waiting.priority) else { return };
        let place = self.place(priority);
        let Some(waiting) = self.waiting.get_mut(key) else { return };
        waiting.failures += 1;
        let due = (now + backoff(waiting.failures), place);
        let before = std::mem::replace(&mut waiting.spot, Spot::Failed(due));
        self.leave(key, &before);
        self.failed.insert(due, key.clone());
    }

    /// Something changed that may help a pod that waits for a change.
    pub(super) fn wake(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some(waiting) = self.waiting.get_mut(key) else { return };
        match &mut waiting.spot {
            Spot::Taken { woken } => *woken = true,
            Spot::Parked => {
                let (priority, until) = (waiting.priority, waiting.tried.map(|tried| tried + backoff(waiting.refused)));
                self.parked.remove(key);
                let spot = match until.filter(|until| *until > now) {
                    None => self.ready(key, priority),
                    Some(until) => {
                        let due = (until, self.place(priority));
                        self.behind.insert(due, key.clone());
                        Spot::Behind(due)
                    }
                };
                if let Some(waiting) = self.waiting.get_mut(key) {
                    waiting.spot = spot;
                }
            }
            Spot::Ready(_) | Spot::Behind(_) | Spot::Failed(_) => {}
        }
    }

    /// The pods that wait for a change, or will as soon as they are dealt with.
    pub(super) fn hopeful(&self) -> impl Iterator<Item = &ObjectKey> {
        self.parked.iter().chain(&self.taken)
    }

    /// Whether a pod was refused last by what `concerns` says.
    pub(super) fn is_refused_by(&self, key: &ObjectKey, concerns: impl Fn(Plugin) -> bool) -> bool {
        let Some(waiting) = self.waiting.get(key) else { return false };
        waiting.plugins.iter().any(|plugin| concerns(*plugin))
    }

    /// When the first pod that failed is to be tried again.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.failed.keys().next().map(|due| due.0)
    }
}

/// Doubling from a second to ten.
fn backoff(times: u32) -> Duration {
    let doublings = times.saturating_sub(1).min(8);
    FIRST_BACKOFF.saturating_mul(1 << doublings).min(LARGEST_BACKOFF)
}
