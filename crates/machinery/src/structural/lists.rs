//! Lists that are sets or maps: no item, or no key, may appear twice; and how
//! the items of a new list find their old ones. Values themselves are not
//! judged here.

use std::collections::HashMap;

use api::Cause;
use api::status::MOST_CAUSES;
use serde_json::{Map, Value};

use super::cause;
use super::node::{NONE, Node, NodeId, Tables, flag};
use super::path::Path;

/// Items that appear twice in lists of type set or map, at any depth.
pub(super) fn duplicates(tables: &Tables, root: NodeId, object: &Map<String, Value>) -> Vec<Cause> {
    let mut finder = Finder { tables, causes: Vec::new() };
    finder.map(tables.node(root), object, &Path::root(""));
    finder.causes
}

struct Finder<'s> {
    tables: &'s Tables,
    causes: Vec<Cause>,
}

impl Finder<'_> {
    fn value(&mut self, id: NodeId, value: &Value, path: &Path<'_>) {
        let node = self.tables.node(id);
        match value {
            Value::Array(list) => self.list(node, list, path),
            Value::Object(map) => self.map(node, map, path),
            _ => {}
        }
    }

    fn map(&mut self, node: &Node, map: &Map<String, Value>, path: &Path<'_>) {
        if node.flags & flag::LIST_BELOW == 0 {
            return;
        }
        for (key, value) in map {
            if node.additional != NONE {
                self.value(node.additional, value, &path.key(key));
            }
            if let Some(id) = self.tables.property(node, key) {
                self.value(id, value, &path.child(key));
            }
        }
    }

    fn list(&mut self, node: &Node, list: &[Value], path: &Path<'_>) {
        if node.flags & flag::LIST_BELOW == 0 || self.causes.len() >= MOST_CAUSES {
            return;
        }
        if node.flags & flag::LIST_SET != 0 {
            let items: Vec<String> = list.iter().map(Value::to_string).collect();
            for index in repeated(&items).into_iter().take(MOST_CAUSES) {
                self.causes.push(cause::duplicate(path.index(index), &list[index]));
            }
        } else if node.flags & flag::LIST_MAP != 0 {
            self.list_map(node, list, path);
        }
        if node.items != NONE {
            for (index, value) in list.iter().enumerate() {
                self.value(node.items, value, &path.index(index));
            }
        }
    }

    fn list_map(&mut self, node: &Node, list: &[Value], path: &Path<'_>) {
        if let Some(index) = list.iter().position(|item| !item.is_null() && !item.is_object()) {
            let why = "must be an object for an array of list-type map";
            self.causes.push(cause::invalid(path.index(index), &list[index], why));
            return;
        }
        let keys: Vec<Value> = list.iter().map(|item| self.keys_of(node, item)).collect();
        let texts: Vec<String> = keys.iter().map(Value::to_string).collect();
        for index in repeated(&texts).into_iter().take(MOST_CAUSES) {
            self.causes.push(cause::duplicate(path.index(index), &keys[index]));
        }
    }

    fn keys_of(&self, node: &Node, item: &Value) -> Value {
        let names = self.tables.list_keys(node).iter().map(|name| self.tables.name(*name));
        Value::Object(names.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone()))).collect())
    }
}

/// Where items appear for the second time.
fn repeated(items: &[String]) -> Vec<usize> {
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(items.len());
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let count = times.entry(item).or_default();
        *count += 1;
        if *count == 2 {
            found.push(index);
        }
    }
    found
}

/// The items of an old list by their keys.
pub(super) struct OldItems<'v> {
    by_key: HashMap<String, &'v Value>,
}

impl<'v> OldItems<'v> {
    /// Of a list that merges by key; `None` of any other.
    pub(super) fn of(tables: &Tables, node: &Node, old: &'v Value) -> Option<Self> {
        let is_map = node.flags & flag::LIST_MAP != 0 && node.items != NONE;
        if !is_map || tables.list_keys(node).is_empty() {
            return None;
        }
        let mut by_key = HashMap::new();
        for item in old.as_array()? {
            if let Some(key) = key_of(tables, node, item) {
                by_key.entry(key).or_insert(item);
            }
        }
        Some(OldItems { by_key })
    }

    pub(super) fn get(&self, tables: &Tables, node: &Node, item: &Value) -> Option<&'v Value> {
        self.by_key.get(&key_of(tables, node, item)?).copied()
    }
}

fn key_of(tables: &Tables, node: &Node, item: &Value) -> Option<String> {
    let mut key = String::new();
    for name in tables.list_keys(node) {
        let value = item.get(tables.name(*name))?;
        if value.is_null() || value.is_array() || value.is_object() {
            return None;
        }
        key.push_str(&value.to_string());
        key.push('\0');
    }
    Some(key)
}

/// Whether a value is what it was: in lists that merge by key the order does not count, and
/// fields that the schema does not name are never known to be the same.
pub(super) fn is_unchanged(tables: &Tables, id: NodeId, old: &Value, new: &Value) -> bool {
    let node = tables.node(id);
    match (old, new) {
        (Value::Array(before), Value::Array(after)) => {
            if before.len() != after.len() {
                return false;
            }
            let Some(items) = OldItems::of(tables, node, old) else { return before == after };
            after.iter().all(|item| {
                items.get(tables, node, item).is_some_and(|old| is_unchanged(tables, node.items, old, item))
            })
        }
        (Value::Object(before), Value::Object(after)) => {
            let is_same = |(key, new): (&String, &Value)| {
                let (Some(old), Some(id)) = (before.get(key), tables.field(node, key)) else { return false };
                is_unchanged(tables, id, old, new)
            };
            before.len() == after.len() && after.iter().all(is_same)
        }
        (old, new) => old == new,
    }
}
