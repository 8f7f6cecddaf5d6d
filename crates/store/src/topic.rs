//! One topic in memory: what is there now, and what happened lately. It
//! applies what it is given and answers questions; it must never check a
//! precondition or hand out a revision.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use crate::entry::{Entry, Event, EventKind};
use crate::floors::Floors;
use crate::key::{Key, Prefix};

/// What a memory of an entry costs beside its bytes, roughly.
const ENTRY_OVERHEAD: usize = 256;

/// Which part of a range, and as of when.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// As of exactly this revision; now, if not given.
    pub at: Option<u64>,
    /// At most this many entries.
    pub limit: Option<usize>,
    /// Only what comes after this key: a former page's `next`.
    pub after: Option<Key>,
}

/// Entries of a range in the order of their keys, as of one revision.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The revision at which this was the truth.
    pub revision: u64,
    /// Where the next page starts, if there is more.
    pub next: Option<Key>,
    /// How many entries lie beyond this page.
    pub remaining: usize,
}

#[derive(Default)]
pub(crate) struct TopicState {
    live: BTreeMap<Arc<Key>, Entry>,
    live_bytes: usize,
    history: VecDeque<Logged>,
    history_bytes: usize,
    pub floors: Floors,
}

/// An event and when it happened.
pub(crate) struct Logged {
    pub event: Arc<Event>,
    pub at_ms: i64,
}

impl TopicState {
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.live.get(key)
    }

    /// Entries now.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Memory of the entries, roughly.
    pub fn live_bytes(&self) -> usize {
        self.live_bytes + self.live.len() * ENTRY_OVERHEAD
    }

    /// Memory that history keeps alive.
    pub fn history_bytes(&self) -> usize {
        self.history_bytes
    }

    /// Events kept, oldest first.
    pub fn history(&self) -> &VecDeque<Logged> {
        &self.history
    }

    /// Makes the entry of `event` current, or removes it.
    pub fn apply(&mut self, event: &Event) {
        let replaced = match event.kind {
            EventKind::Put => {
                self.live_bytes += event.entry.value.len();
                self.live.insert(event.entry.key.clone(), event.entry.clone())
            }
            EventKind::Delete => self.live.remove(&event.entry.key),
        };
        self.live_bytes -= replaced.map_or(0, |entry| entry.value.len());
    }

    /// Adds the newest event to the history.
    pub fn remember(&mut self, event: Arc<Event>, at_ms: i64) {
        debug_assert!(self.history.back().is_none_or(|last| last.event.revision < event.revision));
        self.history_bytes += event.cost();
        self.history.push_back(Logged { event, at_ms });
    }

    /// Forgets the `count` oldest events and hands them over, to be dropped
    /// where nobody waits.
    pub fn forget(&mut self, count: usize) -> Vec<Logged> {
        let forgotten: Vec<Logged> = self.history.drain(..count).collect();
        for Logged { event, .. } in &forgotten {
            self.history_bytes -= event.cost();
            self.floors.forget(&event.entry.key.cluster, event.revision);
        }
        forgotten
    }

    /// Events after `revision`, oldest first.
    pub fn events_after(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let start = self.history.partition_point(|logged| logged.event.revision <= revision);
        self.history.range(start..).map(|logged| &logged.event)
    }

    /// The range as it was at `at`, which is not after `now`.
    pub fn list(&self, prefix: &Prefix, options: &ListOptions, at: u64) -> Page {
        let first = prefix.first();
        let start = match &options.after {
            Some(after) if *after >= first => Bound::Excluded(after),
            _ => Bound::Included(&first),
        };
        let live = self
            .live
            .range::<Key, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| !prefix.is_past(key))
            .filter(|(key, _)| prefix.matches(key));
        let undo = self.undo(prefix, at, start);
        if undo.is_empty() {
            return page(live.map(|(_, entry)| entry), options.limit, at);
        }
        // What changed since is taken from the undo list, the rest from the
        // present; both are in order, and no key is in both.
        let mut unchanged = live.filter(|(key, _)| !undo.contains_key(*key)).peekable();
        let mut restored = undo.iter().filter_map(|(key, was)| was.as_ref().map(|was| (key, was))).peekable();
        let merged = std::iter::from_fn(|| match (unchanged.peek(), restored.peek()) {
            (Some((here, _)), Some((there, _))) if here < there => unchanged.next().map(|(_, entry)| entry),
            (_, Some(_)) => restored.next().map(|(_, entry)| *entry),
            (_, None) => unchanged.next().map(|(_, entry)| entry),
        });
        page(merged, options.limit, at)
    }

    /// For each key of the range that changed after `at`: what it was at `at`.
    fn undo(&self, prefix: &Prefix, at: u64, start: Bound<&Key>) -> BTreeMap<&Arc<Key>, Option<&Entry>> {
        let mut undo = BTreeMap::new();
        for event in self.events_after(at) {
            let key = &event.entry.key;
            let in_reach = match start {
                Bound::Excluded(after) => **key > *after,
                _ => true,
            };
            if in_reach && prefix.matches(key) {
                // The first change after `at` is the one that knows.
                undo.entry(key).or_insert(event.previous.as_ref());
            }
        }
        undo
    }
}

fn page<'a>(mut entries: impl Iterator<Item = &'a Entry>, limit: Option<usize>, revision: u64) -> Page {
    let taken: Vec<Entry> = entries.by_ref().take(limit.unwrap_or(usize::MAX)).cloned().collect();
    let remaining = entries.count();
    let next = if remaining > 0 { taken.last().map(|entry| (*entry.key).clone()) } else { None };
    Page { entries: taken, revision, next, remaining }
}
