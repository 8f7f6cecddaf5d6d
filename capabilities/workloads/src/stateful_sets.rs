//! Keeps the pods of a stateful set, each with a name and claims of its own:
//! observes pods, claims and revisions, decides in `decide`, acts step by step
//! and reports. It never deletes a claim; whose it is says when it goes.

mod act;
mod claims;
mod decide;
mod identity;
mod rollout;
mod scene;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;

use crate::claim::{self, Claimant};
use crate::revisions::{self, Newest, Recorded};
use crate::views::{Pod, Revision, StatefulSet, VolumeClaim, owned_by};
use crate::world::World;
use identity::gvk;
use scene::Scene;

const WORKERS: usize = 4;
/// The label of revisions that holds their hash.
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

pub(crate) fn start(world: &World) -> Handle {
    let recorder = world.recorder("statefulset-controller");
    let reconciler = StatefulSets { world: world.clone(), recorder };
    let (of_pod, of_claim) = (world.clone(), world.clone());
    Controller::new("stateful sets", Arc::new(reconciler))
        .owns(world.stateful_sets.cache())
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .watches(world.revisions.cache(), |change| revisions::owners("StatefulSet", change))
        .watches(world.volume_claims.cache(), move |change| keys_of_claim(&of_claim, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The stateful sets that a pod concerns: its owners before and now, or, for an orphan, those that
/// could adopt it.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    claim::concerned("StatefulSet", change, |pod| {
        let sets = world.stateful_sets.find_in(&pod.cluster, &pod.meta.namespace);
        let adopting = sets.iter().filter(|set| {
            set.view.selector.matches_map(&pod.meta.labels)
                && identity::ordinal(&set.object.meta.name, &pod.meta.name).is_some()
        });
        adopting.map(|set| set.key()).collect()
    })
}

/// A claim that goes is one that a pod lacks, or may be made again now.
fn keys_of_claim(world: &World, change: &Change) -> Vec<ObjectKey> {
    if change.new.is_some() {
        return Vec::new();
    }
    let gone = change.object();
    let sets = world.stateful_sets.find_in(&gone.cluster, &gone.meta.namespace);
    let is_its = |set: &&Arc<Item<StatefulSet>>| {
        set.view.claims.iter().any(|template| {
            let pod = gone.meta.name.strip_prefix(&**template).and_then(|rest| rest.strip_prefix('-'));
            pod.is_some_and(|pod| identity::ordinal(&set.object.meta.name, pod).is_some())
        })
    };
    sets.iter().filter(is_its).map(|set| set.key()).collect()
}

struct StatefulSets {
    world: World,
    recorder: Recorder,
}

impl Reconciler for StatefulSets {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.stateful_sets.get(key) {
                Some(set) if set.object.meta.is_deleting() => self.report_last(&set).await,
                Some(set) => self.sync(&set).await,
                None => Ok(Next::Done),
            }
        })
    }
}

impl StatefulSets {
    async fn sync(&self, set: &Item<StatefulSet>) -> Result<Next, Error> {
        let pods = self.claim_pods(set).await?;
        let held = self.claimant(set).claim(&self.world.revisions).await?;
        let recorded = Recorded {
            gvk: gvk(),
            owner: &set.object,
            digest: &set.view.digest,
            collisions: set.view.status.collision_count,
            hash_label: HASH_LABEL,
        };
        let Newest { revision: update, collisions } = recorded.newest(&self.world.revisions, &held).await?;
        let is_current =
            |revision: &&Arc<Item<Revision>>| revision.object.meta.name == *set.view.status.current_revision;
        let current = held.iter().find(is_current).unwrap_or(&update).clone();
        let claim = |name: &str| self.volume_claim(set, name);
        let mut scene = Scene {
            set,
            pods: &pods,
            claim: &claim,
            current: &current.object.meta.name,
            update: &update.object.meta.name,
            now: self.world.clock().now(),
        };
        let outcome = self.act(set, &decide::plan(&scene), &current, &update).await;
        // What was made or deleted counts at once.
        let pods = self.pods_of(set);
        scene.pods = &pods;
        self.world.stateful_sets.update_status(&set.object, status::status(&scene, collisions)?).await?;
        outcome?;
        self.forget_old(set, &pods, held, [&current, &update]).await?;
        // No event tells that a pod has been ready for long enough.
        let due = status::next_available(&scene);
        Ok(due.map_or(Next::Done, |secs| Next::After(Duration::from_secs(secs))))
    }

    /// A set that goes still counts its pods, and does nothing else.
    async fn report_last(&self, set: &Item<StatefulSet>) -> Result<Next, Error> {
        let pods = self.pods_of(set);
        let scene = Scene {
            set,
            pods: &pods,
            claim: &|_| None,
            current: &set.view.status.current_revision,
            update: &set.view.status.update_revision,
            now: self.world.clock().now(),
        };
        let status = status::status(&scene, set.view.status.collision_count)?;
        self.world.stateful_sets.update_status(&set.object, status).await?;
        Ok(Next::Done)
    }

    fn claimant<'a>(&'a self, set: &'a Item<StatefulSet>) -> Claimant<'a, StatefulSet> {
        let owners = &self.world.stateful_sets;
        Claimant { gvk: gvk(), owner: &set.object, selector: &set.view.selector, owners }
    }

    async fn claim_pods(&self, set: &Item<StatefulSet>) -> Result<Vec<Arc<Item<Pod>>>, Error> {
        let name = &set.object.meta.name;
        let could_be = |pod: &api::ObjectMeta| identity::ordinal(name, &pod.name).is_some();
        self.claimant(set).claim_where(&self.world.pods, could_be).await
    }

    fn pods_of(&self, set: &Item<StatefulSet>) -> Vec<Arc<Item<Pod>>> {
        self.world.pods.find(&set.object.cluster, &owned_by(&set.object.meta.uid))
    }

    fn volume_claim(&self, set: &Item<StatefulSet>, name: &str) -> Option<Arc<Item<VolumeClaim>>> {
        self.world.volume_claims.get(&ObjectKey::new(&set.object.cluster, &set.object.meta.namespace, name))
    }

    /// Forgets the oldest revisions beyond the limit, of those that no pod and no rollout needs.
    async fn forget_old(
        &self,
        set: &Item<StatefulSet>,
        pods: &[Arc<Item<Pod>>],
        held: Vec<Arc<Item<Revision>>>,
        needed: [&Arc<Item<Revision>>; 2],
    ) -> Result<(), Error> {
        let live: BTreeSet<&str> = pods.iter().map(|pod| identity::revision(&pod.object.meta)).collect();
        let is_needed = |revision: &Item<Revision>| {
            let name = &revision.object.meta.name;
            live.contains(name.as_str()) || needed.iter().any(|needed| needed.object.meta.name == *name)
        };
        let unused: Vec<_> = held.into_iter().filter(|revision| !is_needed(revision)).collect();
        let excess = unused.len().saturating_sub(set.view.history_limit);
        revisions::forget(&self.world.revisions, &revisions::oldest(unused, excess)).await?;
        Ok(())
    }
}
