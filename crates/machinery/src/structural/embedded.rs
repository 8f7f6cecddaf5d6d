//! Objects within objects (`x-kubernetes-embedded-resource`): their metadata is
//! brought into the form of metadata, and they are checked as objects are. What
//! cannot be brought into form is left for the check to refuse.

use api::status::MOST_CAUSES;
use api::{Cause, ObjectMeta};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::cause;
use super::node::{NONE, NodeId, Tables, flag};
use super::path::Path;
use super::prune::MOST_UNKNOWN;
use crate::validate as meta;

/// Fields of metadata and of the objects in its lists.
const META: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];
const OWNER: [&str; 6] = ["apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid"];
const MANAGED: [&str; 7] = ["apiVersion", "fieldsType", "fieldsV1", "manager", "operation", "subresource", "time"];

/// Removes unknown and empty fields from the metadata of embedded objects, and reports the
/// unknown ones.
pub(super) fn coerce(tables: &Tables, root: NodeId, object: &mut Map<String, Value>, unknown: &mut Vec<String>) {
    if tables.node(root).flags & flag::EMBEDDED_BELOW != 0 {
        coerce_map(tables, root, object, &Path::root(""), unknown);
    }
}

fn coerce_value(tables: &Tables, id: NodeId, value: &mut Value, path: &Path<'_>, unknown: &mut Vec<String>) {
    if id == NONE || tables.node(id).flags & flag::EMBEDDED_BELOW == 0 {
        return;
    }
    match value {
        Value::Object(map) => coerce_map(tables, id, map, path, unknown),
        Value::Array(list) => {
            for (index, value) in list.iter_mut().enumerate() {
                coerce_value(tables, tables.node(id).items, value, &path.index(index), unknown);
            }
        }
        _ => {}
    }
}

fn coerce_map(tables: &Tables, id: NodeId, map: &mut Map<String, Value>, path: &Path<'_>, unknown: &mut Vec<String>) {
    let node = tables.node(id);
    if node.flags & flag::EMBEDDED != 0
        && let Some(held) = map.get_mut("metadata")
        && meta_problem(held).is_none()
    {
        coerce_meta(held, &path.child("metadata"), unknown);
    }
    for (key, value) in map {
        match tables.property(node, key) {
            Some(below) => coerce_value(tables, below, value, &path.child(key), unknown),
            None => coerce_value(tables, node.additional, value, &path.key(key), unknown),
        }
    }
}

/// The first embedded object whose type or metadata cannot be read.
pub(super) fn malformed(tables: &Tables, root: NodeId, object: &Map<String, Value>) -> Option<Cause> {
    malformed_map(tables, root, object, &Path::root(""))
}

fn malformed_value(tables: &Tables, id: NodeId, value: &Value, path: &Path<'_>) -> Option<Cause> {
    if id == NONE || tables.node(id).flags & flag::EMBEDDED_BELOW == 0 {
        return None;
    }
    match value {
        Value::Object(map) => malformed_map(tables, id, map, path),
        Value::Array(list) => {
            let items = tables.node(id).items;
            list.iter().enumerate().find_map(|(index, item)| malformed_value(tables, items, item, &path.index(index)))
        }
        _ => None,
    }
}

fn malformed_map(tables: &Tables, id: NodeId, map: &Map<String, Value>, path: &Path<'_>) -> Option<Cause> {
    let node = tables.node(id);
    if node.flags & flag::EMBEDDED_BELOW == 0 {
        return None;
    }
    map.iter().find_map(|(key, value)| {
        let at = path.child(key);
        if node.flags & flag::EMBEDDED != 0 {
            match key.as_str() {
                "apiVersion" | "kind" if !value.is_string() => {
                    return Some(cause::invalid(at, value, "must be a string"));
                }
                "metadata" => {
                    if let Some(problem) = meta_problem(value) {
                        return Some(cause::invalid(at, value, &problem));
                    }
                }
                _ => {}
            }
        }
        match tables.property(node, key) {
            Some(below) => malformed_value(tables, below, value, &at),
            None => malformed_value(tables, node.additional, value, &path.key(key)),
        }
    })
}

/// Why a value cannot be metadata, as Go's decoder puts it.
pub(super) fn meta_problem(value: &Value) -> Option<String> {
    let kind_of = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let map = match value {
        Value::Null => return None,
        Value::Object(map) => map,
        other => return Some(format!("json: cannot unmarshal {} into Go value of type v1.ObjectMeta", kind_of(other))),
    };
    let wrong = |field: &str, value: &Value, expected: &str| {
        let found = kind_of(value);
        Some(format!("json: cannot unmarshal {found} into Go struct field ObjectMeta.{field} of type {expected}"))
    };
    let is_text = |value: &Value| value.is_string() || value.is_null();
    for (field, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let problem = match (field.as_str(), value) {
            ("labels" | "annotations", Value::Object(texts)) => {
                texts.values().find(|text| !is_text(text)).and_then(|text| wrong(field, text, "string"))
            }
            ("labels" | "annotations", other) => wrong(field, other, "map[string]string"),
            ("finalizers", Value::Array(texts)) => {
                texts.iter().find(|text| !is_text(text)).and_then(|text| wrong(field, text, "string"))
            }
            ("finalizers", other) => wrong(field, other, "[]string"),
            ("ownerReferences", Value::Array(_)) | ("managedFields", Value::Array(_)) => None,
            ("ownerReferences", other) => wrong(field, other, "[]v1.OwnerReference"),
            ("managedFields", other) => wrong(field, other, "[]v1.ManagedFieldsEntry"),
            ("generation" | "deletionGracePeriodSeconds", value) if !value.is_i64() => wrong(field, value, "int64"),
            ("creationTimestamp" | "deletionTimestamp", Value::String(_)) => None,
            ("creationTimestamp" | "deletionTimestamp", other) => wrong(field, other, "string"),
            ("name" | "generateName" | "namespace" | "uid" | "resourceVersion" | "selfLink", value)
                if !value.is_string() =>
            {
                wrong(field, value, "string")
            }
            _ => None,
        };
        if problem.is_some() {
            return problem;
        }
    }
    // What is left is wrong deeper within the lists of owners.
    read_meta(value).err()
}

