//! Why a pod cannot go to a node, and why it can go to none: in kinds that say
//! which change may help, and in kube-scheduler's words.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which rule refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plugin {
    /// There was no node at all.
    NoNode,
    Unschedulable,
    Taints,
    Affinity,
    Ports,
    Resources,
    Volumes,
    Spread,
    Nearness,
}

/// Why a pod cannot go to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) plugin: Plugin,
    pub(super) reasons: Vec<Cow<'static, str>>,
    /// Whether no pod's going from the node can change it.
    pub(super) is_lasting: bool,
}

impl Refusal {
    /// One that no pod's going can change.
    pub(super) fn lasting(plugin: Plugin, reason: &'static str) -> Refusal {
        Refusal { plugin, reasons: vec![reason.into()], is_lasting: true }
    }

    /// One that the going of pods may change.
    pub(super) fn passing(plugin: Plugin, reason: &'static str) -> Refusal {
        Refusal { plugin, reasons: vec![reason.into()], is_lasting: false }
    }
}

/// Why a pod can go to no node.
#[derive(Debug, Default)]
pub(super) struct Unfit {
    pub(super) nodes: usize,
    /// What refused it before any node was looked at.
    pub(super) at_once: Option<String>,
    pub(super) refusals: BTreeMap<Arc<str>, Refusal>,
    /// The rules that refused; changes that concern none of them cannot help.
    pub(super) plugins: BTreeSet<Plugin>,
}

impl Unfit {
    /// The sentence for the pod's owner.
    pub(super) fn message(&self, preemption: Option<&str>) -> String {
        if self.nodes == 0 && self.at_once.is_none() {
            return "no nodes available to schedule pods".to_owned();
        }
        let why = self.at_once.clone().unwrap_or_else(|| {
            histogram(self.refusals.values().flat_map(|refusal| refusal.reasons.iter().map(|reason| &**reason)))
        });
        let mut text = format!("0/{} nodes are available: {why}.", self.nodes);
        if let Some(preemption) = preemption {
            text.push_str(" preemption: ");
            text.push_str(preemption);
        }
        text
    }
}

/// Each reason with how often it was given, in the order of that text.
pub(super) fn histogram<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut lines: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort();
    lines.join(", ")
}
