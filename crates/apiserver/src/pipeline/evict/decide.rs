//! What a disruption budget says of an eviction, in kube-apiserver's words. Pure.

use api::{Cause, Gvr, Status};
use client::Preconditions;
use machinery::selector::LabelSelector;
use serde_json::{Value, json};

use crate::strategy::conditions;
use crate::tree::{Tree, meta_text};

/// Why a pod of several budgets stays.
pub(super) const MANY: &str =
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
const WOULD_VIOLATE: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
/// So many evictions may wait for a budget's controller to notice them.
const MOST_DISRUPTED: usize = 2000;
/// When to come again, if the budget's controller has not caught up.
const SETTLING_SECS: u32 = 10;

/// Whether budgets say nothing of a pod: it serves nobody yet or any more, or goes anyway.
pub(super) fn is_unguarded(pod: &Tree) -> bool {
    is_over(pod) || conditions::phase(pod) == "Pending"
}

/// Whether a pod without guard may come to have one before it is deleted.
pub(super) fn may_become_guarded(pod: &Tree) -> bool {
    !is_over(pod)
}

fn is_over(pod: &Tree) -> bool {
    matches!(conditions::phase(pod), "Succeeded" | "Failed") || !meta_text(pod, "deletionTimestamp").is_empty()
}

/// Whether a budget is about a pod. One without a selector, or with one that cannot be read, is
/// about none.
pub(super) fn is_about(budget: &Tree, pod: &Value) -> bool {
    let selector = budget.get("spec").and_then(|spec| spec.get("selector")).unwrap_or(&Value::Null);
    LabelSelector::from_object(selector).is_ok_and(|selector| selector.matches_object(pod))
}

fn status(budget: &Tree, field: &str) -> i64 {
    budget.get("status").and_then(|status| status.get(field)).and_then(Value::as_i64).unwrap_or(0)
}

/// Whether a pod that is not healthy goes without being counted.
pub(super) fn lets_unhealthy_go(budget: &Tree) -> bool {
    let policy = budget.get("spec").and_then(|spec| spec.get("unhealthyPodEvictionPolicy")).and_then(Value::as_str);
    let (healthy, wanted) = (status(budget, "currentHealthy"), status(budget, "desiredHealthy"));
    policy == Some("AlwaysAllow") || (healthy >= wanted && wanted > 0)
}

/// Takes one disruption from what a budget allows, or says why there is none.
pub(super) fn take(budget: &mut Tree, pod: &str, now: &str) -> Result<(), Status> {
    let name = meta_text(budget, "name").to_owned();
    let generation = budget.get("metadata").and_then(|meta| meta.get("generation")).and_then(Value::as_i64);
    if status(budget, "observedGeneration") < generation.unwrap_or(0) {
        return Err(not_settled(&name));
    }
    let forbidden = |why: &str| Status::forbidden(&Gvr::new("policy", "v1", "poddisruptionbudget"), &name, why);
    let allowed = status(budget, "disruptionsAllowed");
    if allowed < 0 {
        return Err(forbidden("pdb disruptions allowed is negative"));
    }
    let disrupted = budget.get("status").and_then(|status| status.get("disruptedPods")).and_then(Value::as_object);
    if disrupted.is_some_and(|pods| pods.len() > MOST_DISRUPTED) {
        return Err(forbidden("DisruptedPods map too big - too many evictions not confirmed by PDB controller"));
    }
    if allowed == 0 {
        return Err(too_many(exhausted(budget, &name), 0));
    }
    if allowed == 1 {
        set_exhausted(budget, now);
    }
    let held = budget.entry("status").or_insert_with(|| json!({}));
    held["disruptionsAllowed"] = json!(allowed - 1);
    if !held["disruptedPods"].is_object() {
        held["disruptedPods"] = json!({});
    }
    held["disruptedPods"][pod] = json!(now);
    Ok(())
}

/// Why a budget allows nothing now.
fn exhausted(budget: &Tree, name: &str) -> String {
    let (healthy, wanted) = (status(budget, "currentHealthy"), status(budget, "desiredHealthy"));
    let conditions = budget.get("status").and_then(|status| status.get("conditions")).and_then(Value::as_array);
    let condition = conditions.into_iter().flatten().find(|held| held["type"] == "DisruptionAllowed");
    let text = |field: &str| condition.and_then(|held| held[field].as_str()).unwrap_or_default();
    let (reason, message) = (text("reason"), text("message"));
    let is_told = text("status") == "False" && !message.is_empty();
    let start = format!("The disruption budget {name}");
    match is_told {
        // The counts of a budget that could not be worked out are of no use.
        true if reason == "SyncFailed" => {
            format!("{start} does not allow evicting pods currently because it failed sync: {message}")
        }
        _ if healthy <= wanted => format!("{start} needs {wanted} healthy pods and has {healthy} currently"),
        true => format!("{start} does not allow evicting pods currently ({reason}): {message}"),
        false => format!("{start} does not allow evicting pods currently"),
    }
}

/// Says in a budget that nothing is left of what it allowed.
fn set_exhausted(budget: &mut Tree, now: &str) {
    let observed = status(budget, "observedGeneration");
    let held = budget.entry("status").or_insert_with(|| json!({}));
    if !held["conditions"].is_array() {
        held["conditions"] = json!([]);
    }
    let Some(conditions) = held["conditions"].as_array_mut() else { return };
    let index = conditions.iter().position(|held| held["type"] == "DisruptionAllowed");
    let old = index.map(|index| conditions[index].clone()).unwrap_or_default();
    let since = if old["status"] == "False" { old["lastTransitionTime"].as_str().unwrap_or(now) } else { now };
    let mut made = json!({
        "type": "DisruptionAllowed",
        "status": "False",
        "lastTransitionTime": since,
        "reason": "InsufficientPods",
        "message": "",
    });
    if observed != 0 {
        made["observedGeneration"] = json!(observed);
    }
    match index {
        Some(index) => conditions[index] = made,
        None => conditions.push(made),
    }
}

/// The refusal while the budget's controller has still to look at it.
pub(super) fn not_settled(budget: &str) -> Status {
    too_many(format!("The disruption budget {budget} is still being processed by the server."), SETTLING_SECS)
}

fn too_many(why: String, retry_after_secs: u32) -> Status {
    let cause = Cause { reason: "DisruptionBudget".into(), message: why, field: String::new() };
    Status { causes: vec![cause], ..Status::too_many_requests(WOULD_VIOLATE, retry_after_secs) }
}

/// Refuses a pod that is not the one that was meant.
pub(super) fn check_preconditions(pod: &Tree, name: &str, wanted: &Preconditions) -> Result<(), Status> {
    let cases = [
        ("UID", &wanted.uid, "uid", "deleted and then recreated"),
        ("ResourceVersion", &wanted.resource_version, "resourceVersion", "modified"),
    ];
    for (what, wanted, field, fate) in cases {
        let held = meta_text(pod, field);
        let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != held) else { continue };
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({held}). \
             The object might have been {fate}"
        );
        return Err(Status::conflict(&Gvr::new("", "v1", "Pod"), name, &why));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
