//! Conversion of the built-in kinds that two groups or versions serve over the
//! same records: Events (`events.k8s.io` over core) and autoscalers (v1 over v2).
//! Custom kinds need none: all their versions share one shape.

use api::KindDescriptor;
use serde_json::{Map, Value, json};

use crate::tree::Tree;

/// Names of the same field: in the stored form, and in `events.k8s.io/v1`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// Whether objects of this kind are stored in another form than it is served in.
pub fn is_needed(kind: &KindDescriptor) -> bool {
    !kind.type_name.is_empty() && (kind.gvk.group != kind.storage_group || kind.gvk.version != kind.storage_version)
}

/// Turns the body of a record into the form that the kind is served in.
pub fn to_served(kind: &KindDescriptor, body: &mut Tree) {
    match &*kind.plural {
        "events" => rename(body, EVENT_FIELDS),
        "horizontalpodautoscalers" => autoscaler_to_v1(body),
        _ => {}
    }
}

/// Turns what a client sent into the form that is stored.
pub fn to_stored(kind: &KindDescriptor, body: &mut Tree) {
    match &*kind.plural {
        "events" => rename(body, EVENT_FIELDS.map(|(stored, served)| (served, stored))),
        "horizontalpodautoscalers" => autoscaler_to_v2(body),
        _ => {}
    }
}

fn rename(body: &mut Tree, names: [(&str, &str); 7]) {
    for (from, to) in names {
        if let Some(value) = body.remove(from) {
            body.insert(to.to_owned(), value);
        }
    }
}

/// v1 knows one metric only, the utilisation of CPU; what else v2 states, v1 does not show.
fn autoscaler_to_v1(body: &mut Tree) {
    if let Some(spec) = body.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(metrics) = spec.remove("metrics")
    {
        let target = cpu(&metrics).and_then(|metric| metric.pointer("/resource/target/averageUtilization")).cloned();
        if let Some(target) = target {
            spec.insert("targetCPUUtilizationPercentage".into(), target);
        }
        spec.remove("behavior");
    }
    if let Some(status) = body.get_mut("status").and_then(Value::as_object_mut) {
        let metrics = status.remove("currentMetrics").unwrap_or_default();
        let current = cpu(&metrics).and_then(|metric| metric.pointer("/resource/current/averageUtilization")).cloned();
        if let Some(current) = current {
            status.insert("currentCPUUtilizationPercentage".into(), current);
        }
        status.remove("conditions");
    }
}

fn autoscaler_to_v2(body: &mut Tree) {
    let take = |body: &mut Tree, part: &str, field: &str| -> Option<Value> {
        body.get_mut(part).and_then(Value::as_object_mut)?.remove(field)
    };
    if let Some(target) = take(body, "spec", "targetCPUUtilizationPercentage") {
        let metric = json!([{"type": "Resource", "resource": {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": target},
        }}]);
        child(body, "spec").insert("metrics".into(), metric);
    }
    if let Some(current) = take(body, "status", "currentCPUUtilizationPercentage") {
        let metric = json!([{"type": "Resource", "resource": {
            "name": "cpu",
            "current": {"averageUtilization": current, "averageValue": "0"},
        }}]);
        child(body, "status").insert("currentMetrics".into(), metric);
    }
}

fn cpu(metrics: &Value) -> Option<&Value> {
    let mut metrics = metrics.as_array()?.iter();
    metrics.find(|metric| metric["type"] == "Resource" && metric["resource"]["name"] == "cpu")
}

fn child<'a>(body: &'a mut Tree, field: &str) -> &'a mut Tree {
    let value = body.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the field was just made an object")
}
