//! Disruption budgets as controllers read them.

use std::collections::BTreeMap;

use api::Status;
use client::{Object, View};
use jiff::Timestamp;
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use super::IntOrPercent;

/// What controllers read of a disruption budget.
#[derive(Debug)]
pub(crate) struct DisruptionBudget {
    /// The pods it guards.
    pub(crate) selector: LabelSelector,
    pub(crate) min_available: Option<IntOrPercent>,
    pub(crate) max_unavailable: Option<IntOrPercent>,
    /// Pods that were let go, and when: they count as gone before they are.
    pub(crate) disrupted: BTreeMap<String, Timestamp>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Reported,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    selector: Value,
    min_available: Option<IntOrPercent>,
    max_unavailable: Option<IntOrPercent>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reported {
    disrupted_pods: Option<BTreeMap<String, Timestamp>>,
}

impl View for DisruptionBudget {
    fn read(object: &Object) -> Result<Self, Status> {
        let wire: Wire = object.parse()?;
        Ok(DisruptionBudget {
            selector: LabelSelector::from_object(&wire.spec.selector).map_err(Status::internal)?,
            min_available: wire.spec.min_available,
            max_unavailable: wire.spec.max_unavailable,
            disrupted: wire.status.disrupted_pods.unwrap_or_default(),
        })
    }
}
