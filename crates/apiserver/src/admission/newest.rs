//! Which of several defaults counts: the newest, and of two as new the first by name.

use serde_json::Value;

use crate::tree::{Tree, meta_text};

/// The name of the newest object that one of the annotations calls the default.
pub(super) fn default_of(objects: &[Tree], annotations: &[&str]) -> Option<String> {
    let is_default = |object: &&Tree| {
        let held = object.get("metadata").and_then(|meta| meta.get("annotations"));
        let says = |name: &str| held.and_then(|held| held.get(name)).and_then(Value::as_str) == Some("true");
        annotations.iter().any(|name| says(name))
    };
    let newest = objects.iter().filter(is_default).min_by(|left, right| {
        let made = |object: &Tree| meta_text(object, "creationTimestamp").to_owned();
        made(right).cmp(&made(left)).then_with(|| meta_text(left, "name").cmp(meta_text(right, "name")))
    });
    newest.map(|object| meta_text(object, "name").to_owned())
}
