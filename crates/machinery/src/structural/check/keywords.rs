//! The keywords of a schema: which may not be used, which exclude each other,
//! and where defaults may not stand.

use api::Cause;
use serde_json::Value;

use super::super::cause;
use super::super::path::Path;
use super::super::read::{self, Json};
use super::{listing, rules};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What holds for a schema because of those around it.
#[derive(Clone, Copy)]
struct Context<'a> {
    /// Why no default may stand here.
    no_default: Option<&'a str>,
    /// Whether the schema describes part of an object's type or metadata.
    in_meta: bool,
}

/// Checks a whole schema.
pub(super) fn check(schema: &Json, path: &Path<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    check_place(schema, path, true, Context { no_default: None, in_meta: false }, &mut causes);
    causes
}

fn check_place(schema: &Json, path: &Path<'_>, is_root: bool, context: Context<'_>, causes: &mut Vec<Cause>) {
    unsupported(schema, path, context, causes);
    if read::flag(schema, "uniqueItems") {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        causes.push(cause::forbidden(path.child("uniqueItems"), why));
    }
    let additional = path.child("additionalProperties");
    let has_properties = read::schema(schema, "properties").is_some_and(|map| !map.is_empty());
    if has_properties && read::get(schema, "additionalProperties").is_some_and(|value| *value != Value::Bool(true)) {
        causes.push(cause::forbidden(additional, "additionalProperties and properties are mutual exclusive"));
    }
    if let Some(below) = read::schema(schema, "additionalProperties") {
        let reason = "inside additionalProperties applying to object metadata";
        let context = if context.in_meta { Context { no_default: Some(reason), ..context } } else { context };
        check_place(below, &additional, false, context, causes);
    }
    let is_object = is_root || read::flag(schema, "x-kubernetes-embedded-resource");
    for (name, below) in read::properties(schema) {
        let reason = format!("in top-level {name}");
        let mut context = context;
        if is_object && matches!(name.as_str(), "metadata" | "kind" | "apiVersion") {
            context.in_meta = true;
            if is_root {
                context.no_default = Some(&reason);
            }
        }
        check_place(below, &path.child("properties").key(name), false, context, causes);
    }
    for key in ["not", "items"] {
        if let Some(below) = read::schema(schema, key) {
            check_place(below, &path.child(key), false, context, causes);
        }
    }
    for key in ["allOf", "oneOf", "anyOf", "items"] {
        for (index, below) in read::schemas(schema, key).enumerate() {
            check_place(below, &path.child(key).index(index), false, context, causes);
        }
    }
    if read::get(schema, "x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        causes.push(cause::invalid(at, &Value::Bool(false), "must be true or undefined"));
    }
    listing::check(schema, path, causes);
    rules::check(schema, path, causes);
}

fn unsupported(schema: &Json, path: &Path<'_>, context: Context<'_>, causes: &mut Vec<Cause>) {
    let kind = read::text(schema, "type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        causes.push(cause::unsupported(path.child("type"), &Value::from(kind), &TYPES));
    }
    if let Some(reason) = context.no_default
        && read::get(schema, "default").is_some()
    {
        causes.push(cause::forbidden(path.child("default"), &format!("must not be set {reason}")));
    }
    for key in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        let is_set = match read::get(schema, key) {
            None => false,
            Some(Value::String(text)) => key == "$ref" || !text.is_empty(),
            Some(Value::Object(map)) => !map.is_empty() || key == "dependencies" || key == "additionalItems",
            Some(_) => true,
        };
        if is_set {
            causes.push(cause::forbidden(path.child(key), &format!("{key} is not supported")));
        }
    }
    if kind == "null" {
        let why = "type cannot be set to null, use nullable as an alternative";
        causes.push(cause::forbidden(path.child("type"), why));
    }
    if !read::list(schema, "items").is_empty() {
        causes.push(cause::forbidden(path.child("items"), "items must be a schema object and not an array"));
    }
    if context.in_meta && read::flag(schema, "x-kubernetes-embedded-resource") {
        let at = path.child("x-kubernetes-embedded-resource");
        causes.push(cause::forbidden(at, "must not be used inside of resource meta"));
    }
}
