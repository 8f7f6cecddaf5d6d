//! Keeps a pod of a daemon set on every node that wants one: observes nodes,
//! pods and revisions, decides in `decide`, creates and deletes, and reports.
//! It binds nothing; pods say which node they are for, and the scheduler obeys.

mod backoff;
mod decide;
mod placement;
mod rollout;
mod scene;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use client::{Change, Item, ObjectKey, View};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::batch;
use crate::claim::{self, Claimant};
use crate::revisions::{self, Newest, REVISION_LABEL, Recorded};
use crate::views::{DaemonSet, Node, Pod, Revision, owned_by};
use crate::world::World;
use backoff::Backoffs;
use decide::Plan;
use placement::gvk;
use scene::Scene;

const WORKERS: usize = 2;

pub(crate) fn start(world: &World) -> Handle {
    let recorder = world.recorder("daemonset-controller");
    let reconciler = DaemonSets { world: world.clone(), recorder, backoffs: Mutex::default() };
    let (of_pod, of_node) = (world.clone(), world.clone());
    Controller::new("daemon sets", Arc::new(reconciler))
        .owns(world.daemon_sets.cache())
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .watches(world.nodes.cache(), move |change| keys_of_node(&of_node, change))
        .watches(world.revisions.cache(), |change| revisions::owners("DaemonSet", change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The daemon sets that a pod concerns: its owners before and now, or, for an orphan, those that
/// could adopt it.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    claim::concerned("DaemonSet", change, |pod| {
        let sets = world.daemon_sets.find_in(&pod.cluster, &pod.meta.namespace);
        let selecting = sets.iter().filter(|set| set.view.selector.matches_map(&pod.meta.labels));
        selecting.map(|set| set.key()).collect()
    })
}

/// All daemon sets, if a node came, went, or changed in what decides whether pods belong on it.
/// Its heartbeats concern nobody here.
fn keys_of_node(world: &World, change: &Change) -> Vec<ObjectKey> {
    if let (Some(old), Some(new)) = (&change.old, &change.new) {
        let taints = |node: &client::Object| Node::read(node).map(|node| node.spec.taints);
        if old.meta.labels == new.meta.labels && taints(old).ok() == taints(new).ok() {
            return Vec::new();
        }
    }
    world.daemon_sets.find(&change.object().cluster, DaemonSet::any()).iter().map(|set| set.key()).collect()
}

struct DaemonSets {
    world: World,
    recorder: Recorder,
    /// Failures on nodes. Forgotten with the process: then each may be tried again at once.
    backoffs: Mutex<Backoffs>,
}

impl Reconciler for DaemonSets {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.daemon_sets.get(key) {
                // What it has is the garbage collector's now.
                Some(set) if set.object.meta.is_deleting() => Ok(Next::Done),
                Some(set) => self.sync(&set).await,
                None => {
                    self.backoffs.lock().forget(key);
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl DaemonSets {
    async fn sync(&self, set: &Item<DaemonSet>) -> Result<Next, Error> {
        let owners = &self.world.daemon_sets;
        let claimant = Claimant { gvk: gvk(), owner: &set.object, selector: &set.view.selector, owners };
        let held = claimant.claim(&self.world.revisions).await?;
        let recorded = Recorded {
            gvk: gvk(),
            owner: &set.object,
            digest: &set.view.digest,
            collisions: set.view.collision_count,
            hash_label: REVISION_LABEL,
        };
        let Newest { revision, collisions } = recorded.newest(&self.world.revisions, &held).await?;
        let hash = hash_of(&revision);
        let pods = claimant.claim(&self.world.pods).await?;
        let nodes = self.world.nodes.find_in(&set.object.cluster, "");
        let now = self.world.clock().now();
        let plan = decide::plan(&Scene::new(set, &nodes, &pods, hash, now), |node| {
            self.backoffs.lock().replace(&set.key(), node, now)
        });
        let outcome = self.act(set, &plan, &revision).await;
        // What was made or deleted counts at once.
        let pods = self.world.pods.find(&set.object.cluster, &owned_by(&set.object.meta.uid));
        let scene = Scene::new(set, &nodes, &pods, hash, now);
        self.world.daemon_sets.update_status(&set.object, status::status(&scene, collisions)?).await?;
        outcome?;
        self.forget_old(set, &pods, held, &revision).await?;
        // No event tells that a pod has been ready for long enough, or left alone for long enough.
        let due = [status::next_available(&scene), plan.wait].into_iter().flatten().min();
        Ok(due.map_or(Next::Done, Next::After))
    }

    async fn act(&self, set: &Item<DaemonSet>, plan: &Plan, revision: &Item<Revision>) -> Result<(), Error> {
        for (kind, reason, message) in &plan.tell {
            self.recorder.record(&set.object, *kind, reason, "", message).await;
        }
        let created = if plan.create.is_empty() { Ok(()) } else { self.create(set, &plan.create, revision).await };
        let (_, deleted) = batch::slowly(&plan.delete, |pod| self.delete(set, pod)).await;
        created.and(deleted)
    }

    async fn create(&self, set: &Item<DaemonSet>, nodes: &[String], revision: &Item<Revision>) -> Result<(), Error> {
        let template = revisions::template_of(revision)?;
        let (_, outcome) = batch::slowly(nodes, |node| async {
            let pod = placement::pod(set, &template, hash_of(revision), node);
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
                    Err(status.into())
                }
            }
        })
        .await;
        outcome
    }

    async fn delete(&self, set: &Item<DaemonSet>, pod: &Item<Pod>) -> Result<(), Error> {
        let outcome = self.world.pods.delete(&pod.object).await;
        let (kind, reason, message) = match &outcome {
            Ok(()) => (EventKind::Normal, "SuccessfulDelete", format!("Deleted pod: {}", pod.object.meta.name)),
            Err(status) => (EventKind::Warning, "FailedDelete", format!("Error deleting: {}", status.message)),
        };
        self.recorder.record(&set.object, kind, reason, "", &message).await;
        outcome.map_err(Error::from)
    }

    /// Forgets the oldest revisions beyond the limit, but none that a pod is of.
    async fn forget_old(
        &self,
        set: &Item<DaemonSet>,
        pods: &[Arc<Item<Pod>>],
        held: Vec<Arc<Item<Revision>>>,
        newest: &Item<Revision>,
    ) -> Result<(), Error> {
        let is_old = |revision: &Arc<Item<Revision>>| revision.object.meta.name != newest.object.meta.name;
        let old: Vec<_> = held.into_iter().filter(is_old).collect();
        let excess = old.len().saturating_sub(set.view.history_limit);
        let live: BTreeSet<&str> = pods.iter().map(|pod| placement::hash_of(pod)).collect();
        let unused = old.into_iter().filter(|revision| !live.contains(hash_of(revision))).collect();
        revisions::forget(&self.world.revisions, &revisions::oldest(unused, excess)).await?;
        Ok(())
    }
}

/// The hash of a revision, by which pods are told to be of it.
fn hash_of(revision: &Item<Revision>) -> &str {
    let meta = &revision.object.meta;
    meta.labels.get(REVISION_LABEL).unwrap_or(&meta.name)
}
