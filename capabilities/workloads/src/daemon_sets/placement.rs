//! On which nodes a daemon set's pods belong, what ties a pod to its node, and
//! what it puts up with there. Pure.

use api::Gvk;
use client::Item;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fit::{Effect, Needs, Toleration, untolerated};
use crate::revisions::REVISION_LABEL;
use crate::template;
use crate::views::{DaemonSet, Node, Pod};

/// The label of pods that numbers their template.
const GENERATION_LABEL: &str = "pod-template-generation";
const NAME_FIELD: &str = "metadata.name";

/// What every daemon pod puts up with: the keys of taints and their effects.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// What those on the node's own network put up with beside.
const TOLERATED_ON_HOST_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// The kind of the owner.
pub(super) fn gvk() -> Gvk {
    Gvk::new("apps", "v1", "DaemonSet")
}

/// Whether a daemon pod is wanted on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    /// One that is there may stay, but none is made.
    OnlyIfThere,
    No,
}

pub(super) fn wanted(set: &DaemonSet, node: &Item<Node>) -> Wanted {
    let needs = &set.needs;
    let meta = &node.object.meta;
    let is_elsewhere = !needs.node_name.is_empty() && *needs.node_name != *meta.name;
    if is_elsewhere || !needs.select(&meta.name, &meta.labels) {
        return Wanted::No;
    }
    let mut tolerations = needs.tolerations.to_vec();
    tolerations.extend(daemon_tolerations(needs.host_network).map(|(key, effect)| Toleration {
        key: key.into(),
        operator: "Exists".into(),
        effect: if effect == "NoExecute" { Effect::NoExecute } else { Effect::NoSchedule },
        ..Toleration::default()
    }));
    let taints = || node.view.spec.taints.iter().map(|held| &held.taint);
    if untolerated(taints(), &tolerations, &[Effect::NoExecute]).is_some() {
        return Wanted::No;
    }
    match untolerated(taints(), &tolerations, &[Effect::NoSchedule]) {
        Some(_) => Wanted::OnlyIfThere,
        None => Wanted::Yes,
    }
}

fn daemon_tolerations(host_network: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    TOLERATED.into_iter().chain(host_network.then_some(TOLERATED_ON_HOST_NETWORK))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Placed {
    spec: Needs,
}

/// The node that a daemon pod is on, or is to be bound to.
pub(super) fn node_of(pod: &Item<Pod>) -> Option<String> {
    if !pod.view.spec.node_name.is_empty() {
        return Some(pod.view.spec.node_name.to_string());
    }
    let placed: Placed = pod.object.parse().ok()?;
    placed.spec.affinity.node_affinity.required?.named_node().map(str::to_owned)
}

/// The pod for a node: the scheduler binds it there, and nowhere else.
pub(super) fn pod(set: &Item<DaemonSet>, template: &Value, hash: &str, node: &str) -> Value {
    let mut pod = template::pod(template, &gvk(), &set.object.meta);
    pod["metadata"]["labels"][REVISION_LABEL] = json!(hash);
    if let Some(generation) = &set.view.template_generation {
        pod["metadata"]["labels"][GENERATION_LABEL] = json!(generation);
    }
    let field = json!({ "key": NAME_FIELD, "operator": "In", "values": [node] });
    // Of the template's own terms the node has been chosen; only its preferences stay.
    pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
        json!({ "nodeSelectorTerms": [{ "matchFields": [field] }] });
    for (key, effect) in daemon_tolerations(set.view.needs.host_network) {
        tolerate(&mut pod["spec"]["tolerations"], key, effect);
    }
    pod
}

/// Adds a toleration, in place of one of the same that ends.
fn tolerate(tolerations: &mut Value, key: &str, effect: &str) {
    let toleration = json!({ "key": key, "operator": "Exists", "effect": effect });
    if tolerations.is_null() {
        *tolerations = json!([]);
    }
    let Some(held) = tolerations.as_array_mut() else { return };
    let is_same = |held: &&mut Value| {
        ["key", "operator", "effect"].iter().all(|field| held[*field] == toleration[*field])
            && held["value"].as_str().unwrap_or_default().is_empty()
    };
    match held.iter_mut().find(is_same) {
        Some(held) => *held = toleration,
        None => held.push(toleration),
    }
}

/// Whether a pod is of the template as it is now: by its hash or, as older controllers told, by
/// the template's number.
pub(super) fn is_updated(set: &DaemonSet, pod: &Item<Pod>, hash: &str) -> bool {
    let label = |key: &str| pod.object.meta.labels.get(key).map(String::as_str);
    let of_generation = set.template_generation.as_deref();
    label(REVISION_LABEL) == Some(hash) || (of_generation.is_some() && label(GENERATION_LABEL) == of_generation)
}

/// The hash that a pod's label holds.
pub(super) fn hash_of(pod: &Item<Pod>) -> &str {
    pod.object.meta.labels.get(REVISION_LABEL).map_or("", String::as_str)
}
