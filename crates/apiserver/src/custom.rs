//! What a definition's schema does to its objects on their way through the
//! pipeline: they are brought into form when they come in, checked before they
//! are stored, and brought into form again when they are read from before their
//! definition was what it is. Built-in kinds pass untouched.

use std::sync::Arc;

use api::kind::ScalePaths;
use api::{Cause, Status};
use machinery::structural::Schema;
use serde_json::Value;

use crate::crd::Definition;
use crate::record::Record;
use crate::registry::Kind;
use crate::tree::Tree;

/// Brings an object that a client sent into the form of its schema: fields that the schema
/// does not know go, and defaults are filled. Returns the paths of what went, which strict
/// clients are refused for and others warned of.
pub fn admit(kind: &Kind, object: &mut Tree) -> Result<Vec<String>, Status> {
    let Some(schema) = kind.schema() else { return Ok(Vec::new()) };
    if let Some(cause) = schema.malformed(object) {
        let gvk = &kind.descriptor.gvk;
        return Err(Status::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {}: {}",
            gvk.kind, gvk.version, gvk.kind, cause.field, cause.message
        )));
    }
    schema.default(object);
    let unknown = schema.prune(object);
    // Only what went can have made room for a default.
    if !unknown.is_empty() {
        schema.default(object);
    }
    Ok(unknown)
}

/// Fills the defaults of an object of a definition.
pub fn fill(kind: &Kind, object: &mut Tree) {
    if let Some(schema) = kind.schema() {
        schema.default(object);
    }
}

/// A stored object as its kind is now: one that was stored before its definition came to have
/// its schema has what that states, and nothing that it does not know. Defaults are those of the
/// version that stores; another version drops what it does not know.
pub fn record(kind: &Kind, entry: &store::Entry) -> Record {
    let record = Record::of(entry);
    let Some(definition) = &kind.definition else { return record };
    let is_older = record.revision < definition.since;
    if !is_older && is_stored_version(kind) {
        return record;
    }
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&record.body) else { return record };
    if let Some(schema) = stored_schema(definition).filter(|_| is_older) {
        schema.default(&mut body);
        schema.prune(&mut body);
        schema.default(&mut body);
    }
    if let Some(schema) = kind.schema().filter(|_| !is_stored_version(kind)) {
        schema.prune(&mut body);
    }
    match serde_json::to_vec(&body) {
        Ok(text) => Record { body: text.into(), ..record },
        Err(_) => record,
    }
}

/// Takes from an object what the version that stores does not know.
pub fn to_stored(kind: &Kind, object: &mut Tree) {
    let Some(definition) = kind.definition.as_ref().filter(|_| !is_stored_version(kind)) else { return };
    if let Some(schema) = stored_schema(definition) {
        schema.prune(object);
    }
}

fn is_stored_version(kind: &Kind) -> bool {
    kind.descriptor.gvk.version == kind.descriptor.storage_version
}

fn stored_schema(definition: &Definition) -> Option<&Arc<Schema>> {
    definition.structural(&definition.stored()?.gvk.version)
}

/// What is wrong with an object that is to be stored whole, in place of `old` if that is there.
pub fn validate(kind: &Kind, object: &Tree, old: Option<&Tree>) -> Vec<Cause> {
    let Some(schema) = kind.schema() else { return Vec::new() };
    let mut causes = schema.validate(object, old);
    if let Some(paths) = &kind.descriptor.subresources.scale {
        check_count(object, &paths.spec_replicas, &mut causes);
        check_scale_status(object, paths, &mut causes);
    }
    causes
}

/// What is wrong with the status of an object that is to be stored with that of `old`.
pub fn validate_status(kind: &Kind, object: &Tree, old: &Tree) -> Vec<Cause> {
    let Some(schema) = kind.schema() else { return Vec::new() };
    let mut causes = schema.validate_status(object, old);
    if let Some(paths) = &kind.descriptor.subresources.scale {
        check_scale_status(object, paths, &mut causes);
    }
    causes
}

fn check_scale_status(object: &Tree, paths: &ScalePaths, causes: &mut Vec<Cause>) {
    check_count(object, &paths.status_replicas, causes);
    let Some(path) = &paths.label_selector else { return };
    match find(object, path) {
        Err(why) => causes.push(invalid(path, "\"\"", &why)),
        Ok(Some(value)) if !value.is_string() => causes.push(invalid(path, "\"\"", &wrong(path, value, "string"))),
        Ok(_) => {}
    }
}

/// Replicas are a count that fits 32 bits.
fn check_count(object: &Tree, path: &str, causes: &mut Vec<Cause>) {
    let value = match find(object, path) {
        Ok(Some(value)) => value,
        Ok(None) => return,
        Err(why) => return causes.push(invalid(path, "0", &why)),
    };
    let Some(count) = value.as_i64() else {
        return causes.push(invalid(path, "0", &wrong(path, value, "int64")));
    };
    if count < 0 {
        causes.push(invalid(path, &count.to_string(), "should be a non-negative integer"));
    } else if count > i64::from(i32::MAX) {
        let why = format!("should be less than or equal to {}", i32::MAX);
        causes.push(invalid(path, &count.to_string(), &why));
    }
}

fn invalid(field: &str, shown: &str, why: &str) -> Cause {
    Cause { reason: "FieldValueInvalid".into(), message: format!("Invalid value: {shown}: {why}"), field: field.into() }
}

/// The value at a dotted path, or why there cannot be one.
fn find<'v>(object: &'v Tree, path: &str) -> Result<Option<&'v Value>, String> {
    let steps: Vec<&str> = path.strip_prefix('.').unwrap_or(path).split('.').collect();
    let (Some(first), rest) = (steps.first(), &steps[1..]) else { return Ok(None) };
    let Some(mut value) = object.get(*first) else { return Ok(None) };
    for (index, step) in rest.iter().enumerate() {
        value = match value {
            Value::Null => return Ok(None),
            Value::Object(map) => match map.get(*step) {
                Some(below) => below,
                None => return Ok(None),
            },
            other => return Err(wrong(&steps[..index + 2].join("."), other, "map[string]interface{}")),
        };
    }
    Ok(Some(value))
}

/// A value of another type than is read at a path, as Kubernetes puts it.
fn wrong(path: &str, value: &Value, expected: &str) -> String {
    let path = path.strip_prefix('.').unwrap_or(path);
    format!(".{path} accessor error: {} is of the type {}, expected {expected}", go_text(value), go_type(value))
}

/// A value as Go's `%v` prints it.
fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests;
