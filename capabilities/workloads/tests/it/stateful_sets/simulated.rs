//! Stateful sets on simulated nodes, bound by the scheduler, with volumes.

use serde_json::{Value, json};

use super::rollouts::{images, update};
use super::{reports, set};
use crate::bed::on_both_simulated;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_with_claims_run_where_their_volumes_are_and_roll_out() {
    on_both_simulated(json!({ "simulatedNodes": 3 }), async |bed| {
        let claims = json!([{
            "metadata": { "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
        }]);
        bed.create(set(json!({ "volumeClaimTemplates": claims }))).await;
        let ready = || reports(json!({ "replicas": 3, "availableReplicas": 3, "updatedReplicas": 3 }));
        bed.until_one("all are ready", "statefulsets", "web", ready()).await;
        let bound =
            |claims: &[Value]| claims.len() == 3 && claims.iter().all(|claim| claim["status"]["phase"] == "Bound");
        bed.until("all claims are bound", "persistentvolumeclaims", bound).await;
        let places = |pods: &[Value]| {
            let mut places: Vec<String> =
                pods.iter().map(|pod| format!("{} on {}", pod["metadata"]["name"], pod["spec"]["nodeName"])).collect();
            places.sort();
            places
        };
        let before = places(&bed.list("pods").await);
        update(bed, "example/web:2").await;
        bed.until_one("all are updated", "statefulsets", "web", ready()).await;
        assert_eq!(images(bed).await, ["example/web:2"; 3]);
        // Each has found its volume again.
        assert_eq!(places(&bed.list("pods").await), before);
        assert_eq!(bed.list("persistentvolumeclaims").await.len(), 3);
    })
    .await;
}
