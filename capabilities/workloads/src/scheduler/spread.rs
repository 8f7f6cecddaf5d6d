//! Pod topology spread: how many pods of a kind each domain holds, whether one
//! more would unbalance them, and where it would balance them best.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::board::Board;
use super::constraint::Constraint;
use super::groups::Counts;
use super::node::Node;
use super::pod::Pod;
use super::verdict::{Plugin, Refusal};

const MISMATCH: &str = "node(s) didn't match pod topology spread constraints";
const NO_LABEL: &str = "node(s) didn't match pod topology spread constraints (missing required label)";
const HOSTNAME: &str = "kubernetes.io/hostname";

/// What a pod's required constraints count, for one decision.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    pod: Arc<Pod>,
    /// Of each required constraint, the pods in each domain.
    domains: Vec<BTreeMap<Box<str>, i64>>,
}

impl Spread {
    /// Counts for a pod.
    pub(super) fn count(board: &Board, pod: &Arc<Pod>) -> Spread {
        let mut domains = Vec::new();
        for constraint in required(pod) {
            let counts = matching(board, pod, constraint);
            let mut of = BTreeMap::<Box<str>, i64>::new();
            for node in board.nodes().filter(|node| has_all_keys(node, required(pod))) {
                if let Some(value) = node.label(&constraint.topology_key).filter(|_| counts_at(constraint, pod, node)) {
                    *of.entry(value.into()).or_default() += counts.get(&node.name).copied().unwrap_or(0);
                }
            }
            domains.push(of);
        }
        Spread { pod: pod.clone(), domains }
    }

    /// A pod comes to a node, or leaves it, in thought.
    pub(super) fn shift(&mut self, other: &Pod, node: &Node, by: i64) {
        if other.namespace() != self.pod.namespace() || other.is_deleting() {
            return;
        }
        for (constraint, of) in required(&self.pod).zip(&mut self.domains) {
            let is_counted = constraint.selector.matches_map(other.labels())
                && has_all_keys(node, required(&self.pod))
                && counts_at(constraint, &self.pod, node);
            let value = node.label(&constraint.topology_key).filter(|_| is_counted);
            if let Some(count) = value.and_then(|value| of.get_mut(value)) {
                *count += by;
            }
        }
    }

    /// Whether the pod would unbalance what it constrains.
    pub(super) fn refuse(&self, node: &Node) -> Option<Refusal> {
        for (constraint, of) in required(&self.pod).zip(&self.domains) {
            let Some(value) = node.label(&constraint.topology_key) else {
                return Some(Refusal::lasting(Plugin::Spread, NO_LABEL));
            };
            let is_short = i64::try_from(of.len()).unwrap_or(i64::MAX) < constraint.min_domains;
            let least = if is_short { 0 } else { of.values().copied().min().unwrap_or(0) };
            let held = of.get(value).copied().unwrap_or(0);
            if held + i64::from(constraint.selects_itself) - least > constraint.max_skew {
                return Some(Refusal::passing(Plugin::Spread, MISMATCH));
            }
        }
        None
    }
}

/// How well each of the nodes balances what the pod would like balanced, up to 100.
pub(super) fn scores(board: &Board, pod: &Arc<Pod>, nodes: &[&Node]) -> Vec<i64> {
    let wishes: Vec<&Constraint> = pod.spread.iter().filter(|constraint| !constraint.is_required).collect();
    if wishes.is_empty() {
        return vec![0; nodes.len()];
    }
    let has_keys = |node: &Node| has_all_keys(node, wishes.iter().copied());
    let mut raw: Vec<Option<f64>> = nodes.iter().map(|node| has_keys(node).then_some(0.0)).collect();
    for constraint in &wishes {
        let crowd = crowds(board, pod, constraint, &wishes);
        let mut values: Vec<&str> = nodes
            .iter()
            .filter(|node| has_keys(node))
            .filter_map(|node| node.label(&constraint.topology_key))
            .collect();
        values.sort_unstable();
        values.dedup();
        let weight = (values.len() as f64 + 2.0).ln();
        for (node, score) in nodes.iter().zip(&mut raw) {
            let value = node.label(&constraint.topology_key);
            if let (Some(score), Some(value)) = (score, value) {
                let held = crowd.get(value).copied().unwrap_or(0);
                *score += held as f64 * weight + (constraint.max_skew - 1) as f64;
            }
        }
    }
    normalised(&raw)
}

/// Of a wished constraint, the pods in each domain.
fn crowds(board: &Board, pod: &Pod, constraint: &Constraint, wishes: &[&Constraint]) -> HashMap<Box<str>, i64> {
    let counts = matching(board, pod, constraint);
    let mut crowds = HashMap::new();
    for (name, count) in &counts {
        let Some(node) = board.node(name) else { continue };
        // Every node is a domain of its own by this label, whatever else it lacks.
        let is_counted = &*constraint.topology_key == HOSTNAME
            || (has_all_keys(node, wishes.iter().copied()) && counts_at(constraint, pod, node));
        if let Some(value) = node.label(&constraint.topology_key).filter(|_| is_counted) {
            *crowds.entry(value.into()).or_default() += count;
        }
    }
    crowds
}

/// The emptiest domain gets 100; nodes without the labels get nothing.
fn normalised(raw: &[Option<f64>]) -> Vec<i64> {
    let rounded: Vec<Option<i64>> = raw.iter().map(|score| score.map(|score| score.round() as i64)).collect();
    let least = rounded.iter().flatten().copied().min().unwrap_or(0);
    let most = rounded.iter().flatten().copied().max().unwrap_or(0);
    let normal = |score: Option<i64>| match score {
        None => 0,
        Some(_) if most == 0 => 100,
        Some(score) => 100 * (most + least - score) / most,
    };
    rounded.into_iter().map(normal).collect()
}

fn required(pod: &Pod) -> impl Iterator<Item = &Constraint> {
    pod.spread.iter().filter(|constraint| constraint.is_required)
}

fn has_all_keys<'a>(node: &Node, mut constraints: impl Iterator<Item = &'a Constraint>) -> bool {
    constraints.all(|constraint| node.label(&constraint.topology_key).is_some())
}

/// Whether a node counts for a constraint.
fn counts_at(constraint: &Constraint, pod: &Pod, node: &Node) -> bool {
    (!constraint.honours_affinity || pod.needs.select(&node.name, &node.facts.labels))
        && (!constraint.honours_taints || pod.needs.repelled_by(&node.facts.taints).is_none())
}

/// The pods on each node that a constraint selects. Those that are about to go do not count.
fn matching(board: &Board, pod: &Pod, constraint: &Constraint) -> Counts {
    let mut all = Counts::default();
    let groups = board.groups.of_namespace(pod.namespace());
    for (_, group) in groups.filter(|(kin, _)| !kin.is_deleting && constraint.selector.matches_map(&kin.labels)) {
        for (node, count) in &group.counts {
            *all.entry(node.clone()).or_default() += count;
        }
    }
    all
}
