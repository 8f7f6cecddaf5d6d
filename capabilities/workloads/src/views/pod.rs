//! Pods as controllers read them.

use api::Status;
use client::{Object, View};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ownership;
use crate::fit::Toleration;

/// Where a pod is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Phase {
    #[default]
    Pending,
    Unknown,
    Running,
    Succeeded,
    Failed,
}

/// What controllers read of a pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pod {
    pub(crate) spec: Spec,
    pub(crate) status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    /// Empty until the pod is bound.
    pub(crate) node_name: Box<str>,
    pub(crate) volumes: Box<[PodVolume]>,
    pub(crate) init_containers: Box<[Container]>,
    /// What taints of its node it puts up with, and for how long.
    pub(crate) tolerations: Box<[Toleration]>,
}

/// A container as it is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Container {
    pub(crate) name: Box<str>,
    /// `Always` for a container of the initial ones that goes on beside the main ones.
    pub(crate) restart_policy: Option<Box<str>>,
}

/// A volume of a pod, as far as it is a claim's.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodVolume {
    name: Box<str>,
    persistent_volume_claim: Option<ClaimSource>,
    /// There if the pod brings a claim of its own.
    ephemeral: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimSource {
    claim_name: Box<str>,
}

impl PodVolume {
    /// The name of the claim, for a pod of this name; `None` if it is of another kind.
    pub(crate) fn claim_name(&self, pod: &str) -> Option<String> {
        match &self.persistent_volume_claim {
            Some(source) => Some(source.claim_name.to_string()),
            None => self.is_ephemeral().then(|| format!("{pod}-{}", self.name)),
        }
    }

    /// Whether the claim is made for the pod and goes with it.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.ephemeral.is_some()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodStatus {
    pub(crate) phase: Phase,
    /// A word for why it is as it is.
    pub(crate) reason: Box<str>,
    pub(crate) conditions: Box<[PodCondition]>,
    pub(crate) container_statuses: Box<[ContainerStatus]>,
    pub(crate) init_container_statuses: Box<[ContainerStatus]>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodCondition {
    #[serde(rename = "type")]
    pub(crate) kind: Box<str>,
    pub(crate) status: Box<str>,
    pub(crate) reason: Box<str>,
    pub(crate) last_transition_time: Option<jiff::Timestamp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ContainerStatus {
    pub(crate) name: Box<str>,
    pub(crate) restart_count: u32,
    pub(crate) state: ContainerState,
}

/// How a container is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ContainerState {
    pub(crate) terminated: Option<Terminated>,
}

/// How a container ended.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Terminated {
    pub(crate) exit_code: i64,
    pub(crate) finished_at: Option<jiff::Timestamp>,
}

impl ContainerStatus {
    /// When it ended, if it has.
    pub(crate) fn ended_at(&self) -> Option<jiff::Timestamp> {
        self.state.terminated.as_ref()?.finished_at
    }
}

impl View for Pod {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }

    fn words(&self, object: &Object) -> Vec<String> {
        let mut words = vec![ownership(object)];
        if !self.spec.node_name.is_empty() {
            words.push(Pod::on_node(&self.spec.node_name));
        }
        if self.is_finished() {
            words.push(Pod::ENDED.to_owned());
        }
        let claims = self.spec.volumes.iter().filter_map(|volume| volume.claim_name(&object.meta.name));
        words.extend(claims.map(|claim| Pod::using_claim(&object.meta.namespace, &claim)));
        words
    }
}

impl Pod {
    /// The word of the pods that have ended.
    pub(crate) const ENDED: &str = "ended";

    /// The word of the pods that are bound to a node.
    pub(crate) fn on_node(name: &str) -> String {
        format!("node={name}")
    }

    /// The word of the pods that use a claim, or will.
    pub(crate) fn using_claim(namespace: &str, claim: &str) -> String {
        format!("claim={namespace}/{claim}")
    }

    /// A condition by its type.
    pub(crate) fn condition(&self, kind: &str) -> Option<&PodCondition> {
        self.status.conditions.iter().find(|condition| &*condition.kind == kind)
    }

    /// Whether it serves.
    pub(crate) fn is_ready(&self) -> bool {
        self.condition("Ready").is_some_and(|condition| &*condition.status == "True")
    }

    /// Since when it serves.
    pub(crate) fn ready_since(&self) -> Option<jiff::Timestamp> {
        self.condition("Ready").filter(|condition| &*condition.status == "True")?.last_transition_time
    }

    /// Whether it has served for so long.
    pub(crate) fn is_available(&self, min_ready_secs: i64, now: jiff::Timestamp) -> bool {
        self.available_in(min_ready_secs, now).is_some_and(|secs| secs <= 0)
    }

    /// Seconds until it will have served for so long; `None` if it does not serve.
    pub(crate) fn available_in(&self, min_ready_secs: i64, now: jiff::Timestamp) -> Option<i64> {
        if min_ready_secs == 0 {
            return self.is_ready().then_some(0);
        }
        Some(self.ready_since()?.as_second() + min_ready_secs - now.as_second())
    }

    /// Whether it has ended badly.
    pub(crate) fn has_failed(&self) -> bool {
        self.status.phase == Phase::Failed
    }

    /// Whether it has ended, well or not.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.status.phase, Phase::Succeeded | Phase::Failed)
    }

    /// How often its containers were restarted, all together.
    pub(crate) fn all_restarts(&self) -> u32 {
        let statuses = self.status.container_statuses.iter().chain(&self.status.init_container_statuses);
        statuses.map(|status| status.restart_count).sum()
    }

    /// How often its containers were restarted: in all, and of the container most often.
    pub(crate) fn restarts(&self) -> u32 {
        self.status.container_statuses.iter().map(|status| status.restart_count).max().unwrap_or(0)
    }
}
