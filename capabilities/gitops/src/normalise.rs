//! What two objects are before they are compared: without what the server and
//! other writers add, in one spelling. Pure; it must never change what is applied,
//! except where a function says so.

use api::KindDescriptor;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use machinery::diff::remove;
use machinery::fields::Set;
use machinery::merge3::SERVER_METADATA;
use machinery::ownership::{Manager, Managers, Operation};
use machinery::patch::Schema;
use serde_json::{Map, Value};

use crate::project::matches;
use crate::resource::{self, Key};
use crate::types::IgnoreDifference;

/// Who writes for Applications, as Argo CD names itself.
pub const FIELD_MANAGER: &str = "argocd-controller";

/// The annotation in which client-side apply keeps what it last applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Brings a rendered object into the form in which it is applied: no server-owned fields, a
/// Secret's `stringData` as `data`, no empty annotations, nothing that is left to the server.
pub fn desired(object: &mut Value) {
    resource::without_nulls(object);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        SERVER_METADATA.iter().for_each(|name| drop(metadata.remove(*name)));
        if metadata.get("annotations").and_then(Value::as_object).is_some_and(Map::is_empty) {
            metadata.remove("annotations");
        }
    }
    let gvk = resource::gvk(object);
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        match (&*gvk.group, &*gvk.kind) {
            ("", "Secret") => secret(fields),
            ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => drop_empty(fields, "rules"),
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                // The server fills it in inside a value that is one thing.
                if let Some(Value::Object(role)) = fields.get_mut("roleRef") {
                    role.retain(|name, value| name != "apiGroup" || value != "");
                }
            }
            _ => {}
        }
    }
    let types = api::builtin::types();
    if let Some(id) = api::builtin::type_of(&gvk) {
        machinery::diff::leave_out_zeros(object, (types, &types.get(id).name));
    }
}

/// `stringData` is write-only: the server answers with `data`.
fn secret(fields: &mut Map<String, Value>) {
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    for (name, text) in texts {
        if let Some(text) = text.as_str() {
            data[name] = Value::String(STANDARD.encode(text));
        }
    }
}

fn drop_empty(fields: &mut Map<String, Value>, name: &str) {
    if fields.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty) {
        fields.remove(name);
    }
}

/// The schema that merges an object of a kind; `None` for custom kinds.
pub fn schema(kind: Option<&KindDescriptor>) -> Option<Schema<'static>> {
    let name = &kind?.type_name;
    let known = api::builtin::types().by_name(name)?;
    Some((api::builtin::types(), &known.name))
}

/// What client-side apply last applied to a live object.
pub fn last_applied(live: &Value) -> Option<Value> {
    serde_json::from_str(resource::annotation(live, LAST_APPLIED)?).ok()
}

/// What `live` becomes when `desired` is applied to it: the three-way merge, by the schema of a
/// built-in kind, or as plain JSON.
pub fn predict(desired: &Value, live: &Value, kind: Option<&KindDescriptor>) -> Value {
    let original = last_applied(live);
    let mut predicted = machinery::merge3::three_way(original.as_ref(), desired, live, schema(kind));
    keep_claim_templates(desired, live, &mut predicted);
    predicted
}

/// The server completes the claim templates of a StatefulSet inside a list that merges whole, so
/// that the merge would undo it; what the server only added is kept.
fn keep_claim_templates(desired: &Value, live: &Value, predicted: &mut Value) {
    const POINTER: &str = "/spec/volumeClaimTemplates";
    if resource::text(desired, "/kind") != "StatefulSet" {
        return;
    }
    if let (Some(wanted), Some(actual), Some(place)) =
        (desired.pointer(POINTER), live.pointer(POINTER), predicted.pointer_mut(POINTER))
        && covers(actual, wanted)
    {
        *place = actual.clone();
    }
}

