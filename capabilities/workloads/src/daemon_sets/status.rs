//! What a daemon set reports. Pure.

use std::time::Duration;

use api::Status;
use serde_json::{Map, Value};

use super::placement::Wanted;
use super::scene::Scene;

/// Nodes by what of the daemon set is on them.
#[derive(Default)]
struct Counts {
    desired: usize,
    current: usize,
    misscheduled: usize,
    ready: usize,
    available: usize,
    updated: usize,
}

fn count(scene: &Scene<'_>) -> Counts {
    let mut counts = Counts::default();
    for (node, wanted) in &scene.nodes {
        let pods = scene.pods_on(node);
        if *wanted != Wanted::Yes {
            counts.misscheduled += usize::from(!pods.is_empty());
            continue;
        }
        counts.desired += 1;
        let Some(pod) = pods.first() else { continue };
        counts.current += 1;
        if pod.view.is_ready() {
            counts.ready += 1;
            counts.available += usize::from(scene.is_available(pod));
        }
        counts.updated += usize::from(scene.is_updated(pod));
    }
    counts
}

/// The status to report.
pub(super) fn status(scene: &Scene<'_>, collisions: i64) -> Result<Value, Status> {
    let counts = count(scene);
    let object = scene.set.object.value()?;
    let mut status = object["status"].as_object().cloned().unwrap_or_default();
    status.insert("observedGeneration".into(), scene.set.object.meta.generation.into());
    status.insert("desiredNumberScheduled".into(), counts.desired.into());
    status.insert("currentNumberScheduled".into(), counts.current.into());
    status.insert("numberMisscheduled".into(), counts.misscheduled.into());
    status.insert("numberReady".into(), counts.ready.into());
    set(&mut status, "numberAvailable", counts.available);
    set(&mut status, "numberUnavailable", counts.desired - counts.available);
    set(&mut status, "updatedNumberScheduled", counts.updated);
    if collisions > 0 {
        status.insert("collisionCount".into(), collisions.into());
    }
    Ok(Value::Object(status))
}

/// How long it is until a pod that is ready will have been so for long enough.
pub(super) fn next_available(scene: &Scene<'_>) -> Option<Duration> {
    let pods = scene.pods.values().flatten().filter(|pod| !pod.object.meta.is_deleting());
    let waits = pods.filter_map(|pod| pod.view.available_in(scene.set.view.min_ready_secs, scene.now));
    let secs = waits.filter(|secs| *secs > 0).min()?;
    Some(Duration::from_secs(secs.try_into().ok()?))
}

/// A number that is left out when it is zero, as Kubernetes writes it.
fn set(status: &mut Map<String, Value>, field: &str, number: usize) {
    if number == 0 {
        status.remove(field);
    } else {
        status.insert(field.into(), number.into());
    }
}
