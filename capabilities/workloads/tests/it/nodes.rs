//! Nodes that fall silent, are cordoned, drained or tainted, and their pods.
//! There is no kubelet here: the test says what one would say.

use std::sync::Arc;

use api::{ClusterName, Gvr};
use base::Clock;
use client::{Objects, Patch, Target, WriteOptions};
use serde_json::{Value, json};
use testkit::Kubectl;

use crate::bed::{Bed, on_both_simulated, template};

async fn node(bed: &Bed, name: &str) {
    let labels = json!({ "kubernetes.io/hostname": name });
    bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } })).await;
    let allowed = json!({ "cpu": "4", "memory": "8Gi", "pods": "110" });
    bed.merge_status("nodes", name, json!({ "allocatable": allowed, "capacity": allowed })).await;
    says(bed, name, "True").await;
}

/// What the kubelet of a node posts.
async fn says(bed: &Bed, node: &str, ready: &str) {
    let now = Clock::system().now_rfc3339();
    let conditions = json!([{
        "type": "Ready", "status": ready, "reason": "KubeletReady", "message": "",
        "lastHeartbeatTime": now, "lastTransitionTime": now,
    }]);
    bed.merge_status("nodes", node, json!({ "conditions": conditions })).await;
}

fn pod(name: &str, node: &str, tolerations: Value) -> Value {
    let mut pod = template(name);
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = json!("default");
    pod["spec"]["nodeName"] = json!(node);
    pod["spec"]["tolerations"] = tolerations;
    pod["spec"]["terminationGracePeriodSeconds"] = json!(0);
    pod
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|held| held["type"] == *kind).unwrap_or(&Value::Null)
}

