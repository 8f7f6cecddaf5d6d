//! The scheduler against a real API server: pods find nodes, wait for what may
//! help, and make room for each other.

use serde_json::{Value, json};

use crate::bed::{Bed, on_both, template};

async fn node(bed: &Bed, name: &str, cpu: &str) {
    let labels = json!({ "kubernetes.io/hostname": name });
    let ready = json!({ "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "" });
    let allowed = json!({ "cpu": cpu, "memory": "8Gi", "pods": "110" });
    bed.create(json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels },
        "status": { "allocatable": allowed, "capacity": allowed, "conditions": [ready] },
    }))
    .await;
}

fn pod(name: &str, cpu: &str, spec: Value) -> Value {
    let mut pod = template(name);
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = json!("default");
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": cpu } });
    pod["spec"]["terminationGracePeriodSeconds"] = json!(0);
    for (field, value) in spec.as_object().unwrap() {
        pod["spec"][field] = value.clone();
    }
    pod
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|it| it["type"] == *kind).unwrap_or(&Value::Null)
}

async fn until_on(bed: &Bed, pod: &str, node: &str) {
    bed.until_one("the pod is on its node", "pods", pod, |pod| pod["spec"]["nodeName"] == *node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_find_nodes() {
    on_both(async |bed| {
        node(bed, "one", "4").await;
        bed.create(pod("a", "3", json!({}))).await;
        until_on(bed, "a", "one").await;
        let message = bed.until_event("a", "Scheduled").await;
        assert_eq!(message, "Successfully assigned default/a to one");
        let found = bed.get("pods", "a").await.unwrap();
        assert_eq!(condition(&found, "PodScheduled")["status"], "True");
        bed.create(pod("other", "1", json!({ "schedulerName": "somebody" }))).await;
        node(bed, "two", "4").await;
        bed.create(pod("b", "3", json!({}))).await;
        until_on(bed, "b", "two").await;
        assert!(bed.get("pods", "other").await.unwrap()["spec"]["nodeName"].is_null());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_without_a_node_says_why_and_waits_for_what_may_help() {
    on_both(async |bed| {
        let waits = |message: &'static str| {
            move |pod: &Value| {
                let held = condition(pod, "PodScheduled");
                held["status"] == "False" && held["reason"] == "Unschedulable" && held["message"] == *message
            }
        };
        bed.create(pod("big", "3", json!({}))).await;
        bed.until_one("there is no node", "pods", "big", waits("no nodes available to schedule pods")).await;
        node(bed, "one", "2").await;
        let short = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is \
                     not helpful for scheduling.";
        bed.until_one("the node is too small", "pods", "big", waits(short)).await;
        bed.until("it is told", "events", |events| {
            events.iter().any(|event| event["reason"] == "FailedScheduling" && event["message"] == *short)
        })
        .await;
        bed.merge_status("nodes", "one", json!({ "allocatable": { "cpu": "4" } })).await;
        until_on(bed, "big", "one").await;
        // Another pod's end is what helps the next one.
        bed.create(pod("next", "2", json!({}))).await;
        bed.until_one("it waits", "pods", "next", |pod| condition(pod, "PodScheduled")["status"] == "False").await;
        bed.delete("pods", "big").await;
        until_on(bed, "next", "one").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gates_hold_a_pod_back() {
    on_both(async |bed| {
        node(bed, "one", "4").await;
        bed.create(pod("gated", "1", json!({ "schedulingGates": [{ "name": "example.com/wait" }] }))).await;
        bed.create(pod("free", "1", json!({}))).await;
        until_on(bed, "free", "one").await;
        let held = bed.get("pods", "gated").await.unwrap();
        assert!(held["spec"]["nodeName"].is_null());
        assert_eq!(condition(&held, "PodScheduled")["reason"], "SchedulingGated");
        bed.merge("pods", "gated", json!({ "spec": { "schedulingGates": [] } })).await;
        until_on(bed, "gated", "one").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn important_pods_make_room_for_themselves() {
    on_both(async |bed| {
        node(bed, "one", "4").await;
        let class = |name: &str, value: i64| {
            json!({
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                "metadata": { "name": name }, "value": value,
            })
        };
        bed.create(class("high", 1000)).await;
        // A finalizer keeps the victim where its end can be looked at.
        let mut low = pod("low", "3", json!({}));
        low["metadata"]["finalizers"] = json!(["example.com/look"]);
        bed.create(low).await;
        bed.create(pod("small", "1", json!({}))).await;
        until_on(bed, "low", "one").await;
        until_on(bed, "small", "one").await;
        bed.create(pod("important", "2", json!({ "priorityClassName": "high" }))).await;
        let victim =
            bed.until_one("the victim goes", "pods", "low", |pod| !pod["metadata"]["deletionTimestamp"].is_null());
        let held = condition(&victim.await, "DisruptionTarget").clone();
        assert_eq!((&held["status"], &held["reason"]), (&json!("True"), &json!("PreemptionByScheduler")));
        assert_eq!(held["message"], "default-scheduler: preempting to accommodate a higher priority pod");
        let nominated =
            bed.until_one("room is being made", "pods", "important", |pod| pod["status"]["nominatedNodeName"] == "one");
        let uid = nominated.await["metadata"]["uid"].as_str().unwrap().to_owned();
        let message = bed.until_event("low", "Preempted").await;
        assert_eq!(message, format!("Preempted by pod {uid} on node one"));
        bed.merge("pods", "low", json!({ "metadata": { "finalizers": null } })).await;
        until_on(bed, "important", "one").await;
        assert!(bed.get("pods", "small").await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_are_made_for_the_node_of_their_first_pod() {
    on_both(async |bed| {
        node(bed, "one", "4").await;
        bed.create(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "late" },
            "provisioner": "example.com/disks", "volumeBindingMode": "WaitForFirstConsumer",
        }))
        .await;
        let claim = json!({ "claimName": "data" });
        let volume = json!({ "name": "data", "persistentVolumeClaim": claim });
        bed.create(pod("a", "1", json!({ "volumes": [volume] }))).await;
        let is_missing = |pod: &Value| {
            condition(pod, "PodScheduled")["message"]
                == "0/1 nodes are available: persistentvolumeclaim \"data\" not found."
        };
        bed.until_one("the claim is missing", "pods", "a", is_missing).await;
        bed.create(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": "data", "namespace": "default" },
            "spec": {
                "storageClassName": "late", "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Gi" } },
            },
        }))
        .await;
        let selected = |claim: &Value| claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "one";
        let claim = bed.until_one("a node is selected", "persistentvolumeclaims", "data", selected).await;
        assert!(bed.get("pods", "a").await.unwrap()["spec"]["nodeName"].is_null());
        // The test is the provisioner.
        bed.create(json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "disk" },
            "spec": {
                "storageClassName": "late", "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "1Gi" },
                "hostPath": { "path": "/tmp/disk" },
                "claimRef": { "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "default",
                    "name": "data", "uid": claim["metadata"]["uid"] },
                "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [
                    { "key": "kubernetes.io/hostname", "operator": "In", "values": ["one"] },
                ] }] } },
            },
        }))
        .await;
        until_on(bed, "a", "one").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_goes_where_a_volume_is_that_suits_its_claim() {
    on_both(async |bed| {
        node(bed, "one", "8").await;
        node(bed, "two", "4").await;
        bed.create(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "local" },
            "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer",
        }))
        .await;
        bed.create(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": "data", "namespace": "default" },
            "spec": {
                "storageClassName": "local", "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Gi" } },
            },
        }))
        .await;
        let volume = json!({ "name": "data", "persistentVolumeClaim": { "claimName": "data" } });
        bed.create(pod("a", "1", json!({ "volumes": [volume] }))).await;
        let message = bed.until_event("a", "FailedScheduling").await;
        assert!(message.contains("2 node(s) didn't find available persistent volumes to bind."), "{message}");
        bed.create(json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "disk" },
            "spec": {
                "storageClassName": "local", "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "2Gi" },
                "local": { "path": "/mnt/disk" },
                "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [
                    { "key": "kubernetes.io/hostname", "operator": "In", "values": ["two"] },
                ] }] } },
            },
        }))
        .await;
        until_on(bed, "a", "two").await;
        let is_bound = |claim: &Value| claim["spec"]["volumeName"] == "disk" && claim["status"]["phase"] == "Bound";
        bed.until_one("the claim is bound", "persistentvolumeclaims", "data", is_bound).await;
    })
    .await;
}

/// No node has more than its four processors, however many pods there are.
fn check_sums(pods: &[Value]) {
    for node in ["one", "two", "three"] {
        let held = pods.iter().filter(|pod| pod["spec"]["nodeName"] == *node).count();
        assert!(held <= 40, "{node} has {held} pods of a tenth of a processor each");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_overcommitted_whoever_dies_when() {
    on_both(async |bed| {
        for name in ["one", "two", "three"] {
            node(bed, name, "4").await;
        }
        bed.faults.freeze_after(30);
        for number in 0..130 {
            bed.create(pod(&format!("p{number}"), "100m", json!({}))).await;
        }
        bed.faults.frozen().await;
        bed.restart().await;
        let bound = |pods: &[Value]| pods.iter().filter(|pod| !pod["spec"]["nodeName"].is_null()).count();
        let pods = bed
            .until("all that fit are bound, the others told", "pods", |pods| {
                check_sums(pods);
                let told = pods.iter().filter(|pod| condition(pod, "PodScheduled")["status"] == "False").count();
                bound(pods) == 120 && told == 10
            })
            .await;
        check_sums(&pods);
    })
    .await;
}
