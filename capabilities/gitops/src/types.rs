//! What the engine reads of an Application, as types of its own. Unknown fields
//! are not kept here: status and operation are written by merge patch, and what
//! is copied from the spec is copied from the raw object.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The project of Applications that state none.
pub const DEFAULT_PROJECT: &str = "default";

/// An Application as the engine reads it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Application {
    /// Metadata.
    pub metadata: api::ObjectMeta,
    /// What is wanted.
    pub spec: Spec,
    /// A sync that was asked for or is under way.
    pub operation: Option<Operation>,
    /// What was last reported.
    pub status: Status,
}

/// `spec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Project; empty means `default`.
    pub project: String,
    /// Where to.
    pub destination: Destination,
    /// The source, if there is one.
    pub source: Option<Source>,
    /// The sources; if any, `source` is not looked at.
    pub sources: Vec<Source>,
    /// How to sync.
    pub sync_policy: SyncPolicy,
    /// What not to compare.
    pub ignore_differences: Vec<IgnoreDifference>,
    /// Deployments that are remembered; 10 if not stated.
    pub revision_history_limit: Option<usize>,
}

impl Spec {
    /// The project's name, `default` if none is stated.
    pub fn project(&self) -> &str {
        if self.project.is_empty() { DEFAULT_PROJECT } else { &self.project }
    }

    /// The sources that count.
    pub fn sources(&self) -> &[Source] {
        if self.sources.is_empty() { self.source.as_slice() } else { &self.sources }
    }

    /// Whether `sources` is used.
    pub fn has_multiple_sources(&self) -> bool {
        !self.sources.is_empty()
    }
}

/// `spec.destination`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Destination {
    /// URL of the cluster's API.
    pub server: String,
    /// Name of the cluster.
    pub name: String,
    /// Namespace of objects that state none.
    pub namespace: String,
}

/// One source.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// Repository.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Revision; `HEAD` if empty.
    pub target_revision: String,
    /// Directory in the repository.
    pub path: String,
    /// Chart of a Helm repository.
    pub chart: String,
    /// Name by which other sources refer to this one.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Options of a directory.
    pub directory: Option<Directory>,
    /// Options of Helm.
    pub helm: Option<Value>,
    /// Options of Kustomize.
    pub kustomize: Option<Value>,
    /// Options of a plugin.
    pub plugin: Option<Value>,
}

impl Source {
    /// The revision, `HEAD` if none is stated.
    pub fn revision(&self) -> &str {
        if self.target_revision.is_empty() { "HEAD" } else { &self.target_revision }
    }

    /// Whether only other sources use this one.
    pub fn is_reference_only(&self) -> bool {
        !self.reference.is_empty() && self.path.is_empty() && self.chart.is_empty()
    }
}

/// `directory` of a source.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Directory {
    /// Directories below are read too.
    pub recurse: bool,
    /// Only paths that match.
    pub include: String,
    /// No path that matches.
    pub exclude: String,
}

/// `spec.syncPolicy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicy {
    /// Sync without being asked.
    pub automated: Option<Automated>,
    /// `key=value` options.
    pub sync_options: Vec<String>,
    /// What to do when a sync fails.
    pub retry: Option<Retry>,
    /// Metadata of a namespace that is made.
    pub managed_namespace_metadata: Option<NamespaceMetadata>,
}

/// `spec.syncPolicy.automated`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Automated {
    /// `false` switches it off without losing the settings.
    pub enabled: Option<bool>,
    /// Remove what is no longer wanted.
    pub prune: bool,
    /// Undo changes made to live objects.
    pub self_heal: bool,
    /// A source may come to hold nothing.
    pub allow_empty: bool,
}

/// `spec.syncPolicy.managedNamespaceMetadata`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct NamespaceMetadata {
    /// Labels.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub labels: Map<String, Value>,
    /// Annotations.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

/// How a failed sync is tried again.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct Retry {
    /// Attempts after the first; below zero for no end.
    pub limit: i64,
    /// The time between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Fields the engine does not read.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The time between attempts; Go durations.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Backoff {
    /// Before the first retry, `5s` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub duration: String,
    /// What each retry multiplies it with, 2 if not stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<i64>,
    /// The longest, `3m` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_duration: String,
}

