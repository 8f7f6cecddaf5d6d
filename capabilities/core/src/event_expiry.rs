//! Removes Events an hour after they last happened, as etcd's leases do for
//! kube-apiserver. It keeps no event: every sweep reads them afresh.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::{Gvr, Status};
use base::Clock;
use capability::Context;
use client::{DeleteOptions, ListOptions, Object, Objects, Preconditions, Target};
use controller::place;
use serde::Deserialize;

const LIFETIME_SECS: i64 = 60 * 60;
/// Events expire together if they would within this time.
const SHORTEST_PAUSE_SECS: i64 = 60;
const PAGE: u64 = 500;

pub(crate) fn start(ctx: &Context) {
    let sweeper = Sweeper { objects: ctx.objects.clone(), clock: ctx.clock.clone() };
    ctx.tasks.spawn("event expiry", sweeper.run());
}

struct Sweeper {
    objects: Arc<dyn Objects>,
    clock: Clock,
}

impl Sweeper {
    async fn run(self) {
        loop {
            let pause = match self.sweep().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(%error, "old events cannot be removed");
                    Duration::from_secs(SHORTEST_PAUSE_SECS.unsigned_abs())
                }
            };
            // A timer, because nothing happens when an event grows old. What is made meanwhile
            // expires later than anything seen in this sweep or an hour from now.
            tokio::time::sleep(pause).await;
        }
    }

    /// Removes what has expired; returns when the next is due.
    async fn sweep(&self) -> Result<Duration, Status> {
        let target = Target::everywhere(&Gvr::new("", "v1", "events"));
        let now = self.clock.now().as_second();
        let mut oldest_kept = now;
        let mut options = ListOptions { limit: PAGE, ..ListOptions::default() };
        loop {
            let page = self.objects.list(&target, options.clone()).await?;
            for event in &page.items {
                match last_happened(event) {
                    Some(second) if second + LIFETIME_SECS > now => oldest_kept = oldest_kept.min(second),
                    _ => self.remove(&target, event).await?,
                }
            }
            if page.continue_token.is_empty() {
                return Ok(pause(oldest_kept, now));
            }
            options.continue_token = page.continue_token;
        }
    }

    async fn remove(&self, target: &Target, event: &Object) -> Result<(), Status> {
        // The revision makes sure that an event that just happened again stays.
        let preconditions = Preconditions {
            uid: Some(event.meta.uid.clone()),
            resource_version: Some(event.meta.resource_version.clone()),
        };
        let options = DeleteOptions { preconditions, ..DeleteOptions::default() };
        match self.objects.delete(&place::of(target, event), &event.meta.name, options).await {
            Err(status) if !status.is_not_found() && !status.is_conflict() => Err(status),
            _ => Ok(()),
        }
    }
}

fn pause(oldest_kept: i64, now: i64) -> Duration {
    let due = (oldest_kept + LIFETIME_SECS - now).clamp(SHORTEST_PAUSE_SECS, LIFETIME_SECS);
    Duration::from_secs(due.unsigned_abs())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Times {
    first_timestamp: Option<String>,
    last_timestamp: Option<String>,
    event_time: Option<String>,
    series: Option<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    last_observed_time: Option<String>,
}

/// The newest time that an event names, in seconds since 1970; `None` if it names none.
fn last_happened(event: &Object) -> Option<i64> {
    let times: Times = event.parse().unwrap_or_default();
    let series = times.series.and_then(|series| series.last_observed_time);
    let named = [times.first_timestamp, times.last_timestamp, times.event_time, series];
    let created = event.meta.creation_timestamp.clone();
    let parsed = named.into_iter().flatten().chain(created).filter_map(|time| time.parse::<jiff::Timestamp>().ok());
    parsed.map(jiff::Timestamp::as_second).max()
}
