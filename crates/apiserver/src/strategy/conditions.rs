//! Conditions in a pod's status, as the server itself sets a few of them. It decides none.

use serde_json::{Value, json};

use super::child;
use crate::tree::Tree;

/// A condition to be set; empty texts are left out.
pub(crate) struct Condition<'a> {
    pub(crate) kind: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

/// Sets a condition in place of the one of its type. It keeps the time of its last transition
/// if its status stays.
pub(crate) fn set(object: &mut Tree, condition: &Condition<'_>, now: &str) {
    let conditions = child(object, "status").entry("conditions").or_insert_with(|| json!([]));
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    let held = conditions.iter().position(|held| held["type"] == condition.kind);
    let since = held.map(|index| &conditions[index]).filter(|held| held["status"] == condition.status);
    let since = since.and_then(|held| held["lastTransitionTime"].as_str()).unwrap_or(now);
    let mut made = json!({
        "type": condition.kind,
        "status": condition.status,
        "lastProbeTime": null,
        "lastTransitionTime": since,
    });
    for (field, text) in [("reason", condition.reason), ("message", condition.message)] {
        if !text.is_empty() {
            made[field] = json!(text);
        }
    }
    match held {
        Some(index) => conditions[index] = made,
        None => conditions.push(made),
    }
}

/// The status of a condition, if it is set.
pub(crate) fn status<'a>(object: &'a Tree, kind: &str) -> Option<&'a str> {
    let conditions = object.get("status")?.get("conditions")?.as_array()?;
    conditions.iter().find(|held| held["type"] == kind)?["status"].as_str()
}

/// Whether a pod says that it is ready.
pub(crate) fn is_ready(pod: &Tree) -> bool {
    status(pod, "Ready") == Some("True")
}

/// A pod's phase; empty if it has none.
pub(crate) fn phase(pod: &Tree) -> &str {
    pod.get("status").and_then(|status| status.get("phase")).and_then(Value::as_str).unwrap_or_default()
}
