//! The selector that a job is given, so that no two jobs ever select the same pods.

use serde_json::{Map, Value, json};

use super::{child, spec};
use crate::tree::{Tree, meta_of, meta_text};

/// Labels the pods of a job with its uid and selects them by it, unless its author takes
/// that on.
pub(super) fn create(object: &mut Tree) {
    if spec(object, "manualSelector") == Some(&json!(true)) {
        return;
    }
    let (name, uid) = (meta_text(object, "name").to_owned(), meta_text(object, "uid").to_owned());
    let labels = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    let template = child(child(child(object, "spec"), "template"), "metadata");
    let stated = template.get("labels").cloned();
    let held = child(template, "labels");
    for (key, value) in labels {
        held.entry(key).or_insert_with(|| json!(value));
    }
    let labelled = Value::Object(held.clone());
    // A job without labels takes those of its template, and so does one that took them before.
    let meta = meta_of(object);
    let own = meta.get("labels").filter(|labels| labels.as_object().is_some_and(|labels| !labels.is_empty()));
    if own.is_none() || own == stated.as_ref() {
        meta.insert("labels".into(), labelled);
    }
    let selector = child(child(object, "spec"), "selector");
    let matched = selector.entry("matchLabels").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(matched) = matched {
        matched.entry("batch.kubernetes.io/controller-uid").or_insert_with(|| json!(uid));
    }
}
