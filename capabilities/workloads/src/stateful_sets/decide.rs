//! What a stateful set does next about its pods and their claims. Pure.

use std::sync::Arc;

use api::OwnerReference;
use client::Item;
use serde_json::Value;

use super::scene::{Places, Scene};
use super::{claims, identity, rollout};
use crate::views::{Phase, Pod, UpdateStrategy, VolumeClaim};

/// One thing to do.
pub(super) enum Step {
    /// Make the pod of an ordinal, of the current revision or of the update's, and its claims first.
    Create {
        ordinal: i64,
        is_current: bool,
    },
    /// Make the claims that a pod waits for.
    Provide {
        ordinal: i64,
    },
    /// Put back the labels that say which pod it is.
    Identify {
        pod: Arc<Item<Pod>>,
        patch: Value,
    },
    /// Let a claim go with whom the set says.
    Own {
        claim: Arc<Item<VolumeClaim>>,
        pod: String,
        owners: Vec<OwnerReference>,
    },
    Delete(Arc<Item<Pod>>),
}

/// What is to be done: phases in order, of which each must succeed before the next.
pub(super) struct Plan {
    pub(super) phases: Vec<Vec<Step>>,
    /// One after the other, not all of a phase at once.
    pub(super) is_ordered: bool,
}

pub(super) fn plan(scene: &Scene<'_>) -> Plan {
    let is_ordered = !scene.set.view.is_parallel;
    let mut plan = Plan { phases: Vec::new(), is_ordered };
    if scene.set.object.meta.is_deleting() {
        return plan;
    }
    let places = Places::of(scene.set, scene.pods);
    let (steps, waits) = living(scene, &places, is_ordered);
    plan.phases.push(steps);
    if waits {
        return plan;
    }
    plan.phases.push(places.condemned.iter().flat_map(|pod| ownership(scene, pod)).collect());
    let (steps, waits) = leaving(scene, &places, is_ordered);
    plan.phases.push(steps);
    if !waits {
        plan.phases.push(rollout::outdated(scene, &places).into_iter().map(Step::Delete).collect());
    }
    plan
}

/// What the wanted pods need. In order, whatever is not there and serving is waited for; says
/// whether something is.
fn living(scene: &Scene<'_>, places: &Places, is_ordered: bool) -> (Vec<Step>, bool) {
    let mut steps = Vec::new();
    for (ordinal, pod) in (scene.set.view.start..).zip(&places.wanted) {
        let is_waited_for = match pod {
            None => {
                if !has_stale_claim(scene, ordinal) {
                    steps.push(Step::Create { ordinal, is_current: is_current_wanted(scene, ordinal) });
                }
                true
            }
            Some(pod) => existing(scene, ordinal, pod, is_ordered, &mut steps),
        };
        if is_waited_for && is_ordered {
            return (steps, true);
        }
    }
    (steps, false)
}

/// What a pod that is there needs; says whether it is to be waited for.
fn existing(scene: &Scene<'_>, ordinal: i64, pod: &Arc<Item<Pod>>, is_ordered: bool, steps: &mut Vec<Step>) -> bool {
    let meta = &pod.object.meta;
    if pod.view.is_finished() {
        // Another takes its name once it is gone, however it ended.
        if !meta.is_deleting() {
            steps.push(Step::Delete(pod.clone()));
        }
        return true;
    }
    if pod.view.status.phase == Phase::Pending && lacks_claim(scene, ordinal) {
        steps.push(Step::Provide { ordinal });
    }
    if is_ordered && scene.is_unavailable(pod) {
        return true;
    }
    if let Some(patch) = identity::missing(meta, ordinal) {
        steps.push(Step::Identify { pod: pod.clone(), patch });
    }
    steps.extend(ownership(scene, pod));
    false
}

fn claims_of(scene: &Scene<'_>, ordinal: i64) -> impl Iterator<Item = Option<Arc<Item<VolumeClaim>>>> {
    let templates = scene.set.view.claims.iter();
    templates.map(move |template| (scene.claim)(&identity::claim_name(template, &scene.set.object.meta.name, ordinal)))
}

/// Whether a claim is there that will go with an earlier pod: it must be gone first.
fn has_stale_claim(scene: &Scene<'_>, ordinal: i64) -> bool {
    let name = identity::pod_name(&scene.set.object.meta.name, ordinal);
    claims_of(scene, ordinal).flatten().any(|claim| claims::is_stale(&claim.object.meta, &name, None))
}

fn lacks_claim(scene: &Scene<'_>, ordinal: i64) -> bool {
    claims_of(scene, ordinal).any(|claim| claim.is_none())
}

/// What is to change about whom the claims of a pod go with.
fn ownership(scene: &Scene<'_>, pod: &Arc<Item<Pod>>) -> Vec<Step> {
    let meta = &pod.object.meta;
    let Some(ordinal) = identity::ordinal(&scene.set.object.meta.name, &meta.name) else { return Vec::new() };
    let changes = claims_of(scene, ordinal).flatten().filter_map(|claim| {
        let owners = claims::owners_to_set(scene.set, &claim.object.meta, meta)?;
        Some(Step::Own { claim, pod: meta.name.clone(), owners })
    });
    changes.collect()
}

/// Whether a pod that is missing is made as it was, and not of the newest template: below the
/// partition, or, where none is described, where pods of the current revision are left.
fn is_current_wanted(scene: &Scene<'_>, ordinal: i64) -> bool {
    if scene.current == scene.update {
        return false;
    }
    let place = ordinal - scene.set.view.start;
    match &scene.set.view.strategy {
        UpdateStrategy::OnDelete => false,
        UpdateStrategy::Rolling { partition: Some(partition), .. } => place < *partition,
        UpdateStrategy::Rolling { partition: None, .. } => {
            let is_current = |pod: &&Arc<Item<Pod>>| {
                !pod.object.meta.is_deleting() && identity::revision(&pod.object.meta) == scene.current
            };
            place < i64::try_from(scene.pods.iter().filter(is_current).count()).unwrap_or(i64::MAX)
        }
    }
}

/// Which pods that are not wanted go now: all at once, or in order the highest, once all others
/// serve. Says whether something is waited for.
fn leaving(scene: &Scene<'_>, places: &Places, is_ordered: bool) -> (Vec<Step>, bool) {
    if !is_ordered {
        let staying = places.condemned.iter().filter(|pod| !pod.object.meta.is_deleting());
        return (staying.cloned().map(Step::Delete).collect(), false);
    }
    let Some(highest) = places.condemned.first() else { return (Vec::new(), false) };
    // All wanted pods serve, or this would not be asked.
    let lowest_ill = places.condemned.iter().rev().find(|pod| scene.is_unavailable(pod));
    let is_lowest_ill = lowest_ill.is_some_and(|pod| Arc::ptr_eq(pod, highest));
    let may_go = !highest.object.meta.is_deleting() && (scene.is_available(highest) || is_lowest_ill);
    (if may_go { vec![Step::Delete(highest.clone())] } else { Vec::new() }, true)
}
