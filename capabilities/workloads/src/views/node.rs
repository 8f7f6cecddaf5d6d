//! Nodes as controllers read them.

use api::Status;
use client::{Object, View};
use jiff::Timestamp;
use serde::Deserialize;

use crate::fit::{Effect, Taint};

/// What controllers read of a node.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Node {
    pub(crate) spec: NodeSpec,
    pub(crate) status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeSpec {
    /// Whether it is cordoned.
    pub(crate) unschedulable: bool,
    pub(crate) taints: Box<[HeldTaint]>,
}

/// A taint with the time since when it is there, if that was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct HeldTaint {
    #[serde(flatten)]
    pub(crate) taint: Taint,
    #[serde(rename = "timeAdded")]
    pub(crate) since: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeStatus {
    pub(crate) conditions: Box<[NodeCondition]>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeCondition {
    #[serde(rename = "type")]
    pub(crate) kind: Box<str>,
    pub(crate) status: Box<str>,
}

impl View for Node {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }
}

impl Node {
    /// The status of its `Ready` condition, if it has one.
    pub(crate) fn ready(&self) -> Option<&str> {
        self.status.conditions.iter().find(|held| &*held.kind == "Ready").map(|held| &*held.status)
    }

    /// The taints that pods must go from that do not tolerate them.
    pub(crate) fn evicting(&self) -> impl Iterator<Item = &HeldTaint> {
        self.spec.taints.iter().filter(|held| held.taint.effect == Effect::NoExecute)
    }
}
