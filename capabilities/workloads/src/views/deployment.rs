//! Deployments as controllers read them, and their status as it is written.

use api::Status;
use client::{Object, View};
use machinery::selector::LabelSelector;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::int_or_percent::IntOrPercent;
use crate::template;

/// Kubernetes' way to say that there is no deadline, or no limit.
const NEVER: i64 = i32::MAX as i64;

/// What controllers read of a deployment.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) replicas: i64,
    pub(crate) min_ready_secs: i64,
    /// How many old replica sets are kept; `None` for all.
    pub(crate) history_limit: Option<i64>,
    /// How long a rollout may go on without progress; `None` for ever.
    pub(crate) deadline_secs: Option<i64>,
    pub(crate) is_paused: bool,
    pub(crate) strategy: Strategy,
    pub(crate) selector: LabelSelector,
    /// Tells its template from others.
    pub(crate) fingerprint: String,
    pub(crate) status: DeploymentStatus,
}

/// How new pods take the place of old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// All old ones go before any new one comes.
    Recreate,
    /// Bit by bit.
    Rolling { max_surge: IntOrPercent, max_unavailable: IntOrPercent },
}

/// The status of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DeploymentStatus {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) observed_generation: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) updated_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) ready_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) available_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) unavailable_replicas: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) terminating_replicas: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) collision_count: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditions: Vec<DeploymentCondition>,
}

/// A condition of a deployment: of the older kind, which also says when it was last written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DeploymentCondition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_update_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_transition_time: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
}

impl Deployment {
    /// Pods there may be beyond those wanted, while they are replaced.
    pub(crate) fn max_surge(&self) -> i64 {
        match self.strategy {
            Strategy::Recreate => 0,
            Strategy::Rolling { max_surge, .. } => max_surge.rounded_up(self.replicas),
        }
    }

    /// Pods that may be missing while they are replaced. If neither more nor fewer were allowed,
    /// nothing could ever be replaced: then one may be missing.
    pub(crate) fn max_unavailable(&self) -> i64 {
        match self.strategy {
            Strategy::Rolling { max_surge, max_unavailable } if self.replicas > 0 => {
                let surge = max_surge.rounded_up(self.replicas);
                let missing = max_unavailable.rounded_down(self.replicas);
                if surge == 0 && missing == 0 { 1 } else { missing.min(self.replicas) }
            }
            _ => 0,
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    spec: Spec,
    #[serde(default)]
    status: DeploymentStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    replicas: Option<i64>,
    #[serde(default)]
    min_ready_seconds: i64,
    revision_history_limit: Option<i64>,
    progress_deadline_seconds: Option<i64>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    strategy: WireStrategy,
    #[serde(default)]
    selector: Value,
    #[serde(default)]
    template: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStrategy {
    #[serde(rename = "type")]
    kind: String,
    rolling_update: RollingUpdate,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RollingUpdate {
    max_surge: Option<IntOrPercent>,
    max_unavailable: Option<IntOrPercent>,
}

impl WireStrategy {
    fn read(&self) -> Strategy {
        const DEFAULT: IntOrPercent = IntOrPercent::Percent(25);
        if self.kind == "Recreate" {
            return Strategy::Recreate;
        }
        Strategy::Rolling {
            max_surge: self.rolling_update.max_surge.unwrap_or(DEFAULT),
            max_unavailable: self.rolling_update.max_unavailable.unwrap_or(DEFAULT),
        }
    }
}

impl View for Deployment {
    fn read(object: &Object) -> Result<Self, Status> {
        let Wire { spec, status } = object.parse()?;
        Ok(Deployment {
            replicas: spec.replicas.unwrap_or(1),
            min_ready_secs: spec.min_ready_seconds,
            history_limit: spec.revision_history_limit.filter(|limit| *limit != NEVER),
            deadline_secs: spec.progress_deadline_seconds.filter(|secs| *secs != NEVER),
            is_paused: spec.paused,
            strategy: spec.strategy.read(),
            selector: LabelSelector::from_object(&spec.selector).map_err(Status::internal)?,
            fingerprint: template::fingerprint(&spec.template),
            status,
        })
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}
