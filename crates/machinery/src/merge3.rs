//! What a live object becomes when a desired state is applied from the client
//! side, as `kubectl apply` and Argo CD do it: what the last applied state had
//! and the desired one has not is deleted, what others have set is kept. It
//! never fails and never touches what the server owns.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::patch::{interleave, key_text};
use crate::typed::{Node, Schema, Strategy};

/// Fields of metadata that only the server writes.
pub const SERVER_METADATA: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
];

/// The object that `live` becomes. Lists merge item by item where the schema says so, and are
/// replaced elsewhere; without a last applied state nothing is deleted.
pub fn three_way(last_applied: Option<&Value>, desired: &Value, live: &Value, schema: Option<Schema<'_>>) -> Value {
    let Value::Object(desired) = desired else { return desired.clone() };
    let empty = Map::new();
    let live = live.as_object().unwrap_or(&empty);
    let desired = without_server_fields(desired);
    let last = last_applied.and_then(Value::as_object).map(without_server_fields);
    Value::Object(merge_map(last.as_ref(), &desired, live, Node::root(schema), Strategy::default()))
}

/// An object without its status and without what the server writes into its metadata.
pub(crate) fn without_server_fields(object: &Map<String, Value>) -> Map<String, Value> {
    let mut object = object.clone();
    object.remove("status");
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.retain(|key, _| !SERVER_METADATA.contains(&key.as_str()));
    }
    object
}

fn merge_map(
    last: Option<&Map<String, Value>>,
    desired: &Map<String, Value>,
    live: &Map<String, Value>,
    node: Node<'_>,
    strategy: Strategy<'_>,
) -> Map<String, Value> {
    if strategy.replace {
        return clean_map(desired);
    }
    let mut merged = live.clone();
    for key in last.into_iter().flat_map(Map::keys).filter(|key| !desired.contains_key(*key)) {
        merged.remove(key);
    }
    let mut is_changed = false;
    for (key, wanted) in desired {
        if wanted.is_null() {
            merged.remove(key);
            continue;
        }
        let (child, strategy) = node.child(key);
        let value = merge_value(last.and_then(|last| last.get(key)), wanted, live.get(key), child, strategy);
        is_changed |= live.get(key) != Some(&value);
        merged.insert(key.clone(), value);
    }
    // Such a map is a choice between its fields: a changed choice ends what the server had
    // filled in for the old one, an unchanged one keeps it.
    if strategy.retain_keys && is_changed {
        merged.retain(|key, _| desired.contains_key(key));
    }
    merged
}

fn merge_value(
    last: Option<&Value>,
    desired: &Value,
    live: Option<&Value>,
    node: Node<'_>,
    strategy: Strategy<'_>,
) -> Value {
    match (desired, live) {
        (Value::Object(desired), Some(Value::Object(live))) => {
            Value::Object(merge_map(last.and_then(Value::as_object), desired, live, node, strategy))
        }
        (Value::Array(desired), Some(Value::Array(live))) if strategy.merge => {
            let last = last.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            merge_list(last, desired, live, node.item(), strategy)
                .map_or_else(|| Value::Array(desired.clone()), Value::Array)
        }
        (Value::Object(desired), _) => Value::Object(clean_map(desired)),
        (desired, _) => desired.clone(),
    }
}

/// A map that is new to the object: nulls in it state that something is absent.
fn clean_map(map: &Map<String, Value>) -> Map<String, Value> {
    let kept = map.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| {
        let value = match value {
            Value::Object(inner) => Value::Object(clean_map(inner)),
            other => other.clone(),
        };
        (key.clone(), value)
    })
    .collect()
}

/// `None` if the items cannot be told apart, and the list is to be replaced.
fn merge_list(
    last: &[Value],
    desired: &[Value],
    live: &[Value],
    item: Node<'_>,
    strategy: Strategy<'_>,
) -> Option<Vec<Value>> {
    let (last_keys, desired_keys) = (keys(last, strategy.merge_key)?, keys(desired, strategy.merge_key)?);
    let live_keys = keys(live, strategy.merge_key)?;
    let wanted: HashSet<&str> = desired_keys.iter().map(String::as_str).collect();
    let has: HashSet<&str> = live_keys.iter().map(String::as_str).collect();
    let gone: HashSet<&str> = last_keys.iter().map(String::as_str).filter(|key| !wanted.contains(key)).collect();
    // A list of scalars is a set: its order alone changes nothing, unless it was applied in another.
    let is_set = !desired.iter().chain(live).any(Value::is_object) && (last.is_empty() || last == desired);
    if is_set && wanted.is_subset(&has) && gone.is_disjoint(&has) {
        return Some(live.to_vec());
    }
    let last_at: HashMap<&str, &Value> = last_keys.iter().map(String::as_str).zip(last).collect();
    let live_at: HashMap<&str, &Value> = live_keys.iter().map(String::as_str).zip(live).collect();
    // Items are told from each other by their key alone, so nothing in them is replaced whole.
    let item_strategy = Strategy { retain_keys: strategy.retain_keys, ..Strategy::default() };
    let mut merged: Vec<(Option<String>, Value)> = desired_keys
        .iter()
        .zip(desired)
        .map(|(key, wanted)| {
            let (last, live) = (last_at.get(key.as_str()).copied(), live_at.get(key.as_str()).copied());
            (Some(key.clone()), merge_value(last, wanted, live, item, item_strategy))
        })
        .collect();
    let kept =
        live_keys.iter().zip(live).filter(|(key, _)| !wanted.contains(key.as_str()) && !gone.contains(key.as_str()));
    merged.extend(kept.map(|(key, item)| (Some(key.clone()), item.clone())));
    let some = |keys: Vec<String>| keys.into_iter().map(Some).collect::<Vec<_>>();
    Some(interleave(merged, &some(desired_keys), &some(live_keys)))
}

/// What identifies each item. A key that appears several times, as a port does that serves TCP
/// and UDP, is told apart by how often it appeared before.
fn keys(items: &[Value], merge_key: &str) -> Option<Vec<String>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut keys = Vec::with_capacity(items.len());
    for item in items {
        let key = if item.is_object() {
            key_text(item, merge_key).filter(|_| !merge_key.is_empty())?
        } else {
            item.to_string()
        };
        let count = seen.entry(key.clone()).or_insert(0);
        keys.push(format!("{key}#{count}"));
        *count += 1;
    }
    Some(keys)
}
