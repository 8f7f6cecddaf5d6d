//! Jobs and pods for the tests of this folder.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::views::{Job, Pod, TRACKING};

/// When it is in these tests.
pub(super) fn now() -> Timestamp {
    at("01:00:00")
}

/// A time of the day of these tests.
pub(super) fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().unwrap()
}

/// An object with its view.
pub(super) fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

pub(super) fn job(spec: &Value, status: &Value) -> Job {
    let mut object = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": "work", "namespace": "default", "uid": "job" },
        "spec": { "parallelism": 2, "selector": { "matchLabels": { "job": "work" } } },
        "status": status,
    });
    for (field, value) in spec.as_object().unwrap() {
        object["spec"][field] = value.clone();
    }
    item::<Job>(&object).view
}

/// A pod in words: a phase, `tracked`, `going` (deleted), `ready`, `node`, `#3` (its index),
/// `f2` and `i1` (earlier failures of the index, counted and ignored), `restarts4`, `exit3` (its
/// container ended with this code), `ended=00:59:50` (when it did), `disrupted`.
pub(super) fn pod(name: &str, words: &str) -> Arc<Item<Pod>> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let is = |word: &str| words.contains(&word);
    let after = |prefix: &str| words.iter().find_map(|word| word.strip_prefix(prefix));
    let number = |prefix: &str| after(prefix).and_then(|text| text.parse::<i64>().ok());
    let phase = ["Succeeded", "Failed", "Running"].into_iter().find(|phase| is(phase)).unwrap_or("Pending");
    let since = after("ended=").map_or_else(now, at).to_string();
    let mut conditions = vec![json!({
        "type": "Ready", "status": if is("ready") { "True" } else { "False" }, "lastTransitionTime": since,
    })];
    if is("disrupted") {
        conditions.push(json!({ "type": "DisruptionTarget", "status": "True" }));
    }
    let state = number("exit")
        .map_or(json!({ "running": {} }), |code| json!({ "terminated": { "exitCode": code, "finishedAt": since } }));
    let mut object = json!({
        "metadata": { "name": name, "namespace": "default", "uid": name, "annotations": {} },
        "spec": { "nodeName": if is("node") { "n1" } else { "" } },
        "status": {
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": [{ "name": "main", "restartCount": number("restarts").unwrap_or(0), "state": state }],
        },
    });
    for (prefix, annotation) in [
        ("#", "batch.kubernetes.io/job-completion-index"),
        ("f", "batch.kubernetes.io/job-index-failure-count"),
        ("i", "batch.kubernetes.io/job-index-ignored-failure-count"),
    ] {
        if let Some(count) = number(prefix) {
            object["metadata"]["annotations"][annotation] = json!(count.to_string());
        }
    }
    if is("tracked") {
        object["metadata"]["finalizers"] = json!([TRACKING]);
    }
    if is("going") {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:59:55Z");
    }
    Arc::new(item(&object))
}
