//! Tables of what budgets count and allow.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::decide::{Counts, by_number, by_scale, failed, goes_by_scale, health, status};
use super::stale::due_in;
use crate::views::{DisruptionBudget, Pod};

const NOW: &str = "2026-01-01T01:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

fn budget(spec: Value, status: Value) -> Item<DisruptionBudget> {
    let mut spec = spec;
    spec["selector"] = json!({ "matchLabels": { "app": "web" } });
    item(&json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "namespace": "default", "generation": 4 },
        "spec": spec, "status": status,
    }))
}

/// A pod in words: `ready`, `going`, `ended`, and `marked` (to be disrupted, three minutes ago),
/// `just` (a minute ago), `kubelet` (by it).
fn pod(name: &str, words: &str) -> Arc<Item<Pod>> {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let mut conditions = vec![json!({ "type": "Ready", "status": if is("ready") { "True" } else { "False" } })];
    if is("marked") || is("unmarked") {
        conditions.push(json!({
            "type": "DisruptionTarget", "status": if is("marked") { "True" } else { "False" },
            "reason": if is("kubelet") { "TerminationByKubelet" } else { "EvictionByEvictionAPI" },
            "lastTransitionTime": if is("just") { "2026-01-01T00:59:00Z" } else { "2026-01-01T00:57:00Z" },
        }));
    }
    let phase = if is("ended") { "Succeeded" } else { "Running" };
    let mut pod =
        json!({ "metadata": { "name": name, "uid": name }, "status": { "phase": phase, "conditions": conditions } });
    if is("going") {
        pod["metadata"]["deletionTimestamp"] = json!(NOW);
    }
    Arc::new(item(&pod))
}

#[test]
fn counts_follow_numbers_and_percentages() {
    let check = |spec: Value, scale: i64, pods: usize, expected: i64, desired: i64| {
        let view = budget(spec.clone(), json!({})).view;
        let counts = match goes_by_scale(&view) {
            true => by_scale(&view, scale, 0),
            false => by_number(&view, pods),
        };
        assert_eq!((counts.expected, counts.desired_healthy), (expected, desired), "{spec}");
    };
    // A plain minimum takes the pods there are, whatever their controllers want.
    check(json!({ "minAvailable": 3 }), 9, 5, 5, 3);
    check(json!({ "minAvailable": 0 }), 9, 5, 5, 0);
    check(json!({ "minAvailable": "50%" }), 5, 2, 5, 3);
    check(json!({ "minAvailable": "100%" }), 5, 2, 5, 5);
    check(json!({ "maxUnavailable": 1 }), 5, 2, 5, 4);
    check(json!({ "maxUnavailable": 9 }), 5, 2, 5, 0);
    check(json!({ "maxUnavailable": "20%" }), 7, 2, 7, 5);
    check(json!({ "maxUnavailable": "0%" }), 7, 2, 7, 7);
    check(json!({}), 7, 2, 0, 0);
}

#[test]
fn only_ready_pods_that_stay_are_healthy() {
    let check = |disrupted: Value, pods: &[Arc<Item<Pod>>], expect: (i64, &[&str], &[&str], Option<u64>)| {
        let budget = budget(json!({ "minAvailable": 1 }), json!({ "disruptedPods": disrupted }));
        let health = health(&budget, pods, now());
        let disrupted: Vec<&str> = health.disrupted.keys().map(String::as_str).collect();
        let overdue: Vec<&str> = health.overdue.iter().map(|pod| pod.object.meta.name.as_str()).collect();
        assert_eq!((health.healthy, &*disrupted, &*overdue, health.recheck_secs), expect);
    };
    let (young, old) = ("2026-01-01T00:59:00Z", "2026-01-01T00:57:59Z");
    check(json!(null), &[pod("a", "ready"), pod("b", ""), pod("c", "ready going")], (1, &[], &[], None));
    // Let go a minute ago: not healthy, and looked at again when two minutes are over.
    check(json!({ "a": young, "gone": young }), &[pod("a", "ready"), pod("b", "ready")], (1, &["a"], &[], Some(61)));
    // Let go too long ago: it counts again, and an event tells.
    check(json!({ "a": old }), &[pod("a", "ready"), pod("b", "ready")], (2, &[], &["a"], None));
    check(json!({ "a": old, "b": young }), &[pod("a", ""), pod("b", "ready going")], (0, &[], &["a"], None));
}

#[test]
fn the_status_allows_what_is_spare() {
    let check = |expected: i64, desired_healthy: i64, ready: usize, allowed: i64, reason: &str| {
        let budget = budget(json!({ "minAvailable": 1 }), json!({}));
        let pods: Vec<_> = (0..ready).map(|number| pod(&number.to_string(), "ready")).collect();
        let counts = Counts { expected, desired_healthy, unmanaged: 0 };
        let status = status(&budget, &counts, &health(&budget, &pods, now()), NOW).unwrap();
        assert_eq!(
            status,
            json!({
                "disruptionsAllowed": allowed, "currentHealthy": ready, "desiredHealthy": desired_healthy,
                "expectedPods": expected, "observedGeneration": 4,
                "conditions": [{
                    "type": "DisruptionAllowed", "status": if allowed > 0 { "True" } else { "False" },
                    "reason": reason, "message": "", "lastTransitionTime": NOW, "observedGeneration": 4,
                }],
            })
        );
    };
    check(5, 3, 5, 2, "SufficientPods");
    check(5, 3, 3, 0, "InsufficientPods");
    check(5, 3, 1, 0, "InsufficientPods");
    // Nothing is expected, so nothing may go, whatever there is.
    check(0, 0, 2, 0, "InsufficientPods");
}

#[test]
fn a_failure_allows_nothing_and_keeps_the_counts() {
    let held = json!({
        "disruptionsAllowed": 2, "currentHealthy": 5, "desiredHealthy": 3, "expectedPods": 5, "observedGeneration": 3,
    });
    let status = failed(&budget(json!({ "maxUnavailable": 1 }), held), "no scale", NOW).unwrap();
    assert_eq!((&status["disruptionsAllowed"], &status["currentHealthy"]), (&json!(0), &json!(5)));
    let condition = &status["conditions"][0];
    assert_eq!((&condition["reason"], &condition["message"]), (&json!("SyncFailed"), &json!("no scale")));
    assert_eq!(condition["observedGeneration"], 3);
}

#[test]
fn a_mark_that_nothing_came_of_is_stale_after_two_minutes() {
    let check = |words: &str, expect: Option<u64>| assert_eq!(due_in(&pod("a", words), now()), expect, "{words}");
    check("ready", None);
    check("marked", Some(0));
    check("marked just", Some(60));
    check("unmarked", None);
    check("marked going", None);
    check("marked ended", None);
    check("marked kubelet", None);
}
