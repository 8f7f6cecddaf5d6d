//! Daemon sets: one pod on every node that wants one.

use client::{DeleteOptions, Propagation};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both, template};

mod rollouts;
mod simulated;

/// A daemon set named `web` of this spec beside the usual.
pub fn set(spec: Value) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": template("web") },
    });
    for (field, value) in spec.as_object().unwrap() {
        set["spec"][field] = value.clone();
    }
    set
}

/// Nodes of these names.
pub async fn nodes(bed: &Bed, names: &[&str]) {
    for name in names {
        let metadata = json!({ "name": name, "labels": { "disk": "ssd" } });
        let made = bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata })).await;
        assert_eq!(made["metadata"]["name"], **name);
    }
}

/// Whether the controller has seen the set and these counts of its status are so.
pub fn reports(counts: Value) -> impl Fn(&Value) -> bool {
    move |set: &Value| {
        let is_so = |(field, count): (&String, &Value)| set["status"].get(field).unwrap_or(&json!(0)) == count;
        set["status"]["observedGeneration"] == set["metadata"]["generation"]
            && counts.as_object().unwrap().iter().all(is_so)
    }
}

/// The node that a pod is for.
pub fn node_of(pod: &Value) -> &str {
    let required = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0].as_str().unwrap()
}

/// The nodes that have pods, in order.
async fn covered(bed: &Bed) -> Vec<String> {
    let pods = bed.list("pods").await;
    let mut nodes: Vec<String> = pods.iter().map(|pod| node_of(pod).to_owned()).collect();
    nodes.sort();
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_follow_nodes_as_they_come_change_and_go() {
    on_both(async |bed| {
        nodes(bed, &["a", "b"]).await;
        let mut pod = template("web");
        pod["spec"]["nodeSelector"] = json!({ "disk": "ssd" });
        bed.create(set(json!({ "template": pod }))).await;
        let all = |count: i64| {
            reports(json!({
                "desiredNumberScheduled": count, "currentNumberScheduled": count, "numberReady": count,
                "numberAvailable": count, "updatedNumberScheduled": count, "numberUnavailable": 0, "numberMisscheduled": 0,
            }))
        };
        bed.until_one("both have a pod", "daemonsets", "web", all(2)).await;
        let pod = bed.list("pods").await.remove(0);
        let revision = bed.list("controllerrevisions").await.remove(0);
        let hash = &revision["metadata"]["labels"]["controller-revision-hash"];
        assert_eq!(&pod["metadata"]["labels"]["controller-revision-hash"], hash);
        assert_eq!(revision["metadata"]["name"], format!("web-{}", hash.as_str().unwrap()));
        assert_eq!(pod["metadata"]["labels"]["pod-template-generation"], "1");
        assert!(pod["spec"]["tolerations"].as_array().unwrap().len() >= 6);
        assert!(bed.until_event("web", "SuccessfulCreate").await.starts_with("Created pod: web-"));
        nodes(bed, &["c"]).await;
        bed.until_one("the new one has a pod", "daemonsets", "web", all(3)).await;
        assert_eq!(covered(bed).await, ["a", "b", "c"]);
        // A label that no longer fits takes the pod away.
        bed.merge("nodes", "b", json!({ "metadata": { "labels": { "disk": "hdd" } } })).await;
        bed.until_one("two are left", "daemonsets", "web", all(2)).await;
        assert_eq!(covered(bed).await, ["a", "c"]);
        assert!(bed.until_event("web", "SuccessfulDelete").await.starts_with("Deleted pod: web-"));
        // A taint without execution leaves what is there; it counts as misplaced.
        let taint = |effect: &str| json!({ "spec": { "taints": [{ "key": "busy", "effect": effect }] } });
        bed.merge("nodes", "c", taint("NoSchedule")).await;
        let misplaced = reports(json!({ "desiredNumberScheduled": 1, "numberMisscheduled": 1, "numberReady": 1 }));
        bed.until_one("one is misplaced", "daemonsets", "web", misplaced).await;
        assert_eq!(covered(bed).await, ["a", "c"]);
        bed.merge("nodes", "c", taint("NoExecute")).await;
        bed.until_one("one is left", "daemonsets", "web", all(1)).await;
        assert_eq!(covered(bed).await, ["a"]);
        bed.merge("nodes", "c", json!({ "spec": { "taints": null } })).await;
        bed.until_one("it is back", "daemonsets", "web", all(2)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_that_end_are_replaced_and_fail_ever_more_slowly() {
    on_both(async |bed| {
        nodes(bed, &["a"]).await;
        bed.create(set(json!({}))).await;
        let ready = reports(json!({ "numberReady": 1 }));
        bed.until_one("it is ready", "daemonsets", "web", &ready).await;
        for (phase, reason, verb) in
            [("Succeeded", "SucceededDaemonPod", "delete"), ("Failed", "FailedDaemonPod", "kill")]
        {
            let name = bed.list("pods").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
            bed.merge("pods", &name, json!({ "metadata": { "annotations": { "test/then": phase } } })).await;
            let message = bed.until_event("web", reason).await;
            let found = phase.to_lowercase();
            assert_eq!(message, format!("Found {found} daemon pod default/{name} on node a, will try to {verb} it"));
            let is_new = |pods: &[Value]| pods.len() == 1 && pods[0]["metadata"]["name"] != *name;
            bed.until("another takes its place", "pods", is_new).await;
            bed.until_one("it is ready", "daemonsets", "web", &ready).await;
        }
        // The second failure waits for what the first one asked for, and no longer.
        let name = bed.list("pods").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
        bed.merge("pods", &name, json!({ "metadata": { "annotations": { "test/then": "Failed" } } })).await;
        bed.until_one("it is missed", "daemonsets", "web", reports(json!({ "numberReady": 0 }))).await;
        let is_new = |pods: &[Value]| pods.len() == 1 && pods[0]["metadata"]["name"] != *name;
        bed.until("another takes its place", "pods", is_new).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_that_goes_leaves_its_pods_and_the_next_takes_them_in() {
    on_both(async |bed| {
        nodes(bed, &["a", "b"]).await;
        for propagation in [Propagation::Foreground, Propagation::Orphan] {
            bed.create(set(json!({}))).await;
            bed.until_one("both are ready", "daemonsets", "web", reports(json!({ "numberReady": 2 }))).await;
            let before = bed.list("pods").await;
            let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
            bed.delete_with("daemonsets", "web", options).await;
            // Controllers that have not heard yet that the set goes would make pods for it.
            bed.restart().await;
            // What the garbage collector does: it lets go of them, or deletes them.
            for (kind, object) in [
                ("pods", &before[0]["metadata"]["name"]),
                ("pods", &before[1]["metadata"]["name"]),
                ("controllerrevisions", &bed.list("controllerrevisions").await[0]["metadata"]["name"]),
            ] {
                let name = object.as_str().unwrap();
                match propagation {
                    Propagation::Orphan => {
                        bed.merge(kind, name, json!({ "metadata": { "ownerReferences": null } })).await;
                    }
                    _ => bed.delete(kind, name).await,
                }
            }
            bed.merge("daemonsets", "web", json!({ "metadata": { "finalizers": null } })).await;
            bed.until("it is gone", "daemonsets", <[Value]>::is_empty).await;
            let left = if propagation == Propagation::Orphan { 2 } else { 0 };
            assert_eq!(bed.list("pods").await.len(), left);
        }
        let before = bed.list("pods").await;
        bed.create(set(json!({}))).await;
        bed.until_one("both are taken in", "daemonsets", "web", reports(json!({ "updatedNumberScheduled": 2 }))).await;
        let after = bed.list("pods").await;
        assert_eq!(after.len(), 2);
        assert!(after.iter().all(|pod| before.iter().any(|old| old["metadata"]["uid"] == pod["metadata"]["uid"])));
        assert!(after.iter().all(|pod| pod["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"));
        assert_eq!(bed.list("controllerrevisions").await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_pods_are_told_of_and_made_in_the_end() {
    on_both(async |bed| {
        nodes(bed, &["a", "b"]).await;
        bed.faults.refuse("pods", "exceeded quota: pods");
        bed.create(set(json!({}))).await;
        let message = bed.until_event("web", "FailedCreate").await;
        assert!(message.starts_with("Error creating: ") && message.contains("exceeded quota"), "{message}");
        bed.until_one("none is there", "daemonsets", "web", reports(json!({ "numberUnavailable": 2 }))).await;
        bed.faults.clear();
        bed.until_one("both are ready", "daemonsets", "web", reports(json!({ "numberReady": 2 }))).await;
    })
    .await;
}
