//! Keeps the books of disruption budgets: how many of the pods that a budget
//! guards are healthy, how many must be, and so how many may be evicted. It
//! never evicts a pod; the API's eviction draws on what is written here.

mod decide;
mod scale;
mod stale;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;

use crate::views::{DisruptionBudget, Pod};
use crate::world::World;
use decide::{Counts, Health};
use scale::Scales;

const WORKERS: usize = 4;

pub(crate) fn start(world: &World) -> Handle {
    stale::start(world);
    let recorder = world.recorder("controllermanager");
    let reconciler = Budgets { scales: Scales::new(world), world: world.clone(), recorder };
    let (of_pod, of_set) = (world.clone(), world.clone());
    Controller::new("disruption budgets", Arc::new(reconciler))
        .owns(world.disruption_budgets.cache())
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .watches(world.replica_sets.cache(), move |change| keys_of_set(&of_set, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The budgets that guard a pod, or did before it changed.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    let object = change.object();
    let guards = |budget: &Item<DisruptionBudget>| {
        let sides = [&change.old, &change.new].into_iter().flatten();
        sides.into_iter().any(|pod| budget.view.selector.matches_map(&pod.meta.labels))
    };
    let budgets = world.disruption_budgets.find_in(&object.cluster, &object.meta.namespace);
    budgets.iter().filter(|budget| guards(budget)).map(|budget| budget.key()).collect()
}

/// The budgets beside a replica set whose spec changed: it may want more pods than can be made,
/// of which no pod would tell. What it counts is not of interest.
fn keys_of_set(world: &World, change: &Change) -> Vec<ObjectKey> {
    let generation = |side: &Option<client::Object>| side.as_ref().map(|set| set.meta.generation);
    if generation(&change.old) == generation(&change.new) {
        return Vec::new();
    }
    let object = change.object();
    let budgets = world.disruption_budgets.find_in(&object.cluster, &object.meta.namespace);
    budgets.iter().map(|budget| budget.key()).collect()
}

struct Budgets {
    world: World,
    scales: Scales,
    recorder: Recorder,
}

impl Reconciler for Budgets {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(budget) = self.world.disruption_budgets.get(key) else { return Ok(Next::Done) };
            match self.sync(&budget).await {
                Err(error) if !error.is_conflict() => {
                    // What cannot be counted must not be evicted from.
                    let status = decide::failed(&budget, &text(&error), &self.world.clock().now_rfc3339())?;
                    self.world.disruption_budgets.update_status(&budget.object, status).await?;
                    Err(error)
                }
                outcome => outcome,
            }
        })
    }
}

impl Budgets {
    async fn sync(&self, budget: &Item<DisruptionBudget>) -> Result<Next, Error> {
        let pods = self.guarded(budget);
        let counts = match self.count(budget, &pods).await {
            Ok(counts) => counts,
            Err(error) => {
                let message = format!("Failed to calculate the number of expected pods: {}", text(&error));
                self.warn(budget, "CalculateExpectedPodCountFailed", &message).await;
                return Err(error);
            }
        };
        let now = self.world.clock().now();
        let health = decide::health(budget, &pods, now);
        let status = decide::status(budget, &counts, &health, &self.world.clock().now_rfc3339())?;
        let is_news = self.world.disruption_budgets.update_status(&budget.object, status).await?;
        self.tell(budget, &pods, &counts, &health, is_news).await;
        // No event tells that a pod which was let go stayed all the same.
        Ok(health.recheck_secs.map_or(Next::Done, |secs| Next::After(Duration::from_secs(secs))))
    }

    fn guarded(&self, budget: &Item<DisruptionBudget>) -> Vec<Arc<Item<Pod>>> {
        let meta = &budget.object.meta;
        let mut pods = self.world.pods.find_in(&budget.object.cluster, &meta.namespace);
        pods.retain(|pod| budget.view.selector.matches_map(&pod.object.meta.labels));
        pods
    }

    /// How many pods there should be, and of these healthy.
    async fn count(&self, budget: &Item<DisruptionBudget>, pods: &[Arc<Item<Pod>>]) -> Result<Counts, Error> {
        if !decide::goes_by_scale(&budget.view) {
            return Ok(decide::by_number(&budget.view, pods.len()));
        }
        let scale = self.scales.of_pods(pods).await?;
        Ok(decide::by_scale(&budget.view, scale.replicas, scale.unmanaged))
    }

    async fn tell(
        &self,
        budget: &Item<DisruptionBudget>,
        pods: &[Arc<Item<Pod>>],
        counts: &Counts,
        health: &Health,
        is_news: bool,
    ) {
        if pods.is_empty() && is_news {
            self.recorder.record(&budget.object, EventKind::Normal, "NoPods", "", "No matching pods found").await;
        }
        if counts.unmanaged > 0 && is_news {
            let message = format!(
                "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, \
                 the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To \
                 account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
                budget.view.selector
            );
            self.warn(budget, "UnmanagedPods", &message).await;
        }
        for pod in &health.overdue {
            let meta = &budget.object.meta;
            let message =
                format!("Pod was expected by PDB {}/{} to be deleted but it wasn't", meta.namespace, meta.name);
            self.recorder.record(&pod.object, EventKind::Warning, "NotDeleted", "", &message).await;
        }
    }

    async fn warn(&self, budget: &Item<DisruptionBudget>, reason: &str, message: &str) {
        self.recorder.record(&budget.object, EventKind::Warning, reason, "", message).await;
    }
}

/// An error as its sentence alone.
fn text(error: &Error) -> String {
    error.status().map_or_else(|| error.to_string(), |status| status.message.clone())
}
