//! The keywords that say how lists and objects merge: on what types they may
//! stand, and what the keys of a list need.

use api::Cause;
use serde_json::Value;

use super::super::cause;
use super::super::path::Path;
use super::super::read::{self, Json};

const LIST_TYPE: &str = "x-kubernetes-list-type";
const MAP_TYPE: &str = "x-kubernetes-map-type";
const KEYS: &str = "x-kubernetes-list-map-keys";

/// Checks how one place merges.
pub(super) fn check(schema: &Json, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let kind = read::text(schema, "type");
    if let Some(map_type) = read::get(schema, MAP_TYPE).and_then(Value::as_str) {
        needs_type(kind, "object", MAP_TYPE, path, causes);
        if map_type != "atomic" && map_type != "granular" {
            causes.push(cause::unsupported(path.child(MAP_TYPE), &Value::from(map_type), &["atomic", "granular"]));
        }
    }
    let list_type = read::get(schema, LIST_TYPE).and_then(Value::as_str);
    let keys = read::list(schema, KEYS);
    if let Some(list_type) = list_type {
        if kind != "array" {
            needs_type(kind, "array", LIST_TYPE, path, causes);
        } else if list_type == "set" {
            set_items(schema, path, causes);
        }
        if !["atomic", "set", "map"].contains(&list_type) {
            let known = ["atomic", "set", "map"];
            causes.push(cause::unsupported(path.child(LIST_TYPE), &Value::from(list_type), &known));
        }
    }
    if !keys.is_empty() && list_type != Some("map") {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        let at = path.child(LIST_TYPE);
        causes.push(match list_type {
            None => cause::required(at, why),
            Some(other) => cause::invalid_text(at, other, why),
        });
    }
    if list_type == Some("map") {
        map_items(schema, path, causes);
    }
    if let (Some(list_type @ ("set" | "map")), Some(items)) = (list_type, read::schema(schema, "items")) {
        keyed_items(schema, items, list_type, &path.child("items"), causes);
    }
}

fn needs_type(kind: &str, expected: &str, because: &str, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let why = format!("must be {expected} if {because} is specified");
    let at = path.child("type");
    if kind.is_empty() {
        causes.push(cause::required(at, &why));
    } else if kind != expected {
        causes.push(cause::invalid_text(at, kind, &why));
    }
}

/// Items of a set must be replaced whole.
fn set_items(schema: &Json, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let Some(items) = read::schema(schema, "items") else { return };
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let at = path.child("items");
    let item_list_type = read::get(items, LIST_TYPE);
    let shown = item_list_type.unwrap_or(&Value::Null);
    match read::text(items, "type") {
        "array" if item_list_type.is_some_and(|value| value != "atomic") => {
            causes.push(cause::invalid(at.child(LIST_TYPE), shown, why));
        }
        "object" if read::text(items, MAP_TYPE) != "atomic" => {
            causes.push(cause::invalid(at.child(MAP_TYPE), shown, why));
        }
        _ => {}
    }
}

fn map_items(schema: &Json, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let keys = read::list(schema, KEYS);
    if keys.is_empty() {
        let why = "must not be empty if x-kubernetes-list-type is map";
        causes.push(cause::required(path.child(KEYS), why));
    }
    let at = path.child("items");
    let Some(items) = read::schema(schema, "items") else {
        let why = "must have a schema if x-kubernetes-list-type is map";
        match read::get(schema, "items") {
            None => causes.push(cause::required(at, why)),
            Some(other) => {
                let why = "must only have a single schema if x-kubernetes-list-type is map";
                causes.push(cause::invalid(at, other, why));
            }
        }
        return;
    };
    let kind = read::text(items, "type");
    if kind != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        causes.push(cause::invalid_text(at.child("type"), kind, why));
        return;
    }
    let all = Value::Array(keys.to_vec());
    let mut seen = std::collections::HashSet::new();
    for key in keys.iter().filter_map(Value::as_str) {
        match read::schema(items, "properties").and_then(|properties| read::schema(properties, key)) {
            Some(property) if ["array", "object"].contains(&read::text(property, "type")) => {
                let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                let at = at.child("properties");
                causes.push(cause::invalid_text(at.key(key).child("type"), kind, why));
            }
            Some(_) => {}
            None => causes.push(cause::invalid(path.child(KEYS), &all, "entries must all be names of item properties")),
        }
        if !seen.insert(key) {
            causes.push(cause::invalid(path.child(KEYS), &all, "must not contain duplicate entries"));
        }
    }
}

/// Items may not be null, and keys must always be there.
fn keyed_items(schema: &Json, items: &Json, list_type: &str, at: &Path<'_>, causes: &mut Vec<Cause>) {
    if read::flag(items, "nullable") {
        let why = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        causes.push(cause::forbidden(at.child("nullable"), &why));
    }
    if list_type != "map" {
        return;
    }
    let required: std::collections::HashSet<&str> = read::texts(items, "required").collect();
    for key in read::texts(schema, KEYS) {
        let properties = read::schema(items, "properties");
        let Some(property) = properties.and_then(|properties| read::schema(properties, key)) else { continue };
        let path = at.child("properties");
        if !required.contains(key) && read::get(property, "default").is_none() {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            causes.push(cause::required(path.key(key).child("default"), why));
        }
        if read::flag(property, "nullable") {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            causes.push(cause::forbidden(path.key(key).child("nullable"), why));
        }
    }
}
