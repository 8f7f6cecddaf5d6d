//! The annotation in which `kubectl apply` keeps what it applied from the client
//! side. A client that turns to server-side apply takes over what it had applied
//! without conflicts, and the annotation is kept in step for the way back.

use serde_json::{Map, Value};

use crate::fields::Set;
use crate::structured::{self, Duplicates, Node};

/// The annotation.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Bytes that all annotations of an object may have.
const MOST_ANNOTATIONS: usize = 256 * 1024;

fn annotation(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str().filter(|text| !text.is_empty())
}

/// Fields that were applied from the client side and still have the value they were given.
/// `None` if there is no such record, or none of this version.
pub(super) fn unchanged(node: Node<'_>, live: &Value, api_version: &str) -> Option<Set> {
    let applied: Value = serde_json::from_str(annotation(live)?).ok()?;
    if applied.get("apiVersion").and_then(Value::as_str) != Some(api_version) {
        return None;
    }
    structured::validate(node, &applied, Duplicates::Refused).ok()?;
    let comparison = structured::compare(node, &applied, live).ok()?;
    let fields = structured::contents(node, &applied);
    Some(fields.difference(&comparison.modified).difference(&comparison.added).difference(&comparison.removed))
}

/// Writes what was applied into the annotation, if the object has it.
pub(super) fn refresh(live: &Value, config: &Value, object: &mut Option<Value>) {
    let current = object.as_ref().unwrap_or(live);
    let Some(held) = annotation(current) else { return };
    let Some(text) = text_of(config) else { return };
    if held == text {
        return;
    }
    let mut changed = current.clone();
    if let Some(annotations) = changed.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.insert(LAST_APPLIED.to_owned(), Value::String(text));
        if bytes(annotations) > MOST_ANNOTATIONS {
            annotations.remove(LAST_APPLIED);
        }
    }
    *object = Some(changed);
}

fn text_of(config: &Value) -> Option<String> {
    let mut config = config.clone();
    if let Some(metadata) = config.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
    {
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    // The encoder of the reference ends every object with a line break.
    serde_json::to_string(&config).ok().map(|text| text + "\n")
}

fn bytes(annotations: &Map<String, Value>) -> usize {
    annotations.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum()
}
