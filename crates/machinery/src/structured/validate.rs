//! Whether an object fits its schema well enough to be merged: types, declared
//! fields, items that can be told apart. It is no substitute for validation of
//! values, which comes later in the pipeline.

use std::collections::BTreeSet;

use api::schema::ListType;
use serde_json::{Map, Value};

use super::error::Error;
use super::item::element_of;
use super::node::{Form, ListForm, MapForm, Node, Scalar};
use crate::fields::Element;

/// Whether two items of one list may have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// As in objects that were stored.
    Allowed,
    /// As in what is applied.
    Refused,
}

/// Refuses a value that does not fit its schema.
pub fn validate(node: Node<'_>, value: &Value, duplicates: Duplicates) -> Result<(), Error> {
    match node.form(Some(value)) {
        Form::Map(form) => match value {
            Value::Null => Ok(()),
            Value::Object(map) => validate_map(form, map, duplicates),
            other => Err(Error::here(format!("expected map, got &{{{}}}", go_text(other)))),
        },
        Form::List(form) => match value {
            Value::Null => Ok(()),
            Value::Array(items) => validate_list(form, items, duplicates),
            other => Err(Error::here(format!("expected list, got &{{{}}}", go_text(other)))),
        },
        Form::Scalar(scalar) => validate_scalar(scalar, value),
        Form::Nothing => Err(Error::here("field not declared in schema")),
    }
}

fn validate_map(form: MapForm<'_>, map: &Map<String, Value>, duplicates: Duplicates) -> Result<(), Error> {
    let mut faults = None;
    for (name, value) in map {
        let (child, _) = form.field(name);
        if let Err(error) = validate(child, value, duplicates) {
            add(&mut faults, error.under(&Element::field(name)));
        }
        if faults.as_ref().is_some_and(Error::is_full) {
            break;
        }
    }
    faults.map_or(Ok(()), Err)
}

fn validate_list(form: ListForm<'_>, items: &[Value], duplicates: Duplicates) -> Result<(), Error> {
    let mut faults = None;
    let mut seen = BTreeSet::new();
    for (position, item) in items.iter().enumerate() {
        let element = if form.relation == ListType::Atomic {
            Element::Index(i64::try_from(position).unwrap_or(i64::MAX))
        } else {
            match element_of(form, item) {
                Ok(element) => element,
                Err(error) => {
                    let message = format!("element {position}: {error}");
                    add(&mut faults, Error::here(message));
                    break;
                }
            }
        };
        if let Err(error) = validate(form.item, item, duplicates) {
            add(&mut faults, error.under(&element));
        }
        if form.relation != ListType::Atomic && !seen.insert(element.clone()) && duplicates == Duplicates::Refused {
            add(&mut faults, Error::here(format!("duplicate entries for key {element}")));
        }
        if faults.as_ref().is_some_and(Error::is_full) {
            break;
        }
    }
    faults.map_or(Ok(()), Err)
}

fn validate_scalar(scalar: Scalar, value: &Value) -> Result<(), Error> {
    match (scalar, value) {
        (_, Value::Null)
        | (Scalar::Numeric, Value::Number(_))
        | (Scalar::String, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::Any, Value::Number(_) | Value::String(_) | Value::Bool(_)) => Ok(()),
        (Scalar::Numeric, other) => {
            Err(Error::here(format!("expected numeric (int or float), got {}", go_type(other))))
        }
        (Scalar::String, other) => {
            Err(Error::here(format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_text(other))))
        }
        (Scalar::Boolean, other) => Err(Error::here(format!("expected boolean, got &{{{}}}", go_text(other)))),
        (Scalar::Any, other) => Err(Error::here(format!("expected any scalar, got &{{{}}}", go_text(other)))),
    }
}

/// The type of a value as the reference implementation names it to clients.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// A value as the reference implementation shows it to clients.
fn go_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

fn add(faults: &mut Option<Error>, more: Error) {
    *faults = Some(match faults.take() {
        Some(held) => held.and(more),
        None => more,
    });
}
