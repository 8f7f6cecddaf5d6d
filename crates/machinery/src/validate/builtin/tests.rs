//! The rules against tables of objects and what Kubernetes 1.36 says of them.

use std::collections::BTreeSet;

use api::{Cause, KindDescriptor};
use serde_json::{Value, json};

use super::{Object, builtin_create, builtin_update};

/// Fields whose rules are of metadata, of admission, or not ours to check.
const ELSEWHERE: &[&str] = &["metadata.labels", "metadata.name"];

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn kind_of(row: &Value) -> &'static KindDescriptor {
    let (api, plural) = (row["api"].as_str().unwrap(), row["plural"].as_str().unwrap());
    let is_named = |kind: &&std::sync::Arc<KindDescriptor>| kind.gvk.api_version() == api && &*kind.plural == plural;
    api::builtin::kinds().iter().find(is_named).unwrap()
}

fn defaulted(kind: &KindDescriptor, object: &Value) -> Object {
    let mut object = object.as_object().unwrap().clone();
    crate::defaults::apply(api::builtin::types(), &kind.type_name, &mut object);
    object
}

/// A cause without what only a Go program can print: differences of its structs, and
/// structs as values.
fn comparable(field: &str, reason: &str, message: &str) -> String {
    let line = message.split('\n').next().unwrap_or_default();
    let starts = ["Invalid value: {", "Unsupported value: {", "Duplicate value: {"];
    let line = match starts.iter().find(|start| line.starts_with(*start)) {
        Some(start) => format!("{start}…{}", line.rsplit_once('}').map_or("", |(_, rest)| rest)),
        None => line.to_owned(),
    };
    format!("{field} [{reason}] {line}")
}

fn wanted(row: &Value) -> BTreeSet<String> {
    let causes = row["causes"].as_array().unwrap().iter();
    let text = |cause: &Value, name: &str| cause[name].as_str().unwrap_or_default().to_owned();
    let causes = causes.map(|cause| (text(cause, "field"), text(cause, "reason"), text(cause, "message")));
    causes.map(|(field, reason, message)| comparable(&field, &reason, &message)).collect()
}

fn held(causes: &[Cause]) -> BTreeSet<String> {
    causes.iter().map(|cause| comparable(&cause.field, &cause.reason, &cause.message)).collect()
}

fn compare(rows: &[Value], judge: impl Fn(&Value) -> Vec<Cause>) {
    let mut failures = Vec::new();
    for row in rows {
        let is_elsewhere = |cause: &str| {
            let field = cause.split(' ').next().unwrap_or_default();
            ELSEWHERE.contains(&field) && !cause.contains("priority class")
        };
        let (mut wanted, held) = (wanted(row), held(&judge(row)));
        wanted.retain(|cause| !is_elsewhere(cause));
        if wanted != held {
            failures.push(format!("{}\n  wanted {wanted:#?}\n  got {held:#?}", row["case"]));
        }
    }
    assert!(failures.is_empty(), "{} of {}\n{}", failures.len(), rows.len(), failures.join("\n"));
}

#[test]
fn new_objects_are_judged_as_kubernetes_judges_them() {
    compare(&rows(include_str!("tests/create.json")), |row| {
        let kind = kind_of(row);
        let mut object = defaulted(kind, &row["given"]);
        if &*kind.plural == "jobs" && object["spec"]["manualSelector"] == json!(false) {
            // The server gives a job its selector before it is judged.
            let uid = "0";
            object["metadata"]["uid"] = json!(uid);
            object["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = json!(uid);
            let labels = &mut object["spec"]["template"]["metadata"]["labels"];
            labels["batch.kubernetes.io/controller-uid"] = json!(uid);
        }
        if &*kind.plural == "services"
            && let Some(ip) = object["spec"].get("clusterIP").cloned()
        {
            object["spec"].as_object_mut().unwrap().entry("clusterIPs").or_insert(json!([ip]));
        }
        builtin_create(kind, &object)
    });
}

#[test]
fn changes_are_judged_as_kubernetes_judges_them() {
    compare(&rows(include_str!("tests/update.json")), |row| {
        let kind = kind_of(row);
        builtin_update(kind, row["old"].as_object().unwrap(), &defaulted(kind, &row["new"]))
    });
}

#[test]
fn nothing_panics_on_odd_shapes() {
    let odd = [json!({}), json!({"spec": null}), json!({"spec": []}), json!({"spec": {"template": 1, "selector": []}})];
    for kind in api::builtin::kinds() {
        for object in &odd {
            let object = object.as_object().unwrap();
            builtin_create(kind, object);
            builtin_update(kind, object, object);
        }
    }
}
