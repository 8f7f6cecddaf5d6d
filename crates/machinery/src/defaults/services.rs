//! Conditional defaults of services. Addresses and node ports are not defaults: the
//! server gives them out.

use serde_json::{Value, json};

use super::place::{child, held, is_set, items, number, set, set_empty, text};
use super::{Fields, Rule};

/// How long a client sticks to an endpoint: three hours.
const STICKS_FOR_SECS: i64 = 10_800;

/// The rule of a type, if it has one.
pub(super) fn rule(type_name: &str) -> Option<Rule> {
    (type_name == "core.v1.Service").then_some(service as Rule)
}

fn service(object: &mut Fields) {
    if let Some(spec) = child(object, "spec") {
        stick(spec);
        set_empty(spec, "type", "ClusterIP");
        for port in items(spec, "ports") {
            let number = number(port, "port");
            set_empty(port, "targetPort", number);
        }
        route(spec);
    }
    let balanced = object.get("spec").and_then(|spec| spec.get("type")).and_then(Value::as_str) == Some("LoadBalancer");
    if balanced && let Some(balancer) = held(object, "status").and_then(|status| held(status, "loadBalancer")) {
        for ingress in items(balancer, "ingress").filter(|ingress| !text(ingress, "ip").is_empty()) {
            set(ingress, "ipMode", "VIP");
        }
    }
}

fn stick(spec: &mut Fields) {
    set_empty(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "None" => drop(spec.remove("sessionAffinityConfig")),
        "ClientIP" => {
            let held = spec.get("sessionAffinityConfig").and_then(|config| config.get("clientIP"));
            if held.and_then(|client| client.get("timeoutSeconds")).is_none_or(Value::is_null) {
                let config = json!({"clientIP": {"timeoutSeconds": STICKS_FOR_SECS}});
                spec.insert("sessionAffinityConfig".into(), config);
            }
        }
        _ => {}
    }
}

fn route(spec: &mut Fields) {
    let kind = text(spec, "type").to_owned();
    let has_external_ips = spec.get("externalIPs").and_then(Value::as_array).is_some_and(|ips| !ips.is_empty());
    let is_reached = matches!(&*kind, "NodePort" | "LoadBalancer") || (kind == "ClusterIP" && has_external_ips);
    if is_reached {
        set_empty(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(&*kind, "NodePort" | "LoadBalancer" | "ClusterIP") && !is_set(spec, "internalTrafficPolicy") {
        spec.insert("internalTrafficPolicy".into(), json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", true);
    }
}
