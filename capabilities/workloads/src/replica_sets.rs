//! Keeps as many pods of a replica set, or of a replication controller, as it asks for: observes pods, decides
//! in `decide`, creates and deletes, and reports what it counted.

mod decide;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::Gvk;
use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, EventKind, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use serde_json::Value;
use std::time::Duration;

use crate::batch;
use crate::claim::{self, Claimant};
use crate::resource::Resource;
use crate::template;
use crate::views::{Pod, ReplicaSet, owned_by};
use crate::world::World;
use decide::{Crowds, Failure, Plan};

const WORKERS: usize = 8;

/// A kind that keeps pods of a template: replica sets, or replication controllers.
#[derive(Clone)]
struct Kind {
    gvk: Gvk,
    sets: Resource<ReplicaSet>,
}

pub(crate) fn start(world: &World) {
    let sets = Kind { gvk: Gvk::new("apps", "v1", "ReplicaSet"), sets: world.replica_sets.clone() };
    begin(world, sets, "replicaset-controller");
    // Nobody but this controller reads replication controllers.
    let older = Resource::start(world.ctx(), "", "v1", "replicationcontrollers");
    begin(world, Kind { gvk: Gvk::new("", "v1", "ReplicationController"), sets: older }, "replication-controller");
}

fn begin(world: &World, kind: Kind, component: &str) {
    let reconciler = ReplicaSets { world: world.clone(), kind: kind.clone(), recorder: world.recorder(component) };
    let cache = kind.sets.clone();
    Controller::new(component, Arc::new(reconciler))
        .owns(cache.cache())
        .watches(world.pods.cache(), move |change| keys_of_pod(&kind, change))
        .workers(WORKERS)
        .start(world.tasks());
}

/// The sets that a pod concerns: its owners before and now, or, for an orphan, those that could
/// adopt it.
fn keys_of_pod(kind: &Kind, change: &Change) -> Vec<ObjectKey> {
    claim::concerned(&kind.gvk.kind, change, |pod| {
        let sets = kind.sets.find_in(&pod.cluster, &pod.meta.namespace);
        let selecting = sets.iter().filter(|set| set.view.selector.matches_map(&pod.meta.labels));
        selecting.map(|set| set.key()).collect()
    })
}

struct ReplicaSets {
    world: World,
    kind: Kind,
    recorder: Recorder,
}

impl Reconciler for ReplicaSets {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.kind.sets.get(key) {
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
        let plan = decide::plan(set, &pods, || self.crowds(set), now);
        let outcome = self.act(set, &plan).await;
        let failure = outcome.as_ref().err().map(|error| Failure::of(&plan, error));
        // As they are now: what was made and deleted just now is seen already.
        let pods = self.owned(set);
        let status = decide::status(set, &pods, failure, &self.world.clock().now_rfc3339(), now)?;
        self.kind.sets.update_status(&set.object, status).await?;
        outcome?;
        // No event tells that a pod has been ready for long enough.
        let due = decide::next_available(set, &pods, now);
        Ok(due.map_or(Next::Done, |secs| Next::After(Duration::from_secs(secs))))
    }

    async fn claim(&self, set: &Item<ReplicaSet>) -> Result<Vec<Arc<Item<Pod>>>, Error> {
        let claimant = Claimant {
            gvk: self.kind.gvk.clone(),
            owner: &set.object,
            selector: &set.view.selector,
            owners: &self.kind.sets,
        };
        claimant.claim(&self.world.pods).await
    }

    fn owned(&self, set: &Item<ReplicaSet>) -> Vec<Arc<Item<Pod>>> {
        let mut pods = self.world.pods.find(&set.object.cluster, &owned_by(&set.object.meta.uid));
        pods.retain(|pod| set.view.selector.matches_map(&pod.object.meta.labels));
        pods
    }

    /// How many active pods each node has of this set and of those with the same owner: of two
    /// pods that are otherwise alike, the one on the fuller node goes first.
    fn crowds(&self, set: &Item<ReplicaSet>) -> Crowds {
        let cluster = &set.object.cluster;
        let related = match set.object.meta.controller() {
            Some(owner) => self.kind.sets.find(cluster, &owned_by(&owner.uid)),
            None => self.kind.sets.get(&set.key()).into_iter().collect(),
        };
        let pods = related.iter().flat_map(|set| self.world.pods.find(cluster, &owned_by(&set.object.meta.uid)));
        let mut crowds = Crowds::new();
        for pod in pods.filter(|pod| decide::is_active(pod)) {
            *crowds.entry(pod.view.spec.node_name.clone()).or_default() += 1;
        }
        crowds
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
        let pod = template::pod(&object["spec"]["template"], &self.kind.gvk, &set.object.meta);
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
