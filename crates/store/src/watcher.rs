//! A reader of a topic's events. It holds a place in the history and nothing
//! else: no queue stands between it and the store, so a slow one costs nothing
//! and is told when its place is gone. It must never skip or repeat an event.

use std::sync::Arc;

use tokio::sync::watch;

use crate::entry::Event;
use crate::error::Error;
use crate::key::Prefix;
use crate::shared::Shared;

/// Events handed out at once.
const BATCH: usize = 256;
/// Events looked at under one hold of the lock.
const SCAN: usize = 4096;

/// The events of a range after some revision, in order, each once.
pub struct Watcher {
    shared: Arc<Shared>,
    prefix: Prefix,
    /// Every event of the range up to here has been handed out.
    place: u64,
    wake: watch::Receiver<u64>,
}

impl Watcher {
    pub(crate) fn new(shared: Arc<Shared>, prefix: Prefix, from: u64) -> Result<Self, Error> {
        let wake = shared.wakes.subscribe(&prefix);
        {
            let index = shared.index.read();
            index.check_past(from)?;
            index.check_kept(&prefix, from)?;
        }
        Ok(Watcher { shared, prefix, place: from, wake })
    }

    /// Waits for the next events: at least one. Fails with [`Error::Compacted`]
    /// if events were forgotten before they were fetched, and with
    /// [`Error::Closed`] after the last event of a closed store. Dropping the
    /// future loses nothing.
    pub async fn next(&mut self) -> Result<Vec<Arc<Event>>, Error> {
        loop {
            // Marked as seen before looking, so that what is published while
            // looking wakes again.
            self.wake.borrow_and_update();
            let (events, is_end) = self.fetch()?;
            if !events.is_empty() {
                return Ok(events);
            }
            if !is_end {
                continue;
            }
            if self.shared.index.read().closed {
                return Err(Error::Closed);
            }
            self.wake.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// The next events that are there already; none, if there are none.
    pub fn try_next(&mut self) -> Result<Vec<Arc<Event>>, Error> {
        loop {
            let (events, is_end) = self.fetch()?;
            if is_end || !events.is_empty() {
                return Ok(events);
            }
        }
    }

    /// A revision up to which every event of the range has been handed out: the
    /// newest there is, if none is waiting. What a bookmark says.
    pub fn progress(&mut self) -> u64 {
        let index = self.shared.index.read();
        let topic = index.topics.get(&self.prefix.name_of_topic());
        let is_waiting = index.check_kept(&self.prefix, self.place).is_err()
            || topic
                .is_some_and(|topic| topic.events_after(self.place).any(|event| self.prefix.matches(&event.entry.key)));
        if !is_waiting {
            self.place = self.place.max(index.revision);
        }
        self.place
    }

    /// The range that is watched.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Looks through the next stretch of history. Returns what it found and
    /// whether that was the end.
    fn fetch(&mut self) -> Result<(Vec<Arc<Event>>, bool), Error> {
        let index = self.shared.index.read();
        let mut found = Vec::new();
        index.check_kept(&self.prefix, self.place)?;
        if let Some(topic) = index.topics.get(&self.prefix.name_of_topic()) {
            for (looked, event) in topic.events_after(self.place).enumerate() {
                if looked == SCAN || found.len() == BATCH {
                    return Ok((found, false));
                }
                self.place = event.revision;
                if self.prefix.matches(&event.entry.key) {
                    found.push(event.clone());
                }
            }
        }
        self.place = self.place.max(index.revision);
        Ok((found, true))
    }
}
