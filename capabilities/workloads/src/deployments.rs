//! Rolls a deployment out over replica sets: observes them, decides in `decide`
//! on the next step, takes it, and reports in `status`. It makes no pods.

mod conditions;
mod decide;
mod revision;
mod rolling;
mod scaling;
mod sets;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Gvk, Reason};
use client::{Change, Item, Object, ObjectKey, View};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::claim::Claimant;
use crate::views::{Deployment, DeploymentStatus, Pod, ReplicaSet, Strategy, owned_by};
use crate::world::World;
use decide::Plan;
use sets::{Scale, Set, Sets};
use status::{Made, Now};

const WORKERS: usize = 8;

pub(crate) fn gvk() -> Gvk {
    Gvk::new("apps", "v1", "Deployment")
}

pub(crate) fn start(world: &World) -> Handle {
    let recorder = world.recorder("deployment-controller");
    let reconciler = Deployments { world: world.clone(), recorder };
    let (of_set, of_pod) = (world.clone(), world.clone());
    Controller::new("deployments", Arc::new(reconciler))
        .owns(world.deployments.cache())
        .watches(world.replica_sets.cache(), move |change| keys_of_set(&of_set, change))
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The deployments that a replica set concerns: its owners before and now, or, for an orphan,
/// those that could adopt it.
fn keys_of_set(world: &World, change: &Change) -> Vec<ObjectKey> {
    let mut keys = Vec::new();
    for set in [&change.old, &change.new].into_iter().flatten() {
        match owner(set) {
            Some(key) if !keys.contains(&key) => keys.push(key),
            None if set.meta.controller().is_none() => {
                let all = world.deployments.find_in(&set.cluster, &set.meta.namespace);
                let selecting = all.iter().filter(|item| item.view.selector.matches_map(&set.meta.labels));
                keys.extend(selecting.map(|item| item.key()));
            }
            _ => {}
        }
    }
    keys
}

/// A deployment that recreates its pods waits for the end of the old ones; for the others their
/// replica sets tell enough.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    let (Some(gone), None) = (&change.old, &change.new) else { return Vec::new() };
    let set = gone.meta.controller().filter(|owner| owner.kind == "ReplicaSet");
    let set = set.map(|owner| ObjectKey::new(&gone.cluster, &gone.meta.namespace, &owner.name));
    let key = set.and_then(|key| world.replica_sets.get(&key)).and_then(|set| owner(&set.object));
    let waits = |key: &ObjectKey| {
        world.deployments.get(key).is_some_and(|deployment| deployment.view.strategy == Strategy::Recreate)
    };
    key.filter(waits).into_iter().collect()
}

fn owner(set: &Object) -> Option<ObjectKey> {
    let owner = set.meta.controller().filter(|owner| owner.kind == "Deployment")?;
    Some(ObjectKey::new(&set.cluster, &set.meta.namespace, &owner.name))
}

struct Deployments {
    world: World,
    recorder: Recorder,
}

impl Reconciler for Deployments {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.deployments.get(key) {
                Some(deployment) => self.sync(&deployment).await,
                None => Ok(Next::Done),
            }
        })
    }
}

impl Deployments {
    async fn sync(&self, deployment: &Item<Deployment>) -> Result<Next, Error> {
        let sets = Sets::of(&deployment.view, self.claim(deployment).await?);
        let (plan, report) = decide::decide(deployment, &sets, || self.has_old_pods(&sets));
        let acted = self.act(deployment, &sets, plan).await;
        let (made, refused) = match acted {
            Ok(made) => (made, Ok(())),
            Err(Refusal { message: Some(message), error }) => (Made::Refused(message), Err(error)),
            Err(Refusal { message: None, error }) => return Err(error),
        };
        // As they are now: what was written just now is seen already.
        let sets = Sets::of(&deployment.view, self.owned(deployment));
        let clock = self.world.clock();
        let now = Now { at: clock.now(), text: clock.now_rfc3339() };
        let status = status::status(deployment, &sets, report, &made, &now);
        let again = status::next_check(deployment, &status, &now);
        self.report(deployment, &sets, status).await?;
        refused?;
        // No event tells of a rollout that stands still.
        Ok(again.map_or(Next::Done, Next::After))
    }

    async fn claim(&self, deployment: &Item<Deployment>) -> Result<Vec<Set>, Error> {
        let claimant = Claimant {
            gvk: gvk(),
            owner: &deployment.object,
            selector: &deployment.view.selector,
            owners: &self.world.deployments,
        };
        claimant.claim(&self.world.replica_sets).await
    }

    fn owned(&self, deployment: &Item<Deployment>) -> Vec<Set> {
        let object = &deployment.object;
        let mut sets = self.world.replica_sets.find(&object.cluster, &owned_by(&object.meta.uid));
        sets.retain(|set| deployment.view.selector.matches_map(&set.object.meta.labels));
        sets
    }

    fn has_old_pods(&self, sets: &Sets) -> bool {
        let pods_of = |set: &Set| self.world.pods.find(&set.object.cluster, &owned_by(&set.object.meta.uid));
        sets.old.iter().flat_map(pods_of).any(|pod: Arc<Item<Pod>>| !pod.view.is_finished())
    }

