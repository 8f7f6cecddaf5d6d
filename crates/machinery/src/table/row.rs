//! Reading one object for its row: absent fields read as Go's zero values, and
//! the forms that several kinds share stand here.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::human;
use crate::jsonpath::{self, JsonPath};
use crate::quantity::Quantity;
use crate::selector::LabelSelector;

/// An object and the present.
pub(super) struct Row<'a> {
    pub object: &'a Value,
    pub now: Timestamp,
}

impl<'a> Row<'a> {
    pub fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.object.pointer(pointer).filter(|value| !value.is_null())
    }

    pub fn text(&self, pointer: &str) -> &'a str {
        text(self.object, pointer)
    }

    /// Text, or something else where it is empty or absent.
    pub fn text_or(&self, pointer: &str, default: &'a str) -> &'a str {
        Some(self.text(pointer)).filter(|text| !text.is_empty()).unwrap_or(default)
    }

    pub fn int(&self, pointer: &str) -> i64 {
        int(self.object, pointer)
    }

    pub fn flag(&self, pointer: &str) -> bool {
        self.flag_or(pointer, false)
    }

    pub fn flag_or(&self, pointer: &str, default: bool) -> bool {
        self.at(pointer).and_then(Value::as_bool).unwrap_or(default)
    }

    pub fn list(&self, pointer: &str) -> &'a [Value] {
        list(self.object, pointer)
    }

    /// How many items a list or a map has.
    pub fn count(&self, pointer: &str) -> usize {
        match self.at(pointer) {
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(fields)) => fields.len(),
            _ => 0,
        }
    }

    pub fn name(&self) -> Value {
        json!(self.text("/metadata/name"))
    }

    pub fn age(&self) -> Value {
        json!(self.since(self.text("/metadata/creationTimestamp")))
    }

    pub fn since(&self, time: &str) -> String {
        human::age(Some(time), self.now)
    }

    pub fn is_deleting(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }

    /// Names and images of the containers of a list, joined by commas.
    pub fn containers(&self, pointer: &str) -> [Value; 2] {
        let join = |field| {
            let parts: Vec<&str> = self.list(pointer).iter().map(|container| text(container, field)).collect();
            json!(parts.join(","))
        };
        [join("/name"), join("/image")]
    }

    /// A map of labels as `a=b,c=d`.
    pub fn labels(&self, pointer: &str) -> Value {
        let pairs = self.at(pointer).and_then(Value::as_object).into_iter().flatten();
        let mut pairs: Vec<String> =
            pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        pairs.sort();
        json!(none_if_empty(&pairs.join(",")))
    }

    /// A `LabelSelector` as text.
    pub fn selector(&self, pointer: &str) -> Value {
        match self.at(pointer).map_or_else(|| Ok(LabelSelector::nothing()), LabelSelector::from_object) {
            Ok(selector) => json!(none_if_empty(&selector.to_string())),
            Err(_) => json!("<error>"),
        }
    }

    /// The canonical text of a quantity; zero if it is absent.
    pub fn quantity(&self, pointer: &str) -> String {
        quantity(self.object, pointer)
    }

    /// Whether a condition is true; `None` if there is none of that type.
    pub fn condition(&self, kind: &str) -> Option<bool> {
        let conditions = self.list("/status/conditions").iter();
        let mut found = conditions.filter(|condition| text(condition, "/type") == kind);
        found.next().map(|condition| text(condition, "/status") == "True")
    }

    /// The cell of a printer column.
    pub fn custom(&self, path: Option<&JsonPath>, kind: &str) -> Value {
        let Some(value) = path.and_then(|path| path.first(self.object)) else { return Value::Null };
        match (kind, value) {
            (_, Value::Null) => Value::Null,
            ("string", value) => json!(jsonpath::text(value)),
            ("integer", Value::Number(number)) => number.as_i64().map_or_else(
                // Fractions are cut as Go converts floats.
                || json!(number.as_f64().unwrap_or_default().trunc() as i64),
                Value::from,
            ),
            ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
            ("date", Value::String(time)) => json!(human::age(Some(time), self.now)),
            _ => Value::Null,
        }
    }
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn int(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn quantity(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => "0".to_owned(),
        Some(value) => {
            Quantity::from_json(value).map_or_else(|| jsonpath::text(value), |quantity| quantity.to_string())
        }
    }
}

pub(super) fn none_if_empty(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

/// Up to `limit` parts, and how many more there are.
pub(super) fn with_more(parts: &[String], limit: usize, separator: &str) -> String {
    let shown = parts[..parts.len().min(limit)].join(separator);
    if parts.len() > limit { format!("{shown} + {} more...", parts.len() - limit) } else { shown }
}
