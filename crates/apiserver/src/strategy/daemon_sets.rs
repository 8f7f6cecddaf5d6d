//! The generation of a daemon set's template, which old clients read from an annotation.

use serde_json::{Value, json};

use super::spec;
use crate::tree::{Tree, meta_of};

const ANNOTATION: &str = "deprecated.daemonset.template.generation";

/// The first generation, unless a higher one is stated.
pub(super) fn create(object: &mut Tree) {
    let stated = generation(object).filter(|generation| *generation >= 1);
    set(object, stated.unwrap_or(1));
}

/// Counts a change of the template.
pub(super) fn update(old: &Tree, object: &mut Tree) {
    let held = generation(old).unwrap_or(0);
    let is_changed = spec(old, "template") != spec(object, "template");
    let next = if is_changed { held.saturating_add(1) } else { held };
    if next > 0 {
        set(object, next);
    }
}

fn generation(object: &Tree) -> Option<i64> {
    object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()?.parse().ok()
}

fn set(object: &mut Tree, generation: i64) {
    let annotations = meta_of(object).entry("annotations").or_insert_with(|| json!({}));
    if let Value::Object(annotations) = annotations {
        annotations.insert(ANNOTATION.into(), json!(generation.to_string()));
    }
}
