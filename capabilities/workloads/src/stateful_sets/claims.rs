//! The claims of a stateful set's pods: what they are made of, and whom they go
//! with. Pure.

use api::{ObjectMeta, OwnerReference};
use client::Item;
use controller::owner;
use serde_json::{Value, json};

use super::identity::{self, gvk};
use crate::views::{Retention, StatefulSet};

/// The claim made of a template for an ordinal, owned as the set retains it.
pub(super) fn claim(set: &Item<StatefulSet>, template: &Value, ordinal: i64) -> Value {
    let meta = &set.object.meta;
    let template_name = template["metadata"]["name"].as_str().unwrap_or_default();
    let mut claim = template.clone();
    claim["apiVersion"] = json!("v1");
    claim["kind"] = json!("PersistentVolumeClaim");
    claim["metadata"]["name"] = json!(identity::claim_name(template_name, &meta.name, ordinal));
    claim["metadata"]["namespace"] = json!(meta.namespace);
    let owners = wanted_owners(set.view.retention, meta, None);
    if !owners.is_empty() {
        claim["metadata"]["ownerReferences"] = json!(owners);
    }
    if let Some(fields) = claim.as_object_mut() {
        fields.remove("status");
    }
    claim
}

/// Adds the labels by which the set selects: kubectl finds claims by them.
pub(super) fn label(claim: &mut Value, match_labels: &Value) {
    for (key, value) in match_labels.as_object().into_iter().flatten() {
        claim["metadata"]["labels"][key] = value.clone();
    }
}

/// Whether a claim still hangs on an earlier pod of this name and will go with it. `pod` is the
/// uid of the pod that is there, if one is.
pub(super) fn is_stale(claim: &ObjectMeta, pod_name: &str, pod: Option<&str>) -> bool {
    let names_pod = |reference: &&OwnerReference| reference.kind == "Pod" && reference.name == pod_name;
    claim.owner_references.iter().filter(names_pod).any(|reference| Some(reference.uid.as_str()) != pod)
}

/// Who owns a claim. `scaled_away` is its pod, if that is no longer wanted.
fn wanted_owners(retention: Retention, set: &ObjectMeta, scaled_away: Option<&ObjectMeta>) -> Vec<OwnerReference> {
    match scaled_away {
        Some(pod) if retention.deletes_with_pod => {
            vec![owner::reference(&api::Gvk::new("", "v1", "Pod"), pod, true)]
        }
        // A pod that is scaled away first takes its claim only if that is asked for.
        _ if retention.deletes_with_set => vec![owner::reference(&gvk(), set, true)],
        _ => Vec::new(),
    }
}

/// The owners that a claim is to have, if they are not those that it has. A claim that somebody
/// else controls is left to them.
pub(super) fn owners_to_set(
    set: &Item<StatefulSet>,
    claim: &ObjectMeta,
    pod: &ObjectMeta,
) -> Option<Vec<OwnerReference>> {
    let meta = &set.object.meta;
    let is_ours = |reference: &OwnerReference| {
        (reference.kind == "StatefulSet" && reference.name == meta.name)
            || (reference.kind == "Pod" && reference.name == pod.name)
    };
    let ordinal = identity::ordinal(&meta.name, &pod.name)?;
    let is_scaled_away = !set.view.wants(ordinal);
    let mut wanted: Vec<OwnerReference> =
        claim.owner_references.iter().filter(|reference| !is_ours(reference)).cloned().collect();
    let has_controller = wanted.iter().any(|reference| reference.controller == Some(true));
    if !has_controller {
        wanted.extend(wanted_owners(set.view.retention, meta, is_scaled_away.then_some(pod)));
    }
    let same = wanted.len() == claim.owner_references.len()
        && wanted.iter().all(|reference| claim.owner_references.contains(reference));
    (!same).then_some(wanted)
}