    async fn act(&self, deployment: &Item<Deployment>, sets: &Sets, plan: Plan) -> Result<Made, Refusal> {
        match plan {
            Plan::Rest => {}
            Plan::Create => return self.create(deployment, sets).await,
            Plan::Revise(set, annotations) => self.revise(deployment, &set, &annotations).await?,
            Plan::Scale(scales) => {
                for scale in &scales {
                    self.scale(deployment, scale).await?;
                }
            }
            Plan::Forget(sets) => {
                for set in &sets {
                    self.world.replica_sets.delete(&set.object).await.map_err(Error::from)?;
                }
            }
        }
        Ok(Made::Nothing)
    }

    async fn revise(
        &self,
        deployment: &Item<Deployment>,
        set: &Set,
        annotations: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let mut body = set.object.value()?;
        body["metadata"]["annotations"] = annotations.iter().map(|(key, value)| (key, value.as_str())).collect();
        body["spec"]["minReadySeconds"] = deployment.view.min_ready_secs.into();
        self.world.replica_sets.update(&set.object, &body).await?;
        Ok(())
    }

    async fn scale(&self, deployment: &Item<Deployment>, scale: &Scale) -> Result<(), Error> {
        let Scale { set, to } = scale;
        let mut body = set.object.value()?;
        body["spec"]["replicas"] = (*to).into();
        for (key, value) in scaling::annotations(&deployment.view) {
            body["metadata"]["annotations"][key] = value.into();
        }
        self.world.replica_sets.update(&set.object, &body).await?;
        let from = set.view.replicas;
        if from != *to {
            self.record_scaling(deployment, &set.object.meta.name, from, *to).await;
        }
        Ok(())
    }

    async fn record_scaling(&self, deployment: &Item<Deployment>, set: &str, from: i64, to: i64) {
        let direction = if from < to { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {set} from {from} to {to}");
        self.recorder.record(&deployment.object, EventKind::Normal, "ScalingReplicaSet", "", &message).await;
    }

    async fn create(&self, deployment: &Item<Deployment>, sets: &Sets) -> Result<Made, Refusal> {
        let body = revision::new_set(deployment, &gvk(), sets).map_err(Error::from)?;
        let status = match self.world.replica_sets.create(&deployment.object.cluster, &body).await {
            Ok(made) => {
                let replicas = body["spec"]["replicas"].as_i64().unwrap_or(0);
                if replicas > 0 {
                    self.record_scaling(deployment, &made.meta.name, 0, replicas).await;
                }
                return Ok(Made::Set(made.meta.name.clone()));
            }
            // The namespace goes, and everything in it: there is nothing to report.
            Err(status) if status.is_namespace_terminating() => return Ok(Made::Nothing),
            Err(status) => status,
        };
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        if status.reason == Reason::AlreadyExists {
            return self.met(deployment, name).await;
        }
        let message = format!("Failed to create new replica set {name:?}: {}", status.message);
        let kind = EventKind::Warning;
        self.recorder.record(&deployment.object, kind, "ReplicaSetCreateError", "", &message).await;
        Err(Refusal { message: Some(message), error: status.into() })
    }

    /// A replica set of this name is there. If it is the one that was to be made, the watch is
    /// about to tell of it; if not, two templates have met in one hash.
    async fn met(&self, deployment: &Item<Deployment>, name: &str) -> Result<Made, Refusal> {
        let object = &deployment.object;
        let key = ObjectKey::new(&object.cluster, &object.meta.namespace, name);
        let Some(held) = self.world.replica_sets.live(&key).await.map_err(Error::from)? else {
            return Err(Error::msg(format_args!("replica set {name} was there and is gone")).into());
        };
        let is_ours = held.meta.controller().is_some_and(|owner| owner.uid == object.meta.uid);
        let view = ReplicaSet::read(&held).map_err(Error::from)?;
        let is_it = is_ours && view.fingerprint == deployment.view.fingerprint;
        Ok(if is_it { Made::Nothing } else { Made::Collision })
    }

    /// Writes the status, and the revision that the new replica set has, in one write and only if
    /// one of them is not there yet.
    async fn report(&self, deployment: &Item<Deployment>, sets: &Sets, status: DeploymentStatus) -> Result<(), Error> {
        let revision_of = |object: &Object| object.meta.annotations.get(revision::REVISION).cloned();
        let revision = sets.new.as_ref().and_then(|new| revision_of(&new.object));
        let is_told = revision.is_none() || revision == revision_of(&deployment.object);
        if status == deployment.view.status && is_told {
            return Ok(());
        }
        let mut body = deployment.object.value()?;
        body["status"] = serde_json::to_value(&status).map_err(Error::msg)?;
        if let Some(revision) = revision {
            body["metadata"]["annotations"][revision::REVISION] = Value::String(revision);
        }
        self.world.deployments.replace_status(&deployment.object, &body).await?;
        Ok(())
    }
}

/// Why a step was not taken, and what of it the deployment's owner is to read.
struct Refusal {
    message: Option<String>,
    error: Error,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal { message: None, error }
    }
}
