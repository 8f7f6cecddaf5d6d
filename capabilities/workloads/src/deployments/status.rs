//! What a deployment reports: what there is of its pods, and how its rollout
//! goes. Pure: time comes in as an argument.

use std::time::Duration;

use client::Item;
use jiff::Timestamp;

use super::conditions;
use super::sets::{Set, Sets};
use crate::views::{Deployment, DeploymentCondition, DeploymentStatus};

const AVAILABLE: &str = "Available";
const PROGRESSING: &str = "Progressing";
const REPLICA_FAILURE: &str = "ReplicaFailure";
const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";

/// How the status is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// What there is.
    Counts,
    /// What there is, and how the rollout goes.
    Progress,
}

/// What came of trying to make the new replica set.
#[derive(Debug)]
pub(super) enum Made {
    /// Nothing was to be made.
    Nothing,
    /// It was made under this name.
    Set(String),
    /// Another replica set has its name.
    Collision,
    /// It was refused; the sentence says what and why.
    Refused(String),
}

/// A moment: exact to measure by, and as it is written.
#[derive(Clone, Debug)]
pub(super) struct Now {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// The status to report.
pub(super) fn status(
    deployment: &Item<Deployment>,
    sets: &Sets,
    report: Report,
    made: &Made,
    now: &Now,
) -> DeploymentStatus {
    let held = &deployment.view.status;
    let noted = noted(deployment, sets, made, now);
    match (made, report) {
        (Made::Collision, _) => {
            DeploymentStatus { collision_count: Some(held.collision_count.unwrap_or(0) + 1), ..held.clone() }
        }
        (Made::Refused(_), _) => DeploymentStatus { conditions: noted, ..held.clone() },
        (_, Report::Counts) => counted(deployment, sets, noted, now),
        (_, Report::Progress) => progressed(deployment, sets, noted, now),
    }
}

/// The conditions with what just happened to the rollout as a whole.
fn noted(deployment: &Item<Deployment>, sets: &Sets, made: &Made, now: &Now) -> Vec<DeploymentCondition> {
    let view = &deployment.view;
    let mut held = view.status.conditions.clone();
    if view.deadline_secs.is_none() || deployment.object.meta.is_deleting() {
        return held;
    }
    let progressing = |status, reason, message: &str| conditions::new(PROGRESSING, status, reason, message, &now.text);
    // That there was no progress stays said, even if nobody waits for it now.
    let reason = conditions::get(&held, PROGRESSING).map(|condition| condition.reason.as_str());
    if view.is_paused && reason != Some(PAUSED) && reason != Some(TIMED_OUT) {
        conditions::set(&mut held, progressing("Unknown", PAUSED, "Deployment is paused"));
    } else if !view.is_paused && reason == Some(PAUSED) {
        conditions::set(&mut held, progressing("Unknown", "DeploymentResumed", "Deployment is resumed"));
    }
    match (made, &sets.new) {
        (Made::Refused(message), _) => {
            conditions::set(&mut held, progressing("False", "ReplicaSetCreateError", message));
        }
        (Made::Set(name), _) => {
            let message = format!("Created new replica set {name:?}");
            conditions::set(&mut held, progressing("True", "NewReplicaSetCreated", &message));
        }
        (_, Some(new)) if conditions::get(&held, PROGRESSING).is_none() => {
            let message = format!("Found new replica set {:?}", new.object.meta.name);
            conditions::set(&mut held, progressing("True", "FoundNewReplicaSet", &message));
        }
        _ => {}
    }
    held
}

/// The counts, and whether they suffice.
fn counted(deployment: &Item<Deployment>, sets: &Sets, held: Vec<DeploymentCondition>, now: &Now) -> DeploymentStatus {
    let view = &deployment.view;
    let sum = |count: fn(&Set) -> i64| sets.all().map(count).sum::<i64>();
    let available = sets.available();
    let mut status = DeploymentStatus {
        observed_generation: deployment.object.meta.generation,
        replicas: sum(|set| set.view.status.replicas),
        updated_replicas: sets.new.as_ref().map_or(0, |new| new.view.status.replicas),
        ready_replicas: sum(|set| set.view.status.ready_replicas),
        available_replicas: available,
        unavailable_replicas: (sets.asked() - available).max(0),
        // Unknown in one is unknown in all.
        terminating_replicas: sets.all().map(|set| set.view.status.terminating_replicas).sum(),
        collision_count: view.status.collision_count,
        conditions: held,
    };
    let (holds, reason, message) = if available >= view.replicas - view.max_unavailable() {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    conditions::set(&mut status.conditions, conditions::new(AVAILABLE, holds, reason, message, &now.text));
    status
}

/// The counts, and how the rollout goes.
fn progressed(
    deployment: &Item<Deployment>,
    sets: &Sets,
    held: Vec<DeploymentCondition>,
    now: &Now,
) -> DeploymentStatus {
    let progressing = conditions::get(&held, PROGRESSING).cloned();
    let mut status = counted(deployment, sets, held, now);
    match deployment.view.deadline_secs {
        None => conditions::remove(&mut status.conditions, PROGRESSING),
        Some(deadline_secs) => {
            let was_complete = progressing.as_ref().is_some_and(|held| held.reason == COMPLETE);
            if !(was_complete && status.replicas == status.updated_replicas) {
                estimate(deployment, sets, &mut status, progressing.as_ref(), deadline_secs, now);
            }
        }
    }
    // Failures of the new set are told before those of old ones.
    match sets.new.iter().chain(&sets.old).find_map(|set| set.view.failure.as_ref()) {
        Some(failure) => {
            let text = |field: &str| failure[field].as_str().unwrap_or_default();
            let since = text("lastTransitionTime");
            let failure = conditions::new(REPLICA_FAILURE, text("status"), text("reason"), text("message"), since);
            conditions::set(&mut status.conditions, failure);
        }
        None => conditions::remove(&mut status.conditions, REPLICA_FAILURE),
    }
    status
}

/// Says in the condition `Progressing` whether the rollout is done, goes on or is stuck.
fn estimate(
    deployment: &Item<Deployment>,
    sets: &Sets,
    status: &mut DeploymentStatus,
    held: Option<&DeploymentCondition>,
    deadline_secs: i64,
    now: &Now,
) {
    let subject = match &sets.new {
        Some(new) => format!("ReplicaSet {:?}", new.object.meta.name),
        None => format!("Deployment {:?}", deployment.object.meta.name),
    };
    let progressing =
        |status, reason, what| conditions::new(PROGRESSING, status, reason, &format!("{subject} {what}"), &now.text);
    if is_complete(deployment, status) {
        let done = progressing("True", COMPLETE, "has successfully progressed.");
        conditions::set(&mut status.conditions, done);
    } else if has_progressed(&deployment.view.status, status) {
        let goes_on = progressing("True", "ReplicaSetUpdated", "is progressing.");
        conditions::renew(&mut status.conditions, goes_on);
    } else if let Some(held) = held {
        match elapsed_secs(held, now) {
            _ if held.reason == COMPLETE || held.reason == TIMED_OUT => {}
            Some(elapsed) if elapsed > seconds(deadline_secs) => {
                let stuck = progressing("False", TIMED_OUT, "has timed out progressing.");
                conditions::set(&mut status.conditions, stuck);
            }
            Some(elapsed) if elapsed >= 0.0 => {}
            // The clock was set back: the deadline is measured from here.
            _ => {
                let anew = DeploymentCondition { last_update_time: Some(now.text.clone()), ..held.clone() };
                conditions::renew(&mut status.conditions, anew);
            }
        }
    }
}

/// Whether all pods are of the new template and available.
pub(super) fn is_complete(deployment: &Item<Deployment>, status: &DeploymentStatus) -> bool {
    let wanted = deployment.view.replicas;
    status.updated_replicas == wanted
        && status.replicas == wanted
        && status.available_replicas == wanted
        && status.observed_generation >= deployment.object.meta.generation
}

/// Whether there is more of the new, or less of the old, than there was.
fn has_progressed(before: &DeploymentStatus, after: &DeploymentStatus) -> bool {
    let old = |status: &DeploymentStatus| status.replicas - status.updated_replicas;
    after.updated_replicas > before.updated_replicas
        || old(after) < old(before)
        || after.ready_replicas > before.ready_replicas
        || after.available_replicas > before.available_replicas
}

/// When to look whether the deadline has passed, if it may pass. No event tells of a rollout that
/// stands still.
pub(super) fn next_check(deployment: &Item<Deployment>, status: &DeploymentStatus, now: &Now) -> Option<Duration> {
    let deadline = seconds(deployment.view.deadline_secs?);
    let held = conditions::get(&status.conditions, PROGRESSING)?;
    let is_over = held.reason == COMPLETE || held.reason == TIMED_OUT || held.reason == PAUSED;
    if is_over || is_complete(deployment, status) {
        return None;
    }
    let left = deadline - elapsed_secs(held, now)?.max(0.0);
    // A second more, since what is written has whole seconds.
    Some(Duration::from_secs_f64(left.max(0.0) + 1.0))
}

/// Seconds since a condition was last written; negative if that is still to come.
fn elapsed_secs(condition: &DeploymentCondition, now: &Now) -> Option<f64> {
    let since: Timestamp = condition.last_update_time.as_deref()?.parse().ok()?;
    Some(now.at.duration_since(since).as_secs_f64())
}

/// Spans of time are far below what an `f64` holds exactly.
#[allow(clippy::cast_precision_loss)]
fn seconds(count: i64) -> f64 {
    count as f64
}
