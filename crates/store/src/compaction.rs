//! Which events are forgotten next, and which rows of the log that frees. Only
//! decides; it must never choose a row that the present, or an event that is
//! kept, still needs.

use std::time::Duration;

use crate::entry::{Event, EventKind};
use crate::index::Index;
use crate::key::Topic;
use crate::options::HistoryLimits;
use crate::topic::TopicState;

/// Events forgotten in one step. Each frees at most two rows.
pub(crate) const SLICE_EVENTS: usize = 250;
/// How many events the fattest topic gives before it is compared again.
const BITE: usize = 32;

/// One step of compaction.
#[derive(Debug, Default)]
pub(crate) struct Trim {
    /// How many of each topic's oldest events go.
    pub topics: Vec<(Topic, usize)>,
    /// The rows that are not needed without them.
    pub rows: Vec<u64>,
    /// The new floors, by topic.
    pub floors: Vec<(Topic, u64)>,
    /// Whether there may be more to do.
    pub is_full: bool,
}

/// A topic while it is decided how much of it goes.
struct Candidate<'a> {
    name: &'a Topic,
    topic: &'a TopicState,
    taken: usize,
    bytes_left: usize,
}

impl Candidate<'_> {
    fn events_left(&self) -> usize {
        self.topic.history().len() - self.taken
    }

    fn take(&mut self) -> usize {
        let cost = self.topic.history()[self.taken].event.cost();
        self.taken += 1;
        self.bytes_left -= cost;
        cost
    }

    fn next_is_durable(&self, durable: u64) -> bool {
        self.topic.history().get(self.taken).is_some_and(|logged| logged.event.revision <= durable)
    }
}

/// Plans one step: what is older than the limits allow, in every topic, and
/// then, while there is too much of it, the oldest of whichever topic has the
/// most. Taking from the fattest keeps a busy topic from pushing out the
/// history of the quiet ones. Only durable events can go.
pub(crate) fn plan(index: &Index, limits: &HistoryLimits, now_ms: i64, durable: u64, budget: usize) -> Trim {
    let mut left = budget;
    let mut candidates: Vec<Candidate<'_>> = index
        .topics
        .iter()
        .filter(|(_, topic)| !topic.history().is_empty())
        .map(|(name, topic)| Candidate { name, topic, taken: 0, bytes_left: topic.history_bytes() })
        .collect();
    let too_old = now_ms.saturating_sub(millis(limits.age));
    for candidate in &mut candidates {
        let base = candidate.topic.floors.base();
        while left > 0 && candidate.next_is_durable(durable) {
            let next = &candidate.topic.history()[candidate.taken];
            if next.at_ms > too_old && next.event.revision > base {
                break;
            }
            candidate.take();
            left -= 1;
        }
    }
    left = take_from_fattest(&mut candidates, limits, durable, left);
    collect(&candidates, left == 0)
}

fn take_from_fattest(candidates: &mut [Candidate<'_>], limits: &HistoryLimits, durable: u64, mut left: usize) -> usize {
    let mut events: usize = candidates.iter().map(Candidate::events_left).sum();
    let mut bytes: usize = candidates.iter().map(|candidate| candidate.bytes_left).sum();
    while left > 0 && (events > limits.events || bytes > limits.bytes) {
        let by_bytes = bytes > limits.bytes;
        let fattest = candidates
            .iter_mut()
            .filter(|candidate| candidate.next_is_durable(durable))
            .max_by_key(|candidate| if by_bytes { candidate.bytes_left } else { candidate.events_left() });
        let Some(fattest) = fattest else { break };
        for _ in 0..BITE.min(left) {
            let is_over = events > limits.events || bytes > limits.bytes;
            if !is_over || !fattest.next_is_durable(durable) {
                break;
            }
            bytes -= fattest.take();
            events -= 1;
            left -= 1;
        }
    }
    left
}

fn collect(candidates: &[Candidate<'_>], is_full: bool) -> Trim {
    let mut trim = Trim { is_full, ..Trim::default() };
    for candidate in candidates.iter().filter(|candidate| candidate.taken > 0) {
        let history = candidate.topic.history();
        trim.topics.push((candidate.name.clone(), candidate.taken));
        trim.floors.push((candidate.name.clone(), history[candidate.taken - 1].event.revision));
        for logged in history.range(..candidate.taken) {
            trim.rows.extend(freed_rows(&logged.event));
        }
    }
    trim
}

/// Once an event is forgotten nobody asks for the version it replaced; and a
/// deletion itself leaves nothing behind.
fn freed_rows(event: &Event) -> impl Iterator<Item = u64> {
    let own = (event.kind == EventKind::Delete).then_some(event.revision);
    event.previous.as_ref().map(|previous| previous.revision).into_iter().chain(own)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
