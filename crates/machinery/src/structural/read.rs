//! Reading the keywords of a schema's JSON. What is null is absent, as for
//! Kubernetes; what is of the wrong type reads as absent too, and `bounds`
//! refuses it. Nothing is judged here.

use serde_json::{Map, Value};

/// A schema as JSON.
pub(super) type Json = Map<String, Value>;

/// A keyword's value.
pub(super) fn get<'v>(schema: &'v Json, key: &str) -> Option<&'v Value> {
    schema.get(key).filter(|value| !value.is_null())
}

/// A text; empty if absent.
pub(super) fn text<'v>(schema: &'v Json, key: &str) -> &'v str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a keyword is true.
pub(super) fn flag(schema: &Json, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or_default()
}

pub(super) fn number(schema: &Json, key: &str) -> Option<f64> {
    schema.get(key).and_then(Value::as_f64)
}

pub(super) fn count(schema: &Json, key: &str) -> Option<i64> {
    schema.get(key).and_then(Value::as_i64)
}

/// A list; empty if absent.
pub(super) fn list<'v>(schema: &'v Json, key: &str) -> &'v [Value] {
    schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts of a list.
pub(super) fn texts<'v>(schema: &'v Json, key: &str) -> impl Iterator<Item = &'v str> {
    list(schema, key).iter().filter_map(Value::as_str)
}

/// A schema below.
pub(super) fn schema<'v>(schema: &'v Json, key: &str) -> Option<&'v Json> {
    schema.get(key).and_then(Value::as_object)
}

/// A list of schemas below.
pub(super) fn schemas<'v>(schema: &'v Json, key: &str) -> impl Iterator<Item = &'v Json> {
    list(schema, key).iter().filter_map(Value::as_object)
}

/// The entries of a map, such as of properties.
pub(super) fn map<'v>(schema: &'v Json, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// The entries of a map of schemas.
pub(super) fn properties(schema: &Json) -> impl Iterator<Item = (&String, &Json)> {
    map(schema, "properties").filter_map(|(name, schema)| Some((name, schema.as_object()?)))
}
