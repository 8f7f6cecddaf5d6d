//! Whom to ask to go so that a more important pod can come: as few and as
//! unimportant pods as will do, and of those, where budgets of disruptions are
//! hurt least. Pure; it asks nobody.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::board::{Board, Budget};
use super::filter::{Filter, Others};
use super::node::Node;
use super::pod::Pod;
use super::verdict::{Unfit, histogram};

/// Nodes that are tried at least, if there are so many.
const LEAST_TRIED: usize = 100;

/// Where room is to be made, and at whose expense.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) node: Arc<str>,
    pub(super) victims: Vec<Arc<Pod>>,
}

/// Why there is no room to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRoom {
    pub(super) why: String,
    /// Whether room that is being made already stays the pod's.
    pub(super) keeps_nomination: bool,
}

impl NoRoom {
    fn not_eligible(why: &str) -> NoRoom {
        NoRoom { why: format!("not eligible due to {why}"), keeps_nomination: true }
    }
}

/// One way to make room.
struct Candidate {
    node: Arc<str>,
    /// The most important first.
    victims: Vec<Arc<Pod>>,
    violations: usize,
}

/// Finds room for a pod that fits nowhere; `Err` says why there is none.
pub(super) fn find(board: &Board, pod: &Arc<Pod>, unfit: &Unfit) -> Result<Choice, NoRoom> {
    if pod.never_preempts {
        return Err(NoRoom::not_eligible("preemptionPolicy=Never."));
    }
    if is_waiting(board, pod, unfit) {
        return Err(NoRoom::not_eligible("a terminating pod on the nominated node."));
    }
    let helpful = |node: &&Node| unfit.refusals.get(&node.name).is_some_and(|refusal| !refusal.is_lasting);
    let limit = (board.len() / 10).max(LEAST_TRIED);
    let mut reasons: Vec<String> = Vec::new();
    let mut candidates = Vec::new();
    if let Ok(filter) = Filter::new(board, pod) {
        for node in board.nodes_from(board.next_start).filter(helpful) {
            match candidate(&filter, node) {
                Ok(found) => candidates.push(found),
                Err(reason) => reasons.push(reason),
            }
            if candidates.len() >= limit {
                break;
            }
        }
    }
    match candidates.into_iter().min_by_key(rank) {
        Some(Candidate { node, victims, .. }) => Ok(Choice { node, victims }),
        None => {
            let hopeless = board.nodes().filter(|node| !helpful(node)).count();
            reasons.extend(std::iter::repeat_n("Preemption is not helpful for scheduling".to_owned(), hopeless));
            let why = histogram(reasons.iter().map(String::as_str));
            let why = format!("0/{} nodes are available: {why}.", board.len());
            Err(NoRoom { why, keeps_nomination: false })
        }
    }
}

/// Whether pods are on their way out already to make room for this one.
fn is_waiting(board: &Board, pod: &Pod, unfit: &Unfit) -> bool {
    let Some(node) = board.node(&pod.nominated_node) else { return false };
    let is_lost = unfit.refusals.get(&node.name).is_some_and(|refusal| refusal.is_lasting);
    let is_leaving = |other: &Arc<Pod>| other.priority < pod.priority && other.is_deleting() && other.is_preempted;
    !is_lost && node.pods.values().any(is_leaving)
}

/// Takes away everybody of lower priority, and lets back in whoever is not in the way: those
/// protected by budgets first, and the more important before the others.
fn candidate(filter: &Filter<'_>, node: &Node) -> Result<Candidate, String> {
    let (board, pod) = (filter.board, filter.pod);
    let (mut left, mut others) = (node.clone(), filter.others.clone());
    let mut lower: Vec<Arc<Pod>> = node.pods.values().filter(|other| other.priority < pod.priority).cloned().collect();
    if lower.is_empty() {
        return Err("No preemption victims found for incoming pod".to_owned());
    }
    for other in &lower {
        left.remove(&other.key);
        others.shift(board, other, node, -1);
    }
    for nominee in board.nominees(&node.name, pod).filter(|nominee| nominee.priority >= pod.priority) {
        if !left.pods.contains_key(&nominee.key) {
            left.add(nominee.clone());
            others.shift(board, nominee, node, 1);
        }
    }
    if let Err(refusal) = filter.check_with(&left, &others) {
        return Err(refusal.reasons.join(", "));
    }
    lower.sort_by_key(|other| importance(other));
    let (violating, other) = by_budget(&lower, &board.budgets);
    let mut victims = Vec::new();
    let mut violations = 0;
    for (pods, violates) in [(violating, true), (other, false)] {
        for other in pods {
            if !reprieve(filter, &mut left, &mut others, &other) {
                violations += usize::from(violates);
                victims.push(other);
            }
        }
    }
    victims.sort_by_key(|victim| importance(victim));
    match victims.is_empty() {
        true => Err("No preemption victims found for incoming pod".to_owned()),
        false => Ok(Candidate { node: node.name.clone(), victims, violations }),
    }
}

/// Lets a pod back in if the other one can still come.
fn reprieve(filter: &Filter<'_>, left: &mut Node, others: &mut Others, pod: &Arc<Pod>) -> bool {
    left.add(pod.clone());
    others.shift(filter.board, pod, left, 1);
    let is_let = filter.check_with(left, others).is_ok();
    if !is_let {
        left.remove(&pod.key);
        others.shift(filter.board, pod, left, -1);
    }
    is_let
}

/// The most important first: by priority, then by how long they run.
fn importance(pod: &Pod) -> (Reverse<i64>, Timestamp) {
    (Reverse(pod.priority), started(pod))
}

fn started(pod: &Pod) -> Timestamp {
    pod.started.unwrap_or(Timestamp::MAX)
}

/// Pods whose going would violate a budget, and the others.
fn by_budget(pods: &[Arc<Pod>], budgets: &BTreeMap<(Box<str>, Box<str>), Budget>) -> (Vec<Arc<Pod>>, Vec<Arc<Pod>>) {
    let mut left: Vec<(&Budget, i64)> = budgets.values().map(|budget| (budget, budget.allowed)).collect();
    let violates = |pod: &&Arc<Pod>| {
        let meta = &pod.object.meta;
        let mut violates = false;
        for (budget, left) in &mut left {
            let is_meant = *budget.namespace == *meta.namespace
                && !meta.labels.is_empty()
                && !budget.selector.is_everything()
                && budget.selector.matches_map(&meta.labels)
                && !budget.disrupted.contains(meta.name.as_str());
            if is_meant {
                *left -= 1;
                violates |= *left < 0;
            }
        }
        violates
    };
    let (violating, other): (Vec<_>, Vec<_>) = pods.iter().partition(violates);
    (violating.into_iter().cloned().collect(), other.into_iter().cloned().collect())
}

/// Orders ways to make room, the best first: fewest violations, least important victims, least
/// importance in sum, fewest victims, the most important of which began last.
fn rank(candidate: &Candidate) -> impl Ord + use<> {
    let most = candidate.victims.first().map_or(i64::MIN, |victim| victim.priority);
    // Priorities may be negative: shifted, so that more victims always weigh more.
    let sum: i128 = candidate.victims.iter().map(|victim| i128::from(victim.priority) + (1 << 31)).sum();
    let of_most = candidate.victims.iter().filter(|victim| victim.priority == most);
    let earliest = of_most.map(|victim| started(victim)).min();
    (candidate.violations, most, sum, candidate.victims.len(), Reverse(earliest))
}
