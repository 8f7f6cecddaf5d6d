//! Everything that is published, in memory, and how it is asked. It must
//! change only in whole batches, through [`Index::publish`].

use std::collections::HashMap;
use std::sync::Arc;

use crate::entry::{Entry, Event};
use crate::error::Error;
use crate::key::{Key, Prefix, Topic};
use crate::options::TopicFilter;
use crate::topic::{ListOptions, Logged, Page, TopicState};

/// The published state. Readers share it behind one lock that is held only for
/// work in memory.
#[derive(Default)]
pub(crate) struct Index {
    pub topics: HashMap<Topic, TopicState>,
    /// The newest published revision.
    pub revision: u64,
    pub closed: bool,
    /// Why writes are refused, once they are.
    pub read_only: Option<Arc<str>>,
    volatile: Option<TopicFilter>,
    volatile_floor: u64,
}

/// Figures for health pages and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The newest published revision.
    pub revision: u64,
    /// The revision from which on every topic's events are kept.
    pub oldest: u64,
    /// Topics there are.
    pub topics: usize,
    /// Entries there are.
    pub entries: usize,
    /// Memory the entries take, roughly.
    pub entry_bytes: usize,
    /// Events kept.
    pub history_events: usize,
    /// Memory that history keeps alive, roughly.
    pub history_bytes: usize,
    /// Watchers there are.
    pub watchers: usize,
    /// Why writes are refused, if they are.
    pub read_only: Option<Arc<str>>,
    /// Transactions that changed something since opening.
    pub transactions: u64,
    /// Synced writes to the log since opening.
    pub syncs: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
}

impl Index {
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.topics.get(&key.topic())?.get(key)
    }

    pub fn topic(&mut self, topic: &Topic) -> &mut TopicState {
        if !self.topics.contains_key(topic) {
            let mut state = TopicState::default();
            state.floors.raise_base(self.first_floor(topic));
            self.topics.insert(topic.clone(), state);
        }
        self.topics.get_mut(topic).expect("the topic was inserted above if it was missing")
    }

    pub fn list(&self, prefix: &Prefix, options: &ListOptions) -> Result<Page, Error> {
        let at = options.at.unwrap_or(self.revision);
        self.check_past(at)?;
        self.check_kept(prefix, at)?;
        Ok(match self.topics.get(&prefix.name_of_topic()) {
            Some(topic) => topic.list(prefix, options, at),
            None => Page { entries: Vec::new(), revision: at, next: None, remaining: 0 },
        })
    }

    /// Refuses a revision that has not happened.
    pub fn check_past(&self, asked: u64) -> Result<(), Error> {
        if asked > self.revision { Err(Error::Future { asked, current: self.revision }) } else { Ok(()) }
    }

    /// Refuses a revision whose aftermath in `prefix` is not all kept.
    pub fn check_kept(&self, prefix: &Prefix, asked: u64) -> Result<(), Error> {
        let name = prefix.name_of_topic();
        let oldest = match self.topics.get(&name) {
            Some(topic) => topic.floors.of(prefix.cluster.as_deref()),
            None => self.first_floor(&name),
        };
        if asked < oldest { Err(Error::Compacted { asked, oldest }) } else { Ok(()) }
    }

    /// What volatile topics did up to `floor` may have been lost: nobody can be
    /// told about it any more, not even in topics of which nothing is left.
    pub fn forget_volatile(&mut self, volatile: TopicFilter, floor: u64) {
        self.volatile_floor = floor;
        self.volatile = Some(volatile);
        let names: Vec<Topic> = self.topics.keys().cloned().collect();
        for name in names {
            let floor = self.first_floor(&name);
            self.topic(&name).floors.raise_base(floor);
        }
    }

    /// The floor of a topic in which nothing has happened yet.
    fn first_floor(&self, topic: &Topic) -> u64 {
        let is_volatile = self.volatile.as_ref().is_some_and(|volatile| volatile(&topic.group, &topic.resource));
        if is_volatile { self.volatile_floor } else { 0 }
    }

    /// Makes a batch visible at once, and forgets the given number of each
    /// topic's oldest events. Returns what was forgotten, to be dropped outside
    /// the lock.
    pub fn publish(
        &mut self,
        events: &[Arc<Event>],
        at_ms: i64,
        revision: u64,
        forget: &[(Topic, usize)],
    ) -> Vec<Vec<Logged>> {
        for event in events {
            let topic = self.topic(&event.entry.key.topic());
            topic.apply(event);
            topic.remember(event.clone(), at_ms);
        }
        self.revision = revision;
        forget.iter().map(|(topic, count)| self.topic(topic).forget(*count)).collect()
    }

    pub fn oldest(&self) -> u64 {
        self.topics.values().map(|topic| topic.floors.of(None)).max().unwrap_or(0)
    }

    pub fn history_events(&self) -> usize {
        self.topics.values().map(|topic| topic.history().len()).sum()
    }

    pub fn history_bytes(&self) -> usize {
        self.topics.values().map(TopicState::history_bytes).sum()
    }

    pub fn stats(&self) -> Stats {
        Stats {
            revision: self.revision,
            oldest: self.oldest(),
            topics: self.topics.len(),
            entries: self.topics.values().map(TopicState::len).sum(),
            entry_bytes: self.topics.values().map(TopicState::live_bytes).sum(),
            history_events: self.history_events(),
            history_bytes: self.history_bytes(),
            read_only: self.read_only.clone(),
            ..Stats::default()
        }
    }
}
