//! The status of an autoscaler, built up as it is worked out. Pure.

use client::Object;
use controller::{Condition, Error, condition};
use serde_json::{Map, Value, json};

/// A status under construction.
pub(super) struct Report<'a> {
    held: Map<String, Value>,
    conditions: Vec<Value>,
    metrics: Vec<Value>,
    now: &'a str,
    generation: i64,
}

impl<'a> Report<'a> {
    /// Begins with the status that an autoscaler has.
    pub(super) fn of(object: &Object, now: &'a str) -> Result<Self, Error> {
        let mut held = object.value()?["status"].as_object().cloned().unwrap_or_default();
        let list = |held: &mut Map<String, Value>, field: &str| {
            held.remove(field).and_then(|value| value.as_array().cloned()).unwrap_or_default()
        };
        let (conditions, metrics) = (list(&mut held, "conditions"), list(&mut held, "currentMetrics"));
        Ok(Report { held, conditions, metrics, now, generation: object.meta.generation })
    }

    /// Sets `AbleToScale`.
    pub(super) fn able(&mut self, holds: bool, reason: &str, message: impl Into<String>) {
        self.set(&Condition::new("AbleToScale", holds, reason, message));
    }

    /// Sets `ScalingActive`.
    pub(super) fn active(&mut self, holds: bool, reason: &str, message: impl Into<String>) {
        self.set(&Condition::new("ScalingActive", holds, reason, message));
    }

    /// Sets `ScalingLimited`.
    pub(super) fn limited(&mut self, holds: bool, reason: &str, message: impl Into<String>) {
        self.set(&Condition::new("ScalingLimited", holds, reason, message));
    }

    fn set(&mut self, condition: &Condition) {
        condition::set(&mut self.conditions, condition, self.now);
    }

    /// Sets what the metrics are.
    pub(super) fn metrics(&mut self, metrics: Vec<Value>) {
        self.metrics = metrics;
    }

    /// Notes that the number of replicas was changed now.
    pub(super) fn rescaled(&mut self) {
        self.held.insert("lastScaleTime".into(), self.now.into());
    }

    /// The status; `desired` is as before where it could not be worked out.
    pub(super) fn finish(mut self, current: i64, desired: Option<i64>) -> Value {
        let earlier = self.held.get("desiredReplicas").and_then(Value::as_i64).unwrap_or(0);
        self.held.insert("desiredReplicas".into(), desired.unwrap_or(earlier).into());
        self.held.insert("currentReplicas".into(), current.into());
        if current == 0 {
            self.held.remove("currentReplicas");
        }
        if self.generation > 0 {
            self.held.insert("observedGeneration".into(), self.generation.into());
        }
        self.held.insert("conditions".into(), json!(self.conditions));
        let metrics = if self.metrics.is_empty() { Value::Null } else { json!(self.metrics) };
        self.held.insert("currentMetrics".into(), metrics);
        Value::Object(self.held)
    }
}
