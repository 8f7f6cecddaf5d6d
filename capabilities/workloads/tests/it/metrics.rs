//! The metrics APIs of what is simulated, as kubectl and other clients ask them.

use api::ClusterName;
use serde_json::{Value, json};
use testkit::Kubectl;

use crate::bed::{Bed, on_both_simulated};
use crate::simulated::{condition, node, pod};

async fn read(bed: &Bed, path: &str) -> Option<Value> {
    let answer = bed.objects.get_raw(&ClusterName::root(), path).await.ok()?;
    Some(serde_json::from_slice(&answer).unwrap())
}

/// Reads until it answers as `condition` wants; what is stated is taken in when its watch tells.
async fn until(bed: &Bed, path: &str, of: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let is_it = |answer: &Option<Value>| answer.as_ref().is_some_and(&condition);
    for _ in 0..500 {
        let answer = read(bed, path).await;
        if is_it(&answer) {
            return answer.unwrap();
        }
        // Any write gives the watches another turn.
        bed.merge("pods", of, json!({ "metadata": { "labels": { "turn": "on" } } })).await;
        tokio::task::yield_now().await;
    }
    panic!("{path} answers {:#?}", read(bed, path).await)
}

async fn runs(bed: &Bed, name: &str, annotations: Value) {
    let mut body = pod(name, "fake", &annotations);
    body["metadata"]["labels"] = json!({ "app": name });
    bed.create(body).await;
    bed.until_one("it runs", "pods", name, |pod| pod["status"]["phase"] == "Running").await;
}

const PODS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods";

fn usage(pods: &Value, name: &str) -> Value {
    let items = pods["items"].as_array().into_iter().flatten();
    items.clone().find(|item| item["metadata"]["name"] == *name).map_or(Value::Null, |item| item["containers"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_top_shows_nodes_and_pods() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "real" } })).await;
        bed.create(pod("elsewhere", "real", &json!({}))).await;
        let stated = json!({ "kwok.x-k8s.io/usage-cpu": "250m", "kwok.x-k8s.io/usage-memory": "64Mi" });
        runs(bed, "web", stated).await;
        runs(bed, "api", json!({})).await;
        until(bed, PODS, "web", |pods| pods["items"].as_array().unwrap().len() == 2).await;
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let words = |text: String| -> Vec<Vec<String>> {
            text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
        };
        let pods = words(kubectl.ok(&["top", "pods"]).await.unwrap());
        assert_eq!(pods[1..], [["api", "1m", "1Mi"], ["web", "250m", "64Mi"]]);
        let selected = words(kubectl.ok(&["top", "pods", "-l", "app=web", "--containers"]).await.unwrap());
        assert_eq!(selected[1..], [["web", "main", "250m", "64Mi"]]);
        let nodes = words(kubectl.ok(&["top", "nodes", "fake"]).await.unwrap());
        assert_eq!(nodes[1][..4], ["fake", "251m", "0%", "65Mi"]);
        let refused = kubectl.fails(&["top", "pod", "elsewhere"]).await.unwrap();
        assert!(refused.contains("\"elsewhere\" not found"), "{refused}");
        let all = kubectl.ok(&["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes/fake"]).await.unwrap();
        assert!(all.contains("\"NodeMetrics\""), "{all}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usages_state_what_containers_use() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        runs(bed, "web", json!({ "kwok.x-k8s.io/usage-cpu": "250m" })).await;
        let is = |name: &'static str, expect: Value| {
            move |pods: &Value| usage(pods, name) == json!([{ "name": "main", "usage": expect }])
        };
        until(bed, PODS, "web", is("web", json!({ "cpu": "250m", "memory": "1Mi" }))).await;
        let kind = |kind: &str, name: &str, spec: Value| {
            let mut metadata = json!({ "name": name });
            if kind == "ResourceUsage" {
                metadata["namespace"] = json!("default");
            }
            json!({ "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec })
        };
        // One for all pods, then one for this pod, which comes first.
        let spec = json!({ "usages": [{ "usage": { "cpu": { "value": "1" }, "memory": { "value": "2Gi" } } }] });
        bed.create(kind("ClusterResourceUsage", "all", spec)).await;
        until(bed, PODS, "web", is("web", json!({ "cpu": "1", "memory": "2Gi" }))).await;
        let spec = json!({ "usages": [{ "containers": ["main"], "usage": { "cpu": { "value": "300m" } } }] });
        bed.create(kind("ResourceUsage", "web", spec)).await;
        until(bed, PODS, "web", is("web", json!({ "cpu": "300m", "memory": "2Gi" }))).await;
        // What is not understood is told and not obeyed.
        let spec = json!({ "usages": [{ "usage": { "cpu": { "expression": "pod.Usage(\"cpu\")" } } }] });
        bed.merge("clusterresourceusages", "all", json!({ "spec": spec })).await;
        let told = |usage: &Value| condition(usage, "Accepted")["reason"] == "NotSupported";
        bed.until_one("it is refused", "clusterresourceusages", "all", told).await;
        until(bed, PODS, "web", is("web", json!({ "cpu": "300m", "memory": "1Mi" }))).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn custom_and_external_metrics_are_as_stated() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        runs(bed, "web", json!({})).await;
        runs(bed, "api", json!({})).await;
        let metric = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "CustomMetric", "metadata": { "name": "pods" },
            "spec": { "resourceRef": { "kind": "Pod" }, "metrics": [{ "name": "requests", "value": "5" }] },
        });
        bed.create(metric).await;
        let root = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default";
        let both = |answer: &Value| answer["items"].as_array().is_some_and(|items| items.len() == 2);
        let found = until(bed, &format!("{root}/pods/*/requests"), "web", both).await;
        assert_eq!(found["items"][0]["describedObject"]["name"], "api");
        assert_eq!(found["items"][0]["value"], "5");
        let selected = read(bed, &format!("{root}/pods/*/requests?labelSelector=app%3Dweb")).await.unwrap();
        assert_eq!(selected["items"].as_array().unwrap().len(), 1);
        assert!(read(bed, &format!("{root}/pods/*/errors")).await.is_none());
        let listed = read(bed, "/apis/custom.metrics.k8s.io/v1beta2").await.unwrap();
        assert_eq!(listed["resources"][0]["name"], "pods/requests");
        let metric = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ExternalMetric",
            "metadata": { "name": "queue", "namespace": "default" },
            "spec": { "metrics": [{ "labels": { "shard": "a" }, "value": 3 }, { "labels": { "shard": "b" }, "value": "4" }] },
        });
        bed.create(metric).await;
        let path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue";
        until(bed, path, "web", both).await;
        let one = read(bed, &format!("{path}?labelSelector=shard%3Db")).await.unwrap();
        assert_eq!(one["items"][0]["value"], "4");
        assert_eq!(one["items"][0]["metricLabels"], json!({ "shard": "b" }));
    })
    .await;
}
