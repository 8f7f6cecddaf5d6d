//! What became of an object between two states, as three sets of fields that
//! share no path.

use std::collections::BTreeMap;

use api::schema::ListType;
use serde_json::{Map, Value};

use super::error::Error;
use super::item::element_of;
use super::node::{Form, ListForm, MapForm, Node};
use crate::fields::{Element, Set, same};

/// The fields in which two states of an object differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the old state only.
    pub removed: Set,
    /// In both, with another value.
    pub modified: Set,
    /// In the new state only.
    pub added: Set,
}

impl Comparison {
    /// Whether both states are the same.
    pub fn is_same(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    /// The comparison without the fields in and below `ignored`.
    pub fn without(self, ignored: &Set) -> Comparison {
        if ignored.is_empty() {
            return self;
        }
        Comparison {
            removed: self.removed.recursive_difference(ignored),
            modified: self.modified.recursive_difference(ignored),
            added: self.added.recursive_difference(ignored),
        }
    }
}

/// What a walk finds at a place: whether the place itself changed, and what below it did.
#[derive(Default)]
struct Found {
    change: Change,
    below: Comparison,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Change {
    #[default]
    None,
    Removed,
    Modified,
    Added,
}

/// Compares two states of an object.
pub fn compare(node: Node<'_>, old: &Value, new: &Value) -> Result<Comparison, Error> {
    walk(node, Some(old), Some(new)).map(|found| found.below)
}

fn walk(node: Node<'_>, old: Option<&Value>, new: Option<&Value>) -> Result<Found, Error> {
    let mut found = Found::default();
    let form = node.form(new.or(old));
    // Where several forms are allowed, a value may have turned from one into another: both
    // count, the old one as removed and the new one as added.
    if let (Some(_), Some(_)) = (old, new) {
        let before = node.form(old);
        if std::mem::discriminant(&before) != std::mem::discriminant(&form) {
            step(before, old, new, &mut found)?;
        }
    }
    step(form, old, new, &mut found)?;
    Ok(found)
}

fn step(form: Form<'_>, old: Option<&Value>, new: Option<&Value>, found: &mut Found) -> Result<(), Error> {
    let is_leaf = match form {
        Form::Map(form) => {
            let (old_map, new_map) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
            let is_leaf = form.is_atomic || (old_map.is_none_or(Map::is_empty) && new_map.is_none_or(Map::is_empty));
            if !is_leaf {
                walk_maps(form, old_map, new_map, found)?;
            }
            is_leaf
        }
        Form::List(form) => {
            let (old_items, new_items) = (items(old), items(new));
            let is_leaf = form.relation == ListType::Atomic || (old_items.is_empty() && new_items.is_empty());
            if !is_leaf {
                walk_lists(form, old_items, new_items, found)?;
            }
            is_leaf
        }
        Form::Scalar(_) | Form::Nothing => true,
    };
    let change = match (old, new) {
        (None, Some(_)) => Change::Added,
        (Some(_), None) => Change::Removed,
        (Some(old), Some(new)) if is_leaf && !same(old, new) => Change::Modified,
        _ => Change::None,
    };
    if change != Change::None {
        found.change = change;
    }
    Ok(())
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn record(into: &mut Comparison, element: &Element, found: Found) {
    let is = |change: Change| found.change == change;
    into.removed.push(|| element.clone(), is(Change::Removed), found.below.removed);
    into.modified.push(|| element.clone(), is(Change::Modified), found.below.modified);
    into.added.push(|| element.clone(), is(Change::Added), found.below.added);
}

fn walk_maps(
    form: MapForm<'_>,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
    found: &mut Found,
) -> Result<(), Error> {
    let empty = Map::new();
    let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    for name in new.keys().chain(gone) {
        let (before, after) = (old.get(name), new.get(name));
        // Most of an object stays as it is.
        if before.is_some() && before == after {
            continue;
        }
        let element = Element::field(name);
        let (child, _) = form.field(name);
        let inner = walk(child, before, after).map_err(|error| error.under(&element))?;
        record(&mut found.below, &element, inner);
    }
    Ok(())
}

fn walk_lists(form: ListForm<'_>, old: &[Value], new: &[Value], found: &mut Found) -> Result<(), Error> {
    let mut sides: BTreeMap<Element, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
    let name = |position: usize, item: &Value| {
        element_of(form, item).map_err(|error| Error::here(format!("element {position}: {error}")))
    };
    for (position, item) in old.iter().enumerate() {
        sides.entry(name(position, item)?).or_default().0.push(item);
    }
    for (position, item) in new.iter().enumerate() {
        sides.entry(name(position, item)?).or_default().1.push(item);
    }
    for (element, (before, after)) in sides {
        let inner = walk_item(form, &before, &after).map_err(|error| error.under(&element))?;
        record(&mut found.below, &element, inner);
    }
    Ok(())
}

/// Items of one element. Duplicates count as one thing that is there or not.
fn walk_item(form: ListForm<'_>, old: &[&Value], new: &[&Value]) -> Result<Found, Error> {
    if old.len() <= 1 && new.len() <= 1 {
        let (before, after) = (old.first().copied(), new.first().copied());
        if before.is_some() && before == after {
            return Ok(Found::default());
        }
        return walk(form.item, before, after);
    }
    if old.len() >= 2 && new.len() >= 2 {
        let is_same = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new));
        let change = if is_same { Change::None } else { Change::Modified };
        return Ok(Found { change, below: Comparison::default() });
    }
    let is_added = new.len() >= 2;
    let single = if is_added { old.first() } else { new.first() };
    let mut found = match single.copied() {
        Some(item) if is_added => walk(form.item, Some(item), None)?,
        Some(item) => walk(form.item, None, Some(item))?,
        None => Found::default(),
    };
    found.change = if is_added { Change::Added } else { Change::Removed };
    Ok(found)
}
