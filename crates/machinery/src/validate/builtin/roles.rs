//! Rules for roles and their bindings, and for the few small kinds that stand alone:
//! priority classes, leases, runtime classes, nodes.

use serde_json::{Value, json};

use super::Object;
use super::findings::Findings;
use super::places::{at, list, number, objects, text};
use crate::validate::{dns_label, dns_subdomain, path_segment};

const GROUP: &str = "rbac.authorization.k8s.io";
/// Priorities above this are the system's.
const HIGHEST_OF_USERS: i64 = 1_000_000_000;

/// Checks a `Role` or `ClusterRole`.
pub(super) fn role(object: &Object, is_namespaced: bool, found: &mut Findings) {
    for (index, rule) in objects(object, "rules") {
        let sub = |name: &str| format!("rules[{index}].{name}");
        if list(rule, "verbs").is_empty() {
            found.required(&sub("verbs"), "verbs must contain at least one value");
        }
        let urls = list(rule, "nonResourceURLs");
        if !urls.is_empty() {
            let shown = Value::from(urls.to_vec());
            let is_mixed = ["apiGroups", "resources", "resourceNames"].iter().any(|name| !list(rule, name).is_empty());
            if is_namespaced {
                found.invalid(&sub("nonResourceURLs"), &shown, "namespaced rules cannot apply to non-resource URLs");
            } else if is_mixed {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                found.invalid(&sub("nonResourceURLs"), &shown, why);
            }
            continue;
        }
        if list(rule, "apiGroups").is_empty() {
            found.required(&sub("apiGroups"), "resource rules must supply at least one api group");
        }
        if list(rule, "resources").is_empty() {
            found.required(&sub("resources"), "resource rules must supply at least one resource");
        }
    }
    const SELECTORS: &str = "aggregationRule.clusterRoleSelectors";
    if at(object, "aggregationRule").is_some() && list(object, SELECTORS).is_empty() {
        found.required(SELECTORS, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
}

/// Checks a `RoleBinding` or `ClusterRoleBinding`.
pub(super) fn binding(object: &Object, is_namespaced: bool, found: &mut Findings) {
    found.one_of("roleRef.apiGroup", at(object, "roleRef.apiGroup"), &[GROUP]);
    let kinds: &[&str] = if is_namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    found.one_of("roleRef.kind", at(object, "roleRef.kind"), kinds);
    match text(object, "roleRef.name") {
        "" => found.required("roleRef.name", ""),
        name => found.invalid_text("roleRef.name", name, &path_segment(name, false)),
    }
    for (index, item) in objects(object, "subjects") {
        subject(item, &format!("subjects[{index}]"), is_namespaced, found);
    }
}

fn subject(subject: &Object, field: &str, is_namespaced: bool, found: &mut Findings) {
    let sub = |name: &str| format!("{field}.{name}");
    let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
    if name.is_empty() {
        found.required(&sub("name"), "");
    }
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                found.invalid_text(&sub("name"), name, &dns_subdomain(name));
            }
            if !group.is_empty() {
                found.unsupported(&sub("apiGroup"), &json!(group), &[""]);
            }
            if !is_namespaced && text(subject, "namespace").is_empty() {
                found.required(&sub("namespace"), "");
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                found.unsupported(&sub("apiGroup"), &json!(group), &[GROUP]);
            }
        }
        other => found.unsupported(&sub("kind"), &json!(other), &["ServiceAccount", "User", "Group"]),
    }
}

/// Checks what of a binding changes: never the role.
pub(super) fn binding_update(old: &Object, new: &Object, found: &mut Findings) {
    if at(old, "roleRef") != at(new, "roleRef") {
        // Go shows its own names of the fields.
        let field = |name: &str| text(new, &format!("roleRef.{name}"));
        let shown = json!({"APIGroup": field("apiGroup"), "Kind": field("kind"), "Name": field("name")});
        found.invalid("roleRef", &shown, "cannot change roleRef");
    }
}

/// Checks a `PriorityClass`.
pub(super) fn priority_class(object: &Object, found: &mut Findings) {
    let name = text(object, "metadata.name");
    let system = [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
    match system.iter().find(|(known, _)| *known == name) {
        Some((_, value)) if number(object, "value") != *value => {
            let why = format!("value of {name} PriorityClass must be {value}");
            found.forbidden(
                "metadata.name",
                &format!(
                    "priority class names with 'system-' prefix are reserved for \
                system use only. error: {why}"
                ),
            );
        }
        Some(_) => {}
        None if name.starts_with("system-") => {
            let why = format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a \
                 known system priority class"
            );
            found.forbidden("metadata.name", &why);
        }
        None if number(object, "value") > HIGHEST_OF_USERS => {
            let why = format!("maximum allowed value of a user defined priority is {HIGHEST_OF_USERS}");
            found.forbidden("value", &why);
        }
        None => {}
    }
    found.one_of("preemptionPolicy", at(object, "preemptionPolicy"), &["PreemptLowerPriority", "Never"]);
}

/// Checks a `Lease`.
pub(super) fn lease(object: &Object, found: &mut Findings) {
    const SECONDS: &str = "spec.leaseDurationSeconds";
    if let Some(seconds) = at(object, SECONDS).filter(|seconds| seconds.as_i64().is_some_and(|seconds| seconds <= 0)) {
        found.invalid(SECONDS, seconds, "must be greater than 0");
    }
    found.not_negative("spec.leaseTransitions", at(object, "spec.leaseTransitions"));
}

/// Checks a `RuntimeClass`.
pub(super) fn runtime_class(object: &Object, found: &mut Findings) {
    match text(object, "handler") {
        "" => found.required("handler", ""),
        handler => found.invalid_text("handler", handler, &dns_label(handler)),
    }
}

/// Checks what of a `Node` changes: what was given to it stays.
pub(super) fn node_update(old: &Object, new: &Object, found: &mut Findings) {
    let ranges = list(old, "spec.podCIDRs");
    if !ranges.is_empty() && ranges != list(new, "spec.podCIDRs") {
        found.forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
    }
    let provider = text(old, "spec.providerID");
    if !provider.is_empty() && provider != text(new, "spec.providerID") {
        found.forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid");
    }
}
