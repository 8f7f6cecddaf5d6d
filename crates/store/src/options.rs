//! What a store is told at opening. Only settings: nothing here may act.

use std::sync::Arc;
use std::time::Duration;

use base::Clock;

use crate::key::Key;
use crate::seal::Sealer;

/// A choice by group and resource.
pub type TopicFilter = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// How much of the past is kept for watches and for lists at older revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Events younger than this are kept, unless one of the bounds below is crossed.
    pub age: Duration,
    /// Most events, of all topics together.
    pub events: usize,
    /// Most memory that history may keep alive, in bytes.
    pub bytes: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        HistoryLimits { age: Duration::from_secs(300), events: 100_000, bytes: 16 * 1024 * 1024 }
    }
}

/// How a store works.
#[derive(Clone)]
pub struct Options {
    /// Source of time.
    pub clock: Clock,
    /// How much of the past is kept.
    pub history: HistoryLimits,
    /// Encrypts values at rest.
    pub sealer: Option<Arc<dyn Sealer>>,
    /// Which topics' values are encrypted.
    pub seals: TopicFilter,
    /// Which topics may be acknowledged before they are durable.
    pub volatile: TopicFilter,
    /// How long what is volatile may wait for the disk; at most one second.
    pub volatile_delay: Duration,
    /// Bytes that may wait in the queue (a write counts at least one KiB)
    /// before further writers have to wait their turn.
    pub queue_bytes: usize,
}

impl Options {
    /// The defaults: nothing is sealed, nothing is volatile.
    pub fn new(clock: Clock) -> Self {
        Options {
            clock,
            history: HistoryLimits::default(),
            sealer: None,
            seals: Arc::new(|_, _| false),
            volatile: Arc::new(|_, _| false),
            volatile_delay: Duration::from_millis(500),
            queue_bytes: 16 * 1024 * 1024,
        }
    }

    pub(crate) fn is_volatile(&self, key: &Key) -> bool {
        (self.volatile)(&key.group, &key.resource)
    }

    pub(crate) fn is_sealed(&self, key: &Key) -> bool {
        (self.seals)(&key.group, &key.resource)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}
