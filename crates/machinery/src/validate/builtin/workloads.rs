//! Rules for the kinds that keep pods running: that they select what they make, how they
//! roll, and what of a stateful set may change.

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{at, count_or_percent, entries, number, object_at, objects, text};
use super::{Object, pods, selectors};
use crate::validate::dns_label;

const TEMPLATE: &str = "spec.template";
const LABELS: &str = "spec.template.metadata.labels";

/// Checks a `Deployment`.
pub(super) fn deployment(object: &Object, found: &mut Findings) {
    owner(object, "deployment", true, Some("invalid label selector"), found);
    counts(object, found);
    let deadline = number(object, "spec.progressDeadlineSeconds");
    if at(object, "spec.progressDeadlineSeconds").is_some() && deadline <= number(object, "spec.minReadySeconds") {
        let why = "must be greater than minReadySeconds";
        found.invalid("spec.progressDeadlineSeconds", &json!(deadline), why);
    }
    let strategy = at(object, "spec.strategy").unwrap_or(&Value::Null);
    match text(object, "spec.strategy.type") {
        "Recreate" if at(object, "spec.strategy.rollingUpdate").is_some() => {
            let why = "may not be specified when strategy `type` is 'Recreate'";
            found.forbidden("spec.strategy.rollingUpdate", why);
        }
        "RollingUpdate" => {
            let (unavailable, surge) = rolling(object, "spec.strategy.rollingUpdate", found);
            if unavailable == Some(0) && surge == Some(0) {
                let held = at(object, "spec.strategy.rollingUpdate.maxUnavailable").unwrap_or(&Value::Null);
                let why = "may not be 0 when `maxSurge` is 0";
                found.invalid("spec.strategy.rollingUpdate.maxUnavailable", held, why);
            }
        }
        "Recreate" => {}
        _ => found.unsupported("spec.strategy", strategy, &["Recreate", "RollingUpdate"]),
    }
}

/// Checks a `ReplicaSet`.
pub(super) fn replica_set(object: &Object, found: &mut Findings) {
    // The words name a deployment in Kubernetes too.
    owner(object, "deployment", true, Some("invalid label selector"), found);
    counts(object, found);
}

/// Checks a `DaemonSet`.
pub(super) fn daemon_set(object: &Object, found: &mut Findings) {
    owner(object, "daemonset", false, None, found);
    counts(object, found);
    match text(object, "spec.updateStrategy.type") {
        "RollingUpdate" => {
            const FIELD: &str = "spec.updateStrategy.rollingUpdate";
            match rolling(object, FIELD, found) {
                (Some(0), Some(0)) => {
                    found.required(&format!("{FIELD}.maxUnavailable"), "cannot be 0 when maxSurge is 0");
                }
                (Some(unavailable), Some(surge)) if unavailable > 0 && surge > 0 => {
                    let held = at(object, &format!("{FIELD}.maxSurge")).unwrap_or(&Value::Null);
                    let why = "may not be set when maxUnavailable is non-zero";
                    found.invalid(&format!("{FIELD}.maxSurge"), held, why);
                }
                _ => {}
            }
        }
        "OnDelete" => {}
        _ => {
            let strategy = at(object, "spec.updateStrategy").unwrap_or(&Value::Null);
            found.unsupported("spec.updateStrategy", strategy, &["RollingUpdate", "OnDelete"]);
        }
    }
}

/// Checks a `StatefulSet`.
pub(super) fn stateful_set(object: &Object, found: &mut Findings) {
    owner(object, "statefulset", true, Some(""), found);
    counts(object, found);
    if !matches!(text(object, "spec.updateStrategy.type"), "RollingUpdate" | "OnDelete") {
        let strategy = at(object, "spec.updateStrategy").unwrap_or(&Value::Null);
        found.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'");
    }
    let policy = text(object, "spec.podManagementPolicy");
    match policy {
        "" => found.required("spec.podManagementPolicy", ""),
        "OrderedReady" | "Parallel" => {}
        _ => found.invalid("spec.podManagementPolicy", &json!(policy), "must be 'OrderedReady' or 'Parallel'"),
    }
    let service = text(object, "spec.serviceName");
    if !service.is_empty() {
        found.invalid_text("spec.serviceName", service, &dns_label(service));
    }
    found.not_negative("spec.ordinals.start", at(object, "spec.ordinals.start"));
}

