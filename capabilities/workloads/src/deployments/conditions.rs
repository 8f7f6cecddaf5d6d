//! Conditions of the older kind, which also say when they were last written.
//! Plain data; it knows no reason.

use crate::views::DeploymentCondition;

/// A condition that begins now.
pub(super) fn new(kind: &str, status: &str, reason: &str, message: &str, now: &str) -> DeploymentCondition {
    DeploymentCondition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        last_update_time: Some(now.to_owned()),
        last_transition_time: Some(now.to_owned()),
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

pub(super) fn get<'a>(conditions: &'a [DeploymentCondition], kind: &str) -> Option<&'a DeploymentCondition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// Puts a condition in the place of the one of its type, unless that has its status and reason.
pub(super) fn set(conditions: &mut Vec<DeploymentCondition>, condition: DeploymentCondition) {
    let held = get(conditions, &condition.kind);
    if !held.is_some_and(|held| held.status == condition.status && held.reason == condition.reason) {
        renew(conditions, condition);
    }
}

/// Puts a condition in the place of the one of its type; it is as old as that if only its reason
/// is another.
pub(super) fn renew(conditions: &mut Vec<DeploymentCondition>, mut condition: DeploymentCondition) {
    if let Some(held) = get(conditions, &condition.kind)
        && held.status == condition.status
    {
        condition.last_transition_time = held.last_transition_time.clone();
    }
    remove(conditions, &condition.kind);
    conditions.push(condition);
}

pub(super) fn remove(conditions: &mut Vec<DeploymentCondition>, kind: &str) {
    conditions.retain(|condition| condition.kind != kind);
}
