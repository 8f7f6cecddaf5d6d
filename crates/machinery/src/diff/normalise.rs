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

/// Which of the values that Go leaves out go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zeros {
    /// All of them: to a merge they are the same as absent ones.
    All,
    /// All but `false`: it is an answer where others may have answered `true`.
    ButFalse,
}

/// An object without status and server-owned metadata, in one spelling.
pub fn normalise(object: &Value, schema: Option<Schema<'_>>) -> Value {
    in_one_spelling(object, schema, Zeros::All)
}

/// The same with `false` where it is stated.
pub fn normalise_stated(object: &Value, schema: Option<Schema<'_>>) -> Value {
    in_one_spelling(object, schema, Zeros::ButFalse)
}

/// Takes out of an object that is to be applied the empty texts and zeros that Go cannot tell from
/// absent ones: who states them leaves it to the server, and is not to own what that fills in.
pub fn leave_out_zeros(object: &mut Value, schema: Schema<'_>) {
    leave_out(object, Node::root(Some(schema)));
}

fn leave_out(value: &mut Value, node: Node<'_>) {
    match value {
        Value::Object(fields) => fields.retain(|key, value| {
            let (child, strategy) = node.child(key);
            leave_out(value, child);
            let is_zero = match value {
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty(),
                _ => false,
            };
            !(strategy.omit_zero && is_zero)
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| leave_out(item, node.item())),
        _ => {}
    }
}

fn in_one_spelling(object: &Value, schema: Option<Schema<'_>>, zeros: Zeros) -> Value {
    let Value::Object(fields) = object else { return object.clone() };
    let mut fields = without_server_fields(fields);
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "Secret" {
        secret(&mut fields);
    }
    if let Some(Value::Object(annotations)) = fields.get_mut("metadata").and_then(|meta| meta.get_mut("annotations")) {
        annotations.remove(LAST_APPLIED);
    }
    let mut fields = map(fields, Node::root(schema), "", "", zeros);
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
fn map(
    fields: Map<String, Value>,
    node: Node<'_>,
    parent: &str,
    grandparent: &str,
    zeros: Zeros,
) -> Map<String, Value> {
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
            Value::String(text) if child.shape() == Some(&Shape::Bytes) => Value::from(unbroken(text)),
            other => self::value(other, child, &key, parent, zeros),
        };
        // Go leaves an empty list or map out, and zero values where the type says so.
        let is_collection = !matches!(child.shape(), Some(Shape::Object(_)) | None);
        let is_absent = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty() && is_collection,
            Value::Bool(flag) => zeros == Zeros::All && strategy.omit_zero && !flag,
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

fn value(value: Value, node: Node<'_>, key: &str, parent: &str, zeros: Zeros) -> Value {
    match value {
        Value::Object(fields) => Value::Object(map(fields, node, key, parent, zeros)),
        Value::Array(items) => {
            items.into_iter().map(|item| self::value(item, node.item(), key, parent, zeros)).collect()
        }
        // 1.0 and 1 are one number.
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        other => other,
    }
}

/// Base64 as the server answers it: in one line.
fn unbroken(mut text: String) -> String {
    text.retain(|character| character != '\n' && character != '\r');
    text
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    }
}
