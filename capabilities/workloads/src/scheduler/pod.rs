//! A pod as the scheduler weighs it: read once from the object whenever it
//! changes, so that no decision parses anything. It never says where a pod is
//! better placed.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Status;
use client::{Object, ObjectKey};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::claims::{self, ClaimUse};
use super::constraint::{self, Constraint};
use super::terms::Terms;
use crate::fit::{Amounts, HostPorts, Needs};

/// The scheduler that pods name which are ours.
pub(super) const SCHEDULER_NAME: &str = "default-scheduler";

/// A pod and what it asks for.
#[derive(Debug)]
pub(super) struct Pod {
    pub(super) object: Object,
    pub(super) key: ObjectKey,
    pub(super) needs: Needs,
    /// What it takes of a node.
    pub(super) requested: Amounts,
    /// What it takes of a node where nodes are compared.
    pub(super) scored: Amounts,
    pub(super) ports: HostPorts,
    pub(super) priority: i64,
    pub(super) never_preempts: bool,
    pub(super) is_gated: bool,
    pub(super) is_ours: bool,
    pub(super) is_finished: bool,
    pub(super) started: Option<Timestamp>,
    /// Where room is being made for it.
    pub(super) nominated_node: Box<str>,
    /// Its `PodScheduled` condition.
    pub(super) scheduled: Option<Condition>,
    /// Whether this scheduler asked it to go.
    pub(super) is_preempted: bool,
    pub(super) spread: Box<[Constraint]>,
    pub(super) terms: Arc<Terms>,
    pub(super) claims: Box<[ClaimUse]>,
}

/// A condition of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: Box<str>,
    pub(super) status: Box<str>,
    pub(super) reason: Box<str>,
    pub(super) message: Box<str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NeedsWire {
    spec: Needs,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    spec: Spec,
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    scheduler_name: Box<str>,
    priority: i64,
    preemption_policy: Box<str>,
    scheduling_gates: Vec<Value>,
    affinity: Value,
    topology_spread_constraints: Vec<Value>,
    volumes: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    phase: Box<str>,
    nominated_node_name: Box<str>,
    start_time: Option<Timestamp>,
    conditions: Vec<Condition>,
}

impl Pod {
    /// Reads a pod.
    pub(super) fn read(object: &Object) -> Result<Pod, Status> {
        let needs = object.parse::<NeedsWire>()?.spec;
        let Wire { spec, status } = object.parse()?;
        let meta = &object.meta;
        let condition = |kind: &str| status.conditions.iter().find(|condition| &*condition.kind == kind);
        let is_preempted = condition("DisruptionTarget")
            .is_some_and(|held| &*held.status == "True" && &*held.reason == "PreemptionByScheduler");
        Ok(Pod {
            requested: Amounts::requested(&needs),
            scored: Amounts::scored(&needs),
            ports: HostPorts::of(&needs),
            priority: spec.priority,
            never_preempts: &*spec.preemption_policy == "Never",
            is_gated: !spec.scheduling_gates.is_empty(),
            is_ours: &*spec.scheduler_name == SCHEDULER_NAME,
            is_finished: matches!(&*status.phase, "Succeeded" | "Failed"),
            started: status.start_time,
            scheduled: condition("PodScheduled").cloned(),
            is_preempted,
            nominated_node: status.nominated_node_name,
            spread: constraint::read(&spec.topology_spread_constraints, &meta.labels)?,
            terms: Arc::new(Terms::read(&spec.affinity, &meta.namespace, &meta.labels)?),
            claims: claims::used(&spec.volumes, &meta.name),
            key: ObjectKey::of(object),
            object: object.clone(),
            needs,
        })
    }

    /// Its uid, which tells it from another of its name.
    pub(super) fn uid(&self) -> &str {
        &self.object.meta.uid
    }

    /// Its namespace.
    pub(super) fn namespace(&self) -> &str {
        &self.object.meta.namespace
    }

    /// Its labels.
    pub(super) fn labels(&self) -> &BTreeMap<String, String> {
        &self.object.meta.labels
    }

    /// Whether it was asked to end.
    pub(super) fn is_deleting(&self) -> bool {
        self.object.meta.is_deleting()
    }

    /// The node it is bound to.
    pub(super) fn node(&self) -> Option<&str> {
        Some(&*self.needs.node_name).filter(|name| !name.is_empty())
    }

    /// Whether `other`, an earlier state of the same pod, asked for the same.
    pub(super) fn asks_as(&self, other: &Pod) -> bool {
        let (now, before) = (&self.object.meta, &other.object.meta);
        now.generation == before.generation && now.labels == before.labels && self.is_gated == other.is_gated
    }
}
