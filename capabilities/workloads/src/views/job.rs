//! Jobs as controllers read them, and their status as it is written.

use api::{ObjectMeta, Status};
use client::{Object, View};
use jiff::Timestamp;
use machinery::selector::LabelSelector;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ownership;

/// Held by every pod of a job until the job has counted how it ended.
pub(crate) const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// Who looks after a job that names nobody.
const CONTROLLER: &str = "kubernetes.io/job-controller";

/// What controllers read of a job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) spec: JobSpec,
    pub(crate) selector: LabelSelector,
    pub(crate) status: JobStatus,
}

/// How the completions of a job are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum CompletionMode {
    /// They are not.
    #[default]
    NonIndexed,
    /// By a number that each pod is given.
    Indexed,
}

/// When a pod is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum PodReplacementPolicy {
    /// As soon as it is asked to end.
    #[default]
    TerminatingOrFailed,
    /// Once it has ended.
    Failed,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobSpec {
    pub(crate) parallelism: usize,
    pub(crate) completions: Option<usize>,
    pub(crate) completion_mode: CompletionMode,
    pub(crate) suspend: bool,
    pub(crate) backoff_limit: i64,
    pub(crate) backoff_limit_per_index: Option<i64>,
    pub(crate) max_failed_indexes: Option<usize>,
    pub(crate) active_deadline_seconds: Option<i64>,
    pub(crate) ttl_seconds_after_finished: Option<i64>,
    pub(crate) pod_failure_policy: Option<PodFailurePolicy>,
    pub(crate) pod_replacement_policy: Option<PodReplacementPolicy>,
    pub(crate) success_policy: Option<SuccessPolicy>,
    pub(crate) managed_by: Option<Box<str>>,
    pub(crate) template: Template,
    selector: Value,
}

impl Default for JobSpec {
    fn default() -> Self {
        JobSpec {
            parallelism: 1,
            completions: None,
            completion_mode: CompletionMode::NonIndexed,
            suspend: false,
            backoff_limit: 6,
            backoff_limit_per_index: None,
            max_failed_indexes: None,
            active_deadline_seconds: None,
            ttl_seconds_after_finished: None,
            pod_failure_policy: None,
            pod_replacement_policy: None,
            success_policy: None,
            managed_by: None,
            template: Template::default(),
            selector: Value::Null,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Template {
    pub(crate) spec: TemplateSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TemplateSpec {
    pub(crate) restart_policy: Box<str>,
}

/// What the failure of a pod means to the job.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PodFailurePolicy {
    pub(crate) rules: Vec<FailureRule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureRule {
    pub(crate) action: FailureAction,
    pub(crate) on_exit_codes: Option<OnExitCodes>,
    #[serde(default)]
    pub(crate) on_pod_conditions: Vec<OnPodCondition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum FailureAction {
    FailJob,
    FailIndex,
    Ignore,
    Count,
    /// What this version does not know means nothing.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnExitCodes {
    pub(crate) container_name: Option<Box<str>>,
    pub(crate) operator: ExitCodeOperator,
    #[serde(default)]
    pub(crate) values: Vec<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum ExitCodeOperator {
    In,
    NotIn,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OnPodCondition {
    #[serde(rename = "type", default)]
    pub(crate) kind: Box<str>,
    #[serde(default = "holds")]
    pub(crate) status: Box<str>,
}

fn holds() -> Box<str> {
    "True".into()
}

/// When an indexed job has done enough.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SuccessPolicy {
    pub(crate) rules: Vec<SuccessRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SuccessRule {
    pub(crate) succeeded_indexes: Option<Box<str>>,
    pub(crate) succeeded_count: Option<usize>,
}

/// The status of a job, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobStatus {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditions: Vec<JobCondition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) active: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) succeeded: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) failed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) terminating: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ready: Option<usize>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) completed_indexes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed_indexes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uncounted_terminated_pods: Option<Uncounted>,
}

/// Pods that have ended and are about to lose the finalizer that says they are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Uncounted {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) succeeded: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<String>,
}

/// One condition of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobCondition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) last_probe_time: Option<Timestamp>,
    pub(crate) last_transition_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    spec: JobSpec,
    #[serde(default)]
    status: JobStatus,
}

impl View for Job {
    fn read(object: &Object) -> Result<Self, Status> {
        let wire: Wire = object.parse()?;
        let selector = LabelSelector::from_object(&wire.spec.selector).map_err(Status::internal)?;
        Ok(Job { spec: wire.spec, selector, status: wire.status })
    }

    fn words(&self, object: &Object) -> Vec<String> {
        vec![ownership(object)]
    }
}

impl JobStatus {
    /// A condition that holds.
    pub(crate) fn holds(&self, kind: &str) -> Option<&JobCondition> {
        self.conditions.iter().find(|held| held.kind == kind && held.status == "True")
    }

    /// The condition by which the job is over: `Complete` or `Failed`.
    pub(crate) fn end(&self) -> Option<&JobCondition> {
        self.holds("Complete").or_else(|| self.holds("Failed"))
    }
}

impl Job {
    /// Whether its completions have numbers.
    pub(crate) fn is_indexed(&self) -> bool {
        self.spec.completion_mode == CompletionMode::Indexed
    }

    /// Whether pods that are still ending are not replaced yet.
    pub(crate) fn replaces_only_failed(&self) -> bool {
        self.spec.pod_replacement_policy == Some(PodReplacementPolicy::Failed) || self.spec.pod_failure_policy.is_some()
    }

    /// Whether another controller looks after it.
    pub(crate) fn is_foreign(&self) -> bool {
        self.spec.managed_by.as_deref().is_some_and(|name| name != CONTROLLER)
    }
}

/// Whether a pod waits to be counted by its job.
pub(crate) fn is_tracked(pod: &ObjectMeta) -> bool {
    pod.finalizers.iter().any(|held| held == TRACKING)
}
