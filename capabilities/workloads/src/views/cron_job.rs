//! Cron jobs as controllers read them, and their status as it is written.

use api::Status;
use client::{Object, View};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What controllers read of a cron job.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CronJob {
    pub(crate) spec: CronJobSpec,
    pub(crate) status: CronJobStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CronJobSpec {
    pub(crate) schedule: Box<str>,
    pub(crate) time_zone: Option<Box<str>>,
    pub(crate) starting_deadline_seconds: Option<i64>,
    pub(crate) concurrency_policy: ConcurrencyPolicy,
    pub(crate) suspend: bool,
    pub(crate) successful_jobs_history_limit: Option<usize>,
    pub(crate) failed_jobs_history_limit: Option<usize>,
}

/// What happens when a job is due while another runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum ConcurrencyPolicy {
    /// Both run.
    #[default]
    Allow,
    /// The new one does not.
    Forbid,
    /// The old one is deleted.
    Replace,
}

/// The status of a cron job, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CronJobStatus {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) active: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_schedule_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_successful_time: Option<Timestamp>,
}

/// A job that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Reference {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) resource_version: String,
    pub(crate) uid: String,
}

impl View for CronJob {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }
}

impl Reference {
    /// A reference to a job.
    pub(crate) fn of(job: &Object) -> Reference {
        Reference {
            api_version: "batch/v1".to_owned(),
            kind: "Job".to_owned(),
            name: job.meta.name.clone(),
            namespace: job.meta.namespace.clone(),
            resource_version: job.meta.resource_version.clone(),
            uid: job.meta.uid.clone(),
        }
    }
}
