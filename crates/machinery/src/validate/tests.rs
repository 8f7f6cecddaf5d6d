//! Tables of metadata and the causes it is refused with.

use api::{KindDescriptor, ObjectMeta};
use serde_json::json;

use super::*;
use crate::fixtures::kind;

fn check(kind: &KindDescriptor, meta: serde_json::Value, expect: &[&str]) {
    let meta: ObjectMeta = serde_json::from_value(meta).unwrap();
    let got: Vec<String> =
        metadata(kind, &meta).into_iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    assert_eq!(got, expect, "{meta:?}");
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_KEY: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

#[test]
fn names_follow_the_rule_of_their_kind() {
    let pods = kind("", "Pod");
    check(&pods, json!({"name": "a.b-c", "namespace": "x"}), &[]);
    check(
        &pods,
        json!({"name": "Foo", "namespace": "x"}),
        &[&format!("metadata.name: Invalid value: \"Foo\": {SUBDOMAIN}")],
    );
    check(&pods, json!({"namespace": "x"}), &["metadata.name: Required value: name or generateName is required"]);
    check(&pods, json!({"name": "a-x1", "generateName": "a-", "namespace": "x"}), &[]);
    check(&pods, json!({"name": "a"}), &["metadata.namespace: Required value"]);
    let namespaces = kind("", "Namespace");
    check(&namespaces, json!({"name": "a.b"}), &["metadata.name: Invalid value: \"a.b\": must not contain dots"]);
    check(
        &namespaces,
        json!({"name": "a", "namespace": "b"}),
        &["metadata.namespace: Forbidden: not allowed on this type"],
    );
    let roles = kind("rbac.authorization.k8s.io", "ClusterRole");
    check(&roles, json!({"name": "system:controller:X"}), &[]);
    check(&roles, json!({"name": "a/b"}), &["metadata.name: Invalid value: \"a/b\": may not contain '/'"]);
    let jobs = kind("batch", "CronJob");
    let long = "a".repeat(53);
    check(
        &jobs,
        json!({"name": long, "namespace": "x"}),
        &[&format!("metadata.name: Invalid value: \"{long}\": must be no more than 52 characters")],
    );
}

#[test]
fn labels_annotations_and_finalizers() {
    let pods = kind("", "Pod");
    let with = |field: &str, value: serde_json::Value| json!({"name": "a", "namespace": "x", field: value});
    check(
        &pods,
        with("labels", json!({"a b": "ok"})),
        &[&format!("metadata.labels: Invalid value: \"a b\": name part {LABEL_KEY}")],
    );
    check(&pods, with("labels", json!({"example.com/Name_1": "", "x": "v.1"})), &[]);
    check(
        &pods,
        with("labels", json!({"/a": "b"})),
        &["metadata.labels: Invalid value: \"/a\": prefix part must be non-empty"],
    );
    check(&pods, with("annotations", json!({"Example.COM/x": "any \n text"})), &[]);
    check(
        &pods,
        with("annotations", json!({"x": "y".repeat(262_144)})),
        &["metadata.annotations: Too long: may not be more than 262144 bytes"],
    );
    check(
        &pods,
        with("finalizers", json!(["orphan", "foregroundDeletion"])),
        &[
            "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer orphan and foregroundDeletion cannot be both set",
        ],
    );
}

#[test]
fn owners() {
    let pods = kind("", "Pod");
    let owner = |name: &str| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": "1", "controller": true});
    let with = |owners: serde_json::Value| json!({"name": "a", "namespace": "x", "ownerReferences": owners});
    check(&pods, with(json!([owner("a")])), &[]);
    check(
        &pods,
        with(json!([{"kind": "Node", "name": "n", "apiVersion": "v1"}])),
        &[r#"metadata.ownerReferences.uid: Invalid value: "": must not be empty"#],
    );
    let causes = metadata(&pods, &serde_json::from_value(with(json!([owner("a"), owner("b")]))).unwrap());
    assert_eq!(causes.len(), 1);
    assert!(causes[0].message.ends_with(
        "Only one reference can have Controller set to true. Found \"true\" in references for ReplicaSet/a and ReplicaSet/b"
    ));
}

#[test]
fn updates_keep_names_and_add_no_finalizers_while_deleting() {
    let pods = kind("", "Pod");
    let old: ObjectMeta =
        serde_json::from_value(json!({"name": "a", "namespace": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}))
            .unwrap();
    let mut new = old.clone();
    assert_eq!(metadata_update(&pods, &new, &old), []);
    new.name = "b".into();
    new.finalizers = vec!["example.com/x".into()];
    let got: Vec<String> = metadata_update(&pods, &new, &old).into_iter().map(|cause| cause.message).collect();
    assert_eq!(
        got,
        [
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"example.com/x\"}",
            "Invalid value: \"b\": field is immutable"
        ]
    );
}

#[test]
fn much_that_is_wrong_is_told_in_few_causes() {
    let many = 100_000;
    let owner = OwnerReference { controller: Some(true), ..OwnerReference::default() };
    let names: Vec<String> = (0..many).map(|at| format!("/{at}")).collect();
    let texts: BTreeMap<String, String> = names.iter().map(|name| (name.clone(), name.clone())).collect();
    let found = [
        owner_references(&vec![OwnerReference::default(); many], "f"),
        owner_references(&vec![owner; many], "f"),
        finalizers(&names, "f"),
        labels(&texts, "f"),
        annotations(&texts, "f"),
    ];
    for causes in found {
        assert!((400..600).contains(&causes.len()), "{}", causes.len());
        let status = api::Status::invalid("", "Thing", &"n".repeat(1 << 20), causes);
        assert!(status.message.len() < 300_000 && status.causes.len() > 1);
    }
}
