//! Definitions against what a real kube-apiserver answered: what it refuses in
//! which words. The table stands in `testdata`; each line is one question with
//! its answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::Cause;
use bytes::Bytes;
use machinery::structural::Schema;
use serde_json::{Map, Value, json};

use super::check::check;
use super::status::Used;
use super::{Names, default_spec, read, status};

fn sorted(causes: &[Cause]) -> Vec<(String, String)> {
    let mut list: Vec<_> = causes.iter().map(|cause| (cause.field.clone(), comparable(cause))).collect();
    list.sort();
    list
}

/// A cause's message. Where Kubernetes prints the structs of its own program, only what it
/// says of them counts.
fn comparable(cause: &Cause) -> String {
    let is_struct = cause.message.starts_with("Invalid value: [{") || cause.message.starts_with("Invalid value: {");
    let mut text = cause.message.clone();
    for end in ["]: ", "}: "] {
        if let Some(at) = text.rfind(end).filter(|_| is_struct) {
            text = text[at + end.len()..].to_owned();
        }
    }
    text
}

fn tree(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[test]
fn definitions_are_refused_as_kubernetes_refuses_them() {
    let table: Vec<Value> = serde_json::from_str(include_str!("testdata/create.json")).expect("a table");
    let mut different = Vec::new();
    for case in table {
        let mut object = tree(&case["definition"]);
        default_spec(&mut object);
        let name = case["definition"]["metadata"]["name"].as_str().expect("a name");
        let causes = check(&object, None, name, &|_| None).err().map(|status| status.causes).unwrap_or_default();
        let expect: Vec<Cause> = serde_json::from_value(case["causes"].clone()).expect("causes");
        if sorted(&causes) != sorted(&expect) {
            let spec = &case["definition"]["spec"];
            different.push(format!("{spec}\n  got    {:?}\n  expect {:?}", sorted(&causes), sorted(&expect)));
        }
        if let Some(names) = case.get("stored") {
            assert_eq!(&object["spec"]["names"], names);
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
}

fn definition(names: &Value, versions: &Value) -> Map<String, Value> {
    let spec = json!({"group": "example.com", "scope": "Cluster", "names": names, "versions": versions,
        "conversion": {"strategy": "None"}});
    tree(&json!({"metadata": {"name": "things.example.com"}, "spec": spec}))
}

fn version(name: &str, storage: bool) -> Value {
    json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object"}}})
}

fn names() -> Value {
    json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"})
}

#[test]
fn what_objects_hang_on_stays() {
    let mut old = definition(&names(), &json!([version("v1", true)]));
    let status = status::of(&old, &Used::default(), "now");
    old.insert("status".into(), status);
    let cases = [
        (definition(&names(), &json!([version("v1", false), version("v2", true)])), vec![]),
        (
            definition(&names(), &json!([version("v2", true)])),
            vec![("status.storedVersions[0]", "missing from spec.versions; v1 was previously a storage version")],
        ),
        (
            definition(
                &json!({"plural": "things", "singular": "thing", "kind": "Other", "listKind": "ThingList"}),
                &json!([version("v1", true)]),
            ),
            vec![("spec.names.kind", "Invalid value: \"Other\": field is immutable")],
        ),
    ];
    for (new, expect) in cases {
        let causes = check(&new, Some(&old), "things.example.com", &|_| None).err().map(|status| status.causes);
        let causes = causes.unwrap_or_default();
        assert_eq!(causes.len(), expect.len(), "{causes:?}");
        for (cause, (field, message)) in causes.iter().zip(expect) {
            assert!(cause.field == field && cause.message.contains(message), "{cause:?}");
        }
    }
}

#[test]
fn names_are_given_as_kubernetes_gives_them() {
    let mut used = Used::default();
    used.add(&Names { plural: "things".into(), singular: "thing".into(), kind: "Thing".into(), ..Names::default() });
    let others = json!({"plural": "others", "singular": "other", "kind": "Thing", "listKind": "OtherList",
        "shortNames": ["thing", "x", "things"]});
    let mut object = definition(&others, &json!([version("v1", true)]));
    let got = status::of(&object, &used, "t1");
    assert_eq!(
        got["acceptedNames"],
        json!({"plural": "others", "singular": "other", "kind": "", "listKind": "OtherList"})
    );
    assert_eq!(got["storedVersions"], json!(["v1"]));
    let expect = json!([
        {"type": "NamesAccepted", "status": "False", "lastTransitionTime": "t1", "reason": "KindConflict",
            "message": "\"Thing\" is already in use"},
        {"type": "Established", "status": "False", "lastTransitionTime": "t1", "reason": "NotAccepted",
            "message": "not all names are accepted"},
    ]);
    assert_eq!(got["conditions"], expect);
    object.insert("status".into(), got);
    let free = status::of(&object, &Used::default(), "t2");
    let expect = json!([
        {"type": "NamesAccepted", "status": "True", "lastTransitionTime": "t2", "reason": "NoConflicts",
            "message": "no conflicts found"},
        {"type": "Established", "status": "True", "lastTransitionTime": "t2", "reason": "InitialNamesAccepted",
            "message": "the initial names have been accepted"},
    ]);
    assert_eq!(free["conditions"], expect);
    object.insert("status".into(), free);
    let later = status::of(&object, &Used::default(), "t3");
    assert_eq!(later["conditions"], expect, "nothing changes without a reason");
}

#[test]
fn a_protected_group_says_whether_it_was_approved() {
    let spec = json!({"group": "a.k8s.io", "names": names(), "versions": [version("v1", true)]});
    let of = |annotation: &str| {
        let meta = json!({"annotations": {"api-approved.kubernetes.io": annotation}});
        status::of(&tree(&json!({"metadata": meta, "spec": spec})), &Used::default(), "t")["conditions"][2].clone()
    };
    for (annotation, state, reason, message) in [
        ("unapproved, x", "False", "UnapprovedAnnotation", "not approved: \"unapproved, x\""),
        ("https://a/b", "True", "ApprovedAnnotation", "approved in https://a/b"),
    ] {
        let condition = of(annotation);
        assert_eq!(condition["type"], "KubernetesAPIApprovalPolicyConformant");
        assert_eq!((&condition["status"], &condition["reason"]), (&json!(state), &json!(reason)));
        assert_eq!(condition["message"], message);
    }
}

#[test]
fn schemas_are_read_from_the_record_when_asked_for() {
    let schema = json!({"type": "object", "description": "all", "properties": {"spec": {"type": "object"}}});
    let versions = json!([version("v1", false),
        {"name": "v2", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
        {"name": "v3", "served": true, "storage": false}]);
    let mut object = definition(&names(), &versions);
    object.insert("status".into(), status::of(&object, &Used::default(), "now"));
    let body = Bytes::from(serde_json::to_vec(&object).expect("it can be written"));
    let compiled = |schema: &Value| Arc::new(Schema::compile_stored(schema));
    let definition = read(&object, "things.example.com", body, &compiled).expect("it is valid");
    assert_eq!(definition.schema("v2").as_deref(), Some(&schema));
    assert!(definition.schema("v3").is_none() && definition.schema("v4").is_none());
    assert!(definition.structural("v2").is_some_and(|schema| schema.root().field("spec").is_some()));
    let fingerprints: Vec<u64> = ["v1", "v2", "v3"].map(|version| definition.schema_fingerprint(version)).to_vec();
    assert!(fingerprints[0] != fingerprints[1] && fingerprints[2] == 0);
}

fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "yaml" || kind == "yml") {
            found.push(path);
        }
    }
}

/// The platform's own kinds, and where they are at hand those of the field.
#[test]
fn definitions_that_people_use_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    manifests(&root.join("capabilities"), &mut files);
    manifests(&root.join("../shared/data"), &mut files);
    let mut count = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !text.contains("kind: CustomResourceDefinition") {
            continue;
        }
        let Ok(documents) = machinery::yaml::values(&text) else { continue };
        for document in documents.iter().filter(|document| document["kind"] == "CustomResourceDefinition") {
            let mut object = tree(document);
            default_spec(&mut object);
            let name = document["metadata"]["name"].as_str().expect("a name");
            let outcome = check(&object, None, name, &|_| None);
            assert!(outcome.is_ok(), "{}: {:?}", path.display(), outcome.err());
            count += 1;
        }
    }
    assert!(count >= 5, "{count} definitions");
}
