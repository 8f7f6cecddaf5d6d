//! What the API server does to an object on its way in, as far as tests of
//! controllers need it: pure functions from JSON to JSON, no storage.

use api::{Gvr, KindDescriptor, Status};
use serde_json::{Value, json};

use crate::{DeleteOptions, Object, Patch, Propagation, Result};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

pub(super) fn parse(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| Status::bad_request(error.to_string()))
}

fn is_namespace(kind: &KindDescriptor) -> bool {
    kind.gvk.group.is_empty() && &*kind.gvk.kind == "Namespace"
}

/// A body as it is stored first; names are already in it.
pub(super) fn created(kind: &KindDescriptor, mut body: Value, uid: &str, now: &str) -> Value {
    body["apiVersion"] = kind.gvk.api_version().into();
    body["kind"] = json!(&*kind.gvk.kind);
    body["metadata"]["uid"] = uid.into();
    body["metadata"]["creationTimestamp"] = now.into();
    body["metadata"]["generation"] = 1.into();
    if kind.subresources.status {
        remove(&mut body, "status");
    }
    if is_namespace(kind) {
        body["spec"] = json!({ "finalizers": ["kubernetes"] });
        body["status"] = json!({ "phase": "Active" });
    }
    body
}

/// `body` written over `old`; `None` if that was the last thing that held up its deletion.
pub(super) fn updated(
    kind: &KindDescriptor,
    old: &Object,
    subresource: Option<&str>,
    body: &Value,
) -> Result<Option<Value>> {
    let gvr = kind.gvr();
    check_preconditions(&gvr, old, body)?;
    let before = old.value()?;
    let new = match subresource {
        None => replaced(kind, &before, body),
        Some("status") if kind.subresources.status => with(&before, "status", body),
        Some("finalize") if is_namespace(kind) => with(&before, "spec", body),
        Some(_) => return Err(Status::no_such_resource()),
    };
    let held =
        is_nonempty(&new, "/metadata/finalizers") || (is_namespace(kind) && is_nonempty(&new, "/spec/finalizers"));
    Ok((held || !old.meta.is_deleting()).then_some(new))
}

fn check_preconditions(gvr: &Gvr, old: &Object, body: &Value) -> Result<()> {
    let asked = |field: &str| body["metadata"][field].as_str().unwrap_or_default().to_owned();
    let (revision, uid) = (asked("resourceVersion"), asked("uid"));
    if !revision.is_empty() && revision != old.meta.resource_version {
        return Err(Status::stale(gvr, &old.meta.name));
    }
    if !uid.is_empty() && uid != old.meta.uid {
        return Err(Status::conflict(gvr, &old.meta.name, "the UID in the precondition does not match"));
    }
    Ok(())
}

fn replaced(kind: &KindDescriptor, before: &Value, body: &Value) -> Value {
    let mut new = body.clone();
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        match before["metadata"].get(field) {
            Some(value) => new["metadata"][field] = value.clone(),
            None => remove(&mut new["metadata"], field),
        }
    }
    if kind.subresources.status {
        new = with(&new, "status", before);
    }
    let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
    let changed = new.get("spec") != before.get("spec");
    new["metadata"]["generation"] = (generation + i64::from(changed)).into();
    new
}

/// `base` with one top-level field of `other`.
fn with(base: &Value, field: &str, other: &Value) -> Value {
    let mut new = base.clone();
    match other.get(field) {
        Some(value) => new[field] = value.clone(),
        None => remove(&mut new, field),
    }
    new
}

fn remove(value: &mut Value, field: &str) {
    if let Some(map) = value.as_object_mut() {
        map.remove(field);
    }
}

fn is_nonempty(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

/// The object with what a merge patch says.
pub(super) fn merged(mut old: Value, patch: &Value) -> Value {
    json_patch::merge(&mut old, patch);
    old
}

/// The object that a patch makes of `old`. Strategic merge and apply are taken as merge.
pub(super) fn patched(old: Value, patch: &Patch) -> Result<Value> {
    let mut new = old;
    match patch {
        Patch::Json(body) => {
            let operations: json_patch::Patch =
                serde_json::from_slice(body).map_err(|error| Status::bad_request(error.to_string()))?;
            json_patch::patch(&mut new, &operations)
                .map_err(|error| Status::new(422, api::Reason::Invalid, error.to_string()))?;
        }
        Patch::Merge(body) | Patch::Strategic(body) | Patch::Apply(body) => new = merged(new, &parse(body)?),
    }
    Ok(new)
}

/// A pod with the node that a binding names; none is bound twice.
pub(super) fn bound(gvr: &Gvr, old: &Object, binding: &Value) -> Result<Value> {
    let mut new = old.value()?;
    if let Some(node) = new["spec"]["nodeName"].as_str().filter(|node| !node.is_empty()) {
        let why = format!("pod {} is already assigned to node \"{node}\"", old.meta.name);
        return Err(Status::conflict(gvr, &old.meta.name, &why));
    }
    new["spec"]["nodeName"] = binding["target"]["name"].clone();
    Ok(new)
}

/// An object on which deletion was asked; `None` if nothing holds it up.
pub(super) fn deleted(
    kind: &KindDescriptor,
    old: &Object,
    options: &DeleteOptions,
    now: &str,
) -> Result<Option<Value>> {
    let gvr = kind.gvr();
    let wanted = &options.preconditions;
    if wanted.uid.as_ref().is_some_and(|uid| *uid != old.meta.uid) {
        return Err(Status::conflict(&gvr, &old.meta.name, "the UID in the precondition does not match"));
    }
    if wanted.resource_version.as_ref().is_some_and(|revision| *revision != old.meta.resource_version) {
        return Err(Status::stale(&gvr, &old.meta.name));
    }
    let mut finalizers = old.meta.finalizers.clone();
    if let Some(propagation) = options.propagation {
        finalizers.retain(|finalizer| finalizer != ORPHAN && finalizer != FOREGROUND);
        match propagation {
            Propagation::Background => {}
            Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
            Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
        }
    }
    let mut new = old.value()?;
    let held = !finalizers.is_empty() || (is_namespace(kind) && is_nonempty(&new, "/spec/finalizers"));
    new["metadata"]["finalizers"] = json!(finalizers);
    if !old.meta.is_deleting() {
        new["metadata"]["deletionTimestamp"] = now.into();
        new["metadata"]["deletionGracePeriodSeconds"] = 0.into();
    }
    if is_namespace(kind) {
        new["status"]["phase"] = "Terminating".into();
    }
    Ok(held.then_some(new))
}
