//! The status of a namespace under deletion, in the words of Kubernetes'
//! namespace controller. A pure function of what was found.

use api::Gvr;
use controller::{Condition, condition};
use serde_json::{Value, json};

use super::contents::Contents;

/// The status to write: `before` with the five conditions of deletion. A namespace that is
/// about to go is left as it is, unless others hold it (`held_by_others`).
pub(super) fn decide(before: Value, contents: &Contents, held_by_others: bool, now: &str) -> Value {
    let mut status = if before.is_object() { before } else { json!({}) };
    let mut held = match status["conditions"].take() {
        Value::Array(held) => held,
        _ => Vec::new(),
    };
    if held.is_empty() && contents.is_empty() && !held_by_others {
        remove_conditions(&mut status);
        return status;
    }
    for condition in conditions(contents) {
        condition::set(&mut held, &condition, now);
    }
    status["phase"] = "Terminating".into();
    status["conditions"] = held.into();
    status
}

fn remove_conditions(status: &mut Value) {
    if let Some(status) = status.as_object_mut() {
        status.remove("conditions");
    }
}

fn conditions(contents: &Contents) -> [Condition; 5] {
    [discovery(contents), parsing(), deletion(contents), remaining(contents), finalizers(contents)]
}

fn discovery(contents: &Contents) -> Condition {
    const KIND: &str = "NamespaceDeletionDiscoveryFailure";
    match &contents.discovery_error {
        Some(error) => Condition::new(KIND, true, "DiscoveryFailed", error),
        None => Condition::new(KIND, false, "ResourcesDiscovered", "All resources successfully discovered"),
    }
}

/// Group and version come apart here, so nothing is ever parsed.
fn parsing() -> Condition {
    const KIND: &str = "NamespaceDeletionGroupVersionParsingFailure";
    Condition::new(KIND, false, "ParsedGroupVersions", "All legacy kube types successfully parsed")
}

fn deletion(contents: &Contents) -> Condition {
    const KIND: &str = "NamespaceDeletionContentFailure";
    if contents.errors.is_empty() {
        let message = "All content successfully deleted, may be waiting on finalization";
        return Condition::new(KIND, false, "ContentDeleted", message);
    }
    let count = contents.errors.len();
    let message =
        format!("Failed to delete all resource types, {count} remaining: {}", joined(contents.errors.clone()));
    Condition::new(KIND, true, "ContentDeletionFailed", message)
}

fn remaining(contents: &Contents) -> Condition {
    const KIND: &str = "NamespaceContentRemaining";
    let describe =
        |(gvr, count): (&Gvr, usize)| format!("{}.{} has {count} resource instances", gvr.resource, gvr.group);
    let described: Vec<String> = contents.counts().map(describe).collect();
    if described.is_empty() {
        return Condition::new(KIND, false, "ContentRemoved", "All content successfully removed");
    }
    let message = format!("Some resources are remaining: {}", joined(described));
    Condition::new(KIND, true, "SomeResourcesRemain", message)
}

fn finalizers(contents: &Contents) -> Condition {
    const KIND: &str = "NamespaceFinalizersRemaining";
    let describe = |(finalizer, count): (&String, &usize)| format!("{finalizer} in {count} resource instances");
    let described: Vec<String> = contents.finalizers.iter().map(describe).collect();
    if described.is_empty() {
        return Condition::new(KIND, false, "ContentHasNoFinalizers", "All content-preserving finalizers finished");
    }
    let message = format!("Some content in the namespace has finalizers remaining: {}", joined(described));
    Condition::new(KIND, true, "SomeFinalizersRemain", message)
}

fn joined(mut parts: Vec<String>) -> String {
    parts.sort();
    parts.join(", ")
}
