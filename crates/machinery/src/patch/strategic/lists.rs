//! Lists in strategic merge patches: items merge by their key, scalars are a set, and what the
//! patch states keeps its order. What only the server has keeps its place as well as it can.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::words::{self, MAP};
use super::{DIRECTIVE, ELEMENT_ORDER, From, merge_map};
use crate::patch::{Error, go_text};
use crate::typed::Node;

/// Up to so many items Go sorts by insertion, which shows where an order is not one.
const INSERTION_SORTED: usize = 20;

/// Merges a list into another.
pub(super) fn merge(
    live: Vec<Value>,
    patch: Vec<Value>,
    item: Node<'_>,
    merge_key: &str,
    from: From,
) -> Result<Vec<Value>, Error> {
    if live.is_empty() && patch.is_empty() {
        return Ok(live);
    }
    let is_maps = item_type(&live, &patch)? == MAP;
    if !is_maps {
        if from == From::Deletion {
            let gone: HashSet<String> = patch.iter().map(Value::to_string).collect();
            return Ok(live.into_iter().filter(|item| !gone.contains(&item.to_string())).collect());
        }
        let mut seen = HashSet::new();
        let both = live.iter().chain(&patch).filter(|item| seen.insert(item.to_string()));
        return arranged(both.cloned().collect(), &patch, &live, merge_key);
    }
    if merge_key.is_empty() {
        return Err(Error::Unexpected("cannot merge lists without merge key for struct".to_owned()));
    }
    let (live, patch) = special_items(live, patch, merge_key)?;
    let keys = live.clone();
    let merged = merge_items(live, &patch, item, merge_key)?;
    arranged(merged, &patch, &keys, merge_key)
}

/// Orders what an `$setElementOrder` states.
pub(super) fn ordered(
    merged: Vec<Value>,
    order: &[Value],
    live: &[Value],
    patch: &[Value],
    merge_key: &str,
) -> Result<Vec<Value>, Error> {
    let parts = partition(merged, order, merge_key)?;
    item_type(live, patch)?;
    interleave(parts, order, live, merge_key)
}

fn arranged(merged: Vec<Value>, patch: &[Value], live: &[Value], merge_key: &str) -> Result<Vec<Value>, Error> {
    let parts = partition(merged, patch, merge_key)?;
    interleave(parts, patch, live, merge_key)
}

/// The one type that the items of two lists have.
fn item_type(live: &[Value], patch: &[Value]) -> Result<&'static str, Error> {
    let mut types = live.iter().chain(patch).map(words::go_type);
    let Some(first) = types.next() else {
        return Err(Error::Unexpected("no elements in any of the given slices".to_owned()));
    };
    if first == words::go_type(&Value::Array(Vec::new())) {
        return Err(Error::Refused("lists of lists are not supported".to_owned()));
    }
    if types.any(|other| other != first) {
        let shown = go_text(&Value::from(vec![Value::from(live), Value::from(patch)]));
        return Err(Error::Unexpected(format!("list element types are not identical: {shown}")));
    }
    Ok(first)
}

/// What identifies an item.
fn key_of(item: &Value, merge_key: &str) -> Result<String, Error> {
    if merge_key.is_empty() {
        return if item.is_object() || item.is_array() { Err(words::incomparable()) } else { Ok(item.to_string()) };
    }
    let Some(map) = item.as_object() else { return Err(words::wrong_type(MAP, item)) };
    map.get(merge_key).map(Value::to_string).ok_or_else(|| words::without_key(item, merge_key))
}

/// The live items without those that the patch deletes, and the patch without directives.
fn special_items(live: Vec<Value>, patch: Vec<Value>, merge_key: &str) -> Result<(Vec<Value>, Vec<Value>), Error> {
    let mut changes = Vec::with_capacity(patch.len());
    let mut gone = HashSet::new();
    let mut replaces = false;
    for item in patch {
        match item.get(DIRECTIVE) {
            None => changes.push(item),
            Some(Value::String(directive)) if directive == "delete" => {
                gone.insert(key_of(&item, merge_key)?);
            }
            Some(Value::String(directive)) if directive == "replace" => replaces = true,
            Some(Value::String(directive)) if directive == "merge" => {
                return Err(Error::Unexpected("merging lists cannot yet be specified in the patch".to_owned()));
            }
            Some(other) => {
                return Err(words::unknown_directive(other, item.as_object().unwrap_or(&Default::default())));
            }
        }
    }
    if replaces {
        return Ok((changes, Vec::new()));
    }
    let stays = |item: &Value| key_of(item, merge_key).map_or(true, |key| !gone.contains(&key));
    Ok((live.into_iter().filter(stays).collect(), changes))
}

