//! Finds nodes for pods as kube-scheduler's default profile does. Decisions are
//! made one after the other, in `cluster` and below, on a copy that holds a
//! pod's place from the moment it is decided; writes go on meanwhile. It never
//! looks at a pod without a reason to: what no node can have waits for a change.

mod act;
mod board;
mod claims;
mod cluster;
mod constraint;
mod decide;
mod filter;
mod groups;
mod nearness;
mod node;
mod pod;
mod preempt;
mod queue;
mod score;
mod sources;
mod spread;
mod storage;
mod terms;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Status};
use client::{Change, ObjectKey};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::world::World;
use act::Actor;
use cluster::{Cluster, Work};
use pod::{Pod, SCHEDULER_NAME};
use sources::Sources;

/// Clusters that are served at once.
const WORKERS: usize = 4;
/// Writes of one cluster that are under way at once.
const IN_FLIGHT: usize = 64;

pub(crate) fn start(world: &World) -> Handle {
    let namespaces = sources::namespaces(world.ctx());
    let state = State { sources: Sources::new(world, &namespaces), clusters: HashMap::new() };
    let actor = Actor { world: world.clone(), recorder: world.recorder(SCHEDULER_NAME) };
    let news = Arc::new(Notify::new());
    let reconciler = Scheduler { actor, state: Mutex::new(state), news: news.clone() };
    let mut controller = Controller::new("scheduler", Arc::new(reconciler)).workers(WORKERS);
    for cache in sources::caches(world, &namespaces) {
        let news = news.clone();
        controller = controller.watches(cache, move |change| {
            news.notify_waiters();
            vec![key_of_cluster(change)]
        });
    }
    controller.start(world.tasks())
}

/// A cluster is one key: its pods compete, so one decision follows the other.
fn key_of_cluster(change: &Change) -> ObjectKey {
    ObjectKey::new(&change.object().cluster, "", "")
}

struct Scheduler {
    actor: Actor,
    state: Mutex<State>,
    /// Something changed somewhere.
    news: Arc<Notify>,
}

struct State {
    sources: Sources,
    clusters: HashMap<ClusterName, Cluster>,
}

impl Reconciler for Scheduler {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> futures::future::BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            self.run(&key.cluster).await;
            // No event tells that what went wrong would go well now.
            Ok(self.next_due(&key.cluster).map_or(Next::Done, Next::After))
        })
    }
}

impl Scheduler {
    /// Decides and writes until there is nothing left to decide and everything is written.
    async fn run(&self, cluster: &ClusterName) {
        let mut under_way = FuturesUnordered::new();
        loop {
            let news = self.news.notified();
            while under_way.len() < IN_FLIGHT {
                let Some(work) = self.next(cluster) else { break };
                under_way.push(self.act(cluster, work));
            }
            if under_way.is_empty() {
                return;
            }
            tokio::select! {
                _ = under_way.next() => {}
                () = news, if under_way.len() < IN_FLIGHT => {}
            }
        }
    }

    /// What is to be done next, by everything that is known now.
    fn next(&self, cluster: &ClusterName) -> Option<Work> {
        let now = self.actor.world.clock().now();
        let mut state = self.state.lock();
        let State { sources, clusters } = &mut *state;
        sources.absorb(clusters, now);
        clusters.get_mut(cluster)?.next(now, || self.chance())
    }

    fn chance(&self) -> u64 {
        let mut bytes = [0; 8];
        self.actor.world.ids().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    async fn act(&self, cluster: &ClusterName, work: Work) {
        match work {
            Work::Prepare { pod, node, steps } => {
                let outcome = self.actor.prepare(&pod, &node, &steps).await;
                self.settle(cluster, &pod, outcome, |cluster, pod, now| cluster.prepared(&pod.key, now));
            }
            Work::Bind { pod, node } => {
                let outcome = self.actor.bind(&pod, &node).await;
                self.settle(cluster, &pod, outcome, |_, _, _| {});
            }
            Work::Report { pod, message, clears_nomination } => {
                let outcome = self.actor.report(&pod, &message, clears_nomination.then_some("")).await;
                self.settle(cluster, &pod, outcome, Cluster::reported);
            }
            Work::MakeRoom { pod, message, room, displaced } => {
                let outcome = self.actor.make_room(&pod, &message, &room, &displaced).await;
                self.settle(cluster, &pod, outcome, Cluster::reported);
            }
        }
    }

    /// Takes in how a write ended.
    fn settle(
        &self,
        cluster: &ClusterName,
        pod: &Pod,
        outcome: Result<(), Status>,
        done: impl FnOnce(&mut Cluster, &Pod, jiff::Timestamp),
    ) {
        let now = self.actor.world.clock().now();
        let mut state = self.state.lock();
        let State { sources, clusters } = &mut *state;
        // What was written is known to the live copies by now.
        sources.absorb(clusters, now);
        let Some(held) = clusters.get_mut(cluster) else { return };
        match outcome {
            Ok(()) => done(held, pod, now),
            Err(error) => {
                tracing::warn!(pod = %pod.key, %error, "what was decided about a pod could not be written");
                held.failed(pod, now);
            }
        }
    }

    fn next_due(&self, cluster: &ClusterName) -> Option<Duration> {
        let due = self.state.lock().clusters.get(cluster)?.next_due()?;
        let left = due.duration_since(self.actor.world.clock().now());
        Some(Duration::try_from(left).unwrap_or_default())
    }
}
