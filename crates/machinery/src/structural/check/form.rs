//! The form of structural schemas: every place has a type, alternatives only
//! narrow what the schema around them states, and metadata is left alone.

use api::Cause;
use serde_json::{Value, json};

use super::super::path::Path;
use super::super::read::{self, Json};
use super::super::{cause, pattern};

/// Where a schema stands, which decides how the lack of a type is put.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Checks a whole schema.
pub(super) fn check(schema: &Json, path: &Path<'_>) -> Vec<Cause> {
    let mut checker = Checker { causes: Vec::new() };
    checker.place(schema, Level::Root, path);
    checker.stated_below(schema, schema, path, path);
    checker.causes
}

struct Checker {
    causes: Vec<Cause>,
}

fn branches<'v>(schema: &'v Json, key: &'static str) -> impl Iterator<Item = (usize, &'v Json)> {
    read::schemas(schema, key).enumerate()
}

/// The alternatives that say in other words that a place is a whole number or text.
fn is_int_or_string(alternatives: &[Value]) -> bool {
    let is_just = |value: &Value, kind: &str| *value == json!({ "type": kind });
    matches!(alternatives, [first, second] if is_just(first, "integer") && is_just(second, "string"))
}

impl Checker {
    fn place(&mut self, schema: &Json, level: Level, path: &Path<'_>) {
        let kind = read::text(schema, "type");
        let items = read::schema(schema, "items");
        if kind == "array" && items.is_none() {
            self.causes.push(cause::required(path.child("items"), "must be specified"));
        }
        if let Some(items) = items {
            self.place(items, Level::Item, &path.child("items"));
        }
        for (name, schema) in read::properties(schema) {
            self.place(schema, Level::Field, &path.child("properties").key(name));
        }
        let additional = read::get(schema, "additionalProperties");
        let additional_path = path.child("additionalProperties");
        if additional.is_some() && level == Level::Root {
            self.causes.push(cause::forbidden(additional_path, "must not be used at the root"));
        }
        if let Some(additional) = additional.and_then(Value::as_object) {
            self.place(additional, Level::Field, &additional_path);
        }
        self.extensions(schema, path);
        let skips_first =
            read::schemas(schema, "allOf").next().is_some_and(|first| is_int_or_string(read::list(first, "anyOf")));
        self.narrowing(schema, is_int_or_string(read::list(schema, "anyOf")), skips_first, path);
        self.kind(schema, level, path);
        self.metadata(schema, level, path);
    }

