//! Health of Flux's kinds, with the counting of successes that Argo CD uses.

use serde_json::Value;

use super::read::{condition, conditions, flag};
use super::{Health, State};

pub fn assess(object: &Value, kind: &str) -> Health {
    if flag(object, "/spec/suspend") {
        return Health::new(State::Suspended, format!("{kind} is suspended"));
    }
    if conditions(object).next().is_none() {
        return Health::new(State::Progressing, format!("Waiting for {kind} to be reconciled"));
    }
    let unknown = condition(object, "Ready").is_some_and(|found| found.status() == "Unknown");
    let reconciling = condition(object, "Reconciling").filter(|found| found.is_true());
    if let (true, Some(found)) = (unknown, reconciling) {
        return Health::new(State::Progressing, found.message());
    }
    let (successes, wanted): (&[&str], usize) = match kind {
        "Kustomization" => (&["Ready"], 1),
        "HelmRelease" => (&["Ready", "Released", "TestSuccess"], 2),
        "GitRepository" | "HelmRepository" | "HelmChart" | "OCIRepository" | "Bucket" => {
            (&["Ready", "ArtifactInStorage"], 2)
        }
        _ => (&["Ready"], 1),
    };
    let count = conditions(object).filter(|found| found.is_true() && successes.contains(&found.kind())).count();
    let message = condition(object, "Ready").map(|found| found.message()).unwrap_or_default();
    // Exactly as many, not at least: a HelmRelease that is both released and tested counts three
    // and is degraded, as in Argo CD.
    Health::new(if count == wanted { State::Healthy } else { State::Degraded }, message)
}
