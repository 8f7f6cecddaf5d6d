//! Defaults of the built-in kinds: what kube-apiserver 1.36 makes of an object before it
//! is admitted. An object is walked alongside its type; values that mean nothing are left
//! out, quantities take their canonical form, and what is unset is filled: from the
//! schema, from a table of constants, and by small functions where a default depends on
//! something else. It is pure and idempotent, refuses nothing, and leaves what it does
//! not know as it is.

mod fixed;
mod image;
mod place;
mod pods;
mod policies;
mod resources;
mod services;
#[cfg(test)]
mod tests;
mod workloads;

use api::schema::{Empty, Field, Shape, Type, TypeTable};
use serde_json::{Map, Value};

use crate::decode;
use crate::quantity::Quantity;

/// An object or a part of one.
type Fields = Map<String, Value>;
/// Fills what of an object depends on its other fields.
type Rule = fn(&mut Fields);

/// Fills what is unset in `object`, which has the type of this full name, wherever a type
/// with defaults occurs. The object's own metadata is left to others.
pub fn apply(table: &TypeTable, type_name: &str, object: &mut Map<String, Value>) {
    if let Some(kind) = table.by_name(type_name) {
        Walk { table }.object(kind, object, true);
    }
}

struct Walk<'a> {
    table: &'a TypeTable,
}

impl Walk<'_> {
    fn object(&self, kind: &Type, object: &mut Fields, is_root: bool) {
        for field in &kind.fields {
            if object.get(&*field.name).is_some_and(|value| means_nothing(value, field)) {
                object.remove(&*field.name);
            }
        }
        fill(kind, object);
        for field in kind.fields.iter().filter(|field| !object.contains_key(&*field.name)).collect::<Vec<_>>() {
            if let Some(zero) = zero(field) {
                object.insert(field.name.to_string(), zero);
            }
        }
        let is_kind = is_root && kind.gvk.is_some();
        for field in &kind.fields {
            if (is_kind && &*field.name == "metadata") || !object.contains_key(&*field.name) {
                continue;
            }
            if let Some(value) = object.get_mut(&*field.name) {
                self.value(&field.shape, value);
            }
            // What held nothing but values without meaning means nothing itself.
            if field.omit_zero && field.empty == Empty::LeftOut && object.get(&*field.name).is_some_and(is_empty) {
                object.remove(&*field.name);
            }
        }
    }

    fn value(&self, shape: &Shape, value: &mut Value) {
        match (shape, value) {
            (Shape::Object(id), Value::Object(object)) => self.object(self.table.get(*id), object, false),
            (Shape::List(inner), Value::Array(items)) => items.iter_mut().for_each(|item| self.value(inner, item)),
            (Shape::Map(inner), Value::Object(entries)) if **inner == Shape::Quantity => round(entries),
            (Shape::Map(inner), Value::Object(entries)) => {
                entries.values_mut().for_each(|entry| self.value(inner, entry));
            }
            (Shape::Quantity, value) => canonical(value),
            _ => {}
        }
    }
}

/// Fills the fields of one object, not of those within.
fn fill(kind: &Type, object: &mut Fields) {
    for field in kind.fields.iter().filter(|field| !field.default.is_empty()) {
        if !object.contains_key(&*field.name)
            && let Ok(default) = serde_json::from_str(&field.default)
        {
            object.insert(field.name.to_string(), default);
        }
    }
    let name = short(&kind.name);
    for (field, default) in fixed::of(name) {
        object.entry(*field).or_insert_with(|| default.clone());
    }
    if let Some(rule) = rule(name) {
        rule(object);
    }
}

/// The conditional defaults of a type.
fn rule(type_name: &str) -> Option<Rule> {
    pods::rule(type_name)
        .or_else(|| workloads::rule(type_name))
        .or_else(|| services::rule(type_name))
        .or_else(|| policies::rule(type_name))
}

/// What Kubernetes always writes of a field, whether it was sent or not; what an object always
/// has is filled by the walk.
fn zero(field: &Field) -> Option<Value> {
    match field.empty {
        Empty::LeftOut => None,
        Empty::Null => Some(Value::Null),
        Empty::Zero => Some(decode::zero(&field.shape)),
    }
}

/// Whether a field may as well be absent.
fn means_nothing(value: &Value, field: &Field) -> bool {
    let is_collection = matches!(field.shape, Shape::List(_) | Shape::Map(_));
    let is_zero = match field.empty {
        Empty::LeftOut => false,
        Empty::Null => is_collection && is_empty(value),
        Empty::Zero => is_empty(value) || zero(field).is_some_and(|zero| zero == *value),
    };
    value.is_null() || (field.omit_zero && is_empty(value)) || is_zero
}

/// A type's name from its group on, which is what the tables here name types by.
fn short(type_name: &str) -> &str {
    const STEMS: [&str; 4] = [
        "io.k8s.api.",
        "io.k8s.apimachinery.pkg.apis.",
        "io.k8s.apiextensions-apiserver.pkg.apis.",
        "io.k8s.kube-aggregator.pkg.apis.",
    ];
    STEMS.iter().find_map(|stem| type_name.strip_prefix(stem)).unwrap_or(type_name)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn canonical(value: &mut Value) {
    if let Some(quantity) = Quantity::from_json(value) {
        *value = Value::String(quantity.to_string());
    }
}

/// Amounts of resources are kept to the thousandth, rounded up.
fn round(amounts: &mut Fields) {
    for amount in amounts.values_mut() {
        if let Some(quantity) = Quantity::from_json(amount) {
            *amount = Value::String(quantity.rounded_up_to_milli().to_string());
        }
    }
}
