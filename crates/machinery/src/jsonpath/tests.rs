//! Tables of paths and what they find.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn object() -> Value {
    json!({
        "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
        "spec": {"replicas": 3, "ports": [{"port": 80, "name": "a"}, {"port": 443, "name": "b"}, {"port": 8080}]},
        "status": {"conditions": [
            {"type": "Synced", "status": "False"},
            {"type": "Ready", "status": "True", "reason": "It's fine"}
        ]}
    })
}

#[test]
fn paths_find() {
    for (path, expect) in [
        (".spec.replicas", json!([3])),
        ("{.spec.replicas}", json!([3])),
        ("spec.replicas", json!([3])),
        ("$.spec['replicas']", json!([3])),
        (".metadata.labels['app.kubernetes.io/name']", json!(["web"])),
        (".metadata.labels.app\\.kubernetes\\.io/name", json!(["web"])),
        (".spec.ports[0].port", json!([80])),
        (".spec.ports[-1].port", json!([8080])),
        (".spec.ports[9].port", json!([])),
        (".spec.ports[*].port", json!([80, 443, 8080])),
        (".spec.ports.*.name", json!(["a", "b"])),
        (".spec.ports[0:2].port", json!([80, 443])),
        (".spec.ports[::2].port", json!([80, 8080])),
        (".spec.ports[0,2].port", json!([80, 8080])),
        ("..port", json!([80, 443, 8080])),
        (".status.conditions[?(@.type==\"Ready\")].status", json!(["True"])),
        (".status.conditions[?(@.type=='Ready')].status", json!(["True"])),
        (".status.conditions[?(@.type != 'Ready')].status", json!(["False"])),
        (".status.conditions[?(@.reason)].type", json!(["Ready"])),
        (".status.conditions[?(@.reason==\"It's fine\")].type", json!(["Ready"])),
        (".spec.ports[?(@.port>80)].port", json!([443, 8080])),
        (".spec.ports[?(@.port>=443)].port", json!([443, 8080])),
        (".spec.ports[?(@.port<=80)].name", json!(["a"])),
        (".missing.path[0]", json!([])),
        ("", json!([object()])),
    ] {
        let parsed = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(json!(parsed.find(&object())), expect, "{path}");
    }
}

#[test]
fn paths_are_refused() {
    for path in ["{.a", ".a[", ".a[x]", ".a[?(@.b==)]", ".a b", ".a[?(@.b[?(@.c)])]", ".a\\", ".a[1:2:3:4]"] {
        assert!(JsonPath::parse(path).is_err(), "{path}");
    }
}

#[test]
fn fields_of_plain_paths() {
    assert_eq!(JsonPath::parse(".spec.replicas").unwrap().fields(), Some(vec!["spec", "replicas"]));
    assert_eq!(JsonPath::parse(".spec.ports[0]").unwrap().fields(), None);
}

proptest! {
    #[test]
    fn parsing_never_panics(path in "[.a-c*\\[\\]?(@)='\"0-9:,<>!{}$\\\\ -]{0,24}|.{0,16}") {
        if let Ok(path) = JsonPath::parse(&path) {
            let _ = path.find(&object());
        }
    }
}
