//! Whether a pod can be on a node: every rule of the default profile in its
//! order, the first refusal counting. What concerns many nodes is counted once.

use std::sync::Arc;

use super::board::Board;
use super::nearness::Nearness;
use super::node::Node;
use super::pod::Pod;
use super::spread::Spread;
use super::storage::{Step, Storage};
use super::verdict::{Plugin, Refusal};
use crate::fit::shortages;

/// Everything that is counted once for a pod.
pub(super) struct Filter<'a> {
    pub(super) board: &'a Board,
    pub(super) pod: &'a Arc<Pod>,
    pub(super) storage: Storage<'a>,
    pub(super) others: Others,
}

/// What a pod's rules about other pods count.
#[derive(Clone, Debug)]
pub(super) struct Others {
    spread: Spread,
    nearness: Nearness,
}

impl Others {
    /// A pod comes to a node, or leaves it, in thought.
    pub(super) fn shift(&mut self, board: &Board, other: &Pod, node: &Node, by: i64) {
        self.spread.shift(other, node, by);
        self.nearness.shift(board, other, node, by);
    }
}

impl<'a> Filter<'a> {
    /// Counts for a pod; `Err` says why no node can have it.
    pub(super) fn new(board: &'a Board, pod: &'a Arc<Pod>) -> Result<Filter<'a>, String> {
        let storage = Storage::of(board, pod)?;
        let others = Others { spread: Spread::count(board, pod), nearness: Nearness::count(board, pod) };
        Ok(Filter { board, pod, storage, others })
    }

    /// Whether the pod can be on a node. Pods of at least its priority for which room is being
    /// made there count as if they had come, and everything must hold without them as well.
    pub(super) fn check(&self, node: &Node) -> Result<Vec<Step>, Refusal> {
        let nominees: Vec<_> =
            self.board.nominees(&node.name, self.pod).filter(|other| other.priority >= self.pod.priority).collect();
        if !nominees.is_empty() {
            let (mut crowded, mut others) = (node.clone(), self.others.clone());
            for nominee in nominees.into_iter().filter(|nominee| !node.pods.contains_key(&nominee.key)) {
                crowded.add(nominee.clone());
                others.shift(self.board, nominee, node, 1);
            }
            self.check_with(&crowded, &others)?;
        }
        self.check_with(node, &self.others)
    }

    /// Whether the pod can be on a node as it is given, other pods being as `others` counts.
    pub(super) fn check_with(&self, node: &Node, others: &Others) -> Result<Vec<Step>, Refusal> {
        if let Some(refusal) = alone(self.pod, node) {
            return Err(refusal);
        }
        let steps = self.storage.steps(self.board, node)?;
        match others.spread.refuse(node).or_else(|| others.nearness.refuse(node, &self.board.namespaces)) {
            Some(refusal) => Err(refusal),
            None => Ok(steps),
        }
    }
}

/// What a node itself and its pods' claims on it have against a pod.
pub(super) fn alone(pod: &Pod, node: &Node) -> Option<Refusal> {
    let (needs, facts) = (&pod.needs, &node.facts);
    if facts.is_cordoned && !needs.tolerates_unschedulable() {
        return Some(Refusal::lasting(Plugin::Unschedulable, "node(s) were unschedulable"));
    }
    if needs.repelled_by(&facts.taints).is_some() {
        return Some(Refusal::lasting(Plugin::Taints, "node(s) had untolerated taint(s)"));
    }
    if !needs.select(&node.name, &facts.labels) {
        return Some(Refusal::lasting(Plugin::Affinity, "node(s) didn't match Pod's node affinity/selector"));
    }
    if node.ports.conflict(&pod.ports) {
        return Some(Refusal::passing(Plugin::Ports, "node(s) didn't have free ports for the requested pod ports"));
    }
    let lacking = shortages(&pod.requested, &facts.allocatable, &node.requested, node.pods.len());
    (!lacking.is_empty()).then(|| Refusal {
        plugin: Plugin::Resources,
        is_lasting: lacking.iter().any(|shortage| shortage.is_lasting),
        reasons: lacking.iter().map(|shortage| shortage.reason().into()).collect(),
    })
}