/// Metadata, in which null is nothing.
fn read_meta(value: &Value) -> Result<ObjectMeta, String> {
    let mut value = value.clone();
    if value.is_null() {
        return Ok(ObjectMeta::default());
    }
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    ObjectMeta::deserialize(value).map_err(|error| error.to_string())
}

fn coerce_meta(held: &mut Value, path: &Path<'_>, unknown: &mut Vec<String>) {
    let Some(map) = held.as_object_mut() else {
        *held = Value::Object(Map::new());
        return;
    };
    keep_known(map, &META, path, unknown);
    map.retain(|_, value| !is_empty(value));
    for (field, known) in [("ownerReferences", &OWNER[..]), ("managedFields", &MANAGED[..])] {
        let Some(list) = map.get_mut(field).and_then(Value::as_array_mut) else { continue };
        let at = path.child(field);
        for (index, item) in list.iter_mut().enumerate() {
            let Some(item) = item.as_object_mut() else { continue };
            keep_known(item, known, &at.index(index), unknown);
            item.retain(|_, value| !value.is_null());
        }
    }
}

fn keep_known(map: &mut Map<String, Value>, known: &[&str], path: &Path<'_>, unknown: &mut Vec<String>) {
    map.retain(|key, _| {
        let is_known = known.contains(&key.as_str());
        if !is_known && unknown.len() < MOST_UNKNOWN {
            unknown.push(path.child(key).to_string());
        }
        is_known
    });
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Bool(_) => false,
    }
}

/// Checks the embedded objects of an object.
pub(super) fn check(tables: &Tables, root: NodeId, object: &Map<String, Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if tables.node(root).flags & flag::EMBEDDED_BELOW != 0 {
        check_map(tables, root, object, &Path::root(""), &mut causes);
    }
    causes
}

/// Checks the embedded objects of a value that stands at a place.
pub(super) fn check_value(tables: &Tables, id: NodeId, value: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let is_full = causes.len() >= MOST_CAUSES;
    if is_full || id == NONE || tables.node(id).flags & flag::EMBEDDED_BELOW == 0 {
        return;
    }
    match value {
        Value::Object(map) => check_map(tables, id, map, path, causes),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                check_value(tables, tables.node(id).items, value, &path.index(index), causes);
            }
        }
        _ => {}
    }
}

fn check_map(tables: &Tables, id: NodeId, map: &Map<String, Value>, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let node = tables.node(id);
    if node.flags & flag::EMBEDDED != 0 {
        check_object(map, path, causes);
    }
    for (key, value) in map {
        match tables.property(node, key) {
            Some(below) => check_value(tables, below, value, &path.child(key), causes),
            None => check_value(tables, node.additional, value, &path.key(key), causes),
        }
    }
}

/// Checks type and metadata of one object.
pub(super) fn check_object(map: &Map<String, Value>, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for field in ["apiVersion", "kind"] {
        let at = path.child(field);
        match map.get(field) {
            None => causes.push(cause::required(at, "")),
            Some(Value::String(text)) if text.is_empty() => {
                causes.push(cause::invalid_text(at, "", "must not be empty"))
            }
            Some(Value::String(text)) if field == "apiVersion" => {
                if text.matches('/').count() > 1 {
                    causes.push(cause::invalid_text(at, text, &format!("unexpected GroupVersion string: {text}")));
                }
            }
            Some(Value::String(text)) => {
                let problems = meta::dns_1035_label(&text.to_lowercase());
                if !problems.is_empty() {
                    let why = format!("may have mixed case, but should otherwise match: {}", problems.join(","));
                    causes.push(cause::invalid_text(at, text, &why));
                }
            }
            Some(other) => causes.push(cause::invalid(at, other, "must be a string")),
        }
    }
    let Some(held) = map.get("metadata") else { return };
    let at = path.child("metadata");
    match read_meta(held) {
        Ok(held) => check_meta(&held, &at, causes),
        Err(problem) => causes.push(cause::invalid(at, held, &meta_problem(held).unwrap_or(problem))),
    }
}

fn check_meta(held: &ObjectMeta, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (field, text, is_prefix) in [("generateName", &held.generate_name, true), ("name", &held.name, false)] {
        let at = path.child(field).to_string();
        causes.extend(meta::path_segment(text, is_prefix).iter().map(|why| meta::invalid(&at, text, why)));
    }
    if !held.namespace.is_empty() {
        let at = path.child("namespace").to_string();
        causes.extend(meta::dns_label(&held.namespace).iter().map(|why| meta::invalid(&at, &held.namespace, why)));
    }
    if held.generation < 0 {
        let why = "must be greater than or equal to 0";
        causes.push(cause::invalid(path.child("generation"), &Value::from(held.generation), why));
    }
    let at = |field: &str| path.child(field).to_string();
    causes.extend(meta::labels(&held.labels, &at("labels")));
    causes.extend(meta::annotations(&held.annotations, &at("annotations")));
    causes.extend(meta::owner_references(&held.owner_references, &at("ownerReferences")));
    causes.extend(meta::finalizers(&held.finalizers, &at("finalizers")));
}
