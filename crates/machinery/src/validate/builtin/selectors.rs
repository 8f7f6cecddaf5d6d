//! Label selectors: whether one is well formed, and whether the labels of a template
//! match it. Nothing here knows whose selector it is.

use serde_json::{Value, json};

use super::Object;
use super::findings::Findings;
use super::places::{entries, list, objects, text};
use crate::selector::LabelSelector;
use crate::validate::{label_value, qualified_name};

/// Checks the selector at `field`.
pub(super) fn check(field: &str, selector: Option<&Value>, found: &mut Findings) {
    let Some(selector) = selector.and_then(Value::as_object) else { return };
    labels(&format!("{field}.matchLabels"), entries(selector, "matchLabels"), found);
    for (index, requirement) in objects(selector, "matchExpressions") {
        expression(&format!("{field}.matchExpressions[{index}]"), requirement, found);
    }
}

/// Checks the labels at `field`.
pub(super) fn labels<'a>(field: &str, labels: impl Iterator<Item = (&'a String, &'a Value)>, found: &mut Findings) {
    for (key, value) in labels {
        found.invalid_text(field, key, &qualified_name(key));
        let value = value.as_str().unwrap_or_default();
        found.invalid_text(field, value, &label_value(value));
    }
}

fn expression(field: &str, requirement: &Object, found: &mut Findings) {
    let values = list(requirement, "values");
    match text(requirement, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            found.required(&format!("{field}.values"), "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "In" | "NotIn" => {}
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            found.forbidden(&format!("{field}.values"), why);
        }
        "Exists" | "DoesNotExist" => {}
        other => found.invalid(&format!("{field}.operator"), &json!(other), "not a valid selector operator"),
    }
    let key = text(requirement, "key");
    found.invalid_text(&format!("{field}.key"), key, &qualified_name(key));
    for (index, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        found.invalid_text(&format!("{field}.values[{index}]"), value, &label_value(value));
    }
}

/// Whether a `LabelSelector` that is well formed selects these labels; none selects nothing.
pub(super) fn selects(selector: Option<&Value>, labels: Option<&Value>) -> bool {
    let Some(selector) = selector.and_then(|selector| LabelSelector::from_object(selector).ok()) else { return false };
    selector.matches_object(&json!({"metadata": {"labels": labels.cloned().unwrap_or(Value::Null)}}))
}

/// Whether a selector selects everything.
pub(super) fn is_empty(selector: &Value) -> bool {
    let selector = selector.as_object();
    let is_empty = |field: &str| match selector.and_then(|selector| selector.get(field)) {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => true,
    };
    is_empty("matchLabels") && is_empty("matchExpressions")
}

/// Reports a template whose labels its own selector does not select.
pub(super) fn mismatch(field: &str, labels: Option<&Value>, found: &mut Findings) {
    let labels = labels.cloned().unwrap_or(Value::Null);
    found.invalid(field, &labels, "`selector` does not match template `labels`");
}
