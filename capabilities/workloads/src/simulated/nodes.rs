//! Simulated nodes: makes each ready once, says how large it is if nobody has,
//! and keeps its lease. The lease is the only thing that is written again and
//! again: one small write per node in thirty seconds, which the life cycle of
//! nodes accepts as a sign of life (its grace is fifty).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::{Gvk, Gvr, Status};
use client::{Change, Item, Object, ObjectKey, Patch, Target, WriteOptions};
use controller::{Controller, Error, Next, Reconciler, owner};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::addresses::Addresses;
use super::fleet::Fleet;
use super::marks;
use super::node_status::{self, INITIALIZE};
use super::stage::Stage;
use super::stages::{Choice, Stages};
use super::template::Facts;
use crate::resource::Resource;
use crate::views::Node;
use crate::world::World;

const WORKERS: usize = 8;
const RENEWAL: Duration = Duration::from_secs(30);
const LEASE_SECS: i64 = 40;
const LEASES: &str = "kube-node-lease";

pub(super) fn start(world: &World, stages: &Resource<Stage>, fleet: &Arc<Fleet>) {
    let nodes = Nodes {
        world: world.clone(),
        stages: Stages::new(world, "Node", stages),
        addresses: Addresses::of_nodes(),
        fleet: fleet.clone(),
        renewed: Mutex::default(),
    };
    let all = world.clone();
    Controller::new("simulated nodes", Arc::new(nodes))
        .owns(world.nodes.cache())
        .watches(stages.cache(), move |change| keys_of_stage(&all, change))
        .workers(WORKERS)
        .start(world.tasks());
}

fn keys_of_stage(world: &World, change: &Change) -> Vec<ObjectKey> {
    world.nodes.find_in(&change.object().cluster, "").iter().map(|node| node.key()).collect()
}

struct Nodes {
    world: World,
    stages: Stages,
    addresses: Addresses,
    fleet: Arc<Fleet>,
    /// When each node's lease was renewed last.
    renewed: Mutex<HashMap<ObjectKey, Timestamp>>,
}

impl Reconciler for Nodes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.nodes.get(key).filter(|node| marks::is_simulated(&node.object.meta)) {
                Some(node) => self.sync(key, &node).await,
                None => {
                    self.fleet.leave(key);
                    self.addresses.release(key);
                    self.stages.forget(key);
                    self.renewed.lock().remove(key);
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl Nodes {
    async fn sync(&self, key: &ObjectKey, node: &Item<Node>) -> Result<Next, Error> {
        let wait = self.renew(key, &node.object).await?;
        let now = self.world.clock().now();
        let value = node.object.value()?;
        let held = node_status::address(&value);
        if let Some(address) = &held {
            self.addresses.claim(key, address);
            self.fleet.join(key, address);
        }
        let offered = node_status::is_incomplete(&value).then_some((INITIALIZE, now));
        let wait = match self.stages.choose(&node.object, offered, now)? {
            Choice::Nothing => wait,
            Choice::Wait(stage) => wait.min(stage),
            Choice::Builtin => {
                let address = held.or_else(|| self.addresses.give(key).map(|address| address.to_string()));
                let now = self.world.clock().now_rfc3339();
                let status = node_status::complete(&value, &address.unwrap_or_default(), &now);
                let patch = json!({ "metadata": { "uid": node.object.meta.uid }, "status": status });
                self.patch_status(&node.object, &patch).await?;
                wait
            }
            Choice::Stage(stage) => {
                let facts = Facts {
                    now: self.world.clock().now_rfc3339(),
                    node_ip: held.unwrap_or_default(),
                    node_name: node.object.meta.name.clone(),
                    pod_ip: String::new(),
                };
                self.stages.take(&stage, &self.world.nodes, &node.object, &facts).await?;
                wait
            }
        };
        // No event tells that a lease runs out.
        Ok(Next::After(wait.max(Duration::from_millis(1))))
    }

    async fn patch_status(&self, node: &Object, patch: &Value) -> Result<(), Status> {
        match self.world.nodes.patch(node, Some("status"), Patch::Strategic(patch.to_string().into())).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }

    /// Renews the lease of a node if it is time; returns how long the next time is away.
    async fn renew(&self, key: &ObjectKey, node: &Object) -> Result<Duration, Status> {
        let now = self.world.clock().now();
        let due = self.renewed.lock().get(key).and_then(|last| last.checked_add(renewal()).ok());
        if let Some(wait) = due.filter(|due| *due > now).map(|due| due.duration_since(now)) {
            return Ok(Duration::try_from(wait).unwrap_or(RENEWAL));
        }
        let objects = &self.world.ctx().objects;
        let target = Target::namespaced(&key.cluster, &Gvr::new("coordination.k8s.io", "v1", "leases"), LEASES);
        let time = self.world.clock().now_micro();
        let patch = Patch::Merge(json!({ "spec": { "renewTime": time } }).to_string().into());
        match objects.patch(&target, &key.name, None, patch, WriteOptions::default()).await {
            Err(status) if status.is_not_found() => {
                let body = lease(node, &time).to_string().into();
                objects.create(&target, body, WriteOptions::default()).await?;
            }
            outcome => drop(outcome?),
        }
        self.renewed.lock().insert(key.clone(), now);
        Ok(RENEWAL)
    }
}

fn renewal() -> SignedDuration {
    SignedDuration::try_from(RENEWAL).unwrap_or_default()
}

/// A lease as a kubelet makes it: it goes with its node.
fn lease(node: &Object, time: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {
            "name": node.meta.name, "namespace": LEASES,
            "ownerReferences": [owner::reference(&Gvk::new("", "v1", "Node"), &node.meta, false)],
        },
        "spec": { "holderIdentity": node.meta.name, "leaseDurationSeconds": LEASE_SECS, "renewTime": time },
    })
}
