//! Strategic merge patches, as `k8s.io/apimachinery`'s strategicpatch applies them, with what
//! it does at the edges: a directive that nothing reads where it stands is left for decoding,
//! which knows no such field. Nothing here decides what a field means.

mod lists;
mod words;

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Error;
use crate::typed::{Node, Schema, Strategy};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

pub(super) fn apply(live: &Value, patch: &Map<String, Value>, schema: Option<Schema<'_>>) -> Result<Value, Error> {
    let object = live.as_object().cloned().unwrap_or_default();
    merge_map(object, patch.clone(), Node::root(schema)).map(Value::Object)
}

fn merge_map(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    node: Node<'_>,
) -> Result<Map<String, Value>, Error> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(Value::String(directive)) if directive == "replace" => {
            patch.remove(DIRECTIVE);
            return Ok(patch);
        }
        Some(Value::String(directive)) if directive == "delete" => return Ok(Map::new()),
        Some(other) => return Err(words::unknown_directive(other, &patch)),
    }
    retain_keys(&mut original, &mut patch)?;
    merge_ordered(&mut original, &mut patch, node)?;
    for (key, value) in patch {
        if key.starts_with(DELETE_FROM) {
            let name = list_name(&key, DELETE_FROM, "invalid patch format of primitive list")?;
            merge_field(&mut original, if name.is_empty() { &key } else { name }, value, node, From::Deletion)?;
        } else {
            merge_field(&mut original, &key, value, node, From::Patch)?;
        }
    }
    Ok(original)
}

/// What a value that is merged is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// The field's new value.
    Patch,
    /// What goes from a list of scalars.
    Deletion,
}

fn merge_field(
    original: &mut Map<String, Value>,
    key: &str,
    mut value: Value,
    node: Node<'_>,
    from: From,
) -> Result<(), Error> {
    if value.is_null() {
        original.remove(key);
        return Ok(());
    }
    let held = match original.get_mut(key) {
        Some(held) if words::go_type(held) == words::go_type(&value) => held,
        _ if from == From::Deletion => return Ok(()),
        _ => {
            discard_nulls(&mut value);
            match without_directives(value) {
                Some(value) => original.insert(key.to_owned(), value),
                None => original.remove(key),
            };
            return Ok(());
        }
    };
    *held = match (std::mem::take(held), value) {
        (Value::Object(map), Value::Object(patch)) => {
            let (child, strategy) = field(node, key)?;
            Value::Object(if strategy.replace { patch } else { merge_map(map, patch, child)? })
        }
        (Value::Array(list), Value::Array(patch)) => {
            let (item, strategy) = list_field(node, key)?;
            let merges = strategy.merge || from == From::Deletion;
            Value::Array(if merges { lists::merge(list, patch, item, strategy.merge_key, from)? } else { patch })
        }
        (_, value) => value,
    };
    Ok(())
}

/// Drops the keys that `$retainKeys` does not name; the patch may set no other.
fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), Error> {
    let Some(retain) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let bad = || Error::BadRequest("invalid patch format of retainKeys".to_owned());
    let retain: HashSet<&str> = retain.as_array().ok_or_else(bad)?.iter().filter_map(Value::as_str).collect();
    for (key, value) in patch.iter() {
        let is_directive = key.starts_with(DELETE_FROM) || key.starts_with(ELEMENT_ORDER);
        if !value.is_null() && !is_directive && !retain.contains(key.as_str()) {
            return Err(bad());
        }
    }
    original.retain(|key, _| retain.contains(&key.as_str()));
    Ok(())
}

/// The list that a directive's key names.
fn list_name<'k>(key: &'k str, directive: &str, words: &str) -> Result<&'k str, Error> {
    let name = key.split_once('/').filter(|(prefix, _)| *prefix == directive).map(|(_, name)| name);
    name.ok_or_else(|| Error::BadRequest(words.to_owned()))
}

/// Merges the lists whose order the patch states, and takes them out of the patch.
fn merge_ordered(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    node: Node<'_>,
) -> Result<(), Error> {
    let stated: Vec<String> = patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
    for key in stated {
        let order = words::list_of(patch.remove(&key).unwrap_or_default())?;
        let name = list_name(&key, ELEMENT_ORDER, "invalid patch format of setElementOrder list")?;
        let live = original.get(name).cloned().map(words::list_of).transpose()?;
        let changes = patch.get(name).cloned().map(words::list_of).transpose()?;
        let (item, strategy) = list_field(node, name)?;
        lists::check_order(changes.as_deref().unwrap_or_default(), &order, strategy.merge_key)?;
        let both = (live.as_deref().unwrap_or_default(), changes.as_deref().unwrap_or_default());
        let merged = match (live.clone(), changes.clone()) {
            (Some(live), None) => live,
            (None, Some(changes)) => changes.into_iter().filter_map(without_directives).collect(),
            (Some(live), Some(changes)) if strategy.merge => {
                lists::merge(live, changes, item, strategy.merge_key, From::Patch)?
            }
            (Some(_), Some(changes)) => changes,
            (None, None) => continue,
        };
        let ordered = lists::ordered(merged, &order, both.0, both.1, strategy.merge_key)?;
        original.insert(name.to_owned(), Value::Array(ordered));
        patch.remove(name);
    }
    Ok(())
}

/// What is known of a field's value. Without a type everything merges as plain JSON.
fn field<'a>(node: Node<'a>, key: &str) -> Result<(Node<'a>, Strategy<'a>), Error> {
    match node.child(key) {
        (child, strategy) if child.is_known() || !node.is_known() => Ok((child, strategy)),
        _ => Err(words::unknown_field(node.type_name(), key)),
    }
}

/// What is known of the items of a list.
fn list_field<'a>(node: Node<'a>, key: &str) -> Result<(Node<'a>, Strategy<'a>), Error> {
    if node.is_map() {
        let why = "merging an object in json but data type is not struct, instead is: map";
        return Err(Error::Unexpected(why.to_owned()));
    }
    let (child, strategy) = field(node, key)?;
    if child.is_known() && !child.item().is_known() {
        return Err(Error::Unexpected("expected slice or array type, but got: struct".to_owned()));
    }
    Ok((child.item(), strategy))
}

/// Takes nulls out of a value that is new to the object, at any depth, but not out of lists.
fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// A value without the maps in it that carry a directive; `None` if it is such a map.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            let kept = map.into_iter().filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(list) => Some(Value::Array(list.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}
