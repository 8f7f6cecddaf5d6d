//! Which pods of a stateful set give way to the newest template now. Pure.

use std::sync::Arc;

use client::Item;

use super::identity;
use super::scene::{Places, Scene};
use crate::views::{IntOrPercent, Pod, UpdateStrategy};

/// Pods to delete, so that they come back of the newest template: from the highest down to the
/// partition.
pub(super) fn outdated(scene: &Scene<'_>, places: &Places) -> Vec<Arc<Item<Pod>>> {
    let UpdateStrategy::Rolling { partition, max_unavailable } = &scene.set.view.strategy else { return Vec::new() };
    let lowest = usize::try_from(partition.unwrap_or(0)).unwrap_or(0);
    match max_unavailable {
        None => one_by_one(scene, places, lowest).into_iter().collect(),
        Some(most) => within(scene, places, lowest, *most),
    }
}

fn is_outdated(scene: &Scene<'_>, pod: &Item<Pod>) -> bool {
    !pod.object.meta.is_deleting() && identity::revision(&pod.object.meta) != scene.update
}

/// The highest pod that is out of date, unless one above it does not serve yet.
fn one_by_one(scene: &Scene<'_>, places: &Places, lowest: usize) -> Option<Arc<Item<Pod>>> {
    for pod in places.wanted.get(lowest..)?.iter().rev() {
        let pod = pod.as_ref()?;
        if is_outdated(scene, pod) {
            return Some(pod.clone());
        }
        if scene.is_unavailable(pod) {
            return None;
        }
    }
    None
}

/// As many as may be missing at once. A pod that is out of date and does not serve costs nothing.
fn within(scene: &Scene<'_>, places: &Places, lowest: usize, most: IntOrPercent) -> Vec<Arc<Item<Pod>>> {
    let most = most.rounded_down(scene.set.view.replicas).max(1);
    let is_free = |pod: &Item<Pod>| is_outdated(scene, pod) && scene.is_unavailable(pod);
    let is_missing = |pod: &Option<Arc<Item<Pod>>>| match pod {
        Some(pod) => scene.is_unavailable(pod) && !is_free(pod),
        None => true,
    };
    let missing = places.wanted.iter().filter(|pod| is_missing(pod)).count();
    let mut budget = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(missing);
    let mut doomed = Vec::new();
    for pod in places.wanted.iter().skip(lowest).rev().flatten().filter(|pod| is_outdated(scene, pod)) {
        if is_free(pod) {
            doomed.push(pod.clone());
        } else if budget > 0 {
            budget -= 1;
            doomed.push(pod.clone());
        }
    }
    doomed
}
