//! Which pods a daemon set makes and deletes next. Pure, but for the memory of
//! failures, which is handed in.

use std::sync::Arc;
use std::time::Duration;

use client::Item;
use controller::EventKind;

use super::placement::{self, Wanted};
use super::rollout;
use super::scene::{Pods, Scene};
use crate::views::Pod;

/// Pods that are made at once at most, and deleted.
const BURST: usize = 250;

/// What is to be done.
#[derive(Default)]
pub(super) struct Plan {
    /// The nodes for which pods are made.
    pub(super) create: Vec<String>,
    pub(super) delete: Pods,
    /// What is told of pods that have ended.
    pub(super) tell: Vec<(EventKind, &'static str, String)>,
    /// How long a failed pod is left alone yet.
    pub(super) wait: Option<Duration>,
}

/// Decides: first every node gets its pod and no more; once that is so, pods are updated.
/// `may_replace` says whether a failed pod on a node may be replaced now, or how long not.
pub(super) fn plan(scene: &Scene<'_>, mut may_replace: impl FnMut(&str) -> Result<(), Duration>) -> Plan {
    let mut plan = Plan::default();
    for (node, wanted) in &scene.nodes {
        let pods = scene.pods_on(node);
        match wanted {
            Wanted::Yes if pods.is_empty() => plan.create.push(node.clone()),
            Wanted::Yes | Wanted::OnlyIfThere => keep_one(scene, node, &mut plan, &mut may_replace),
            Wanted::No => plan.delete.extend(pods.iter().filter(|pod| !pod.object.meta.is_deleting()).cloned()),
        }
    }
    // A pod that waits for a node that is gone will never be bound.
    for (_, pods) in scene.pods.iter().filter(|(node, _)| !scene.nodes.contains_key(*node)) {
        let unbound = pods.iter().filter(|pod| pod.view.spec.node_name.is_empty() && !pod.object.meta.is_deleting());
        plan.delete.extend(unbound.cloned());
    }
    if plan.create.is_empty() && plan.delete.is_empty() {
        (plan.create, plan.delete) = rollout::update(scene);
    }
    plan.create.truncate(BURST);
    plan.delete.truncate(BURST);
    plan
}

/// Replaces what has ended on a node, and deletes what is too much.
fn keep_one(
    scene: &Scene<'_>,
    node: &str,
    plan: &mut Plan,
    may_replace: &mut impl FnMut(&str) -> Result<(), Duration>,
) {
    let (ended, running): (Pods, Pods) = scene
        .pods_on(node)
        .iter()
        .filter(|pod| !pod.object.meta.is_deleting())
        .cloned()
        .partition(|pod| pod.view.is_finished());
    for pod in ended {
        let name = format!("{}/{}", pod.object.meta.namespace, pod.object.meta.name);
        if pod.view.has_failed() {
            if let Err(wait) = may_replace(node) {
                plan.wait = Some(plan.wait.map_or(wait, |held| held.min(wait)));
                continue;
            }
            let message = format!("Found failed daemon pod {name} on node {node}, will try to kill it");
            plan.tell.push((EventKind::Warning, "FailedDaemonPod", message));
        } else {
            let message = format!("Found succeeded daemon pod {name} on node {node}, will try to delete it");
            plan.tell.push((EventKind::Normal, "SucceededDaemonPod", message));
        }
        plan.delete.push(pod);
    }
    plan.delete.extend(excess(scene, &running));
}

/// All but the oldest pod or, during a surge, but the oldest of either template, until the new one
/// can take over.
fn excess(scene: &Scene<'_>, running: &[Arc<Item<Pod>>]) -> Pods {
    if scene.bounds().is_none_or(|(_, surge)| surge == 0) || running.len() < 2 {
        return running.iter().skip(1).cloned().collect();
    }
    let (new, old): (Vec<_>, Vec<_>) = running.iter().cloned().partition(|pod| placement::hash_of(pod) == scene.hash);
    let mut excess: Pods = new.iter().skip(1).chain(old.iter().skip(1)).cloned().collect();
    if let (Some(new), Some(old)) = (new.first(), old.first())
        && (!old.view.is_ready() || scene.is_available(new))
    {
        excess.push(old.clone());
    }
    excess
}
