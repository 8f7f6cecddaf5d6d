//! How a capability says that it is well. Its last word becomes the conditions
//! of its `Capability` object; a capability that fails is degraded and named.

use std::sync::Arc;

use parking_lot::Mutex;

/// What a capability last said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it works.
    pub ready: bool,
    /// CamelCase reason, for example `Running`.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

/// A capability's own health. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    condition: Arc<Mutex<Condition>>,
    changed: Arc<dyn Fn() + Send + Sync>,
}

impl Health {
    /// Health that calls `changed` whenever it changes.
    pub fn new(changed: Arc<dyn Fn() + Send + Sync>) -> Self {
        let condition = Condition { ready: false, reason: "Starting".into(), message: "Starting.".into() };
        Health { condition: Arc::new(Mutex::new(condition)), changed }
    }

    /// Health that nobody hears of, for tests.
    pub fn unheard() -> Self {
        Health::new(Arc::new(|| {}))
    }

    /// Says that it works.
    pub fn ready(&self) {
        self.set(Condition { ready: true, reason: "Running".into(), message: "Running.".into() });
    }

    /// Says what does not work.
    pub fn degraded(&self, reason: &str, message: impl Into<String>) {
        self.set(Condition { ready: false, reason: reason.into(), message: message.into() });
    }

    /// What was last said.
    pub fn condition(&self) -> Condition {
        self.condition.lock().clone()
    }

    fn set(&self, condition: Condition) {
        let changed = {
            let mut held = self.condition.lock();
            let changed = *held != condition;
            *held = condition;
            changed
        };
        if changed {
            (self.changed)();
        }
    }
}
