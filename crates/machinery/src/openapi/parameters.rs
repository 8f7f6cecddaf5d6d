//! The parameters operations take. kubectl looks for `fieldValidation` and
//! `dryRun` by name before it sends them, so each stands in every operation
//! that takes it instead of being shared by reference.

use serde_json::{Value, json};

/// Parameters of a list or watch.
pub(super) const LIST: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
/// Parameters of the deletion of one object.
pub(super) const DELETE: &[&str] = &["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"];
/// Parameters of the deletion of many.
pub(super) const DELETE_COLLECTION: &[&str] = &[
    "continue",
    "dryRun",
    "fieldSelector",
    "gracePeriodSeconds",
    "labelSelector",
    "limit",
    "orphanDependents",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
];
/// Parameters of a create or update.
pub(super) const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
/// Parameters of a patch.
pub(super) const PATCH: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force"];

/// Name, type and meaning of every query parameter.
const QUERY: &[(&str, &str, &str)] = &[
    ("allowWatchBookmarks", "boolean", "Ask for watch events of type BOOKMARK, which carry a resource version only."),
    ("continue", "string", "Where the previous page of this list ended, from its `metadata.continue`."),
    ("dryRun", "string", "`All` runs every stage of the request but stores nothing."),
    ("fieldManager", "string", "Who is making the change, for the ownership of fields; required for apply patches."),
    ("fieldSelector", "string", "Restricts the objects by their fields. Defaults to everything."),
    (
        "fieldValidation",
        "string",
        "What to do about unknown and duplicate fields: Ignore drops them, Warn (the default) drops them with a warning, Strict refuses the request.",
    ),
    ("force", "boolean", "Takes over fields that other managers own. For apply patches only."),
    ("gracePeriodSeconds", "integer", "How long the object may take to end; zero deletes it at once."),
    ("labelSelector", "string", "Restricts the objects by their labels. Defaults to everything."),
    ("limit", "integer", "Greatest number of objects to answer with; more are announced by `metadata.continue`."),
    ("orphanDependents", "boolean", "Deprecated: use propagationPolicy. Leaves dependents in place."),
    ("pretty", "string", "If 'true', the answer is printed for people."),
    ("propagationPolicy", "string", "What happens to dependents: Orphan, Background or Foreground."),
    ("resourceVersion", "string", "The state to read or to watch from. Defaults to the latest."),
    ("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
    (
        "sendInitialEvents",
        "boolean",
        "Begins a watch with the present objects, ended by a bookmark annotated k8s.io/initial-events-end. Needs resourceVersionMatch=NotOlderThan.",
    ),
    ("timeoutSeconds", "integer", "How long the call may last, whatever happens."),
    ("watch", "boolean", "Answers with changes as they happen instead of a list."),
];

/// The named query parameters.
pub(super) fn query(names: &[&str]) -> Vec<Value> {
    let wanted = QUERY.iter().filter(|(name, ..)| names.contains(name));
    wanted
        .map(|(name, kind, description)| {
            json!({
                "description": description,
                "in": "query",
                "name": name,
                "schema": { "type": kind, "uniqueItems": true },
            })
        })
        .collect()
}

/// A part of the path.
pub(super) fn path(name: &str, description: &str) -> Value {
    json!({
        "description": description,
        "in": "path",
        "name": name,
        "required": true,
        "schema": { "type": "string", "uniqueItems": true },
    })
}
