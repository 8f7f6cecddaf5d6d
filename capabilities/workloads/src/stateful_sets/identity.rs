//! Who a pod of a stateful set is: its ordinal, its name, what it is made of,
//! and which claims are its own. Pure.

use api::{Gvk, ObjectMeta};
use client::Item;
use serde_json::{Value, json};

use crate::revisions::REVISION_LABEL;
use crate::template;
use crate::views::StatefulSet;

/// The label that holds the pod's own name, for a service of one pod.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// The label that holds the pod's ordinal.
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The kind of the owner.
pub(super) fn gvk() -> Gvk {
    Gvk::new("apps", "v1", "StatefulSet")
}

/// The name of the pod of an ordinal.
pub(super) fn pod_name(set: &str, ordinal: i64) -> String {
    format!("{set}-{ordinal}")
}

/// The name of the claim of a template for an ordinal.
pub(super) fn claim_name(template: &str, set: &str, ordinal: i64) -> String {
    format!("{template}-{set}-{ordinal}")
}

/// The ordinal of a pod of this set, by its name; `None` for a pod that cannot be one.
pub(super) fn ordinal(set: &str, pod: &str) -> Option<i64> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// The revision that a pod is of.
pub(super) fn revision(pod: &ObjectMeta) -> &str {
    pod.labels.get(REVISION_LABEL).map_or("", String::as_str)
}

/// The labels that say which pod this is, and nothing more.
fn labels(name: &str, ordinal: i64) -> Value {
    json!({ POD_NAME: name, POD_INDEX: ordinal.to_string() })
}

/// What a pod lacks of its identity, as a patch; `None` if it has all of it.
pub(super) fn missing(pod: &ObjectMeta, ordinal: i64) -> Option<Value> {
    let labels = labels(&pod.name, ordinal);
    let held = |key: &str| pod.labels.get(key).map(String::as_str) == labels[key].as_str();
    let complete = held(POD_NAME) && held(POD_INDEX);
    (!complete).then(|| json!({ "metadata": { "uid": pod.uid, "labels": labels } }))
}

/// The pod of an ordinal, made of a revision's template.
pub(super) fn pod(set: &Item<StatefulSet>, service: &Value, template: &Value, revision: &str, ordinal: i64) -> Value {
    let meta = &set.object.meta;
    let name = pod_name(&meta.name, ordinal);
    let mut pod = template::pod(template, &gvk(), meta);
    pod["metadata"]["name"] = json!(name);
    for (key, value) in labels(&name, ordinal).as_object().into_iter().flatten() {
        pod["metadata"]["labels"][key] = value.clone();
    }
    pod["metadata"]["labels"][REVISION_LABEL] = json!(revision);
    pod["spec"]["hostname"] = json!(name);
    if service.as_str().is_some_and(|service| !service.is_empty()) {
        pod["spec"]["subdomain"] = service.clone();
    }
    if !set.view.claims.is_empty() {
        pod["spec"]["volumes"] = volumes(set, &pod["spec"]["volumes"], ordinal);
    }
    pod
}

/// The volumes of the claims, then those of the template of other names.
fn volumes(set: &Item<StatefulSet>, stated: &Value, ordinal: i64) -> Value {
    let claims = set.view.claims.iter().map(|template| {
        let claim = claim_name(template, &set.object.meta.name, ordinal);
        json!({ "name": template, "persistentVolumeClaim": { "claimName": claim } })
    });
    let is_claim = |volume: &&Value| set.view.claims.iter().any(|template| volume["name"] == **template);
    let rest = stated.as_array().into_iter().flatten().filter(|volume| !is_claim(volume)).cloned();
    claims.chain(rest).collect()
}
