//! The claims of a stateful set's pods.

use serde_json::{Value, json};

use super::{has, names, reports, set};
use crate::bed::on_both;

fn with_claims(replicas: i64, retention: Value) -> Value {
    set(json!({
        "replicas": replicas,
        "persistentVolumeClaimRetentionPolicy": retention,
        "volumeClaimTemplates": [{
            "metadata": { "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
        }],
    }))
}

fn owner(claim: &Value) -> Value {
    claim["metadata"]["ownerReferences"][0]["kind"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pod_has_a_claim_of_its_own_that_outlives_it() {
    on_both(async |bed| {
        bed.create(with_claims(2, json!({}))).await;
        bed.until_one("two are ready", "statefulsets", "web", reports(json!({ "readyReplicas": 2 }))).await;
        let pod = bed.get("pods", "web-1").await.unwrap();
        let volume = &pod["spec"]["volumes"][0];
        assert_eq!(
            (&volume["name"], &volume["persistentVolumeClaim"]["claimName"]),
            (&json!("data"), &json!("data-web-1"))
        );
        let claim = bed.get("persistentvolumeclaims", "data-web-1").await.unwrap();
        assert_eq!(claim["metadata"]["labels"], json!({ "app": "web" }));
        assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "1Gi");
        assert!(owner(&claim).is_null());
        let events = bed.list("events").await;
        let message =
            |event: &&Value| event["message"] == "create Claim data-web-0 Pod web-0 in StatefulSet web success";
        assert_eq!(events.iter().find(message).unwrap()["reason"], "SuccessfulCreate");
        bed.merge("statefulsets", "web", json!({ "spec": { "replicas": 0 } })).await;
        bed.until_one("none is left", "statefulsets", "web", reports(json!({ "replicas": 0 }))).await;
        assert_eq!(bed.list("persistentvolumeclaims").await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_go_with_the_set_or_with_the_pod_that_is_scaled_away() {
    on_both(async |bed| {
        bed.create(with_claims(2, json!({ "whenDeleted": "Delete", "whenScaled": "Delete" }))).await;
        bed.until_one("two are ready", "statefulsets", "web", reports(json!({ "readyReplicas": 2 }))).await;
        for claim in bed.list("persistentvolumeclaims").await {
            assert_eq!(owner(&claim), "StatefulSet", "{claim}");
            assert_eq!(claim["metadata"]["ownerReferences"][0]["controller"], true);
        }
        bed.merge("statefulsets", "web", json!({ "spec": { "replicas": 1 } })).await;
        let gone = |pods: &[Value]| !has(pods, "web-1");
        bed.until("the second is gone", "pods", gone).await;
        let claim = bed.get("persistentvolumeclaims", "data-web-1").await.unwrap();
        assert_eq!(owner(&claim), "Pod");
        // Nobody collects garbage here: the claim still goes with the pod that is gone, and no
        // other pod may use it.
        bed.merge("statefulsets", "web", json!({ "spec": { "replicas": 2 } })).await;
        bed.until_one("it is seen", "statefulsets", "web", reports(json!({ "replicas": 1 }))).await;
        assert_eq!(names(bed).await, ["web-0"]);
        bed.merge("persistentvolumeclaims", "data-web-1", json!({ "metadata": { "finalizers": null } })).await;
        bed.delete("persistentvolumeclaims", "data-web-1").await;
        bed.until_one("both are ready", "statefulsets", "web", reports(json!({ "readyReplicas": 2 }))).await;
        // The policy may change at any time.
        let retain = json!({ "whenDeleted": "Retain", "whenScaled": "Retain" });
        bed.merge("statefulsets", "web", json!({ "spec": { "persistentVolumeClaimRetentionPolicy": retain } })).await;
        let free = |claims: &[Value]| claims.iter().all(|claim| owner(claim).is_null());
        bed.until("they are nobody's", "persistentvolumeclaims", free).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_refused_keeps_the_pod_from_being_made() {
    on_both(async |bed| {
        bed.faults.refuse("persistentvolumeclaims", "exceeded quota: storage");
        bed.create(with_claims(1, json!({}))).await;
        let claim = "create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: ";
        let pod = "create Pod web-0 in StatefulSet web failed error: failed to create PVC data-web-0: ";
        for text in [claim, pod] {
            let is_it = |event: &Value| {
                let message = event["message"].as_str().unwrap();
                event["reason"] == "FailedCreate" && message.starts_with(text) && message.contains("exceeded quota")
            };
            bed.until(text, "events", |events| events.iter().any(is_it)).await;
        }
        assert!(names(bed).await.is_empty());
        bed.faults.clear();
        bed.until_one("it is ready", "statefulsets", "web", reports(json!({ "readyReplicas": 1 }))).await;
    })
    .await;
}
