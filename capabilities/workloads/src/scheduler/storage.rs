//! Whether the volumes a pod claims can be had on a node, and what must be
//! written so that those not bound yet are bound for that node.

use std::collections::HashSet;

use super::board::Board;
use super::claims::{Claim, Volume};
use super::node::Node;
use super::pod::Pod;
use super::verdict::{Plugin, Refusal};

const OUT_OF_REACH: &str = "node(s) didn't match PersistentVolume's node affinity";
const NONE_TO_BIND: &str = "node(s) didn't find available persistent volumes to bind";
const NO_VOLUME: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const UNBOUND: &str = "pod has unbound immediate PersistentVolumeClaims";

/// What is to be written for a claim before its pod can be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The volume is there: it is to be the claim's.
    Give { claim: Box<str>, volume: Box<str> },
    /// A volume is to be made for the node.
    Provision { claim: Box<str> },
}

impl Step {
    /// The name of the claim.
    pub(super) fn claim(&self) -> &str {
        match self {
            Step::Give { claim, .. } | Step::Provision { claim } => claim,
        }
    }
}

/// The claims of a pod, sorted by what is to be done about them.
#[derive(Debug, Default)]
pub(super) struct Storage<'a> {
    bound: Vec<&'a Claim>,
    waiting: Vec<&'a Claim>,
}

impl<'a> Storage<'a> {
    /// Looks at the claims of a pod; `Err` says why no node can have it.
    pub(super) fn of(board: &'a Board, pod: &Pod) -> Result<Storage<'a>, String> {
        let mut storage = Storage::default();
        let mut is_unbound = false;
        for used in &pod.claims {
            let key = (pod.namespace().into(), used.name.clone());
            let name = &used.name;
            let claim = match board.claims.get(&key) {
                Some(claim) => claim,
                None if used.is_ephemeral => {
                    let what = "waiting for ephemeral volume controller to create the persistentvolumeclaim";
                    return Err(format!("{what} \"{name}\""));
                }
                None => return Err(format!("persistentvolumeclaim \"{name}\" not found")),
            };
            if claim.is_lost {
                let volume = &claim.volume;
                return Err(format!(
                    "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
                ));
            }
            if claim.object.meta.is_deleting() {
                return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
            }
            if used.is_ephemeral && !claim.object.meta.owner_references.iter().any(|owner| owner.uid == pod.uid()) {
                let (namespace, pod) = (pod.namespace(), &pod.object.meta.name);
                let what = format!("PVC {namespace}/{name} was not created for pod {namespace}/{pod}");
                return Err(format!("{what} (pod is not owner)"));
            }
            if claim.is_bound {
                storage.bound.push(claim);
            } else if claim.volume.is_empty() && board.classes.get(&claim.class).is_some_and(|class| class.waits) {
                storage.waiting.push(claim);
            } else {
                is_unbound = true;
            }
        }
        if is_unbound { Err(UNBOUND.to_owned()) } else { Ok(storage) }
    }

    /// Whether all claims are bound.
    pub(super) fn is_bound(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What is to be written so that the pod can be on this node, or why it cannot be.
    pub(super) fn steps(&self, board: &Board, node: &Node) -> Result<Vec<Step>, Refusal> {
        for claim in &self.bound {
            match board.volumes.get(&claim.volume) {
                None => return Err(Refusal::lasting(Plugin::Volumes, NO_VOLUME)),
                Some(volume) if !volume.is_reached_from(&node.name, &node.facts.labels) => {
                    return Err(Refusal::lasting(Plugin::Volumes, OUT_OF_REACH));
                }
                Some(_) => {}
            }
        }
        let (mut steps, mut taken) = (Vec::new(), HashSet::new());
        for claim in &self.waiting {
            let name: Box<str> = claim.object.meta.name.as_str().into();
            let is_promised = claim.selected_node().is_some();
            let found = if is_promised { None } else { smallest(board, claim, node, &taken) };
            if let Some(volume) = found {
                let volume: Box<str> = volume.object.meta.name.as_str().into();
                taken.insert(volume.clone());
                steps.push(Step::Give { claim: name, volume });
            } else if can_provision(board, claim, node) {
                steps.push(Step::Provision { claim: name });
            } else {
                return Err(Refusal::lasting(Plugin::Volumes, NONE_TO_BIND));
            }
        }
        Ok(steps)
    }
}

fn can_provision(board: &Board, claim: &Claim, node: &Node) -> bool {
    let is_elsewhere = claim.selected_node().is_some_and(|selected| *selected != *node.name);
    let class = board.classes.get(&claim.class);
    !is_elsewhere && class.is_some_and(|class| class.provisions && class.serves(&node.facts.labels))
}

/// The smallest volume that is free, suits the claim and can be had on the node.
fn smallest<'a>(board: &'a Board, claim: &Claim, node: &Node, taken: &HashSet<Box<str>>) -> Option<&'a Volume> {
    let is_free = |volume: &Volume| {
        let name = &*volume.object.meta.name;
        let given = board.given.get(name);
        !taken.contains(name) && given.is_none_or(|uid| **uid == *claim.object.meta.uid)
    };
    let suiting = board.volumes.values().filter(|volume| is_free(volume) && suits(volume, claim, node));
    suiting.min_by_key(|volume| volume.size)
}

fn suits(volume: &Volume, claim: &Claim, node: &Node) -> bool {
    let meta = &claim.object.meta;
    let is_open = volume.claim.as_ref().is_none_or(|(namespace, name, uid)| {
        **namespace == *meta.namespace && **name == *meta.name && (uid.is_empty() || **uid == *meta.uid)
    });
    is_open
        && volume.is_available
        && volume.class == claim.class
        && volume.size >= claim.size
        && volume.volume_mode == claim.volume_mode
        && claim.access_modes.iter().all(|mode| volume.access_modes.contains(mode))
        && claim.selector.matches_map(&volume.object.meta.labels)
        && volume.is_reached_from(&node.name, &node.facts.labels)
}
