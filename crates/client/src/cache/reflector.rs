//! Follows one resource: lists it, watches from there, resumes where a watch
//! ended, and lists again when the server no longer holds that revision. It
//! never keeps objects; a sink takes them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use api::Status;
use base::Ids;
use futures::StreamExt;

use super::backoff::Backoff;
use super::key::ObjectKey;
use crate::{Event, ListOptions, Object, Objects, Result, Target, WatchOptions};

/// Objects per page of a list.
const PAGE: u64 = 500;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LARGEST_PAUSE: Duration = Duration::from_secs(30);
/// Failed watches in a row after which the resource is listed afresh.
const WATCH_ATTEMPTS: u32 = 5;
/// The pause of a kind that is not served grows no further than after so many failures, some
/// three seconds: it may be defined at any time.
const UNSERVED_FAILURES: u32 = 7;

/// Takes in what a reflector sees. Called from one task, in order; must not block.
pub trait Sink: Send + Sync + 'static {
    /// An object is there in this state. May repeat, and may be older than what was seen.
    fn upsert(&self, object: Object);
    /// An object is gone; this is its last state.
    fn delete(&self, object: Object);
    /// A list at this revision is complete, or the kind is not served (then the revision is 0):
    /// what is not in `seen` is not there.
    fn listed(&self, seen: &HashSet<ObjectKey>, revision: u64);
    /// Everything up to this revision has been seen.
    fn reached(&self, _revision: u64) {}
}

/// Follows one resource into a sink, for those who keep less than a [`super::Cache`] does.
pub struct Reflector<S> {
    /// Where the objects are.
    pub objects: Arc<dyn Objects>,
    /// What to follow.
    pub target: Target,
    /// Label selector; empty for all.
    pub label_selector: String,
    /// Field selector; empty for all.
    pub field_selector: String,
    /// Who takes in what is seen.
    pub sink: Arc<S>,
}

impl<S: Sink> Reflector<S> {
    /// Follows until dropped.
    pub async fn run(self) {
        let backoff = Backoff::new(FIRST_PAUSE, LARGEST_PAUSE, Ids::system());
        let mut failures = 0;
        loop {
            match self.list().await {
                Ok(revision) => {
                    failures = 0;
                    self.follow(revision, &backoff).await;
                }
                Err(status) => {
                    failures += 1;
                    self.report("list", failures, &status);
                    if status.is_not_found() {
                        // The kind is not served, now or no longer: there is nothing of it.
                        self.sink.listed(&HashSet::new(), 0);
                        failures = failures.min(UNSERVED_FAILURES);
                    }
                    pause(&backoff, failures, &status).await;
                }
            }
        }
    }

    /// Lists everything and returns the revision to watch from.
    async fn list(&self) -> Result<String> {
        let mut seen = HashSet::new();
        let mut options = ListOptions {
            label_selector: self.label_selector.clone(),
            field_selector: self.field_selector.clone(),
            limit: PAGE,
            ..ListOptions::default()
        };
        loop {
            let page = self.objects.list(&self.target, options.clone()).await?;
            for object in page.items {
                seen.insert(ObjectKey::of(&object));
                self.sink.upsert(object);
            }
            if page.continue_token.is_empty() {
                self.sink.listed(&seen, page.resource_version.parse().unwrap_or(0));
                return Ok(page.resource_version);
            }
            options.continue_token = page.continue_token;
        }
    }

    /// Watches from `revision` on; returns when only a new list can help.
    async fn follow(&self, mut revision: String, backoff: &Backoff) {
        let mut failures = 0;
        loop {
            let before = revision.clone();
            let ended = self.watch(&mut revision).await;
            failures = if before == revision { failures + 1 } else { 1 };
            match ended {
                // Servers end watches after some minutes; that is no failure.
                Ok(()) => pause(backoff, failures.min(WATCH_ATTEMPTS), &Status::unavailable("")).await,
                Err(status) if needs_list(&status) || failures >= WATCH_ATTEMPTS => {
                    self.report("watch", failures, &status);
                    return;
                }
                Err(status) => {
                    self.report("watch", failures, &status);
                    pause(backoff, failures, &status).await;
                }
            }
        }
    }

    async fn watch(&self, revision: &mut String) -> Result<()> {
        let options = WatchOptions {
            label_selector: self.label_selector.clone(),
            field_selector: self.field_selector.clone(),
            resource_version: revision.clone(),
            send_initial_events: false,
        };
        let mut events = self.objects.watch(&self.target, options).await?;
        while let Some(event) = events.next().await {
            match event? {
                Event::Added(object) | Event::Modified(object) => {
                    revision.clone_from(&object.meta.resource_version);
                    self.sink.upsert(object);
                }
                Event::Deleted(object) => {
                    revision.clone_from(&object.meta.resource_version);
                    self.sink.delete(object);
                }
                Event::Bookmark { resource_version, .. } => {
                    self.sink.reached(resource_version.parse().unwrap_or(0));
                    *revision = resource_version;
                }
            }
        }
        Ok(())
    }

    fn report(&self, verb: &str, failures: u32, status: &Status) {
        let resource = self.target.gvr.to_string();
        if failures > 3 && !needs_list(status) {
            tracing::warn!(%resource, verb, failures, error = %status, "a resource cannot be followed");
        } else {
            tracing::debug!(%resource, verb, failures, error = %status, "a resource is followed anew");
        }
    }
}

/// Whether watching from the same revision can never succeed.
fn needs_list(status: &Status) -> bool {
    let too_large = || status.causes.iter().any(|cause| cause.reason == "ResourceVersionTooLarge");
    status.is_expired() || status.is_not_found() || too_large()
}

/// A timer, because no event says that a server answers again.
async fn pause(backoff: &Backoff, failures: u32, status: &Status) {
    let asked = Duration::from_secs(u64::from(status.retry_after_secs)).min(LARGEST_PAUSE);
    tokio::time::sleep(backoff.delay(failures).max(asked)).await;
}
