//! Tables of what uses a claim, and of when a finalizer comes and goes.

use api::ClusterName;
use client::{Item, Object, View};
use serde_json::{Value, json};

use super::{Step, step, uses};
use crate::views::{Pod, VolumeClaim};

fn object(json: &Value) -> Object {
    Object::from_json(ClusterName::root(), json.to_string().into()).unwrap()
}

fn item<V: View>(json: &Value) -> Item<V> {
    let object = object(json);
    Item { view: V::read(&object).unwrap(), object }
}

#[test]
fn finalizers_come_at_once_and_go_at_the_end() {
    let check = |meta: Value, expect: Step| {
        assert_eq!(step(&object(&json!({ "metadata": meta })), "kubernetes.io/pvc-protection"), expect);
    };
    let (own, going) = (json!(["kubernetes.io/pvc-protection"]), json!("2026-01-01T00:00:00Z"));
    check(json!({}), Step::Add);
    check(json!({ "finalizers": ["other"] }), Step::Add);
    check(json!({ "finalizers": own }), Step::Nothing);
    check(json!({ "finalizers": own, "deletionTimestamp": going }), Step::Remove);
    check(json!({ "finalizers": ["other"], "deletionTimestamp": going }), Step::Nothing);
}

#[test]
fn pods_with_a_node_use_their_claims() {
    let by_name = json!({ "name": "v", "persistentVolumeClaim": { "claimName": "web-v" } });
    let own = json!({ "name": "v", "ephemeral": { "volumeClaimTemplate": {} } });
    let check = |node: &str, volume: &Value, owner: &str, ended: bool, shut_down: bool, expect: bool| {
        let owners = json!([{ "kind": "Pod", "name": "web", "uid": owner, "controller": true }]);
        let meta = json!({ "name": "web-v", "namespace": "default", "ownerReferences": owners });
        let claim: Item<VolumeClaim> = item(&json!({ "metadata": meta, "spec": {} }));
        let mut pod = json!({
            "metadata": { "name": "web", "namespace": "default", "uid": "web" },
            "spec": { "nodeName": node, "volumes": [volume] },
            "status": { "phase": if ended { "Succeeded" } else { "Running" } },
        });
        if shut_down {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        }
        assert_eq!(uses(&item::<Pod>(&pod), &claim), expect, "{pod}");
    };
    check("n1", &by_name, "", false, false, true);
    check("", &by_name, "", false, false, false);
    // One that has ended may be looked into.
    check("n1", &by_name, "", true, false, true);
    check("n1", &own, "web", false, false, true);
    check("n1", &own, "web", false, true, false);
    check("n1", &own, "another", false, false, false);
    check("n1", &json!({ "name": "v", "emptyDir": {} }), "web", false, false, false);
}
