//! Stateful sets that come to new templates and back.

use serde_json::{Value, json};

use super::{broken, reports, set};
use crate::bed::{Bed, on_both, template};

/// Sets the image of the template.
pub async fn update(bed: &Bed, image: &str) {
    let containers = json!([{ "name": "main", "image": image }]);
    bed.merge("statefulsets", "web", json!({ "spec": { "template": { "spec": { "containers": containers } } } })).await;
}

/// The image of each pod, by the order of their names.
pub async fn images(bed: &Bed) -> Vec<String> {
    let mut pods = bed.list("pods").await;
    pods.sort_by_key(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned());
    pods.iter().map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

fn is_complete(set: &Value) -> bool {
    reports(json!({ "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "currentReplicas": 3 }))(set)
        && set["status"]["currentRevision"] == set["status"]["updateRevision"]
}

pub async fn until_complete(bed: &Bed) -> Value {
    bed.until_one("the rollout is complete", "statefulsets", "web", is_complete).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_stops_at_the_partition_and_goes_back() {
    on_both(async |bed| {
        bed.create(set(json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } } })))
            .await;
        let first = until_complete(bed).await;
        update(bed, "example/web:2").await;
        let canary = reports(json!({ "readyReplicas": 3, "updatedReplicas": 1, "currentReplicas": 2 }));
        let found = bed.until_one("the canary is there", "statefulsets", "web", canary).await;
        assert_eq!(images(bed).await, ["example/web:1", "example/web:1", "example/web:2"]);
        assert_eq!(found["status"]["currentRevision"], first["status"]["currentRevision"]);
        // Below the partition what is lost comes back as it was.
        bed.delete("pods", "web-0").await;
        let canary = reports(json!({ "readyReplicas": 3, "updatedReplicas": 1, "currentReplicas": 2 }));
        bed.until("it is back", "pods", |pods| pods.len() == 3).await;
        bed.until_one("it is ready", "statefulsets", "web", canary).await;
        assert_eq!(images(bed).await, ["example/web:1", "example/web:1", "example/web:2"]);
        let all = json!({ "spec": { "updateStrategy": { "rollingUpdate": { "partition": 0 } } } });
        bed.merge("statefulsets", "web", all).await;
        let second = until_complete(bed).await;
        assert_eq!(images(bed).await, ["example/web:2"; 3]);
        update(bed, "example/web:1").await;
        let third = until_complete(bed).await;
        assert_eq!(images(bed).await, ["example/web:1"; 3]);
        // The template that came back is the same revision, by a higher number.
        assert_eq!(third["status"]["currentRevision"], first["status"]["currentRevision"]);
        let numbers = |revisions: &[Value]| {
            let mut numbers: Vec<i64> = revisions.iter().map(|it| it["revision"].as_i64().unwrap()).collect();
            numbers.sort_unstable();
            numbers
        };
        let revisions = bed.list("controllerrevisions").await;
        assert_eq!(numbers(&revisions), [2, 3]);
        let newest = revisions.iter().find(|it| it["revision"] == 3).unwrap();
        assert_eq!(newest["metadata"]["name"], first["status"]["currentRevision"]);
        assert_ne!(second["status"]["currentRevision"], first["status"]["currentRevision"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_revisions_are_forgotten_beyond_the_limit() {
    on_both(async |bed| {
        bed.create(set(json!({ "revisionHistoryLimit": 1 }))).await;
        until_complete(bed).await;
        for version in 2..5 {
            update(bed, &format!("example/web:{version}")).await;
            until_complete(bed).await;
        }
        let kept = |revisions: &[Value]| {
            let mut numbers: Vec<i64> = revisions.iter().map(|it| it["revision"].as_i64().unwrap()).collect();
            numbers.sort_unstable();
            numbers == [3, 4]
        };
        bed.until("one beside the current one is kept", "controllerrevisions", kept).await;
        // A revision that somebody deletes is made again.
        let name =
            bed.get("statefulsets", "web").await.unwrap()["status"]["currentRevision"].as_str().unwrap().to_owned();
        bed.delete("controllerrevisions", &name).await;
        let is_there = |revisions: &[Value]| revisions.iter().any(|it| it["metadata"]["name"] == *name);
        bed.until("it is back", "controllerrevisions", is_there).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_rollout_stays_until_its_pod_is_deleted() {
    on_both(async |bed| {
        bed.create(set(json!({}))).await;
        until_complete(bed).await;
        bed.merge("statefulsets", "web", json!({ "spec": { "template": broken() } })).await;
        let stuck = json!({ "replicas": 3, "readyReplicas": 2, "updatedReplicas": 1, "currentReplicas": 2 });
        bed.until_one("it is stuck", "statefulsets", "web", reports(stuck)).await;
        bed.until_one("it runs", "pods", "web-2", |pod| pod["status"]["phase"] == "Running").await;
        let undone = json!({ "spec": { "template": { "metadata": { "annotations": null } } } });
        bed.merge("statefulsets", "web", undone).await;
        let stuck = json!({ "replicas": 3, "readyReplicas": 2, "updatedReplicas": 2 });
        bed.until_one("it is stuck still", "statefulsets", "web", reports(stuck)).await;
        bed.delete("pods", "web-2").await;
        until_complete(bed).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_delete_only_what_is_deleted_comes_to_the_new_template() {
    on_both(async |bed| {
        bed.create(set(json!({ "updateStrategy": { "type": "OnDelete" } }))).await;
        bed.until_one("three are ready", "statefulsets", "web", reports(json!({ "readyReplicas": 3 }))).await;
        update(bed, "example/web:2").await;
        let unchanged = reports(json!({ "readyReplicas": 3, "currentReplicas": 3, "updatedReplicas": 0 }));
        bed.until_one("it is seen", "statefulsets", "web", unchanged).await;
        bed.delete("pods", "web-1").await;
        let one = reports(json!({ "readyReplicas": 3, "currentReplicas": 2, "updatedReplicas": 1 }));
        bed.until_one("one is updated", "statefulsets", "web", one).await;
        assert_eq!(images(bed).await, ["example/web:1", "example/web:2", "example/web:1"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_updated_at_once_where_that_is_asked_for() {
    on_both(async |bed| {
        let rolling = json!({ "partition": 0, "maxUnavailable": 2 });
        let mut held = template("web");
        held["metadata"]["finalizers"] = json!(["test/lingers"]);
        bed.create(set(json!({
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": rolling },
            "podManagementPolicy": "Parallel", "template": held,
        })))
        .await;
        until_complete(bed).await;
        update(bed, "example/web:2").await;
        let going = |pods: &[Value]| pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_string()).count();
        bed.until("two go at once", "pods", |pods| going(pods) == 2).await;
        bed.until_one("they are counted", "statefulsets", "web", reports(json!({ "currentReplicas": 1 }))).await;
        assert_eq!(going(&bed.list("pods").await), 2);
        for name in ["web-2", "web-1", "web-0"] {
            bed.until_one("it goes", "pods", name, |pod| pod["metadata"]["deletionTimestamp"].is_string()).await;
            bed.merge("pods", name, json!({ "metadata": { "finalizers": null } })).await;
        }
        until_complete(bed).await;
        assert_eq!(images(bed).await, ["example/web:2"; 3]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_is_available_once_it_was_ready_for_long_enough() {
    on_both(async |bed| {
        bed.create(set(json!({ "replicas": 1, "minReadySeconds": 2 }))).await;
        let fresh = reports(json!({ "readyReplicas": 1, "availableReplicas": 0 }));
        bed.until_one("it is ready", "statefulsets", "web", fresh).await;
        let settled = reports(json!({ "readyReplicas": 1, "availableReplicas": 1 }));
        bed.until_one("it is available", "statefulsets", "web", settled).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_whose_name_is_taken_gets_another() {
    on_both(async |bed| {
        let first = bed.create(set(json!({ "replicas": 0 }))).await;
        let held = bed.until("it is recorded", "controllerrevisions", |held| held.len() == 1).await;
        let name = held[0]["metadata"]["name"].as_str().unwrap();
        bed.delete("statefulsets", "web").await;
        bed.until("it is gone", "statefulsets", <[Value]>::is_empty).await;
        // Controllers that have not heard of its end yet would record it once more.
        bed.restart().await;
        bed.delete("controllerrevisions", name).await;
        let taken = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": { "name": name, "namespace": "default" },
            "data": { "another": "thing" }, "revision": 7,
        });
        bed.create(taken).await;
        bed.create(set(json!({ "replicas": 0 }))).await;
        let counted = reports(json!({ "collisionCount": 1 }));
        let second = bed.until_one("the collision is counted", "statefulsets", "web", counted).await;
        assert_ne!(second["metadata"]["uid"], first["metadata"]["uid"]);
        let is_own = |it: &Value| it["metadata"]["ownerReferences"][0]["uid"] == second["metadata"]["uid"];
        let held = bed.until("it has another name", "controllerrevisions", |held| held.iter().any(is_own)).await;
        assert_eq!(held.iter().find(|it| is_own(it)).unwrap()["revision"], 1);
        assert_eq!(held.len(), 2);
        // It is found again, and counted once.
        bed.restart().await;
        bed.merge("statefulsets", "web", json!({ "spec": { "minReadySeconds": 1 } })).await;
        bed.until_one("it is seen", "statefulsets", "web", reports(json!({ "collisionCount": 1 }))).await;
        assert_eq!(bed.list("controllerrevisions").await.len(), 2);
    })
    .await;
}
