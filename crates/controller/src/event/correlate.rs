//! Which happenings become a new event, which count up an earlier one, and
//! which are too many: client-go's `EventCorrelator` as a pure function of time.

use std::collections::HashMap;
use std::hash::Hash;

use api::ClusterName;
use jiff::Timestamp;

use super::EventKind;

/// Keys remembered of each sort: a quarter of client-go's, since there is a recorder for every
/// controller, and each costs memory.
const REMEMBERED: usize = 1024;
/// Different messages of one kind and reason after which they are told as one.
const SIMILAR: usize = 10;
const SIMILAR_WITHIN_SECS: i64 = 600;
/// Events of one object that may come at once, and the seconds it takes to regain one.
const BURST: f64 = 25.0;
const REFILL_SECS: f64 = 300.0;
const COMBINED: &str = "(combined from similar events): ";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Happening {
    pub(super) cluster: ClusterName,
    pub(super) uid: String,
    pub(super) kind: EventKind,
    pub(super) reason: String,
    pub(super) message: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Create { message: String },
    Count { name: String, count: u32, message: String },
    Drop,
}

type About = (ClusterName, String);
/// Object, kind, reason; and the message unless it stands for all similar ones.
type Told = (About, EventKind, String, Option<String>);

#[derive(Default)]
pub(super) struct Correlator {
    told: Remembered<Told, (String, u32)>,
    similar: Remembered<Told, (Vec<String>, i64)>,
    tokens: Remembered<About, (f64, i64)>,
}

impl Correlator {
    /// Decides on a happening; a new event would be called `name`.
    pub(super) fn observe(&mut self, happening: &Happening, name: &str, now: Timestamp) -> Decision {
        let now = now.as_second();
        if !self.admit((happening.cluster.clone(), happening.uid.clone()), now) {
            return Decision::Drop;
        }
        let combined = self.is_one_of_many(happening, now);
        let message = if combined { format!("{COMBINED}{}", happening.message) } else { happening.message.clone() };
        let key = key(happening, !combined);
        match self.told.get(&key) {
            Some((name, count)) => {
                *count += 1;
                Decision::Count { name: name.clone(), count: *count, message }
            }
            None => {
                self.told.put(key, (name.to_owned(), 1));
                Decision::Create { message }
            }
        }
    }

    /// The event that was to be counted up has expired and is made anew under `name`.
    pub(super) fn renamed(&mut self, happening: &Happening, name: &str) {
        for with_message in [true, false] {
            let key = key(happening, with_message);
            if self.told.get(&key).is_some() {
                self.told.put(key, (name.to_owned(), 1));
                return;
            }
        }
    }

    fn admit(&mut self, about: About, now: i64) -> bool {
        let (tokens, since) = self.tokens.get(&about).copied().unwrap_or((BURST, now));
        let tokens = (tokens + seconds(now - since) / REFILL_SECS).min(BURST);
        let admitted = tokens >= 1.0;
        self.tokens.put(about, (if admitted { tokens - 1.0 } else { tokens }, now));
        admitted
    }

    fn is_one_of_many(&mut self, happening: &Happening, now: i64) -> bool {
        let key = key(happening, false);
        let (mut messages, since) = self.similar.get(&key).cloned().unwrap_or((Vec::new(), now));
        if now - since > SIMILAR_WITHIN_SECS {
            messages.clear();
        }
        if !messages.contains(&happening.message) && messages.len() < SIMILAR {
            messages.push(happening.message.clone());
        }
        let many = messages.len() >= SIMILAR;
        self.similar.put(key, (messages, now));
        many
    }
}

fn key(happening: &Happening, with_message: bool) -> Told {
    let about = (happening.cluster.clone(), happening.uid.clone());
    (about, happening.kind, happening.reason.clone(), with_message.then(|| happening.message.clone()))
}

/// Intervals between events are far below what an `f64` holds exactly.
#[allow(clippy::cast_precision_loss)]
fn seconds(count: i64) -> f64 {
    count.max(0) as f64
}

/// A map that forgets its older half when it is full: two generations, the older dropped whole.
struct Remembered<K, V> {
    recent: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Remembered { recent: HashMap::new(), older: HashMap::new() }
    }
}

impl<K: Hash + Eq + Clone, V> Remembered<K, V> {
    fn get(&mut self, key: &K) -> Option<&mut V> {
        if let Some(value) = self.older.remove(key) {
            self.put(key.clone(), value);
        }
        self.recent.get_mut(key)
    }

    fn put(&mut self, key: K, value: V) {
        if self.recent.len() >= REMEMBERED / 2 {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, value);
    }
}
