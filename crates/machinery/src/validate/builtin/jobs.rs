//! Rules for jobs and for what makes them at their time. The selector of a job is given
//! by the server before it is judged here.

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{at, entries, object_at, text};
use super::{Object, cron, pods, selectors};

const UID_LABEL: &str = "batch.kubernetes.io/controller-uid";

/// Checks a `Job`.
pub(super) fn job(object: &Object, found: &mut Findings) {
    selector(object, found);
    let empty = Object::new();
    spec(object_at(object, "spec").unwrap_or(&empty), "spec", found);
}

fn selector(object: &Object, found: &mut Findings) {
    let selector = at(object, "spec.selector");
    if selector.is_none() {
        found.required("spec.selector", "");
    }
    selectors::check("spec.selector", selector, found);
    let is_manual = at(object, "spec.manualSelector") == Some(&json!(true));
    let uid = text(object, "metadata.uid");
    if !is_manual && !uid.is_empty() {
        let generated = json!({"matchLabels": {UID_LABEL: uid}});
        let older = json!({"matchLabels": {"controller-uid": uid}});
        if let Some(selector) = selector.filter(|selector| **selector != generated && **selector != older) {
            found.invalid("spec.selector", selector, "`selector` not auto-generated");
        }
    }
    let labels = at(object, "spec.template.metadata.labels");
    if !selectors::selects(selector, labels) {
        selectors::mismatch("spec.template.metadata.labels", labels, found);
    }
}

fn spec(spec: &Object, field: &str, found: &mut Findings) {
    let sub = |name: &str| format!("{field}.{name}");
    for name in ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"] {
        found.not_negative(&sub(name), at(spec, name));
    }
    found.one_of(&sub("completionMode"), at(spec, "completionMode"), &["NonIndexed", "Indexed"]);
    let is_indexed = text(spec, "completionMode") == "Indexed";
    if is_indexed && at(spec, "completions").is_none() {
        found.required(&sub("completions"), "when completion mode is Indexed");
    }
    if let Some(limit) = at(spec, "backoffLimitPerIndex").filter(|_| !is_indexed) {
        found.invalid(&sub("backoffLimitPerIndex"), limit, "requires indexed completion mode");
    }
    let replaced = at(spec, "podReplacementPolicy");
    if at(spec, "podFailurePolicy").is_some() {
        found.one_of(&sub("podReplacementPolicy"), replaced, &["Failed"]);
    } else {
        found.one_of(&sub("podReplacementPolicy"), replaced, &["Failed", "TerminatingOrFailed"]);
    }
    let template = at(spec, "template");
    pods::template(template, &sub("template"), found);
    if template.and_then(|template| template.pointer("/spec/restartPolicy")) == Some(&json!("Always")) {
        found.required(&sub("template.spec.restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
    } else if at(spec, "podFailurePolicy").is_some()
        && let Some(policy) = template.and_then(|template| template.pointer("/spec/restartPolicy"))
        && policy != "Never"
    {
        let why = "only \"Never\" is supported when podFailurePolicy is specified";
        found.invalid(&sub("template.spec.restartPolicy"), policy, why);
    }
}

/// Checks what of a `Job` changes.
pub(super) fn update(old: &Object, new: &Object, found: &mut Findings) {
    completions(old, new, found);
    template(old, new, found);
    let never =
        ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"];
    for name in never {
        let field = format!("spec.{name}");
        if at(old, &field) != at(new, &field) {
            found.invalid(&field, at(new, &field).unwrap_or(&Value::Null), "field is immutable");
        }
    }
}

/// An indexed job grows or shrinks in its completions and in what runs at once alike.
fn completions(old: &Object, new: &Object, found: &mut Findings) {
    const FIELD: &str = "spec.completions";
    if at(old, FIELD) == at(new, FIELD) {
        return;
    }
    let held = at(new, FIELD).unwrap_or(&Value::Null);
    let is_indexed = text(new, "spec.completionMode") == "Indexed";
    let is_elastic = is_indexed && at(old, FIELD).is_some() && at(new, FIELD).is_some();
    if !is_elastic {
        found.invalid(FIELD, held, "field is immutable");
    } else if at(new, FIELD) != at(new, "spec.parallelism") {
        found.invalid(FIELD, held, "can only be modified in tandem with spec.parallelism");
    }
}

/// Where the pods of a job run, and with how much, may change while none does.
fn template(old: &Object, new: &Object, found: &mut Findings) {
    const FIELD: &str = "spec.template";
    let (held, stated) = (at(old, FIELD), at(new, FIELD));
    if held == stated {
        return;
    }
    if is_suspended(old) {
        let directed = |template: Option<&Value>| template.map(without_directives);
        if directed(held) == directed(stated) {
            return;
        }
    }
    found.invalid(FIELD, stated.unwrap_or(&Value::Null), "field is immutable");
}

fn is_suspended(job: &Object) -> bool {
    let conditions = at(job, "status.conditions").and_then(Value::as_array).into_iter().flatten();
    let is_true = |condition: &Value| condition["type"] == "Suspended" && condition["status"] == "True";
    at(job, "spec.suspend") == Some(&json!(true))
        && conditions.into_iter().any(is_true)
        && super::places::number(job, "status.active") == 0
}

/// The template without what says where its pods run and what they need.
fn without_directives(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(meta) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("labels");
        meta.remove("annotations");
    }
    if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
        for name in ["nodeSelector", "tolerations", "schedulingGates"] {
            spec.remove(name);
        }
        if let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) {
            affinity.remove("nodeAffinity");
        }
        if spec.get("affinity").and_then(Value::as_object).is_some_and(Object::is_empty) {
            spec.remove("affinity");
        }
        for list in ["containers", "initContainers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            containers.filter_map(Value::as_object_mut).for_each(|container| drop(container.remove("resources")));
        }
    }
    template
}

/// Checks a `CronJob`.
pub(super) fn cron_job(object: &Object, found: &mut Findings) {
    let schedule = text(object, "spec.schedule");
    if schedule.is_empty() {
        found.required("spec.schedule", "");
    } else if schedule.contains("TZ") {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        found.invalid("spec.schedule", &json!(schedule), why);
    } else if let Some(why) = cron::problem(schedule) {
        found.invalid("spec.schedule", &json!(schedule), &why);
    }
    if at(object, "spec.timeZone") == Some(&json!("")) {
        found.invalid("spec.timeZone", &json!(""), "timeZone must be nil or non-empty string");
    }
    let policies = ["Allow", "Forbid", "Replace"];
    found.one_of("spec.concurrencyPolicy", at(object, "spec.concurrencyPolicy"), &policies);
    for field in ["spec.startingDeadlineSeconds", "spec.successfulJobsHistoryLimit", "spec.failedJobsHistoryLimit"] {
        found.not_negative(field, at(object, field));
    }
    const JOB: &str = "spec.jobTemplate.spec";
    if at(object, &format!("{JOB}.manualSelector")) == Some(&json!(true)) {
        found.unsupported(&format!("{JOB}.manualSelector"), &json!(true), &["nil", "false"]);
    }
    selectors::labels("spec.jobTemplate.metadata.labels", entries(object, "spec.jobTemplate.metadata.labels"), found);
    let empty = Object::new();
    spec(object_at(object, JOB).unwrap_or(&empty), JOB, found);
}
