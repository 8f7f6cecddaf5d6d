//! Writes a status: once per reconcile, and only when it differs from what is
//! there. Each field of a status has one writer; this never overwrites another's.

use api::Status;
use client::{Object, Objects, Target, WriteOptions};
use serde_json::Value;

use crate::place;

/// Races that are lost in a row before the caller hears of it.
const ATTEMPTS: usize = 5;

/// Writes `new_status` to the status subresource of `object` unless it is its status already;
/// says whether it wrote. A write that loses a race is tried again on the newest object as long
/// as the status there is still the one this was derived from; else it answers the conflict.
pub async fn status_if_changed(
    objects: &dyn Objects,
    target: &Target,
    object: &Object,
    new_status: Value,
) -> Result<bool, Status> {
    let target = place::of(target, object);
    let name = &object.meta.name;
    let mut body = object.value()?;
    let derived_from = body["status"].take();
    if same(&derived_from, &new_status) {
        return Ok(false);
    }
    for attempt in 1.. {
        body["status"] = new_status.clone();
        let written = objects.update(&target, name, Some("status"), body.to_string().into(), WriteOptions::default());
        let conflict = match written.await {
            Ok(_) => return Ok(true),
            Err(status) if status.is_conflict() && attempt < ATTEMPTS => status,
            Err(status) => return Err(status),
        };
        let newest = objects.get(&target, name).await?;
        body = newest.value()?;
        if newest.meta.uid != object.meta.uid || !same(&body["status"], &derived_from) {
            return Err(conflict);
        }
    }
    unreachable!("the last attempt returns")
}

/// Equal, where an absent and an empty status are the same.
fn same(left: &Value, right: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    left == right || (is_empty(left) && is_empty(right))
}
