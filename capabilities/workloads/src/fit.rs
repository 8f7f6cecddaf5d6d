//! Whether a pod may be on a node, as kube-scheduler and the daemon set
//! controller ask it: selectors and affinity, taints, host ports, resources.
//! Pure, and of one pod and one node only; it never reads a cache.

mod affinity;
mod ports;
mod resources;
mod taints;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(crate) use affinity::{NodeAffinity, NodeSelector};
pub(crate) use ports::HostPorts;
pub(crate) use resources::{Amounts, Container, Resources, shortages};
pub(crate) use taints::{Effect, NODE_UNSCHEDULABLE, Taint, Toleration, is_tolerated, untolerated};

/// What the spec of a pod says of where it may be. Reads the `spec` of a pod or of a template.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Needs {
    pub(crate) node_name: Box<str>,
    pub(crate) node_selector: BTreeMap<Box<str>, Box<str>>,
    pub(crate) affinity: Affinity,
    pub(crate) tolerations: Box<[Toleration]>,
    pub(crate) host_network: bool,
    pub(crate) containers: Box<[Container]>,
    pub(crate) init_containers: Box<[Container]>,
    /// Of the whole pod, beside those of its containers.
    pub(crate) resources: Resources,
    /// What the pod's sandbox takes on top.
    pub(crate) overhead: Amounts,
}

/// The affinity of a pod, as far as it is about nodes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Affinity {
    pub(crate) node_affinity: NodeAffinity,
}

impl Needs {
    /// Whether the node's name and labels satisfy the node selector and the required affinity.
    pub(crate) fn select(&self, node: &str, labels: &BTreeMap<String, String>) -> bool {
        self.node_selector.iter().all(|(key, value)| labels.get(&**key).is_some_and(|held| **held == **value))
            && self.affinity.node_affinity.required.as_ref().is_none_or(|required| required.matches(node, labels))
    }

    /// Whether the pod may go to a node that is cordoned.
    pub(crate) fn tolerates_unschedulable(&self) -> bool {
        let taint = Taint { key: NODE_UNSCHEDULABLE.into(), value: "".into(), effect: Effect::NoSchedule };
        is_tolerated(&taint, &self.tolerations)
    }

    /// The first taint of a node that keeps the pod from being scheduled there.
    pub(crate) fn repelled_by<'a>(&self, taints: &'a [Taint]) -> Option<&'a Taint> {
        untolerated(taints, &self.tolerations, &[Effect::NoSchedule, Effect::NoExecute])
    }
}
