//! Who is woken by which change: those who watch the topic in all clusters,
//! and those who watch it in the cluster of the change. Carries no events.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::entry::Event;
use crate::key::{Prefix, Topic};

/// Clusters with a channel, per topic, before those without listeners are let go.
const FIRST_PURGE: usize = 64;

#[derive(Default)]
pub(crate) struct Wakes {
    topics: Mutex<HashMap<Topic, Channels>>,
}

struct Channels {
    all: watch::Sender<u64>,
    clusters: HashMap<Arc<str>, watch::Sender<u64>>,
    purge_at: usize,
}

impl Wakes {
    /// A receiver that sees a change whenever something in `prefix` may have happened.
    pub fn subscribe(&self, prefix: &Prefix) -> watch::Receiver<u64> {
        let mut topics = self.topics.lock();
        let channels = topics.entry(prefix.name_of_topic()).or_insert_with(|| Channels {
            all: watch::Sender::new(0),
            clusters: HashMap::new(),
            purge_at: FIRST_PURGE,
        });
        let Some(cluster) = &prefix.cluster else { return channels.all.subscribe() };
        if channels.clusters.len() >= channels.purge_at {
            channels.clusters.retain(|_, sender| sender.receiver_count() > 0);
            channels.purge_at = (channels.clusters.len() * 2).max(FIRST_PURGE);
        }
        channels.clusters.entry(cluster.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Wakes whoever these events concern, once each.
    pub fn announce(&self, events: &[Arc<Event>]) {
        let Some(newest) = events.last().map(|event| event.revision) else { return };
        let topics = self.topics.lock();
        if topics.is_empty() {
            return;
        }
        for event in events {
            let key = &event.entry.key;
            let Some(channels) = topics.get(&key.topic()) else { continue };
            raise(&channels.all, newest);
            if let Some(sender) = channels.clusters.get(&key.cluster) {
                raise(sender, newest);
            }
        }
    }

    /// Wakes everyone, because the store has closed.
    pub fn announce_all(&self) {
        for channels in self.topics.lock().values() {
            raise(&channels.all, u64::MAX);
            channels.clusters.values().for_each(|sender| raise(sender, u64::MAX));
        }
    }

    /// Watchers there are.
    pub fn watchers(&self) -> usize {
        let of = |channels: &Channels| {
            channels.all.receiver_count() + channels.clusters.values().map(watch::Sender::receiver_count).sum::<usize>()
        };
        self.topics.lock().values().map(of).sum()
    }
}

fn raise(sender: &watch::Sender<u64>, to: u64) {
    sender.send_if_modified(|seen| {
        let is_new = *seen < to;
        *seen = to;
        is_new
    });
}
