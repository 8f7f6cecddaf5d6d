//! What a replica set needs, which pods it can best do without, and what it
//! reports. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use api::Status;
use client::Item;
use controller::{Condition, Error, condition};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::views::{Pod, ReplicaSet};

/// Pods that are made or deleted at once at most.
const BURST: usize = 500;
/// An annotation of a pod: those of a lower number are deleted first.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// How many related pods each node has.
pub(super) type Crowds = HashMap<Box<str>, usize>;

/// What is to be done about the pods of a replica set.
#[derive(Debug)]
pub(super) enum Plan {
    Nothing,
    Create(usize),
    Delete(Vec<Arc<Item<Pod>>>),
}

/// Why not all of a plan was done.
#[derive(Debug)]
pub(super) struct Failure {
    reason: &'static str,
    message: String,
}

impl Failure {
    pub(super) fn of(plan: &Plan, error: &Error) -> Failure {
        let reason = if matches!(plan, Plan::Delete(_)) { "FailedDelete" } else { "FailedCreate" };
        let message = error.status().map_or_else(|| error.to_string(), |status| status.message.clone());
        Failure { reason, message }
    }
}

/// Whether a pod counts: it has not ended and was not asked to.
pub(super) fn is_active(pod: &Item<Pod>) -> bool {
    !pod.view.is_finished() && !pod.object.meta.is_deleting()
}

/// Decides by the pods that are the set's own. `crowds` counts the related pods of each node; it
/// is only asked if some go and some stay.
pub(super) fn plan(
    set: &Item<ReplicaSet>,
    pods: &[Arc<Item<Pod>>],
    crowds: impl FnOnce() -> Crowds,
    now: Timestamp,
) -> Plan {
    if set.object.meta.is_deleting() {
        return Plan::Nothing;
    }
    let mut active: Vec<&Arc<Item<Pod>>> = pods.iter().filter(|pod| is_active(pod)).collect();
    let wanted = usize::try_from(set.view.replicas).unwrap_or(0);
    if active.len() <= wanted {
        let missing = (wanted - active.len()).min(BURST);
        return if missing == 0 { Plan::Nothing } else { Plan::Create(missing) };
    }
    let excess = (active.len() - wanted).min(BURST);
    // All go: which first does not matter.
    if wanted > 0 {
        let crowds = crowds();
        let crowd = |pod: &Item<Pod>| crowds.get(&pod.view.spec.node_name).copied().unwrap_or(0);
        active.sort_by_cached_key(|pod| rank(pod, crowd(pod), now));
    }
    Plan::Delete(active.into_iter().take(excess).cloned().collect())
}

/// Orders pods, those that are missed least first: without a node, not running, not ready,
/// cheap, on a crowded node, ready for a short time, restarted often, young.
fn rank(pod: &Item<Pod>, crowd: usize, now: Timestamp) -> impl Ord + use<> {
    let (meta, view) = (&pod.object.meta, &pod.view);
    let created = meta.creation_timestamp.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    (
        !view.spec.node_name.is_empty(),
        view.status.phase,
        view.is_ready(),
        deletion_cost(pod),
        Reverse(crowd),
        view.ready_since().map_or(0, |since| age_class(since, now)),
        Reverse(view.restarts()),
        created.map_or(0, |time| age_class(time, now)),
        meta.uid.clone(),
    )
}

/// The order of magnitude of an age, so that ages of about the same length count as one.
fn age_class(since: Timestamp, now: Timestamp) -> u32 {
    let secs = u64::try_from(now.as_second() - since.as_second()).unwrap_or(0);
    u64::BITS - secs.leading_zeros()
}

fn deletion_cost(pod: &Item<Pod>) -> i32 {
    pod.object.meta.annotations.get(DELETION_COST).and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

/// Seconds until a pod that is ready will have been so for long enough.
pub(super) fn next_available(set: &Item<ReplicaSet>, pods: &[Arc<Item<Pod>>], now: Timestamp) -> Option<u64> {
    let waits = pods.iter().filter(|pod| is_active(pod));
    let waits = waits.filter_map(|pod| pod.view.available_in(set.view.min_ready_secs, now));
    waits.filter(|secs| *secs > 0).min()?.try_into().ok()
}

/// The status to report of these pods.
pub(super) fn status(
    set: &Item<ReplicaSet>,
    pods: &[Arc<Item<Pod>>],
    failure: Option<Failure>,
    now_text: &str,
    now: Timestamp,
) -> Result<Value, Status> {
    let object = set.object.value()?;
    let labels = object["spec"]["template"]["metadata"]["labels"].as_object();
    let is_labelled = |pod: &&&Arc<Item<Pod>>| {
        let held = &pod.object.meta.labels;
        labels.into_iter().flatten().all(|(key, value)| held.get(key).map(String::as_str) == value.as_str())
    };
    let active: Vec<&Arc<Item<Pod>>> = pods.iter().filter(|pod| is_active(pod)).collect();
    let ending = pods.iter().filter(|pod| pod.object.meta.is_deleting() && !pod.view.is_finished()).count();
    let ready = active.iter().filter(|pod| pod.view.is_ready()).count();
    let available = active.iter().filter(|pod| pod.view.is_available(set.view.min_ready_secs, now)).count();

    let mut status = object["status"].as_object().cloned().unwrap_or_default();
    count(&mut status, "fullyLabeledReplicas", active.iter().filter(is_labelled).count());
    count(&mut status, "readyReplicas", ready);
    count(&mut status, "availableReplicas", available);
    status.insert("replicas".into(), active.len().into());
    // The older kind does not tell of them.
    if !set.view.is_older {
        status.insert("terminatingReplicas".into(), ending.into());
    }
    status.insert("observedGeneration".into(), set.object.meta.generation.into());
    let mut conditions = status.remove("conditions").and_then(|held| held.as_array().cloned()).unwrap_or_default();
    let fails_already = condition::status(&conditions, REPLICA_FAILURE).is_some();
    match failure {
        // The first failure is told until it is over: the next ones differ in names of pods.
        Some(_) if fails_already => {}
        Some(Failure { reason, message }) => {
            condition::set(&mut conditions, &Condition::new(REPLICA_FAILURE, true, reason, message), now_text);
        }
        None => {
            condition::remove(&mut conditions, REPLICA_FAILURE);
        }
    }
    if !conditions.is_empty() {
        status.insert("conditions".into(), json!(conditions));
    }
    Ok(Value::Object(status))
}

/// A number that is left out when it is zero, as Kubernetes writes it.
fn count(status: &mut Map<String, Value>, field: &str, number: usize) {
    if number == 0 {
        status.remove(field);
    } else {
        status.insert(field.into(), number.into());
    }
}
