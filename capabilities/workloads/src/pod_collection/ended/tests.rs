//! Which of the pods that have ended go.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use serde_json::json;

use super::surplus;
use crate::views::Pod;

#[test]
fn the_oldest_pods_go_and_the_evicted_before_them() {
    let pod = |name: &str, created: &str, reason: &str, is_going: bool| {
        let mut pod = json!({
            "metadata": { "name": name, "creationTimestamp": created },
            "status": { "phase": "Failed", "reason": reason },
        });
        if is_going {
            pod["metadata"]["deletionTimestamp"] = json!(created);
        }
        let object = Object::from_json(ClusterName::root(), pod.to_string().into()).unwrap();
        Arc::new(Item { view: Pod::read(&object).unwrap(), object })
    };
    let pods = [
        pod("new", "2026-01-03T00:00:00Z", "", false),
        pod("b", "2026-01-01T00:00:00Z", "", false),
        pod("a", "2026-01-01T00:00:00Z", "", false),
        pod("evicted", "2026-01-04T00:00:00Z", "Evicted", false),
    ];
    let check = |most: usize, expect: &[&str]| {
        let surplus = surplus(pods.to_vec(), most);
        assert_eq!(surplus.iter().map(|pod| pod.object.meta.name.as_str()).collect::<Vec<_>>(), expect);
    };
    check(4, &[]);
    check(3, &["evicted"]);
    check(1, &["evicted", "a", "b"]);
    let going = [pod("going", "2026-01-01T00:00:00Z", "", true), pod("next", "2026-01-02T00:00:00Z", "", false)];
    assert!(surplus(going.to_vec(), 1).is_empty());
}
