//! What a write to a subresource of a pod may change: ephemeral containers are only added,
//! and a resize changes how much processor and memory containers have.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Object;
use super::findings::Findings;
use super::places::{at, list, object_at, objects, text};
use crate::validate::dns_label;

const EPHEMERAL: &str = "spec.ephemeralContainers";
/// Fields that ephemeral containers may not have, since nothing is promised to them.
const NOT_EPHEMERAL: [&str; 6] =
    ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy"];

/// Checks ephemeral containers that replace those of `old`.
pub(super) fn ephemeral_containers(old: &Object, new: &Object, found: &mut Findings) {
    for (_, held) in objects(old, EPHEMERAL) {
        let name = text(held, "name");
        match objects(new, EPHEMERAL).find(|(_, container)| text(container, "name") == name) {
            None => {
                found.forbidden(EPHEMERAL, &format!("existing ephemeral containers \"{name}\" may not be removed\n"))
            }
            Some((_, kept)) if kept != held => {
                found.forbidden(EPHEMERAL, &format!("existing ephemeral containers \"{name}\" may not be changed\n"));
            }
            Some(_) => {}
        }
    }
    let of_pod = ["spec.containers", "spec.initContainers"].into_iter().flat_map(|list| objects(new, list));
    let mut names: BTreeSet<&str> = of_pod.map(|(_, container)| text(container, "name")).collect();
    let targets: BTreeSet<&str> = names.clone();
    for (index, container) in objects(new, EPHEMERAL) {
        let sub = |field: &str| format!("{EPHEMERAL}[{index}].{field}");
        match text(container, "name") {
            "" => found.required(&sub("name"), ""),
            name => {
                found.invalid_text(&sub("name"), name, &dns_label(name));
                if !names.insert(name) {
                    found.duplicate(&sub("name"), &json!(name));
                }
            }
        }
        if text(container, "image").is_empty() {
            found.required(&sub("image"), "");
        }
        let target = text(container, "targetContainerName");
        if !target.is_empty() && !targets.contains(target) {
            found.not_found(&sub("targetContainerName"), target);
        }
        let is_stated = |field: &&&str| at(container, field).is_some();
        for field in NOT_EPHEMERAL.iter().filter(is_stated) {
            found.forbidden(&sub(field), "cannot be set for an Ephemeral Container");
        }
        if object_at(container, "resources").is_some_and(|resources| !resources.is_empty()) {
            found.forbidden(&sub("resources"), "cannot be set for an Ephemeral Container");
        }
    }
}

/// Checks a pod whose containers are given other resources than those of `old`.
pub(super) fn resize(old: &Object, new: &Object, found: &mut Findings) {
    let mut rest = new.get("spec").cloned().unwrap_or_default();
    for name in ["containers", "initContainers"] {
        let path = format!("spec.{name}");
        let (held, wanted) = (list(old, &path), list(new, &path));
        if held.len() != wanted.len() {
            found.forbidden("spec", "containers may not be added or removed on resize");
            return;
        }
        for (index, (held, wanted)) in held.iter().zip(wanted).enumerate() {
            removals(&format!("{path}[{index}].resources"), held, wanted, found);
            put_back(held, &mut rest[name][index]);
        }
    }
    if Some(&rest) != old.get("spec") {
        found.forbidden("spec", "only cpu and memory resources are mutable");
    }
}

/// What was stated cannot become unstated.
fn removals(field: &str, held: &Value, wanted: &Value, found: &mut Findings) {
    for part in ["limits", "requests"] {
        let amounts = |container: &Value| container["resources"][part].as_object().cloned().unwrap_or_default();
        let wanted = amounts(wanted);
        for resource in ["cpu", "memory"] {
            if amounts(held).contains_key(resource) && !wanted.contains_key(resource) {
                found.forbidden(&format!("{field}.{part}"), &format!("resource {part} cannot be removed"));
                break;
            }
        }
    }
}

/// Undoes the changes of what may change.
fn put_back(held: &Value, container: &mut Value) {
    for part in ["limits", "requests"] {
        for resource in ["cpu", "memory"] {
            match held["resources"][part].get(resource) {
                Some(amount) => container["resources"][part][resource] = amount.clone(),
                None => {
                    if let Some(amounts) = container["resources"][part].as_object_mut() {
                        amounts.remove(resource);
                    }
                }
            }
        }
        let is_empty = container["resources"][part].as_object().is_none_or(serde_json::Map::is_empty);
        if let Some(resources) = container["resources"].as_object_mut()
            && is_empty
            && held["resources"].get(part).is_none()
        {
            resources.remove(part);
        }
    }
    if held.get("resources").is_none()
        && let Some(container) = container.as_object_mut()
    {
        container.remove("resources");
    }
}
