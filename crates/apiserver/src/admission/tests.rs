//! The plug-ins' pure parts, against what kube-apiserver 1.36 does.

use serde_json::{Value, json};

use super::{newest, plugins};
use crate::tree::Tree;

fn class(name: &str, made: &str, default: bool) -> Tree {
    let annotations = if default { json!({"is-default": "true"}) } else { json!({"is-default": "false"}) };
    let object = json!({"metadata": {"name": name, "creationTimestamp": made, "annotations": annotations}});
    object.as_object().cloned().unwrap()
}

#[test]
fn the_newest_default_counts() {
    let check = |classes: &[Tree], expect: Option<&str>| {
        assert_eq!(newest::default_of(classes, &["is-default"]).as_deref(), expect);
    };
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    check(&[], None);
    check(&[class("a", early, false)], None);
    check(&[class("a", early, true), class("b", late, true)], Some("b"));
    check(&[class("b", late, true), class("a", late, true)], Some("a"));
    check(&[class("a", early, true), class("b", late, false)], Some("a"));
}

#[test]
fn plug_ins_have_kubernetes_names() {
    let names: Vec<Value> = plugins().map(Value::from).collect();
    let expected = [
        "ServiceAccount",
        "Priority",
        "DefaultTolerationSeconds",
        "PersistentVolumeClaimResize",
        "DefaultStorageClass",
        "DefaultIngressClass",
        "PodTopologyLabels",
    ];
    assert_eq!(names, expected);
}
