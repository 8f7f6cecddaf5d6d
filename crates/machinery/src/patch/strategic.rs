//! Strategic merge patches, as `k8s.io/apimachinery`'s strategicpatch applies
//! them. Where a value is new to the object, directives in it are dropped with
//! what they delete, so that none is ever stored.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Error, interleave, key_text};
use crate::typed::{Node, Schema, Strategy};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

pub(super) fn apply(live: &Value, patch: &Map<String, Value>, schema: Option<Schema<'_>>) -> Result<Value, Error> {
    let mut object = match live {
        Value::Object(object) => object.clone(),
        _ => Map::new(),
    };
    merge_map(&mut object, patch, Node::root(schema))?;
    Ok(Value::Object(object))
}

fn merge_map(original: &mut Map<String, Value>, patch: &Map<String, Value>, node: Node<'_>) -> Result<(), Error> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(Value::String(directive)) if directive == "merge" => {}
        Some(Value::String(directive)) if directive == "replace" => {
            *original = patch.clone();
            original.remove(DIRECTIVE);
            clean_map(original);
            return Ok(());
        }
        Some(Value::String(directive)) if directive == "delete" => {
            original.clear();
            return Ok(());
        }
        Some(other) => return Err(unknown_directive(other, patch)),
    }
    retain_keys(original, patch)?;
    for (key, value) in patch {
        if key == DIRECTIVE || key == RETAIN_KEYS {
            continue;
        }
        if let Some(rest) = key.strip_prefix(DELETE_FROM) {
            delete_from_list(original, list_name(rest, DELETE_FROM)?, value)?;
        } else if let Some(rest) = key.strip_prefix(ELEMENT_ORDER) {
            ordered_list(original, patch, list_name(rest, ELEMENT_ORDER)?, value, node)?;
        } else if !patch.contains_key(&format!("{ELEMENT_ORDER}/{key}")) {
            merge_field(original, key, value, node)?;
        }
    }
    Ok(())
}

fn merge_field(original: &mut Map<String, Value>, key: &str, value: &Value, node: Node<'_>) -> Result<(), Error> {
    let (child, strategy) = node.child(key);
    match (original.get_mut(key), value) {
        (_, Value::Null) => {
            original.remove(key);
        }
        (Some(Value::Object(map)), Value::Object(patch)) if !strategy.replace => {
            merge_map(map, patch, child)?;
            // A map that a directive deletes stays as an empty one, as upstream leaves it.
        }
        (Some(Value::Array(list)), Value::Array(patch)) if strategy.merge => {
            *list = merge_list(std::mem::take(list), patch, None, child.item(), strategy)?;
        }
        (_, value) => match clean(value) {
            Some(value) => {
                original.insert(key.to_owned(), value);
            }
            None => {
                original.remove(key);
            }
        },
    }
    Ok(())
}

/// Drops the keys that `$retainKeys` does not name; the patch may set no other.
fn retain_keys(original: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), Error> {
    let Some(retain) = patch.get(RETAIN_KEYS) else { return Ok(()) };
    let bad = || Error::BadRequest("invalid patch format of retainKeys".to_owned());
    let retain: Vec<&str> = retain.as_array().ok_or_else(bad)?.iter().filter_map(Value::as_str).collect();
    for (key, value) in patch {
        let is_directive =
            key == RETAIN_KEYS || key == DIRECTIVE || key.starts_with(DELETE_FROM) || key.starts_with(ELEMENT_ORDER);
        if !is_directive && !value.is_null() && !retain.contains(&key.as_str()) {
            return Err(bad());
        }
    }
    original.retain(|key, _| retain.contains(&key.as_str()));
    Ok(())
}

fn list_name<'a>(rest: &'a str, directive: &str) -> Result<&'a str, Error> {
    rest.strip_prefix('/').filter(|name| !name.is_empty()).ok_or_else(|| {
        Error::BadRequest(match directive {
            DELETE_FROM => "invalid patch format of primitive list".to_owned(),
            _ => "invalid patch format of setElementOrder list".to_owned(),
        })
    })
}

