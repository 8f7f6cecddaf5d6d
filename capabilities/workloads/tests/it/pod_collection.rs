//! Pods that nobody else deletes, and jobs that are kept for a time only.

use serde_json::{Value, json};

use crate::bed::{Bed, on_both, on_both_simulated};
use crate::jobs::job;

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "containers": [{ "name": "main", "image": "example/web:1" }] },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_job_is_deleted_when_its_time_is_over() {
    on_both(async |bed| {
        bed.create(job("brief", "Succeeded", json!({ "ttlSecondsAfterFinished": 1 }))).await;
        bed.create(job("bad", "Failed", json!({ "ttlSecondsAfterFinished": 0, "backoffLimit": 0 }))).await;
        bed.create(job("kept", "Succeeded", json!({ "ttlSecondsAfterFinished": 3600 }))).await;
        for name in ["brief", "bad"] {
            // What it owns goes before it does, which is the garbage collector's to do.
            let is_going = |job: &Value| {
                job["metadata"]["deletionTimestamp"].is_string()
                    && job["metadata"]["finalizers"] == json!(["foregroundDeletion"])
            };
            bed.until_one("it is deleted", "jobs", name, is_going).await;
        }
        let done = |job: &Value| job["status"]["succeeded"] == 1;
        let kept = bed.until_one("the other is done", "jobs", "kept", done).await;
        assert_eq!(kept["metadata"]["deletionTimestamp"], Value::Null);
        bed.merge("jobs", "kept", json!({ "spec": { "ttlSecondsAfterFinished": 0 } })).await;
        let is_going = |job: &Value| job["metadata"]["deletionTimestamp"].is_string();
        bed.until_one("its time was shortened", "jobs", "kept", is_going).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_pod_that_never_came_to_a_node_has_failed() {
    on_both(async |bed| {
        // A job that waits for what comes of its pods hears of it.
        let spec = json!({ "backoffLimit": 0, "podReplacementPolicy": "Failed" });
        bed.create(job("work", "Pending", spec)).await;
        let pods = bed.until("a pod waits", "pods", |pods| pods.len() == 1).await;
        bed.delete("pods", pods[0]["metadata"]["name"].as_str().unwrap()).await;
        let failed = |job: &Value| {
            let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
            conditions.into_iter().any(|held| held["type"] == "Failed") && job["status"]["failed"] == 1
        };
        bed.until_one("the job has failed", "jobs", "work", failed).await;
        bed.until("the pod is gone", "pods", <[Value]>::is_empty).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_pods_leave_a_node_that_is_out_of_service() {
    on_both(async |bed| {
        let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" } });
        bed.create(node).await;
        let mut bound = pod("held");
        bound["spec"]["nodeName"] = json!("n1");
        // It stays whatever taint there is.
        bound["spec"]["tolerations"] = json!([{ "operator": "Exists" }]);
        bed.create(bound).await;
        bed.delete("pods", "held").await;
        let waits = bed.get("pods", "held").await.unwrap();
        assert!(waits["metadata"]["deletionTimestamp"].is_string());
        let taint =
            json!({ "key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute" });
        bed.merge("nodes", "n1", json!({ "spec": { "taints": [taint] } })).await;
        bed.until("it is gone", "pods", <[Value]>::is_empty).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_pods_that_have_ended_the_oldest_go() {
    on_both_simulated(json!({ "terminatedPodGcThreshold": 2 }), async |bed: &Bed| {
        for name in ["a", "b", "c", "d"] {
            bed.create(pod(name)).await;
        }
        for name in ["d", "b", "c"] {
            bed.merge_status("pods", name, json!({ "phase": "Succeeded" })).await;
        }
        let names = |pods: &[Value]| -> Vec<String> {
            pods.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
        };
        bed.until("two that ended are kept", "pods", |pods| names(pods) == ["a", "c", "d"]).await;
    })
    .await;
}
