//! Rules for volumes, claims and classes of storage, and what of them may change.

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{at, entries, list, object_at, text};
use super::{Object, selectors};
use crate::quantity::Quantity;
use crate::validate::{dns_subdomain, qualified_name};

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// Fields of a volume's spec that are not its source.
const NO_SOURCES: [&str; 9] = [
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// Checks a `PersistentVolumeClaim`.
pub(super) fn claim(object: &Object, found: &mut Findings) {
    if list(object, "spec.accessModes").is_empty() {
        found.required("spec.accessModes", "at least 1 access mode is required");
    }
    modes(object, found);
    selectors::check("spec.selector", at(object, "spec.selector"), found);
    match entries(object, "spec.resources.requests").find(|(name, _)| *name == "storage") {
        None => found.required("spec.resources[storage]", ""),
        Some((_, amount)) => positive("spec.resources[storage]", amount, found),
    }
    class_name(object, found);
}

/// Checks a `PersistentVolume`.
pub(super) fn volume(object: &Object, found: &mut Findings) {
    if list(object, "spec.accessModes").is_empty() {
        found.required("spec.accessModes", "");
    }
    modes(object, found);
    capacity(object, found);
    let empty = Object::new();
    let spec = object_at(object, "spec").unwrap_or(&empty);
    let sources: Vec<&String> = spec.keys().filter(|name| is_source(name) && !spec[*name].is_null()).collect();
    if sources.is_empty() {
        found.required("spec", "must specify a volume type");
    }
    for extra in sources.iter().skip(1) {
        found.forbidden(&format!("spec.{extra}"), "may not specify more than 1 volume type");
    }
    const POLICY: &str = "spec.persistentVolumeReclaimPolicy";
    found.one_of(POLICY, at(object, POLICY), &["Delete", "Recycle", "Retain"]);
    host_path(object, found);
    class_name(object, found);
}

fn capacity(object: &Object, found: &mut Findings) {
    let held = object_at(object, "spec.capacity").filter(|capacity| !capacity.is_empty());
    if held.is_none() {
        found.required("spec.capacity", "");
    }
    let amount = held.and_then(|capacity| capacity.get("storage"));
    if amount.is_none() || held.is_some_and(|capacity| capacity.len() > 1) {
        let shown = held.map_or(Value::Null, |capacity| Value::Object(capacity.clone()));
        found.unsupported("spec.capacity", &shown, &["storage"]);
    }
    if let Some(amount) = amount {
        positive("spec.capacity[storage]", amount, found);
    }
}

fn host_path(object: &Object, found: &mut Findings) {
    let Some(source) = object_at(object, "spec.hostPath") else { return };
    let path = text(source, "path");
    if path.is_empty() {
        found.required("spec.hostPath.path", "");
    }
    if path.split('/').any(|part| part == "..") {
        found.invalid("spec.hostPath.path", &json!(path), "must not contain '..'");
    }
    if path == "/" && text(object, "spec.persistentVolumeReclaimPolicy") == "Recycle" {
        let why = "may not be 'recycle' for a hostPath mount of '/'";
        found.forbidden("spec.persistentVolumeReclaimPolicy", why);
    }
}

fn modes(object: &Object, found: &mut Findings) {
    let stated = list(object, "spec.accessModes");
    for mode in stated.iter().filter(|mode| !MODES.contains(&mode.as_str().unwrap_or_default())) {
        found.unsupported("spec.accessModes", mode, &MODES);
    }
    if stated.len() > 1 && stated.contains(&json!("ReadWriteOncePod")) {
        found.forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes");
    }
    found.one_of("spec.volumeMode", at(object, "spec.volumeMode"), &["Block", "Filesystem"]);
}

fn class_name(object: &Object, found: &mut Findings) {
    let class = text(object, "spec.storageClassName");
    if !class.is_empty() {
        found.invalid_text("spec.storageClassName", class, &dns_subdomain(class));
    }
}

fn positive(field: &str, amount: &Value, found: &mut Findings) {
    if Quantity::from_json(amount).is_none_or(|amount| amount <= Quantity::from_integer(0)) {
        found.invalid(field, amount, "must be greater than zero");
    }
}

fn is_source(field: &str) -> bool {
    !NO_SOURCES.contains(&field)
}

/// Checks a `StorageClass`.
pub(super) fn class(object: &Object, found: &mut Findings) {
    match text(object, "provisioner").to_lowercase().as_str() {
        "" => found.required("provisioner", ""),
        provisioner => found.invalid_text("provisioner", provisioner, &qualified_name(provisioner)),
    }
    found.one_of("reclaimPolicy", at(object, "reclaimPolicy"), &["Delete", "Retain"]);
    found.one_of("volumeBindingMode", at(object, "volumeBindingMode"), &["Immediate", "WaitForFirstConsumer"]);
    for (key, _) in entries(object, "parameters").filter(|(key, _)| key.is_empty()) {
        found.invalid("parameters", &json!(key), "field can not be empty.");
    }
}

/// Checks what of a `PersistentVolume` changes: all but where it lies.
pub(super) fn volume_update(old: &Object, new: &Object, found: &mut Findings) {
    let source = |object: &Object| {
        let mut spec = object_at(object, "spec").cloned().unwrap_or_default();
        spec.retain(|field, _| is_source(field));
        spec
    };
    if source(old) != source(new) {
        found.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation");
    }
}

/// Checks what of a `PersistentVolumeClaim` changes: it is bound once, and grows then.
pub(super) fn claim_update(old: &Object, new: &Object, found: &mut Findings) {
    const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    let spec = |object: &Object| object_at(object, "spec").cloned().unwrap_or_default();
    let (mut held, mut stated) = (spec(old), spec(new));
    if text(old, "spec.volumeName").is_empty() {
        held.remove("volumeName");
        stated.remove("volumeName");
    }
    let annotation = |object: &Object| {
        entries(object, "metadata.annotations").find(|(key, _)| *key == BETA_CLASS).map(|(_, value)| value.clone())
    };
    if !held.contains_key("storageClassName") && annotation(old).is_none() {
        stated.remove("storageClassName");
    }
    if text(new, "status.phase") == "Bound" {
        for spec in [&mut held, &mut stated] {
            spec.remove("volumeAttributesClassName");
            if let Some(requests) = spec.get_mut("resources").and_then(|resources| resources.get_mut("requests")) {
                requests.as_object_mut().map(|requests| requests.remove("storage"));
            }
        }
    }
    if held != stated {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
            claims";
        found.forbidden("spec", why);
    }
    shrink(old, new, found);
}

/// A claim may be given back what it did not get, but no less than it has.
fn shrink(old: &Object, new: &Object, found: &mut Findings) {
    let size = |object: &Object, path: &str| at(object, path).and_then(Quantity::from_json);
    const ASKED: &str = "spec.resources.requests.storage";
    let (Some(before), Some(after)) = (size(old, ASKED), size(new, ASKED)) else { return };
    if after < before && size(old, "status.capacity.storage").is_some_and(|held| after <= held) {
        found.forbidden(ASKED, "field can not be less than status.capacity");
    }
}
