//! The platform as objects: the definitions that it and its capabilities bring,
//! the `Platform` that sets them, and a `Capability` each that tells its health.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, Gvr, Status};
use base::{Clock, Diagnostic};
use bytes::Bytes;
use capability::{Descriptor, Health};
use client::{Objects, Patch, Target, WriteOptions};
use serde_json::{Value, json};

use crate::Config;

/// A capability with what it was set to and how it is.
pub struct Member {
    /// What it is.
    pub descriptor: Descriptor,
    /// Who provides it.
    pub provider: String,
    /// Its settings.
    pub settings: Arc<Value>,
    /// How it is.
    pub health: Health,
}

/// Serves the definitions in `manifests`, in every cluster if `everywhere`.
pub async fn define(objects: &dyn Objects, manifests: &str, everywhere: bool) -> Result<(), Diagnostic> {
    let documents =
        machinery::yaml::documents(manifests).map_err(|error| failed("a definition cannot be read", &error))?;
    for mut document in documents {
        if everywhere {
            document["metadata"]["labels"] = json!({api::platform::PLATFORM_KIND_LABEL: "true"});
        }
        let target =
            Target::cluster(&ClusterName::root(), &Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions"));
        let patch = json!({"metadata": {"labels": document["metadata"]["labels"]}, "spec": document["spec"]});
        put(objects, &target, &document, &patch).await.map_err(|status| failed("a definition is refused", &status))?;
    }
    Ok(())
}

/// Creates an object, or patches the one that is there.
async fn put(objects: &dyn Objects, target: &Target, object: &Value, patch: &Value) -> Result<(), Status> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let patched = objects.patch(target, name, None, Patch::Merge(bytes(patch)), WriteOptions::default()).await;
    match patched {
        Err(status) if status.is_not_found() => {
            objects.create(target, bytes(object), WriteOptions::default()).await.map(|_| ())
        }
        outcome => outcome.map(|_| ()),
    }
}

/// Writes the `Platform` and reads what it says of each capability: who provides it and
/// its settings.
pub async fn settings(objects: &dyn Objects, config: &Config) -> Result<BTreeMap<String, (String, Value)>, Diagnostic> {
    let target = Target::cluster(&ClusterName::root(), &api::platform::platforms());
    let spec = json!({
        "host": config.host,
        "port": config.port,
        "protocol": config.protocol,
        "pathRouting": config.path_routing,
    });
    let mut object = json!({
        "apiVersion": "coracle.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": api::platform::PLATFORM_NAME},
        "spec": spec,
    });
    if !config.capabilities.is_empty() {
        object["spec"]["capabilities"] = config.capabilities.clone().into();
    }
    let refused = |status: Status| failed("the Platform object is refused", &status);
    put(objects, &target, &object, &json!({"spec": spec})).await.map_err(refused)?;
    let stored = objects.get(&target, api::platform::PLATFORM_NAME).await.map_err(refused)?;
    let stored = stored.value().map_err(refused)?;
    let stated = stored["spec"]["capabilities"].as_object().cloned().unwrap_or_default();
    let read = |value: Value| {
        let provider = value["provider"].as_str().unwrap_or("embedded").to_owned();
        (provider, value["settings"].clone())
    };
    Ok(stated.into_iter().map(|(name, value)| (name, read(value))).collect())
}

/// Writes the `Capability` object of each member: what it is and how it is. Nothing is
/// written for one that is as it was.
pub async fn report(objects: &dyn Objects, members: &[Member], clock: &Clock) -> Result<(), Status> {
    let target = Target::cluster(&ClusterName::root(), &api::platform::capabilities());
    for member in members {
        let name = member.descriptor.name;
        let object = json!({
            "apiVersion": "coracle.dev/v1alpha1",
            "kind": "Capability",
            "metadata": {"name": name},
            "spec": {"provider": member.provider},
        });
        put(objects, &target, &object, &json!({"spec": {"provider": member.provider}})).await?;
        let stored = objects.get(&target, name).await?.value()?;
        let status = status(member, &stored, clock);
        if stored["status"] != status {
            let patch = bytes(&json!({"status": status}));
            objects.patch(&target, name, Some("status"), Patch::Merge(patch), WriteOptions::default()).await?;
        }
    }
    Ok(())
}

fn status(member: &Member, stored: &Value, clock: &Clock) -> Value {
    let condition = member.health.condition();
    let state = if condition.ready { "True" } else { "False" };
    let held = &stored["status"]["conditions"][0];
    let since = match (held["status"] == state, held["lastTransitionTime"].as_str()) {
        (true, Some(since)) => since.to_owned(),
        _ => clock.now_rfc3339(),
    };
    let descriptor = &member.descriptor;
    json!({
        "plane": descriptor.plane.to_string(),
        "summary": descriptor.summary,
        "speaks": descriptor.speaks,
        "animates": descriptor.animates,
        "providers": descriptor.providers,
        "conditions": [{
            "type": "Ready",
            "status": state,
            "reason": condition.reason,
            "message": condition.message,
            "lastTransitionTime": since,
        }],
    })
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("broken-platform", format!("the platform cannot be brought up: {what}"))
        .detail(error)
        .hint("look into the server's log with `coracle logs`; if it was upgraded just now, report this")
}
