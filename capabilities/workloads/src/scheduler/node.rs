//! A node with the pods that are on it or about to be, and the sums of what
//! they take, kept up as pods come and go.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Status;
use client::{Object, ObjectKey};
use serde::Deserialize;

use super::pod::Pod;
use crate::fit::{Amounts, HostPorts, Taint};

/// What the node object says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) taints: Box<[Taint]>,
    pub(super) is_cordoned: bool,
    pub(super) allocatable: Amounts,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    spec: Spec,
    status: NodeStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
    taints: Box<[Taint]>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    allocatable: Amounts,
}

impl Facts {
    /// Reads a node.
    pub(super) fn read(object: &Object) -> Result<Facts, Status> {
        let Wire { spec, status } = object.parse()?;
        Ok(Facts {
            labels: object.meta.labels.clone(),
            taints: spec.taints,
            is_cordoned: spec.unschedulable,
            allocatable: status.allocatable,
        })
    }
}

/// A node and its pods.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    pub(super) facts: Arc<Facts>,
    pub(super) pods: BTreeMap<ObjectKey, Arc<Pod>>,
    pub(super) requested: Amounts,
    pub(super) scored: Amounts,
    pub(super) ports: HostPorts,
}

impl Node {
    /// A node without pods.
    pub(super) fn new(name: Arc<str>, facts: Arc<Facts>) -> Node {
        let (requested, scored) = (Amounts::default(), Amounts::default());
        Node { name, facts, pods: BTreeMap::new(), requested, scored, ports: HostPorts::default() }
    }

    /// The value of one of its labels.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.facts.labels.get(key).map(String::as_str)
    }

    /// A pod comes.
    pub(super) fn add(&mut self, pod: Arc<Pod>) {
        self.requested.add(&pod.requested);
        self.scored.add(&pod.scored);
        self.ports.add(&pod.ports);
        let before = self.pods.insert(pod.key.clone(), pod);
        debug_assert!(before.is_none(), "a pod comes once");
    }

    /// A pod goes.
    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<Arc<Pod>> {
        let pod = self.pods.remove(key)?;
        self.requested.subtract(&pod.requested);
        self.scored.subtract(&pod.scored);
        // Pods that were bound by hand may share a port: it is free when the last of them goes.
        if !pod.ports.is_empty() {
            self.ports.remove(&pod.ports);
            self.pods.values().for_each(|pod| self.ports.add(&pod.ports));
        }
        Some(pod)
    }
}