fn delete_from_list(original: &mut Map<String, Value>, name: &str, deleted: &Value) -> Result<(), Error> {
    let deleted =
        deleted.as_array().ok_or_else(|| Error::BadRequest("invalid patch format of primitive list".to_owned()))?;
    if let Some(Value::Array(list)) = original.get_mut(name) {
        list.retain(|item| !deleted.contains(item));
    }
    Ok(())
}

/// A list whose order the patch states with `$setElementOrder`.
fn ordered_list(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    name: &str,
    order: &Value,
    node: Node<'_>,
) -> Result<(), Error> {
    let bad = || Error::BadRequest("invalid patch format of setElementOrder list".to_owned());
    let order = order.as_array().ok_or_else(bad)?;
    let changes = match patch.get(name) {
        Some(Value::Null) => {
            original.remove(name);
            return Ok(());
        }
        Some(Value::Array(changes)) => Some(changes.as_slice()),
        Some(_) => return Err(bad()),
        None => None,
    };
    let live = match original.remove(name) {
        Some(Value::Array(live)) => live,
        Some(other) if changes.is_none() => {
            original.insert(name.to_owned(), other);
            return Ok(());
        }
        Some(_) => Vec::new(),
        None if changes.is_none() => return Ok(()),
        None => Vec::new(),
    };
    let (child, strategy) = node.child(name);
    check_order(changes.unwrap_or_default(), order, strategy)?;
    let merged = if strategy.merge {
        merge_list(live, changes.unwrap_or_default(), Some(order), child.item(), strategy)?
    } else {
        changes.map_or(live, clean_list)
    };
    original.insert(name.to_owned(), Value::Array(merged));
    Ok(())
}

/// The items of a patch list must appear in the stated order, if they are stated at all.
fn check_order(changes: &[Value], order: &[Value], strategy: Strategy<'_>) -> Result<(), Error> {
    if changes.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut stated = order.iter().map(|item| key_text(item, strategy.merge_key));
    for item in changes.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let key = require_key(item, strategy.merge_key)?;
        if !stated.any(|stated| stated.as_ref() == Some(&key)) {
            let (changes, order) = (Value::from(changes), Value::from(order));
            return Err(Error::Invalid(format!(
                "The order in patch list:\n{changes}\n doesn't match {ELEMENT_ORDER} list:\n{order}\n"
            )));
        }
    }
    Ok(())
}

fn merge_list(
    live: Vec<Value>,
    patch: &[Value],
    order: Option<&[Value]>,
    item: Node<'_>,
    strategy: Strategy<'_>,
) -> Result<Vec<Value>, Error> {
    let mut all = live.iter().chain(patch);
    let is_maps = all.clone().any(Value::is_object);
    if all.clone().any(Value::is_array) {
        return Err(Error::Invalid("lists of lists are not supported".to_owned()));
    }
    if is_maps && !all.all(Value::is_object) {
        return Err(Error::Invalid("list element types are not identical".to_owned()));
    }
    if is_maps && strategy.merge_key.is_empty() {
        return Err(Error::Invalid("cannot merge lists without merge key".to_owned()));
    }
    let merge_key = if is_maps { strategy.merge_key } else { "" };
    let (merged, live_keys) = if is_maps {
        merge_items(live, patch, item, merge_key)?
    } else {
        let live_keys = live.iter().map(|item| key_text(item, "")).collect();
        (union(live, patch), live_keys)
    };
    let stated: Vec<Option<String>> = match order {
        Some(order) => order.iter().map(|item| key_text(item, merge_key)).collect(),
        None => {
            patch.iter().filter(|item| item.get(DIRECTIVE).is_none()).map(|item| key_text(item, merge_key)).collect()
        }
    };
    let merged = merged.into_iter().map(|item| (key_text(&item, merge_key), item)).collect();
    Ok(interleave(merged, &stated, &live_keys))
}

