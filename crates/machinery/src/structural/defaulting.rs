//! Defaulting: what is absent, or null where null is not allowed, takes the
//! schema's default; such a null without a default goes. Nothing else changes.

use serde_json::{Map, Value};

use super::node::{NONE, Node, NodeId, Tables, flag, value_bytes};

/// Most bytes that defaults may add to one object: far more than an object may have.
const ADDED_BYTES: usize = 8 << 20;

/// Applies defaults to an object.
pub(super) fn default(tables: &Tables, root: NodeId, object: &mut Map<String, Value>) {
    let node = tables.node(root);
    drop_nulls_in_map(tables, Some(node), object);
    if node.flags & flag::DEFAULT_BELOW == 0 {
        return;
    }
    let mut left = ADDED_BYTES;
    default_map(tables, node, object, &mut left);
    // A default may itself hold such nulls.
    if tables.values.iter().any(holds_null) {
        drop_nulls_in_map(tables, Some(node), object);
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().any(holds_null),
        Value::Object(map) => map.values().any(holds_null),
        _ => false,
    }
}

fn node_of(tables: &Tables, id: NodeId) -> Option<&Node> {
    (id != NONE).then(|| tables.node(id))
}

fn is_refused_null(value: &Value, node: &Node) -> bool {
    value.is_null() && node.flags & flag::NULLABLE == 0
}

fn drop_nulls(tables: &Tables, node: Option<&Node>, value: &mut Value) {
    match value {
        Value::Object(map) => drop_nulls_in_map(tables, node, map),
        Value::Array(list) => {
            let items = node.and_then(|node| node_of(tables, node.items));
            if items.is_some() {
                list.iter_mut().for_each(|value| drop_nulls(tables, items, value));
            }
        }
        _ => {}
    }
}

fn drop_nulls_in_map(tables: &Tables, node: Option<&Node>, map: &mut Map<String, Value>) {
    let Some(node) = node else { return };
    map.retain(|key, value| {
        let below = tables.field(node, key).map(|id| tables.node(id));
        if below.is_some_and(|below| is_refused_null(value, below) && below.flags & flag::DEFAULT == 0) {
            return false;
        }
        drop_nulls(tables, below, value);
        true
    });
}

fn default_value(tables: &Tables, id: NodeId, value: &mut Value, left: &mut usize) {
    let node = tables.node(id);
    if node.flags & flag::DEFAULT_BELOW == 0 {
        return;
    }
    match value {
        Value::Object(map) => default_map(tables, node, map, left),
        Value::Array(list) if node.items != NONE => {
            for value in list {
                fill_null(tables, node.items, value, left);
                default_value(tables, node.items, value, left);
            }
        }
        _ => {}
    }
}

/// A copy of a default, if as much may still be added.
fn copied(default: &Value, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(value_bytes(default))?;
    Some(default.clone())
}

fn fill_null(tables: &Tables, id: NodeId, value: &mut Value, left: &mut usize) {
    let node = tables.node(id);
    if is_refused_null(value, node) {
        *value = tables.default_of(node).and_then(|default| copied(default, left)).unwrap_or_default();
    }
}

fn default_map(tables: &Tables, node: &Node, map: &mut Map<String, Value>, left: &mut usize) {
    for property in tables.properties(node) {
        let below = tables.node(property.node);
        let Some(default) = tables.default_of(below) else { continue };
        let name = tables.name(property.name);
        if map.get(name).is_none_or(|held| is_refused_null(held, below)) {
            let Some(default) = copied(default, left) else { return };
            map.insert(name.to_owned(), default);
        }
    }
    for (key, value) in map.iter_mut() {
        if let Some(id) = tables.property(node, key) {
            default_value(tables, id, value, left);
        } else if node.additional != NONE {
            fill_null(tables, node.additional, value, left);
            default_value(tables, node.additional, value, left);
        }
    }
}
