//! Watches over nodes: says of those that fall silent that nobody knows how
//! they are, keeps pods away by taints, and says of their pods that they are
//! not ready. Simulated nodes are never silent. It never deletes anything.

mod decide;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use api::Status;
use client::{Change, Item, Object, ObjectKey, Patch, View};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::resource::Resource;
use crate::simulated;
use crate::views::{Node, Pod};
use crate::world::World;
use decide::Signs;

const WORKERS: usize = 4;
/// Where nodes renew their leases.
const LEASES: &str = "kube-node-lease";

/// Watches over nodes; one that is silent for `grace_secs` is lost.
pub(crate) fn start(world: &World, grace_secs: i64) -> Handle {
    let leases = Resource::start(world.ctx(), "coordination.k8s.io", "v1", "leases");
    let recorder = world.recorder("node-controller");
    let reconciler =
        NodeLifecycle { world: world.clone(), leases: leases.clone(), recorder, grace_secs, known: Mutex::default() };
    let of_pod = world.clone();
    Controller::new("node lifecycle", Arc::new(reconciler))
        .owns(world.nodes.cache())
        .watches(leases.cache(), node_of_lease)
        .watches(world.pods.cache(), move |change| lost_node_of_pod(&of_pod, change))
        .workers(WORKERS)
        .start(world.tasks())
}

fn node_of_lease(change: &Change) -> Vec<ObjectKey> {
    let lease = change.object();
    if lease.meta.namespace != LEASES {
        return Vec::new();
    }
    vec![ObjectKey::new(&lease.cluster, "", &lease.meta.name)]
}

/// The node of a pod that has just come to it, if it is not ready.
fn lost_node_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    let node = change.new.as_ref().and_then(|pod| world.pods.get(&ObjectKey::of(pod))).and_then(|pod| {
        let key = ObjectKey::new(&pod.object.cluster, "", &pod.view.spec.node_name);
        world.nodes.get(&key)
    });
    let is_lost = |node: &Arc<Item<Node>>| node.view.ready().is_some_and(|ready| ready != "True");
    node.filter(is_lost).map(|node| node.key()).into_iter().collect()
}

