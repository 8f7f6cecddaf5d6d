//! Daemon sets as controllers read them.

use api::Status;
use client::{Object, View};
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use super::IntOrPercent;
use super::revision::digest_of_template;
use crate::fit::Needs;

/// The annotation that numbers the templates that a daemon set has had.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// What controllers read of a daemon set.
#[derive(Debug)]
pub(crate) struct DaemonSet {
    pub(crate) min_ready_secs: i64,
    pub(crate) strategy: DaemonStrategy,
    pub(crate) history_limit: usize,
    pub(crate) selector: LabelSelector,
    /// What its pods, as the template has them, need of a node.
    pub(crate) needs: Needs,
    /// What tells the pod template from earlier ones.
    pub(crate) digest: String,
    /// The number of the template, as text.
    pub(crate) template_generation: Option<String>,
    /// How often a hash was taken by another template so far.
    pub(crate) collision_count: i64,
}

/// How pods come to a new template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DaemonStrategy {
    OnDelete,
    Rolling { max_unavailable: IntOrPercent, max_surge: IntOrPercent },
}

#[derive(Deserialize)]
struct Wire {
    spec: Spec,
    #[serde(default)]
    status: WireStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    min_ready_seconds: i64,
    #[serde(default)]
    update_strategy: WireStrategy,
    #[serde(default = "ten")]
    revision_history_limit: usize,
    #[serde(default)]
    selector: Value,
    #[serde(default)]
    template: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStrategy {
    r#type: Box<str>,
    rolling_update: Rolling,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rolling {
    max_unavailable: Option<IntOrPercent>,
    max_surge: Option<IntOrPercent>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStatus {
    collision_count: i64,
}

fn ten() -> usize {
    10
}

impl WireStrategy {
    fn read(self) -> DaemonStrategy {
        if &*self.r#type == "OnDelete" {
            return DaemonStrategy::OnDelete;
        }
        DaemonStrategy::Rolling {
            max_unavailable: self.rolling_update.max_unavailable.unwrap_or(IntOrPercent::Int(1)),
            max_surge: self.rolling_update.max_surge.unwrap_or(IntOrPercent::Int(0)),
        }
    }
}

impl View for DaemonSet {
    fn read(object: &Object) -> Result<Self, Status> {
        let Wire { spec, status } = object.parse()?;
        Ok(DaemonSet {
            min_ready_secs: spec.min_ready_seconds,
            strategy: spec.update_strategy.read(),
            history_limit: spec.revision_history_limit,
            selector: LabelSelector::from_object(&spec.selector).map_err(Status::internal)?,
            needs: Needs::deserialize(&spec.template["spec"]).map_err(Status::internal)?,
            digest: digest_of_template(&spec.template),
            template_generation: object.meta.annotations.get(TEMPLATE_GENERATION).cloned(),
            collision_count: status.collision_count,
        })
    }

    fn words(&self, _object: &Object) -> Vec<String> {
        vec![DaemonSet::any().to_owned()]
    }
}

impl DaemonSet {
    /// The word of all daemon sets: a change of a node concerns each.
    pub(crate) fn any() -> &'static str {
        "any"
    }
}
