//! Horizontal pod autoscalers over simulated pods: what is stated of the pods
//! moves the targets.

use serde_json::{Value, json};
use testkit::Kubectl;

use crate::bed::{Bed, on_both_simulated, template};
use crate::simulated::{condition, node};

/// A deployment of pods that request 100m and use what their annotation says.
async fn deployment(bed: &Bed, name: &str, replicas: i64, cpu: &str) {
    let mut template = template(name);
    template["metadata"]["annotations"] = json!({ "kwok.x-k8s.io/usage-cpu": cpu });
    template["spec"]["nodeName"] = json!("fake");
    template["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "100m", "memory": "1Mi" } });
    let labels = json!({ "app": name });
    let body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "default" },
        "spec": { "replicas": replicas, "selector": { "matchLabels": labels }, "template": template },
    });
    bed.create(body).await;
    bed.until_one("it is available", "deployments", name, |it| it["status"]["availableReplicas"] == replicas).await;
}

fn autoscaler(target: &Value, metrics: &Value, behavior: &Value) -> Value {
    let spec = json!({
        "scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 10, "metrics": metrics, "behavior": behavior,
    });
    let metadata = json!({ "name": "web", "namespace": "default" });
    json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec })
}

fn web() -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" })
}

/// No holding back in either direction, and no limit to a step.
fn at_once() -> Value {
    let any = json!([{ "type": "Pods", "value": 100, "periodSeconds": 15 }]);
    json!({ "scaleUp": { "policies": any }, "scaleDown": { "stabilizationWindowSeconds": 0 } })
}

