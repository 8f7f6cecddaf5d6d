//! Daemon pods on simulated nodes, bound by the scheduler.

use serde_json::{Value, json};

use super::{node_of, reports, set};
use crate::bed::on_both_simulated;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemon_pods_are_bound_to_their_nodes_even_if_those_are_cordoned() {
    on_both_simulated(json!({ "simulatedNodes": 3 }), async |bed| {
        bed.create(set(json!({}))).await;
        let all = |updated: i64| {
            reports(json!({ "desiredNumberScheduled": 3, "numberAvailable": 3, "updatedNumberScheduled": updated }))
        };
        bed.until_one("all are available", "daemonsets", "web", all(3)).await;
        let are_bound =
            |pods: &[Value]| pods.len() == 3 && pods.iter().all(|pod| pod["spec"]["nodeName"] == *node_of(pod));
        bed.until("all are where they belong", "pods", are_bound).await;
        bed.merge("nodes", "simulated-1", json!({ "spec": { "unschedulable": true } })).await;
        let is_tainted = |node: &Value| node["spec"]["taints"][0]["key"] == "node.kubernetes.io/unschedulable";
        bed.until_one("it is cordoned", "nodes", "simulated-1", is_tainted).await;
        let containers = json!([{ "name": "main", "image": "example/web:2" }]);
        bed.merge("daemonsets", "web", json!({ "spec": { "template": { "spec": { "containers": containers } } } }))
            .await;
        bed.until_one("all are updated", "daemonsets", "web", all(3)).await;
        let pods = bed.until("all are where they belong", "pods", are_bound).await;
        assert!(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "example/web:2"));
    })
    .await;
}
