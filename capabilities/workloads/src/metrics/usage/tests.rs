//! Tables of usages: whose they are, what they say, and which are refused.

use api::{ClusterName, ObjectMeta};
use client::{Object, View};
use serde_json::{Value, json};

use super::{Usage, Usages};

fn read(spec: &Value) -> Result<Usages, String> {
    let usage = json!({ "metadata": { "name": "usage" }, "spec": spec });
    let object = Object::from_json(ClusterName::root(), usage.to_string().into()).unwrap();
    Usage::read(&object).unwrap().0
}

fn pod() -> ObjectMeta {
    let annotations = json!({ "kwok.x-k8s.io/usage-cpu": "250m", "broken": "much" });
    serde_json::from_value(json!({ "name": "web", "namespace": "shop", "annotations": annotations })).unwrap()
}

const BY_ANNOTATION: &str = r#""KEY" in pod.metadata.annotations
    ? Quantity(pod.metadata.annotations["KEY"])
    : Quantity("10m")"#;

#[test]
fn figures_are_constants_or_annotations() {
    let by = |key: &str| json!({ "expression": BY_ANNOTATION.replace("KEY", key) });
    let cases = [
        (json!({ "value": "100m" }), "100m"),
        (json!({ "value": 2 }), "2"),
        (json!({ "expression": "Quantity(\"1.5\")" }), "1500m"),
        (by("kwok.x-k8s.io/usage-cpu"), "250m"),
        (by("none"), "10m"),
        (by("broken"), "10m"),
    ];
    for (figure, expect) in cases {
        let usages = read(&json!({ "usages": [{ "usage": { "cpu": figure } }] })).unwrap();
        let found = usages.figure(&pod(), "main", "cpu").map(|value| value.to_string());
        assert_eq!(found.as_deref(), Some(expect), "{figure}");
        assert!(usages.figure(&pod(), "main", "memory").is_none());
    }
}

#[test]
fn the_first_entry_for_a_container_counts() {
    let usages = read(&json!({ "usages": [
        { "containers": ["side"], "usage": { "cpu": { "value": "1" } } },
        { "usage": { "cpu": { "value": "2" }, "memory": { "value": "1Gi" } } },
    ] }))
    .unwrap();
    let figure = |container, resource| usages.figure(&pod(), container, resource).map(|value| value.to_string());
    assert_eq!(figure("side", "cpu").as_deref(), Some("1"));
    assert_eq!(figure("side", "memory").as_deref(), Some("1Gi"));
    assert_eq!(figure("main", "cpu").as_deref(), Some("2"));
}

#[test]
fn usages_select_pods_by_name_and_namespace() {
    let cases = [
        (json!({}), true),
        (json!({ "matchNames": ["web", "api"] }), true),
        (json!({ "matchNames": ["api"] }), false),
        (json!({ "matchNamespaces": ["shop"] }), true),
        (json!({ "matchNamespaces": ["shop"], "matchNames": ["api"] }), false),
    ];
    for (selector, expect) in cases {
        assert_eq!(read(&json!({ "selector": selector })).unwrap().selects(&pod()), expect, "{selector}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for figure in [
        json!({ "value": "much" }),
        json!({}),
        json!({ "expression": "pod.SinceSecond() * Quantity(\"1\")" }),
        json!({ "expression": BY_ANNOTATION.replacen("KEY", "other", 1) }),
    ] {
        assert!(read(&json!({ "usages": [{ "usage": { "cpu": figure } }] })).is_err(), "{figure}");
    }
}
