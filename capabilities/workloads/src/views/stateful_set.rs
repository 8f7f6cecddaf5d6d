//! Stateful sets as controllers read them.

use api::Status;
use client::{Object, View};
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use super::IntOrPercent;
use super::revision::digest_of_template;

/// What controllers read of a stateful set.
#[derive(Debug)]
pub(crate) struct StatefulSet {
    pub(crate) replicas: i64,
    /// The ordinal of the first pod.
    pub(crate) start: i64,
    pub(crate) min_ready_secs: i64,
    pub(crate) is_parallel: bool,
    pub(crate) strategy: UpdateStrategy,
    pub(crate) history_limit: usize,
    pub(crate) retention: Retention,
    pub(crate) selector: LabelSelector,
    /// The names of the templates of claims.
    pub(crate) claims: Box<[Box<str>]>,
    /// What tells the pod template from earlier ones.
    pub(crate) digest: String,
    pub(crate) status: StatefulSetStatus,
}

/// How pods come to a new template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UpdateStrategy {
    OnDelete,
    Rolling {
        /// Pods below stay as they are; `None` if no rolling update is described at all.
        partition: Option<i64>,
        max_unavailable: Option<IntOrPercent>,
    },
}

/// Which claims go with what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// They go with the set.
    pub(crate) deletes_with_set: bool,
    /// They go with a pod that is scaled away.
    pub(crate) deletes_with_pod: bool,
}

/// What was reported last.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StatefulSetStatus {
    pub(crate) current_revision: Box<str>,
    pub(crate) update_revision: Box<str>,
    pub(crate) collision_count: i64,
}

#[derive(Deserialize)]
struct Wire {
    spec: Spec,
    #[serde(default)]
    status: StatefulSetStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default = "one")]
    replicas: i64,
    #[serde(default)]
    ordinals: Ordinals,
    #[serde(default)]
    min_ready_seconds: i64,
    #[serde(default)]
    pod_management_policy: Box<str>,
    #[serde(default)]
    update_strategy: WireStrategy,
    #[serde(default = "ten")]
    revision_history_limit: usize,
    #[serde(default)]
    persistent_volume_claim_retention_policy: WireRetention,
    #[serde(default)]
    selector: Value,
    #[serde(default)]
    template: Value,
    #[serde(default)]
    volume_claim_templates: Box<[Template]>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ordinals {
    start: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStrategy {
    r#type: Box<str>,
    rolling_update: Option<Rolling>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rolling {
    partition: i64,
    max_unavailable: Option<IntOrPercent>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireRetention {
    when_deleted: Box<str>,
    when_scaled: Box<str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: Name,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Name {
    name: Box<str>,
}

fn one() -> i64 {
    1
}

fn ten() -> usize {
    10
}

impl WireStrategy {
    fn read(self) -> UpdateStrategy {
        if &*self.r#type == "OnDelete" {
            return UpdateStrategy::OnDelete;
        }
        match self.rolling_update {
            Some(Rolling { partition, max_unavailable }) => {
                UpdateStrategy::Rolling { partition: Some(partition), max_unavailable }
            }
            None => UpdateStrategy::Rolling { partition: None, max_unavailable: None },
        }
    }
}

impl View for StatefulSet {
    fn read(object: &Object) -> Result<Self, Status> {
        let Wire { spec, status } = object.parse()?;
        let retention = spec.persistent_volume_claim_retention_policy;
        Ok(StatefulSet {
            replicas: spec.replicas,
            start: spec.ordinals.start,
            min_ready_secs: spec.min_ready_seconds,
            is_parallel: &*spec.pod_management_policy == "Parallel",
            strategy: spec.update_strategy.read(),
            history_limit: spec.revision_history_limit,
            retention: Retention {
                deletes_with_set: &*retention.when_deleted == "Delete",
                deletes_with_pod: &*retention.when_scaled == "Delete",
            },
            selector: LabelSelector::from_object(&spec.selector).map_err(Status::internal)?,
            claims: spec.volume_claim_templates.into_iter().map(|template| template.metadata.name).collect(),
            digest: digest_of_template(&spec.template),
            status,
        })
    }
}

impl StatefulSet {
    /// Whether a pod of this ordinal is wanted.
    pub(crate) fn wants(&self, ordinal: i64) -> bool {
        ordinal >= self.start && ordinal - self.start < self.replicas
    }
}
