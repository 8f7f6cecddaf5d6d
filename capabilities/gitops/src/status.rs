//! What an Application reports of itself, shaped as Argo CD shapes it, and the
//! smallest patch that says it. Pure; the one write of a reconcile is made from
//! this, and none when there is nothing new to say.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::compare::{Part, Resource, Sync};
use crate::health::{Health, State};
use crate::types::{Application, Condition, Operation, OperationState};
use crate::{resource, summary};

/// Deployments that are remembered, if the spec does not say.
const HISTORY: usize = 10;

/// What is to be reported.
pub struct Report<'a> {
    /// As it is stored.
    pub app: &'a Application,
    /// The stored `spec`.
    pub spec: &'a Value,
    /// The stored `status`.
    pub status: &'a Value,
    /// Whether it is in sync; `None` if nobody can tell.
    pub sync: Option<Sync>,
    /// Revisions that were compared with.
    pub revisions: &'a [String],
    /// How well it is.
    pub health: Health,
    /// Its objects; `None` to leave what was reported.
    pub resources: Option<&'a [Resource]>,
    /// What is worth saying.
    pub conditions: Vec<Condition>,
    /// The operation under way, or the last one.
    pub operation_state: Option<&'a OperationState>,
    /// Whether an operation just came to its end and counts as a deployment.
    pub is_deployed: bool,
    /// Kinds of the sources, as far as known.
    pub source_types: Vec<String>,
    /// Namespace of the controller.
    pub controller_namespace: &'a str,
    /// Whether each object's health is written.
    pub resource_health: bool,
    /// The time.
    pub now: Timestamp,
}

/// RFC 3339 in UTC with whole seconds.
pub fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The new `status`. Fields that this does not know are left as they are.
pub fn build(report: &Report<'_>) -> Value {
    let mut status = report.status.as_object().cloned().unwrap_or_default();
    let multiple = report.app.spec.has_multiple_sources();
    status.insert("sync".into(), sync(report));
    status.insert("health".into(), health(report));
    if let Some(resources) = report.resources {
        let listed: Vec<Value> = resources.iter().map(|one| entry(one, report.resource_health)).collect();
        put(&mut status, "resources", listed.into());
        status.insert("summary".into(), summary::build(resources));
    }
    put(&mut status, "conditions", conditions(report).into());
    if let Some(state) = report.operation_state {
        status.insert("operationState".into(), json!(state));
        if report.is_deployed {
            put(&mut status, "history", history(report, state).into());
        }
    }
    if !report.source_types.is_empty() {
        status.remove(if multiple { "sourceType" } else { "sourceTypes" });
        if multiple {
            status.insert("sourceTypes".into(), json!(report.source_types));
        } else {
            status.insert("sourceType".into(), json!(report.source_types[0]));
        }
    }
    status.insert("controllerNamespace".into(), report.controller_namespace.into());
    status.insert("reconciledAt".into(), rfc3339(report.now).into());
    Value::Object(status)
}

/// Puts a list, or takes the field away where the list is empty.
fn put(status: &mut Map<String, Value>, name: &str, list: Value) {
    if list.as_array().is_some_and(Vec::is_empty) {
        status.remove(name);
    } else {
        status.insert(name.into(), list);
    }
}

fn sync(report: &Report<'_>) -> Value {
    let spec = report.spec;
    let mut compared = Map::new();
    let multiple = report.app.spec.has_multiple_sources();
    let field = if multiple { "sources" } else { "source" };
    for name in [field, "destination", "ignoreDifferences"] {
        if let Some(value) = spec.get(name) {
            compared.insert(name.into(), value.clone());
        }
    }
    let status = match report.sync {
        Some(Sync::Synced) => "Synced",
        Some(Sync::OutOfSync) => "OutOfSync",
        None => "Unknown",
    };
    let mut sync = json!({"status": status, "comparedTo": compared});
    if multiple && !report.revisions.is_empty() {
        sync["revisions"] = json!(report.revisions);
    } else if let Some(revision) = report.revisions.first() {
        sync["revision"] = json!(revision);
    }
    sync
}

fn health(report: &Report<'_>) -> Value {
    let state = report.health.state.to_string();
    let last = &report.app.status.health;
    let since = last.last_transition_time.clone().filter(|_| last.status == state);
    let mut health = json!({"status": state, "lastTransitionTime": since.unwrap_or_else(|| rfc3339(report.now))});
    if !report.health.message.is_empty() && report.health.state != State::Healthy {
        health["message"] = json!(report.health.message);
    }
    health
}

