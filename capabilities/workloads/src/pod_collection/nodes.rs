//! Pods of nodes that are gone, once these have been so for a while, and
//! deleted pods of nodes that are out of service.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Change, Item, Object, ObjectKey};
use controller::{Controller, Error, Next, Reconciler};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::json;

use super::end::end;
use crate::views::Pod;
use crate::world::World;

/// For how long a node is missed before its pods go: it may be about to come.
const QUARANTINE: SignedDuration = SignedDuration::from_secs(40);
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

pub(super) fn start(world: &World) {
    let nodes = Nodes { world: world.clone(), missing: Mutex::default() };
    Controller::new("pods of lost nodes", Arc::new(nodes))
        .owns(world.nodes.cache())
        .watches(world.pods.cache(), node_of)
        .start(world.tasks());
}

/// The node of a pod, by its key.
fn node_of(change: &Change) -> Vec<ObjectKey> {
    let pod = change.new.iter().filter_map(|pod| Some((pod, pod.parse::<Pod>().ok()?.spec.node_name)));
    let bound = pod.filter(|(_, node)| !node.is_empty());
    bound.map(|(pod, node)| ObjectKey::new(&pod.cluster, "", &node)).collect()
}

/// Whether nothing on a node will ever end its pods, as somebody has said.
fn is_out_of_service(node: &Object) -> Result<bool, Error> {
    let node = node.value()?;
    let list = |pointer: &str| node.pointer(pointer).and_then(|list| list.as_array()).into_iter().flatten();
    let is_ready = list("/status/conditions").any(|held| held["type"] == "Ready" && held["status"] == "True");
    let is_tainted = list("/spec/taints").any(|taint| taint["key"] == OUT_OF_SERVICE);
    Ok(is_tainted && !is_ready)
}

struct Nodes {
    world: World,
    /// Since when nodes are missed that have pods.
    missing: Mutex<HashMap<ObjectKey, Timestamp>>,
}

impl Reconciler for Nodes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let pods = self.world.pods.find(&key.cluster, &Pod::on_node(&key.name));
            match self.world.nodes.get(key) {
                _ if pods.is_empty() => {
                    self.missing.lock().remove(key);
                    Ok(Next::Done)
                }
                Some(node) => {
                    self.missing.lock().remove(key);
                    self.tend(&node.object, &pods).await
                }
                None => self.miss(key, &pods).await,
            }
        })
    }
}

impl Nodes {
    /// The pods of a node that is there.
    async fn tend(&self, node: &Object, pods: &[Arc<Item<Pod>>]) -> Result<Next, Error> {
        let going: Vec<&Arc<Item<Pod>>> = pods.iter().filter(|pod| is_going(pod)).collect();
        if !going.is_empty() && is_out_of_service(node)? {
            for pod in going {
                end(&self.world, pod, None).await?;
            }
        }
        Ok(Next::Done)
    }

    /// The pods of a node that is not there.
    async fn miss(&self, key: &ObjectKey, pods: &[Arc<Item<Pod>>]) -> Result<Next, Error> {
        let now = self.world.clock().now();
        let since = *self.missing.lock().entry(key.clone()).or_insert(now);
        let left = QUARANTINE - now.duration_since(since);
        if left.is_positive() {
            // That a node stays away is no event.
            return Ok(Next::After(Duration::try_from(left).unwrap_or_default()));
        }
        if self.world.nodes.live(key).await?.is_some() {
            return Ok(Next::Done);
        }
        for pod in pods {
            if has_come_to_its_end(pod) {
                continue;
            }
            let condition = json!({
                "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
                "message": "PodGC: node no longer exists",
                "lastTransitionTime": self.world.clock().now_rfc3339(),
                "observedGeneration": pod.object.meta.generation,
            });
            end(&self.world, pod, Some(&condition)).await?;
        }
        Ok(Next::Done)
    }
}

/// Whether it waits for an end that its node would have to bring.
fn is_going(pod: &Item<Pod>) -> bool {
    pod.object.meta.is_deleting() && !has_come_to_its_end(pod)
}

/// Whether it has ended and is deleted without grace: only finalizers hold it.
fn has_come_to_its_end(pod: &Item<Pod>) -> bool {
    let meta = &pod.object.meta;
    pod.view.is_finished() && meta.is_deleting() && meta.deletion_grace_period_seconds == Some(0)
}
