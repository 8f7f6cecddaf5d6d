//! What of a pod may change: images, a shorter deadline, more tolerations, fewer
//! scheduling gates and, while there are any, a narrower choice of nodes.

use serde_json::{Value, json};

use super::Object;
use super::findings::Findings;
use super::places::{at, list, object_at, objects, text};

const ELSE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
    tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Checks the change from `old` to `new`.
pub(super) fn check(old: &Object, new: &Object, found: &mut Findings) {
    let empty = Object::new();
    let old = object_at(old, "spec").unwrap_or(&empty);
    let new = object_at(new, "spec").unwrap_or(&empty);
    for name in ["containers", "initContainers"] {
        if list(old, name).len() != list(new, name).len() {
            found.forbidden(&format!("spec.{name}"), "pod updates may not add or remove containers");
            return;
        }
    }
    if !deadline(old, new, found) {
        return;
    }
    tolerations(old, new, found);
    gates(old, new, found);
    let mut rest = new.clone();
    put_back(old, &mut rest);
    if !list(old, "schedulingGates").is_empty() {
        place(old, new, found);
        copy(old, &mut rest, "nodeSelector");
        put_back_affinity(old, &mut rest);
    }
    if rest != *old {
        found.forbidden("spec", ELSE);
    }
}

/// A deadline may come and move nearer. Returns whether it is worth looking further.
fn deadline(old: &Object, new: &Object, found: &mut Findings) -> bool {
    const FIELD: &str = "spec.activeDeadlineSeconds";
    let seconds = |spec: &Object| at(spec, "activeDeadlineSeconds").and_then(Value::as_i64);
    match (seconds(old), seconds(new)) {
        (_, Some(new)) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            found.invalid(FIELD, &json!(new), "must be between 0 and 2147483647, inclusive");
            false
        }
        (Some(old), Some(new)) if old < new => {
            found.invalid(FIELD, &json!(new), "must be less than or equal to previous value");
            false
        }
        (Some(_), None) => {
            found.invalid(FIELD, &Value::Null, "must not update from a positive integer to nil value");
            true
        }
        _ => true,
    }
}

fn tolerations(old: &Object, new: &Object, found: &mut Findings) {
    let new = list(new, "tolerations");
    let same = |held: &Value, kept: &Value| {
        // How long something is tolerated may change.
        let without = |toleration: &Value| {
            let mut fields = toleration.as_object().cloned().unwrap_or_default();
            fields.remove("tolerationSeconds");
            fields
        };
        held == kept || (held.get("effect") == Some(&json!("NoExecute")) && without(held) == without(kept))
    };
    let is_kept = |held: &Value| new.iter().any(|kept| same(held, kept));
    if !list(old, "tolerations").iter().all(is_kept) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        found.forbidden("spec.tolerations", why);
    }
}

fn gates(old: &Object, new: &Object, found: &mut Findings) {
    let held: Vec<&str> = objects(old, "schedulingGates").map(|(_, gate)| text(gate, "name")).collect();
    for (index, gate) in objects(new, "schedulingGates") {
        let name = text(gate, "name");
        if !held.contains(&name) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            found.forbidden(&format!("spec.schedulingGates[{index}].name"), &why);
        }
    }
}

/// Where a pod may run can only be narrowed.
fn place(old: &Object, new: &Object, found: &mut Findings) {
    let empty = Object::new();
    let held = object_at(old, "nodeSelector").unwrap_or(&empty);
    let stated = object_at(new, "nodeSelector").unwrap_or(&empty);
    if held.iter().any(|(key, value)| stated.get(key) != Some(value)) {
        let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        found.invalid("spec.nodeSelector", &Value::Object(stated.clone()), why);
    }
    let required = |spec| at(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    if let Some(held) = required(old) {
        affinity(held, required(new), found);
    }
}

fn affinity(held: &Value, stated: Option<&Value>, found: &mut Findings) {
    const FIELD: &str = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let terms = |selector: &Value| selector["nodeSelectorTerms"].as_array().cloned().unwrap_or_default();
    let (held, stated) = (terms(held), stated.map(terms).unwrap_or_default());
    if held.len() != stated.len() {
        found.invalid(
            &format!("{FIELD}.nodeSelectorTerms"),
            &json!(stated),
            "no additions/deletions to non-empty \
            NodeSelectorTerms list are allowed",
        );
        return;
    }
    for (index, (held, stated)) in held.iter().zip(&stated).enumerate() {
        let keeps = |part: &str| {
            let list = |term: &Value| term[part].as_array().cloned().unwrap_or_default();
            list(held).iter().all(|requirement| list(stated).contains(requirement))
        };
        if !keeps("matchExpressions") || !keeps("matchFields") {
            found.invalid(
                &format!("{FIELD}.nodeSelectorTerms[{index}]"),
                stated,
                "only additions are allowed (no \
                mutations or deletions)",
            );
        }
    }
}

/// Undoes the changes that are judged one by one.
fn put_back(old: &Object, rest: &mut Object) {
    for name in ["containers", "initContainers"] {
        let held = list(old, name).to_vec();
        let containers = rest.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, held) in containers.zip(held) {
            if let (Some(container), Some(image)) = (container.as_object_mut(), held.get("image")) {
                container.insert("image".into(), image.clone());
            }
        }
    }
    for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        copy(old, rest, name);
    }
    let grace = |spec: &Object| at(spec, "terminationGracePeriodSeconds").and_then(Value::as_i64);
    if grace(old).is_some_and(|secs| secs < 0) && grace(rest) == Some(1) {
        copy(old, rest, "terminationGracePeriodSeconds");
    }
}

fn put_back_affinity(old: &Object, rest: &mut Object) {
    let held = at(old, "affinity.nodeAffinity").cloned();
    let mut affinity = object_at(rest, "affinity").cloned().unwrap_or_default();
    match held {
        Some(held) => affinity.insert("nodeAffinity".into(), held),
        None => affinity.remove("nodeAffinity"),
    };
    if affinity.is_empty() && at(old, "affinity").is_none() {
        rest.remove("affinity");
    } else {
        rest.insert("affinity".into(), Value::Object(affinity));
    }
}

fn copy(from: &Object, to: &mut Object, field: &str) {
    match from.get(field) {
        Some(value) => to.insert(field.to_owned(), value.clone()),
        None => to.remove(field),
    };
}
