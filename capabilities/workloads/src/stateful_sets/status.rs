//! What a stateful set reports. Pure.

use std::sync::Arc;

use api::Status;
use client::Item;
use serde_json::{Map, Value, json};

use super::identity;
use super::scene::Scene;
use crate::views::{Phase, Pod, UpdateStrategy};

/// Pods by what they are.
#[derive(Default)]
struct Counts {
    all: usize,
    ready: usize,
    available: usize,
    current: usize,
    updated: usize,
}

fn count(scene: &Scene<'_>) -> Counts {
    let mut counts = Counts::default();
    let is_ordinary =
        |pod: &&Arc<Item<Pod>>| identity::ordinal(&scene.set.object.meta.name, &pod.object.meta.name).is_some();
    for pod in scene.pods.iter().filter(is_ordinary) {
        counts.all += 1;
        if pod.view.status.phase == Phase::Running && pod.view.is_ready() {
            counts.ready += 1;
            counts.available += usize::from(scene.is_available(pod));
        }
        if !pod.object.meta.is_deleting() {
            let revision = identity::revision(&pod.object.meta);
            counts.current += usize::from(revision == scene.current);
            counts.updated += usize::from(revision == scene.update);
        }
    }
    counts
}

/// The status to report. Once all pods are of the newest revision, that is the current one.
pub(super) fn status(scene: &Scene<'_>, collisions: i64) -> Result<Value, Status> {
    let Counts { all, ready, available, mut current, updated } = count(scene);
    let mut current_revision = scene.current;
    let is_rolling = matches!(scene.set.view.strategy, UpdateStrategy::Rolling { .. });
    if is_rolling && updated == all && ready == all && !scene.set.object.meta.is_deleting() {
        current = updated;
        current_revision = scene.update;
    }
    let object = scene.set.object.value()?;
    let mut status = object["status"].as_object().cloned().unwrap_or_default();
    status.insert("observedGeneration".into(), scene.set.object.meta.generation.into());
    status.insert("replicas".into(), all.into());
    status.insert("availableReplicas".into(), available.into());
    status.insert("collisionCount".into(), collisions.into());
    set(&mut status, "readyReplicas", ready);
    set(&mut status, "currentReplicas", current);
    set(&mut status, "updatedReplicas", updated);
    for (field, revision) in [("currentRevision", current_revision), ("updateRevision", scene.update)] {
        if !revision.is_empty() {
            status.insert(field.into(), json!(revision));
        }
    }
    Ok(Value::Object(status))
}

/// Seconds until a pod that is ready will have been so for long enough.
pub(super) fn next_available(scene: &Scene<'_>) -> Option<u64> {
    let ready = scene.pods.iter().filter(|pod| !pod.object.meta.is_deleting());
    let waits = ready.filter_map(|pod| pod.view.available_in(scene.set.view.min_ready_secs, scene.now));
    waits.filter(|secs| *secs > 0).min()?.try_into().ok()
}

/// A number that is left out when it is zero, as Kubernetes writes it.
fn set(status: &mut Map<String, Value>, field: &str, number: usize) {
    if number == 0 {
        status.remove(field);
    } else {
        status.insert(field.into(), number.into());
    }
}
