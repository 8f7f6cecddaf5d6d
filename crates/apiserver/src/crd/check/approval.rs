//! Groups that belong to the Kubernetes community: a definition in them says
//! that its API was approved, or that it was not. It looks at no other group.

use api::Cause;
use machinery::validate;
use serde_json::{Map, Value};

const ANNOTATION: &str = "api-approved.kubernetes.io";
const FIELD: &str = "metadata.annotations[api-approved.kubernetes.io]";
const WHERE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";

#[derive(PartialEq)]
enum Approval {
    Missing,
    Bypassed,
    Approved,
    Invalid,
}

fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group.strip_suffix(domain).is_some_and(|head| head.is_empty() || head.ends_with('.')))
}

fn annotation(object: &Map<String, Value>) -> &str {
    let annotations = object.get("metadata").and_then(|meta| meta.get("annotations"));
    annotations.and_then(|held| held.get(ANNOTATION)).and_then(Value::as_str).unwrap_or_default()
}

fn approval(object: &Map<String, Value>) -> Approval {
    let text = annotation(object);
    let has_host = text.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    match text {
        "" => Approval::Missing,
        text if text.starts_with("unapproved") => Approval::Bypassed,
        _ if has_host => Approval::Approved,
        _ => Approval::Invalid,
    }
}

fn missing() -> String {
    format!("protected groups must have approval annotation \"{ANNOTATION}\", {WHERE}")
}

fn wrong() -> String {
    format!(
        "protected groups must have approval annotation \"{ANNOTATION}\" with either a URL or a reason starting with \"unapproved\", {WHERE}"
    )
}

/// Refuses a definition in a protected group without approval, unless nothing changed in that.
pub(super) fn check(
    group: &str,
    object: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
    causes: &mut Vec<Cause>,
) {
    let approval = approval(object);
    if !is_protected(group) || old.is_some_and(|old| self::approval(old) == approval) {
        return;
    }
    match approval {
        Approval::Missing => causes.push(validate::required(FIELD, &missing())),
        Approval::Invalid => causes.push(validate::invalid(FIELD, annotation(object), &wrong())),
        Approval::Bypassed | Approval::Approved => {}
    }
}

/// The condition of a definition in a protected group: whether it holds, reason and message.
pub(in super::super) fn condition(group: &str, object: &Map<String, Value>) -> Option<(bool, &'static str, String)> {
    if !is_protected(group) {
        return None;
    }
    let text = annotation(object);
    Some(match approval(object) {
        Approval::Missing => (false, "MissingAnnotation", missing()),
        Approval::Invalid => (false, "InvalidAnnotation", wrong()),
        Approval::Bypassed => (false, "UnapprovedAnnotation", format!("not approved: {}", validate::quote(text))),
        Approval::Approved => (true, "ApprovedAnnotation", format!("approved in {text}")),
    })
}
