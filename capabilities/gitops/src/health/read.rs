//! Readings of status that many health rules share. It must never hold a rule.

use serde_json::Value;

/// A number at a JSON pointer; 0 if there is none.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// `spec.replicas`, 1 if not stated, as Kubernetes defaults it.
pub fn wanted_replicas(object: &Value) -> i64 {
    object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
}

/// A boolean at a JSON pointer; false if there is none.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The items of a list at a JSON pointer.
pub fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether the controller has not yet seen the newest desired state.
pub fn is_behind(object: &Value) -> bool {
    number(object, "/status/observedGeneration") < number(object, "/metadata/generation")
}

/// One entry of a list of conditions.
#[derive(Clone, Copy)]
pub struct Condition<'a>(&'a Value);

impl<'a> Condition<'a> {
    /// `type`.
    pub fn kind(self) -> &'a str {
        self.text("type")
    }

    /// `reason`.
    pub fn reason(self) -> &'a str {
        self.text("reason")
    }

    /// `message`.
    pub fn message(self) -> &'a str {
        self.text("message")
    }

    /// Whether `status` is `True`.
    pub fn is_true(self) -> bool {
        self.text("status") == "True"
    }

    /// Whether `status` is `False`.
    pub fn is_false(self) -> bool {
        self.text("status") == "False"
    }

    /// `status`.
    pub fn status(self) -> &'a str {
        self.text("status")
    }

    /// `observedGeneration`, if stated.
    pub fn observed_generation(self) -> Option<i64> {
        self.0.get("observedGeneration").and_then(Value::as_i64)
    }

    fn text(self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The conditions of a list at a JSON pointer.
pub fn conditions_at<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = Condition<'a>> + Clone {
    items(object, pointer).iter().map(Condition)
}

/// `status.conditions`.
pub fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> + Clone {
    conditions_at(object, "/status/conditions")
}

/// The condition of a type in `status.conditions`.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|condition| condition.kind() == kind)
}
