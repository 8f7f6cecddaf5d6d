//! The order of merged lists: what a patch states keeps its order, what only
//! the server has keeps its place among it as well as it can.

use std::collections::HashMap;

use serde_json::Value;

/// What identifies an item: its merge key's value, or itself if it is a scalar.
pub(crate) fn key_text(item: &Value, merge_key: &str) -> Option<String> {
    if merge_key.is_empty() { Some(item.to_string()) } else { item.get(merge_key).map(Value::to_string) }
}

/// Orders merged items, given with their keys: those in `order` as it says, the others by `live`.
/// An item that only the server has goes before the first stated one that it preceded there.
pub(crate) fn interleave(
    merged: Vec<(Option<String>, Value)>,
    order: &[Option<String>],
    live: &[Option<String>],
) -> Vec<Value> {
    let stated_at = positions(order);
    let live_at = positions(live);
    let mut stated = Vec::new();
    let mut others = Vec::new();
    for (key, item) in merged {
        let live_index = key.as_ref().and_then(|key| live_at.get(key.as_str()).copied());
        match key.as_ref().and_then(|key| stated_at.get(key.as_str()).copied()) {
            Some(index) => stated.push((index, live_index, item)),
            None => others.push((live_index, item)),
        }
    }
    stated.sort_by_key(|(index, _, _)| *index);
    others.sort_by_key(|(live_index, _)| *live_index);
    let mut out = Vec::with_capacity(stated.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (_, stated_live, item) in stated {
        while let Some((_, other)) = others
            .next_if(|(live_index, _)| matches!((live_index, stated_live), (Some(left), Some(right)) if *left < right))
        {
            out.push(other);
        }
        out.push(item);
    }
    out.extend(others.map(|(_, item)| item));
    out
}

fn positions(keys: &[Option<String>]) -> HashMap<&str, usize> {
    let mut positions = HashMap::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            positions.entry(key.as_str()).or_insert(index);
        }
    }
    positions
}
