//! Disruption budgets: what they count, and what they say when they cannot.

use api::{ClusterName, Gvr};
use client::{Target, WriteOptions};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both, template};

fn budget(spec: Value) -> Value {
    let mut spec = spec;
    spec["selector"] = json!({ "matchLabels": { "app": "web" } });
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "namespace": "default" }, "spec": spec,
    })
}

fn set(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "replicas": replicas, "selector": { "matchLabels": { "app": "web" } }, "template": template("web") },
    })
}

fn pod(name: &str, owner: Option<Value>) -> Value {
    let mut pod = template("web");
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = json!("default");
    if let Some(owner) = owner {
        pod["metadata"]["ownerReferences"] = json!([owner]);
    }
    pod
}

/// Waits for the numbers of the budget: allowed, healthy, desired healthy, expected.
async fn until_counted(bed: &Bed, what: &str, numbers: [i64; 4]) -> Value {
    let fields = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
    let is_counted =
        |budget: &Value| fields.iter().zip(numbers).all(|(field, number)| budget["status"][field] == number);
    bed.until_one(what, "poddisruptionbudgets", "web", is_counted).await["status"].clone()
}

fn ago(secs: i64) -> String {
    let time: Timestamp = base::Clock::system().now() - SignedDuration::from_secs(secs);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_counts_the_pods_it_guards() {
    on_both(async |bed| {
        bed.create(budget(json!({ "minAvailable": 2 }))).await;
        let status = until_counted(bed, "nothing is allowed", [0, 0, 2, 0]).await;
        assert_eq!(status["conditions"][0]["reason"], "InsufficientPods");
        assert_eq!(bed.until_event("web", "NoPods").await, "No matching pods found");
        bed.create(set(3)).await;
        let status = until_counted(bed, "one is spare", [1, 3, 2, 3]).await;
        let condition = &status["conditions"][0];
        assert_eq!((&condition["type"], &condition["status"]), (&json!("DisruptionAllowed"), &json!("True")));
        assert_eq!(condition["reason"], "SufficientPods");
        bed.merge("replicasets", "web", json!({ "spec": { "replicas": 5 } })).await;
        until_counted(bed, "three are spare", [3, 5, 2, 5]).await;
        let change = json!({ "spec": { "minAvailable": null, "maxUnavailable": "20%" } });
        let changed = bed.merge("poddisruptionbudgets", "web", change).await;
        let status = until_counted(bed, "a fifth may go", [1, 5, 4, 5]).await;
        assert_eq!(status["observedGeneration"], changed["metadata"]["generation"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_was_let_go_counts_as_gone_for_two_minutes() {
    on_both(async |bed| {
        bed.create(budget(json!({ "minAvailable": 1 }))).await;
        bed.create(pod("a", None)).await;
        bed.create(pod("b", None)).await;
        until_counted(bed, "one is spare", [1, 2, 1, 2]).await;
        let disrupted =
            |name: &str, secs: i64| json!({ "disruptionsAllowed": 0, "disruptedPods": { name: ago(secs) } });
        bed.merge_status("poddisruptionbudgets", "web", disrupted("a", 10)).await;
        let status = until_counted(bed, "one is not spare", [0, 1, 1, 2]).await;
        assert!(status["disruptedPods"]["a"].is_string());
        bed.delete_with("pods", "a", client::DeleteOptions { grace_period_secs: Some(0), ..Default::default() }).await;
        let status = until_counted(bed, "the other is left", [0, 1, 1, 1]).await;
        assert!(status["disruptedPods"].is_null(), "{status}");
        bed.merge_status("poddisruptionbudgets", "web", disrupted("b", 150)).await;
        let message = bed.until_event("b", "NotDeleted").await;
        assert_eq!(message, "Pod was expected by PDB default/web to be deleted but it wasn't");
        bed.until_one("it is forgotten", "poddisruptionbudgets", "web", |it| it["status"]["disruptedPods"].is_null())
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_kind_with_a_scale_says_how_many_pods_are_expected() {
    on_both(async |bed| {
        let owner = squad(bed, 4).await;
        bed.create(budget(json!({ "maxUnavailable": 3 }))).await;
        bed.create(pod("a", Some(owner.clone()))).await;
        bed.create(pod("b", Some(owner))).await;
        until_counted(bed, "two of four are there", [1, 2, 1, 4]).await;
        // Nobody says how many there should be of a pod without a controller.
        bed.create(pod("stray", None)).await;
        until_counted(bed, "the stray one is healthy", [2, 3, 1, 4]).await;
        bed.merge("poddisruptionbudgets", "web", json!({ "spec": { "maxUnavailable": 4 } })).await;
        let message = bed.until_event("web", "UnmanagedPods").await;
        assert!(
            message.starts_with("Pods selected by this PodDisruptionBudget (selector: app=web) were found"),
            "{message}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_counted_must_not_be_disrupted() {
    on_both(async |bed| {
        let map =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "map", "namespace": "default" } });
        let map = bed.create(map).await;
        let uid = map["metadata"]["uid"].as_str().unwrap();
        let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "map", "uid": uid, "controller": true });
        bed.create(pod("a", Some(owner))).await;
        bed.create(budget(json!({ "maxUnavailable": 1 }))).await;
        let failed = |budget: &Value| budget["status"]["conditions"][0]["reason"] == "SyncFailed";
        let held = bed.until_one("it failed", "poddisruptionbudgets", "web", failed).await;
        assert_eq!(held["status"]["disruptionsAllowed"], 0);
        let why = "configmaps does not implement the scale subresource";
        assert_eq!(held["status"]["conditions"][0]["message"], why);
        let message = bed.until_event("web", "CalculateExpectedPodCountFailed").await;
        assert_eq!(message, format!("Failed to calculate the number of expected pods: {why}"));
        bed.merge("poddisruptionbudgets", "web", json!({ "spec": { "maxUnavailable": null, "minAvailable": 0 } }))
            .await;
        until_counted(bed, "it can be counted without a scale", [1, 1, 0, 1]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disruption_that_did_not_come_is_taken_back() {
    on_both(async |bed| {
        bed.create(pod("a", None)).await;
        let is = |status: &'static str| {
            move |pod: &Value| {
                let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
                conditions.iter().any(|it| it["type"] == "DisruptionTarget" && it["status"] == status)
            }
        };
        let ready = |pod: &Value| pod["status"]["conditions"].to_string().contains("\"Ready\"");
        let held = bed.until_one("it is ready", "pods", "a", ready).await;
        let mut conditions = held["status"]["conditions"].as_array().cloned().unwrap();
        conditions.push(json!({
            "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting", "lastTransitionTime": ago(150),
        }));
        bed.merge_status("pods", "a", json!({ "conditions": conditions })).await;
        let held = bed.until_one("it is taken back", "pods", "a", is("False")).await;
        assert!(!held["status"]["conditions"].to_string().contains("EvictionByEvictionAPI"), "{held}");
        assert!(ready(&held), "{held}");
    })
    .await;
}

/// Defines a kind with a scale and makes one that wants so many pods; returns the reference to it.
async fn squad(bed: &Bed, replicas: i64) -> Value {
    let root = ClusterName::root();
    let int = json!({ "type": "integer" });
    let part = |field: &str| json!({ "type": "object", "properties": { field: int } });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "squads.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "plural": "squads", "singular": "squad", "kind": "Squad" },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object", "properties": { "spec": part("replicas"), "status": part("replicas") },
                } },
                "subresources": {
                    "status": {},
                    "scale": { "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas" },
                },
            }],
        },
    });
    let definitions = Target::cluster(&root, &Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions"));
    bed.objects.create(&definitions, definition.to_string().into(), WriteOptions::default()).await.unwrap();
    let squads = Target::namespaced(&root, &Gvr::new("example.com", "v1", "squads"), "default");
    let squad = json!({
        "apiVersion": "example.com/v1", "kind": "Squad",
        "metadata": { "name": "red", "namespace": "default" }, "spec": { "replicas": replicas },
    });
    let made = bed.objects.create(&squads, squad.to_string().into(), WriteOptions::default()).await.unwrap();
    json!({ "apiVersion": "example.com/v1", "kind": "Squad", "name": "red", "uid": made.meta.uid, "controller": true })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_drain_goes_as_far_as_the_budget_allows() {
    on_both(async |bed| {
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" } })).await;
        let mut set = set(2);
        set["spec"]["template"]["spec"]["nodeName"] = json!("n1");
        bed.create(set).await;
        bed.create(budget(json!({ "minAvailable": "100%" }))).await;
        until_counted(bed, "nothing is spare", [0, 2, 2, 2]).await;
        let uids = async || {
            let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
            bed.list("pods").await.iter().map(uid).collect::<Vec<String>>()
        };
        let before = uids().await;
        let kubectl = testkit::Kubectl::new(&bed.platform).unwrap();
        let refusal = kubectl.fails(&["drain", "n1", "--grace-period=0", "--timeout=1s"]).await.unwrap();
        assert!(refusal.contains("Cannot evict pod as it would violate the pod's disruption budget"), "{refusal}");
        assert_eq!(uids().await, before);
        bed.merge("poddisruptionbudgets", "web", json!({ "spec": { "minAvailable": 0 } })).await;
        until_counted(bed, "all are spare", [2, 2, 0, 2]).await;
        kubectl.ok(&["drain", "n1", "--grace-period=0", "--timeout=30s"]).await.unwrap();
        assert!(uids().await.iter().all(|uid| !before.contains(uid)));
        until_counted(bed, "there are others", [2, 2, 0, 2]).await;
    })
    .await;
}
