//! What a daemon set decides by: its nodes, its pods by the nodes they belong
//! to, its revision, and the time. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::Item;
use jiff::Timestamp;

use super::placement::{self, Wanted};
use crate::views::{DaemonSet, DaemonStrategy, Node, Pod};

pub(super) type Pods = Vec<Arc<Item<Pod>>>;

/// What is there to decide by.
pub(super) struct Scene<'a> {
    pub(super) set: &'a Item<DaemonSet>,
    /// Every node, by its name.
    pub(super) nodes: BTreeMap<String, Wanted>,
    /// The pods by their nodes, those first that count.
    pub(super) pods: BTreeMap<String, Pods>,
    /// The hash of the newest revision.
    pub(super) hash: &'a str,
    pub(super) now: Timestamp,
}

impl<'a> Scene<'a> {
    /// Sorts pods to their nodes. Pods that have ended and are going count no more.
    pub(super) fn new(
        set: &'a Item<DaemonSet>,
        nodes: &[Arc<Item<Node>>],
        pods: &[Arc<Item<Pod>>],
        hash: &'a str,
        now: Timestamp,
    ) -> Scene<'a> {
        let mut by_node: BTreeMap<String, Pods> = BTreeMap::new();
        for pod in pods.iter().filter(|pod| !(pod.view.is_finished() && pod.object.meta.is_deleting())) {
            if let Some(node) = placement::node_of(pod) {
                by_node.entry(node).or_default().push(pod.clone());
            }
        }
        for pods in by_node.values_mut() {
            pods.sort_by_cached_key(|pod| {
                let meta = &pod.object.meta;
                // Timestamps are of whole seconds; of two pods of one second the outdated is older.
                let is_updated = placement::is_updated(&set.view, pod, hash);
                (pod.view.spec.node_name.is_empty(), meta.creation_timestamp.clone(), is_updated, meta.name.clone())
            });
        }
        let wanted = |node: &Arc<Item<Node>>| (node.object.meta.name.clone(), placement::wanted(&set.view, node));
        Scene { set, nodes: nodes.iter().map(wanted).collect(), pods: by_node, hash, now }
    }

    /// The pods that belong to a node.
    pub(super) fn pods_on(&self, node: &str) -> &[Arc<Item<Pod>>] {
        self.pods.get(node).map_or(&[], |pods| pods)
    }

    pub(super) fn is_available(&self, pod: &Item<Pod>) -> bool {
        pod.view.is_available(self.set.view.min_ready_secs, self.now)
    }

    pub(super) fn is_updated(&self, pod: &Item<Pod>) -> bool {
        placement::is_updated(&self.set.view, pod, self.hash)
    }

    /// How many nodes want a pod.
    pub(super) fn desired(&self) -> usize {
        self.nodes.values().filter(|wanted| **wanted == Wanted::Yes).count()
    }

    /// How many pods may be missing and how many may be in excess during an update; `None` if pods
    /// are updated only when they are deleted.
    pub(super) fn bounds(&self) -> Option<(usize, usize)> {
        let DaemonStrategy::Rolling { max_unavailable, max_surge } = &self.set.view.strategy else { return None };
        let desired = i64::try_from(self.desired()).unwrap_or(i64::MAX);
        let count = |number: i64| usize::try_from(number).unwrap_or(0);
        let surge = count(max_surge.rounded_up(desired));
        let unavailable = count(max_unavailable.rounded_up(desired));
        // With neither there would be no way forward.
        Some((if desired > 0 && unavailable == 0 && surge == 0 { 1 } else { unavailable }, surge))
    }
}
