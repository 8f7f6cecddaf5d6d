//! Whether applying a configuration again would change anything, read from what
//! its applier owns: no schema is needed, for the owned fields say how items of
//! lists are told apart, and no server is asked. What others own does not count.

use serde_json::{Map, Value};

use crate::fields::{Element, Entry, Set, same};

/// Whether an object has what `config` states, and its applier owns that and nothing else.
/// `owned` are the fields that the applier owns; names and types of objects do not count.
pub fn agrees(owned: &Set, config: &Value, live: &Value) -> bool {
    let (Value::Object(config), Value::Object(live)) = (config, live) else { return false };
    let mut stated = config.clone();
    stated.retain(|field, _| field != "apiVersion" && field != "kind");
    if let Some(Value::Object(metadata)) = stated.get_mut("metadata") {
        metadata.retain(|field, _| field != "name" && field != "namespace");
    }
    fields_agree(owned, &stated, live)
}

fn fields_agree(owned: &Set, stated: &Map<String, Value>, live: &Map<String, Value>) -> bool {
    let is_stated = |(name, value): (&String, &Value)| match owned.get_field(name) {
        Some(entry) => value_agrees(entry, value, live.get(name)),
        // What is stated and not owned was taken by somebody, or was never applied.
        None => is_empty(value),
    };
    // What is owned and stated no more would go.
    let would_go = |entry: &Entry| match &entry.element {
        Element::Field(name) => !stated.contains_key(&**name) && live.contains_key(&**name),
        _ => false,
    };
    stated.iter().all(is_stated) && !owned.entries().iter().any(would_go)
}

fn value_agrees(entry: &Entry, stated: &Value, live: Option<&Value>) -> bool {
    let Some(live) = live else { return is_left_out(stated) };
    if entry.children.is_empty() {
        return covers(live, stated);
    }
    match (stated, live) {
        (Value::Object(stated), Value::Object(live)) => fields_agree(&entry.children, stated, live),
        (Value::Array(stated), Value::Array(live)) => items_agree(&entry.children, stated, live),
        (stated, _) => is_empty(stated),
    }
}

fn items_agree(owned: &Set, stated: &[Value], live: &[Value]) -> bool {
    let mut left: Vec<bool> = vec![true; stated.len()];
    for entry in owned.entries() {
        let name = &entry.element;
        // Of two items with one port the one that states its protocol is not meant by the default
        // of the other.
        let wanted = stated.iter().position(|item| is_named(name, item));
        let wanted = wanted.or_else(|| (0..stated.len()).find(|at| left[*at] && may_be_named(name, &stated[*at])));
        match (wanted, live.iter().position(|item| is_named(name, item) || may_be_named(name, item))) {
            (None, None) => {}
            (None, Some(_)) | (Some(_), None) => return false,
            (Some(wanted), Some(held)) => {
                left[wanted] = false;
                if !value_agrees(entry, &stated[wanted], Some(&live[held])) {
                    return false;
                }
            }
        }
    }
    !left.contains(&true)
}

/// Whether an element names an item that states all its keys.
fn is_named(element: &Element, item: &Value) -> bool {
    match element {
        Element::Key(keys) => keys.iter().all(|(name, value)| item.get(&**name).is_some_and(|held| same(held, value))),
        Element::Value(value) => same(value, item),
        Element::Field(_) | Element::Index(_) => false,
    }
}

/// The same where a key that the item does not state has its default.
fn may_be_named(element: &Element, item: &Value) -> bool {
    let Element::Key(keys) = element else { return false };
    let is_zero = |value: &Value| *value == "" || value.as_f64() == Some(0.0);
    keys.iter().all(|(name, value)| item.get(&**name).is_none_or(|held| same(held, value)))
        && keys.iter().any(|(name, value)| item.get(&**name).is_some() || is_zero(value))
}

/// Whether `live` holds all that is stated: what the server fills in inside a value that is one
/// thing is nobody's change, for whoever changed it would own it now.
fn covers(live: &Value, stated: &Value) -> bool {
    match (live, stated) {
        (Value::Object(live), Value::Object(stated)) => stated.iter().all(|(name, stated)| match live.get(name) {
            Some(live) => covers(live, stated),
            None => is_left_out(stated),
        }),
        (Value::Array(live), Value::Array(stated)) => {
            live.len() == stated.len() && live.iter().zip(stated).all(|(live, stated)| covers(live, stated))
        }
        (live, stated) => same(live, stated),
    }
}

/// Whether a value is one that servers may leave out of what was applied to them. Nobody else
/// took it out, for then its applier would own it no more.
fn is_left_out(value: &Value) -> bool {
    *value == Value::Bool(false) || is_empty(value)
}

/// Whether a value is one that servers leave out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
