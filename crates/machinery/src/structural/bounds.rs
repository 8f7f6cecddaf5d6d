//! The shape and size of a schema's JSON, checked before anything else reads it:
//! what keywords hold, how deep schemas nest, how many there are. What a schema
//! says is not judged here.

use api::Cause;
use serde_json::Value;

use super::cause;
use super::path::Path;
use super::read::Json;

/// Most schemas within each other.
const DEPTH: usize = 100;
/// Most schemas, and values of enumerations, in one.
const NODES: usize = 100_000;
/// Most complaints about shape.
const CAUSES: usize = 20;

const TEXTS: [&str; 9] = [
    "type",
    "format",
    "pattern",
    "title",
    "description",
    "id",
    "$schema",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];
const FLAGS: [&str; 7] = [
    "nullable",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
];
const NUMBERS: [&str; 3] = ["maximum", "minimum", "multipleOf"];
const COUNTS: [&str; 6] = ["maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"];
const TEXT_LISTS: [&str; 2] = ["required", "x-kubernetes-list-map-keys"];
const SCHEMA_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const RULE_TEXTS: [&str; 5] = ["rule", "message", "messageExpression", "reason", "fieldPath"];

/// Refuses a schema of the wrong shape or beyond the bounds.
pub(super) fn check(schema: &Value, at: &str) -> Result<(), Vec<Cause>> {
    let mut checker = Checker { nodes: 0, causes: Vec::new() };
    checker.schema(schema, &Path::root(at), 0);
    if checker.nodes > NODES {
        let message = format!("Too many: {}: must have at most {NODES} items", checker.nodes);
        checker.causes.push(cause::new("FieldValueTooMany", at, message));
    }
    if checker.causes.is_empty() { Ok(()) } else { Err(checker.causes) }
}

struct Checker {
    nodes: usize,
    causes: Vec<Cause>,
}

impl Checker {
    fn expect(&mut self, holds: bool, value: &Value, path: &Path<'_>, what: &str) {
        if !holds && !value.is_null() && self.causes.len() < CAUSES {
            let message = format!("Invalid value: {}: must be {what}", cause::shown(value));
            self.causes.push(cause::new("FieldValueTypeInvalid", path, message));
        }
    }

    fn schema(&mut self, schema: &Value, path: &Path<'_>, depth: usize) {
        self.nodes += 1;
        self.expect(schema.is_object(), schema, path, "an object");
        if depth >= DEPTH {
            let message = format!("Forbidden: schemas must not nest deeper than {DEPTH} levels");
            if self.causes.len() < CAUSES {
                self.causes.push(cause::new("FieldValueForbidden", path, message));
            }
            return;
        }
        let Some(json) = schema.as_object() else { return };
        if self.nodes > NODES {
            return;
        }
        for (key, value) in json {
            self.keyword(key, value, &path.child(key), depth);
        }
    }

    fn keyword(&mut self, key: &str, value: &Value, path: &Path<'_>, depth: usize) {
        match key {
            "properties" => {
                self.expect(value.is_object(), value, path, "an object");
                for (name, schema) in value.as_object().into_iter().flatten() {
                    self.schema(schema, &path.key(name), depth + 1);
                }
            }
            "items" => match value {
                Value::Array(_) => self.schemas(value, path, depth),
                other => self.below(other, path, depth),
            },
            "additionalProperties" if value.is_boolean() => {}
            "additionalProperties" | "not" => self.below(value, path, depth),
            "enum" => {
                self.expect(value.is_array(), value, path, "a list");
                self.nodes += value.as_array().map_or(0, Vec::len);
            }
            "x-kubernetes-validations" => self.rules(value, path),
            key if SCHEMA_LISTS.contains(&key) => self.schemas(value, path, depth),
            key if TEXTS.contains(&key) => self.expect(value.is_string(), value, path, "a string"),
            key if FLAGS.contains(&key) => self.expect(value.is_boolean(), value, path, "a boolean"),
            key if NUMBERS.contains(&key) => self.expect(value.is_number(), value, path, "a number"),
            key if COUNTS.contains(&key) => self.expect(value.is_i64(), value, path, "an integer"),
            key if TEXT_LISTS.contains(&key) => {
                let is_texts = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
                self.expect(is_texts, value, path, "a list of strings");
                self.nodes += value.as_array().map_or(0, Vec::len);
            }
            _ => {}
        }
    }

    fn below(&mut self, value: &Value, path: &Path<'_>, depth: usize) {
        if !value.is_null() {
            self.schema(value, path, depth + 1);
        }
    }

    fn schemas(&mut self, value: &Value, path: &Path<'_>, depth: usize) {
        self.expect(value.is_array(), value, path, "a list");
        for (index, schema) in value.as_array().into_iter().flatten().enumerate() {
            self.schema(schema, &path.index(index), depth + 1);
        }
    }

    fn rules(&mut self, value: &Value, path: &Path<'_>) {
        self.expect(value.is_array(), value, path, "a list");
        for (index, rule) in value.as_array().into_iter().flatten().enumerate() {
            let at = path.index(index);
            self.nodes += 1;
            self.expect(rule.is_object(), rule, &at, "an object");
            let empty = Json::new();
            for (key, value) in rule.as_object().unwrap_or(&empty) {
                if RULE_TEXTS.contains(&key.as_str()) {
                    self.expect(value.is_string(), value, &at.child(key), "a string");
                }
            }
        }
    }
}
