//! Tables of stages: which objects they are for, when they are due, and which
//! stages are refused.

use std::time::Duration;

use api::ClusterName;
use client::{Object, View};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Rule, Stage};

fn read(mut spec: Value) -> Result<Rule, String> {
    let fields = spec.as_object_mut().unwrap();
    fields.entry("resourceRef").or_insert(json!({ "apiGroup": "v1", "kind": "Pod" }));
    fields.entry("selector").or_insert(json!({}));
    fields.entry("next").or_insert(json!({}));
    let stage = json!({ "metadata": { "name": "stage" }, "spec": spec });
    let object = Object::from_json(ClusterName::root(), stage.to_string().into()).unwrap();
    Stage::read(&object).unwrap().0
}

fn pod() -> Value {
    json!({
        "metadata": { "labels": { "app": "web" }, "annotations": { "wait": "3s", "until": "2026-01-01T00:00:20Z" } },
        "status": { "phase": "Running" },
    })
}

#[test]
fn selectors_are_conjunctions() {
    let expression = |key: &str, operator: &str, values: &[&str]| json!({ "matchExpressions": [{ "key": key, "operator": operator, "values": values }] });
    let cases = [
        (json!({}), true),
        (json!({ "matchLabels": { "app": "web" } }), true),
        (json!({ "matchLabels": { "app": "other" } }), false),
        (json!({ "matchAnnotations": { "wait": "3s" } }), true),
        (json!({ "matchLabels": { "app": "web" }, "matchAnnotations": { "wait": "4s" } }), false),
        (expression(".status.phase", "In", &["Pending", "Running"]), true),
        (expression(".status.phase", "NotIn", &["Pending"]), true),
        (expression(".status.podIP", "In", &["10.0.0.1"]), false),
        (expression(".status.podIP", "NotIn", &["10.0.0.1"]), true),
        (expression(".metadata.deletionTimestamp", "Exists", &[]), false),
        (expression(".metadata.deletionTimestamp", "DoesNotExist", &[]), true),
    ];
    for (selector, expect) in cases {
        let rule = read(json!({ "selector": selector })).unwrap();
        assert_eq!(rule.matches(&pod()), expect, "{selector}");
    }
}

#[test]
fn delays_are_fixed_or_stated_by_the_object() {
    let from = |path: &str| json!({ "expressionFrom": path });
    let cases = [
        (json!({}), 0.5, 0),
        (json!({ "durationMilliseconds": 1000 }), 0.5, 1_000),
        (json!({ "durationMilliseconds": 1000, "jitterDurationMilliseconds": 3000 }), 0.5, 2_000),
        (json!({ "durationMilliseconds": 5000, "jitterDurationMilliseconds": 3000 }), 0.5, 3_000),
        (json!({ "durationMilliseconds": 1000, "durationFrom": from(".metadata.annotations.wait") }), 0.0, 3_000),
        (json!({ "durationMilliseconds": 1000, "durationFrom": from(".metadata.annotations.none") }), 0.0, 1_000),
        (json!({ "durationFrom": from(".metadata.annotations.until") }), 0.0, 20_000),
        (json!({ "durationMilliseconds": 0, "jitterDurationFrom": from(".metadata.annotations.until") }), 0.25, 5_000),
    ];
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for (delay, chance, expect) in cases {
        let due = read(json!({ "delay": delay })).unwrap().due(&pod(), now, chance);
        assert_eq!(due, now + Duration::from_millis(expect), "{delay}");
    }
}

#[test]
fn weights_are_fixed_or_stated_by_the_object() {
    let from = json!({ "expressionFrom": ".metadata.annotations.weight" });
    let rule = read(json!({ "weight": 3, "weightFrom": from })).unwrap();
    assert_eq!(rule.weight(&pod()), 3);
    assert_eq!(rule.weight(&json!({ "metadata": { "annotations": { "weight": "7" } } })), 7);
}

#[test]
fn finalizers_are_added_removed_and_emptied() {
    let held = ["a".to_owned(), "b".to_owned()];
    let cases: [(Value, Option<&[&str]>); 5] = [
        (json!({}), None),
        (json!({ "add": [{ "value": "a" }] }), None),
        (json!({ "add": [{ "value": "c" }] }), Some(&["a", "b", "c"])),
        (json!({ "remove": [{ "value": "a" }] }), Some(&["b"])),
        (json!({ "empty": true }), Some(&[])),
    ];
    for (finalizers, expect) in cases {
        let rule = read(json!({ "next": { "finalizers": finalizers } })).unwrap();
        let expect = expect.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(rule.effects.finalizers.of(&held), expect, "{finalizers}");
    }
}

#[test]
fn what_cannot_be_interpreted_is_refused_with_the_reason() {
    let cases = [
        (json!({ "resourceRef": { "apiGroup": "apps/v1", "kind": "Deployment" } }), "Deployment is not simulated"),
        (json!({ "selector": null }), "spec.selector is missing"),
        (json!({ "selector": { "matchExpressions": [{ "expression": "true" }] } }), "CEL expressions"),
        (json!({ "selector": { "matchExpressions": [{ "key": ".a", "operator": "Has" }] } }), "the operator \"Has\""),
        (json!({ "selector": { "matchExpressions": [{ "key": ".a//.b", "operator": "Exists" }] } }), "not understood"),
        (json!({ "delay": { "durationFrom": { "expressionFrom": "now" } } }), "not understood"),
        (json!({ "next": { "statusTemplate": "{{ range .a }}" } }), "{{ range .a }} is not supported"),
        (json!({ "next": { "patches": [{ "subresource": "scale" }] } }), "\"scale\" is not simulated"),
        (json!({ "next": { "patches": [{ "impersonation": { "username": "a" } }] } }), "impersonation"),
    ];
    for (spec, expect) in cases {
        let why = read(spec.clone()).unwrap_err();
        assert!(why.contains(expect), "{spec}: {why}");
    }
}
