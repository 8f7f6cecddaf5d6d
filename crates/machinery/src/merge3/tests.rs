//! Tables of applies, and the law that applying twice is applying once.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::any_json;

const POD: &str = "io.k8s.api.core.v1.Pod";
const DEPLOYMENT: &str = "io.k8s.api.apps.v1.Deployment";
const SERVICE: &str = "io.k8s.api.core.v1.Service";

fn check(kind: Option<&str>, last: Option<Value>, desired: Value, live: Value, expect: Value) {
    let schema = kind.map(|kind| (api::builtin::types(), kind));
    let got = three_way(last.as_ref(), &desired, &live, schema);
    assert_eq!(got, expect);
    assert_eq!(three_way(last.as_ref(), &desired, &got, schema), got);
}

#[test]
fn maps_keep_what_others_set_and_lose_what_was_taken_back() {
    check(
        None,
        Some(json!({"spec": {"a": 1, "gone": 2}})),
        json!({"spec": {"a": 3, "new": {"x": null, "y": 1}}}),
        json!({"spec": {"a": 1, "gone": 2, "theirs": 4}}),
        json!({"spec": {"a": 3, "theirs": 4, "new": {"y": 1}}}),
    );
    check(None, None, json!({"spec": {"l": [1]}}), json!({"spec": {"l": [1, 2]}}), json!({"spec": {"l": [1]}}));
    check(None, None, json!({"spec": {"a": null}}), json!({"spec": {"a": 1, "b": 2}}), json!({"spec": {"b": 2}}));
}

#[test]
fn the_server_keeps_what_it_owns() {
    check(
        None,
        Some(json!({"metadata": {"uid": "old"}, "status": {"x": 1}})),
        json!({"metadata": {"name": "a", "creationTimestamp": null, "resourceVersion": "1"}, "status": {}}),
        json!({"metadata": {"name": "a", "uid": "u", "creationTimestamp": "t", "resourceVersion": "9"}, "status": {"x": 2}}),
        json!({"metadata": {"name": "a", "uid": "u", "creationTimestamp": "t", "resourceVersion": "9"}, "status": {"x": 2}}),
    );
}

#[test]
fn typed_lists_merge_by_key() {
    let spec = |containers: Value| json!({"spec": {"containers": containers}});
    check(
        Some(POD),
        Some(spec(json!([{"name": "old"}, {"name": "a", "args": ["x"]}]))),
        spec(json!([{"name": "a", "image": "2"}, {"name": "b"}])),
        spec(
            json!([{"name": "sidecar"}, {"name": "old"}, {"name": "a", "image": "1", "args": ["x"], "imagePullPolicy": "Always"}]),
        ),
        spec(json!([{"name": "sidecar"}, {"name": "a", "image": "2", "imagePullPolicy": "Always"}, {"name": "b"}])),
    );
    let finalizers = |items: Value| json!({"metadata": {"finalizers": items}});
    check(
        Some(POD),
        Some(finalizers(json!(["a", "b"]))),
        finalizers(json!(["b", "c"])),
        finalizers(json!(["theirs", "a", "b"])),
        finalizers(json!(["theirs", "b", "c"])),
    );
    // The same port for two protocols.
    let ports = |ports: Value| json!({"spec": {"ports": ports}});
    check(
        Some(SERVICE),
        None,
        ports(json!([{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}])),
        ports(json!([{"port": 53, "protocol": "TCP", "nodePort": 1}, {"port": 53, "protocol": "UDP", "nodePort": 2}])),
        ports(json!([{"port": 53, "protocol": "TCP", "nodePort": 1}, {"port": 53, "protocol": "UDP", "nodePort": 2}])),
    );
}

#[test]
fn a_changed_choice_ends_the_old_one() {
    let strategy = |strategy: Value| json!({"spec": {"strategy": strategy}});
    let filled = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}});
    check(
        Some(DEPLOYMENT),
        None,
        strategy(json!({"type": "Recreate"})),
        strategy(filled.clone()),
        strategy(json!({"type": "Recreate"})),
    );
    check(
        Some(DEPLOYMENT),
        None,
        strategy(json!({"type": "RollingUpdate"})),
        strategy(filled.clone()),
        strategy(filled),
    );
    let volumes = |volume: Value| json!({"spec": {"volumes": [volume]}});
    check(
        Some(POD),
        None,
        volumes(json!({"name": "v", "secret": {"secretName": "s"}})),
        volumes(json!({"name": "v", "emptyDir": {}})),
        volumes(json!({"name": "v", "secret": {"secretName": "s"}})),
    );
}

proptest! {
    #[test]
    fn applying_twice_is_applying_once(last in any_json(), desired in any_json(), live in any_json()) {
        for schema in [None, Some((api::builtin::types(), POD))] {
            let once = three_way(Some(&last), &desired, &live, schema);
            prop_assert_eq!(&three_way(Some(&last), &desired, &once, schema), &once);
            prop_assert_eq!(&three_way(Some(&desired), &desired, &once, schema), &once);
        }
    }
}
