//! Takes back the condition that a pod is about to be disrupted when nothing
//! came of it. It touches no other condition, and no pod that goes.

use std::sync::Arc;
use std::time::Duration;

use client::{Change, Item, ObjectKey, Patch};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::json;

use crate::views::Pod;
use crate::world::World;

const DISRUPTION_TARGET: &str = "DisruptionTarget";
/// The reason of the kubelet, which may take as long as it likes.
const BY_KUBELET: &str = "TerminationByKubelet";
const TIMEOUT_SECS: i64 = 2 * 60;

pub(super) fn start(world: &World) -> Handle {
    let seen = world.clone();
    let marked = move |change: &Change| {
        let key = change.key();
        let is_marked = seen.pods.get(&key).is_some_and(|pod| due_in(&pod, Timestamp::MAX).is_some());
        if is_marked { vec![key] } else { Vec::new() }
    };
    Controller::new("stale disruption conditions", Arc::new(Stale { world: world.clone() }))
        .watches(world.pods.cache(), marked)
        .start(world.tasks())
}

struct Stale {
    world: World,
}

impl Reconciler for Stale {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(pod) = self.world.pods.get(key) else { return Ok(Next::Done) };
            match due_in(&pod, self.world.clock().now()) {
                None => Ok(Next::Done),
                // No event tells that a pod was not deleted.
                Some(secs) if secs > 0 => Ok(Next::After(Duration::from_secs(secs))),
                Some(_) => self.take_back(&pod).await,
            }
        })
    }
}

impl Stale {
    async fn take_back(&self, pod: &Item<Pod>) -> Result<Next, Error> {
        let condition = json!({
            "type": DISRUPTION_TARGET,
            "status": "False",
            "reason": null,
            "message": null,
            "lastTransitionTime": self.world.clock().now_rfc3339(),
        });
        let meta = &pod.object.meta;
        let patch = json!({
            "metadata": { "uid": meta.uid, "resourceVersion": meta.resource_version },
            "status": { "conditions": [condition] },
        });
        let patch = Patch::Strategic(patch.to_string().into());
        match self.world.pods.patch(&pod.object, Some("status"), patch).await {
            Err(status) if !status.is_not_found() => Err(status.into()),
            _ => Ok(Next::Done),
        }
    }
}

/// Seconds until the condition of a pod is stale; `None` if it has none that can be.
pub(super) fn due_in(pod: &Item<Pod>, now: Timestamp) -> Option<u64> {
    if pod.object.meta.is_deleting() || pod.view.is_finished() {
        return None;
    }
    let marked = pod.view.condition(DISRUPTION_TARGET);
    let marked = marked.filter(|condition| &*condition.status == "True" && &*condition.reason != BY_KUBELET)?;
    let since = marked.last_transition_time.unwrap_or(Timestamp::UNIX_EPOCH);
    Some(u64::try_from(since.as_second() + TIMEOUT_SECS - now.as_second()).unwrap_or(0))
}