/// One entry of `spec.ignoreDifferences`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoreDifference {
    /// Group, a pattern.
    pub group: String,
    /// Kind, a pattern.
    pub kind: String,
    /// Name; empty for all.
    pub name: String,
    /// Namespace; empty for all.
    pub namespace: String,
    /// JSON pointers of what is not compared.
    pub json_pointers: Vec<String>,
}

/// `operation`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// The sync that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncOperation>,
    /// Who asked.
    #[serde(skip_serializing_if = "InitiatedBy::is_empty")]
    pub initiated_by: InitiatedBy,
    /// Free notes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub info: Vec<Value>,
    /// How a failure is tried again.
    #[serde(skip_serializing_if = "Retry::is_default")]
    pub retry: Retry,
}

impl Retry {
    fn is_default(&self) -> bool {
        *self == Retry::default()
    }
}

/// Who asked for an operation.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct InitiatedBy {
    /// User.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The engine itself.
    #[serde(skip_serializing_if = "is_false")]
    pub automated: bool,
}

impl InitiatedBy {
    fn is_empty(&self) -> bool {
        *self == InitiatedBy::default()
    }
}

/// `operation.sync`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncOperation {
    /// Revision instead of the source's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Revisions instead of the sources'.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// Remove what is no longer wanted.
    #[serde(skip_serializing_if = "is_false")]
    pub prune: bool,
    /// Check, and change nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
    /// Only these; empty for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSelector>,
    /// Options beside the spec's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_options: Vec<String>,
    /// How often live changes were undone in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub self_heal_attempts_count: u32,
    /// Fields the engine only keeps: manifests, source, syncStrategy.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One object of a partial sync.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct ResourceSelector {
    /// Group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace; empty for any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

/// The parts of `status` that the engine reads back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The operation under way, or the last one.
    pub operation_state: Option<OperationState>,
    /// Earlier deployments, oldest first.
    pub history: Vec<Value>,
    /// Objects as last reported.
    pub resources: Vec<ResourceRef>,
    /// Last health.
    pub health: LastHealth,
    /// Conditions.
    pub conditions: Vec<Condition>,
}

/// `status.health` as last reported.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LastHealth {
    /// Status.
    pub status: String,
    /// Since when.
    pub last_transition_time: Option<String>,
}

/// Names of one entry of `status.resources`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResourceRef {
    /// Group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

/// One entry of `status.conditions`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Kind of condition.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence.
    pub message: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<String>,
}

impl Condition {
    /// A condition that begins now.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Condition { kind: kind.to_owned(), message: message.into(), last_transition_time: None }
    }
}

/// How far an operation is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub enum Phase {
    /// Under way.
    #[default]
    Running,
    /// Told to end.
    Terminating,
    /// Done.
    Succeeded,
    /// Some task failed.
    Failed,
    /// It could not even begin.
    Error,
}

impl Phase {
    /// Whether nothing more happens.
    pub fn is_completed(self) -> bool {
        matches!(self, Phase::Succeeded | Phase::Failed | Phase::Error)
    }
}

/// `status.operationState`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationState {
    /// What was asked for.
    pub operation: Operation,
    /// How far it is.
    pub phase: Phase,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_result: Option<SyncResult>,
    /// When it began.
    pub started_at: String,
    /// When it ended, or its last attempt did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Attempts after the first.
    #[serde(skip_serializing_if = "is_zero_i64")]
    pub retry_count: i64,
}

/// `status.operationState.syncResult`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncResult {
    /// Object by object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceResult>,
    /// The revision.
    pub revision: String,
    /// The revisions, with several sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// The source, as in the spec.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub source: Value,
    /// The sources, as in the spec.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub sources: Value,
    /// Metadata given to the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_namespace_metadata: Option<NamespaceMetadata>,
}

/// What a sync did to one object.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceResult {
    /// Group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `Synced`, `SyncFailed`, `Pruned` or `PruneSkipped`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// What was said, for example `configmap/config created`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The hook's phase; empty for what is no hook.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hook_type: String,
    /// How far the object itself is; empty before it is made.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hook_phase: String,
    /// Phase of the sync.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sync_phase: String,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

fn is_zero_i64(value: &i64) -> bool {
    *value == 0
}
