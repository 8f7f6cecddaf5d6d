//! Fields that never change once an object is there: a table of kinds and places. Fields
//! with exceptions have functions of their own elsewhere.

use serde_json::Value;

use super::Object;
use super::findings::Findings;
use super::places::at;

/// How the change of a field is refused.
enum Words {
    /// `Invalid value: …: field is immutable`.
    Invalid,
    /// `Forbidden`, with this sentence.
    Forbidden(&'static str),
}

use Words::{Forbidden, Invalid};

/// Group, plural, the place, the field as it is reported, the words.
const TABLE: &[(&str, &str, &str, &str, Words)] = &[
    ("", "persistentvolumes", "spec.volumeMode", "volumeMode", Invalid),
    ("", "persistentvolumeclaims", "spec.volumeMode", "volumeMode", Invalid),
    ("", "secrets", "type", "type", Invalid),
    ("apiextensions.k8s.io", "customresourcedefinitions", "spec.group", "spec.group", Invalid),
    ("apiextensions.k8s.io", "customresourcedefinitions", "spec.names.plural", "spec.names.plural", Invalid),
    ("apps", "controllerrevisions", "data", "data", Invalid),
    ("apps", "daemonsets", "spec.selector", "spec.selector", Invalid),
    ("apps", "deployments", "spec.selector", "spec.selector", Invalid),
    ("apps", "replicasets", "spec.selector", "spec.selector", Invalid),
    ("discovery.k8s.io", "endpointslices", "addressType", "addressType", Invalid),
    ("networking.k8s.io", "ingressclasses", "spec.controller", "spec.controller", Invalid),
    ("networking.k8s.io", "ipaddresses", "spec.parentRef", "spec.parentRef", Invalid),
    ("node.k8s.io", "runtimeclasses", "handler", "handler", Invalid),
    ("resource.k8s.io", "resourceclaims", "spec", "spec", Invalid),
    ("resource.k8s.io", "resourceclaimtemplates", "spec", "spec", Invalid),
    ("scheduling.k8s.io", "priorityclasses", "preemptionPolicy", "preemptionPolicy", Invalid),
    ("scheduling.k8s.io", "priorityclasses", "value", "value", Forbidden("may not be changed in an update.")),
    ("storage.k8s.io", "csidrivers", "spec.attachRequired", "spec.attachedRequired", Invalid),
    ("storage.k8s.io", "csidrivers", "spec.volumeLifecycleModes", "spec.volumeLifecycleModes", Invalid),
    ("storage.k8s.io", "csistoragecapacities", "nodeTopology", "nodeTopology", Invalid),
    ("storage.k8s.io", "csistoragecapacities", "storageClassName", "storageClassName", Invalid),
    ("storage.k8s.io", "storageclasses", "parameters", "parameters", Invalid),
    ("storage.k8s.io", "storageclasses", "provisioner", "provisioner", Invalid),
    ("storage.k8s.io", "storageclasses", "reclaimPolicy", "reclaimPolicy", Invalid),
    ("storage.k8s.io", "storageclasses", "volumeBindingMode", "volumeBindingMode", Invalid),
    ("storage.k8s.io", "volumeattachments", "spec", "spec", Invalid),
    (
        "storage.k8s.io",
        "volumeattributesclasses",
        "driverName",
        "driverName",
        Forbidden("updates to driverName are forbidden."),
    ),
    (
        "storage.k8s.io",
        "volumeattributesclasses",
        "parameters",
        "parameters",
        Forbidden("updates to parameters are forbidden."),
    ),
];

/// Checks the fields of the kind that may not change.
pub(super) fn check(group: &str, plural: &str, old: &Object, new: &Object, found: &mut Findings) {
    for (_, _, path, field, words) in TABLE.iter().filter(|row| row.0 == group && row.1 == plural) {
        if at(old, path) == at(new, path) {
            continue;
        }
        match words {
            Invalid => found.invalid(field, at(new, path).unwrap_or(&Value::Null), "field is immutable"),
            Forbidden(why) => found.forbidden(field, why),
        }
    }
    match (group, plural) {
        ("networking.k8s.io", "servicecidrs") => ranges(old, new, found),
        ("apiextensions.k8s.io", "customresourcedefinitions") => established(old, new, found),
        _ => {}
    }
}

/// What of a definition stays once its kind is served.
fn established(old: &Object, new: &Object, found: &mut Findings) {
    let is_true = |condition: &Value| condition["type"] == "Established" && condition["status"] == "True";
    if !super::places::list(old, "status.conditions").iter().any(is_true) {
        return;
    }
    for field in ["spec.scope", "spec.names.kind"] {
        if at(old, field) != at(new, field) {
            found.invalid(field, at(new, field).unwrap_or(&Value::Null), "field is immutable");
        }
    }
}

/// The ranges of addresses of a `ServiceCIDR` stay; a second may be added.
fn ranges(old: &Object, new: &Object, found: &mut Findings) {
    for (index, held) in super::places::list(old, "spec.cidrs").iter().enumerate() {
        let stated = super::places::list(new, "spec.cidrs").get(index).unwrap_or(&Value::Null);
        if stated != held {
            found.invalid(&format!("spec.cidrs[{index}]"), stated, "field is immutable");
        }
    }
}
