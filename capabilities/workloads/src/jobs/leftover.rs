//! Lets go of pods that wait to be counted by a job that will not do it: it is
//! gone or over, or the pod is nobody's.

use std::sync::Arc;

use client::{Change, ObjectKey};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;

use super::act;
use crate::views::{is_tracked, owned_by};
use crate::world::World;

const WORKERS: usize = 4;

pub(super) fn start(world: &World) -> Handle {
    let of_job = world.clone();
    Controller::new("pods left over by jobs", Arc::new(Leftover { world: world.clone() }))
        .watches(world.pods.cache(), keys_of_pod)
        .watches(world.jobs.cache(), move |change| keys_of_job(&of_job, change))
        .workers(WORKERS)
        .start(world.tasks())
}

fn keys_of_pod(change: &Change) -> Vec<ObjectKey> {
    change.new.iter().filter(|pod| is_tracked(&pod.meta)).map(ObjectKey::of).collect()
}

/// The pods of a job that is gone; of one that is over as well, for it is over only now perhaps.
fn keys_of_job(world: &World, change: &Change) -> Vec<ObjectKey> {
    let Some(job) = change.old.as_ref().or(change.new.as_ref()) else { return Vec::new() };
    let lives = world.jobs.get(&ObjectKey::of(job)).filter(|held| held.object.meta.uid == job.meta.uid);
    if lives.is_some_and(|held| held.view.status.end().is_none()) {
        return Vec::new();
    }
    let pods = world.pods.find(&job.cluster, &owned_by(&job.meta.uid));
    pods.iter().filter(|pod| is_tracked(&pod.object.meta)).map(|pod| pod.key()).collect()
}

struct Leftover {
    world: World,
}

impl Reconciler for Leftover {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(pod) = self.world.pods.get(key).filter(|pod| is_tracked(&pod.object.meta)) else {
                return Ok(Next::Done);
            };
            if let Some(owner) = pod.object.meta.controller() {
                let is_job = owner.kind == "Job" && owner.api_version.starts_with("batch/");
                let job = ObjectKey::new(&key.cluster, &key.namespace, &owner.name);
                if !is_job || self.is_counting(&job, &owner.uid).await? {
                    return Ok(Next::Done);
                }
            }
            act::free(&self.world, &pod.object).await?;
            Ok(Next::Done)
        })
    }
}

impl Leftover {
    /// Whether a job is there that will count its pods, or that another controller looks after.
    async fn is_counting(&self, key: &ObjectKey, uid: &str) -> Result<bool, Error> {
        if let Some(job) = self.world.jobs.get(key).filter(|job| job.object.meta.uid == uid) {
            return Ok(job.view.is_foreign() || job.view.status.end().is_none());
        }
        // A pod may be seen before its job is.
        let live = self.world.jobs.live(key).await?;
        Ok(live.is_some_and(|job| job.meta.uid == uid))
    }
}
