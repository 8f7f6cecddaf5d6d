//! Normalising, as cases.

use serde_json::json;

use super::{desired, ignored_pointers, is_same, predict, respect_ignored};
use crate::resource::Key;
use crate::types::IgnoreDifference;

#[test]
fn a_secret_is_applied_as_the_server_answers_it() {
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {}, "creationTimestamp": null},
        "data": {"a": "eA=="}, "stringData": {"b": "foo"}, "status": {},
    });
    desired(&mut secret);
    let expect = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA==", "b": "Zm9v"},
    });
    assert_eq!(secret, expect);
}

#[test]
fn what_is_left_to_the_server_is_not_applied() {
    let check = |mut stated: serde_json::Value, expect: serde_json::Value| {
        desired(&mut stated);
        assert_eq!(stated, expect);
    };
    check(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {
            "clusterIP": "", "publishNotReadyAddresses": false, "ports": [{"port": 80, "nodePort": 0, "name": ""}],
        }}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {
            "publishNotReadyAddresses": false, "ports": [{"port": 80}],
        }}),
    );
    check(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
            "replicas": 0, "minReadySeconds": 0, "template": {"spec": {"dnsPolicy": "", "containers": [
                {"name": "a", "imagePullPolicy": "", "env": [{"name": "A", "value": ""}], "securityContext": {"runAsUser": 0}},
            ]}},
        }}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
            "replicas": 0, "template": {"spec": {"containers": [
                {"name": "a", "env": [{"name": "A"}], "securityContext": {"runAsUser": 0}},
            ]}},
        }}),
    );
    check(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": ""}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": ""}}),
    );
    check(
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "r"},
            "roleRef": {"apiGroup": "", "kind": "Role", "name": "r"}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "r"},
            "roleRef": {"kind": "Role", "name": "r"}}),
    );
    check(
        json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": "", "n": 0}}),
        json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": "", "n": 0}}),
    );
}

#[test]
fn what_others_added_is_no_difference() {
    let wanted = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": {"a": "1"},
    });
    let mut live = wanted.clone();
    live["metadata"]["uid"] = json!("u");
    live["metadata"]["labels"] = json!({"added": "by-someone"});
    live["status"] = json!({"x": 1});
    assert!(is_same(&predict(&wanted, &live, None), &live, None, &[]));

    live["data"]["a"] = json!("2");
    assert!(!is_same(&predict(&wanted, &live, None), &live, None, &[]));
    assert!(is_same(&predict(&wanted, &live, None), &live, None, &["/data/a".into()]));

    let mut respected = wanted.clone();
    respect_ignored(&mut respected, &live, &["/data/a".into(), "/data/absent".into()]);
    assert_eq!(respected["data"], json!({"a": "2"}));
}

#[test]
fn what_was_applied_and_is_no_longer_wanted_goes() {
    let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}});
    let mut before = wanted.clone();
    before["data"]["b"] = json!("2");
    let mut live = before.clone();
    live["metadata"]["annotations"] = json!({super::LAST_APPLIED: before.to_string()});
    let predicted = predict(&wanted, &live, None);
    assert_eq!(predicted["data"], json!({"a": "1"}));
    assert!(!is_same(&predicted, &live, None, &[]));
}

#[test]
fn completed_claim_templates_are_no_difference() {
    let wanted = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"},
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]},
    });
    let mut live = wanted.clone();
    live["spec"]["volumeClaimTemplates"][0]["status"] = json!({"phase": "Pending"});
    live["spec"]["volumeClaimTemplates"][0]["spec"]["volumeMode"] = json!("Filesystem");
    assert!(is_same(&predict(&wanted, &live, None), &live, None, &[]));
}

#[test]
fn rules_name_objects_by_patterns() {
    let rule = |group: &str, kind: &str, name: &str| IgnoreDifference {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        json_pointers: vec!["/spec/replicas".into()],
        ..IgnoreDifference::default()
    };
    let key = Key::new("apps", "Deployment", "web", "front");
    for (rule, expect) in [
        (rule("apps", "Deployment", ""), 1),
        (rule("*", "*", ""), 1),
        (rule("apps", "Deployment", "front"), 1),
        (rule("apps", "Deployment", "back"), 0),
        (rule("", "Deployment", ""), 0),
    ] {
        assert_eq!(ignored_pointers(&[rule], &key).len(), expect);
    }
}
