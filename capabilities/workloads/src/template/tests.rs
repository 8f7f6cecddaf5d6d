//! Which templates are the same, and what a hash looks like.

use serde_json::{Value, json};

use super::{fingerprint, hash};

fn template() -> Value {
    json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "main", "image": "web:1" }], "volumes": [{ "name": "v", "emptyDir": {} }] },
    })
}

#[test]
fn what_is_as_good_as_absent_makes_no_other_template() {
    let check = |pointer: &str, value: Value, same: bool| {
        let mut changed = template();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[field] = value;
        assert_eq!(fingerprint(&changed) == fingerprint(&template()), same, "{pointer}");
    };
    check("/metadata/labels/pod-template-hash", json!("abc"), true);
    check("/metadata/creationTimestamp", Value::Null, true);
    check("/metadata/annotations", json!({}), true);
    check("/spec/tolerations", json!([]), true);
    check("/metadata/labels/tier", json!("front"), false);
    check("/metadata/annotations", json!({ "a": "b" }), false);
    check("/spec/containers/0/image", json!("web:2"), false);
    check("/spec/containers/0/env", json!([]), true);
    // An object that is there and empty chooses a default.
    check("/spec/containers/0/securityContext", json!({}), false);
}

#[test]
fn a_hash_fits_a_label_and_changes_with_collisions() {
    let first = hash(&template(), None);
    assert_eq!(first.len(), 10);
    assert_eq!(first, hash(&template(), Some(0)));
    assert_ne!(first, hash(&template(), Some(1)));
}
