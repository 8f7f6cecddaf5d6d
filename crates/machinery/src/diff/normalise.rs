//! Spellings that the API reads alike, made alike: quantities, numbers, what is
//! absent, what a Secret states as text. Defaults are not filled in: a merge
//! with the live object brings them. An empty object stays, for it often means
//! something (`emptyDir: {}`, `namespaceSelector: {}`).

use api::schema::Shape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::merge3::without_server_fields;
use crate::quantity::Quantity;
use crate::typed::{Node, Schema};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object without status and server-owned metadata, in one spelling.
pub fn normalise(object: &Value, schema: Option<Schema<'_>>) -> Value {
    let Value::Object(fields) = object else { return object.clone() };
    let mut fields = without_server_fields(fields);
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "Secret" {
        secret(&mut fields);
    }
    if let Some(Value::Object(annotations)) = fields.get_mut("metadata").and_then(|meta| meta.get_mut("annotations")) {
        annotations.remove(LAST_APPLIED);
    }
    let mut fields = map(fields, Node::root(schema), "", "");
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|key, value| !(["annotations", "labels"].contains(&key.as_str()) && is_empty(value)));
    }
    if kind == "Role" || kind == "ClusterRole" {
        fields.retain(|key, value| key != "rules" || !is_empty(value));
    }
    Value::Object(fields)
}

/// `stringData` is write-only: the server moves it to `data`, where it wins.
fn secret(fields: &mut Map<String, Value>) {
    let text = fields.remove("stringData");
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Value::Object(data) = data else { return };
    for value in data.values_mut().filter(|value| value.is_null()) {
        *value = Value::from("");
    }
    for (key, value) in text.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        data.insert(key.clone(), Value::from(STANDARD.encode(value)));
    }
    if data.is_empty() {
        fields.remove("data");
    }
}

/// `parent` and `grandparent` name the fields this map stands in: without a schema they tell
/// resource quantities.
fn map(fields: Map<String, Value>, node: Node<'_>, parent: &str, grandparent: &str) -> Map<String, Value> {
    let are_quantities = grandparent == "resources" && (parent == "limits" || parent == "requests");
    let mut out = Map::new();
    for (key, value) in fields {
        let (child, strategy) = node.child(&key);
        let value = match value {
            Value::Null => continue,
            scalar @ (Value::String(_) | Value::Number(_))
                if child.shape() == Some(&Shape::Quantity) || (are_quantities && child.shape().is_none()) =>
            {
                Quantity::from_json(&scalar).map_or(scalar, |quantity| Value::from(quantity.to_string()))
            }
            other => self::value(other, child, &key, parent),
        };
        // Go leaves an empty list or map out, and zero values where the type says so.
        let is_collection = !matches!(child.shape(), Some(Shape::Object(_)) | None);
        let is_absent = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty() && is_collection,
            Value::Bool(flag) => strategy.omit_zero && !flag,
            Value::Number(number) => strategy.omit_zero && number.as_f64() == Some(0.0),
            Value::String(text) => strategy.omit_zero && text.is_empty(),
            Value::Null => true,
        };
        if !is_absent {
            out.insert(key, value);
        }
    }
    out
}

fn value(value: Value, node: Node<'_>, key: &str, parent: &str) -> Value {
    match value {
        Value::Object(fields) => Value::Object(map(fields, node, key, parent)),
        Value::Array(items) => items.into_iter().map(|item| self::value(item, node.item(), key, parent)).collect(),
        // 1.0 and 1 are one number.
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    }
}
