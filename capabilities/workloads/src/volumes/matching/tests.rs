//! Tables of which volume a claim gets.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use serde_json::{Value, json};

use super::{best, is_for, mismatch};
use crate::views::{Volume, VolumeClaim};

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

/// A claim of 5Gi, ReadWriteOnce, of the class `fast`, with changes to its spec.
fn claim(changes: Value) -> Item<VolumeClaim> {
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
        "resources": { "requests": { "storage": "5Gi" } },
    });
    merge(&mut spec, changes);
    item(&json!({ "metadata": { "name": "data", "namespace": "default", "uid": "claim" }, "spec": spec }))
}

/// A volume of the class `fast` with so many Gi, which anyone can have, with changes to it.
fn volume(name: &str, size: u32, changes: Value) -> Arc<Item<Volume>> {
    let mut volume = json!({
        "metadata": { "name": name },
        "spec": {
            "capacity": { "storage": format!("{size}Gi") }, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
        },
        "status": { "phase": "Available" },
    });
    merge(&mut volume, changes);
    Arc::new(item(&volume))
}

fn merge(into: &mut Value, changes: Value) {
    match changes {
        Value::Object(fields) => fields.into_iter().for_each(|(name, value)| merge(&mut into[name], value)),
        other => *into = other,
    }
}

fn kept(uid: &str) -> Value {
    json!({ "spec": { "claimRef": { "namespace": "default", "name": "data", "uid": uid } } })
}

fn named(claim: &Item<VolumeClaim>, volumes: &[Arc<Item<Volume>>], only_kept: bool) -> String {
    best(claim, volumes.iter().cloned(), only_kept).map_or(String::new(), |it| it.object.meta.name.clone())
}

#[test]
fn the_smallest_that_suits_is_best() {
    let check = |claim_spec: Value, volumes: &[Arc<Item<Volume>>], expect: &str| {
        assert_eq!(named(&claim(claim_spec.clone()), volumes, false), expect, "{claim_spec}");
    };
    let sizes = [volume("ten", 10, json!({})), volume("six", 6, json!({})), volume("four", 4, json!({}))];
    check(json!({}), &sizes, "six");
    check(json!({ "resources": { "requests": { "storage": "7Gi" } } }), &sizes, "ten");
    check(json!({ "resources": { "requests": { "storage": "11Gi" } } }), &sizes, "");
    check(json!({ "storageClassName": "slow" }), &sizes, "");
    check(json!({ "storageClassName": "" }), &sizes, "");
    check(json!({ "volumeMode": "Block" }), &sizes, "");
    check(json!({ "accessModes": ["ReadWriteOnce", "ReadOnlyMany"] }), &sizes, "");
    // One with fewer modes beyond those asked for goes before a smaller one.
    let modes = json!({ "spec": { "accessModes": ["ReadWriteOnce", "ReadWriteMany"] } });
    check(json!({}), &[volume("many", 5, modes.clone()), volume("one", 9, json!({}))], "one");
    check(
        json!({ "accessModes": ["ReadWriteMany"] }),
        &[volume("many", 5, modes), volume("one", 9, json!({}))],
        "many",
    );
    let labelled = volume("labelled", 8, json!({ "metadata": { "labels": { "disk": "new" } } }));
    let selector = json!({ "selector": { "matchLabels": { "disk": "new" } } });
    check(selector, &[volume("six", 6, json!({})), labelled], "labelled");
}

#[test]
fn what_is_not_free_is_nobodys() {
    let check = |changes: Value, only_kept: bool, expect: bool| {
        let found = named(&claim(json!({})), &[volume("it", 6, changes.clone())], only_kept);
        assert_eq!(found == "it", expect, "{changes}");
    };
    check(json!({}), false, true);
    // The scheduler chooses among those that nobody keeps for the claim.
    check(json!({}), true, false);
    for phase in ["", "Pending", "Bound", "Released", "Failed"] {
        check(json!({ "status": { "phase": phase } }), false, false);
    }
    check(json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } }), false, false);
    check(kept(""), true, true);
    check(kept("claim"), true, true);
    check(kept("another"), false, false);
    check(json!({ "spec": { "claimRef": { "namespace": "other", "name": "data" } } }), false, false);
    // Even what is kept for it must have room.
    let mut small = kept("");
    small["spec"]["capacity"]["storage"] = json!("1Gi");
    check(small, false, false);
}

#[test]
fn one_that_is_kept_goes_before_all_others() {
    let volumes = [volume("small", 5, json!({})), volume("kept", 50, kept(""))];
    assert_eq!(named(&claim(json!({})), &volumes, false), "kept");
    assert!(is_for(&volumes[1].view, &claim(json!({}))));
    // Its class and phase do not matter.
    let other =
        volume("other", 50, json!({ "spec": { "storageClassName": "slow" }, "status": { "phase": "Pending" } }));
    assert_eq!(named(&claim(json!({})), &[other], false), "");
    let mut other = kept("");
    merge(&mut other, json!({ "spec": { "storageClassName": "slow" }, "status": { "phase": "Pending" } }));
    assert_eq!(named(&claim(json!({})), &[volume("other", 50, other)], false), "other");
}

#[test]
fn with_a_node_chosen_volumes_of_certain_nodes_are_passed_over() {
    let chosen = item::<VolumeClaim>(&json!({
        "metadata": {
            "name": "data", "namespace": "default", "uid": "claim",
            "annotations": { "volume.kubernetes.io/selected-node": "n1" },
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
            "resources": { "requests": { "storage": "5Gi" } },
        },
    }));
    let elsewhere = volume("elsewhere", 5, json!({ "spec": { "nodeAffinity": { "required": {} } } }));
    assert_eq!(named(&chosen, std::slice::from_ref(&elsewhere), false), "");
    assert_eq!(named(&claim(json!({})), &[elsewhere], false), "elsewhere");
}

#[test]
fn a_volume_that_is_asked_for_by_name_must_suit() {
    let check = |claim_spec: Value, changes: Value, expect: Option<&str>| {
        assert_eq!(mismatch(&claim(claim_spec), &volume("it", 6, changes)).as_deref(), expect);
    };
    check(json!({}), json!({}), None);
    // Labels are not asked for.
    check(json!({ "selector": { "matchLabels": { "disk": "new" } } }), json!({}), None);
    check(json!({ "resources": { "requests": { "storage": "7Gi" } } }), json!({}), Some("requested PV is too small"));
    check(json!({ "storageClassName": "slow" }), json!({}), Some("storageClassName does not match"));
    check(json!({ "volumeMode": "Block" }), json!({}), Some("incompatible volumeMode"));
    check(json!({ "accessModes": ["ReadWriteMany"] }), json!({}), Some("incompatible accessMode"));
    let going = json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } });
    check(json!({}), going, Some("the volume is marked for deletion \"it\""));
}
