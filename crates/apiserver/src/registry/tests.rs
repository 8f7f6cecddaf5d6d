//! Definitions take effect in the order in which they were committed, whichever
//! task comes first.

use std::sync::Arc;

use api::{ClusterName, Gvr};
use serde_json::json;

use super::Registry;
use crate::crd;

#[test]
fn an_older_change_that_comes_later_changes_nothing() {
    let (registry, root) = (Registry::new(&[]), ClusterName::root());
    let definition = |version: &str| {
        let object = json!({"spec": {
            "group": "x.dev", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": version, "served": true, "storage": true}],
        }});
        let tree = object.as_object().expect("it is an object");
        Arc::new(crd::read(tree, "things.x.dev", &json!({})).expect("it is valid"))
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
