//! Deployments as they roll out, scale, pause and end.

use client::{DeleteOptions, Propagation};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both, target, template};

/// A deployment of so many pods.
pub fn deployment(name: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "replicas": replicas, "selector": { "matchLabels": { "app": name } }, "template": template(name) },
    })
}

/// A change of the template's image.
pub fn image(image: &str) -> Value {
    json!({ "spec": { "template": { "spec": { "containers": [{ "name": "main", "image": image }] } } } })
}

/// Whether the rollout of the newest template is over.
pub fn is_complete(deployment: &Value) -> bool {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let wanted = spec["replicas"].as_i64().unwrap();
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && ["updatedReplicas", "replicas", "availableReplicas"].iter().all(|field| count(field) == wanted)
        && condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"
}

/// A condition without its times.
pub fn condition(object: &Value, kind: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let held = conditions.into_iter().flatten().find(|condition| condition["type"] == kind).cloned();
    let mut held = held.unwrap_or(Value::Null);
    if let Some(fields) = held.as_object_mut() {
        fields.retain(|field, _| !field.ends_with("Time"));
    }
    held
}

fn is_because(kind: &str, reason: &str) -> impl Fn(&Value) -> bool {
    move |object| condition(object, kind)["reason"] == *reason
}

/// How many replicas each set asks for, in the order of their revisions.
pub fn sizes(sets: &[Value]) -> Vec<i64> {
    let mut sized: Vec<(i64, i64)> = sets.iter().map(|set| (revision(set), size(set))).collect();
    sized.sort_unstable();
    sized.into_iter().map(|(_, size)| size).collect()
}

fn size(set: &Value) -> i64 {
    set["spec"]["replicas"].as_i64().unwrap()
}

