//! Tables of what a replica set does about its pods and what it reports.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::decide::{Failure, Plan, plan, status};
use crate::views::{Pod, ReplicaSet};
use controller::Error;

const NOW: &str = "2026-01-01T01:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

fn set(replicas: i64, min_ready_seconds: i64) -> Item<ReplicaSet> {
    let labels = json!({ "app": "web" });
    item(&json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": { "name": "web", "namespace": "default", "uid": "set", "generation": 3 },
        "spec": {
            "replicas": replicas, "minReadySeconds": min_ready_seconds, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [] } },
        },
    }))
}

/// A pod in words: `node` (it has one), a phase, `ready` (for ten minutes) or `fresh` (for ten
/// seconds), `going`, `young`, `restarted`, `cheap`, `unlabelled`.
fn pod(name: &str, words: &str) -> Arc<Item<Pod>> {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let phases = ["Running", "Succeeded", "Failed", "Unknown"];
    let phase = phases.into_iter().find(|phase| is(phase)).unwrap_or("Pending");
    let since = if is("fresh") { "2026-01-01T00:59:50Z" } else { "2026-01-01T00:50:00Z" };
    let mut pod = json!({
        "metadata": {
            "name": name, "uid": name,
            "creationTimestamp": if is("young") { "2026-01-01T00:59:00Z" } else { "2026-01-01T00:00:00Z" },
            "labels": if is("unlabelled") { json!({}) } else { json!({ "app": "web" }) },
        },
        "spec": { "nodeName": if is("node") { "n1" } else if is("crowded") { "crowded" } else { "" } },
        "status": {
            "phase": phase,
            "conditions": [{ "type": "Ready", "status": if is("ready") || is("fresh") { "True" } else { "False" }, "lastTransitionTime": since }],
            "containerStatuses": [{ "restartCount": if is("restarted") { 3 } else { 0 } }],
        },
    });
    if is("going") {
        pod["metadata"]["deletionTimestamp"] = json!(NOW);
    }
    if is("cheap") {
        pod["metadata"]["annotations"] = json!({ "controller.kubernetes.io/pod-deletion-cost": "-1" });
    }
    Arc::new(item(&pod))
}

fn planned(replicas: i64, pods: &[Arc<Item<Pod>>]) -> String {
    match plan(&set(replicas, 0), pods, || [("crowded".into(), 2), ("n1".into(), 1)].into(), now()) {
        Plan::Nothing => String::new(),
        Plan::Create(count) => format!("+{count}"),
        Plan::Delete(pods) => pods.iter().map(|pod| format!("-{}", pod.object.meta.name)).collect(),
    }
}

#[test]
fn only_active_pods_count() {
    let ended = [pod("a", "node Succeeded"), pod("b", "node Failed"), pod("c", "node Running going")];
    assert_eq!(planned(2, &ended), "+2");
    assert_eq!(planned(0, &ended), "");
    assert_eq!(planned(1, &[pod("a", ""), pod("b", "going")]), "");
    assert_eq!(planned(5000, &[]), "+500");
}

#[test]
fn the_pod_that_is_missed_least_goes() {
    let check = |keeps: &str, goes: &str| {
        for names in [("keeps", "goes"), ("1", "2"), ("2", "1")] {
            let (keeps, goes) = (pod(names.0, keeps), pod(names.1, goes));
            let expect = format!("-{}", goes.object.meta.name);
            assert_eq!(planned(1, &[keeps.clone(), goes.clone()]), expect);
            assert_eq!(planned(1, &[goes, keeps]), expect);
        }
    };
    check("node", "");
    check("node Unknown", "node");
    check("node Running", "node Unknown");
    check("node Running ready", "node Running");
    check("node Running ready", "node Running ready cheap");
    check("node Running ready", "node Running fresh");
    check("node Running ready", "node Running ready restarted");
    check("node Running ready", "node Running ready young");
    // A ready pod is kept before one that costs more.
    check("node Running ready cheap", "node Running");
    check("node Running ready", "crowded Running ready");
}

#[test]
fn a_status_counts_what_serves() {
    let pods = [
        pod("a", "node Running ready"),
        pod("b", "node Running fresh"),
        pod("c", "node Running unlabelled"),
        pod("d", "node Running ready going"),
    ];
    let found = status(&set(3, 60), &pods, None, NOW, now()).unwrap();
    assert_eq!(
        found,
        json!({
            "replicas": 3, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 1,
            "terminatingReplicas": 1, "observedGeneration": 3,
        })
    );
    assert_eq!(super::decide::next_available(&set(3, 60), &pods, now()), Some(50));
    let none = status(&set(0, 0), &[], None, NOW, now()).unwrap();
    assert_eq!(none, json!({ "replicas": 0, "terminatingReplicas": 0, "observedGeneration": 3 }));
}

#[test]
fn a_failure_is_a_condition_until_it_is_over() {
    let refused = Error::msg("exceeded quota");
    let failure = Failure::of(&Plan::Create(1), &refused);
    let found = status(&set(1, 0), &[], Some(failure), NOW, now()).unwrap();
    assert_eq!(
        found["conditions"],
        json!([{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota",
            "lastTransitionTime": NOW,
        }])
    );
    let again = |held: &Value, message: &str| {
        let mut reported = set(1, 0).object.value().unwrap();
        reported["status"] = held.clone();
        let failure = Failure::of(&Plan::Create(1), &Error::msg(message));
        status(&item(&reported), &[], Some(failure), "2026-01-01T02:00:00Z", now()).unwrap()
    };
    assert_eq!(again(&found, "exceeded quota, for another pod"), found);
    let mut reported = set(1, 0).object.value().unwrap();
    reported["status"] = found;
    let over = status(&item(&reported), &[], None, NOW, now()).unwrap();
    assert_eq!(over.get("conditions"), None);
}
