//! Whether applying a desired state would change a live object, and what: the
//! comparison behind "Synced" and "OutOfSync". Spellings that the API reads
//! alike are made alike first. Values of Secrets never appear in what is told.

mod normalise;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value;

use crate::jsonpath;
use crate::merge3::three_way;
use crate::typed::Schema;

pub use normalise::{leave_out_zeros, normalise, normalise_stated};

/// One place where two objects differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, for example `spec.ports[0].port`.
    pub path: String,
    /// The value before; `None` if there is none.
    pub before: Option<Value>,
    /// The value after; `None` if there is none.
    pub after: Option<Value>,
}

/// Differences that are told of one object; a rewritten object has too many to read.
const TOLD: usize = 200;
/// Characters of a value that a message shows.
const SHOWN: usize = 120;

/// Whether applying `desired` would leave `live` as it is.
pub fn equal_after_apply(
    desired: &Value,
    live: &Value,
    last_applied: Option<&Value>,
    schema: Option<Schema<'_>>,
) -> bool {
    after_apply(desired, live, last_applied, schema, &[]).is_empty()
}

/// What applying `desired` would change in `live`, without the places that `ignored` names as
/// RFC 6901 pointers.
pub fn after_apply(
    desired: &Value,
    live: &Value,
    last_applied: Option<&Value>,
    schema: Option<Schema<'_>>,
    ignored: &[String],
) -> Vec<Difference> {
    let mut desired = normalise(desired, schema);
    let mut before = normalise(live, schema);
    // Objects of cluster scope are stored without the namespace that manifests may give them.
    if live.pointer("/metadata/namespace").is_none() {
        remove(&mut desired, "/metadata/namespace");
    }
    let last_applied = last_applied.map(|last| normalise(last, schema));
    let merged = three_way(last_applied.as_ref(), &desired, &before, schema);
    let mut after = normalise(&merged, schema);
    for pointer in ignored {
        remove(&mut before, pointer);
        remove(&mut after, pointer);
    }
    differences(&before, &after)
}

/// Where two values differ, at most the first two hundred places. Data of a Secret is masked.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    let is_secret = |object: &Value| object.get("kind").and_then(Value::as_str) == Some("Secret");
    if is_secret(before) || is_secret(after) {
        let secret = |path: &str| path.starts_with("data") || path.starts_with("stringData");
        for difference in found.iter_mut().filter(|difference| secret(&difference.path)) {
            mask(&mut difference.before, "++++++++");
            mask(&mut difference.after, "+++++++++");
        }
    }
    found
}

/// Removes what an RFC 6901 pointer names; nothing if it is not there.
pub fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.remove(&name);
        }
        Some(Value::Array(items)) => {
            if let Some(index) = name.parse().ok().filter(|index: &usize| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

fn mask(value: &mut Option<Value>, with: &str) {
    if let Some(value) = value {
        *value = Value::from(with);
    }
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    if found.len() >= TOLD || before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let new = after.keys().filter(|key| !before.contains_key(*key));
            for key in before.keys().chain(new) {
                compare_optional(&field_path(path, key), before.get(key), after.get(key), found);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                compare_optional(&format!("{path}[{index}]"), before.get(index), after.get(index), found);
            }
        }
        _ => compare_optional_leaf(path, Some(before), Some(after), found),
    }
}

fn compare_optional(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, found),
        _ => compare_optional_leaf(path, before, after, found),
    }
}

fn compare_optional_leaf(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if found.len() < TOLD {
        found.push(Difference { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
    }
}

fn field_path(path: &str, key: &str) -> String {
    let is_plain =
        !key.is_empty() && key.chars().all(|character| character.is_ascii_alphanumeric() || "-_$".contains(character));
    match (path.is_empty(), is_plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}['{key}']"),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| {
            value.as_ref().map_or_else(
                || "(none)".to_owned(),
                |value| {
                    let text = jsonpath::text(value);
                    let mut cut: String = text.chars().take(SHOWN).collect();
                    if cut.len() < text.len() {
                        cut.push('…');
                    }
                    cut
                },
            )
        };
        write!(out, "{}: {} → {}", self.path, shown(&self.before), shown(&self.after))
    }
}
