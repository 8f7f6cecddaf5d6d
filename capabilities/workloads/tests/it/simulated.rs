//! Simulated nodes and the pods on them, from their start to their end, as
//! marks and Stage objects say.

use client::DeleteOptions;
use serde_json::{Value, json};

use crate::bed::{Bed, on_both_simulated};

pub async fn node(bed: &Bed, name: &str) -> Value {
    let annotations = json!({ "kwok.x-k8s.io/node": "fake" });
    let body = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "annotations": annotations },
    });
    bed.create(body).await;
    bed.until_one("the node is ready", "nodes", name, |node| condition(node, "Ready")["status"] == "True").await
}

pub fn pod(name: &str, node: &str, annotations: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "default", "annotations": annotations },
        "spec": {
            "nodeName": node, "containers": [{ "name": "main", "image": "example/web:1" }],
            "initContainers": [{ "name": "first", "image": "example/init:1" }],
        },
    })
}

pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|held| held["type"] == *kind).unwrap_or(&Value::Null)
}

fn waits_for(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_node_becomes_ready_and_stays_so() {
    on_both_simulated(Value::Null, async |bed| {
        let ready = node(bed, "fake").await;
        assert_eq!(condition(&ready, "Ready")["reason"], "KubeletReady");
        assert_eq!(ready["status"]["allocatable"]["cpu"], "1k");
        assert_eq!(ready["status"]["addresses"][0]["address"], "172.16.0.1");
        // A node that is lost and comes back is made ready again.
        let lost = json!([{ "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown" }]);
        bed.merge_status("nodes", "fake", json!({ "conditions": lost })).await;
        let is_back = |node: &Value| condition(node, "Ready")["status"] == "True";
        bed.until_one("it comes back", "nodes", "fake", is_back).await;
        // Others' nodes are left alone.
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "real" } })).await;
        bed.create(pod("elsewhere", "real", &json!({}))).await;
        bed.create(pod("here", "fake", &json!({}))).await;
        bed.until_one("the pod here runs", "pods", "here", |pod| pod["status"]["phase"] == "Running").await;
        assert_eq!(bed.get("pods", "elsewhere").await.unwrap()["status"]["phase"], "Pending");
        assert!(bed.get("nodes", "real").await.unwrap()["status"]["conditions"].is_null());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_on_it_run_in_one_write_and_go() {
    on_both_simulated(Value::Null, async |bed| {
        // The pod is there before its node.
        let made = bed.create(pod("web", "fake", &json!({}))).await;
        let node = node(bed, "fake").await;
        let web = bed.until_one("it is ready", "pods", "web", |pod| condition(pod, "Ready")["status"] == "True").await;
        let status = &web["status"];
        assert_eq!(status["hostIP"], node["status"]["addresses"][0]["address"]);
        assert_eq!(status["podIP"], "10.128.0.1");
        assert_eq!(status["podIPs"], json!([{ "ip": "10.128.0.1" }]));
        assert_eq!(status["qosClass"], "BestEffort");
        for kind in ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady"] {
            assert_eq!(condition(&web, kind)["status"], "True", "{kind}");
        }
        let container = &status["containerStatuses"][0];
        assert_eq!((&container["ready"], &container["started"]), (&json!(true), &json!(true)));
        assert!(container["containerID"].as_str().unwrap().starts_with("simulated://"));
        assert!(container["state"]["running"]["startedAt"].is_string());
        assert_eq!(status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 0);
        // From bound to ready is one write.
        assert_eq!(web["metadata"]["generation"], made["metadata"]["generation"]);
        let managers = web["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(managers.iter().filter(|entry| entry["subresource"] == "status").count(), 1);
        bed.create(pod("second", "fake", &json!({}))).await;
        let second = bed.until_one("another runs", "pods", "second", |pod| pod["status"]["phase"] == "Running").await;
        assert_eq!(second["status"]["podIP"], "10.128.0.2");
        bed.delete("pods", "web").await;
        bed.until("it is gone", "pods", |pods| pods.iter().all(|pod| pod["metadata"]["name"] != "web")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_back_says_how_it_ended_first() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        let mut held = pod("held", "fake", &json!({}));
        held["metadata"]["finalizers"] = json!(["example.com/hold"]);
        bed.create(held).await;
        bed.until_one("it runs", "pods", "held", |pod| pod["status"]["phase"] == "Running").await;
        bed.delete_with("pods", "held", DeleteOptions { grace_period_secs: Some(20), ..DeleteOptions::default() })
            .await;
        let is_removed =
            |pod: &Value| pod["status"]["phase"] == "Failed" && pod["metadata"]["deletionGracePeriodSeconds"] == 0;
        let ended = bed.until_one("it ends and is removed", "pods", "held", is_removed).await;
        let state = &ended["status"]["containerStatuses"][0]["state"];
        assert_eq!(state["terminated"]["exitCode"], 143);
        assert_eq!(condition(&ended, "Ready")["reason"], "PodFailed");
        bed.merge("pods", "held", json!({ "metadata": { "finalizers": null } })).await;
        bed.until("it is gone", "pods", <[Value]>::is_empty).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_fail_as_their_marks_say() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        let own = |key: &str, value: &str| json!({ format!("simulated.coracle.dev/{key}"): value });
        bed.create(pod("unready", "fake", &own("ready", "false"))).await;
        bed.create(pod("imageless", "fake", &own("image-pull", "fail"))).await;
        bed.create(pod("crashing", "fake", &own("exit-code", "3"))).await;
        for (name, code) in [("failing", "7"), ("completing", "0")] {
            let mut ending = pod(name, "fake", &own("exit-code", code));
            ending["spec"]["restartPolicy"] = json!("Never");
            bed.create(ending).await;
        }
        let reason = "pod-container-running-failed.stage.kwok.x-k8s.io/reason";
        let mut kwoks = pod("kwoks", "fake", &json!({ reason: "OutOfLuck" }));
        kwoks["metadata"]["labels"] = json!({ "pod-container-running-failed.stage.kwok.x-k8s.io": "true" });
        bed.create(kwoks).await;

        let running = |pod: &Value| pod["status"]["phase"] == "Running";
        let unready = bed.until_one("one runs unready", "pods", "unready", running).await;
        assert_eq!(condition(&unready, "Ready")["reason"], "ContainersNotReady");
        assert_eq!(condition(&unready, "Ready")["message"], "containers with unready status: [main]");
        let has_no_image = |pod: &Value| waits_for(pod) == "ImagePullBackOff";
        let imageless = bed.until_one("one has no image", "pods", "imageless", has_no_image).await;
        assert_eq!(imageless["status"]["phase"], "Pending");
        let crashed = |pod: &Value| waits_for(pod) == "CrashLoopBackOff";
        let crashing = bed.until_one("one crashes", "pods", "crashing", crashed).await;
        let container = &crashing["status"]["containerStatuses"][0];
        assert_eq!(container["restartCount"], 1);
        assert_eq!(container["lastState"]["terminated"]["exitCode"], 3);
        assert!(container["state"]["waiting"]["message"].as_str().unwrap().starts_with("back-off 10s restarting"));
        for (name, phase, code, why) in
            [("failing", "Failed", 7, "PodFailed"), ("completing", "Succeeded", 0, "PodCompleted")]
        {
            let ended = bed.until_one("one ends", "pods", name, |pod| pod["status"]["phase"] == *phase).await;
            assert_eq!(ended["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], code);
            assert_eq!(condition(&ended, "Ready")["reason"], *why);
        }
        let failed = |pod: &Value| pod["status"]["phase"] == "Failed";
        let kwoks = bed.until_one("one fails as in KWOK", "pods", "kwoks", failed).await;
        let state = &kwoks["status"]["containerStatuses"][0]["state"]["terminated"];
        assert_eq!((&state["reason"], &state["message"]), (&json!("OutOfLuck"), &json!("container failed")));
    })
    .await;
}

fn stage(name: &str, spec: Value) -> Value {
    let mut stage = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": { "name": name }, "spec": spec,
    });
    stage["spec"]["resourceRef"] = json!({ "apiGroup": "v1", "kind": "Pod" });
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stage_objects_say_how_pods_live() {
    on_both_simulated(Value::Null, async |bed| {
        let absent = |key: &str| json!({ "key": key, "operator": "DoesNotExist" });
        // Replaces the built-in stage of its name.
        let template = "phase: Running\npodIP: {{ PodIP | Quote }}\nmessage: {{ .metadata.name | Quote }}\n";
        let event = json!({ "type": "Warning", "reason": "Staged", "message": "it was staged" });
        let selector = json!({ "matchExpressions": [absent(".metadata.deletionTimestamp"), absent(".status.podIP")] });
        let next = json!({ "statusTemplate": template, "event": event });
        let delay = json!({ "durationMilliseconds": 50, "jitterDurationMilliseconds": 100 });
        bed.create(stage("pod-ready", json!({ "selector": selector, "next": next, "delay": delay }))).await;
        // Competes with none: what it selects has no built-in stage.
        let running = json!({ "key": ".status.phase", "operator": "In", "values": ["Running"] });
        let selector = json!({ "matchLabels": { "app": "marked" }, "matchExpressions": [running] });
        let patch = json!({ "type": "merge", "root": "metadata", "template": "labels: {app: seen}" });
        let next = json!({ "patches": [patch], "finalizers": { "add": [{ "value": "example.com/staged" }] } });
        bed.create(stage("mark", json!({ "selector": selector, "next": next }))).await;
        let accepted = |stage: &Value| condition(stage, "Accepted")["status"] == "True";
        bed.until_one("the stage is accepted", "stages", "mark", accepted).await;

        node(bed, "fake").await;
        let mut staged = pod("staged", "fake", &json!({}));
        staged["metadata"]["labels"] = json!({ "app": "marked" });
        bed.create(staged).await;
        let seen = |pod: &Value| pod["metadata"]["labels"]["app"] == "seen";
        let staged = bed.until_one("both stages were taken", "pods", "staged", seen).await;
        assert_eq!(staged["status"]["message"], "staged");
        assert!(staged["status"]["podIP"].as_str().unwrap().starts_with("10.128."));
        assert!(staged["status"]["containerStatuses"].is_null());
        assert_eq!(staged["metadata"]["finalizers"], json!(["example.com/staged"]));
        assert_eq!(bed.until_event("staged", "Staged").await, "it was staged");
        bed.merge("pods", "staged", json!({ "metadata": { "finalizers": null } })).await;
        bed.delete("pods", "staged").await;
        bed.until("it is gone", "pods", <[Value]>::is_empty).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_cannot_be_interpreted_is_refused_and_does_nothing() {
    on_both_simulated(Value::Null, async |bed| {
        let next = json!({ "statusTemplate": "{{ range .spec.containers }}a: b{{ end }}" });
        bed.create(stage("pod-ready", json!({ "selector": {}, "next": next }))).await;
        let told = |stage: &Value| condition(stage, "Accepted")["status"] == "False";
        let refused = bed.until_one("it is told", "stages", "pod-ready", told).await;
        let why = condition(&refused, "Accepted");
        assert_eq!(why["reason"], "NotSupported");
        assert!(why["message"].as_str().unwrap().contains("{{ range .spec.containers }} is not supported"));
        // The built-in stage of its name stays.
        node(bed, "fake").await;
        bed.create(pod("web", "fake", &json!({}))).await;
        bed.until_one("it is ready", "pods", "web", |pod| condition(pod, "Ready")["status"] == "True").await;
        // Once it can be interpreted it is in effect, for pods that are there as well.
        let change = json!({ "spec": {
            "selector": { "matchExpressions": [{ "key": ".status.message", "operator": "DoesNotExist" }] },
            "next": { "statusTemplate": "message: changed" },
        } });
        bed.merge("stages", "pod-ready", change).await;
        bed.until_one("it is staged", "pods", "web", |pod| pod["status"]["message"] == "changed").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_made_as_the_setting_asks() {
    on_both_simulated(json!({ "simulatedNodes": 3 }), async |bed| {
        let is_ready = |node: &Value| condition(node, "Ready")["status"] == "True";
        let are_ready = |nodes: &[Value]| nodes.len() == 3 && nodes.iter().all(is_ready);
        let nodes = bed.until("three nodes are ready", "nodes", are_ready).await;
        assert_eq!(nodes[2]["metadata"]["name"], "simulated-2");
        assert_eq!(nodes[2]["status"]["allocatable"]["cpu"], "32");
        assert_eq!(nodes[2]["status"]["capacity"]["memory"], "256Gi");
        assert_eq!(nodes[2]["metadata"]["labels"]["topology.kubernetes.io/zone"], "zone-c");
        let addresses: Vec<&Value> = nodes.iter().map(|node| &node["status"]["addresses"][0]["address"]).collect();
        assert!(addresses[0] != addresses[1] && addresses[1] != addresses[2] && addresses[0] != addresses[2]);
        bed.create(pod("before", "simulated-0", &json!({}))).await;
        let runs = |pod: &Value| pod["status"]["phase"] == "Running";
        let before = bed.until_one("a pod runs", "pods", "before", runs).await;
        // Fewer at the next start: those that are too many go.
        bed.restart_with(json!({ "simulatedNodes": 1 })).await;
        bed.until("one node is left", "nodes", |nodes| nodes.len() == 1).await;
        // An address that was given before is not given again.
        bed.create(pod("after", "simulated-0", &json!({}))).await;
        let after = bed.until_one("another runs", "pods", "after", runs).await;
        assert_ne!(before["status"]["podIP"], after["status"]["podIP"]);
        assert_eq!(
            bed.get("pods", "before").await.unwrap()["metadata"]["resourceVersion"],
            before["metadata"]["resourceVersion"]
        );
    })
    .await;
}
