//! Watches: everything there is, if asked for, then every change, each once and
//! in order. A change of an object that enters or leaves the selection is told
//! as an addition or a deletion. Nothing is queued: a watch that falls behind
//! the history ends with 410.

use std::sync::Arc;

use api::{ClusterName, Status};
use store::{EventKind, Watcher};

use super::read::ReadAt;
use super::select::Selectors;
use super::server::{ApiServer, Subject, store_error};
use crate::custom;
use crate::record::Record;

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchFrom {
    /// With all there is, as additions.
    Everything,
    /// With all there is, as additions, then a bookmark that says so.
    EverythingThenBookmark,
    /// After this revision.
    Revision(u64),
}

/// What a watch tells.
pub enum Change {
    /// In view since now.
    Added(ClusterName, Record),
    /// In view and changed.
    Modified(ClusterName, Record),
    /// Out of view; the object as it was last, under the revision of the change.
    Deleted(ClusterName, Record),
    /// The initial additions are complete; the state they were of.
    InitialEnd(u64),
}

/// A running watch.
pub struct Watching {
    subject: Subject,
    selectors: Selectors,
    initial: std::vec::IntoIter<(ClusterName, Record)>,
    initial_end: Option<u64>,
    events: std::vec::IntoIter<Arc<store::Event>>,
    watcher: Watcher,
}

impl ApiServer {
    /// Starts a watch in the subject's cluster, or in all clusters.
    pub fn watch(
        &self,
        subject: &Subject,
        all_clusters: bool,
        selectors: Selectors,
        from: WatchFrom,
    ) -> Result<Watching, Status> {
        let mut prefix = subject.prefix();
        if all_clusters {
            prefix.cluster = None;
        }
        let (initial, revision, initial_end) = match from {
            WatchFrom::Revision(revision) => {
                if revision > self.store().revision() {
                    return Err(Status::revision_too_large(revision, self.store().revision()));
                }
                (Vec::new(), revision, None)
            }
            WatchFrom::Everything | WatchFrom::EverythingThenBookmark => {
                let listing = self.list(subject, all_clusters, &selectors, ReadAt::Newest, 0, "")?;
                let revision = listing.revision;
                let end = (from == WatchFrom::EverythingThenBookmark).then_some(revision);
                (listing.items.into_iter().map(|item| (item.cluster, item.record)).collect(), revision, end)
            }
        };
        let watcher = self.store().watch(&prefix, revision).map_err(|error| store_error(&error))?;
        Ok(Watching {
            subject: subject.clone(),
            selectors,
            initial: initial.into_iter(),
            initial_end,
            events: Vec::new().into_iter(),
            watcher,
        })
    }
}

impl Watching {
    /// The kind that is watched.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The next change; waits for one.
    pub async fn next(&mut self) -> Result<Change, Status> {
        if let Some((cluster, record)) = self.initial.next() {
            return Ok(Change::Added(cluster, record));
        }
        if let Some(revision) = self.initial_end.take() {
            return Ok(Change::InitialEnd(revision));
        }
        loop {
            while let Some(event) = self.events.next() {
                if let Some(change) = self.judge(&event) {
                    return Ok(change);
                }
            }
            self.events = self.watcher.next().await.map_err(|error| store_error(&error))?.into_iter();
        }
    }

    /// A revision up to which everything has been told; `None` while there is more at hand.
    pub fn progress(&mut self) -> Option<u64> {
        (self.events.len() == 0 && self.initial.len() == 0 && self.initial_end.is_none())
            .then(|| self.watcher.progress())
    }

    fn judge(&self, event: &store::Event) -> Option<Change> {
        let kind = &self.subject.kind.descriptor;
        let key = &event.entry.key;
        let matches = |record: &Record| {
            self.selectors.is_everything() || self.selectors.matches(kind, &key.namespace, &key.name, record)
        };
        let cluster = ClusterName::new(&key.cluster).unwrap_or_else(ClusterName::root);
        let read = |entry: &store::Entry| custom::record(&self.subject.kind, entry);
        let now = read(&event.entry);
        let before = event.previous.as_ref().map(read);
        let was_in = before.as_ref().is_some_and(&matches);
        let is_in = event.kind == EventKind::Put && matches(&now);
        match (was_in, is_in) {
            (false, false) => None,
            (false, true) => Some(Change::Added(cluster, now)),
            (true, true) => Some(Change::Modified(cluster, now)),
            (true, false) => {
                // What left the selection is told as it was last seen, under the new revision.
                let gone = match event.kind {
                    EventKind::Delete => now,
                    EventKind::Put => Record { revision: event.revision, ..before? },
                };
                Some(Change::Deleted(cluster, gone))
            }
        }
    }
}
