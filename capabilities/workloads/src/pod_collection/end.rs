//! How a pod is ended that has no node agent to end it.

use client::{DeleteOptions, Item, Patch};
use controller::Error;
use serde_json::{Value, json};

use crate::views::Pod;
use crate::world::World;

/// Says that a pod failed, unless it has ended, with a condition that tells why, and deletes it
/// without grace.
pub(super) async fn end(world: &World, pod: &Item<Pod>, why: Option<&Value>) -> Result<(), Error> {
    if !pod.view.is_finished() {
        let mut patch = json!({ "metadata": { "uid": pod.object.meta.uid }, "status": { "phase": "Failed" } });
        if let Some(condition) = why {
            patch["status"]["conditions"] = json!([condition]);
        }
        let patch = Patch::Strategic(patch.to_string().into());
        match world.pods.patch(&pod.object, Some("status"), patch).await {
            Err(status) if status.is_not_found() => return Ok(()),
            outcome => drop(outcome?),
        }
    }
    let at_once = DeleteOptions { grace_period_secs: Some(0), ..DeleteOptions::default() };
    Ok(world.pods.delete_with(&pod.object, at_once).await?)
}
