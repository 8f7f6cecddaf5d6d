//! Deployments when something goes wrong: their controllers die, others write
//! too, pods never come to serve, quotas are exceeded, everything is deleted.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use client::{Patch, WatchOptions, WriteOptions};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use testkit::Kubectl;

use crate::bed::{on_both, target};
use crate::deployments::{condition, deployment, image, is_complete, rolling, sizes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_goes_on_after_a_kill_at_any_of_its_steps() {
    on_both(async |bed| {
        let mut web = deployment("web", 3);
        web["spec"]["strategy"] = rolling(json!(1), json!(1));
        bed.create(web).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        for writes in 0.. {
            let tag = format!("example/web:after-{writes}");
            let is_out =
                |web: &Value| is_complete(web) && web["spec"]["template"]["spec"]["containers"][0]["image"] == *tag;
            bed.faults.freeze_after(writes);
            bed.merge("deployments", "web", image(&tag)).await;
            let came_through = tokio::select! {
                () = bed.faults.frozen() => false,
                _ = bed.until_one("it is out", "deployments", "web", is_out) => true,
            };
            bed.restart().await;
            bed.until_one("it is out", "deployments", "web", is_out).await;
            let pods = bed.until("three pods are there", "pods", |pods| pods.len() == 3).await;
            let is_new = |pod: &Value| pod["spec"]["containers"][0]["image"] == *tag;
            assert!(pods.iter().all(is_new), "after {writes} writes");
            let sets = bed.list("replicasets").await;
            let of_tag = sets.iter().filter(|set| set["spec"]["template"]["spec"]["containers"][0]["image"] == *tag);
            assert_eq!(of_tag.count(), 1, "after {writes} writes");
            assert_eq!(sizes(&sets).iter().sum::<i64>(), 3, "after {writes} writes");
            if came_through {
                assert!(writes > 8, "a rollout of three takes more than {writes} writes");
                return;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_may_write_to_a_deployment_while_it_rolls() {
    on_both(async |bed| {
        bed.create(deployment("web", 4)).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        let (objects, over) = (bed.objects.clone(), Arc::new(AtomicBool::new(false)));
        let is_over = over.clone();
        bed.tasks.spawn("a racing writer", async move {
            let mut count = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                count += 1;
                let noise = json!({ "metadata": {
                    "labels": { "noise": count.to_string() }, "annotations": { "noise": count.to_string() },
                } });
                let patch = Patch::Merge(noise.to_string().into());
                let options = WriteOptions::default();
                let outcome = objects.patch(&target("deployments"), "web", None, patch, options).await;
                assert!(outcome.is_ok() || outcome.is_err_and(|status| status.is_conflict()));
                tokio::task::yield_now().await;
            }
        });
        let runs = |web: &Value| web["metadata"]["labels"]["noise"].is_string();
        bed.until_one("there is noise", "deployments", "web", runs).await;
        for release in 0..3 {
            let tag = format!("example/web:r{release}");
            bed.merge("deployments", "web", image(&tag)).await;
            let rolled = |pods: &[Value]| {
                pods.len() == 4 && pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == *tag)
            };
            bed.until("all pods are new", "pods", rolled).await;
        }
        over.store(true, Ordering::Relaxed);
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        let last = bed.get("deployments", "web").await.unwrap()["metadata"]["annotations"]["noise"].clone();
        let heard = |sets: &[Value]| sets.iter().any(|set| set["metadata"]["annotations"]["noise"] == last);
        let sets = bed.until("the last word reached the new set", "replicasets", heard).await;
        assert_eq!(sizes(&sets), [0, 0, 0, 4]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_without_progress_is_reported_and_healed_by_undoing_it() {
    on_both(async |bed| {
        let mut web = deployment("web", 2);
        web["spec"]["progressDeadlineSeconds"] = json!(1);
        bed.create(web).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        let never = json!({ "metadata": { "annotations": { "test/then": "Running" } } });
        bed.merge("deployments", "web", json!({ "spec": { "template": never } })).await;
        let is_stuck = |web: &Value| condition(web, "Progressing")["status"] == "False";
        let stuck = bed.until_one("it is stuck", "deployments", "web", is_stuck).await;
        let sets = bed.list("replicasets").await;
        let is_new = |set: &&Value| set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2";
        let new = sets.iter().find(is_new).unwrap()["metadata"]["name"].as_str().unwrap();
        assert_eq!(
            condition(&stuck, "Progressing"),
            json!({
                "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "message": format!("ReplicaSet \"{new}\" has timed out progressing."),
            })
        );
        assert_eq!(stuck["status"]["availableReplicas"], 2);
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let told = kubectl.fails(&["rollout", "status", "deployment/web"]).await.unwrap();
        assert_eq!(told, "error: deployment \"web\" exceeded its progress deadline\n");
        kubectl.ok(&["rollout", "undo", "deployment/web"]).await.unwrap();
        let told = kubectl.ok(&["rollout", "status", "deployment/web"]).await.unwrap();
        assert!(told.contains("successfully rolled out"), "{told}");
        bed.until_one("it is healed", "deployments", "web", is_complete).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [0, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_that_is_exceeded_is_told_up_to_the_deployment() {
    on_both(async |bed| {
        // The name of the pod is another each time.
        let why =
            "pods \"web-{}\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1";
        bed.faults.refuse("pods", why);
        bed.create(deployment("web", 2)).await;
        let failed = |object: &Value| condition(object, "ReplicaFailure")["status"] == "True";
        let told = bed.until_one("it fails", "deployments", "web", failed).await;
        let why = why.replace("{}", "0");
        let expect = json!({ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": why });
        assert_eq!(condition(&told, "ReplicaFailure"), expect);
        assert_eq!(condition(&told, "Available")["status"], "False");
        let set = bed.list("replicasets").await.remove(0);
        assert_eq!(condition(&set, "ReplicaFailure"), expect);
        let name = set["metadata"]["name"].as_str().unwrap();
        let event = bed.until_event(name, "FailedCreate").await;
        assert!(event.starts_with("Error creating: pods \"web-") && event.contains("exceeded quota"), "{event}");
        assert!(bed.faults.refusals() < 20, "the server is asked with more and more patience");
        bed.faults.clear();
        let healed = bed.until_one("it is out", "deployments", "web", is_complete).await;
        assert_eq!(condition(&healed, "ReplicaFailure"), Value::Null);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_set_that_is_refused_is_told() {
    on_both(async |bed| {
        bed.faults.refuse("replicasets", "exceeded quota: none");
        bed.create(deployment("web", 1)).await;
        let failed = |web: &Value| condition(web, "Progressing")["reason"] == "ReplicaSetCreateError";
        let told = bed.until_one("it fails", "deployments", "web", failed).await;
        let message = condition(&told, "Progressing")["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("Failed to create new replica set \"web-"), "{message}");
        assert!(message.ends_with("\": exceeded quota: none"), "{message}");
        assert_eq!(bed.until_event("web", "ReplicaSetCreateError").await, message);
        bed.faults.clear();
        bed.until_one("it is out", "deployments", "web", is_complete).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pods_come_and_come_back() {
    on_both(async |bed| {
        let options = WatchOptions::default();
        let mut changes = bed.objects.watch(&target("replicasets"), options).await.unwrap();
        bed.create(deployment("web", 1000)).await;
        bed.until_one("all are there", "deployments", "web", is_complete).await;
        let mut writes = 0;
        while changes.next().now_or_never().flatten().is_some() {
            writes += 1;
        }
        assert!(writes < 500, "a status counts many pods at once, but was written {writes} times");
        let pods = bed.list("pods").await;
        let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap().to_owned();
        let before: HashSet<String> = pods.iter().map(uid).collect();
        let deletions = pods.iter().map(|pod| bed.delete("pods", pod["metadata"]["name"].as_str().unwrap()));
        futures::stream::iter(deletions).buffer_unordered(64).collect::<Vec<()>>().await;
        let is_other = |pod: &Value| !before.contains(pod["metadata"]["uid"].as_str().unwrap());
        // Looked at each time that the deployment says it is out: it may not have noticed yet.
        let mut seen = Value::Null;
        loop {
            let is_out = |web: &Value| is_complete(web) && web["metadata"]["resourceVersion"] != seen;
            let web = bed.until_one("all serve", "deployments", "web", is_out).await;
            let pods = bed.list("pods").await;
            if pods.len() == 1000 && pods.iter().all(is_other) {
                return;
            }
            seen = web["metadata"]["resourceVersion"].clone();
        }
    })
    .await;
}
