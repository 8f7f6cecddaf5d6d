//! What a validation found, worded as kube-apiserver words it. It judges nothing itself.

use api::Cause;
use api::status::MOST_CAUSES;
use serde_json::Value;

use crate::validate::quote;

/// The causes found so far.
#[derive(Default)]
pub(super) struct Findings {
    causes: Vec<Cause>,
}

impl Findings {
    /// The causes, in the order in which they were found.
    pub fn into_causes(self) -> Vec<Cause> {
        self.causes
    }

    /// How many were found.
    pub fn count(&self) -> usize {
        self.causes.len()
    }

    /// A value that is wrong.
    pub fn invalid(&mut self, field: &str, value: &Value, why: &str) {
        if self.is_full() {
            return;
        }
        self.add("FieldValueInvalid", field, detailed(&format!("Invalid value: {}", shown(value)), why));
    }

    /// Text that is wrong for each of these reasons.
    pub fn invalid_text(&mut self, field: &str, text: &str, reasons: &[String]) {
        for why in reasons {
            self.add("FieldValueInvalid", field, format!("Invalid value: {}: {why}", quote(text)));
        }
    }

    /// A value that is missing.
    pub fn required(&mut self, field: &str, why: &str) {
        self.add("FieldValueRequired", field, detailed("Required value", why));
    }

    /// A value that may not be there.
    pub fn forbidden(&mut self, field: &str, why: &str) {
        self.add("FieldValueForbidden", field, detailed("Forbidden", why));
    }

    /// A value that is none of those that there are.
    pub fn unsupported(&mut self, field: &str, value: &Value, supported: &[&str]) {
        if self.is_full() {
            return;
        }
        let listed: Vec<String> = supported.iter().map(|text| quote(text)).collect();
        let message = format!("Unsupported value: {}: supported values: {}", shown(value), listed.join(", "));
        self.add("FieldValueNotSupported", field, message);
    }

    /// A value that is there already.
    pub fn duplicate(&mut self, field: &str, value: &Value) {
        if self.is_full() {
            return;
        }
        self.add("FieldValueDuplicate", field, format!("Duplicate value: {}", shown(value)));
    }

    /// A name of something that is not there.
    pub fn not_found(&mut self, field: &str, name: &str) {
        self.add("FieldValueNotFound", field, format!("Not found: {}", quote(name)));
    }

    /// A value that is too long.
    pub fn too_long(&mut self, field: &str, most: usize) {
        self.add("FieldValueTooLong", field, format!("Too long: may not be more than {most} bytes"));
    }

    /// A number that must not be negative, if it is stated.
    pub fn not_negative(&mut self, field: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| value.as_i64().is_some_and(|number| number < 0)) {
            self.invalid(field, value, "must be greater than or equal to 0");
        }
    }

    /// Text that must be one of a few, if it is stated.
    pub fn one_of(&mut self, field: &str, value: Option<&Value>, supported: &[&str]) {
        if let Some(value) = value.filter(|value| !value.as_str().is_some_and(|text| supported.contains(&text))) {
            self.unsupported(field, value, supported);
        }
    }

    /// Whether no more would be told.
    fn is_full(&self) -> bool {
        self.causes.len() >= MOST_CAUSES
    }

    fn add(&mut self, reason: &str, field: &str, message: String) {
        if self.is_full() {
            return;
        }
        self.causes.push(Cause { reason: reason.to_owned(), message, field: field.to_owned() });
    }
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        other => other.to_string(),
    }
}

fn detailed(what: &str, why: &str) -> String {
    if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") }
}
