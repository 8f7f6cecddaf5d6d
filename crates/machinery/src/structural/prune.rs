//! Pruning: fields that a schema does not name go, and are reported by their
//! paths as strict decoding names them. The type and metadata of objects are
//! not a schema's business and stay.

use serde_json::{Map, Value};

use super::node::{NONE, Node, NodeId, Tables, flag};
use super::path::Path;

/// So many unknown fields are named; the others only go.
pub(super) const MOST_UNKNOWN: usize = 1000;

/// Removes what the schema does not know.
pub(super) fn prune(tables: &Tables, root: NodeId, object: &mut Map<String, Value>) -> Vec<String> {
    let mut pruner = Pruner { tables, unknown: Vec::new() };
    let node = Node { flags: tables.node(root).flags | flag::EMBEDDED, ..*tables.node(root) };
    pruner.object(object, &node, &Path::root(""), node.flags & flag::PRESERVE_UNKNOWN != 0);
    pruner.unknown.sort_unstable();
    pruner.unknown
}

/// The same for a value at some place, for which nothing need be reported.
pub(super) fn prune_value(tables: &Tables, id: NodeId, value: &mut Value) {
    let mut pruner = Pruner { tables, unknown: Vec::new() };
    pruner.value(value, Some(id), &Path::root(""));
}

struct Pruner<'s> {
    tables: &'s Tables,
    unknown: Vec<String>,
}

pub(super) fn is_meta(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

impl Pruner<'_> {
    fn value(&mut self, value: &mut Value, id: Option<NodeId>, path: &Path<'_>) {
        let Some(id) = id else { return self.unschemed(value, path) };
        let node = *self.tables.node(id);
        let keeps = node.flags & flag::PRESERVE_UNKNOWN != 0;
        match value {
            Value::Object(map) => self.object(map, &node, path, keeps),
            Value::Array(list) => self.list(list, &node, path, keeps),
            _ => {}
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, node: &Node, path: &Path<'_>, keeps: bool) {
        let has_additional =
            node.additional != NONE || node.flags & (flag::ADDITIONAL_ALLOWED | flag::ADDITIONAL_FORBIDDEN) != 0;
        map.retain(|key, value| {
            if node.flags & flag::EMBEDDED != 0 && is_meta(key) {
                return true;
            }
            let at = path.child(key);
            if let Some(id) = self.tables.property(node, key) {
                self.value(value, Some(id), &at);
            } else if has_additional {
                self.value(value, (node.additional != NONE).then_some(node.additional), &at);
            } else if !keeps {
                if self.unknown.len() < MOST_UNKNOWN {
                    self.unknown.push(at.to_string());
                }
                return false;
            }
            true
        });
    }

    fn list(&mut self, list: &mut [Value], node: &Node, path: &Path<'_>, keeps: bool) {
        let items = (node.items != NONE).then_some(node.items);
        for (index, value) in list.iter_mut().enumerate() {
            let at = path.index(index);
            match items {
                // What preserves unknown fields preserves them in its lists too.
                Some(id) if keeps => {
                    let item = *self.tables.node(id);
                    match value {
                        Value::Object(map) => self.object(map, &item, &at, true),
                        Value::Array(inner) => self.list(inner, &item, &at, true),
                        _ => {}
                    }
                }
                None if keeps => {}
                items => self.value(value, items, &at),
            }
        }
    }

    /// Where there is no schema no field is known.
    fn unschemed(&mut self, value: &mut Value, path: &Path<'_>) {
        match value {
            Value::Object(map) => {
                let room = MOST_UNKNOWN.saturating_sub(self.unknown.len());
                self.unknown.extend(map.keys().take(room).map(|key| path.child(key).to_string()));
                map.clear();
            }
            Value::Array(list) => {
                for (index, value) in list.iter_mut().enumerate() {
                    self.unschemed(value, &path.index(index));
                }
            }
            _ => {}
        }
    }
}
