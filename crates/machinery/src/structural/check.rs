//! What Kubernetes demands of a schema, in its words: the rules of structural
//! schemas, of the keywords that OpenAPI has, and of defaults. Objects are not
//! known here.

mod defaults;
mod form;
mod keywords;
mod listing;
mod rules;

use api::Cause;
use serde_json::Value;

use super::cause;
use super::node::{NodeId, Tables};
use super::path::Path;
use super::read::{self, Json};

/// Most causes of one schema.
const CAUSES: usize = 500;

/// The rules of structural schemas.
pub(super) fn form(schema: &Json, at: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    if read::flag(schema, "nullable") {
        causes.push(cause::forbidden(Path::root(at).child("nullable"), "nullable cannot be true at the root"));
    }
    if is_convertible(schema) {
        let mut found = form::check(schema, &Path::root(at));
        found.sort_by_cached_key(|cause| format!("{}: {}", cause.field, cause.message));
        found.truncate(CAUSES);
        causes.extend(found);
    }
    causes
}

/// The rules of keywords.
pub(super) fn openapi(schema: &Json, at: &str) -> Vec<Cause> {
    let mut causes = keywords::check(schema, &Path::root(at));
    causes.truncate(CAUSES);
    causes
}

/// That defaults are valid and hold nothing unknown.
pub(super) fn defaults(tables: &Tables, root: NodeId, at: &str) -> Vec<Cause> {
    let mut causes = defaults::check(tables, root, at);
    causes.truncate(CAUSES);
    causes
}

/// Whether a schema has none of the keywords that structural schemas cannot have at all.
pub(super) fn is_convertible(schema: &Json) -> bool {
    let is_set = |key: &str| match read::get(schema, key) {
        None => false,
        Some(Value::Object(map)) => !map.is_empty() || key == "additionalItems",
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let refused = ["id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"];
    let preserves = read::get(schema, "x-kubernetes-preserve-unknown-fields");
    if refused.iter().any(|key| is_set(key))
        || preserves.is_some_and(|value| *value == Value::Bool(false))
        || !read::list(schema, "items").is_empty()
    {
        return false;
    }
    let single = ["items", "additionalProperties", "not"].iter().filter_map(|key| read::schema(schema, key));
    let listed = ["allOf", "anyOf", "oneOf"].iter().flat_map(|key| read::schemas(schema, key));
    let mut below = single.chain(listed).chain(read::properties(schema).map(|(_, schema)| schema));
    below.all(is_convertible)
}

/// Said of a schema that is wrong in no other way than that it cannot be structural.
pub(super) fn inconvertible(at: &str) -> Vec<Cause> {
    vec![cause::invalid_text(at, "", "OpenAPIV3Schema 'schema' is not supported")]
}
