//! Laying what is applied over what is there. Nothing is taken away by it; lists
//! that merge keep the order of what is there, and take the applied order for
//! the items that both have.

use std::collections::{BTreeMap, BTreeSet};

use api::schema::ListType;
use serde_json::{Map, Value};

use super::error::Error;
use super::item::element_of;
use super::node::{Form, ListForm, MapForm, Node};
use crate::fields::Element;

/// `live` with everything that `applied` states.
pub fn merge(node: Node<'_>, live: &Value, applied: &Value) -> Result<Value, Error> {
    merge_both(node, live, applied)
}

fn merge_both(node: Node<'_>, live: &Value, applied: &Value) -> Result<Value, Error> {
    match node.form(Some(applied)) {
        Form::Map(form) if !form.is_atomic => match (live.as_object(), applied.as_object()) {
            // What is empty on both sides, or no map at all, is replaced as one thing.
            (None | Some(_), None) if live.as_object().is_none_or(Map::is_empty) => Ok(applied.clone()),
            (live, applied) if is_hollow(live) && is_hollow(applied) => {
                Ok(applied.map_or(Value::Null, |map| Value::Object(map.clone())))
            }
            (live, applied) => merge_maps(form, live, applied),
        },
        Form::List(form) if form.relation != ListType::Atomic => {
            let (live_items, applied_items) = (items(live), items(applied));
            if live_items.is_empty() && applied_items.is_empty() {
                return Ok(applied.clone());
            }
            merge_lists(form, live_items, applied_items).map(Value::Array)
        }
        _ => Ok(applied.clone()),
    }
}

fn is_hollow(map: Option<&Map<String, Value>>) -> bool {
    map.is_none_or(Map::is_empty)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn merge_maps(
    form: MapForm<'_>,
    live: Option<&Map<String, Value>>,
    applied: Option<&Map<String, Value>>,
) -> Result<Value, Error> {
    // What both have is merged, not copied first: each level would copy all below it once more.
    let is_alone = |name: &str| applied.is_none_or(|applied| !applied.contains_key(name));
    let untouched = live.into_iter().flatten().filter(|(name, _)| is_alone(name));
    let mut merged: Map<String, Value> = untouched.map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, value) in applied.into_iter().flatten() {
        let value = match live.and_then(|live| live.get(name)) {
            None => value.clone(),
            Some(held) => {
                let (child, _) = form.field(name);
                merge_both(child, held, value).map_err(|error| error.under(&Element::field(name)))?
            }
        };
        merged.insert(name.clone(), value);
    }
    Ok(Value::Object(merged))
}

/// The items of one side by their elements. A duplicate merges with nothing.
struct Side<'v> {
    order: Vec<(Element, &'v Value)>,
    by_element: BTreeMap<Element, Option<&'v Value>>,
}

impl<'v> Side<'v> {
    fn read(form: ListForm<'_>, items: &'v [Value]) -> Result<Side<'v>, Error> {
        let mut side = Side { order: Vec::with_capacity(items.len()), by_element: BTreeMap::new() };
        for (position, item) in items.iter().enumerate() {
            let element =
                element_of(form, item).map_err(|error| Error::here(format!("element {position}: {error}")))?;
            side.by_element.entry(element.clone()).and_modify(|held| *held = None).or_insert(Some(item));
            side.order.push((element, item));
        }
        Ok(side)
    }

    fn has(&self, element: &Element) -> bool {
        self.by_element.contains_key(element)
    }
}

/// Walks both lists at once. Items that only one side has keep their place between their
/// neighbours; items that both have come in the applied order.
fn merge_lists(form: ListForm<'_>, live: &[Value], applied: &[Value]) -> Result<Vec<Value>, Error> {
    let (left, right) = (Side::read(form, live)?, Side::read(form, applied)?);
    let mut shared = right.order.iter().map(|(element, _)| element).filter(|element| left.has(element));
    let mut next_shared = shared.next();
    let mut done: BTreeSet<&Element> = BTreeSet::new();
    let mut merged = Vec::with_capacity(live.len().max(applied.len()));
    let (mut l, mut r) = (0, 0);
    while l < left.order.len() || r < right.order.len() {
        if let (Some((element, _)), Some((wanted, item))) = (left.order.get(l), right.order.get(r)) {
            if element == wanted {
                done.insert(wanted);
                merged.push(merge_item(form, wanted, &left, item)?);
                (l, r) = (l + 1, r + 1);
                next_shared = shared.next();
                continue;
            }
            // Both have it, but its turn in the applied order is later.
            if right.has(element) && next_shared.is_some_and(|next| next != element) {
                l += 1;
                continue;
            }
        }
        if let Some((element, item)) = left.order.get(l) {
            if !right.has(element) {
                merged.push((*item).clone());
                l += 1;
                continue;
            }
            if done.contains(element) {
                l += 1;
            }
        }
        if let Some((element, item)) = right.order.get(r) {
            done.insert(element);
            merged.push(merge_item(form, element, &left, item)?);
            r += 1;
            if next_shared == Some(element) {
                next_shared = shared.next();
            }
        }
    }
    Ok(merged)
}

fn merge_item(form: ListForm<'_>, element: &Element, left: &Side<'_>, applied: &Value) -> Result<Value, Error> {
    match left.by_element.get(element).copied().flatten() {
        Some(live) => merge_both(form.item, live, applied).map_err(|error| error.under(element)),
        None => Ok(applied.clone()),
    }
}
