//! Tests of the status of a namespace under deletion.

use api::ClusterName;
use serde_json::json;

use super::*;

fn object(finalizers: &[&str]) -> Object {
    let json = json!({ "metadata": { "name": "x", "finalizers": finalizers } });
    Object::from_json(ClusterName::root(), json.to_string().into()).unwrap()
}

/// Conditions in short: `Type=Status Reason: message`.
fn short(status: &Value) -> Vec<String> {
    let text = |held: &Value, field: &str| held[field].as_str().unwrap_or_default().to_owned();
    let describe = |held: &Value| {
        let kind = text(held, "type").trim_start_matches("Namespace").to_owned();
        format!("{kind}={} {}: {}", text(held, "status"), text(held, "reason"), text(held, "message"))
    };
    status["conditions"].as_array().into_iter().flatten().map(describe).collect()
}

const DISCOVERED: &str = "DeletionDiscoveryFailure=False ResourcesDiscovered: All resources successfully discovered";
const PARSED: &str =
    "DeletionGroupVersionParsingFailure=False ParsedGroupVersions: All legacy kube types successfully parsed";
const DELETED: &str =
    "DeletionContentFailure=False ContentDeleted: All content successfully deleted, may be waiting on finalization";
const REMOVED: &str = "ContentRemaining=False ContentRemoved: All content successfully removed";
const NO_FINALIZERS: &str =
    "FinalizersRemaining=False ContentHasNoFinalizers: All content-preserving finalizers finished";

#[test]
fn nothing_left() {
    let active = json!({ "phase": "Terminating" });
    assert_eq!(conditions::decide(active.clone(), &Contents::default(), false, "t1"), active);
    let held = conditions::decide(active, &Contents::default(), true, "t1");
    assert_eq!(short(&held), [DISCOVERED, PARSED, DELETED, REMOVED, NO_FINALIZERS]);
    // Conditions once written are kept true.
    let later = conditions::decide(held.clone(), &Contents::default(), false, "t2");
    assert_eq!(later, held);
}

#[test]
fn something_left() {
    let mut contents = Contents::default();
    let widgets = Gvr::new("example.dev", "v1", "widgets");
    contents.count(&widgets, &object(&["b/second", "a/first"]), "7");
    contents.count(&widgets, &object(&["a/first"]), "7");
    contents.count(&Gvr::new("", "v1", "pods"), &object(&[]), "8");
    let status = conditions::decide(Value::Null, &contents, false, "t1");
    assert_eq!(status["phase"], "Terminating");
    assert_eq!(short(&status)[..3], [DISCOVERED, PARSED, DELETED]);
    assert_eq!(
        short(&status)[3..],
        [
            "ContentRemaining=True SomeResourcesRemain: Some resources are remaining: \
             pods. has 1 resource instances, widgets.example.dev has 2 resource instances",
            "FinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: \
             a/first in 2 resource instances, b/second in 1 resource instances",
        ]
    );
}

#[test]
fn failures() {
    let mut contents = Contents::default();
    contents.errors.extend(["b".to_owned(), "a".to_owned()]);
    contents.discovery_failed(Status::unavailable("no discovery"));
    let status = conditions::decide(Value::Null, &contents, false, "t1");
    assert_eq!(short(&status)[0], "DeletionDiscoveryFailure=True DiscoveryFailed: no discovery");
    assert_eq!(
        short(&status)[2],
        "DeletionContentFailure=True ContentDeletionFailed: Failed to delete all resource types, 2 remaining: a, b"
    );
    assert_eq!(contents.failure().unwrap(), "no discovery");
}
