//! How claims and volumes are written: what each comes to say of the other, and
//! their statuses. Pure.

use api::Status;
use client::Item;
use serde_json::{Map, Value, json};

use crate::views::{BIND_COMPLETED, BOUND_BY_CONTROLLER, Volume, VolumeClaim};

/// An annotation of a claim: who is to make a volume for it.
pub(crate) const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// The same in the beta; both are written, as Kubernetes does.
const OLDER_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// An annotation of a volume that was made for a claim: by whom.
pub(crate) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// How a volume names its claim.
pub(crate) fn claim_ref(claim: &Item<VolumeClaim>) -> Value {
    let meta = &claim.object.meta;
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "resourceVersion": meta.resource_version,
    })
}

/// The volume with the claim in it; `None` if it is the claim's already.
pub(super) fn volume_bound(volume: &Item<Volume>, claim: &Item<VolumeClaim>) -> Result<Option<Value>, Status> {
    let held = volume.view.claim.as_ref();
    if held.is_some_and(|held| *held.uid == *claim.object.meta.uid) {
        return Ok(None);
    }
    let mut body = volume.object.value()?;
    if held.is_none() {
        annotate(&mut body, &[(BOUND_BY_CONTROLLER, "yes")]);
    }
    body["spec"]["claimRef"] = claim_ref(claim);
    Ok(Some(body))
}

/// The claim with the volume in it; `None` if it is complete.
pub(super) fn claim_bound(claim: &Item<VolumeClaim>, volume: &str) -> Result<Option<Value>, Status> {
    let is_complete = claim.object.meta.annotations.contains_key(BIND_COMPLETED);
    if is_complete && *claim.view.volume_name == *volume {
        return Ok(None);
    }
    let mut body = claim.object.value()?;
    if *claim.view.volume_name != *volume {
        body["spec"]["volumeName"] = volume.into();
        annotate(&mut body, &[(BOUND_BY_CONTROLLER, "yes")]);
    }
    annotate(&mut body, &[(BIND_COMPLETED, "yes")]);
    Ok(Some(body))
}

/// The claim with its provisioner in it; `None` if it is there.
pub(super) fn claim_asked_of(claim: &Item<VolumeClaim>, provisioner: &str) -> Result<Option<Value>, Status> {
    if claim.object.meta.annotations.get(PROVISIONER).is_some_and(|held| held == provisioner) {
        return Ok(None);
    }
    let mut body = claim.object.value()?;
    annotate(&mut body, &[(OLDER_PROVISIONER, provisioner), (PROVISIONER, provisioner)]);
    Ok(Some(body))
}

/// The volume without its claim, or, where a user keeps it for one, without that claim's uid.
pub(super) fn volume_unbound(volume: &Item<Volume>) -> Result<Value, Status> {
    let mut body = volume.object.value()?;
    if volume.object.meta.annotations.contains_key(BOUND_BY_CONTROLLER) {
        remove(&mut body["spec"], "claimRef");
        remove(&mut body["metadata"]["annotations"], BOUND_BY_CONTROLLER);
    } else {
        remove(&mut body["spec"]["claimRef"], "uid");
        remove(&mut body["spec"]["claimRef"], "resourceVersion");
    }
    Ok(body)
}

/// The status of a claim in a phase, with its volume if it is to have one.
pub(super) fn claim_status(claim: &Value, phase: &str, volume: Option<&Value>) -> Value {
    let held = &claim["status"];
    let mut status = held.as_object().cloned().unwrap_or_default();
    status.insert("phase".into(), phase.into());
    match volume {
        None => {
            status.remove("accessModes");
            status.remove("capacity");
        }
        Some(volume) => {
            status.insert("accessModes".into(), volume["spec"]["accessModes"].clone());
            // Afterwards it is the business of whoever makes it larger.
            if held["phase"] != *phase {
                status.insert("capacity".into(), json!({ "storage": volume["spec"]["capacity"]["storage"] }));
            }
        }
    }
    Value::Object(status)
}

/// The status of a volume in a phase; one that it has is left alone.
pub(super) fn volume_status(volume: &Value, phase: &str, message: &str, now: &str) -> Value {
    let held = &volume["status"];
    if held["phase"] == *phase {
        return held.clone();
    }
    let mut status = held.as_object().cloned().unwrap_or_default();
    status.insert("phase".into(), phase.into());
    status.insert("lastPhaseTransitionTime".into(), now.into());
    if message.is_empty() {
        status.remove("message");
    } else {
        status.insert("message".into(), message.into());
    }
    Value::Object(status)
}

fn annotate(body: &mut Value, annotations: &[(&str, &str)]) {
    for (name, value) in annotations {
        body["metadata"]["annotations"][*name] = json!(value);
    }
}

fn remove(object: &mut Value, field: &str) {
    object.as_object_mut().map(|object: &mut Map<String, Value>| object.remove(field));
}
