//! What is the next thing to do about the replica sets of a deployment. Pure;
//! one thing at a time, since what is done comes back as a change.

use std::collections::BTreeMap;

use client::Item;

use super::revision;
use super::rolling;
use super::scaling;
use super::sets::{Scale, Set, Sets};
use super::status::{self, Report};
use crate::views::{Deployment, Strategy};

/// What is to be done.
#[derive(Debug)]
pub(super) enum Plan {
    /// Nothing now.
    Rest,
    /// The new replica set gets these annotations, and the deployment's `minReadySeconds`.
    Revise(Set, BTreeMap<String, String>),
    /// The replica set of the template is made.
    Create,
    /// Sets change their size.
    Scale(Vec<Scale>),
    /// Old sets are forgotten.
    Forget(Vec<Set>),
}

/// Decides. `has_old_pods` tells whether a pod of an old set has not ended yet.
pub(super) fn decide(
    deployment: &Item<Deployment>,
    sets: &Sets,
    has_old_pods: impl FnOnce() -> bool,
) -> (Plan, Report) {
    let view = &deployment.view;
    if deployment.object.meta.is_deleting() {
        return (Plan::Rest, Report::Counts);
    }
    let is_scaled = scaling::is_scaled(view, sets);
    let report = if view.is_paused || is_scaled { Report::Counts } else { Report::Progress };
    if let Some((set, annotations)) = revision::out_of_step(deployment, sets) {
        return (Plan::Revise(set, annotations), report);
    }
    let shares = if report == Report::Counts { scaling::scale(view, sets) } else { Vec::new() };
    if !shares.is_empty() {
        return (Plan::Scale(shares), Report::Counts);
    }
    if view.is_paused {
        return (forget(view, sets), Report::Counts);
    }
    let plan = match view.strategy {
        Strategy::Recreate => recreate(deployment, sets, has_old_pods),
        Strategy::Rolling { .. } => roll(deployment, sets),
    };
    (plan, Report::Progress)
}

fn scaled_or(scales: Vec<Scale>, otherwise: impl FnOnce() -> Plan) -> Plan {
    if scales.is_empty() { otherwise() } else { Plan::Scale(scales) }
}

fn roll(deployment: &Item<Deployment>, sets: &Sets) -> Plan {
    let Some(new) = &sets.new else { return Plan::Create };
    scaled_or(rolling::roll(&deployment.view, sets, new), || forget_if_complete(deployment, sets))
}

/// All old pods go, and only when the last one has ended the new ones come.
fn recreate(deployment: &Item<Deployment>, sets: &Sets, has_old_pods: impl FnOnce() -> bool) -> Plan {
    let active = sets.old.iter().filter(|set| set.view.replicas > 0);
    let down = active.map(|set| Scale { set: set.clone(), to: 0 }).collect();
    scaled_or(down, || {
        if sets.old.iter().any(|set| set.view.status.replicas > 0) || has_old_pods() {
            return Plan::Rest;
        }
        let Some(new) = &sets.new else { return Plan::Create };
        let to = deployment.view.replicas;
        if new.view.replicas != to {
            return Plan::Scale(vec![Scale { set: new.clone(), to }]);
        }
        forget_if_complete(deployment, sets)
    })
}

/// As long as a rollout is under way everything is kept.
fn forget_if_complete(deployment: &Item<Deployment>, sets: &Sets) -> Plan {
    let is_complete = status::is_complete(deployment, &deployment.view.status);
    if is_complete { forget(&deployment.view, sets) } else { Plan::Rest }
}

fn forget(deployment: &Deployment, sets: &Sets) -> Plan {
    let forgotten = revision::forgotten(deployment, sets);
    if forgotten.is_empty() { Plan::Rest } else { Plan::Forget(forgotten) }
}
