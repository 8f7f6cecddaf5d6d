//! The small pieces of JSON and names that every part of a document uses.

use serde_json::{Value, json};

/// The package of the types that all kinds share.
pub(super) const META_V1: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

pub(super) fn reference(type_name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{type_name}") })
}

pub(super) fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({ "group": group, "kind": kind, "version": version })
}

/// Adds `"key":value` to an object that is being written.
pub(super) fn entry(out: &mut String, key: &str, value: &Value) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(&Value::from(key).to_string());
    out.push(':');
    out.push_str(&value.to_string());
}

/// How the index names a group and version: `api/v1`, `apis/apps/v1`.
pub fn key(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}
