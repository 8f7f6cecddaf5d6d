//! Tables of what counts as a difference and what does not.

use serde_json::{Value, json};

use super::*;

fn schema(kind: &str) -> Option<Schema<'_>> {
    (!kind.is_empty()).then(|| (api::builtin::types(), kind))
}

fn check(kind: &str, desired: Value, live: Value, expect: &[&str]) {
    let found = after_apply(&desired, &live, None, schema(kind), &[]);
    let found: Vec<String> = found.iter().map(Difference::to_string).collect();
    assert_eq!(found, expect, "{desired} on {live}");
    assert_eq!(equal_after_apply(&desired, &live, None, schema(kind)), expect.is_empty());
}

const POD: &str = "io.k8s.api.core.v1.Pod";

#[test]
fn spellings_are_no_differences() {
    let container = |limits: Value| json!({"spec": {"containers": [{"name": "a", "resources": {"limits": limits}}]}});
    check(
        POD,
        container(json!({"cpu": "1000m", "memory": "1024Mi"})),
        container(json!({"cpu": "1", "memory": "1Gi"})),
        &[],
    );
    check(POD, container(json!({"cpu": 1})), container(json!({"cpu": "1"})), &[]);
    check(
        "",
        json!({"spec": {"resources": {"requests": {"cpu": "0.5"}}}}),
        json!({"spec": {"resources": {"requests": {"cpu": "500m"}}}}),
        &[],
    );
    check("", json!({"spec": {"a": 1.0, "b": null}}), json!({"spec": {"a": 1}}), &[]);
    check("", json!({"spec": {"l": []}}), json!({"spec": {}}), &[]);
    check(POD, json!({"spec": {"nodeSelector": {}, "hostNetwork": false, "volumes": null}}), json!({"spec": {}}), &[]);
    check(
        "",
        json!({"metadata": {"annotations": {}, "labels": null, "creationTimestamp": null}}),
        json!({"metadata": {"uid": "1"}}),
        &[],
    );
    check("", json!({"metadata": {"namespace": "x"}}), json!({"metadata": {"name": "a"}}), &[]);
    check("", json!({"status": {"a": 1}}), json!({"status": {"a": 2}}), &[]);
    check("", json!({"kind": "ClusterRole", "rules": null}), json!({"kind": "ClusterRole"}), &[]);
    check(
        "io.k8s.api.core.v1.Secret",
        json!({"kind": "Secret", "stringData": {"a": "b"}, "type": "Opaque"}),
        json!({"kind": "Secret", "data": {"a": "Yg=="}, "type": "Opaque"}),
        &[],
    );
    check(
        "io.k8s.api.core.v1.ConfigMap",
        json!({"binaryData": {"a": "YWJj\r\nZGVm\n"}, "data": {"a": "b\n"}}),
        json!({"binaryData": {"a": "YWJjZGVm"}, "data": {"a": "b\n"}}),
        &[],
    );
}

#[test]
fn defaults_and_other_managers_are_no_differences() {
    check(
        "io.k8s.api.apps.v1.Deployment",
        json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}}),
        json!({"spec": {"replicas": 3, "strategy": {"type": "RollingUpdate"},
            "template": {"metadata": {"creationTimestamp": null}, "spec": {"containers": [{"name": "sidecar"}, {"name": "a", "image": "x", "imagePullPolicy": "Always"}]}}}}),
        &[],
    );
}

#[test]
fn differences_are_told() {
    check(
        POD,
        json!({"spec": {"containers": [{"name": "a", "image": "2"}]}}),
        json!({"spec": {"containers": [{"name": "a", "image": "1"}]}}),
        &["spec.containers[0].image: 1 → 2"],
    );
    check(
        "",
        json!({"spec": {"a.b": {"c": [1, 2]}}}),
        json!({"spec": {"a.b": {"c": [1]}}}),
        &["spec['a.b'].c[1]: (none) → 2"],
    );
    check(
        "",
        json!({"spec": {"namespaceSelector": {}}}),
        json!({"spec": {}}),
        &["spec.namespaceSelector: (none) → {}"],
    );
    check("", json!({"spec": {"value": "1"}}), json!({"spec": {"value": 1}}), &["spec.value: 1 → 1"]);
    check(
        "",
        json!({"kind": "Secret", "stringData": {"a": "new"}}),
        json!({"kind": "Secret", "data": {"a": "b2xk"}}),
        &["data.a: ++++++++ → +++++++++"],
    );
    let last = json!({"spec": {"gone": 1}});
    let found = after_apply(&json!({"spec": {}}), &json!({"spec": {"gone": 1}}), Some(&last), None, &[]);
    assert_eq!(found, [Difference { path: "spec.gone".into(), before: Some(json!(1)), after: None }]);
}

#[test]
fn ignored_places_are_no_differences() {
    let (desired, live) = (json!({"spec": {"a/b": 1, "l": [{"x": 1}]}}), json!({"spec": {"a/b": 2, "l": [{"x": 2}]}}));
    let ignored = |pointers: &[&str]| {
        let pointers: Vec<String> = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
        after_apply(&desired, &live, None, None, &pointers).len()
    };
    assert_eq!(ignored(&[]), 2);
    assert_eq!(ignored(&["/spec/a~1b"]), 1);
    assert_eq!(ignored(&["/spec/a~1b", "/spec/l/0/x"]), 0);
    assert_eq!(ignored(&["/spec"]), 0);
    assert_eq!(ignored(&["/missing/path", "bad", ""]), 2);
}
