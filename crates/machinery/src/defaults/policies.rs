//! Conditional defaults of the kinds that state who may do what, and how much: network
//! policies, roles, limits, ingress classes, nodes, devices, definitions.

use serde_json::{Value, json};

use super::place::{child, held, set, set_empty, text};
use super::{Fields, Rule};

/// The rule of a type, if it has one.
pub(super) fn rule(type_name: &str) -> Option<Rule> {
    Some(match type_name {
        "apiextensions.v1.CustomResourceDefinitionSpec" => definition,
        "core.v1.LimitRangeItem" => limit_range_item,
        "core.v1.NodeStatus" => node_status,
        "networking.v1.IngressClassSpec" => ingress_class,
        "networking.v1.NetworkPolicySpec" => network_policy,
        "rbac.v1.Subject" => subject,
        "resource.v1.DeviceSubRequest" | "resource.v1.ExactDeviceRequest" => device_request,
        _ => return None,
    })
}

fn definition(spec: &mut Fields) {
    set(spec, "conversion", json!({"strategy": "None"}));
    let Some(names) = child(spec, "names") else { return };
    let kind = text(names, "kind").to_owned();
    if !kind.is_empty() {
        set_empty(names, "singular", kind.to_lowercase());
        set_empty(names, "listKind", format!("{kind}List"));
    }
}

fn limit_range_item(item: &mut Fields) {
    if text(item, "type") != "Container" {
        return;
    }
    let copy = |item: &mut Fields, from: &str, to: &str| {
        let amounts = item.get(from).and_then(Value::as_object).filter(|amounts| !amounts.is_empty()).cloned();
        if let (Some(amounts), Some(target)) = (amounts, child(item, to)) {
            for (name, amount) in amounts {
                target.entry(name).or_insert(amount);
            }
        }
    };
    copy(item, "max", "default");
    copy(item, "default", "defaultRequest");
    copy(item, "min", "defaultRequest");
}

fn node_status(status: &mut Fields) {
    if let Some(capacity) = held(status, "capacity").map(|capacity| capacity.clone()) {
        set(status, "allocatable", capacity);
    }
}

fn ingress_class(spec: &mut Fields) {
    if let Some(parameters) = held(spec, "parameters") {
        set(parameters, "scope", "Cluster");
    }
}

fn network_policy(spec: &mut Fields) {
    let leaves = spec.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
    set_empty(spec, "policyTypes", if leaves { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
}

fn subject(subject: &mut Fields) {
    if matches!(text(subject, "kind"), "User" | "Group") {
        set_empty(subject, "apiGroup", "rbac.authorization.k8s.io");
    }
}

fn device_request(request: &mut Fields) {
    set_empty(request, "allocationMode", "ExactCount");
    if text(request, "allocationMode") == "ExactCount" {
        set_empty(request, "count", 1);
    }
}
