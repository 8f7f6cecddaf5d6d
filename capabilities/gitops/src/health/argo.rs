//! Health of Argo's own kinds: Applications, ApplicationSets, Workflows and Rollouts.

use serde_json::Value;

use super::read::{condition, conditions, flag, items, number, wanted_replicas};
use super::{Health, State};
use crate::resource::{annotation, text};

pub fn application(object: &Value) -> Health {
    let state = match text(object, "/status/health/status") {
        "Healthy" => State::Healthy,
        "Suspended" => State::Suspended,
        "Degraded" => State::Degraded,
        "Missing" => State::Missing,
        "Unknown" => State::Unknown,
        _ => State::Progressing,
    };
    Health::new(state, text(object, "/status/health/message"))
}

pub fn workflow(object: &Value) -> Health {
    let message = text(object, "/status/message");
    Health::new(
        match text(object, "/status/phase") {
            "" | "Pending" | "Running" => State::Progressing,
            "Succeeded" => State::Healthy,
            "Failed" | "Error" => State::Degraded,
            _ => State::Unknown,
        },
        message,
    )
}

pub fn cron_workflow(object: &Value) -> Health {
    for found in conditions(object).filter(|found| found.is_true()) {
        match found.kind() {
            "SpecError" | "SubmissionError" => return Health::new(State::Degraded, found.message()),
            "Completed" => return Health::new(State::Healthy, found.message()),
            _ => {}
        }
    }
    Health::new(State::Healthy, "CronWorkflow is healthy.")
}

pub fn application_set(object: &Value) -> Health {
    let holds = |kind: &str, wanted: &str| condition(object, kind).filter(|found| found.status() == wanted);
    if let Some(found) = holds("ErrorOccurred", "True") {
        return Health::new(State::Degraded, found.message());
    }
    if let Some(found) = holds("ResourcesUpToDate", "False") {
        return Health::new(State::Degraded, found.message());
    }
    if let Some(found) = holds("RolloutProgressing", "True") {
        return Health::new(State::Progressing, found.message());
    }
    if let Some(found) = holds("ResourcesUpToDate", "True") {
        return Health::new(State::Healthy, found.message());
    }
    Health::new(State::Progressing, "Waiting for the status to be reported")
}

pub fn rollout(object: &Value) -> Health {
    let observed = object.pointer("/status/observedGeneration").map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let is_number = observed.as_ref().is_some_and(|text| text.parse::<i64>().is_ok());
    let generation = number(object, "/metadata/generation").to_string();
    let workload = annotation(object, "rollout.argoproj.io/workload-generation").unwrap_or_default();
    let seen_workload = text(object, "/status/workloadObservedGeneration");
    if (is_number && observed.as_deref() != Some(&generation)) || (!workload.is_empty() && workload != seen_workload) {
        return Health::new(State::Progressing, "Waiting for rollout spec update to be observed");
    }
    let message = text(object, "/status/message");
    match text(object, "/status/phase") {
        "" => older_rollout(object),
        "Paused" => Health::new(State::Suspended, message),
        "Healthy" => Health::new(State::Healthy, message),
        "Degraded" => Health::new(State::Degraded, message),
        "Progressing" => Health::new(State::Progressing, message),
        _ => Health::new(State::Unknown, message),
    }
}

/// Rollouts before 1.0 state no phase.
fn older_rollout(object: &Value) -> Health {
    if let Some(found) = condition(object, "InvalidSpec").filter(|found| found.is_true()) {
        return Health::new(State::Degraded, found.message());
    }
    if let Some(found) = condition(object, "Progressing")
        && matches!(found.reason(), "RolloutAborted" | "ProgressDeadlineExceeded")
    {
        return Health::new(State::Degraded, found.message());
    }
    if !items(object, "/status/pauseConditions").is_empty() || flag(object, "/spec/paused") {
        return Health::new(State::Suspended, "Rollout is paused");
    }
    let wanted = wanted_replicas(object);
    let updated = number(object, "/status/updatedReplicas");
    let replicas = number(object, "/status/replicas");
    let available = number(object, "/status/availableReplicas");
    if updated < wanted {
        return Health::new(State::Progressing, "Waiting for roll out to finish: More replicas need to be updated");
    }
    if replicas > updated {
        return Health::new(State::Progressing, "Waiting for roll out to finish: old replicas are pending termination");
    }
    if available < updated {
        return Health::new(
            State::Progressing,
            "Waiting for roll out to finish: updated replicas are still becoming available",
        );
    }
    Health::of(State::Healthy)
}