fn stated(kind: &str, name: &str, spec: Value) -> Value {
    let mut metadata = json!({ "name": name });
    if kind == "ExternalMetric" {
        metadata["namespace"] = json!("default");
    }
    json!({ "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec })
}

const AUTOSCALERS: &str = "horizontalpodautoscalers";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_follow_processors_up_and_down() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        deployment(bed, "web", 2, "50m").await;
        let metric = json!({ "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 } });
        let metrics = json!([{ "type": "Resource", "resource": metric }]);
        bed.create(autoscaler(&web(), &metrics, &at_once())).await;
        let settled = |it: &Value| condition(it, "ScalingActive")["status"] == "True";
        let held = bed.until_one("it is looked at", AUTOSCALERS, "web", settled).await;
        assert_eq!(held["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"], 50);
        assert_eq!(held["status"]["currentMetrics"][0]["resource"]["current"]["averageValue"], "50m");
        assert_eq!((&held["status"]["currentReplicas"], &held["status"]["desiredReplicas"]), (&json!(2), &json!(2)));
        assert_eq!(condition(&held, "AbleToScale")["reason"], "ReadyForNewScale");
        assert_eq!(condition(&held, "ScalingLimited")["reason"], "DesiredWithinRange");
        assert_eq!(
            condition(&held, "ScalingActive")["message"],
            "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of \
             request)"
        );
        // More is used: at once there are more.
        let usage = |cpu: &str| json!({ "usages": [{ "usage": { "cpu": { "value": cpu } } }] });
        bed.create(stated("ClusterResourceUsage", "all", usage("100m"))).await;
        bed.until_one("it grows", "deployments", "web", |it| it["status"]["availableReplicas"] == 4).await;
        let message = bed.until_event("web", "SuccessfulRescale").await;
        assert!(
            message.ends_with("reason: cpu resource utilization (percentage of request) above target"),
            "{message}"
        );
        // Nothing is used: at once there are fewer.
        bed.merge("clusterresourceusages", "all", json!({ "spec": usage("1m") })).await;
        bed.until_one("it shrinks", "deployments", "web", |it| it["spec"]["replicas"] == 1).await;
        let scaled = |it: &Value| it["status"]["desiredReplicas"] == 1;
        let held = bed.until_one("it says so", AUTOSCALERS, "web", scaled).await;
        assert!(held["status"]["lastScaleTime"].is_string());
        // The annotation of a pod is an event as well.
        bed.delete("clusterresourceusages", "all").await;
        let pods = bed.until("one is left", "pods", |pods| pods.len() == 1).await;
        let name = pods[0]["metadata"]["name"].as_str().unwrap();
        let annotations = json!({ "kwok.x-k8s.io/usage-cpu": "150m" });
        bed.merge("pods", name, json!({ "metadata": { "annotations": annotations } })).await;
        bed.until_one("it grows", "deployments", "web", |it| it["spec"]["replicas"] == 3).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scale_down_is_held_back_by_default() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        deployment(bed, "web", 3, "1m").await;
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        kubectl.ok(&["autoscale", "deployment", "web", "--min=1", "--max=5", "--cpu=50%"]).await.unwrap();
        let stabilised = |it: &Value| condition(it, "AbleToScale")["reason"] == "ScaleDownStabilized";
        let held = bed.until_one("it is held back", AUTOSCALERS, "web", stabilised).await;
        assert_eq!(held["status"]["desiredReplicas"], 3);
        assert_eq!(held["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"], 1);
        let shown = kubectl.ok(&["get", "hpa", "web"]).await.unwrap();
        assert!(shown.contains("cpu: 1%/50%"), "{shown}");
        let told = kubectl.ok(&["describe", "hpa", "web"]).await.unwrap();
        assert!(told.contains("recent recommendations were higher than current one"), "{told}");
        // Out of bounds is put right whatever the metrics say.
        bed.merge(AUTOSCALERS, "web", json!({ "spec": { "maxReplicas": 2 } })).await;
        bed.until_one("it is cut", "deployments", "web", |it| it["spec"]["replicas"] == 2).await;
        let message = bed.until_event("web", "SuccessfulRescale").await;
        assert_eq!(message, "New size: 2; reason: Current number of replicas above Spec.MaxReplicas");
        // Off is off.
        kubectl.ok(&["scale", "deployment", "web", "--replicas=0"]).await.unwrap();
        bed.merge(AUTOSCALERS, "web", json!({ "spec": { "maxReplicas": 4 } })).await;
        let off = |it: &Value| condition(it, "ScalingActive")["reason"] == "ScalingDisabled";
        bed.until_one("it is off", AUTOSCALERS, "web", off).await;
        assert_eq!(bed.get("deployments", "web").await.unwrap()["spec"]["replicas"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_follow_every_kind_of_metric() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        deployment(bed, "web", 2, "10m").await;
        let custom = |kind: &str, name: &str, value: &str| {
            let metrics = json!([{ "name": name, "value": value }]);
            stated("CustomMetric", &kind.to_lowercase(), json!({ "resourceRef": { "kind": kind }, "metrics": metrics }))
        };
        bed.create(custom("Pod", "requests", "10")).await;
        bed.create(custom("Service", "load", "10")).await;
        bed.create(stated("ExternalMetric", "queue", json!({ "metrics": [{ "value": "20" }] }))).await;
        let average = |value: &str| json!({ "type": "AverageValue", "averageValue": value });
        let of = |name: &str, target: Value| json!({ "metric": { "name": name }, "target": target });
        let mut object = of("load", json!({ "type": "Value", "value": "10" }));
        object["describedObject"] = json!({ "apiVersion": "v1", "kind": "Service", "name": "web" });
        let metrics = json!([
            { "type": "Resource", "resource": { "name": "memory", "target": average("1Mi") } },
            { "type": "ContainerResource", "containerResource": {
                "name": "cpu", "container": "main", "target": { "type": "Utilization", "averageUtilization": 10 },
            } },
            { "type": "Pods", "pods": of("requests", average("10")) },
            { "type": "Object", "object": object },
            { "type": "External", "external": of("queue", average("10")) },
        ]);
        bed.create(autoscaler(&web(), &metrics, &at_once())).await;
        let known = |it: &Value| {
            let held = it["status"]["currentMetrics"].as_array();
            held.is_some_and(|held| held.len() == 5 && held.iter().all(|one| one["type"] != ""))
        };
        let held = bed.until_one("all are known", AUTOSCALERS, "web", known).await;
        let current = &held["status"]["currentMetrics"];
        assert_eq!(current[0]["resource"]["current"]["averageValue"], "1048576");
        assert_eq!(current[1]["containerResource"]["current"]["averageUtilization"], 10);
        assert_eq!(current[1]["containerResource"]["container"], "main");
        assert_eq!(current[2]["pods"]["current"]["averageValue"], "10");
        assert_eq!(current[3]["object"]["current"]["value"], "10");
        assert_eq!(current[3]["object"]["describedObject"]["name"], "web");
        assert_eq!(current[4]["external"]["current"]["averageValue"], "10");
        // Each alone moves the target.
        let replicas = async |count: i64| {
            bed.until_one("it follows", "deployments", "web", |it| it["status"]["availableReplicas"] == count).await;
        };
        let value = |value: &str, name: &str| json!({ "spec": { "metrics": [{ "name": name, "value": value }] } });
        bed.merge("externalmetrics", "queue", json!({ "spec": { "metrics": [{ "value": "30" }] } })).await;
        replicas(3).await;
        bed.merge("custommetrics", "pod", value("20", "requests")).await;
        replicas(6).await;
        bed.merge("custommetrics", "pod", value("1", "requests")).await;
        bed.merge("custommetrics", "service", value("15", "load")).await;
        bed.until_one("it follows", "deployments", "web", |it| it["spec"]["replicas"].as_i64() > Some(6)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unknown_is_told() {
    on_both_simulated(Value::Null, async |bed| {
        let cpu = json!({ "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 } });
        let metrics = json!([{ "type": "Resource", "resource": cpu }]);
        bed.create(autoscaler(&web(), &metrics, &Value::Null)).await;
        let failed = |it: &Value| condition(it, "AbleToScale")["reason"] == "FailedGetScale";
        let held = bed.until_one("there is no target", AUTOSCALERS, "web", failed).await;
        assert_eq!(
            condition(&held, "AbleToScale")["message"],
            "the HPA controller was unable to get the target's current scale: deployments.apps \"web\" not found"
        );
        assert_eq!(bed.until_event("web", "FailedGetScale").await, "deployments.apps \"web\" not found");
        // A target whose pods nobody measures.
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "fake" } })).await;
        let mut template = template("web");
        template["spec"]["nodeName"] = json!("fake");
        let set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": { "name": "web", "namespace": "default" },
            "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "web" } }, "template": template },
        });
        bed.create(set).await;
        bed.until("its pod is there", "pods", |pods| pods.len() == 1).await;
        bed.until_one("it is counted", "replicasets", "web", |it| it["status"]["replicas"] == 1).await;
        let target = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web" });
        bed.merge(AUTOSCALERS, "web", json!({ "spec": { "scaleTargetRef": target } })).await;
        let failed = |it: &Value| condition(it, "ScalingActive")["reason"] == "FailedGetResourceMetric";
        let held = bed.until_one("there are no metrics", AUTOSCALERS, "web", failed).await;
        let why = "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from \
                   resource metrics API";
        assert_eq!(
            condition(&held, "ScalingActive")["message"],
            format!("the HPA was unable to compute the replica count: {why}")
        );
        assert_eq!(bed.until_event("web", "FailedGetResourceMetric").await, why);
        assert_eq!(
            bed.until_event("web", "FailedComputeMetricsReplicas").await,
            format!(
                "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {why}"
            )
        );
        assert_eq!(held["status"]["currentReplicas"], 1);
        // A kind that there is not.
        let target = json!({ "apiVersion": "example.com/v1", "kind": "Nothing", "name": "web" });
        bed.merge(AUTOSCALERS, "web", json!({ "spec": { "scaleTargetRef": target } })).await;
        let failed = |it: &Value| {
            let message = condition(it, "AbleToScale")["message"].as_str().unwrap_or_default();
            message.ends_with("no matches for kind \"Nothing\" in group \"example.com\"")
        };
        bed.until_one("there is no such kind", AUTOSCALERS, "web", failed).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_autoscalers_do_not_share_pods() {
    on_both_simulated(Value::Null, async |bed| {
        node(bed, "fake").await;
        deployment(bed, "web", 1, "50m").await;
        let cpu = json!({ "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 } });
        let metrics = json!([{ "type": "Resource", "resource": cpu }]);
        bed.create(autoscaler(&web(), &metrics, &Value::Null)).await;
        let settled = |it: &Value| condition(it, "ScalingActive")["status"] == "True";
        bed.until_one("the first scales", AUTOSCALERS, "web", settled).await;
        let mut second = autoscaler(&web(), &metrics, &Value::Null);
        second["metadata"]["name"] = json!("second");
        bed.create(second).await;
        let told = |it: &Value| condition(it, "ScalingActive")["reason"] == "AmbiguousSelector";
        let second = bed.until_one("the second does not", AUTOSCALERS, "second", told).await;
        let why = "pods by selector app=web are controlled by multiple HPAs: [default/second default/web]";
        assert_eq!(condition(&second, "ScalingActive")["message"], why);
        assert_eq!(bed.until_event("second", "AmbiguousSelector").await, why);
    })
    .await;
}

/// A kind of a user's own with replicas under other names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_kind_with_a_scale_is_scaled() {
    on_both_simulated(Value::Null, async |bed| {
        let scale = json!({ "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size" });
        let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let version = json!({
            "name": "v1", "served": true, "storage": true, "subresources": { "status": {}, "scale": scale },
            "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": open, "status": open } } },
        });
        let names = json!({ "plural": "fleets", "singular": "fleet", "kind": "Fleet" });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "fleets.example.com" },
            "spec": { "group": "example.com", "scope": "Namespaced", "names": names, "versions": [version] },
        });
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        kubectl.ok_with(&["apply", "-f", "-"], &definition.to_string()).await.unwrap();
        kubectl.ok(&["wait", "--for=condition=Established", "crd/fleets.example.com"]).await.unwrap();
        let fleet = json!({
            "apiVersion": "example.com/v1", "kind": "Fleet",
            "metadata": { "name": "web", "namespace": "default" }, "spec": { "size": 12 },
        });
        kubectl.ok_with(&["apply", "-f", "-"], &fleet.to_string()).await.unwrap();
        let target = json!({ "apiVersion": "example.com/v1", "kind": "Fleet", "name": "web" });
        bed.create(autoscaler(&target, &Value::Null, &Value::Null)).await;
        let message = bed.until_event("web", "SuccessfulRescale").await;
        assert_eq!(message, "New size: 10; reason: Current number of replicas above Spec.MaxReplicas");
        assert_eq!(kubectl.ok(&["get", "fleet", "web", "-o", "jsonpath={.spec.size}"]).await.unwrap(), "10");
    })
    .await;
}
