//! Conditions (`metav1.Condition`) in a status. Plain data; who writes it back
//! is `report`.

#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Value, json};

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { ConditionStatus::True } else { ConditionStatus::False }
    }
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// One condition, apart from when it last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// CamelCase type, for example `Ready`.
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// CamelCase reason.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// Generation of the object that this was found for, if the kind records it.
    pub observed_generation: Option<i64>,
}

impl Condition {
    /// A condition without an observed generation.
    pub fn new(kind: &str, status: impl Into<ConditionStatus>, reason: &str, message: impl Into<String>) -> Self {
        Condition {
            kind: kind.to_owned(),
            status: status.into(),
            reason: reason.to_owned(),
            message: message.into(),
            observed_generation: None,
        }
    }

    /// Records the generation it was found for.
    #[must_use]
    pub fn observed(mut self, generation: i64) -> Self {
        self.observed_generation = Some(generation);
        self
    }
}

/// Sets one condition among `conditions`; says whether anything changed. The transition time
/// moves to `now` (RFC 3339) only when the status does. Fields unknown here are left alone.
pub fn set(conditions: &mut Vec<Value>, condition: &Condition, now: &str) -> bool {
    let status = condition.status.to_string();
    let position = conditions.iter().position(|held| held["type"] == *condition.kind);
    let held = match position {
        Some(index) => &mut conditions[index],
        None => {
            conditions.push(json!({ "type": condition.kind }));
            conditions.last_mut().expect("one was pushed")
        }
    };
    let before = held.clone();
    if held["status"] != *status || held["lastTransitionTime"].is_null() {
        held["lastTransitionTime"] = now.into();
    }
    held["status"] = status.into();
    held["reason"] = condition.reason.as_str().into();
    held["message"] = condition.message.as_str().into();
    if let Some(generation) = condition.observed_generation {
        held["observedGeneration"] = generation.into();
    }
    *held != before
}

/// Removes a condition; says whether it was there.
pub fn remove(conditions: &mut Vec<Value>, kind: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|held| held["type"] != *kind);
    conditions.len() != before
}

/// The status of a condition, if it is there.
pub fn status(conditions: &[Value], kind: &str) -> Option<ConditionStatus> {
    let held = conditions.iter().find(|held| held["type"] == *kind)?;
    Some(match held["status"].as_str() {
        Some("True") => ConditionStatus::True,
        Some("False") => ConditionStatus::False,
        _ => ConditionStatus::Unknown,
    })
}
