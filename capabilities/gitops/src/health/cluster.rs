//! Health of Services, Ingresses, claims, autoscalers, budgets, API services and
//! definitions.

use serde_json::Value;

use super::read::{Condition, condition, conditions, items};
use super::{Health, State};
use crate::resource::{annotation, text};

pub fn service(object: &Value) -> Health {
    let waits =
        text(object, "/spec/type") == "LoadBalancer" && items(object, "/status/loadBalancer/ingress").is_empty();
    Health::of(if waits { State::Progressing } else { State::Healthy })
}

pub fn ingress(object: &Value) -> Health {
    let waits = items(object, "/status/loadBalancer/ingress").is_empty();
    Health::of(if waits { State::Progressing } else { State::Healthy })
}

pub fn volume_claim(object: &Value) -> Health {
    Health::of(match text(object, "/status/phase") {
        "Lost" => State::Degraded,
        "Pending" => State::Progressing,
        "Bound" => State::Healthy,
        _ => State::Unknown,
    })
}

pub fn api_service(object: &Value) -> Health {
    match condition(object, "Available") {
        Some(available) => {
            let state = if available.is_true() { State::Healthy } else { State::Progressing };
            Health::new(state, format!("{}: {}", available.reason(), available.message()))
        }
        None => Health::new(State::Progressing, "Waiting to be processed"),
    }
}

const SCALE_FAILURES: [&str; 2] = ["FailedGetScale", "FailedUpdateScale"];
const METRIC_FAILURES: [&str; 6] = [
    "FailedGetResourceMetric",
    "FailedGetObjectMetric",
    "FailedGetPodsMetric",
    "FailedGetExternalMetric",
    "FailedComputeMetricsReplicas",
    "InvalidSelector",
];

pub fn autoscaler(object: &Value) -> Health {
    // The first version of the kind keeps its conditions as JSON in an annotation.
    let annotated = annotation(object, "autoscaling.alpha.kubernetes.io/conditions")
        .filter(|_| text(object, "/apiVersion") == "autoscaling/v1")
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .map(|list| serde_json::json!({ "status": { "conditions": list } }));
    let object = annotated.as_ref().unwrap_or(object);
    for found in conditions(object).filter(|found| found.is_false()) {
        let reasons: &[&str] = match found.kind() {
            "AbleToScale" => &SCALE_FAILURES,
            "ScalingActive" => &METRIC_FAILURES,
            _ => &[],
        };
        if reasons.contains(&found.reason()) {
            return Health::new(State::Degraded, found.message());
        }
    }
    let working =
        conditions(object).find(|found| found.is_true() && matches!(found.kind(), "AbleToScale" | "ScalingLimited"));
    match working {
        Some(found) => Health::new(State::Healthy, found.message()),
        None => Health::new(State::Progressing, "Waiting to Autoscale"),
    }
}

pub fn disruption_budget(object: &Value) -> Health {
    let told = |found: Condition<'_>| format!("PodDisruptionBudget has {}", found.reason());
    if let Some(broken) = conditions(object).find(|found| found.is_false() && found.reason() != "InsufficientPods") {
        return Health::new(State::Degraded, told(broken));
    }
    match conditions(object).last() {
        Some(found) => Health::new(State::Healthy, told(found)),
        None => Health::new(State::Progressing, "Waiting for status"),
    }
}

/// The first condition that says something decides, except that the definition must be established.
pub fn definition(object: &Value) -> Health {
    if conditions(object).next().is_none() {
        return Health::new(State::Progressing, "Status conditions not found");
    }
    for found in conditions(object) {
        let message = found.message();
        let (state, told) = match (found.kind(), found.status()) {
            ("Terminating", "True") => (State::Progressing, format!("CRD is terminating: {message}")),
            ("NamesAccepted", "False") => (State::Degraded, format!("CRD names have not been accepted: {message}")),
            ("NonStructuralSchema", "True") => (State::Degraded, format!("Schema violations found: {message}")),
            ("Established", status) if status != "True" && found.reason() == "Installing" => {
                (State::Progressing, "CRD is being installed".to_owned())
            }
            _ => continue,
        };
        return Health::new(state, told);
    }
    let is_established = condition(object, "Established").is_some_and(|found| found.is_true());
    if is_established {
        Health::new(State::Healthy, "CRD is healthy")
    } else {
        Health::new(State::Degraded, "CRD is not established")
    }
}
