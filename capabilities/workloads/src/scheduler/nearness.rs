//! Inter-pod affinity: where the pods are that a pod must or would be near to
//! or far from, and where the pods are that keep it away themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::board::Board;
use super::node::Node;
use super::pod::Pod;
use super::terms::{Namespaces, Term, Terms};
use super::verdict::{Plugin, Refusal};

const NOT_NEAR: &str = "node(s) didn't match pod affinity rules";
const NOT_APART: &str = "node(s) didn't match pod anti-affinity rules";
const KEPT_AWAY: &str = "node(s) didn't satisfy existing pods anti-affinity rules";

/// Pods by a label of their nodes.
type Domains = HashMap<(Box<str>, Box<str>), i64>;

/// What the required terms of a pod, and of those there are about it, count for one decision.
#[derive(Clone, Debug)]
pub(super) struct Nearness {
    pod: Arc<Pod>,
    near: Domains,
    apart: Domains,
    away: Domains,
}

impl Nearness {
    /// Counts for a pod.
    pub(super) fn count(board: &Board, pod: &Arc<Pod>) -> Nearness {
        let mut counts =
            Nearness { pod: pod.clone(), near: Domains::new(), apart: Domains::new(), away: Domains::new() };
        let has_terms = !pod.terms.near.is_empty() || !pod.terms.apart.is_empty();
        if has_terms {
            for (kin, group) in board.groups.all() {
                counts.own(board, &kin.namespace, &kin.labels, &group.counts);
            }
        }
        for (_, group) in board.groups.with_terms() {
            counts.theirs(board, &group.terms, &group.counts);
        }
        counts
    }

    fn own<'a>(
        &mut self,
        board: &Board,
        namespace: &str,
        labels: &BTreeMap<String, String>,
        counts: impl IntoIterator<Item = (&'a Arc<str>, &'a i64)> + Clone,
    ) {
        let pod = self.pod.clone();
        let terms = &pod.terms;
        if terms.are_near(namespace, labels, &board.namespaces) {
            terms.near.iter().for_each(|term| tally(&mut self.near, board, term, counts.clone()));
        }
        for term in terms.apart.iter().filter(|term| term.means(namespace, labels, &board.namespaces)) {
            tally(&mut self.apart, board, term, counts.clone());
        }
    }

    fn theirs<'a>(
        &mut self,
        board: &Board,
        terms: &Terms,
        counts: impl IntoIterator<Item = (&'a Arc<str>, &'a i64)> + Clone,
    ) {
        let pod = self.pod.clone();
        let (namespace, labels) = (pod.namespace(), pod.labels());
        for term in terms.apart.iter().filter(|term| term.means(namespace, labels, &board.namespaces)) {
            tally(&mut self.away, board, term, counts.clone());
        }
    }

    /// A pod comes to a node, or leaves it, in thought.
    pub(super) fn shift(&mut self, board: &Board, other: &Pod, node: &Node, by: i64) {
        let counts = [(&node.name, &by)];
        self.own(board, other.namespace(), other.labels(), counts);
        self.theirs(board, &other.terms, counts);
    }

    /// Whether the pod must not be on a node for the sake of other pods.
    pub(super) fn refuse(&self, node: &Node, namespaces: &Namespaces) -> Option<Refusal> {
        if !self.is_near(node, namespaces) {
            return Some(Refusal::lasting(Plugin::Nearness, NOT_NEAR));
        }
        let has = |domains: &Domains, term: &Term| held(domains, &term.topology_key, node) > 0;
        if self.pod.terms.apart.iter().any(|term| has(&self.apart, term)) {
            return Some(Refusal::passing(Plugin::Nearness, NOT_APART));
        }
        let is_kept_away = self.away.iter().any(|((key, value), count)| *count > 0 && node.label(key) == Some(value));
        is_kept_away.then(|| Refusal::passing(Plugin::Nearness, KEPT_AWAY))
    }

    /// The first pod of many that want to be near each other must be let in although nobody is
    /// there yet.
    fn is_near(&self, node: &Node, namespaces: &Namespaces) -> bool {
        let terms = &self.pod.terms.near;
        if terms.iter().any(|term| node.label(&term.topology_key).is_none()) {
            return false;
        }
        if terms.iter().all(|term| held(&self.near, &term.topology_key, node) > 0) {
            return true;
        }
        let is_nobody_there = self.near.values().all(|count| *count == 0);
        is_nobody_there && self.pod.terms.are_near(self.pod.namespace(), self.pod.labels(), namespaces)
    }
}

/// How well each of the nodes suits the preferences of the pod, and of those there are, up to 100.
pub(super) fn scores(board: &Board, pod: &Pod, nodes: &[&Node]) -> Vec<i64> {
    let mut weights = Domains::new();
    if !pod.terms.preferred.is_empty() {
        for (kin, group) in board.groups.all() {
            for (weight, term) in &pod.terms.preferred {
                if term.means(&kin.namespace, &kin.labels, &board.namespaces) {
                    weigh(&mut weights, board, term, &group.counts, *weight);
                }
            }
        }
    }
    for (_, group) in board.groups.with_terms() {
        let preferred = group.terms.preferred.iter().map(|(weight, term)| (*weight, term));
        // A pod that is where it must be near to others would like those others to come, too.
        for (weight, term) in preferred.chain(group.terms.near.iter().map(|term| (1, term))) {
            if term.means(pod.namespace(), pod.labels(), &board.namespaces) {
                weigh(&mut weights, board, term, &group.counts, weight);
            }
        }
    }
    if weights.is_empty() {
        return vec![0; nodes.len()];
    }
    let sum = |node: &&Node| -> i64 {
        weights.iter().filter(|((key, value), _)| node.label(key) == Some(value)).map(|(_, weight)| weight).sum()
    };
    let raw: Vec<i64> = nodes.iter().map(sum).collect();
    let least = raw.iter().copied().min().unwrap_or(0);
    let most = raw.iter().copied().max().unwrap_or(0);
    let normal = |score: i64| if most == least { 0 } else { 100 * (score - least) / (most - least) };
    raw.into_iter().map(normal).collect()
}

fn held(domains: &Domains, key: &str, node: &Node) -> i64 {
    let Some(value) = node.label(key) else { return 0 };
    domains.get(&(key.into(), value.into())).copied().unwrap_or(0)
}

fn tally<'a>(
    domains: &mut Domains,
    board: &Board,
    term: &Term,
    counts: impl IntoIterator<Item = (&'a Arc<str>, &'a i64)>,
) {
    weigh(domains, board, term, counts, 1);
}

fn weigh<'a>(
    domains: &mut Domains,
    board: &Board,
    term: &Term,
    counts: impl IntoIterator<Item = (&'a Arc<str>, &'a i64)>,
    weight: i64,
) {
    for (node, count) in counts {
        let value = board.node(node).and_then(|node| node.label(&term.topology_key));
        if let Some(value) = value {
            *domains.entry((term.topology_key.clone(), value.into())).or_default() += weight * count;
        }
    }
}
