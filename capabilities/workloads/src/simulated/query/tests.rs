//! Tables of queries: what they find, and which are refused.

use serde_json::{Value, json};

use super::Query;

fn pod() -> Value {
    json!({
        "metadata": {
            "name": "web",
            "labels": { "app.kubernetes.io/name": "web" },
            "ownerReferences": [{ "kind": "Job", "name": "a" }, { "kind": "ReplicaSet", "name": "b" }],
            "deletionTimestamp": null,
        },
        "spec": { "hostNetwork": false, "containers": [{ "name": "main", "ports": [80, 443] }] },
        "status": { "conditions": [
            { "type": "Ready", "status": "True" }, { "type": "Initialized", "status": "False" },
        ] },
    })
}

#[test]
fn paths_find_what_is_there() {
    let cases: &[(&str, Value)] = &[
        (".metadata.name", json!(["web"])),
        (".metadata.deletionTimestamp", json!([])),
        (".metadata.nothing.below", json!([])),
        (".metadata.labels[\"app.kubernetes.io/name\"]", json!(["web"])),
        (".metadata.labels.\"app.kubernetes.io/name\"", json!(["web"])),
        (".metadata.ownerReferences.[].kind", json!(["Job", "ReplicaSet"])),
        (".metadata.ownerReferences[].kind", json!(["Job", "ReplicaSet"])),
        (".metadata.ownerReferences[1].name", json!(["b"])),
        (".metadata.ownerReferences[]?.name", json!(["a", "b"])),
        (".spec.hostNetwork", json!([false])),
        (".spec.containers[0].ports.[1]", json!([443])),
        (".status.conditions.[] | select( .type == \"Ready\" ) | .status", json!(["True"])),
        (".status.conditions[] | select(.type != \"Ready\") | .status", json!(["False"])),
        (".status.conditions[] | select(.reason == null) | .type", json!(["Ready", "Initialized"])),
    ];
    for (text, expect) in cases {
        let query = Query::parse(text).unwrap();
        assert_eq!(json!(query.find(&pod())), *expect, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "",
        "metadata",
        ".metadata | keys",
        ".a // .b",
        ".a + .b",
        ".metadata.",
        ".a[1:2]",
        ".a[-1]",
        "select(.a)",
        ".a | select(.b > 1)",
        ".a as $x | $x",
        ".a[\"open",
    ] {
        assert!(Query::parse(text).is_err(), "{text}");
    }
    assert!(Query::parse(".a // .b").unwrap_err().contains("at character 4"));
    assert!(Query::parse(&format!(".{}", "a".repeat(2_000))).is_err());
}
