//! Nodes that are simulated, in KWOK's terms: a node annotated
//! `kwok.x-k8s.io/node: fake` is kept ready, and the pods bound to it live
//! through stages — the built-in ones, as `marks` says, or Stage objects. It
//! never runs anything.

mod addresses;
mod decide;
mod duration;
mod fleet;
mod furnish;
mod marks;
mod node_status;
mod nodes;
mod pod;
mod pods;
mod query;
mod stage;
mod stages;
mod status;
mod template;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::acceptance;
use crate::resource::Resource;
use crate::world::World;
use fleet::Fleet;
use stage::Stage;

pub(crate) use marks::is_simulated;

/// Simulates what is marked so, and makes `count` nodes.
pub(crate) fn start(world: &World, count: u32) {
    let stages: Resource<Stage> = Resource::start(world.ctx(), "kwok.x-k8s.io", "v1alpha1", "stages");
    let (joined, heard) = mpsc::unbounded_channel();
    let fleet = Arc::new(Fleet::new(joined));
    acceptance::start(world, "stages", &stages);
    nodes::start(world, &stages, &fleet);
    pods::start(world, &stages, &fleet, heard);
    furnish::start(world, count);
}
