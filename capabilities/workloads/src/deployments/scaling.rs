//! What becomes of the replica sets when the deployment is scaled: one alone
//! takes it all; during a rollout, or when paused in one, each gets its share.
//! Pure.

use std::cmp::Reverse;

use super::sets::{Scale, Set, Sets, age};
use crate::views::{Deployment, Strategy};

/// An annotation of a replica set: how many replicas the deployment wanted when the set was sized.
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// An annotation of a replica set: how many pods the deployment allowed then.
const MOST: &str = "deployment.kubernetes.io/max-replicas";

/// The annotations of a set that is sized now.
pub(super) fn annotations(deployment: &Deployment) -> [(&'static str, String); 2] {
    let most = deployment.replicas + deployment.max_surge();
    [(DESIRED, deployment.replicas.to_string()), (MOST, most.to_string())]
}

/// Whether the set is of this size and was given it for the deployment as it is.
pub(super) fn is_sized(deployment: &Deployment, set: &Set, to: i64) -> bool {
    let held = &set.object.meta.annotations;
    set.view.replicas == to && annotations(deployment).iter().all(|(key, value)| held.get(*key) == Some(value))
}

/// Whether the deployment was scaled since its sets were sized.
pub(super) fn is_scaled(deployment: &Deployment, sets: &Sets) -> bool {
    sets.active().any(|set| number(set, DESIRED).is_some_and(|desired| desired != deployment.replicas))
}

/// How the sets share in what the deployment wants now.
pub(super) fn scale(deployment: &Deployment, sets: &Sets) -> Vec<Scale> {
    let sized = if let Some(only) = sets.active_or_latest() {
        vec![Scale { set: only.clone(), to: deployment.replicas }]
    } else if sets.new.as_ref().is_some_and(|new| is_saturated(deployment, new)) {
        let old = sets.old.iter().filter(|set| set.view.replicas > 0);
        old.map(|set| Scale { set: set.clone(), to: 0 }).collect()
    } else if matches!(deployment.strategy, Strategy::Rolling { .. }) {
        proportionally(deployment, sets)
    } else {
        Vec::new()
    };
    sized.into_iter().filter(|scale| !is_sized(deployment, &scale.set, scale.to)).collect()
}

/// Whether a set serves all that the deployment wants.
fn is_saturated(deployment: &Deployment, set: &Set) -> bool {
    let wanted = deployment.replicas;
    set.view.replicas == wanted && number(set, DESIRED) == Some(wanted) && set.view.status.available_replicas == wanted
}

/// Shares out what is to be added or taken, the largest set first; the largest also gets what
/// rounding leaves. Of two as large the newer grows and the older shrinks first.
fn proportionally(deployment: &Deployment, sets: &Sets) -> Vec<Scale> {
    let mut active: Vec<&Set> = sets.active().collect();
    let allowed = if deployment.replicas > 0 { deployment.replicas + deployment.max_surge() } else { 0 };
    let asked: i64 = active.iter().map(|set| set.view.replicas).sum();
    let to_add = allowed - asked;
    active.sort_by(|left, right| age(left).cmp(&age(right)));
    if to_add > 0 {
        active.reverse();
    }
    active.sort_by_key(|set| Reverse(set.view.replicas));
    let mut added = 0;
    let mut sized: Vec<Scale> = Vec::new();
    for set in active {
        let share = share(deployment, set, to_add, added);
        added += share;
        sized.push(Scale { set: set.clone(), to: set.view.replicas + share });
    }
    if let Some(largest) = sized.first_mut() {
        largest.to = (largest.to + to_add - added).max(0);
    }
    sized
}

/// What one set gains or loses of `to_add`, of which `added` is gone.
fn share(deployment: &Deployment, set: &Set, to_add: i64, added: i64) -> i64 {
    let left = to_add - added;
    if to_add == 0 || left == 0 {
        return 0;
    }
    let fraction = fraction(deployment, set);
    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
}

/// By how much a set changes if it keeps its part of the whole.
fn fraction(deployment: &Deployment, set: &Set) -> i64 {
    let size = set.view.replicas;
    if deployment.replicas == 0 {
        return -size;
    }
    let before = number(set, MOST).filter(|most| *most != 0).unwrap_or(deployment.status.replicas);
    // The annotation was taken away and no pod could be made: there is nothing to go by.
    if before <= 0 {
        return 0;
    }
    let most = deployment.replicas + deployment.max_surge();
    // To the nearest, halves up.
    (2 * size * most + before).div_euclid(2 * before) - size
}

fn number(set: &Set, annotation: &str) -> Option<i64> {
    set.object.meta.annotations.get(annotation)?.parse().ok()
}