fn revision(object: &Value) -> i64 {
    let revision = object["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str();
    revision.map_or(0, |revision| revision.parse().unwrap())
}

pub fn rolling(surge: Value, unavailable: Value) -> Value {
    json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": surge, "maxUnavailable": unavailable } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_rolls_out_bit_by_bit() {
    on_both(async |bed| {
        let mut web = deployment("web", 4);
        web["spec"]["strategy"] = rolling(json!(1), json!("25%"));
        web["metadata"]["annotations"] = json!({ "team": "blue" });
        bed.create(web).await;
        let made = bed.until_one("it is out", "deployments", "web", is_complete).await;
        assert_eq!(revision(&made), 1);
        let first = bed.list("replicasets").await.remove(0);
        let name = first["metadata"]["name"].as_str().unwrap();
        let hash = name.strip_prefix("web-").unwrap();
        assert_eq!(first["metadata"]["labels"], json!({ "app": "web", "pod-template-hash": hash }));
        assert_eq!(first["spec"]["selector"]["matchLabels"], first["metadata"]["labels"]);
        assert_eq!(
            first["metadata"]["annotations"],
            json!({
                "deployment.kubernetes.io/desired-replicas": "4", "deployment.kubernetes.io/max-replicas": "5",
                "deployment.kubernetes.io/revision": "1", "team": "blue",
            })
        );
        let said = bed.until_event("web", "ScalingReplicaSet").await;
        assert_eq!(said, format!("Scaled up replica set {name} from 0 to 4"));

        let options = client::WatchOptions::default();
        let mut changes = bed.objects.watch(&target("replicasets"), options).await.unwrap();
        bed.merge("deployments", "web", image("example/web:2")).await;
        let done = |web: &Value| is_complete(web) && revision(web) == 2;
        let mut done = bed.until_one("the second is out", "deployments", "web", done).await;
        let conditions = done["status"].as_object_mut().unwrap().remove("conditions").unwrap();
        assert_eq!(
            done["status"],
            json!({
                "observedGeneration": 2, "replicas": 4, "updatedReplicas": 4, "readyReplicas": 4,
                "availableReplicas": 4, "terminatingReplicas": 0,
            })
        );
        done["status"]["conditions"] = conditions;
        let sets = bed.list("replicasets").await;
        assert_eq!(sizes(&sets), [0, 4]);
        let second = sets.iter().find(|set| revision(set) == 2).unwrap()["metadata"]["name"].as_str().unwrap();
        assert_eq!(
            condition(&done, "Progressing"),
            json!({
                "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                "message": format!("ReplicaSet \"{second}\" has successfully progressed."),
            })
        );
        assert_eq!(
            condition(&done, "Available"),
            json!({
                "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
            })
        );
        // At no time were there more, or fewer, than was allowed.
        let mut held = std::collections::BTreeMap::new();
        while let Some(Some(Ok(event))) = changes.next().now_or_never() {
            let (client::Event::Added(set) | client::Event::Modified(set)) = event else { continue };
            held.insert(set.meta.name.clone(), size(&set.value().unwrap()));
            let asked: i64 = held.values().sum();
            assert!((3..=5).contains(&asked), "{held:?}");
        }
        assert_eq!(held.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recreating_waits_for_the_last_old_pod() {
    on_both(async |bed| {
        // Pods on a node take their time to end, and here nobody ends them but the test.
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" } })).await;
        let mut web = deployment("web", 2);
        web["spec"]["strategy"] = json!({ "type": "Recreate" });
        web["spec"]["template"]["spec"]["nodeName"] = json!("n1");
        bed.create(web).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        bed.merge("deployments", "web", image("example/web:2")).await;
        let ends = |web: &Value| web["status"]["terminatingReplicas"] == 2 && web["status"]["replicas"].is_null();
        let waiting = bed.until_one("all old pods end", "deployments", "web", ends).await;
        assert_eq!(condition(&waiting, "Available")["reason"], "MinimumReplicasUnavailable");
        let pods = bed.list("pods").await;
        assert_eq!(pods.len(), 2);
        let end = async |pod: &Value| {
            let options = DeleteOptions { grace_period_secs: Some(0), ..DeleteOptions::default() };
            bed.delete_with("pods", pod["metadata"]["name"].as_str().unwrap(), options).await;
        };
        end(&pods[0]).await;
        let one_ends = |web: &Value| web["status"]["terminatingReplicas"] == 1;
        bed.until_one("one has ended", "deployments", "web", one_ends).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [0]);
        end(&pods[1]).await;
        bed.until_one("the new ones are out", "deployments", "web", is_complete).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [0, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_revisions_are_kept() {
    on_both(async |bed| {
        let mut web = deployment("web", 1);
        web["spec"]["revisionHistoryLimit"] = json!(1);
        bed.create(web).await;
        for release in 1..5 {
            bed.merge("deployments", "web", image(&format!("example/web:r{release}"))).await;
            let is_out = |web: &Value| is_complete(web) && revision(web) >= release;
            bed.until_one("it is out", "deployments", "web", is_out).await;
        }
        let kept = bed.until("the oldest are gone", "replicasets", |sets| sets.len() == 2).await;
        let last = bed.get("deployments", "web").await.unwrap();
        assert_eq!(kept.iter().map(revision).max().unwrap(), revision(&last));
        assert_eq!(sizes(&kept), [0, 1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_deployment_scales_but_does_not_roll() {
    on_both(async |bed| {
        bed.create(deployment("web", 2)).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        bed.merge("deployments", "web", json!({ "spec": { "paused": true } })).await;
        let paused =
            bed.until_one("it pauses", "deployments", "web", is_because("Progressing", "DeploymentPaused")).await;
        let expect = json!({
            "type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused", "message": "Deployment is paused",
        });
        assert_eq!(condition(&paused, "Progressing"), expect);
        bed.merge("deployments", "web", image("example/web:2")).await;
        bed.merge("deployments", "web", json!({ "spec": { "replicas": 3 } })).await;
        let scaled = |web: &Value| web["status"]["availableReplicas"] == 3 && web["status"]["observedGeneration"] == 4;
        let held = bed.until_one("it is scaled", "deployments", "web", scaled).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [3]);
        assert_eq!(held["status"]["updatedReplicas"], Value::Null);
        bed.merge("deployments", "web", json!({ "spec": { "paused": false } })).await;
        bed.until_one("it goes on", "deployments", "web", is_complete).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [0, 3]);
    })
    .await;
}

/// A rollout that is stuck half-way: ten pods, of which eight are old, and five new ones that
/// never become ready.
async fn stuck(bed: &Bed) {
    let mut web = deployment("web", 10);
    web["spec"]["strategy"] = rolling(json!(3), json!(2));
    bed.create(web).await;
    bed.until_one("it is out", "deployments", "web", is_complete).await;
    let never = json!({ "metadata": { "annotations": { "test/then": "Running" } } });
    bed.merge("deployments", "web", json!({ "spec": { "template": never } })).await;
    let half = |web: &Value| web["status"]["updatedReplicas"] == 5 && web["status"]["availableReplicas"] == 8;
    bed.until_one("it is stuck", "deployments", "web", half).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_a_rollout_each_replica_set_gets_its_share() {
    on_both(async |bed| {
        stuck(bed).await;
        bed.merge("deployments", "web", json!({ "spec": { "replicas": 15 } })).await;
        bed.until("both grow", "replicasets", |sets| sizes(sets) == [11, 7]).await;
        bed.merge("deployments", "web", json!({ "spec": { "replicas": 0 } })).await;
        bed.until("all go", "replicasets", |sets| sizes(sets) == [0, 0]).await;
        bed.until("no pod is left", "pods", <[Value]>::is_empty).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ready_counts_as_available_a_while_later() {
    on_both(async |bed| {
        let mut web = deployment("web", 1);
        web["spec"]["minReadySeconds"] = json!(1);
        bed.create(web).await;
        let fresh = |web: &Value| web["status"]["readyReplicas"] == 1 && web["status"]["availableReplicas"].is_null();
        let fresh = bed.until_one("it is ready", "deployments", "web", fresh).await;
        assert_eq!(condition(&fresh, "Available")["reason"], "MinimumReplicasUnavailable");
        bed.until_one("it is available", "deployments", "web", is_complete).await;
        // A longer wait reaches the replica set too.
        bed.merge("deployments", "web", json!({ "spec": { "minReadySeconds": 0 } })).await;
        bed.until("it is told", "replicasets", |sets| sets[0]["spec"]["minReadySeconds"].is_null()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_is_a_collision() {
    on_both(async |bed| {
        bed.create(deployment("web", 1)).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        let name = bed.list("replicasets").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
        bed.delete("deployments", "web").await;
        // Controllers that have not heard of its end yet would make its set once more.
        bed.restart().await;
        bed.delete("replicasets", &name).await;
        let mut stranger = deployment(&name, 0);
        stranger["kind"] = json!("ReplicaSet");
        bed.create(stranger).await;
        bed.create(deployment("web", 1)).await;
        let done = bed.until_one("it is out", "deployments", "web", is_complete).await;
        assert_eq!(done["status"]["collisionCount"], 1);
        assert_eq!(bed.list("replicasets").await.len(), 2);
    })
    .await;
}

/// Deletes a deployment, as the garbage collector helps to: sets lose their owner, or go first.
async fn collect(bed: &Bed, propagation: Propagation) {
    let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
    bed.delete_with("deployments", "web", options).await;
    let going = bed.get("deployments", "web").await.unwrap();
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    let before = sizes(&bed.list("replicasets").await);
    // Pods that end meanwhile are replaced by their sets, but nothing is rolled on.
    let seen = |web: &Value| web["status"]["observedGeneration"] == web["metadata"]["generation"];
    bed.until_one("it is seen to go", "deployments", "web", seen).await;
    assert_eq!(sizes(&bed.list("replicasets").await), before);
    for set in bed.list("replicasets").await {
        let name = set["metadata"]["name"].as_str().unwrap();
        match propagation {
            Propagation::Orphan => {
                bed.merge("replicasets", name, json!({ "metadata": { "ownerReferences": null } })).await;
            }
            _ => bed.delete("replicasets", name).await,
        }
    }
    bed.merge("deployments", "web", json!({ "metadata": { "finalizers": null } })).await;
    assert!(bed.get("deployments", "web").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_of_a_rollout_are_adopted_by_the_next_deployment() {
    on_both(async |bed| {
        stuck(bed).await;
        collect(bed, Propagation::Orphan).await;
        assert_eq!(sizes(&bed.list("replicasets").await), [8, 5]);
        let mut again = deployment("web", 10);
        again["spec"]["strategy"] = rolling(json!(3), json!(2));
        bed.create(again).await;
        bed.until_one("the first template is back", "deployments", "web", is_complete).await;
        let sets = bed.list("replicasets").await;
        assert_eq!(sizes(&sets), [0, 10]);
        let owners = |set: &Value| set["metadata"]["ownerReferences"][0]["name"] == "web";
        assert!(sets.iter().all(owners));
        let first = sets.iter().find(|set| revision(set) == 3).unwrap();
        assert_eq!(first["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"], "1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_goes_in_the_foreground_makes_nothing_more() {
    on_both(async |bed| {
        stuck(bed).await;
        collect(bed, Propagation::Foreground).await;
        assert_eq!(bed.list("replicasets").await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_set_that_matches_no_more_is_released() {
    on_both(async |bed| {
        bed.create(deployment("web", 1)).await;
        bed.until_one("it is out", "deployments", "web", is_complete).await;
        let name = bed.list("replicasets").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
        bed.merge("replicasets", &name, json!({ "metadata": { "labels": { "app": "other" } } })).await;
        let free = |set: &Value| set["metadata"]["ownerReferences"].is_null();
        bed.until_one("it is released", "replicasets", &name, free).await;
        bed.until("another is there", "replicasets", |sets| sets.len() == 2).await;
        bed.until_one("it is out again", "deployments", "web", is_complete).await;
    })
    .await;
}
