//! Makes the nodes that the platform's settings ask for, once at the start:
//! those that are missing are made, and those that are too many go.

use std::sync::Arc;

use api::ClusterName;
use client::{Change, ObjectKey};
use controller::{Controller, Error, Next, Reconciler};
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::marks;
use crate::world::World;

/// The label of nodes that the settings ask for.
const MADE: &str = "simulated.coracle.dev/by-setting";
const PREFIX: &str = "simulated-";
/// Pods that a node takes: more than the usual 110, which would make thousands of pods need
/// dozens of nodes for nothing.
const PODS: &str = "500";
const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];

pub(super) fn start(world: &World, count: u32) {
    let key = |index: u32| ObjectKey::new(&ClusterName::root(), "", &format!("{PREFIX}{index}"));
    let wanted = futures::stream::iter((0..count).map(key));
    let furnisher = Furnisher { world: world.clone(), count };
    Controller::new("simulated nodes by setting", Arc::new(furnisher))
        .watches(world.nodes.cache(), move |change| surplus(change, count))
        .triggered_by(wanted.boxed())
        .workers(8)
        .start(world.tasks());
}

/// Nodes that an earlier setting asked for and this one does not.
fn surplus(change: &Change, count: u32) -> Vec<ObjectKey> {
    let node = change.object();
    let is_ours = node.cluster.is_root() && node.meta.labels.contains_key(MADE);
    if is_ours && index(&node.meta.name).is_none_or(|index| index >= count) { vec![change.key()] } else { Vec::new() }
}

fn index(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

struct Furnisher {
    world: World,
    count: u32,
}

impl Reconciler for Furnisher {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let wanted = index(&key.name).filter(|index| *index < self.count);
            match (self.world.nodes.get(key), wanted) {
                (None, Some(index)) => match self.world.nodes.create(&key.cluster, &node(index)).await {
                    Err(status) if !status.is_already_exists() => return Err(status.into()),
                    _ => {}
                },
                (Some(node), None) if !node.object.meta.is_deleting() => self.world.nodes.delete(&node.object).await?,
                _ => {}
            }
            Ok(Next::Done)
        })
    }
}

/// A node with 32 processors in one of three zones. Its status is not complete on purpose: who
/// simulates it adds the rest.
fn node(index: u32) -> Value {
    let name = format!("{PREFIX}{index}");
    let zone = ZONES[index as usize % ZONES.len()];
    let size = json!({ "cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": PODS });
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": { marks::NODE.0: marks::NODE.1 },
            "labels": {
                MADE: "true",
                "type": "kwok",
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": "simulated",
                "topology.kubernetes.io/region": "simulated",
                "topology.kubernetes.io/zone": zone,
            },
        },
        "status": { "capacity": size, "allocatable": size },
    })
}
