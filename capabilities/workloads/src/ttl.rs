//! Deletes jobs that ended as long ago as they ask for. It never deletes one
//! that it has not read afresh: how long it is kept may have been changed.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use client::{ObjectKey, Propagation, View};
use controller::{Controller, Error, Next, Reconciler};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use crate::views::Job;
use crate::world::World;

const WORKERS: usize = 4;

pub(crate) fn start(world: &World) {
    Controller::new("finished jobs", Arc::new(FinishedJobs { world: world.clone() }))
        .owns(world.jobs.cache())
        .workers(WORKERS)
        .start(world.tasks());
}

/// When a job is to be deleted, if it has ended and says so.
fn expires(job: &Job) -> Option<Timestamp> {
    let kept = SignedDuration::from_secs(job.spec.ttl_seconds_after_finished?);
    job.status.end()?.last_transition_time?.checked_add(kept).ok()
}

struct FinishedJobs {
    world: World,
}

impl Reconciler for FinishedJobs {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let held = self.world.jobs.get(key).filter(|job| !job.object.meta.is_deleting());
            let Some(due) = held.and_then(|job| expires(&job.view)) else { return Ok(Next::Done) };
            let now = self.world.clock().now();
            if now < due {
                // No event tells that a time has come.
                return Ok(Next::After(Duration::try_from(now.duration_until(due)).unwrap_or_default()));
            }
            let Some(live) = self.world.jobs.live(key).await? else { return Ok(Next::Done) };
            // What has changed since leads here again.
            if expires(&Job::read(&live)?).is_some_and(|due| due <= now) {
                self.world.jobs.delete_propagating(&live, Propagation::Foreground).await?;
            }
            Ok(Next::Done)
        })
    }
}
