//! Simulated nodes: makes each ready once and says how large it is if nobody
//! has. It gives no further sign of life: the life cycle of nodes, which runs in
//! the same process, takes a simulated node for alive, so that a platform at
//! rest writes nothing.

use std::sync::Arc;

use api::Status;
use client::{Change, Item, Object, ObjectKey, Patch};
use controller::{Controller, Error, Next, Reconciler};
use futures::future::BoxFuture;
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

pub(super) fn start(world: &World, stages: &Resource<Stage>, fleet: &Arc<Fleet>) {
    let nodes = Nodes {
        world: world.clone(),
        stages: Stages::new(world, "Node", stages),
        addresses: Addresses::of_nodes(),
        fleet: fleet.clone(),
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
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl Nodes {
    async fn sync(&self, key: &ObjectKey, node: &Item<Node>) -> Result<Next, Error> {
        let now = self.world.clock().now();
        let value = node.object.value()?;
        let held = node_status::address(&value);
        if let Some(address) = &held {
            self.addresses.claim(key, address);
            self.fleet.join(key, address);
        }
        let offered = node_status::is_incomplete(&value).then_some((INITIALIZE, now));
        match self.stages.choose(&node.object, offered, now)? {
            Choice::Nothing => {}
            // No event tells that a stage is due.
            Choice::Wait(wait) => return Ok(Next::After(wait)),
            Choice::Builtin => {
                let address = held.or_else(|| self.addresses.give(key).map(|address| address.to_string()));
                let now = self.world.clock().now_rfc3339();
                let status = node_status::complete(&value, &address.unwrap_or_default(), &now);
                let patch = json!({ "metadata": { "uid": node.object.meta.uid }, "status": status });
                self.patch_status(&node.object, &patch).await?;
            }
            Choice::Stage(stage) => {
                let facts = Facts {
                    now: self.world.clock().now_rfc3339(),
                    node_ip: held.unwrap_or_default(),
                    node_name: node.object.meta.name.clone(),
                    pod_ip: String::new(),
                };
                self.stages.take(&stage, &self.world.nodes, &node.object, &facts).await?;
            }
        }
        Ok(Next::Done)
    }

    async fn patch_status(&self, node: &Object, patch: &Value) -> Result<(), Status> {
        match self.world.nodes.patch(node, Some("status"), Patch::Strategic(patch.to_string().into())).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}
