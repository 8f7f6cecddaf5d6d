//! Deletes pods from nodes with `NoExecute` taints that they do not tolerate,
//! at once or when their toleration ends. It never touches a node.

mod decide;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Change, Item, Object, ObjectKey, Patch};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::json;

use crate::views::{HeldTaint, Node, Pod};
use crate::world::World;
use decide::Fate;

const WORKERS: usize = 8;
const EVICTION: &str = "TaintManagerEviction";

pub(crate) fn start(world: &World) -> Handle {
    let recorder = world.recorder("taint-eviction-controller");
    let reconciler = TaintEviction { world: world.clone(), recorder, since: Mutex::default() };
    let of_node = world.clone();
    Controller::new("taint eviction", Arc::new(reconciler))
        .owns(world.pods.cache())
        .watches(world.nodes.cache(), move |change| pods_of_node(&of_node, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The pods of a node whose taints have changed.
fn pods_of_node(world: &World, change: &Change) -> Vec<ObjectKey> {
    let evicting = |node: &Option<Object>| -> Vec<HeldTaint> {
        let node = node.as_ref().and_then(|node| node.parse::<Node>().ok());
        node.map(|node| node.evicting().cloned().collect()).unwrap_or_default()
    };
    if evicting(&change.old) == evicting(&change.new) {
        return Vec::new();
    }
    let node = change.object();
    world.pods.find(&node.cluster, &Pod::on_node(&node.meta.name)).iter().map(|pod| pod.key()).collect()
}

struct TaintEviction {
    world: World,
    recorder: Recorder,
    /// Pods that must go some time, by uid, and from when on their time counts.
    since: Mutex<HashMap<ObjectKey, (String, Timestamp)>>,
}

impl Reconciler for TaintEviction {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.pods.get(key) {
                Some(pod) if !pod.object.meta.is_deleting() => self.sync(key, &pod).await,
                _ => {
                    self.since.lock().remove(key);
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl TaintEviction {
    async fn sync(&self, key: &ObjectKey, pod: &Item<Pod>) -> Result<Next, Error> {
        let node = self.world.nodes.get(&ObjectKey::new(&key.cluster, "", &pod.view.spec.node_name));
        let taints: Vec<HeldTaint> =
            node.as_ref().map(|node| node.view.evicting().cloned().collect()).unwrap_or_default();
        let now = self.world.clock().now();
        let since = self.since(key, pod, &taints, now);
        match decide::fate(taints.iter(), &pod.view.spec.tolerations, since) {
            Fate::Goes => self.evict(key, pod).await,
            Fate::GoesAt(time) if time <= now => self.evict(key, pod).await,
            Fate::GoesAt(time) => {
                self.since.lock().insert(key.clone(), (pod.object.meta.uid.clone(), since));
                // No event tells that a toleration ends.
                Ok(Next::After(Duration::try_from(time.duration_since(now)).unwrap_or_default()))
            }
            Fate::Stays => {
                if self.since.lock().remove(key).is_some() {
                    let message = format!("Cancelling deletion of Pod {}/{}", key.namespace, key.name);
                    self.recorder.record(&pod.object, EventKind::Normal, EVICTION, "", &message).await;
                }
                Ok(Next::Done)
            }
        }
    }

    /// A pod that was given its time keeps it, whatever taints come.
    fn since(&self, key: &ObjectKey, pod: &Item<Pod>, taints: &[HeldTaint], now: Timestamp) -> Timestamp {
        match self.since.lock().get(key) {
            Some((uid, since)) if *uid == pod.object.meta.uid => *since,
            _ => {
                let created = pod.object.meta.creation_timestamp.as_deref().and_then(|time| time.parse().ok());
                let bound = pod.view.condition("PodScheduled").and_then(|held| held.last_transition_time);
                decide::since(taints.iter(), bound.or(created), now)
            }
        }
    }

    async fn evict(&self, key: &ObjectKey, pod: &Item<Pod>) -> Result<Next, Error> {
        let message = format!("Marking for deletion Pod {}/{}", key.namespace, key.name);
        self.recorder.record(&pod.object, EventKind::Normal, EVICTION, "", &message).await;
        let meta = &pod.object.meta;
        let condition = json!({
            "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastProbeTime": null, "lastTransitionTime": self.world.clock().now_rfc3339(),
            "observedGeneration": meta.generation,
        });
        let patch = json!({ "metadata": { "uid": meta.uid }, "status": { "conditions": [condition] } });
        let patch = Patch::Strategic(patch.to_string().into());
        match self.world.pods.patch(&pod.object, Some("status"), patch).await {
            Err(status) if !status.is_not_found() && !status.is_conflict() => return Err(status.into()),
            _ => {}
        }
        self.world.pods.delete(&pod.object).await?;
        self.since.lock().remove(key);
        Ok(Next::Done)
    }
}
