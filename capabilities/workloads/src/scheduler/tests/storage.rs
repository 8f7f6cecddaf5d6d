//! Pods with volumes.

use serde_json::{Value, json};

use super::{Table, node, object, of_work, pod};
use crate::scheduler::claims::{Claim, Class, Volume};
use crate::scheduler::cluster::Work;

fn claiming(name: &str) -> Value {
    pod(name, json!({ "volumes": [{ "name": "v", "persistentVolumeClaim": { "claimName": "data" } }] }))
}

fn claim(class: &str, volume: &str) -> Value {
    let phase = if volume.is_empty() { "Pending" } else { "Bound" };
    json!({
        "metadata": { "name": "data", "namespace": "default" },
        "spec": {
            "storageClassName": class, "volumeName": volume, "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "1Gi" } },
        },
        "status": { "phase": phase },
    })
}

fn volume(name: &str, size: &str, zone: &str) -> Value {
    let term = json!({ "matchExpressions": [{ "key": "zone", "operator": "In", "values": [zone] }] });
    json!({
        "metadata": { "name": name },
        "spec": {
            "storageClassName": "late", "capacity": { "storage": size }, "accessModes": ["ReadWriteOnce"],
            "nodeAffinity": { "required": { "nodeSelectorTerms": [term] } },
        },
        "status": { "phase": "Available" },
    })
}

fn class(name: &str, mode: &str, provisioner: &str) -> Value {
    json!({ "metadata": { "name": name }, "provisioner": provisioner, "volumeBindingMode": mode })
}

fn table(objects: &[(&str, Value)]) -> Table {
    let zoned = |name: &str, zone: &str| node(name, json!({ "zone": zone }), json!({}));
    let mut table = Table::of(&[zoned("x", "a"), zoned("y", "b")]);
    objects.iter().for_each(|(kind, value)| set(&mut table, kind, value));
    table
}

fn set(table: &mut Table, kind: &str, value: &Value) {
    let held = object(value.clone());
    let (name, now) = (held.meta.name.clone(), table.now);
    match kind {
        "claim" => table.cluster.set_claim("default", &name, Some(Claim::read(&held).unwrap()), now),
        "volume" => table.cluster.set_volume(&name, Some(Volume::read(&held).unwrap()), now),
        _ => table.cluster.set_class(&name, Some(Class::read(&held).unwrap()), now),
    }
}

#[test]
fn claims_that_cannot_be_had_keep_a_pod_waiting() {
    let check = |objects: &[(&str, Value)], expect: &str| {
        assert_eq!(table(objects).comes(&claiming("a")), format!("0/2 nodes are available: {expect}."));
    };
    check(&[], "persistentvolumeclaim \"data\" not found");
    let late = || ("class", class("late", "WaitForFirstConsumer", "kubernetes.io/no-provisioner"));
    let now = || ("class", class("now", "Immediate", "example.com/p"));
    check(&[now(), ("claim", claim("now", ""))], "pod has unbound immediate PersistentVolumeClaims");
    let nothing = "2 node(s) didn't find available persistent volumes to bind. preemption: 0/2 nodes are available: 2 \
                   Preemption is not helpful for scheduling";
    check(&[late(), ("claim", claim("late", ""))], nothing);
    let small = ("volume", volume("small", "1Mi", "a"));
    check(&[late(), ("claim", claim("late", "")), small], nothing);
}

#[test]
fn a_pod_goes_where_its_volume_is() {
    let bound = ("claim", claim("now", "disk"));
    let mut ready = table(&[bound.clone(), ("volume", volume("disk", "1Gi", "b"))]);
    assert_eq!(ready.comes(&claiming("a")), "y");
    let mut lost = table(&[bound, ("volume", volume("disk", "1Gi", "c"))]);
    let found = lost.comes(&claiming("a"));
    assert!(found.contains("2 node(s) didn't match PersistentVolume's node affinity"), "{found}");
}

#[test]
fn a_volume_is_made_for_the_node_and_the_pod_bound_when_it_is_there() {
    let mut table =
        table(&[("class", class("late", "WaitForFirstConsumer", "example.com/p")), ("claim", claim("late", ""))]);
    table.pod(&claiming("a"));
    let Some(Work::Prepare { pod, node, steps }) = table.next() else { panic!("volumes come first") };
    assert_eq!(format!("{steps:?}"), "[Provision { claim: \"data\" }]");
    let mut selected = claim("late", "");
    selected["metadata"]["annotations"] = json!({ "volume.kubernetes.io/selected-node": &*node });
    set(&mut table, "claim", &selected);
    let now = table.now;
    table.cluster.prepared(&pod.key, now);
    assert_eq!(table.outcome(), "nothing");
    let zone = if &*node == "x" { "a" } else { "b" };
    set(&mut table, "volume", &volume("disk", "1Gi", zone));
    set(&mut table, "claim", &claim("late", "disk"));
    assert_eq!(of_work(table.next()).map(|(_, node)| node), Some(node));
}

#[test]
fn a_provisioner_that_gives_up_has_the_pod_tried_again() {
    let mut table =
        table(&[("class", class("late", "WaitForFirstConsumer", "example.com/p")), ("claim", claim("late", ""))]);
    table.pod(&claiming("a"));
    let Some(Work::Prepare { pod, node, .. }) = table.next() else { panic!("volumes come first") };
    let mut selected = claim("late", "");
    selected["metadata"]["annotations"] = json!({ "volume.kubernetes.io/selected-node": &*node });
    set(&mut table, "claim", &selected);
    let now = table.now;
    table.cluster.prepared(&pod.key, now);
    set(&mut table, "claim", &claim("late", ""));
    assert_eq!(table.outcome(), "nothing");
    table.later(2);
    assert!(matches!(table.next(), Some(Work::Prepare { .. })));
}

#[test]
fn the_smallest_volume_that_suits_is_given_and_only_once() {
    let none = class("late", "WaitForFirstConsumer", "kubernetes.io/no-provisioner");
    let mut table = table(&[
        ("class", none),
        ("claim", claim("late", "")),
        ("volume", volume("large", "9Gi", "a")),
        ("volume", volume("right", "2Gi", "a")),
    ]);
    let expect = |volume: &str| format!("x after [Give {{ claim: \"data\", volume: \"{volume}\" }}]");
    assert_eq!(table.comes(&claiming("a")), expect("right"));
    let mut other = claim("late", "");
    other["metadata"]["name"] = json!("data2");
    set(&mut table, "claim", &other);
    let mut second = claiming("b");
    second["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = json!("data2");
    assert_eq!(table.comes(&second), "x after [Give { claim: \"data2\", volume: \"large\" }]");
}
