//! Replica sets, from their creation to their end.

use serde_json::{Value, json};

use crate::bed::{on_both, template};

fn set(name: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "replicas": replicas, "selector": { "matchLabels": { "app": name } }, "template": template(name) },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_set_has_as_many_pods_as_it_asks_for() {
    on_both(async |bed| {
        bed.create(set("web", 3)).await;
        let counts = |replicas: i64| {
            move |set: &Value| {
                set["status"]["availableReplicas"].as_i64().unwrap_or(0) == replicas
                    && set["status"]["replicas"] == replicas
            }
        };
        bed.until_one("three are available", "replicasets", "web", counts(3)).await;
        assert!(bed.until_event("web", "SuccessfulCreate").await.starts_with("Created pod: web-"));
        bed.merge("replicasets", "web", json!({ "spec": { "replicas": 5 } })).await;
        bed.until_one("five are available", "replicasets", "web", counts(5)).await;
        assert_eq!(bed.list("pods").await.len(), 5);
        bed.merge("replicasets", "web", json!({ "spec": { "replicas": 1 } })).await;
        let found = bed.until_one("one is left", "replicasets", "web", counts(1)).await;
        assert_eq!(found["status"]["observedGeneration"], 3);
        let left = bed.list("pods").await;
        assert_eq!(left.len(), 1);
        // What is deleted comes back under another name.
        let gone = left[0]["metadata"]["name"].as_str().unwrap();
        bed.delete("pods", gone).await;
        bed.until("another is there", "pods", |pods| pods.len() == 1 && pods[0]["metadata"]["name"] != *gone).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_are_adopted_and_strangers_released() {
    on_both(async |bed| {
        let mut orphan = template("web");
        orphan["apiVersion"] = json!("v1");
        orphan["kind"] = json!("Pod");
        orphan["metadata"]["name"] = json!("orphan");
        orphan["metadata"]["namespace"] = json!("default");
        bed.create(orphan).await;
        bed.create(set("web", 2)).await;
        let owner = |pod: &Value| pod["metadata"]["ownerReferences"][0]["name"].clone();
        bed.until_one("the orphan is adopted", "pods", "orphan", |pod| owner(pod) == "web").await;
        bed.until("there are two", "pods", |pods| pods.len() == 2).await;
        bed.merge("pods", "orphan", json!({ "metadata": { "labels": { "app": "other" } } })).await;
        bed.until_one("it is released", "pods", "orphan", |pod| owner(pod).is_null()).await;
        bed.until("another takes its place", "pods", |pods| pods.len() == 3).await;
    })
    .await;
}
