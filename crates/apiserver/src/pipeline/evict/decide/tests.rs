//! What budgets say, against what kube-apiserver 1.36 says.

use client::Preconditions;
use serde_json::{Value, json};

use super::{check_preconditions, is_about, is_unguarded, lets_unhealthy_go, may_become_guarded, take};
use crate::tree::Tree;

const NOW: &str = "2026-01-01T00:00:00Z";

fn tree(value: Value) -> Tree {
    value.as_object().cloned().unwrap()
}

fn budget(spec: Value, status: Value) -> Tree {
    tree(json!({"metadata": {"name": "b", "generation": 2}, "spec": spec, "status": status}))
}

#[test]
fn pods_that_serve_nobody_are_unguarded() {
    let cases = [
        (json!({"status": {"phase": "Running"}}), false, true),
        (json!({"status": {"phase": "Unknown"}}), false, true),
        (json!({"status": {"phase": "Pending"}}), true, true),
        (json!({"status": {"phase": "Succeeded"}}), true, false),
        (json!({"status": {"phase": "Failed"}}), true, false),
        (json!({"metadata": {"deletionTimestamp": NOW}, "status": {"phase": "Running"}}), true, false),
    ];
    for (pod, unguarded, changes) in cases {
        let pod = tree(pod);
        assert_eq!((is_unguarded(&pod), may_become_guarded(&pod)), (unguarded, changes), "{pod:?}");
    }
}

#[test]
fn budgets_are_about_what_they_select() {
    let pod = json!({"metadata": {"labels": {"app": "web"}}});
    let cases = [
        (json!({"selector": {"matchLabels": {"app": "web"}}}), true),
        (json!({"selector": {"matchLabels": {"app": "db"}}}), false),
        (json!({"selector": {}}), true),
        (json!({}), false),
        (json!({"selector": null}), false),
        (json!({"selector": {"matchExpressions": [{"key": "app", "operator": "Odd"}]}}), false),
    ];
    for (spec, expect) in cases {
        assert_eq!(is_about(&budget(spec.clone(), json!({})), &pod), expect, "{spec}");
    }
}

#[test]
fn unhealthy_pods_go_uncounted_if_the_rest_is_healthy() {
    let always = json!({"unhealthyPodEvictionPolicy": "AlwaysAllow"});
    let healthy = json!({"unhealthyPodEvictionPolicy": "IfHealthyBudget"});
    let cases = [
        (json!({}), json!({"currentHealthy": 2, "desiredHealthy": 2}), true),
        (json!({}), json!({"currentHealthy": 1, "desiredHealthy": 2}), false),
        (json!({}), json!({"currentHealthy": 0, "desiredHealthy": 0}), false),
        (healthy, json!({"currentHealthy": 1, "desiredHealthy": 2}), false),
        (always.clone(), json!({"currentHealthy": 1, "desiredHealthy": 2}), true),
        (always, json!({}), true),
    ];
    for (spec, status, expect) in cases {
        assert_eq!(lets_unhealthy_go(&budget(spec.clone(), status.clone())), expect, "{spec} {status}");
    }
}

#[test]
fn what_is_taken_is_written_down() {
    let mut held = budget(json!({}), json!({"observedGeneration": 2, "disruptionsAllowed": 2}));
    take(&mut held, "p", NOW).unwrap();
    assert_eq!(held["status"]["disruptionsAllowed"], 1);
    assert_eq!(held["status"]["disruptedPods"], json!({"p": NOW}));
    assert!(held["status"].get("conditions").is_none());
    take(&mut held, "q", NOW).unwrap();
    assert_eq!(held["status"]["disruptionsAllowed"], 0);
    assert_eq!(held["status"]["disruptedPods"], json!({"p": NOW, "q": NOW}));
    let condition = json!({
        "type": "DisruptionAllowed", "status": "False", "lastTransitionTime": NOW, "reason": "InsufficientPods",
        "message": "", "observedGeneration": 2,
    });
    assert_eq!(held["status"]["conditions"], json!([condition]));
    let before = held.clone();
    take(&mut held, "r", NOW).unwrap_err();
    assert_eq!(held, before, "a refusal takes nothing");
}

#[test]
fn refusals_say_why() {
    let many: serde_json::Map<String, Value> = (0..2001).map(|pod| (format!("p{pod}"), json!(NOW))).collect();
    let with = |mut status: Value| {
        status["observedGeneration"] = json!(2);
        status
    };
    let failed =
        |reason: &str| json!([{"type": "DisruptionAllowed", "status": "False", "reason": reason, "message": "m"}]);
    let violates = "Cannot evict pod as it would violate the pod's disruption budget.";
    let stays = "The disruption budget b does not allow evicting pods currently";
    let cases = [
        (
            json!({"observedGeneration": 1, "disruptionsAllowed": 9}),
            (429, violates, "The disruption budget b is still being processed by the server.".to_owned(), 10),
        ),
        (
            with(json!({"currentHealthy": 1, "desiredHealthy": 2})),
            (429, violates, "The disruption budget b needs 2 healthy pods and has 1 currently".to_owned(), 0),
        ),
        (
            with(json!({"conditions": failed("SyncFailed")})),
            (429, violates, format!("{stays} because it failed sync: m"), 0),
        ),
        (
            with(json!({"currentHealthy": 4, "desiredHealthy": 3, "conditions": failed("Other")})),
            (429, violates, format!("{stays} (Other): m"), 0),
        ),
        (with(json!({"currentHealthy": 4, "desiredHealthy": 3})), (429, violates, stays.to_owned(), 0)),
        (
            with(json!({"disruptionsAllowed": -1})),
            (
                403,
                "poddisruptionbudget.policy \"b\" is forbidden: pdb disruptions allowed is negative",
                String::new(),
                0,
            ),
        ),
        (
            with(json!({"disruptionsAllowed": 1, "disruptedPods": many})),
            (
                403,
                "poddisruptionbudget.policy \"b\" is forbidden: DisruptedPods map too big - too many evictions not \
                 confirmed by PDB controller",
                String::new(),
                0,
            ),
        ),
    ];
    for (status, (code, message, cause, retry)) in cases {
        let refusal = take(&mut budget(json!({}), status.clone()), "p", NOW).unwrap_err();
        assert_eq!((refusal.code, &*refusal.message), (code, message), "{status}");
        assert_eq!(refusal.causes.first().map(|cause| cause.message.clone()).unwrap_or_default(), cause, "{status}");
        assert!(refusal.causes.iter().all(|cause| cause.reason == "DisruptionBudget"));
        assert_eq!(refusal.retry_after_secs, retry, "{status}");
    }
}

#[test]
fn the_pod_meant_is_the_pod_evicted() {
    let pod = tree(json!({"metadata": {"uid": "u", "resourceVersion": "7"}}));
    let wanted = |uid: Option<&str>, revision: Option<&str>| Preconditions {
        uid: uid.map(str::to_owned),
        resource_version: revision.map(str::to_owned),
    };
    assert_eq!(check_preconditions(&pod, "p", &wanted(None, None)), Ok(()));
    assert_eq!(check_preconditions(&pod, "p", &wanted(Some("u"), Some("7"))), Ok(()));
    let refusal = check_preconditions(&pod, "p", &wanted(Some("v"), None)).unwrap_err();
    let why = "the UID in the precondition (v) does not match the UID in record (u). The object might have been \
               deleted and then recreated";
    assert_eq!(refusal.message, format!("Operation cannot be fulfilled on Pod \"p\": {why}"));
    assert!(check_preconditions(&pod, "p", &wanted(Some("u"), Some("6"))).unwrap_err().is_conflict());
}
