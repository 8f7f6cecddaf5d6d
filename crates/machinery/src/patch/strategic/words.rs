//! What a strategic merge patch is refused with, in Kubernetes' words. Most of it Kubernetes
//! never meant for clients, and answers it with 500.

use serde_json::{Map, Value};

use crate::patch::{Error, go_text};

pub(super) const MAP: &str = "map[string]interface {}";
const LIST: &str = "[]interface {}";

/// The type that Go reads a value as.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => LIST,
        Value::Object(_) => MAP,
    }
}

pub(super) fn list_of(value: Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(wrong_type(LIST, &other)),
    }
}

pub(super) fn wrong_type(expected: &str, got: &Value) -> Error {
    Error::Unexpected(format!("expected a {expected}, but received a {}", go_type(got)))
}

pub(super) fn unknown_directive(directive: &Value, patch: &Map<String, Value>) -> Error {
    let shown = match directive {
        Value::String(text) => text.clone(),
        Value::Null => go_type(directive).to_owned(),
        Value::Array(_) | Value::Object(_) => go_text(directive),
        other => format!("%!s({}={other})", go_type(other)),
    };
    let map = go_text(&Value::Object(patch.clone()));
    Error::Unexpected(format!("unknown patch type: {shown} in map: {map}"))
}

pub(super) fn unknown_field(type_name: &str, field: &str) -> Error {
    let (name, field) = (type_name.rsplit('.').next().unwrap_or_default(), Value::from(field));
    Error::Unexpected(format!("unable to find api field in struct {name} for the json field {field}"))
}

pub(super) fn without_key(item: &Value, merge_key: &str) -> Error {
    Error::Unexpected(format!("map: {} does not contain declared merge key: {merge_key}", go_text(item)))
}

/// Where Go panics over maps that are compared like scalars.
pub(super) fn incomparable() -> Error {
    Error::Unexpected("runtime error: hash of unhashable type map[string]interface {}".to_owned())
}
