//! Replica sets, from their creation to their end.

use futures::StreamExt;
use serde_json::{Value, json};
use testkit::Platform;

use crate::bed::{on_both, target, template};

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
        // Of too many pods one that runs is kept, should the set see its own before the orphan.
        bed.until_one("the orphan runs", "pods", "orphan", |pod| pod["status"]["phase"] == "Running").await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lists_the_capability_runs_it() {
    let platform = Platform::start(vec![Box::new(workloads::capability())]).await.unwrap();
    let body = set("web", 1).to_string().into();
    platform.objects.create(&target("replicasets"), body, client::WriteOptions::default()).await.unwrap();
    let options = client::WatchOptions { send_initial_events: true, ..client::WatchOptions::default() };
    let mut pods = platform.objects.watch(&target("pods"), options).await.unwrap();
    while !matches!(pods.next().await.unwrap().unwrap(), client::Event::Added(pod) if pod.meta.name.starts_with("web-"))
    {
    }
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controllers_that_are_killed_go_on_where_they_stood() {
    on_both(async |bed| {
        let done = |replicas: i64| move |set: &Value| set["status"]["availableReplicas"] == replicas;
        // Every write of theirs is once the last one of which they hear.
        let mut replicas = 3;
        for writes in 0.. {
            bed.faults.freeze_after(writes);
            if writes == 0 {
                bed.create(set("web", replicas)).await;
            } else {
                replicas = if replicas == 3 { 6 } else { 3 };
                bed.merge("replicasets", "web", json!({ "spec": { "replicas": replicas } })).await;
            }
            let came_through = tokio::select! {
                () = bed.faults.frozen() => false,
                _ = bed.until_one("it is scaled", "replicasets", "web", done(replicas)) => true,
            };
            bed.restart().await;
            bed.until_one("it is scaled", "replicasets", "web", done(replicas)).await;
            assert_eq!(bed.list("pods").await.len(), usize::try_from(replicas).unwrap());
            if came_through {
                return;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replication_controller_is_one_under_an_older_name() {
    on_both(async |bed| {
        let mut web = set("web", 2);
        web["apiVersion"] = json!("v1");
        web["kind"] = json!("ReplicationController");
        web["spec"]["selector"] = json!({ "app": "web" });
        bed.create(web).await;
        let serves = |web: &Value| web["status"]["availableReplicas"] == 2;
        let found = bed.until_one("two are available", "replicationcontrollers", "web", serves).await;
        let expect = json!({
            "replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1,
        });
        assert_eq!(found["status"], expect);
        let pods = bed.list("pods").await;
        let owner = &pods[0]["metadata"]["ownerReferences"][0];
        assert_eq!((&owner["apiVersion"], &owner["kind"]), (&json!("v1"), &json!("ReplicationController")));
        let kubectl = testkit::Kubectl::new(&bed.platform).unwrap();
        kubectl.ok(&["scale", "rc", "web", "--replicas=1"]).await.unwrap();
        bed.until("one is left", "pods", |pods| pods.len() == 1).await;
        let message = bed.until_event("web", "SuccessfulDelete").await;
        assert!(message.starts_with("Deleted pod: web-"), "{message}");
    })
    .await;
}
