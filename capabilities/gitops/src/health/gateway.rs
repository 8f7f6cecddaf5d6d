//! Health of Gateway API routes and gateways.

use serde_json::Value;

use super::read::{Condition, conditions, conditions_at, items, number};
use super::{Health, State};
use crate::resource::text;

pub fn route(object: &Value) -> Health {
    let generation = number(object, "/metadata/generation");
    let mut current = 0;
    for parent in items(object, "/status/parents") {
        let found = conditions_at(parent, "/conditions");
        let is_old = |found: Condition<'_>| found.observed_generation().is_some_and(|observed| observed != generation);
        if found.clone().any(is_old) {
            continue;
        }
        current += 1;
        let name = text(parent, "/parentRef/name");
        if let Some(health) = judge(found, &format!("Parent {name}")) {
            return health;
        }
    }
    if current > 0 {
        return Health::new(State::Healthy, "Route is healthy");
    }
    Health::new(State::Progressing, "Waiting for Route status")
}

pub fn gateway(object: &Value) -> Health {
    if conditions(object).next().is_none() {
        return Health::new(State::Progressing, "Waiting for Gateway status");
    }
    if let Some(health) = judge(conditions(object), "Gateway") {
        return health;
    }
    for listener in items(object, "/status/listeners") {
        let name = text(listener, "/name");
        if let Some(health) = judge(conditions_at(listener, "/conditions"), &format!("Listener {name}")) {
            return health;
        }
    }
    Health::new(State::Healthy, "Gateway is healthy")
}

/// What three conditions say against something; `None` if nothing.
fn judge<'a>(conditions: impl Iterator<Item = Condition<'a>> + Clone, subject: &str) -> Option<Health> {
    for kind in ["ResolvedRefs", "Accepted"] {
        if let Some(found) = conditions.clone().find(|found| found.kind() == kind && found.is_false()) {
            return Some(Health::new(State::Degraded, format!("{subject}: {}", found.message())));
        }
    }
    let waits = conditions.clone().find(|found| found.kind() == "Programmed" && !found.is_true())?;
    Some(Health::new(State::Progressing, format!("{subject}: {}", waits.message())))
}
