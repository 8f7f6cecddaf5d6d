//! Scales and statuses of custom objects against what a real kube-apiserver
//! answered. The table stands in `testdata`.

use std::sync::Arc;

use api::Cause;
use bytes::Bytes;
use machinery::structural::Schema;
use serde_json::{Value, json};

use super::{admit, validate, validate_status};
use crate::crd;
use crate::registry::Kind;
use crate::tree::Tree;

fn tree(value: Value) -> Tree {
    value.as_object().expect("an object").clone()
}

/// A kind whose scale and status are subresources.
fn kind() -> Kind {
    let open = "x-kubernetes-preserve-unknown-fields";
    let definition = tree(json!({"spec": {
        "group": "example.com", "scope": "Cluster",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
        "versions": [{
            "name": "v1", "served": true, "storage": true,
            "subresources": {"status": {}, "scale": {
                "specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n", "labelSelectorPath": ".status.sel",
            }},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", open: true},
                "status": {"type": "object", open: true, "required": ["ok"], "properties": {
                    "ok": {"type": "string", "maxLength": 2},
                    "sel": {"type": "string"},
                    "l": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                }},
            }}},
        }],
    }}));
    let compiled = |schema: &Value| Arc::new(Schema::compile(schema, "").expect("a valid schema"));
    let read = crd::read(&definition, "things.example.com", Bytes::new(), &compiled).expect("it is valid");
    let descriptor = read.served().next().expect("it is served").clone();
    Kind { descriptor, definition: Some(Arc::new(read)) }
}

fn sorted(causes: &[Cause]) -> Vec<(String, String, String)> {
    let mut list: Vec<_> =
        causes.iter().map(|cause| (cause.field.clone(), cause.message.clone(), cause.reason.clone())).collect();
    list.sort();
    list
}

#[test]
fn scales_and_statuses_are_judged_as_kubernetes_judges_them() {
    let kind = kind();
    let table: Vec<Value> = serde_json::from_str(include_str!("testdata/scale.json")).expect("a table");
    let whole = |fields: &Value| {
        let mut object = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}});
        object.as_object_mut().expect("an object").extend(tree(fields.clone()));
        tree(object)
    };
    for case in table {
        let expect: Vec<Cause> = serde_json::from_value(case["causes"].clone()).expect("causes");
        let causes = match case.get("status") {
            Some(status) => {
                let mut object = whole(&json!({"spec": {}, "status": status}));
                admit(&kind, &mut object).expect("it is well formed");
                validate_status(&kind, &object, &whole(&json!({"spec": {}})))
            }
            None => {
                let mut object = whole(&case["object"]);
                // A status is not taken from who creates an object.
                object.remove("status");
                admit(&kind, &mut object).expect("it is well formed");
                validate(&kind, &object, None)
            }
        };
        assert_eq!(sorted(&causes), sorted(&expect), "{case}");
    }
}
