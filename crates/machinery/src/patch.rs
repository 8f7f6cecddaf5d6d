//! Applying patches to objects: RFC 6902, RFC 7386 and strategic merge, with
//! kube-apiserver's verdicts. A patch is data from outside: its operations,
//! nesting and growth are bounded. Nothing here decides who may patch what.

mod gotext;
mod json;
mod order;
mod strategic;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use crate::typed::Schema;

pub(crate) use gotext::{go_kind, go_text};
pub(crate) use order::{interleave, key_text};

/// A patch in one of the formats that the API accepts, as its content type says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// `application/json-patch+json`: a list of operations.
    Json(Value),
    /// `application/merge-patch+json`.
    Merge(Value),
    /// `application/strategic-merge-patch+json`.
    Strategic(Value),
}

/// Why a patch could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The patch is not one: answer 400.
    #[error("{0}")]
    BadRequest(String),
    /// The patch does not fit the object: answer 422. Kubernetes says no more than that, so
    /// clients find the reason only among the causes.
    #[error("{0}")]
    Refused(String),
    /// What Kubernetes has no verdict for: answer 500, with these words.
    #[error("{0}")]
    Unexpected(String),
    /// More operations than are allowed: answer 413.
    #[error("The allowed maximum operations in a JSON patch is {limit}, got {got}")]
    TooLarge {
        /// Operations allowed.
        limit: usize,
        /// Operations in the patch.
        got: usize,
    },
}

/// The object that `live` becomes. Without a schema, or where it ends, a strategic
/// patch merges maps and replaces lists.
pub fn apply(live: &Value, patch: &Body, schema: Option<Schema<'_>>) -> Result<Value, Error> {
    let (Body::Json(body) | Body::Merge(body) | Body::Strategic(body)) = patch;
    if crate::typed::depth(body) > base::limits::NESTING {
        return Err(too_deep());
    }
    match patch {
        Body::Json(operations) => json::apply(live, operations),
        Body::Merge(patch) => {
            object(patch)?;
            let mut object = live.clone();
            merge(&mut object, patch);
            Ok(object)
        }
        Body::Strategic(patch) => strategic::apply(live, object(patch)?, schema),
    }
}

/// RFC 7386: maps merge, null deletes, everything else replaces.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The merge patch that turns `from` into `to`. A null inside `to` cannot be said in this
/// format and reads as absent.
pub fn merge_diff(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, wanted) in to {
        match from.get(key) {
            Some(had) if had == wanted => {}
            Some(had @ Value::Object(_)) if wanted.is_object() => {
                patch.insert(key.clone(), merge_diff(had, wanted));
            }
            _ => {
                patch.insert(key.clone(), wanted.clone());
            }
        }
    }
    Value::Object(patch)
}

fn object(patch: &Value) -> Result<&Map<String, Value>, Error> {
    patch.as_object().ok_or_else(|| Error::BadRequest("Invalid JSON Patch".to_owned()))
}

fn too_deep() -> Error {
    Error::BadRequest(format!("the patch nests deeper than {} levels", base::limits::NESTING))
}
