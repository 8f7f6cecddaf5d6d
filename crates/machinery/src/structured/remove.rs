//! Taking fields out of an object, and taking out only these. A container that
//! loses its last field stays as an empty one, unless it goes itself.

use api::schema::ListType;
use serde_json::{Map, Value};

use super::item::element_of;
use super::node::{Form, ListForm, MapForm, Node};
use crate::fields::{Element, Set};

/// The object without the fields of a set.
pub fn remove(node: Node<'_>, value: &Value, fields: &Set) -> Value {
    if fields.is_empty() {
        return value.clone();
    }
    without(node, value, fields)
}

fn without(node: Node<'_>, value: &Value, fields: &Set) -> Value {
    match (node.form(Some(value)), value) {
        (Form::Map(form), Value::Object(map)) if !form.is_atomic => without_fields(form, map, fields),
        (Form::List(form), Value::Array(items)) if form.relation != ListType::Atomic => {
            without_items(form, items, fields)
        }
        // Of one thing nothing can be taken but the whole.
        (Form::Map(_), Value::Object(_)) => Value::Object(Map::new()),
        (Form::List(_), Value::Array(_)) => Value::Array(Vec::new()),
        _ => value.clone(),
    }
}

fn without_fields(form: MapForm<'_>, map: &Map<String, Value>, fields: &Set) -> Value {
    let mut left = Map::new();
    for (name, value) in map {
        let value = match fields.get_field(name) {
            None => value.clone(),
            Some(entry) if entry.is_member => continue,
            Some(entry) => without(form.field(name).0, value, &entry.children),
        };
        left.insert(name.clone(), value);
    }
    Value::Object(left)
}

fn without_items(form: ListForm<'_>, items: &[Value], fields: &Set) -> Value {
    let mut left = Vec::with_capacity(items.len());
    for item in items {
        let entry = element_of(form, item).ok().and_then(|element| fields.get(&element));
        match entry {
            None => left.push(item.clone()),
            Some(entry) if entry.is_member => {}
            Some(entry) => left.push(without(form.item, item, &entry.children)),
        }
    }
    Value::Array(left)
}

/// The object with nothing but the fields of a set, and the keys of the items they are in.
/// `None` if it has none of them.
pub fn extract(node: Node<'_>, value: &Value, fields: &Set) -> Option<Value> {
    match (node.form(Some(value)), value) {
        (Form::Map(form), Value::Object(map)) if !form.is_atomic && !map.is_empty() => {
            let mut taken = Map::new();
            for (name, value) in map {
                let Some(entry) = fields.get_field(name) else { continue };
                let inner = extract(form.field(name).0, value, &entry.children);
                let hollow = || match value {
                    Value::Object(_) => Value::Object(Map::new()),
                    Value::Array(_) => Value::Array(Vec::new()),
                    scalar => scalar.clone(),
                };
                if let Some(inner) = inner.or_else(|| entry.is_member.then(hollow)) {
                    taken.insert(name.clone(), inner);
                }
            }
            (!taken.is_empty()).then_some(Value::Object(taken))
        }
        (Form::List(form), Value::Array(items)) if form.relation != ListType::Atomic && !items.is_empty() => {
            let taken: Vec<Value> = items.iter().filter_map(|item| extract_item(form, item, fields)).collect();
            (!taken.is_empty()).then_some(Value::Array(taken))
        }
        _ => Some(value.clone()),
    }
}

fn extract_item(form: ListForm<'_>, item: &Value, fields: &Set) -> Option<Value> {
    let element = element_of(form, item).ok()?;
    let entry = fields.get(&element)?;
    let Element::Key(keys) = &element else { return Some(item.clone()) };
    let mut inner = match extract(form.item, item, &entry.children) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    };
    // An item is no item without what tells it from the others.
    for (name, _) in keys.iter() {
        if let Some(value) = item.get(&**name) {
            inner.insert(name.to_string(), value.clone());
        }
    }
    Some(Value::Object(inner))
}
