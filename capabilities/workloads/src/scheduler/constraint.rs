//! Topology spread constraints as pods state them. They are counted elsewhere.

use std::collections::BTreeMap;

use api::Status;
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use super::terms::with_keys;

/// One constraint.
#[derive(Debug)]
pub(super) struct Constraint {
    pub(super) max_skew: i64,
    pub(super) topology_key: Box<str>,
    /// Whether it is a condition and not only a wish.
    pub(super) is_required: bool,
    pub(super) selector: LabelSelector,
    /// With fewer domains than this the least crowded one counts as empty.
    pub(super) min_domains: i64,
    /// Whether nodes that the pod's node affinity rules out are left out of account.
    pub(super) honours_affinity: bool,
    /// And those with taints that it does not tolerate.
    pub(super) honours_taints: bool,
    /// Whether the pod counts itself.
    pub(super) selects_itself: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    max_skew: i64,
    topology_key: Box<str>,
    when_unsatisfiable: Box<str>,
    label_selector: Value,
    min_domains: Option<i64>,
    node_affinity_policy: Box<str>,
    node_taints_policy: Box<str>,
    match_label_keys: Vec<String>,
}

/// Reads the constraints of a pod with these labels.
pub(super) fn read(constraints: &[Value], labels: &BTreeMap<String, String>) -> Result<Box<[Constraint]>, Status> {
    constraints.iter().map(|constraint| one(constraint, labels)).collect()
}

fn one(constraint: &Value, labels: &BTreeMap<String, String>) -> Result<Constraint, Status> {
    let wire = Wire::deserialize(constraint).map_err(Status::internal)?;
    let selector = with_keys(&wire.label_selector, labels, &wire.match_label_keys, &[]);
    let selector = LabelSelector::from_object(&selector).map_err(Status::internal)?;
    Ok(Constraint {
        max_skew: wire.max_skew,
        topology_key: wire.topology_key,
        is_required: &*wire.when_unsatisfiable != "ScheduleAnyway",
        min_domains: wire.min_domains.unwrap_or(1),
        honours_affinity: &*wire.node_affinity_policy != "Ignore",
        honours_taints: &*wire.node_taints_policy == "Honor",
        selects_itself: selector.matches_map(labels),
        selector,
    })
}
