//! Health of Crossplane's packages and of the resources it manages.

use serde_json::Value;

use super::read::{condition, conditions};
use super::{Health, State};

pub fn provider(object: &Value) -> Health {
    if conditions(object).next().is_none() {
        return Health::new(State::Progressing, "Waiting for provider to be installed");
    }
    for kind in ["Installed", "Healthy"] {
        match condition(object, kind) {
            Some(found) if found.is_true() => {}
            Some(found) => return Health::new(State::Degraded, found.message()),
            None => return Health::new(State::Degraded, format!("Provider is not {kind}")),
        }
    }
    Health::new(State::Healthy, "Provider is up-to-date.")
}

/// Kinds that only configure and report nothing.
const SILENT: [&str; 3] = ["ProviderConfig", "ClusterProviderConfig", "ProviderConfigUsage"];

pub fn resource(object: &Value, kind: &str) -> Health {
    if conditions(object).next().is_none() {
        if SILENT.contains(&kind) {
            return Health::new(State::Healthy, "Resource is up-to-date.");
        }
        return Health::new(State::Progressing, "Provisioning ...");
    }
    for kind in ["LastAsyncOperation", "Synced"] {
        if let Some(found) = condition(object, kind).filter(|found| found.is_false()) {
            return Health::new(State::Degraded, found.message());
        }
    }
    match condition(object, "Ready").filter(|found| found.is_true()) {
        Some(_) => Health::new(State::Healthy, "Resource is up-to-date."),
        None => Health::new(State::Progressing, "Provisioning ..."),
    }
}
