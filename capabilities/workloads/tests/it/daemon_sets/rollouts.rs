//! Daemon sets that come to new templates and back.

use serde_json::{Value, json};
use testkit::Kubectl;

use super::{node_of, nodes, reports, set};
use crate::bed::{Bed, on_both, template};

async fn update(bed: &Bed, image: &str) {
    let containers = json!([{ "name": "main", "image": image }]);
    bed.merge("daemonsets", "web", json!({ "spec": { "template": { "spec": { "containers": containers } } } })).await;
}

async fn images(bed: &Bed) -> Vec<String> {
    let pods = bed.list("pods").await;
    pods.iter().map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

async fn until_complete(bed: &Bed, nodes: i64) {
    let complete = reports(json!({
        "desiredNumberScheduled": nodes, "numberAvailable": nodes, "updatedNumberScheduled": nodes, "numberUnavailable": 0,
    }));
    bed.until_one("the rollout is complete", "daemonsets", "web", complete).await;
    bed.until("no pod is too much", "pods", |pods| i64::try_from(pods.len()).unwrap() == nodes).await;
}

/// A template whose pods linger when they are deleted.
fn lingering() -> Value {
    let mut template = template("web");
    template["metadata"]["finalizers"] = json!(["test/lingers"]);
    template
}

fn is_going(pod: &&Value) -> bool {
    pod["metadata"]["deletionTimestamp"].is_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_takes_as_many_at_once_as_may_be_missing() {
    on_both(async |bed| {
        nodes(bed, &["a", "b", "c"]).await;
        let rolling = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "50%" } });
        bed.create(set(json!({ "updateStrategy": rolling, "template": lingering() }))).await;
        until_complete(bed, 3).await;
        update(bed, "example/web:2").await;
        let mut replaced = 0;
        while replaced < 3 {
            let want = (3 - replaced).min(2);
            let pods = bed.until("some go", "pods", |pods| pods.iter().filter(is_going).count() == want).await;
            bed.until_one("they are seen", "daemonsets", "web", reports(json!({}))).await;
            assert_eq!(bed.list("pods").await.iter().filter(is_going).count(), want);
            for pod in pods.iter().filter(is_going) {
                bed.merge(
                    "pods",
                    pod["metadata"]["name"].as_str().unwrap(),
                    json!({ "metadata": { "finalizers": null } }),
                )
                .await;
                replaced += 1;
            }
            let updated = reports(json!({ "updatedNumberScheduled": replaced }));
            bed.until_one("new ones are there", "daemonsets", "web", updated).await;
        }
        until_complete(bed, 3).await;
        assert_eq!(images(bed).await, ["example/web:2"; 3]);
        let generations = bed.list("pods").await;
        assert!(generations.iter().all(|pod| pod["metadata"]["labels"]["pod-template-generation"] == "2"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_surge_keeps_the_old_pod_until_the_new_one_serves() {
    on_both(async |bed| {
        nodes(bed, &["a", "b"]).await;
        let rolling = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } });
        bed.create(set(json!({ "updateStrategy": rolling }))).await;
        until_complete(bed, 2).await;
        let mut broken = template("web");
        broken["metadata"]["annotations"] = json!({ "test/then": "Running" });
        bed.merge("daemonsets", "web", json!({ "spec": { "template": broken } })).await;
        let is_new = |pod: &&Value| pod["metadata"]["annotations"]["test/then"] == "Running";
        let runs = |pods: &[Value]| pods.iter().any(|pod| is_new(&pod) && pod["status"]["phase"] == "Running");
        let pods = bed.until("a third runs", "pods", |pods| pods.len() == 3 && runs(pods)).await;
        let stuck = reports(json!({ "numberAvailable": 2, "numberUnavailable": 0, "updatedNumberScheduled": 0 }));
        bed.until_one("all still serve", "daemonsets", "web", stuck).await;
        // Once it serves, the old one beside it goes, and the next node has its turn.
        let new = pods.iter().find(is_new).unwrap();
        let heal = json!({ "metadata": { "annotations": { "test/then": "Ready" } } });
        bed.merge("pods", new["metadata"]["name"].as_str().unwrap(), heal).await;
        let moved = |pods: &[Value]| {
            let next: Vec<&Value> = pods.iter().filter(is_new).collect();
            pods.len() == 3 && next.len() == 1 && node_of(next[0]) != node_of(new)
        };
        bed.until("the next node surges", "pods", moved).await;
        // Undone, what never served goes.
        let undone = json!({ "spec": { "template": { "metadata": { "annotations": null } } } });
        bed.merge("daemonsets", "web", undone).await;
        until_complete(bed, 2).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_never_serves_stops_the_update_and_an_undo_heals_it() {
    on_both(async |bed| {
        nodes(bed, &["a", "b", "c"]).await;
        bed.create(set(json!({ "revisionHistoryLimit": 1 }))).await;
        until_complete(bed, 3).await;
        let mut broken = template("web");
        broken["metadata"]["annotations"] = json!({ "test/then": "Running" });
        bed.merge("daemonsets", "web", json!({ "spec": { "template": broken } })).await;
        let stuck = json!({ "numberUnavailable": 1, "updatedNumberScheduled": 1, "numberAvailable": 2 });
        bed.until_one("one is stuck", "daemonsets", "web", reports(stuck)).await;
        let undone = json!({ "spec": { "template": { "metadata": { "annotations": null } } } });
        bed.merge("daemonsets", "web", undone).await;
        until_complete(bed, 3).await;
        let numbers = |revisions: &[Value]| {
            let mut numbers: Vec<i64> = revisions.iter().map(|it| it["revision"].as_i64().unwrap()).collect();
            numbers.sort_unstable();
            numbers
        };
        bed.until("the history is right", "controllerrevisions", |held| numbers(held) == [2, 3]).await;
        for version in 2..4 {
            update(bed, &format!("example/web:{version}")).await;
            until_complete(bed, 3).await;
        }
        bed.until("one is kept beside the newest", "controllerrevisions", |held| numbers(held) == [4, 5]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_delete_only_what_is_deleted_comes_to_the_new_template() {
    on_both(async |bed| {
        nodes(bed, &["a", "b"]).await;
        bed.create(set(json!({ "updateStrategy": { "type": "OnDelete" }, "minReadySeconds": 1 }))).await;
        until_complete(bed, 2).await;
        update(bed, "example/web:2").await;
        let unchanged = reports(json!({ "numberAvailable": 2, "updatedNumberScheduled": 0 }));
        bed.until_one("it is seen", "daemonsets", "web", unchanged).await;
        let name = bed.list("pods").await[0]["metadata"]["name"].as_str().unwrap().to_owned();
        bed.delete("pods", &name).await;
        let one = reports(json!({ "numberAvailable": 2, "updatedNumberScheduled": 1 }));
        bed.until_one("one is updated", "daemonsets", "web", one).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_goes_on_after_the_controllers_die_at_any_step() {
    on_both(async |bed| {
        nodes(bed, &["a", "b", "c"]).await;
        bed.create(set(json!({}))).await;
        until_complete(bed, 3).await;
        for writes in 0..8 {
            let image = format!("example/web:{}", writes + 2);
            bed.faults.freeze_after(writes);
            update(bed, &image).await;
            bed.faults.frozen().await;
            bed.restart().await;
            until_complete(bed, 3).await;
            assert_eq!(images(bed).await, vec![image; 3], "after {writes} writes");
            let mut covered: Vec<String> = bed.list("pods").await.iter().map(|pod| node_of(pod).to_owned()).collect();
            covered.sort();
            assert_eq!(covered, ["a", "b", "c"]);
            assert_eq!(bed.list("controllerrevisions").await.len(), writes + 2);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_rolls_out_undoes_and_restarts() {
    on_both(async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let rollout = async |verb: &str| kubectl.ok(&["rollout", verb, "daemonset/web"]).await.unwrap();
        nodes(bed, &["a", "b"]).await;
        bed.create(set(json!({}))).await;
        assert!(rollout("status").await.contains("daemon set \"web\" successfully rolled out"));
        kubectl.ok(&["set", "image", "daemonset/web", "main=example/web:2"]).await.unwrap();
        assert!(rollout("status").await.contains("successfully rolled out"));
        assert_eq!(images(bed).await, ["example/web:2"; 2]);
        let history = rollout("history").await;
        let numbers: Vec<&str> = history.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(numbers, ["daemonset.apps/web", "REVISION", "1", "2"], "{history}");
        assert!(rollout("undo").await.contains("rolled back"));
        until_complete(bed, 2).await;
        assert_eq!(images(bed).await, ["example/web:1"; 2]);
        let before = bed.list("pods").await;
        rollout("restart").await;
        rollout("status").await;
        until_complete(bed, 2).await;
        for pod in bed.list("pods").await {
            assert!(before.iter().all(|old| old["metadata"]["uid"] != pod["metadata"]["uid"]));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_whose_name_is_taken_gets_another() {
    on_both(async |bed| {
        let first = bed.create(set(json!({}))).await;
        let held = bed.until("it is recorded", "controllerrevisions", |held| held.len() == 1).await;
        let name = held[0]["metadata"]["name"].as_str().unwrap();
        bed.delete("daemonsets", "web").await;
        bed.until("it is gone", "daemonsets", <[Value]>::is_empty).await;
        // Controllers that have not heard of its end yet would record it once more.
        bed.restart().await;
        bed.delete("controllerrevisions", name).await;
        let taken = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": { "name": name, "namespace": "default" },
            "data": { "another": "thing" }, "revision": 7,
        });
        bed.create(taken).await;
        bed.create(set(json!({}))).await;
        let counted = reports(json!({ "collisionCount": 1 }));
        let second = bed.until_one("the collision is counted", "daemonsets", "web", counted).await;
        assert_ne!(second["metadata"]["uid"], first["metadata"]["uid"]);
        let is_own = |it: &Value| it["metadata"]["ownerReferences"][0]["uid"] == second["metadata"]["uid"];
        let held = bed.until("it has another name", "controllerrevisions", |held| held.iter().any(is_own)).await;
        assert_eq!(held.iter().find(|it| is_own(it)).unwrap()["revision"], 1);
        assert_eq!(held.len(), 2);
        // It is found again, and counted once.
        bed.restart().await;
        bed.merge("daemonsets", "web", json!({ "spec": { "minReadySeconds": 1 } })).await;
        bed.until_one("it is seen", "daemonsets", "web", reports(json!({ "collisionCount": 1 }))).await;
        assert_eq!(bed.list("controllerrevisions").await.len(), 2);
    })
    .await;
}
