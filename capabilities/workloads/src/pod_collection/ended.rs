//! Pods that have ended, where there are more of them than are kept: the oldest
//! go, those first that were evicted.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, Next, Reconciler};
use futures::future::BoxFuture;

use super::end::end;
use crate::batch;
use crate::views::Pod;
use crate::world::World;

/// Begins to collect, unless all are kept.
pub(super) fn start(world: &World, most: u32) {
    let Some(most) = usize::try_from(most).ok().filter(|most| *most > 0) else { return };
    Controller::new("ended pods", Arc::new(Ended { world: world.clone(), most }))
        .watches(world.pods.cache(), cluster_of)
        .start(world.tasks());
}

/// The cluster of a pod, which stands for all its pods.
fn cluster_of(change: &Change) -> Vec<ObjectKey> {
    change.new.iter().map(|pod| ObjectKey::new(&pod.cluster, "", "")).collect()
}

struct Ended {
    world: World,
    most: usize,
}

impl Reconciler for Ended {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            // Counting costs nothing; looking at all of them does.
            if self.world.pods.count(&key.cluster, Pod::ENDED) <= self.most {
                return Ok(Next::Done);
            }
            let surplus = surplus(self.world.pods.find(&key.cluster, Pod::ENDED), self.most);
            let (_, outcome) = batch::slowly(&surplus, |pod| end(&self.world, pod, None)).await;
            outcome.map(|()| Next::Done)
        })
    }
}

/// Those that are too many; those that go already are not deleted again.
fn surplus(mut ended: Vec<Arc<Item<Pod>>>, most: usize) -> Vec<Arc<Item<Pod>>> {
    ended.sort_by_cached_key(|pod| {
        let meta = &pod.object.meta;
        (&*pod.view.status.reason != "Evicted", meta.creation_timestamp.clone(), meta.name.clone())
    });
    let count = ended.len().saturating_sub(most);
    ended.into_iter().take(count).filter(|pod| !pod.object.meta.is_deleting()).collect()
}
