//! Keeps as many pods of a replica set as it asks for: observes pods, decides
//! in `decide`, creates and deletes, and reports what it counted.

mod decide;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::Gvk;
use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use serde_json::Value;
use std::time::Duration;

use crate::batch;
use crate::claim::Claimant;
use crate::template;
use crate::views::{Pod, ReplicaSet};
use crate::world::World;
use decide::{Failure, Plan};

const WORKERS: usize = 8;

pub(crate) fn gvk() -> Gvk {
    Gvk::new("apps", "v1", "ReplicaSet")
}

pub(crate) fn start(world: &World) -> Handle {
    let recorder = world.recorder("replicaset-controller");
    let reconciler = ReplicaSets { world: world.clone(), recorder };
    let of_pod = world.clone();
    Controller::new("replica sets", Arc::new(reconciler))
        .owns(world.replica_sets.cache())
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The replica sets that a pod concerns: its owners before and now, or, for an orphan, those that
/// could adopt it.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    let mut keys = Vec::new();
    for pod in [&change.old, &change.new].into_iter().flatten() {
        match pod.meta.controller() {
            Some(owner) if owner.kind == "ReplicaSet" => {
                let key = ObjectKey::new(&pod.cluster, &pod.meta.namespace, &owner.name);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            Some(_) => {}
            None => {
                let sets = world.replica_sets.find_in(&pod.cluster, &pod.meta.namespace);
                let selecting = sets.iter().filter(|set| set.view.selector.matches_map(&pod.meta.labels));
                keys.extend(selecting.map(|set| set.key()));
            }
        }
    }
    keys
}

struct ReplicaSets {
    world: World,
    recorder: Recorder,
}

impl Reconciler for ReplicaSets {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.replica_sets.get(key) {
                Some(set) => self.sync(&set).await,
                None => Ok(Next::Done),
            }
        })
    }
}

impl ReplicaSets {
    async fn sync(&self, set: &Item<ReplicaSet>) -> Result<Next, Error> {
        let pods = self.claim(set).await?;
        let now = self.world.clock().now();
        let plan = decide::plan(set, &pods, |pod| self.others_on_its_node(set, pod), now);
        let outcome = self.act(set, &plan).await;
        // Pods that were made or deleted just now come back as changes, and are counted then.
        let failure = outcome.as_ref().err().map(|error| Failure::of(&plan, error));
        let status = decide::status(set, &pods, failure, &self.world.clock().now_rfc3339(), now)?;
        self.world.replica_sets.update_status(&set.object, status).await?;
        outcome?;
        // No event tells that a pod has been ready for long enough.
        let due = decide::next_available(set, &pods, now);
        Ok(due.map_or(Next::Done, |secs| Next::After(Duration::from_secs(secs))))
    }

    async fn claim(&self, set: &Item<ReplicaSet>) -> Result<Vec<Arc<Item<Pod>>>, Error> {
        let claimant =
            Claimant { gvk: gvk(), owner: &set.object, selector: &set.view.selector, owners: &self.world.replica_sets };
        claimant.claim(&self.world.pods).await
    }

    /// How many active pods of the same deployment share the node of `pod`: of two that are
    /// otherwise alike, the one on the fuller node goes first.
    fn others_on_its_node(&self, set: &Item<ReplicaSet>, pod: &Item<Pod>) -> usize {
        let cluster = &set.object.cluster;
        let deployment = set.object.meta.controller().map(|owner| owner.uid.as_str());
        let is_related = |other: &Item<Pod>| {
            let owner = other
                .object
                .meta
                .controller()
                .map(|owner| ObjectKey::new(cluster, &other.object.meta.namespace, &owner.name));
            let of = owner.and_then(|key| self.world.replica_sets.get(&key));
            of.is_some_and(|of| {
                of.object.meta.uid == set.object.meta.uid
                    || (deployment.is_some()
                        && of.object.meta.controller().map(|owner| owner.uid.as_str()) == deployment)
            })
        };
        let on_node = self.world.pods.find(cluster, &Pod::on_node(&pod.view.spec.node_name));
        on_node.iter().filter(|other| decide::is_active(other) && is_related(other)).count()
    }

    async fn act(&self, set: &Item<ReplicaSet>, plan: &Plan) -> Result<(), Error> {
        match plan {
            Plan::Nothing => Ok(()),
            Plan::Create(count) => self.create(set, *count).await,
            Plan::Delete(pods) => self.delete(set, pods).await,
        }
    }

    async fn create(&self, set: &Item<ReplicaSet>, count: usize) -> Result<(), Error> {
        let object: Value = set.object.value()?;
        let pod = template::pod(&object["spec"]["template"], &gvk(), &set.object.meta);
        let (_, outcome) = batch::slowly(0..count, |_| async {
            match self.world.pods.create(&set.object.cluster, &pod).await {
                Ok(made) => {
                    let message = format!("Created pod: {}", made.meta.name);
                    self.recorder.record(&set.object, EventKind::Normal, "SuccessfulCreate", "", &message).await;
                    Ok(())
                }
                // The namespace goes, and everything in it: there is nothing to report.
                Err(status) if status.is_namespace_terminating() => Ok(()),
                Err(status) => {
                    let message = format!("Error creating: {}", status.message);
                    self.recorder.record(&set.object, EventKind::Warning, "FailedCreate", "", &message).await;
                    Err(status)
                }
            }
        })
        .await;
        outcome.map_err(Error::from)
    }

    async fn delete(&self, set: &Item<ReplicaSet>, pods: &[Arc<Item<Pod>>]) -> Result<(), Error> {
        let (_, outcome) = batch::slowly(pods, |pod| async {
            let name = &pod.object.meta.name;
            match self.world.pods.delete(&pod.object).await {
                Ok(()) => {
                    let message = format!("Deleted pod: {name}");
                    self.recorder.record(&set.object, EventKind::Normal, "SuccessfulDelete", "", &message).await;
                    Ok(())
                }
                Err(status) => {
                    let message = format!("Error deleting: {}", status.message);
                    self.recorder.record(&set.object, EventKind::Warning, "FailedDelete", "", &message).await;
                    Err(status)
                }
            }
        })
        .await;
        outcome.map_err(Error::from)
    }
}
