//! The shape of rules in CEL: that there is a rule, and that messages are lines.
//! What the expressions say is not read here.

use api::Cause;
use serde_json::Value;

use super::super::cause;
use super::super::path::Path;
use super::super::read::{self, Json};

const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Checks the rules of one place.
pub(super) fn check(schema: &Json, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (index, rule) in read::schemas(schema, "x-kubernetes-validations").enumerate() {
        check_rule(schema, rule, &path.child("x-kubernetes-validations").index(index), causes);
    }
}

fn check_rule(schema: &Json, rule: &Json, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let has_breaks = |text: &str| text.contains(['\n', '\r']);
    let (text, message) = (read::text(rule, "rule").trim(), read::text(rule, "message"));
    let at = path.child("message");
    if text.is_empty() {
        causes.push(cause::required(path.child("rule"), "rule is not specified"));
    } else if !message.is_empty() && message.trim().is_empty() {
        causes.push(cause::invalid_text(at, message, "must be non-empty if specified"));
    } else if has_breaks(message.trim()) {
        causes.push(cause::invalid_text(at, message, "must not contain line breaks"));
    } else if has_breaks(text) && message.trim().is_empty() {
        causes.push(cause::required(at, "message must be specified if rule contains line breaks"));
    }
    let expression = read::text(rule, "messageExpression");
    if !expression.is_empty() && expression.trim().is_empty() {
        let why = "messageExpression must be non-empty if specified";
        causes.push(cause::required(path.child("messageExpression"), why));
    }
    if let Some(reason) = read::get(rule, "reason").and_then(Value::as_str)
        && !REASONS.contains(&reason)
    {
        causes.push(cause::unsupported(path.child("reason"), &Value::from(reason), &REASONS));
    }
    let field = read::text(rule, "fieldPath");
    let at = path.child("fieldPath");
    if !field.is_empty() && field.trim().is_empty() {
        causes.push(cause::invalid_text(at, field, "must be non-empty if specified"));
    }
    if has_breaks(field) {
        causes.push(cause::invalid_text(at, field, "must not contain line breaks"));
    }
    if !field.is_empty() && !is_field(schema, field) {
        causes.push(cause::invalid_text(at, field, "must be a valid path"));
    }
}

/// Whether a path such as `.spec.items['a.b']` leads to a field of the schema.
fn is_field(schema: &Json, path: &str) -> bool {
    let (mut place, mut rest) = (schema, path);
    while !rest.is_empty() {
        let (name, after) = if let Some(after) = rest.strip_prefix("['") {
            let Some((name, after)) = after.split_once("']") else { return false };
            (name.replace("\\'", "'"), after)
        } else if let Some(after) = rest.strip_prefix('.') {
            let (name, after) = after.split_at(after.find(['.', '[', ']']).unwrap_or(after.len()));
            (name.to_owned(), after)
        } else {
            return false;
        };
        let properties = read::schema(place, "properties");
        let named = properties.and_then(|properties| read::schema(properties, &name));
        let other = read::schema(place, "additionalProperties").filter(|_| properties.is_none());
        let Some(below) = named.or(other) else { return false };
        (place, rest) = (below, after);
    }
    true
}
