//! What a pod must state, alone or as a template: containers with names and images, and
//! fields that take one of a few words. Changes of pods are judged elsewhere.

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{at, entries, objects, text};
use super::{Object, containers, selectors, volumes};
use crate::validate::{dns_label, dns_subdomain};

/// Checks what only a new pod may not state.
pub(super) fn create(pod: &Object, found: &mut Findings) {
    if at(pod, "spec.ephemeralContainers").is_some() {
        found.forbidden("spec.ephemeralContainers", "cannot be set on create");
    }
}

/// Checks a pod.
pub(super) fn pod(pod: &Object, found: &mut Findings) {
    let empty = Object::new();
    spec(pod.get("spec").and_then(Value::as_object).unwrap_or(&empty), "spec", &[], found);
}

/// Checks the pod template at `field`.
pub(super) fn template(template: Option<&Value>, field: &str, found: &mut Findings) {
    template_with(template, field, &[], found);
}

/// The same of a template whose pods get these volumes beside its own.
pub(super) fn template_with(template: Option<&Value>, field: &str, given: &[&str], found: &mut Findings) {
    let empty = Object::new();
    let template = template.and_then(Value::as_object).unwrap_or(&empty);
    selectors::labels(&format!("{field}.labels"), entries(template, "metadata.labels"), found);
    spec(template.get("spec").and_then(Value::as_object).unwrap_or(&empty), &format!("{field}.spec"), given, found);
    if at(template, "spec.ephemeralContainers").is_some() {
        found.forbidden(
            &format!("{field}.spec.ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        );
    }
}

fn spec(spec: &Object, field: &str, given: &[&str], found: &mut Findings) {
    let mut volumes = volumes::check(spec, field, found);
    volumes.extend(given);
    containers::check(spec, field, &volumes, found);
    let sub = |name: &str| format!("{field}.{name}");
    found.one_of(&sub("restartPolicy"), at(spec, "restartPolicy"), &["Always", "OnFailure", "Never"]);
    let resolvers = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    found.one_of(&sub("dnsPolicy"), at(spec, "dnsPolicy"), &resolvers);
    if let Some(deadline) = at(spec, "activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&deadline.as_i64().unwrap_or_default())
    {
        found.invalid(&sub("activeDeadlineSeconds"), deadline, "must be between 1 and 2147483647, inclusive");
    }
    selectors::labels(&sub("nodeSelector"), entries(spec, "nodeSelector"), found);
    for name in ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] {
        let value = text(spec, name);
        if !value.is_empty() {
            found.invalid_text(&sub(name), value, &dns_subdomain(value));
        }
    }
    for name in ["hostname", "subdomain"] {
        let value = text(spec, name);
        if !value.is_empty() {
            found.invalid_text(&sub(name), value, &dns_label(value));
        }
    }
    for (index, toleration) in objects(spec, "tolerations") {
        tolerate(toleration, &format!("{field}.tolerations[{index}]"), found);
    }
}

fn tolerate(toleration: &Object, field: &str, found: &mut Findings) {
    let sub = |name: &str| format!("{field}.{name}");
    let key = text(toleration, "key");
    let operator = text(toleration, "operator");
    if !key.is_empty() {
        found.invalid_text(&sub("key"), key, &crate::validate::qualified_name(key));
    } else if operator != "Exists" {
        let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        found.invalid(&sub("operator"), &json!(operator), why);
    }
    let effect = text(toleration, "effect");
    if at(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
        let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        found.invalid(&sub("effect"), &json!(effect), why);
    }
    match operator {
        "" | "Equal" => {
            let value = text(toleration, "value");
            found.invalid_text(&sub("operator"), value, &crate::validate::label_value(value));
        }
        "Exists" if !text(toleration, "value").is_empty() => {
            let value = json!(text(toleration, "value"));
            found.invalid(&sub("operator"), &value, "value must be empty when `operator` is 'Exists'");
        }
        "Exists" => {}
        _ => found.unsupported(&sub("operator"), &json!(operator), &["Equal", "Exists"]),
    }
    if !effect.is_empty() {
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        found.one_of(&sub("effect"), at(toleration, "effect"), &effects);
    }
}

/// Checks that the pods of a template are started again as their owner needs it.
pub(super) fn always_restarts(template: Option<&Value>, field: &str, kind: &str, found: &mut Findings) {
    let policy = template.and_then(|template| template.pointer("/spec/restartPolicy"));
    if policy.is_some_and(|policy| policy != "Always")
        && matches!(policy.and_then(Value::as_str), Some("OnFailure" | "Never"))
    {
        found.unsupported(&format!("{field}.spec.restartPolicy"), policy.unwrap_or(&Value::Null), &["Always"]);
    }
    let deadline = template.and_then(|template| template.pointer("/spec/activeDeadlineSeconds"));
    if deadline.is_some_and(|deadline| !deadline.is_null()) {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        found.forbidden(&format!("{field}.spec.activeDeadlineSeconds"), &why);
    }
}
