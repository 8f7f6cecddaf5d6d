//! What is merged on this side, and that it comes to rest.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{created, is_needed, merged};
use crate::migrate;

fn pod(env: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "env": env}]}})
}

fn twice() -> Value {
    pod(json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]))
}

fn kind() -> Arc<api::KindDescriptor> {
    let mut kinds = api::builtin::kinds().iter();
    kinds.find(|kind| &*kind.gvk.kind == "Pod").expect("pods are built in").clone()
}

#[test]
fn only_what_is_listed_twice_needs_it() {
    let check = |object: Value, expect: bool| assert_eq!(is_needed(&object, &kind()), expect, "{object}");
    check(twice(), true);
    check(pod(json!([{"name": "A"}, {"name": "B"}])), false);
    // What does not fit at all is for the server to refuse.
    check(pod(json!([{"name": "A"}, {"name": "A", "unknown": 1}])), false);
}

#[test]
fn it_comes_to_rest_and_back() {
    let live = created(&twice());
    assert_eq!(merged(&twice(), &live, &kind()), None);

    let mut applied = pod(json!([{"name": "A", "value": "1"}]));
    applied["metadata"]["managedFields"] = json!([{
        "manager": "argocd-controller", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}}}}},
    }]);
    let over = merged(&twice(), &applied, &kind()).expect("it differs");
    assert_eq!(over["spec"], twice()["spec"]);
    assert!(!migrate::is_owned(&over));
    assert_eq!(merged(&twice(), &over, &kind()), None);
    let back = migrate::to_server_side(&over).expect("the record says what was applied");
    assert!(migrate::is_owned(&back));
}

#[test]
fn what_applications_wrote_without_a_record_is_theirs() {
    let written_by = |manager: &str| {
        let mut live = pod(json!([{"name": "A"}]));
        live["metadata"]["managedFields"] = json!([{
            "manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:containers": {}}},
        }]);
        live
    };
    let ours = migrate::to_server_side(&written_by("argocd-controller")).expect("it is theirs");
    assert!(migrate::is_owned(&ours));
    assert_eq!(migrate::to_server_side(&written_by("kubectl-client-side-apply")), None);
    assert_eq!(migrate::to_server_side(&written_by("another")), None);
}
