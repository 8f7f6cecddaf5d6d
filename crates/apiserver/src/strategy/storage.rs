//! What claims and volumes are born with, and the two names that a claim's source has.

use serde_json::{Value, json};

use super::{child, spec};
use crate::tree::{Tree, meta_text};

/// Gives a new volume its status.
pub(super) fn create_volume(object: &mut Tree) {
    let now = meta_text(object, "creationTimestamp").to_owned();
    object.insert("status".into(), json!({"phase": "Pending", "lastPhaseTransitionTime": now}));
}

/// Gives a new claim its status.
pub(super) fn create_claim(object: &mut Tree) {
    object.insert("status".into(), json!({"phase": "Pending"}));
    drop_unknown_source(object);
    name_source_twice(object);
}

/// A claim keeps the source that it has.
pub(super) fn update_claim(old: &Tree, object: &mut Tree) {
    if spec(old, "dataSource").is_none() {
        drop_unknown_source(object);
    }
    name_source_twice(object);
}

/// The older name is for claims and snapshots alone.
fn drop_unknown_source(object: &mut Tree) {
    let text = |source: &Value, field: &str| source.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_known = |source: &Value| {
        matches!(
            (&*text(source, "apiGroup"), &*text(source, "kind")),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    if spec(object, "dataSource").is_some_and(|source| !is_known(source)) && spec(object, "dataSourceRef").is_none() {
        child(object, "spec").remove("dataSource");
    }
}

fn name_source_twice(object: &mut Tree) {
    let (older, newer) = (spec(object, "dataSource").cloned(), spec(object, "dataSourceRef").cloned());
    match (older, newer) {
        (Some(source), None) => {
            child(object, "spec").insert("dataSourceRef".into(), source);
        }
        (None, Some(source)) if source.get("namespace").is_none() => {
            child(object, "spec").insert("dataSource".into(), source);
            drop_unknown_source_beside(object);
        }
        _ => {}
    }
}

/// What is copied to the older name must be something that it can name.
fn drop_unknown_source_beside(object: &mut Tree) {
    let newer = child(object, "spec").remove("dataSourceRef");
    drop_unknown_source(object);
    if let Some(newer) = newer {
        child(object, "spec").insert("dataSourceRef".into(), newer);
    }
}
