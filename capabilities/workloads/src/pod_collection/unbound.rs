//! Pods that are deleted and never came to a node: no node agent will end them.

use std::sync::Arc;

use client::{Change, ObjectKey};
use controller::{Controller, Error, Next, Reconciler};
use futures::future::BoxFuture;

use super::end::end;
use crate::world::World;

pub(super) fn start(world: &World) {
    Controller::new("deleted pods without a node", Arc::new(Unbound { world: world.clone() }))
        .watches(world.pods.cache(), deleted)
        .start(world.tasks());
}

fn deleted(change: &Change) -> Vec<ObjectKey> {
    change.new.iter().filter(|pod| pod.meta.is_deleting()).map(ObjectKey::of).collect()
}

struct Unbound {
    world: World,
}

impl Reconciler for Unbound {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let pod = self.world.pods.get(key).filter(|pod| pod.object.meta.is_deleting());
            let Some(pod) = pod.filter(|pod| pod.view.spec.node_name.is_empty()) else { return Ok(Next::Done) };
            // One that has ended waits for its finalizers alone.
            if !pod.view.is_finished() {
                end(&self.world, &pod, None).await?;
            }
            Ok(Next::Done)
        })
    }
}
