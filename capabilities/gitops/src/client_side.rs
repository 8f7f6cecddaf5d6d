//! Objects that server-side apply cannot take: what lists a thing twice under one key,
//! such as a variable of a container. They are valid and Argo CD applies them, so they
//! are merged here and written whole, with the record of kubectl's client-side apply,
//! from which `migrate` brings them over once nothing is listed twice. Pure.

use api::KindDescriptor;
use machinery::ownership::{Manager, Managers, Operation};
use machinery::structured::{Duplicates, Node, validate};
use serde_json::{Value, json};

use crate::migrate;
use crate::normalise::{self, LAST_APPLIED};

/// Whether an object fits its kind but for what it lists twice.
pub fn is_needed(desired: &Value, kind: &KindDescriptor) -> bool {
    let types = api::builtin::types();
    if types.by_name(&kind.type_name).is_none() {
        return false;
    }
    let fits = |duplicates| validate(Node::of_type(types, &kind.type_name), desired, duplicates).is_ok();
    !fits(Duplicates::Refused) && fits(Duplicates::Allowed)
}

/// The object that is to be created.
pub fn created(desired: &Value) -> Value {
    with_record(desired.clone(), desired)
}

/// The object that is to be written over `live`; `None` if that is so already. What was applied
/// from the server's side before is owned as what this side writes.
pub fn merged(desired: &Value, live: &Value, kind: &KindDescriptor) -> Option<Value> {
    let merged = normalise::predict(desired, live, Some(kind));
    if normalise::is_same(&merged, live, Some(kind), &[]) && !migrate::is_owned(live) {
        return None;
    }
    let mut merged = with_record(merged, desired);
    if let Some(owners) = owners(live) {
        merged["metadata"]["managedFields"] = owners;
    }
    Some(merged)
}

/// The owners of a live object, without anything that was applied by Applications.
fn owners(live: &Value) -> Option<Value> {
    let managers = Managers::read(live.pointer("/metadata/managedFields")).ok()?;
    let ours = managers.iter().find(|manager| migrate::is_ours(manager))?.clone();
    managers.moved(&migrate::is_ours, Manager { operation: Operation::Update, ..ours }).write()
}

fn with_record(mut object: Value, applied: &Value) -> Value {
    let record = applied.to_string();
    let annotations = &mut object["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[LAST_APPLIED] = record.into();
    object
}

#[cfg(test)]
mod tests;
