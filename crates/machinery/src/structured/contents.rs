//! What an object states, as a set of fields: every leaf, every item, every
//! entry of a map. This is what an applier comes to own.

use std::collections::BTreeMap;

use api::schema::ListType;
use serde_json::{Map, Value};

use super::item::element_of;
use super::node::{Form, ListForm, MapForm, Node};
use crate::fields::{Element, Set};

/// The fields that a value states. The value must have passed `validate`.
pub fn contents(node: Node<'_>, value: &Value) -> Set {
    walk(node, value).1
}

/// Whether the place itself is a leaf, and what is below it.
pub(super) fn walk(node: Node<'_>, value: &Value) -> (bool, Set) {
    match node.form(Some(value)) {
        Form::Map(form) if form.is_atomic => (true, Set::new()),
        Form::Map(form) => (false, value.as_object().map(|map| walk_map(form, map)).unwrap_or_default()),
        Form::List(form) if form.relation == ListType::Atomic => (true, Set::new()),
        Form::List(form) => (false, value.as_array().map(|items| walk_list(form, items)).unwrap_or_default()),
        Form::Scalar(_) | Form::Nothing => (true, Set::new()),
    }
}

fn walk_map(form: MapForm<'_>, map: &Map<String, Value>) -> Set {
    let mut set = Set::new();
    for (name, value) in map {
        let (child, is_named) = form.field(name);
        let (is_leaf, below) = walk(child, value);
        // What holds nothing would not show otherwise, nor would an entry of a map.
        let is_hollow = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        set.push(|| Element::field(name), is_leaf || is_hollow || !is_named, below);
    }
    set
}

fn walk_list(form: ListForm<'_>, items: &[Value]) -> Set {
    let mut found: BTreeMap<Element, (usize, &Value)> = BTreeMap::new();
    for item in items {
        let Ok(element) = element_of(form, item) else { continue };
        found.entry(element).or_insert((0, item)).0 += 1;
    }
    let mut set = Set::new();
    for (element, (count, item)) in found {
        // Duplicates are owned as one thing.
        let below = if count > 1 { Set::new() } else { walk(form.item, item).1 };
        set.push(|| element, true, below);
    }
    set
}

/// The same set with every named field of an object a member where paths go through it, so
/// that taking the set away takes the field and not only what is in it.
pub fn ensure_named_fields(node: Node<'_>, set: &Set) -> Set {
    set.map_entries(|entry| {
        let (child, is_named) = match &entry.element {
            Element::Field(name) => node.as_map().map_or((Node::nothing(), false), |form| form.field(name)),
            Element::Key(_) => (node.as_list().map_or(Node::nothing(), |form| form.item), false),
            Element::Value(_) | Element::Index(_) => (Node::nothing(), false),
        };
        let is_way = is_named && !entry.children.is_empty();
        (entry.is_member || is_way, ensure_named_fields(child, &entry.children))
    })
}
