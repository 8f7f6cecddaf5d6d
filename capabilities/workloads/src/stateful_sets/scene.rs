//! What a stateful set decides by: its pods in their places, its claims and
//! revisions, and the time. Pure.

use std::cmp::Reverse;
use std::sync::Arc;

use client::Item;
use jiff::Timestamp;

use super::identity;
use crate::views::{Phase, Pod, StatefulSet, VolumeClaim};

/// What is there to decide by.
pub(super) struct Scene<'a> {
    pub(super) set: &'a Item<StatefulSet>,
    pub(super) pods: &'a [Arc<Item<Pod>>],
    /// The claim of a name.
    pub(super) claim: &'a (dyn Fn(&str) -> Option<Arc<Item<VolumeClaim>>> + Sync),
    /// The name of the revision that pods are of until they are updated.
    pub(super) current: &'a str,
    /// The name of the revision of the template as it is now.
    pub(super) update: &'a str,
    pub(super) now: Timestamp,
}

/// The pods of a set by their places.
pub(super) struct Places {
    /// For every ordinal that is wanted, from the first.
    pub(super) wanted: Vec<Option<Arc<Item<Pod>>>>,
    /// Pods of other ordinals, the highest first.
    pub(super) condemned: Vec<Arc<Item<Pod>>>,
}

impl Places {
    pub(super) fn of(set: &Item<StatefulSet>, pods: &[Arc<Item<Pod>>]) -> Places {
        let mut wanted = vec![None; usize::try_from(set.view.replicas).unwrap_or(0)];
        let mut condemned = Vec::new();
        for pod in pods {
            let Some(ordinal) = identity::ordinal(&set.object.meta.name, &pod.object.meta.name) else { continue };
            match usize::try_from(ordinal - set.view.start).ok().and_then(|place| wanted.get_mut(place)) {
                Some(place) => *place = Some(pod.clone()),
                None => condemned.push((ordinal, pod.clone())),
            }
        }
        condemned.sort_by_key(|(ordinal, _)| Reverse(*ordinal));
        Places { wanted, condemned: condemned.into_iter().map(|(_, pod)| pod).collect() }
    }
}

impl Scene<'_> {
    /// Whether a pod runs and has been ready for long enough.
    pub(super) fn is_available(&self, pod: &Item<Pod>) -> bool {
        pod.view.status.phase == Phase::Running && pod.view.is_available(self.set.view.min_ready_secs, self.now)
    }

    /// Whether a pod does not count as serving: what is going does not.
    pub(super) fn is_unavailable(&self, pod: &Item<Pod>) -> bool {
        pod.object.meta.is_deleting() || !self.is_available(pod)
    }
}
