//! What is written of secrets and of the accounts that name them in another form than it
//! is kept in.

use serde_json::{Value, json};

use super::child;
use crate::record;
use crate::tree::Tree;

/// `stringData` is write-only: its values end up base64-encoded in `data`.
pub(super) fn fold_string_data(object: &mut Tree) {
    let Some(Value::Object(plain)) = object.remove("stringData") else { return };
    let data = child(object, "data");
    for (key, value) in plain {
        if let Some(text) = value.as_str() {
            data.insert(key, json!(record::base64(text.as_bytes())));
        }
    }
}

/// An account names its secrets and nothing else of them.
pub(super) fn keep_names(object: &mut Tree) {
    for secret in object.get_mut("secrets").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = secret.get("name").and_then(Value::as_str).unwrap_or_default();
        *secret = json!({"name": name});
    }
}
