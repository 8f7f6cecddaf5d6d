//! What the plug-ins about pods share.

use serde_json::{Map, Value, json};

use super::Attributes;
use crate::tree::Tree;

/// The spec of the object, if it is a pod.
pub(super) fn spec<'a>(attributes: &Attributes<'_>, object: &'a mut Tree) -> Option<&'a mut Map<String, Value>> {
    if !attributes.is("", "pods") {
        return None;
    }
    object.entry("spec").or_insert_with(|| json!({})).as_object_mut()
}

/// The text at a field, empty if there is none.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, field: &str) -> &'a str {
    fields.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a field, made if there is none; `None` if something else is there.
pub(super) fn list<'a>(fields: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Vec<Value>> {
    fields.entry(field).or_insert_with(|| json!([])).as_array_mut()
}
