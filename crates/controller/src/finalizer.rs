//! Finalizers: names that hold up an object's deletion until its controller has
//! cleaned up. Written as merge patches that fail when the object has changed.

use api::Status;
use client::{Object, Objects, Patch, Target, WriteOptions};
use serde_json::json;

use crate::place;

/// Whether the object bears the finalizer.
pub fn has(object: &Object, finalizer: &str) -> bool {
    object.meta.finalizers.iter().any(|held| held == finalizer)
}

/// Adds the finalizer unless it is there; returns the object as it is then. An object that is
/// being deleted accepts no more finalizers: ask [`api::ObjectMeta::is_deleting`] first.
pub async fn add(objects: &dyn Objects, target: &Target, object: &Object, finalizer: &str) -> Result<Object, Status> {
    if has(object, finalizer) {
        return Ok(object.clone());
    }
    let mut finalizers = object.meta.finalizers.clone();
    finalizers.push(finalizer.to_owned());
    write(objects, target, object, &finalizers).await
}

/// Removes the finalizer; fine if it or the object is already gone.
pub async fn remove(objects: &dyn Objects, target: &Target, object: &Object, finalizer: &str) -> Result<(), Status> {
    if !has(object, finalizer) {
        return Ok(());
    }
    let finalizers: Vec<String> = object.meta.finalizers.iter().filter(|held| *held != finalizer).cloned().collect();
    match write(objects, target, object, &finalizers).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

async fn write(
    objects: &dyn Objects,
    target: &Target,
    object: &Object,
    finalizers: &[String],
) -> Result<Object, Status> {
    let target = place::of(target, object);
    let metadata = json!({
        "uid": object.meta.uid,
        "resourceVersion": object.meta.resource_version,
        "finalizers": finalizers,
    });
    let patch = Patch::Merge(json!({ "metadata": metadata }).to_string().into());
    objects.patch(&target, &object.meta.name, None, patch, WriteOptions::default()).await
}
