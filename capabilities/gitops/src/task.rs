//! The words of a plan: tasks, the waves they stand in, and the order of kinds.
//! Plain data; it must never decide which tasks there are.

use std::sync::Arc;

use api::Gvk;
use serde_json::Value;

use crate::hooks::{Policies, SyncPhase};
use crate::options::SyncOptions;
use crate::resource::{Key, Live};

/// Kinds in the order in which they are applied within a wave; every other kind comes last.
const KIND_ORDER: &[&str] = &[
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Where a kind stands in the order.
pub fn kind_rank(kind: &str) -> usize {
    KIND_ORDER.iter().position(|known| *known == kind).unwrap_or(KIND_ORDER.len())
}

/// What is done to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create it, or make it as wanted.
    Apply,
    /// Delete it.
    Prune,
    /// Say why it is not deleted.
    KeepExtra(&'static str),
}

/// One step of a plan.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which object.
    pub key: Key,
    /// Its version.
    pub gvk: Gvk,
    /// Its part of the sync.
    pub phase: SyncPhase,
    /// When it is deleted, if it is a hook.
    pub hook: Option<Policies>,
    /// What is done.
    pub action: Action,
    /// As it is wanted; `None` for what is deleted.
    pub desired: Option<Arc<Value>>,
    /// As it is; a hook is looked at when it is run.
    pub live: Option<Live>,
    /// What it says of itself.
    pub options: SyncOptions,
    /// Whether it differs from what is wanted.
    pub is_change: bool,
    /// Whether it is on its way out, so that it cannot be made yet.
    pub is_leaving: bool,
}

impl Task {
    /// Whether it runs a hook.
    pub fn is_hook(&self) -> bool {
        self.hook.is_some()
    }
}

/// When a task comes: its phase, and its wave in that.
pub type Step = (SyncPhase, i32);

/// Tasks that belong together: deletions first, then batches in the order of kinds.
#[derive(Clone, Debug, Default)]
pub struct Wave {
    /// Its part of the sync.
    pub phase: SyncPhase,
    /// Its number in that.
    pub number: i32,
    /// Deletions.
    pub prunes: Vec<Task>,
    /// Objects to apply; a batch begins when the one before is done.
    pub batches: Vec<Vec<Task>>,
}

impl Wave {
    /// Every task in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.prunes.iter().chain(self.batches.iter().flatten())
    }

    /// Its hooks in order.
    pub fn hooks(&self) -> impl Iterator<Item = &Task> {
        self.tasks().filter(|task| task.is_hook())
    }

    /// Whether it only makes the namespace that CreateNamespace asks for.
    pub fn is_preparation(&self) -> bool {
        (self.phase, self.number) == PREPARATION
    }
}

/// When the namespace that CreateNamespace asks for is made.
pub const PREPARATION: Step = (SyncPhase::PreSync, i32::MIN);

/// An ordered sync.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Waves in order, phase by phase; none is empty.
    pub waves: Vec<Wave>,
}

impl Plan {
    /// Every task in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.waves.iter().flat_map(Wave::tasks)
    }

    /// Tasks that will change something.
    pub fn changes(&self) -> impl Iterator<Item = &Task> {
        self.tasks().filter(|task| task.is_change && !matches!(task.action, Action::KeepExtra(_)))
    }

    /// Waves that come unless the sync fails.
    pub fn regular(&self) -> impl DoubleEndedIterator<Item = &Wave> {
        self.waves.iter().filter(|wave| wave.phase != SyncPhase::SyncFail)
    }

    /// Waves that come only when the sync failed.
    pub fn on_failure(&self) -> impl Iterator<Item = &Wave> {
        self.waves.iter().filter(|wave| wave.phase == SyncPhase::SyncFail)
    }

    /// Whether one wave waits for another, so that objects must be healthy.
    pub fn has_several_steps(&self) -> bool {
        self.waves.iter().filter(|wave| !wave.is_preparation()).count() > 1
    }
}
