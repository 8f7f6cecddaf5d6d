//! Health of Deployments, StatefulSets, DaemonSets and ReplicaSets.

use serde_json::Value;

use super::read::{condition, conditions, flag, is_behind, number, wanted_replicas};
use super::{Health, State};
use crate::resource::text;

fn progressing(message: impl Into<String>) -> Health {
    Health::new(State::Progressing, message)
}

pub fn deployment(object: &Value) -> Health {
    if flag(object, "/spec/paused") {
        return Health::new(State::Suspended, "Deployment is paused");
    }
    if is_behind(object) {
        return progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        );
    }
    if condition(object, "Progressing").is_some_and(|found| found.reason() == "ProgressDeadlineExceeded") {
        let name = text(object, "/metadata/name");
        return Health::new(State::Degraded, format!("Deployment {name:?} exceeded its progress deadline"));
    }
    let wanted = wanted_replicas(object);
    let updated = number(object, "/status/updatedReplicas");
    let replicas = number(object, "/status/replicas");
    let available = number(object, "/status/availableReplicas");
    if updated < wanted {
        return progressing(format!(
            "Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
        ));
    }
    if replicas > updated {
        let old = replicas - updated;
        return progressing(format!("Waiting for rollout to finish: {old} old replicas are pending termination..."));
    }
    if available < updated {
        return progressing(format!(
            "Waiting for rollout to finish: {available} of {updated} updated replicas are available..."
        ));
    }
    Health::of(State::Healthy)
}

pub fn stateful_set(object: &Value) -> Health {
    if number(object, "/status/observedGeneration") == 0 || is_behind(object) {
        return progressing("Waiting for statefulset spec update to be observed...");
    }
    let wanted = wanted_replicas(object);
    let ready = number(object, "/status/readyReplicas");
    let updated = number(object, "/status/updatedReplicas");
    if ready < wanted {
        return progressing(format!("Waiting for {} pods to be ready...", wanted - ready));
    }
    let strategy = text(object, "/spec/updateStrategy/type");
    let rolling = object.pointer("/spec/updateStrategy/rollingUpdate");
    if strategy == "RollingUpdate" && rolling.is_some() {
        let partition = rolling.and_then(|rolling| rolling.get("partition")?.as_i64());
        if let Some(due) = partition.map(|partition| wanted - partition).filter(|due| updated < *due) {
            return progressing(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {due} new pods have been updated..."
            ));
        }
        return Health::new(
            State::Healthy,
            format!("partitioned roll out complete: {updated} new pods have been updated..."),
        );
    }
    if strategy == "OnDelete" {
        return Health::new(State::Healthy, format!("statefulset has {ready} ready pods"));
    }
    let revision = text(object, "/status/updateRevision");
    if revision != text(object, "/status/currentRevision") {
        return progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {revision}..."
        ));
    }
    let current = number(object, "/status/currentReplicas");
    Health::new(State::Healthy, format!("statefulset rolling update complete {current} pods at revision {revision}..."))
}

pub fn daemon_set(object: &Value) -> Health {
    if is_behind(object) {
        return progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        );
    }
    let name = text(object, "/metadata/name");
    let wanted = number(object, "/status/desiredNumberScheduled");
    let updated = number(object, "/status/updatedNumberScheduled");
    let available = number(object, "/status/numberAvailable");
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Health::new(State::Healthy, format!("daemon set {updated} out of {wanted} new pods have been updated"));
    }
    if updated < wanted {
        return progressing(format!(
            "Waiting for daemon set {name:?} rollout to finish: {updated} out of {wanted} new pods have been updated..."
        ));
    }
    if available < wanted {
        return progressing(format!(
            "Waiting for daemon set {name:?} rollout to finish: {available} of {wanted} updated pods are available..."
        ));
    }
    Health::of(State::Healthy)
}

pub fn replica_set(object: &Value) -> Health {
    if is_behind(object) {
        return progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        );
    }
    if let Some(failure) = conditions(object).find(|found| found.kind() == "ReplicaFailure" && found.is_true()) {
        return Health::new(State::Degraded, failure.message());
    }
    let wanted = wanted_replicas(object);
    let available = number(object, "/status/availableReplicas");
    if available < wanted {
        return progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        ));
    }
    Health::of(State::Healthy)
}