fn union(live: Vec<Value>, patch: &[Value]) -> Vec<Value> {
    let mut seen = std::collections::HashSet::new();
    live.into_iter().chain(patch.iter().cloned()).filter(|item| seen.insert(item.to_string())).collect()
}

type Merged = (Vec<Value>, Vec<Option<String>>);

/// Merges items that share a merge key and appends the others. Also returns the keys of the
/// live list in their order, without what the patch deletes.
fn merge_items(mut live: Vec<Value>, patch: &[Value], item: Node<'_>, merge_key: &str) -> Result<Merged, Error> {
    let mut changes = Vec::new();
    let mut replace = false;
    for change in patch {
        match change.get(DIRECTIVE) {
            None => changes.push(change),
            Some(Value::String(directive)) if directive == "delete" => {
                let key = require_key(change, merge_key)?;
                live.retain(|item| key_text(item, merge_key).as_ref() != Some(&key));
            }
            Some(Value::String(directive)) if directive == "replace" => replace = true,
            Some(Value::String(directive)) if directive == "merge" => changes.push(change),
            Some(other) => return Err(unknown_directive(other, change.as_object().unwrap_or(&Map::new()))),
        }
    }
    if replace {
        live.clear();
    }
    let live_keys: Vec<Option<String>> = live.iter().map(|item| key_text(item, merge_key)).collect();
    let mut index_of: HashMap<String, usize> = HashMap::with_capacity(live.len());
    for (index, key) in live_keys.iter().enumerate() {
        // Items without a key cannot be found, and the first of several wins.
        if let Some(key) = key {
            index_of.entry(key.clone()).or_insert(index);
        }
    }
    for change in changes {
        let key = require_key(change, merge_key)?;
        let existing = index_of.get(&key).and_then(|index| live.get_mut(*index)).and_then(Value::as_object_mut);
        match (existing, change.as_object()) {
            (Some(original), Some(change)) => merge_map(original, change, item)?,
            _ => {
                index_of.insert(key, live.len());
                live.extend(clean(change));
            }
        }
    }
    Ok((live, live_keys))
}

fn require_key(item: &Value, merge_key: &str) -> Result<String, Error> {
    key_text(item, merge_key)
        .ok_or_else(|| Error::Invalid(format!("map: {item} does not contain declared merge key: {merge_key}")))
}

/// A value that is new to the object: without nulls in its maps and without directives;
/// `None` if a directive deletes it.
fn clean(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.get(DIRECTIVE).and_then(Value::as_str) == Some("delete") => None,
        Value::Object(map) => {
            let mut map = map.clone();
            clean_map(&mut map);
            Some(Value::Object(map))
        }
        Value::Array(list) => Some(Value::Array(clean_list(list))),
        other => Some(other.clone()),
    }
}

fn clean_map(map: &mut Map<String, Value>) {
    let is_directive = |key: &str| {
        key == DIRECTIVE
            || key == RETAIN_KEYS
            || key
                .strip_prefix(DELETE_FROM)
                .or(key.strip_prefix(ELEMENT_ORDER))
                .is_some_and(|rest| rest.starts_with('/'))
    };
    map.retain(|key, value| !value.is_null() && !is_directive(key));
    let kept = std::mem::take(map);
    map.extend(kept.into_iter().filter_map(|(key, value)| clean(&value).map(|value| (key, value))));
}

fn clean_list(list: &[Value]) -> Vec<Value> {
    // An item that only says "replace" carries no content.
    let is_bare_directive =
        |item: &Value| item.as_object().is_some_and(|map| map.len() == 1 && map.contains_key(DIRECTIVE));
    list.iter().filter(|item| !is_bare_directive(item)).filter_map(clean).collect()
}

fn unknown_directive(directive: &Value, patch: &Map<String, Value>) -> Error {
    let directive = directive.as_str().map_or_else(|| directive.to_string(), str::to_owned);
    Error::Invalid(format!("unknown patch type: {directive} in map: {}", Value::Object(patch.clone())))
}
