//! Stateful sets whose controllers die.

use serde_json::{Value, json};

use super::rollouts::{images, until_complete, update};
use super::{names, set};
use crate::bed::on_both;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_goes_on_after_the_controllers_die_at_any_step() {
    on_both(async |bed| {
        bed.create(set(json!({}))).await;
        until_complete(bed).await;
        for writes in 0..8 {
            let image = format!("example/web:{}", writes + 2);
            bed.faults.freeze_after(writes);
            update(bed, &image).await;
            bed.faults.frozen().await;
            bed.restart().await;
            until_complete(bed).await;
            assert_eq!(images(bed).await, vec![image; 3], "after {writes} writes");
            assert_eq!(names(bed).await, ["web-0", "web-1", "web-2"]);
            let count = bed.list("controllerrevisions").await.len();
            assert_eq!(count, writes + 2, "after {writes} writes");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_and_claims_are_made_once_though_the_controllers_die() {
    on_both(async |bed| {
        for writes in 0..6 {
            bed.faults.freeze_after(writes);
            let claims = json!([{
                "metadata": { "name": "data" },
                "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
            }]);
            bed.create(set(json!({ "podManagementPolicy": "Parallel", "volumeClaimTemplates": claims }))).await;
            bed.faults.frozen().await;
            bed.restart().await;
            until_complete(bed).await;
            assert_eq!(names(bed).await, ["web-0", "web-1", "web-2"]);
            assert_eq!(bed.list("controllerrevisions").await.len(), 1);
            assert_eq!(bed.list("persistentvolumeclaims").await.len(), 3);
            // Nobody collects garbage here, and the next one begins from nothing. Controllers that have
            // not heard yet that the set is gone would make its pods again.
            bed.delete("statefulsets", "web").await;
            bed.restart().await;
            for kind in ["pods", "controllerrevisions", "persistentvolumeclaims"] {
                for object in bed.list(kind).await {
                    let name = object["metadata"]["name"].as_str().unwrap();
                    bed.merge(kind, name, json!({ "metadata": { "finalizers": null } })).await;
                    bed.delete(kind, name).await;
                }
                bed.until("they are gone", kind, <[Value]>::is_empty).await;
            }
        }
    })
    .await;
}