/// Merges items that share a merge key and appends the others.
fn merge_items(mut live: Vec<Value>, patch: &[Value], item: Node<'_>, merge_key: &str) -> Result<Vec<Value>, Error> {
    let mut index_of: HashMap<String, usize> = HashMap::with_capacity(live.len());
    for (index, item) in live.iter().enumerate() {
        // Items without a key cannot be found, and the first of several wins.
        if let Ok(key) = key_of(item, merge_key) {
            index_of.entry(key).or_insert(index);
        }
    }
    for change in patch {
        let key = key_of(change, merge_key)?;
        match (index_of.get(&key).and_then(|index| live.get_mut(*index)), change) {
            (Some(held), Value::Object(change)) => {
                let Value::Object(original) = std::mem::take(held) else { continue };
                *held = Value::Object(merge_map(original, change.clone(), item)?);
            }
            _ => {
                index_of.insert(key, live.len());
                live.push(change.clone());
            }
        }
    }
    Ok(live)
}

/// The items of a patch list must appear in the stated order, if they are stated at all.
pub(super) fn check_order(changes: &[Value], order: &[Value], merge_key: &str) -> Result<(), Error> {
    if changes.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut stated = order.iter();
    for item in changes {
        if !merge_key.is_empty() && !item.is_object() {
            return Err(words::wrong_type(MAP, item));
        }
        if item.get(DIRECTIVE).is_some() {
            continue;
        }
        loop {
            let Some(next) = stated.next() else {
                let (changes, order) = (go_text(&Value::from(changes)), go_text(&Value::from(order)));
                return Err(Error::Unexpected(format!(
                    "The order in patch list:\n{changes}\n doesn't match {ELEMENT_ORDER} list:\n{order}\n"
                )));
            };
            if key_of(item, merge_key)? == key_of(next, merge_key)? {
                break;
            }
        }
    }
    Ok(())
}

/// Items that a list names, and the others.
struct Parts {
    named: Vec<Value>,
    others: Vec<Value>,
}

fn partition(items: Vec<Value>, by: &[Value], merge_key: &str) -> Result<Parts, Error> {
    let mut keys = HashSet::with_capacity(by.len());
    for (index, item) in by.iter().enumerate() {
        if merge_key.is_empty() {
            keys.insert(key_of(item, merge_key)?);
        } else if !item.is_object() {
            return Err(Error::Unexpected(format!("value for key {index} is not a map")));
        } else if let Ok(key) = key_of(item, merge_key) {
            keys.insert(key);
        }
    }
    let mut parts = Parts { named: Vec::new(), others: Vec::new() };
    for item in items {
        let list = if keys.contains(&key_of(&item, merge_key)?) { &mut parts.named } else { &mut parts.others };
        list.push(item);
    }
    Ok(parts)
}

/// The named items as `order` says, and between them the others as they stood in `live`.
fn interleave(parts: Parts, order: &[Value], live: &[Value], merge_key: &str) -> Result<Vec<Value>, Error> {
    let named = sorted(parts.named, &positions(order, merge_key)?, merge_key)?;
    let live_at = positions(live, merge_key)?;
    let mut others = sorted(parts.others, &live_at, merge_key)?.into_iter().peekable();
    let mut out = Vec::with_capacity(named.len());
    for (key, item) in named {
        let at = live_at.get(&key);
        while let Some((_, other)) = others.next_if(|(key, _)| live_at.get(key).is_some_and(|other| Some(other) < at)) {
            out.push(other);
        }
        out.push(item);
    }
    out.extend(others.map(|(_, item)| item));
    Ok(out)
}

fn positions(items: &[Value], merge_key: &str) -> Result<HashMap<String, usize>, Error> {
    let mut positions = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        positions.entry(key_of(item, merge_key)?).or_insert(index);
    }
    Ok(positions)
}

/// Items with their keys in a stated order. Go's comparison says of an item that the order does
/// not know that it comes before every other, whichever it is compared to; such items end up in
/// front. Items that say "delete" end up last.
fn sorted(items: Vec<Value>, order: &HashMap<String, usize>, merge_key: &str) -> Result<Vec<(String, Value)>, Error> {
    let mut kept = Vec::with_capacity(items.len());
    let mut deleted = Vec::new();
    for item in items {
        let list =
            if item.get(DIRECTIVE).is_some_and(|directive| directive == "delete") { &mut deleted } else { &mut kept };
        list.push((key_of(&item, merge_key)?, item));
    }
    let place = |entry: &(String, Value)| order.get(&entry.0).copied();
    if kept.len() > INSERTION_SORTED || kept.iter().all(|entry| place(entry).is_some()) {
        kept.sort_by_key(place);
    } else {
        for index in 1..kept.len() {
            let mut at = index;
            while at > 0 && place(&kept[at]).zip(place(&kept[at - 1])).is_none_or(|(this, before)| this < before) {
                kept.swap(at, at - 1);
                at -= 1;
            }
        }
    }
    kept.append(&mut deleted);
    Ok(kept)
}