/// Whether `actual` holds all that `wanted` states.
fn covers(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| actual.get(name).is_some_and(|actual| covers(actual, wanted)))
        }
        (Value::Array(actual), Value::Array(wanted)) => {
            actual.len() == wanted.len() && actual.iter().zip(wanted).all(|(actual, wanted)| covers(actual, wanted))
        }
        (actual, wanted) => actual == wanted,
    }
}

/// Whether an object is as it is wanted: what its Application applied and owns is what it states
/// now, and has the stated values. Of an object that was never applied from the server's side it
/// is asked whether a merge would change anything. `ignored` places do not count.
pub fn agrees(desired: &Value, live: &Value, kind: Option<&KindDescriptor>, ignored: &[String]) -> bool {
    let Some(owned) = owned(live) else {
        return is_same(&predict(desired, live, kind), live, kind, ignored);
    };
    let compared = |object: &Value| {
        let mut object = machinery::diff::normalise_stated(object, schema(kind));
        ignored.iter().for_each(|pointer| remove(&mut object, pointer));
        object
    };
    let (desired, mut live) = (compared(desired), compared(live));
    without_default_tolerations(&desired, &mut live);
    machinery::ownership::agrees(&owned, &desired, &live)
}

/// The server adds two tolerations to every pod, in a list that is one thing.
fn without_default_tolerations(desired: &Value, live: &mut Value) {
    const POINTER: &str = "/spec/tolerations";
    const ADDED: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    if resource::text(desired, "/kind") != "Pod" {
        return;
    }
    let stated = desired.pointer(POINTER).and_then(Value::as_array);
    if let Some(Value::Array(held)) = live.pointer_mut(POINTER) {
        held.retain(|toleration| {
            !ADDED.contains(&resource::text(toleration, "/key"))
                || stated.is_some_and(|stated| stated.iter().any(|one| one["key"] == toleration["key"]))
        });
    }
}

/// The fields that Applications own of a live object; `None` if none was ever applied to it.
fn owned(live: &Value) -> Option<Set> {
    let managers = Managers::read(live.pointer("/metadata/managedFields")).ok()?;
    let is_ours = |manager: &&Manager| {
        manager.name == FIELD_MANAGER && manager.operation == Operation::Apply && manager.subresource.is_empty()
    };
    managers.iter().find(is_ours).map(|manager| manager.fields.clone())
}

/// Whether applying would change nothing that counts: status, what the server writes and
/// `ignored` places are left out of the comparison.
pub fn is_same(predicted: &Value, live: &Value, kind: Option<&KindDescriptor>, ignored: &[String]) -> bool {
    let compared = |object: &Value| {
        let mut object = machinery::diff::normalise(object, schema(kind));
        ignored.iter().for_each(|pointer| remove(&mut object, pointer));
        object
    };
    compared(predicted) == compared(live)
}

/// The places of one object that an Application says not to compare.
pub fn ignored_pointers(rules: &[IgnoreDifference], key: &Key) -> Vec<String> {
    let is = |wanted: &str, actual: &str| wanted.is_empty() || wanted == actual;
    rules
        .iter()
        .filter(|rule| matches(&rule.group, &key.group, None) && matches(&rule.kind, &key.kind, None))
        .filter(|rule| is(&rule.name, &key.name) && is(&rule.namespace, &key.namespace))
        .flat_map(|rule| rule.json_pointers.iter().cloned())
        .collect()
}

/// Takes the live values of ignored places into what is applied (RespectIgnoreDifferences).
pub fn respect_ignored(desired: &mut Value, live: &Value, ignored: &[String]) {
    for pointer in ignored.iter().filter(|pointer| !pointer.starts_with("/status")) {
        remove(desired, pointer);
        let (Some(value), Some((parent, name))) = (live.pointer(pointer), pointer.rsplit_once('/')) else { continue };
        if let Some(Value::Object(fields)) = desired.pointer_mut(parent) {
            fields.insert(name.replace("~1", "/").replace("~0", "~"), value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
