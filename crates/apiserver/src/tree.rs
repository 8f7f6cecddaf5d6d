//! Objects as JSON trees while they are in the pipeline, and the few places of
//! them that every kind has. It knows no kind.

use api::Status;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An object as a tree.
pub type Tree = Map<String, Value>;

/// The object's metadata as a tree, which every object in the pipeline has.
pub(crate) fn meta_of(object: &mut Tree) -> &mut Tree {
    let meta = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if !meta.is_object() {
        *meta = Value::Object(Map::new());
    }
    meta.as_object_mut().expect("metadata was just made an object")
}

/// A text field of the object's metadata.
pub(crate) fn meta_text<'a>(object: &'a Tree, field: &str) -> &'a str {
    object.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// The typed metadata of an object that a client sent.
pub(crate) fn typed_meta(object: &Tree, kind: &str) -> Result<api::ObjectMeta, Status> {
    let Some(meta) = object.get("metadata") else { return Ok(api::ObjectMeta::default()) };
    api::ObjectMeta::deserialize(meta)
        .map_err(|error| Status::bad_request(format!("{kind} has metadata of the wrong shape: {error}")))
}