/// Checks what of a `StatefulSet` changes.
pub(super) fn stateful_set_update(old: &Object, new: &Object, found: &mut Findings) {
    const MAY_CHANGE: [&str; 7] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let rest = |object: &Object| {
        let mut spec = object_at(object, "spec").cloned().unwrap_or_default();
        spec.retain(|field, _| !MAY_CHANGE.contains(&&**field));
        without_status(&mut spec);
        spec
    };
    if rest(old) != rest(new) {
        let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
            'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
            forbidden";
        found.forbidden("spec", why);
    }
}

/// The status in a template of a claim says nothing.
fn without_status(spec: &mut Object) {
    let claims = spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten();
    for claim in claims.filter_map(Value::as_object_mut) {
        claim.remove("status");
    }
}

/// Checks a `ReplicationController`.
pub(super) fn replication_controller(object: &Object, found: &mut Findings) {
    let selector = object_at(object, "spec.selector").filter(|selector| !selector.is_empty());
    if selector.is_none() {
        found.required("spec.selector", "");
    }
    counts(object, found);
    let Some(template) = at(object, TEMPLATE) else {
        found.required(TEMPLATE, "");
        return;
    };
    selectors::labels("spec.selector", entries(object, "spec.selector"), found);
    let labels = at(object, LABELS);
    let is_selected = |(key, value): (&String, &Value)| labels.and_then(|labels| labels.get(key)) == Some(value);
    if selector.is_some_and(|selector| !selector.iter().all(is_selected)) {
        selectors::mismatch(LABELS, labels, found);
    }
    pods::template(Some(template), TEMPLATE, found);
    pods::always_restarts(Some(template), TEMPLATE, "ReplicationController", found);
}

/// The selector and the template of an owner of pods. `why` is what an unreadable
/// selector is refused with a second time.
fn owner(object: &Object, kind: &str, requires_selector: bool, why: Option<&str>, found: &mut Findings) {
    let selector = at(object, "spec.selector");
    let before = found.count();
    match selector {
        None if requires_selector => found.required("spec.selector", ""),
        None => {}
        Some(held) => {
            selectors::check("spec.selector", selector, found);
            if selectors::is_empty(held) {
                found.invalid("spec.selector", held, &format!("empty selector is invalid for {kind}"));
            }
        }
    }
    let is_readable = selector.is_none() || found.count() == before;
    if let (Some(held), Some(why)) = (selector.filter(|held| !is_readable && !selectors::is_empty(held)), why) {
        found.invalid("spec.selector", held, why);
    }
    let labels = at(object, LABELS);
    if is_readable && !selectors::selects(selector, labels) {
        selectors::mismatch(LABELS, labels, found);
    }
    // Only stateful sets have claims, which are volumes of their pods.
    let claims = objects(object, "spec.volumeClaimTemplates").map(|(_, claim)| text(claim, "metadata.name"));
    pods::template_with(at(object, TEMPLATE), TEMPLATE, &claims.collect::<Vec<_>>(), found);
    let named = match kind {
        "daemonset" => "DaemonSet",
        "statefulset" => "StatefulSet",
        _ => "ReplicaSet",
    };
    pods::always_restarts(at(object, TEMPLATE), TEMPLATE, named, found);
}

fn counts(object: &Object, found: &mut Findings) {
    for field in ["spec.replicas", "spec.minReadySeconds", "spec.revisionHistoryLimit"] {
        found.not_negative(field, at(object, field));
    }
}

/// Checks `maxUnavailable` and `maxSurge`; returns their numbers.
fn rolling(object: &Object, field: &str, found: &mut Findings) -> (Option<i64>, Option<i64>) {
    let unavailable_field = format!("{field}.maxUnavailable");
    let surge_field = format!("{field}.maxSurge");
    let held = at(object, &unavailable_field);
    let unavailable = count_or_percent(&unavailable_field, held, found);
    if let Some(held) = held.filter(|held| held.is_string() && unavailable.is_some_and(|percent| percent > 100)) {
        found.invalid(&unavailable_field, held, "must not be greater than 100%");
    }
    let surge = count_or_percent(&surge_field, at(object, &surge_field), found);
    (unavailable, surge)
}
