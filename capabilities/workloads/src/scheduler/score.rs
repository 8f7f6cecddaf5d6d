//! Which of the nodes that can have a pod is best: the default scores with
//! their default weights. Where images are is not known and counts nothing.

use std::sync::Arc;

use super::board::Board;
use super::node::Node;
use super::pod::Pod;
use super::{nearness, spread};
use crate::fit::{Effect, is_tolerated};

const TAINTS: i64 = 3;
const AFFINITY: i64 = 2;
const SPREAD: i64 = 2;
const NEARNESS: i64 = 2;

/// The score of each node.
pub(super) fn all(board: &Board, pod: &Arc<Pod>, nodes: &[&Node]) -> Vec<i64> {
    let intolerable = lowered(&nodes.iter().map(|node| taints(pod, node)).collect::<Vec<_>>());
    let preferred = raised(&nodes.iter().map(|node| affinity(pod, node)).collect::<Vec<_>>());
    let spread = spread::scores(board, pod, nodes);
    let near = nearness::scores(board, pod, nodes);
    let sum = |(index, node): (usize, &&Node)| {
        TAINTS * intolerable[index]
            + AFFINITY * preferred[index]
            + SPREAD * spread[index]
            + NEARNESS * near[index]
            + least_allocated(pod, node)
            + balanced(pod, node)
    };
    nodes.iter().enumerate().map(sum).collect()
}

/// Taints that say "rather not" and that the pod does not tolerate.
fn taints(pod: &Pod, node: &Node) -> i64 {
    let avoided = node.facts.taints.iter().filter(|taint| taint.effect == Effect::PreferNoSchedule);
    let count = avoided.filter(|taint| !is_tolerated(taint, &pod.needs.tolerations)).count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn affinity(pod: &Pod, node: &Node) -> i64 {
    let preferred = pod.needs.affinity.node_affinity.preferred.iter();
    let matching = preferred.filter(|term| term.preference.matches(&node.name, &node.facts.labels));
    matching.map(|term| term.weight).sum()
}

/// How much would be left, on average over processor and memory.
fn least_allocated(pod: &Pod, node: &Node) -> i64 {
    let left = |allowed: i64, taken: i64| (allowed > 0).then(|| 100 * (allowed - taken).max(0) / allowed);
    let (allowed, taken, more) = (&node.facts.allocatable, &node.scored, &pod.scored);
    let cpu = left(allowed.cpu_millis, taken.cpu_millis.saturating_add(more.cpu_millis));
    let memory = left(allowed.memory, taken.memory.saturating_add(more.memory));
    match (cpu, memory) {
        (Some(cpu), Some(memory)) => (cpu + memory) / 2,
        (one, other) => one.or(other).unwrap_or(0),
    }
}

/// How evenly processor and memory would be used.
fn balanced(pod: &Pod, node: &Node) -> i64 {
    let part = |allowed: i64, taken: i64| (allowed > 0).then(|| (taken as f64 / allowed as f64).min(1.0));
    let (allowed, taken, more) = (&node.facts.allocatable, &node.requested, &pod.requested);
    let cpu = part(allowed.cpu_millis, taken.cpu_millis.saturating_add(more.cpu_millis));
    let memory = part(allowed.memory, taken.memory.saturating_add(more.memory));
    match (cpu, memory) {
        (Some(cpu), Some(memory)) => ((1.0 - (cpu - memory).abs() / 2.0) * 100.0) as i64,
        _ => 100,
    }
}

/// The largest becomes 100, the others in proportion.
fn raised(raw: &[i64]) -> Vec<i64> {
    let most = raw.iter().copied().max().unwrap_or(0);
    raw.iter().map(|score| if most == 0 { 0 } else { 100 * score / most }).collect()
}

/// The largest becomes 0, none at all 100.
fn lowered(raw: &[i64]) -> Vec<i64> {
    raised(raw).into_iter().map(|score| 100 - score).collect()
}