/// When a node's lease was renewed.
#[derive(Debug)]
struct Lease {
    renewed: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LeaseWire {
    spec: LeaseSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeaseSpec {
    renew_time: Option<String>,
}

impl View for Lease {
    fn read(object: &Object) -> Result<Self, Status> {
        Ok(Lease { renewed: object.parse::<LeaseWire>()?.spec.renew_time })
    }
}

/// What is remembered of a node.
struct Known {
    node: Object,
    signs: Signs,
    is_ready: bool,
    /// Pods of which was said already that they are not ready, since the node is not.
    marked: HashSet<String>,
}

struct NodeLifecycle {
    world: World,
    leases: Resource<Lease>,
    recorder: Recorder,
    grace_secs: i64,
    known: Mutex<HashMap<ObjectKey, Known>>,
}

impl Reconciler for NodeLifecycle {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.nodes.get(key) {
                Some(node) => self.sync(key, &node.object).await,
                None => {
                    self.forget(key).await;
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl NodeLifecycle {
    async fn sync(&self, key: &ObjectKey, node: &Object) -> Result<Next, Error> {
        let now = self.world.clock().now();
        let object = node.value()?;
        let deadline = self.observe(key, node, &object).await;
        let may_be_silent = !simulated::is_simulated(&node.meta);
        if may_be_silent
            && deadline <= now
            && let Some(status) = decide::silenced(&object, &self.world.clock().now_rfc3339())
        {
            self.world.nodes.update_status(node, status).await?;
            // It comes back as a change, and the rest follows from it.
            return Ok(Next::Done);
        }
        self.taint(node, &object).await?;
        let ready = decide::condition(&object, "Ready").and_then(|ready| ready["status"].as_str());
        match ready {
            Some("True") | None => {
                if let Some(known) = self.known.lock().get_mut(key) {
                    known.is_ready = ready.is_some();
                    known.marked.clear();
                }
            }
            Some(_) => self.lost(key, node).await?,
        }
        if !may_be_silent {
            return Ok(Next::Done);
        }
        // No event tells of silence.
        let wait = deadline.duration_since(now);
        Ok(Duration::try_from(wait).ok().filter(|wait| !wait.is_zero()).map_or(Next::Done, Next::After))
    }

    /// Takes in a node's signs of life; returns when its silence will have lasted too long.
    async fn observe(&self, key: &ObjectKey, node: &Object, object: &Value) -> jiff::Timestamp {
        let lease = self.leases.get(&ObjectKey::new(&key.cluster, LEASES, &key.name));
        let renewed = lease.as_ref().and_then(|lease| lease.view.renewed.as_deref());
        let now = self.world.clock().now();
        let (deadline, is_new) = {
            let mut all = self.known.lock();
            let before = all.remove(key).filter(|known| known.node.meta.uid == node.meta.uid);
            let signs = decide::signs(before.as_ref().map(|known| &known.signs), object, renewed, now);
            let deadline = decide::deadline(&signs, object, self.grace_secs);
            let is_new = before.is_none();
            let (is_ready, marked) = before.map(|known| (known.is_ready, known.marked)).unwrap_or_default();
            all.insert(key.clone(), Known { node: node.clone(), signs, is_ready, marked });
            (deadline, is_new)
        };
        if is_new {
            let message = format!("Node {0} event: Registered Node {0} in Controller", key.name);
            self.recorder.record(node, EventKind::Normal, "RegisteredNode", "", &message).await;
        }
        deadline
    }

    async fn forget(&self, key: &ObjectKey) {
        let known = self.known.lock().remove(key);
        if let Some(known) = known {
            let message = format!("Node {0} event: Removing Node {0} from Controller", key.name);
            self.recorder.record(&known.node, EventKind::Normal, "RemovingNode", "", &message).await;
        }
    }

    async fn taint(&self, node: &Object, object: &Value) -> Result<(), Error> {
        let Some(taints) = decide::taints(object, &self.world.clock().now_rfc3339()) else { return Ok(()) };
        let taints = if taints.is_empty() { Value::Null } else { taints.into() };
        let metadata = json!({ "resourceVersion": node.meta.resource_version, "uid": node.meta.uid });
        let patch = Patch::Merge(json!({ "metadata": metadata, "spec": { "taints": taints } }).to_string().into());
        match self.world.nodes.patch(node, None, patch).await {
            Err(status) if !status.is_not_found() => Err(status.into()),
            _ => Ok(()),
        }
    }

    /// Says that a node is not ready, once, and of each of its pods, once. Its kubelet, if it
    /// lives, may say otherwise.
    async fn lost(&self, key: &ObjectKey, node: &Object) -> Result<(), Error> {
        let was_ready =
            self.known.lock().get_mut(key).is_some_and(|known| std::mem::replace(&mut known.is_ready, false));
        if was_ready {
            let message = format!("Node {} status is now: NodeNotReady", key.name);
            self.recorder.record(node, EventKind::Normal, "NodeNotReady", "", &message).await;
        }
        for pod in self.world.pods.find(&key.cluster, &Pod::on_node(&key.name)) {
            let uid = &pod.object.meta.uid;
            let is_marked = self.known.lock().get(key).is_some_and(|known| known.marked.contains(uid));
            if is_marked || !pod.view.is_ready() {
                continue;
            }
            self.mark(&pod).await?;
            if let Some(known) = self.known.lock().get_mut(key) {
                known.marked.insert(uid.clone());
            }
        }
        Ok(())
    }

    async fn mark(&self, pod: &Item<Pod>) -> Result<(), Error> {
        self.recorder.record(&pod.object, EventKind::Warning, "NodeNotReady", "", "Node is not ready").await;
        let now = self.world.clock().now_rfc3339();
        let condition = json!({ "type": "Ready", "status": "False", "lastTransitionTime": now });
        let patch = json!({ "metadata": { "uid": pod.object.meta.uid }, "status": { "conditions": [condition] } });
        let patch = Patch::Strategic(patch.to_string().into());
        match self.world.pods.patch(&pod.object, Some("status"), patch).await {
            Err(status) if !status.is_not_found() && !status.is_conflict() => Err(status.into()),
            _ => Ok(()),
        }
    }
}