fn taints(node: &Value) -> Vec<String> {
    let taint = |taint: &Value| {
        let text = |field: &str| taint[field].as_str().unwrap_or_default();
        format!("{}:{}", text("key").trim_start_matches("node.kubernetes.io/"), text("effect"))
    };
    node["spec"]["taints"].as_array().into_iter().flatten().map(taint).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_node_is_lost_and_comes_back() {
    on_both_simulated(json!({ "nodeMonitorGracePeriodSeconds": 2 }), async |bed| {
        node(bed, "one").await;
        assert!(bed.until_event("one", "RegisteredNode").await.contains("Registered Node one in Controller"));
        bed.create(pod("a", "one", json!([]))).await;
        let ready = json!({ "type": "Ready", "status": "True" });
        bed.merge_status("pods", "a", json!({ "phase": "Running", "conditions": [ready] })).await;
        let lost = bed
            .until_one("nobody knows how it is", "nodes", "one", |node| {
                condition(node, "Ready")["status"] == "Unknown" && taints(node).len() == 2
            })
            .await;
        let held = condition(&lost, "Ready");
        assert_eq!(held["reason"], "NodeStatusUnknown");
        assert_eq!(held["message"], "Kubelet stopped posting node status.");
        assert_eq!(condition(&lost, "DiskPressure")["reason"], "NodeStatusNeverUpdated");
        assert_eq!(taints(&lost), ["unreachable:NoSchedule", "unreachable:NoExecute"]);
        bed.until_one("its pod does not serve", "pods", "a", |pod| condition(pod, "Ready")["status"] == "False").await;
        assert_eq!(bed.until_event("one", "NodeNotReady").await, "Node one status is now: NodeNotReady");
        assert_eq!(bed.until_event("a", "NodeNotReady").await, "Node is not ready");
        // The pod has five minutes, as everyone has who does not say otherwise.
        assert!(bed.get("pods", "a").await.unwrap()["metadata"]["deletionTimestamp"].is_null());
        says(bed, "one", "False").await;
        let swapped = ["not-ready:NoSchedule", "not-ready:NoExecute"];
        bed.until_one("it is not ready", "nodes", "one", |node| taints(node) == swapped).await;
        says(bed, "one", "True").await;
        bed.until_one("it is back", "nodes", "one", |node| taints(node).is_empty()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_renewed_is_a_sign_of_life() {
    on_both_simulated(json!({ "nodeMonitorGracePeriodSeconds": 2 }), async |bed| {
        // The one renews its lease, the simulated one need not, the third says nothing after its first word.
        node(bed, "alive").await;
        let annotations = json!({ "kwok.x-k8s.io/node": "fake" });
        let metadata = json!({ "name": "simulated", "annotations": annotations });
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata })).await;
        bed.tasks.spawn("renewals", renew_for_ever(bed.objects.clone(), "alive"));
        node(bed, "silent").await;
        bed.until_one("it is lost", "nodes", "silent", |node| condition(node, "Ready")["status"] == "Unknown").await;
        for name in ["alive", "simulated"] {
            let held = bed.get("nodes", name).await.unwrap();
            assert_eq!(condition(&held, "Ready")["status"], "True", "{name}");
        }
    })
    .await;
}

/// Renews the lease of a node as fast as it can, until the bed goes.
async fn renew_for_ever(objects: Arc<dyn Objects>, name: &'static str) {
    let leases = Gvr::new("coordination.k8s.io", "v1", "leases");
    let target = Target::namespaced(&ClusterName::root(), &leases, "kube-node-lease");
    for count in 0_u64.. {
        let renewed = Clock::system().now_micro();
        let spec = json!({ "holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed });
        let mut lease = json!({ "metadata": { "name": name }, "spec": spec });
        if count == 0 {
            lease["apiVersion"] = json!("coordination.k8s.io/v1");
            lease["kind"] = json!("Lease");
            objects.create(&target, lease.to_string().into(), WriteOptions::default()).await.unwrap();
        } else {
            let patch = Patch::Merge(lease.to_string().into());
            objects.patch(&target, name, None, patch, WriteOptions::default()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_and_cordons_become_taints() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "one").await;
        let pressed = |kind: &str| json!({ "type": kind, "status": "True" });
        let ready = condition(&bed.get("nodes", "one").await.unwrap(), "Ready").clone();
        let kinds = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
        let mut conditions: Vec<Value> = kinds.iter().map(|kind| pressed(kind)).collect();
        conditions.push(ready.clone());
        bed.merge_status("nodes", "one", json!({ "conditions": conditions })).await;
        let all = ["memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable"];
        let all: Vec<String> = all.iter().map(|key| format!("{key}:NoSchedule")).collect();
        bed.until_one("every pressure is a taint", "nodes", "one", |node| taints(node) == all).await;
        bed.merge_status("nodes", "one", json!({ "conditions": [ready] })).await;
        bed.until_one("no taint is left", "nodes", "one", |node| taints(node).is_empty()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taints_drive_away_who_does_not_tolerate_them() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "one").await;
        let tolerates = |secs: Option<i64>| match secs {
            Some(secs) => {
                json!([{ "key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": secs }])
            }
            None => json!([{ "key": "k", "operator": "Exists" }]),
        };
        // A finalizer keeps what goes where it can be looked at.
        let mut goes = pod("goes", "one", json!([]));
        goes["metadata"]["finalizers"] = json!(["example.com/look"]);
        bed.create(goes).await;
        bed.create(pod("later", "one", tolerates(Some(1)))).await;
        bed.create(pod("patient", "one", tolerates(Some(600)))).await;
        bed.create(pod("stays", "one", tolerates(None))).await;
        bed.merge("nodes", "one", json!({ "spec": { "taints": [{ "key": "k", "effect": "NoExecute" }] } })).await;
        let is_going = |pod: &Value| !pod["metadata"]["deletionTimestamp"].is_null();
        let gone = bed.until_one("it goes at once", "pods", "goes", is_going).await;
        let held = condition(&gone, "DisruptionTarget");
        assert_eq!((&held["status"], &held["reason"]), (&json!("True"), &json!("DeletionByTaintManager")));
        assert_eq!(held["message"], "Taint manager: deleting due to NoExecute taint");
        assert_eq!(bed.until_event("goes", "TaintManagerEviction").await, "Marking for deletion Pod default/goes");
        bed.until("another goes when its time is over", "pods", |pods| {
            pods.iter().all(|pod| pod["metadata"]["name"] != "later")
        })
        .await;
        bed.merge("nodes", "one", json!({ "spec": { "taints": null } })).await;
        let message = bed.until_event("patient", "TaintManagerEviction").await;
        assert_eq!(message, "Cancelling deletion of Pod default/patient");
        for name in ["patient", "stays"] {
            assert!(!is_going(&bed.get("pods", name).await.unwrap()), "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_cordons_drains_and_taints() {
    on_both_simulated(Value::Null, async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        node(bed, "one").await;
        kubectl.ok(&["cordon", "one"]).await.unwrap();
        bed.until_one("it is tainted", "nodes", "one", |node| taints(node) == ["unschedulable:NoSchedule"]).await;
        let mut waits = pod("waits", "", json!([]));
        waits["spec"].as_object_mut().unwrap().remove("nodeName");
        bed.create(waits).await;
        let why = bed.until_event("waits", "FailedScheduling").await;
        assert!(why.starts_with("0/1 nodes are available: 1 node(s) were unschedulable."), "{why}");
        kubectl.ok(&["uncordon", "one"]).await.unwrap();
        bed.until_one("it is placed", "pods", "waits", |pod| pod["spec"]["nodeName"] == "one").await;
        bed.until_one("it is open", "nodes", "one", |node| taints(node).is_empty()).await;
        kubectl.ok(&["drain", "one", "--force", "--timeout=20s"]).await.unwrap();
        assert!(bed.list("pods").await.is_empty());
        kubectl.ok(&["uncordon", "one"]).await.unwrap();
        bed.create(pod("b", "one", json!([]))).await;
        kubectl.ok(&["taint", "nodes", "one", "k=v:NoExecute"]).await.unwrap();
        bed.until("the pod goes", "pods", <[Value]>::is_empty).await;
        kubectl.ok(&["taint", "nodes", "one", "k-"]).await.unwrap();
        bed.until_one("nothing is left of it", "nodes", "one", |node| taints(node).is_empty()).await;
    })
    .await;
}
