//! Definitions take effect in the order in which they were committed, whichever
//! task comes first.

use std::sync::Arc;

use api::{ClusterName, Gvr};
use bytes::Bytes;
use machinery::structural::Schema;
use serde_json::{Value, json};

use super::Registry;
use crate::crd::{self, Definition};

fn established(names: &Value) -> Value {
    json!({"acceptedNames": names, "conditions": [{"type": "Established", "status": "True"}]})
}

fn definition_of(object: Value, name: &str) -> Definition {
    let body = Bytes::from(object.to_string());
    let compiled = |schema: &Value| Arc::new(Schema::compile_stored(schema));
    let tree = object.as_object().expect("it is an object");
    crd::read(tree, name, body, &compiled).expect("it is valid")
}

#[test]
fn of_two_that_were_given_one_name_the_later_loses_it() {
    let root = ClusterName::root();
    let definition = |plural: &str, created: &str| {
        let names = json!({"plural": plural, "kind": "Thing"});
        let object = json!({
            "metadata": {"creationTimestamp": created},
            "spec": {"group": "x.dev", "scope": "Cluster", "names": names,
                "versions": [{"name": "v1", "served": true, "storage": true}]},
            "status": established(&names),
        });
        definition_of(object, &format!("{plural}.x.dev"))
    };
    let early = definition("early", "2026-01-01T00:00:00Z");
    let late = definition("late", "2026-01-01T00:00:01Z");
    for order in [[&early, &late], [&late, &early]] {
        let registry = Registry::new(&[]);
        assert!(!registry.define(&root, order[0].clone(), 10));
        assert!(registry.define(&root, order[1].clone(), 11));
        let serves = |plural: &str| registry.resource(&root, &Gvr::new("x.dev", "v1", plural)).is_some();
        assert!(serves("early") && !serves("late"));
        assert_eq!(registry.waiting(&root), ["late.x.dev"]);
        assert!(registry.names_used(&root, "x.dev", "late.x.dev").kinds.contains("Thing"));
        assert!(registry.names_used(&root, "x.dev", "early.x.dev").kinds.is_empty());
    }
}

#[test]
fn an_older_change_that_comes_later_changes_nothing() {
    let (registry, root) = (Registry::new(&[]), ClusterName::root());
    let definition = |version: &str| {
        let object = json!({"spec": {
            "group": "x.dev", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": version, "served": true, "storage": true}],
        }, "status": established(&json!({"plural": "things", "kind": "Thing"}))});
        definition_of(object, "things.x.dev")
    };
    let serves = |version: &str| registry.resource(&root, &Gvr::new("x.dev", version, "things")).is_some();
    registry.define(&root, definition("v2"), 11);
    registry.define(&root, definition("v1"), 10);
    assert!(serves("v2") && !serves("v1"), "the newer state stands");
    registry.undefine(&root, "things.x.dev", 9);
    assert!(serves("v2"), "the removal was of an earlier definition");
    registry.undefine(&root, "things.x.dev", 12);
    assert!(!serves("v2"));
    registry.define(&root, definition("v3"), 11);
    assert!(!serves("v3"), "it was removed since");
}
