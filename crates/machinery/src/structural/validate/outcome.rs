//! What the checks of one value found, and how the findings of several are put
//! together: each message once, and how much held, by which the best of several
//! alternatives is chosen. It judges nothing.

use api::Cause;
use serde_json::Value;

use super::super::cause;

/// Most findings of one validation.
const FAILURES: usize = 200;

/// One thing that is wrong.
pub(super) struct Failure {
    /// The finding as a sentence; two with the same sentence are one.
    pub text: String,
    /// Path of the value from where validation began; `None` for what concerns the whole.
    pub name: Option<String>,
    pub reason: &'static str,
    pub message: String,
}

/// What was found.
#[derive(Default)]
pub(super) struct Outcome {
    pub failures: Vec<Failure>,
    /// How many checks held.
    pub matches: u64,
}

impl Outcome {
    pub(super) fn is_valid(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether nothing more would be noted.
    pub(super) fn is_full(&self) -> bool {
        self.failures.len() >= FAILURES
    }

    pub(super) fn add(&mut self, failure: Failure) {
        let is_known = self.failures.iter().any(|held| held.text == failure.text);
        if !is_known && !self.is_full() {
            self.failures.push(failure);
        }
    }

    pub(super) fn merge(&mut self, other: Outcome) {
        self.matches += other.matches;
        other.failures.into_iter().for_each(|failure| self.add(failure));
    }

    /// `Invalid value: …: text` at a value.
    pub(super) fn invalid(&mut self, name: &str, value: &Value, text: String) {
        let message = format!("Invalid value: {}: {text}", cause::shown(value));
        self.add(Failure { text, name: Some(name.to_owned()), reason: "FieldValueInvalid", message });
    }

    /// A value of another type than is asked for.
    pub(super) fn wrong_type(&mut self, name: &str, expected: &str, found: &str) {
        let found = crate::validate::quote(found);
        let text = format!("{name} in body must be of type {expected}: {found}");
        let message = format!("Invalid value: {found}: {text}");
        self.add(Failure { text, name: Some(name.to_owned()), reason: "FieldValueTypeInvalid", message });
    }

    /// Something that Kubernetes says of the whole, with the path in the sentence alone.
    pub(super) fn general(&mut self, text: String) {
        let message = format!("Invalid value: \"\": {text}");
        self.add(Failure { text, name: None, reason: "FieldValueInvalid", message });
    }

    /// The causes, with fields as paths from `field`.
    pub(super) fn causes(self, field: &str) -> Vec<Cause> {
        let whole = if field.is_empty() { "<nil>" } else { field };
        let path = |name: Option<String>| match name {
            Some(name) if !name.is_empty() && field.is_empty() => name,
            Some(name) if !name.is_empty() => format!("{field}.{name}"),
            _ => whole.to_owned(),
        };
        self.failures
            .into_iter()
            .map(|failure| Cause { reason: failure.reason.into(), message: failure.message, field: path(failure.name) })
            .collect()
    }
}