    fn extensions(&mut self, schema: &Json, path: &Path<'_>) {
        if !read::flag(schema, "x-kubernetes-int-or-string") {
            return;
        }
        for key in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
            if read::flag(schema, key) {
                let why = "must be false if x-kubernetes-int-or-string is true";
                self.causes.push(cause::invalid(path.child(key), &json!(true), why));
            }
        }
    }

    fn kind(&mut self, schema: &Json, level: Level, path: &Path<'_>) {
        let kind = read::text(schema, "type");
        let at = path.child("type");
        let is_embedded = read::flag(schema, "x-kubernetes-embedded-resource");
        if is_embedded && kind != "object" {
            let why = "must be object if x-kubernetes-embedded-resource is true";
            self.causes.push(if kind.is_empty() {
                cause::required(at, why)
            } else {
                cause::invalid_text(at, kind, why)
            });
        } else if kind.is_empty()
            && !read::flag(schema, "x-kubernetes-int-or-string")
            && !read::flag(schema, "x-kubernetes-preserve-unknown-fields")
        {
            let why = match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            };
            self.causes.push(cause::required(at, why));
        }
        if is_embedded && read::get(schema, "additionalProperties").is_some() {
            let why = "must not be used if x-kubernetes-embedded-resource is set";
            self.causes.push(cause::forbidden(path.child("additionalProperties"), why));
        }
        if level == Level::Root && !kind.is_empty() && kind != "object" {
            self.causes.push(cause::invalid_text(at, kind, "must be object at the root"));
        }
    }

    fn metadata(&mut self, schema: &Json, level: Level, path: &Path<'_>) {
        let is_embedded = read::flag(schema, "x-kubernetes-embedded-resource");
        let is_checked = level == Level::Root || is_embedded;
        let properties = path.child("properties");
        let property = |name: &str| read::properties(schema).find(|(key, _)| *key == name).map(|(_, schema)| schema);
        for name in ["kind", "apiVersion"] {
            let Some(kind) = property(name).map(|schema| read::text(schema, "type")) else { continue };
            if is_checked && kind != "string" {
                let at = properties.key(name);
                self.causes.push(cause::invalid_text(at.child("type"), kind, "must be string"));
            }
        }
        if let Some(metadata) = property("metadata") {
            let at = properties.key("metadata");
            let kind = read::text(metadata, "type");
            if is_checked && kind != "object" {
                self.causes.push(cause::invalid_text(at.child("type"), kind, "must be object"));
            }
            if level == Level::Root && !is_plain_metadata(metadata) {
                let why =
                    "must not specify anything other than name and generateName, but metadata is implicitly specified";
                self.causes.push(cause::forbidden(at, why));
            }
        }
        let has_properties = read::properties(schema).next().is_some();
        if is_embedded && !read::flag(schema, "x-kubernetes-preserve-unknown-fields") && !has_properties {
            let why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
            self.causes.push(cause::required(properties, why));
        }
    }

    /// What a schema demands of values beyond their structure.
    fn narrowing(&mut self, schema: &Json, skips_any_of: bool, skips_first: bool, path: &Path<'_>) {
        if !skips_any_of {
            for (index, branch) in branches(schema, "anyOf") {
                self.branch(branch, false, &path.child("anyOf").index(index));
            }
        }
        for (index, branch) in branches(schema, "allOf") {
            self.branch(branch, skips_first && index == 0, &path.child("allOf").index(index));
        }
        for (index, branch) in branches(schema, "oneOf") {
            self.branch(branch, false, &path.child("oneOf").index(index));
        }
        if let Some(branch) = read::schema(schema, "not") {
            self.branch(branch, false, &path.child("not"));
        }
        let text = read::text(schema, "pattern");
        if let Err(error) = pattern::check(text) {
            let why = format!("must be a valid regular expression, but isn't: {error}");
            self.causes.push(cause::invalid_text(path.child("pattern"), text, &why));
        }
    }

    fn branch(&mut self, schema: &Json, skips_any_of: bool, path: &Path<'_>) {
        self.narrowing(schema, skips_any_of, false, path);
        if let Some(items) = read::schema(schema, "items") {
            self.branch(items, false, &path.child("items"));
        }
        for (name, schema) in read::properties(schema) {
            self.branch(schema, false, &path.child("properties").key(name));
        }
        let mut refuse = |key: &str, why: &str| self.causes.push(cause::forbidden(path.child(key), why));
        let additional = read::get(schema, "additionalProperties");
        if additional.is_some_and(|value| *value != Value::Bool(false)) {
            refuse("additionalProperties", "must be undefined to be structural");
        }
        if read::get(schema, "default").is_some() {
            refuse("default", "must be undefined to be structural");
        }
        for key in ["type", "title", "description"] {
            if !read::text(schema, key).is_empty() {
                refuse(key, "must be empty to be structural");
            }
        }
        for key in [
            "nullable",
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-embedded-resource",
            "x-kubernetes-int-or-string",
        ] {
            if read::flag(schema, key) {
                refuse(key, "must be false to be structural");
            }
        }
        for key in ["x-kubernetes-list-map-keys", "x-kubernetes-validations"] {
            if !read::list(schema, key).is_empty() {
                refuse(key, "must be empty to be structural");
            }
        }
        for key in ["x-kubernetes-list-type", "x-kubernetes-map-type"] {
            if read::get(schema, key).is_some() {
                refuse(key, "must be undefined to be structural");
            }
        }
        if read::properties(schema).any(|(name, _)| name == "metadata") {
            let at = path.child("properties");
            self.causes.push(cause::forbidden(at.key("metadata"), "must not be specified in a nested context"));
        }
    }

    /// Whether the structure states everything that alternatives speak of.
    fn stated_below(&mut self, schema: &Json, around: &Json, at: &Path<'_>, from: &Path<'_>) {
        for key in ["not", "allOf", "anyOf", "oneOf"] {
            let from = from.child(key);
            if let Some(branch) = read::schema(schema, key) {
                self.stated(branch, Some(around), at, &from);
            }
            for (index, branch) in branches(schema, key) {
                self.stated(branch, Some(around), at, &from.index(index));
            }
        }
    }

    fn stated(&mut self, branch: &Json, around: Option<&Json>, at: &Path<'_>, from: &Path<'_>) {
        let Some(around) = around else {
            self.causes.push(cause::required(at, &format!("because it is defined in {from}")));
            return;
        };
        self.stated_below(branch, around, at, from);
        if let Some(items) = read::schema(branch, "items") {
            self.stated(items, read::schema(around, "items"), &at.child("items"), &from.child("items"));
        }
        let (at, from) = (at.child("properties"), from.child("properties"));
        for (name, schema) in read::properties(branch) {
            let stated = read::schema(around, "properties").and_then(|properties| read::schema(properties, name));
            self.stated(schema, stated, &at.key(name), &from.key(name));
        }
    }
}

/// Whether a schema of metadata speaks of nothing but names.
fn is_plain_metadata(metadata: &Json) -> bool {
    let names_only = || {
        let properties = read::schema(metadata, "properties");
        properties.is_none_or(|map| map.keys().all(|name| name == "name" || name == "generateName"))
    };
    let is_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let is_allowed = |(key, value): (&String, &Value)| match key.as_str() {
        "type" | "default" => true,
        "properties" => names_only(),
        _ => is_nothing(value),
    };
    metadata.iter().all(is_allowed)
}
