//! ServiceAccount: a pod runs as an account that exists, with the account's credentials
//! mounted where clients look for them, unless one of the two says otherwise.

use api::Status;
use serde_json::{Map, Value, json};

use super::{Attributes, pods};
use crate::tree::Tree;

const DEFAULT: &str = "default";
const MIRROR: &str = "kubernetes.io/config.mirror";
const VOLUME: &str = "kube-api-access-";
const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// An hour and a little: tokens of this age are warned about rather than refused.
const TOKEN_SECONDS: i64 = 3607;

pub(super) fn create(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    if !attributes.is("", "pods") {
        return Ok(());
    }
    let annotations = object.get("metadata").and_then(|meta| meta.get("annotations"));
    if annotations.and_then(|annotations| annotations.get(MIRROR)).is_some() {
        return mirror(attributes, object);
    }
    let Some(spec) = pods::spec(attributes, object) else { return Ok(()) };
    let name = match pods::text(spec, "serviceAccountName") {
        "" => DEFAULT.to_owned(),
        name => name.to_owned(),
    };
    let Some(account) = attributes.view.get("", "serviceaccounts", attributes.namespace, &name) else {
        let why = format!(
            "error looking up service account {}/{name}: serviceaccount \"{name}\" not found",
            attributes.namespace
        );
        return Err(attributes.forbidden(object, &why));
    };
    for field in ["serviceAccountName", "serviceAccount"] {
        spec.insert(field.into(), json!(name));
    }
    if mounts(spec, &account) {
        mount(attributes, spec);
    }
    pull_secrets(spec, &account);
    Ok(())
}

/// A pod that a node made of a file has no account.
fn mirror(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    let named = pods::spec(attributes, object).is_some_and(|spec| !pods::text(spec, "serviceAccountName").is_empty());
    if named {
        return Err(attributes.forbidden(object, "a mirror pod may not reference service accounts"));
    }
    Ok(())
}

fn mounts(spec: &Map<String, Value>, account: &Tree) -> bool {
    const FIELD: &str = "automountServiceAccountToken";
    let said = |fields: &Map<String, Value>| fields.get(FIELD).and_then(Value::as_bool);
    said(spec).or_else(|| said(account)).unwrap_or(true)
}

fn mount(attributes: &Attributes<'_>, spec: &mut Map<String, Value>) {
    let held = spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
    let mut names = held.filter_map(|volume| volume.get("name")?.as_str());
    let existing = names.find(|name| name.starts_with(VOLUME)).map(str::to_owned);
    let name = existing.clone().unwrap_or_else(|| format!("{VOLUME}{}", attributes.ids.name_suffix()));
    let mut is_needed = false;
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers.filter_map(Value::as_object_mut) {
            is_needed |= mount_in(container, &name);
        }
    }
    if is_needed
        && existing.is_none()
        && let Some(volumes) = pods::list(spec, "volumes")
    {
        volumes.push(json!({"name": name, "projected": projected()}));
    }
}

/// Mounts the volume unless the container has something else there. Says whether it did.
fn mount_in(container: &mut Map<String, Value>, name: &str) -> bool {
    let Some(mounts) = pods::list(container, "volumeMounts") else { return false };
    if mounts.iter().any(|mount| mount.get("mountPath").and_then(Value::as_str) == Some(PATH)) {
        return false;
    }
    mounts.push(json!({"name": name, "readOnly": true, "mountPath": PATH}));
    true
}

fn projected() -> Value {
    json!({
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
            ]}},
        ],
        "defaultMode": 420,
    })
}

/// A pod that names no secrets for pulling its images uses its account's.
fn pull_secrets(spec: &mut Map<String, Value>, account: &Tree) {
    const FIELD: &str = "imagePullSecrets";
    let filled = |fields: &Map<String, Value>| {
        fields.get(FIELD).and_then(Value::as_array).filter(|list| !list.is_empty()).cloned()
    };
    if let (None, Some(secrets)) = (filled(spec), filled(account)) {
        spec.insert(FIELD.into(), Value::Array(secrets));
    }
}
