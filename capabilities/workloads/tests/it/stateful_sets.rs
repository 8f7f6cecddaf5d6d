//! Stateful sets: pods with names, in order, with claims of their own.

use client::{DeleteOptions, Propagation};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both, template};

mod claims;
mod faults;
mod kubectl;
mod rollouts;
mod simulated;

/// A set named `web` of this spec beside the usual.
pub fn set(spec: Value) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "replicas": 3, "serviceName": "svc", "selector": { "matchLabels": { "app": "web" } },
            "template": template("web"),
        },
    });
    for (field, value) in spec.as_object().unwrap() {
        set["spec"][field] = value.clone();
    }
    set
}

/// A template whose pods run and never become ready.
pub fn broken() -> Value {
    let mut template = template("web");
    template["metadata"]["annotations"] = json!({ "test/then": "Running" });
    template
}

/// Whether the controller has seen the set and these counts of its status are so.
pub fn reports(counts: Value) -> impl Fn(&Value) -> bool {
    move |set: &Value| {
        set["status"]["observedGeneration"] == set["metadata"]["generation"]
            && counts
                .as_object()
                .unwrap()
                .iter()
                .all(|(field, count)| set["status"].get(field).unwrap_or(&json!(0)) == count)
    }
}

/// The names of the pods, in order.
pub async fn names(bed: &Bed) -> Vec<String> {
    let pods = bed.list("pods").await;
    let mut names: Vec<String> = pods.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Waits for an event about the set.
async fn until_told(bed: &Bed, reason: &str, message: &str) {
    let is_it = |event: &Value| event["reason"] == *reason && event["message"] == *message;
    bed.until(message, "events", |events| events.iter().any(is_it)).await;
}

pub fn has(pods: &[Value], name: &str) -> bool {
    pods.iter().any(|pod| pod["metadata"]["name"] == *name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_are_made_in_order_and_go_in_reverse() {
    on_both(async |bed| {
        bed.create(set(json!({ "template": broken() }))).await;
        bed.until_one("the first runs", "statefulsets", "web", reports(json!({ "replicas": 1 }))).await;
        bed.until_one("it runs", "pods", "web-0", |pod| pod["status"]["phase"] == "Running").await;
        assert_eq!(names(bed).await, ["web-0"]);
        for ordinal in 0..3 {
            let ready = json!({ "metadata": { "annotations": { "test/then": "Ready" } } });
            let name = format!("web-{ordinal}");
            bed.until("it is its turn", "pods", |pods| has(pods, &name)).await;
            assert_eq!(bed.list("pods").await.len(), ordinal + 1);
            bed.merge("pods", &name, ready).await;
        }
        let ready = json!({ "replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3 });
        let found = bed.until_one("all are ready", "statefulsets", "web", reports(ready)).await;
        let revision = &found["status"]["currentRevision"];
        assert_eq!(revision, &found["status"]["updateRevision"]);
        assert_eq!(found["status"]["collisionCount"], 0);
        let pod = bed.get("pods", "web-1").await.unwrap();
        assert_eq!(pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"], "web-1");
        assert_eq!(pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"], "1");
        assert_eq!(&pod["metadata"]["labels"]["controller-revision-hash"], revision);
        assert_eq!((&pod["spec"]["hostname"], &pod["spec"]["subdomain"]), (&json!("web-1"), &json!("svc")));
        until_told(bed, "SuccessfulCreate", "create Pod web-0 in StatefulSet web successful").await;
        // One that lingers is waited for before the next goes.
        bed.merge("pods", "web-2", json!({ "metadata": { "finalizers": ["test/lingers"] } })).await;
        bed.merge("statefulsets", "web", json!({ "spec": { "replicas": 1 } })).await;
        bed.until_one("the last goes", "pods", "web-2", |pod| pod["metadata"]["deletionTimestamp"].is_string()).await;
        bed.until_one("it is counted", "statefulsets", "web", reports(json!({ "replicas": 3, "currentReplicas": 2 }))).await;
        assert_eq!(names(bed).await, ["web-0", "web-1", "web-2"]);
        bed.merge("pods", "web-2", json!({ "metadata": { "finalizers": null } })).await;
        bed.until_one("one is left", "statefulsets", "web", reports(json!({ "replicas": 1, "readyReplicas": 1 }))).await;
        assert_eq!(names(bed).await, ["web-0"]);
        until_told(bed, "SuccessfulDelete", "delete Pod web-2 in StatefulSet web successful").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_parallel_pods_come_and_go_together_from_any_ordinal() {
    on_both(async |bed| {
        let spec = json!({ "podManagementPolicy": "Parallel", "ordinals": { "start": 5 }, "template": broken() });
        bed.create(set(spec)).await;
        bed.until_one("all run", "statefulsets", "web", reports(json!({ "replicas": 3, "readyReplicas": 0 }))).await;
        assert_eq!(names(bed).await, ["web-5", "web-6", "web-7"]);
        bed.merge("statefulsets", "web", json!({ "spec": { "replicas": 0 } })).await;
        bed.until_one("none is left", "statefulsets", "web", reports(json!({ "replicas": 0 }))).await;
        assert!(names(bed).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_end_are_made_again_and_orphans_of_the_name_adopted() {
    on_both(async |bed| {
        let mut orphan = template("web");
        orphan["apiVersion"] = json!("v1");
        orphan["kind"] = json!("Pod");
        orphan["metadata"]["namespace"] = json!("default");
        for name in ["web-1", "other-1"] {
            orphan["metadata"]["name"] = json!(name);
            bed.create(orphan.clone()).await;
        }
        bed.create(set(json!({ "replicas": 2 }))).await;
        let ready = reports(json!({ "replicas": 2, "availableReplicas": 2, "updatedReplicas": 2 }));
        bed.until_one("two are ready", "statefulsets", "web", ready).await;
        let pods = bed.list("pods").await;
        let owner = |name: &str| {
            let pod = pods.iter().find(|pod| pod["metadata"]["name"] == *name).unwrap();
            pod["metadata"]["ownerReferences"][0]["name"].clone()
        };
        assert_eq!((owner("web-1"), owner("other-1")), (json!("web"), Value::Null));
        for phase in ["Failed", "Succeeded"] {
            let held = bed.get("pods", "web-0").await.unwrap()["metadata"]["uid"].clone();
            bed.merge("pods", "web-0", json!({ "metadata": { "annotations": { "test/then": phase } } })).await;
            let is_new = |pod: &Value| pod["metadata"]["uid"] != held && pod["status"]["phase"] == "Running";
            bed.until_one("another takes its name", "pods", "web-0", is_new).await;
        }
        // The labels that say who a pod is are put back.
        let labels = json!({ "metadata": { "labels": { "statefulset.kubernetes.io/pod-name": "forged" } } });
        bed.merge("pods", "web-0", labels).await;
        let is_itself = |pod: &Value| pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "web-0";
        bed.until_one("it is itself again", "pods", "web-0", is_itself).await;
        until_told(bed, "SuccessfulUpdate", "update Pod web-0 in StatefulSet web successful").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_that_goes_neither_makes_nor_takes_pods() {
    on_both(async |bed| {
        for propagation in [Propagation::Foreground, Propagation::Orphan] {
            bed.create(set(json!({ "replicas": 2 }))).await;
            bed.until_one("two are ready", "statefulsets", "web", reports(json!({ "readyReplicas": 2 }))).await;
            let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
            bed.delete_with("statefulsets", "web", options).await;
            // Controllers that have not heard yet that the set goes would make pods for it.
            bed.restart().await;
            // What the garbage collector does first: it lets go of the pods, or deletes them.
            let orphans = propagation == Propagation::Orphan;
            bed.merge("pods", "web-0", json!({ "metadata": { "ownerReferences": null } })).await;
            bed.delete("pods", "web-1").await;
            let counted = reports(json!({ "replicas": 0 }));
            bed.until_one("they are counted out", "statefulsets", "web", counted).await;
            assert_eq!(names(bed).await, ["web-0"]);
            assert!(bed.get("pods", "web-0").await.unwrap()["metadata"]["ownerReferences"].is_null());
            bed.merge("statefulsets", "web", json!({ "metadata": { "finalizers": null } })).await;
            bed.until("it is gone", "statefulsets", <[Value]>::is_empty).await;
            if !orphans {
                bed.delete("pods", "web-0").await;
            }
        }
        // A set of the same name takes the orphan in, and its history.
        bed.create(set(json!({ "replicas": 1 }))).await;
        let is_owned = |pod: &Value| pod["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet";
        bed.until_one("the orphan is taken in", "pods", "web-0", is_owned).await;
    })
    .await;
}
