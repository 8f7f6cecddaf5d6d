//! What a disruption budget allows: which pods count as healthy, how many must
//! be, and the status that says so. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Status;
use client::Item;
use controller::{Condition, condition};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::views::{DisruptionBudget, IntOrPercent, Pod};

/// How long a pod that was let go counts as gone although it is there.
const DELETION_TIMEOUT_SECS: i64 = 2 * 60;
const DISRUPTION_ALLOWED: &str = "DisruptionAllowed";

/// How many pods there should be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// In all.
    pub(super) expected: i64,
    /// Of these, healthy.
    pub(super) desired_healthy: i64,
    /// Pods that nobody controls, so that nothing says how many there should be.
    pub(super) unmanaged: usize,
}

/// How the pods of a budget are.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Those that are ready and neither going nor let go.
    pub(super) healthy: i64,
    /// Those that were let go and are still there.
    pub(super) disrupted: BTreeMap<String, Timestamp>,
    /// Those that were let go too long ago: they stay, it seems.
    pub(super) overdue: Vec<Arc<Item<Pod>>>,
    /// Seconds until the next of the disrupted is overdue.
    pub(super) recheck_secs: Option<u64>,
}

/// Whether the budget needs to know how many pods their controllers want.
pub(super) fn goes_by_scale(budget: &DisruptionBudget) -> bool {
    budget.max_unavailable.is_some() || matches!(budget.min_available, Some(IntOrPercent::Percent(_)))
}

/// The counts of a budget that states a number of pods, or nothing.
pub(super) fn by_number(budget: &DisruptionBudget, pods: usize) -> Counts {
    match budget.min_available {
        Some(IntOrPercent::Int(least)) => {
            Counts { expected: i64::try_from(pods).unwrap_or(i64::MAX), desired_healthy: least, unmanaged: 0 }
        }
        _ => Counts::default(),
    }
}

/// The counts of a budget that depends on how many pods are wanted in all.
pub(super) fn by_scale(budget: &DisruptionBudget, expected: i64, unmanaged: usize) -> Counts {
    let desired_healthy = match (budget.max_unavailable, budget.min_available) {
        (Some(most), _) => (expected - most.rounded_up(expected)).max(0),
        (None, Some(least)) => least.rounded_up(expected),
        (None, None) => 0,
    };
    Counts { expected, desired_healthy, unmanaged }
}

/// Looks at every pod of a budget.
pub(super) fn health(budget: &Item<DisruptionBudget>, pods: &[Arc<Item<Pod>>], now: Timestamp) -> Health {
    let mut health = Health::default();
    let mut first_due: Option<Timestamp> = None;
    for pod in pods.iter().filter(|pod| !pod.object.meta.is_deleting()) {
        let name = &pod.object.meta.name;
        if let Some(since) = budget.view.disrupted.get(name) {
            let due = *since + jiff::SignedDuration::from_secs(DELETION_TIMEOUT_SECS);
            if due >= now {
                first_due = Some(first_due.map_or(due, |first| first.min(due)));
                health.disrupted.insert(name.clone(), *since);
                continue;
            }
            health.overdue.push(pod.clone());
        }
        health.healthy += i64::from(pod.view.is_ready());
    }
    // One second more: at the very time it is not overdue yet.
    health.recheck_secs = first_due.map(|due| u64::try_from(due.as_second() - now.as_second() + 1).unwrap_or(1));
    health
}

/// The status to report.
pub(super) fn status(
    budget: &Item<DisruptionBudget>,
    counts: &Counts,
    health: &Health,
    now_text: &str,
) -> Result<Value, Status> {
    // A budget of no pods allows nothing, so that the first ones are safe until they are counted.
    let spare = health.healthy - counts.desired_healthy;
    let allowed = if counts.expected <= 0 { 0 } else { spare.max(0) };
    let generation = budget.object.meta.generation;
    let mut status = held_status(budget)?;
    status.insert("disruptionsAllowed".into(), allowed.into());
    status.insert("currentHealthy".into(), health.healthy.into());
    status.insert("desiredHealthy".into(), counts.desired_healthy.into());
    status.insert("expectedPods".into(), counts.expected.into());
    status.insert("observedGeneration".into(), generation.into());
    status.remove("disruptedPods");
    if !health.disrupted.is_empty() {
        let times = health.disrupted.iter().map(|(name, since)| (name.clone(), json!(seconds(*since))));
        status.insert("disruptedPods".into(), Value::Object(times.collect()));
    }
    let reason = if allowed > 0 { "SufficientPods" } else { "InsufficientPods" };
    let condition = Condition::new(DISRUPTION_ALLOWED, allowed > 0, reason, "").observed(generation);
    Ok(with_condition(status, &condition, now_text))
}

/// The status when the pods could not be counted: nothing is allowed.
pub(super) fn failed(budget: &Item<DisruptionBudget>, message: &str, now_text: &str) -> Result<Value, Status> {
    let mut status = held_status(budget)?;
    let observed = status.get("observedGeneration").and_then(Value::as_i64).unwrap_or(0);
    // The counts stay as they were, and are there from the start.
    for count in ["currentHealthy", "desiredHealthy", "expectedPods"] {
        status.entry(count).or_insert(json!(0));
    }
    status.insert("disruptionsAllowed".into(), json!(0));
    let condition = Condition::new(DISRUPTION_ALLOWED, false, "SyncFailed", message).observed(observed);
    Ok(with_condition(status, &condition, now_text))
}

fn held_status(budget: &Item<DisruptionBudget>) -> Result<Map<String, Value>, Status> {
    Ok(budget.object.value()?["status"].as_object().cloned().unwrap_or_default())
}

fn with_condition(mut status: Map<String, Value>, condition: &Condition, now_text: &str) -> Value {
    let mut conditions = status.remove("conditions").and_then(|held| held.as_array().cloned()).unwrap_or_default();
    condition::set(&mut conditions, condition, now_text);
    status.insert("conditions".into(), json!(conditions));
    Value::Object(status)
}

/// As Kubernetes writes times: whole seconds.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
