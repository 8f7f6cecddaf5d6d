//! Where a pod goes: the best of the nodes that can have it, or why none can.
//! Pure: the board and the pod determine everything but the choice among
//! equals, which is made by a number that is handed in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::board::Board;
use super::filter::Filter;
use super::node::Node;
use super::pod::Pod;
use super::score;
use super::storage::Step;
use super::verdict::{Plugin, Refusal, Unfit};
use crate::fit::NodeSelector;

/// Nodes that are always looked at, if there are so many.
const ALWAYS: usize = 100;

/// What is said of nodes that a pod's affinity does not name where it names some.
const NOT_NAMED: &str = "node(s) didn't satisfy plugin(s) [NodeAffinity]";

/// Where a pod goes.
#[derive(Debug)]
pub(super) struct Placement {
    pub(super) node: Arc<str>,
    /// What must be done about its volumes first.
    pub(super) steps: Vec<Step>,
    pub(super) has_unbound: bool,
    /// Nodes that were looked at, from where the search began.
    pub(super) visited: usize,
}

/// Finds a node. `chance` chooses among the best.
pub(super) fn place(board: &Board, pod: &Arc<Pod>, chance: u64) -> Result<Placement, Unfit> {
    let nodes = board.len();
    let filter = match Filter::new(board, pod) {
        Ok(filter) => filter,
        Err(why) => {
            let plugins = [Plugin::Volumes].into();
            return Err(Unfit { nodes, at_once: Some(why), plugins, ..Unfit::default() });
        }
    };
    if let Some(placement) = nominated(board, pod, &filter) {
        return Ok(placement);
    }
    let (mut fitting, mut refusals, mut visited) = (Vec::new(), Vec::new(), 0);
    let named = pod.needs.affinity.node_affinity.required.as_ref().and_then(NodeSelector::names);
    for node in board.nodes_from(board.next_start) {
        visited += 1;
        if named.as_ref().is_some_and(|named| !named.contains(&*node.name)) {
            refusals.push((node.name.clone(), Refusal::lasting(Plugin::Affinity, NOT_NAMED)));
            continue;
        }
        match filter.check(node) {
            Ok(steps) => fitting.push((node, steps)),
            Err(refusal) => refusals.push((node.name.clone(), refusal)),
        }
        if fitting.len() >= enough(nodes) {
            break;
        }
    }
    let has_unbound = !filter.storage.is_bound();
    match best(board, pod, &fitting, chance) {
        None => Err(unfit(nodes, refusals)),
        Some(index) => {
            let (node, steps) = fitting.swap_remove(index);
            Ok(Placement { node: node.name.clone(), steps, has_unbound, visited })
        }
    }
}

/// The node on which room was made for the pod, if it is enough by now.
fn nominated(board: &Board, pod: &Pod, filter: &Filter<'_>) -> Option<Placement> {
    let node = board.node(&pod.nominated_node)?;
    let steps = filter.check(node).ok()?;
    Some(Placement { node: node.name.clone(), steps, has_unbound: !filter.storage.is_bound(), visited: 1 })
}

fn unfit(nodes: usize, refusals: Vec<(Arc<str>, Refusal)>) -> Unfit {
    let plugins: BTreeSet<Plugin> = refusals.iter().map(|(_, refusal)| refusal.plugin).collect();
    let plugins = if nodes == 0 { [Plugin::NoNode].into() } else { plugins };
    Unfit { nodes, at_once: None, refusals: refusals.into_iter().collect(), plugins }
}

/// The index of the best node.
fn best(board: &Board, pod: &Arc<Pod>, fitting: &[(&Node, Vec<Step>)], chance: u64) -> Option<usize> {
    if fitting.len() < 2 {
        return (!fitting.is_empty()).then_some(0);
    }
    let nodes: Vec<&Node> = fitting.iter().map(|(node, _)| *node).collect();
    let scores = score::all(board, pod, &nodes);
    let most = scores.iter().copied().max()?;
    let best: Vec<usize> = (0..scores.len()).filter(|index| scores[*index] == most).collect();
    let index = usize::try_from(chance % u64::try_from(best.len()).ok()?).ok()?;
    best.get(index).copied()
}

/// How many fitting nodes are enough to choose from: all of a hundred, and the smaller a part of
/// more the more there are.
fn enough(nodes: usize) -> usize {
    if nodes < ALWAYS {
        return nodes;
    }
    let percent = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percent / 100).max(ALWAYS)
}