fn entry(resource: &Resource, with_health: bool) -> Value {
    let mut entry = Map::new();
    let mut text = |name: &str, text: &str| {
        if !text.is_empty() {
            entry.insert(name.into(), text.into());
        }
    };
    text("group", &resource.key.group);
    text("version", &resource.gvk.version);
    text("kind", &resource.key.kind);
    text("namespace", &resource.key.namespace);
    text("name", &resource.key.name);
    text(
        "status",
        match (resource.part, resource.sync) {
            (Part::Hook | Part::Skipped, _) => "",
            (Part::Plain, Sync::Synced) => "Synced",
            (Part::Plain, Sync::OutOfSync) => "OutOfSync",
        },
    );
    if resource.part == Part::Hook {
        entry.insert("hook".into(), true.into());
    }
    if let Some(health) = resource.health.as_ref().filter(|_| with_health) {
        let mut value = json!({"status": health.state.to_string()});
        if !health.message.is_empty() {
            value["message"] = json!(health.message);
        }
        entry.insert("health".into(), value);
    }
    // A hook that is there is wanted by no one between syncs, and yet left where it is.
    if resource.requires_pruning || resource.part == Part::Hook {
        entry.insert("requiresPruning".into(), true.into());
    }
    if resource.wave != 0 {
        entry.insert("syncWave".into(), resource.wave.into());
    }
    Value::Object(entry)
}

/// Conditions with the time since when they hold.
fn conditions(report: &Report<'_>) -> Vec<Value> {
    let before = &report.app.status.conditions;
    let mut conditions: Vec<&Condition> = report.conditions.iter().collect();
    conditions.sort_by(|a, b| (&a.kind, &a.message).cmp(&(&b.kind, &b.message)));
    conditions.dedup();
    let stamped = |condition: &Condition| {
        let held = before.iter().find(|held| held.kind == condition.kind && held.message == condition.message);
        let since = held.and_then(|held| held.last_transition_time.clone()).unwrap_or_else(|| rfc3339(report.now));
        json!(Condition { last_transition_time: Some(since), ..condition.clone() })
    };
    conditions.into_iter().map(stamped).collect()
}

fn history(report: &Report<'_>, state: &OperationState) -> Vec<Value> {
    let limit = report.app.spec.revision_history_limit.unwrap_or(HISTORY);
    let mut history = report.app.status.history.clone();
    let id = history.last().and_then(|last| last["id"].as_i64()).map_or(0, |id| id + 1);
    let finished = state.finished_at.clone().unwrap_or_else(|| rfc3339(report.now));
    let mut entry = json!({
        "id": id,
        "deployedAt": finished,
        "deployStartedAt": state.started_at,
        "initiatedBy": state.operation.initiated_by,
    });
    if let Some(result) = &state.sync_result {
        if result.sources.is_null() {
            entry["revision"] = json!(result.revision);
            entry["source"] = result.source.clone();
        } else {
            entry["revisions"] = json!(result.revisions);
            entry["sources"] = result.sources.clone();
        }
    }
    history.push(entry);
    let surplus = history.len().saturating_sub(limit);
    history.drain(..surplus);
    history
}

/// The merge patch of `status` and `operation` that makes the stored object say `new`; `None` if
/// it says it already. That it was looked at again is nothing new.
pub fn patch(old: &Value, new: &Value, old_operation: Option<&Value>, operation: Option<&Operation>) -> Option<Value> {
    let mut patch = Map::new();
    let mut changed = machinery::patch::merge_diff(&not_null(old), new);
    let is_news = changed.as_object().is_some_and(|fields| fields.keys().any(|name| name != "reconciledAt"));
    if is_news {
        patch.insert("status".into(), changed.take());
    }
    let new_operation = operation.map(|operation| json!(operation));
    // An operation that took the place of another differs in its revision.
    let revisions = |operation: &Value| (operation["sync"]["revision"].clone(), operation["sync"]["revisions"].clone());
    if old_operation.map(revisions) != new_operation.as_ref().map(revisions) {
        let operation = match (old_operation, new_operation) {
            (Some(old), Some(new)) => machinery::patch::merge_diff(old, &new),
            (_, new) => new.unwrap_or(Value::Null),
        };
        patch.insert("operation".into(), operation);
        if !is_news {
            patch.insert("status".into(), json!({"reconciledAt": new["reconciledAt"]}));
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn not_null(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}

/// The stored status, empty if there is none.
pub fn stored(app: &Value) -> Value {
    app.get("status").map_or_else(|| json!({}), not_null)
}

/// What the stored status says of sync and health, for telling what changed.
pub fn words(status: &Value) -> (String, String) {
    let word = |pointer: &str| resource::text(status, pointer).to_owned();
    (word("/sync/status"), word("/health/status"))
}

#[cfg(test)]
mod tests;
