//! Stateful sets as kubectl handles them.

use serde_json::json;
use testkit::Kubectl;

use super::rollouts::{images, until_complete};
use super::{names, reports, set};
use crate::bed::on_both;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_rolls_out_undoes_restarts_and_scales() {
    on_both(async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let rollout = async |verb: &[&str]| {
            let arguments = [&["rollout"], verb, &["statefulset/web", "--timeout=30s"]].concat();
            let arguments: Vec<&str> = match verb {
                ["status"] => arguments,
                _ => arguments[..arguments.len() - 1].to_vec(),
            };
            kubectl.ok(&arguments).await.unwrap()
        };
        bed.create(set(json!({}))).await;
        let complete = "partitioned roll out complete: 3 new pods have been updated...";
        assert!(rollout(&["status"]).await.contains(complete));
        kubectl.ok(&["set", "image", "statefulset/web", "main=example/web:2"]).await.unwrap();
        assert!(rollout(&["status"]).await.contains(complete));
        assert_eq!(images(bed).await, ["example/web:2"; 3]);
        let history = rollout(&["history"]).await;
        let numbers: Vec<&str> = history.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(numbers, ["statefulset.apps/web", "REVISION", "1", "2"], "{history}");
        let detail = kubectl.ok(&["rollout", "history", "statefulset/web", "--revision=1"]).await.unwrap();
        assert!(detail.contains("example/web:1"), "{detail}");
        rollout(&["undo"]).await;
        until_complete(bed).await;
        assert_eq!(images(bed).await, ["example/web:1"; 3]);
        let before = bed.list("pods").await;
        rollout(&["restart"]).await;
        rollout(&["status"]).await;
        for pod in bed.list("pods").await {
            assert!(before.iter().all(|old| old["metadata"]["uid"] != pod["metadata"]["uid"]));
        }
        kubectl.ok(&["scale", "statefulset/web", "--replicas=1"]).await.unwrap();
        bed.until_one("one is left", "statefulsets", "web", reports(json!({ "replicas": 1 }))).await;
        assert_eq!(names(bed).await, ["web-0"]);
        assert!(kubectl.ok(&["get", "statefulset", "web"]).await.unwrap().contains("1/1"));
    })
    .await;
}
