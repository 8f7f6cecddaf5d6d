//! The fields of a service that belong together: an address under two names, and what
//! only some types have. Which addresses and ports are free is not known here.

use serde_json::{Value, json};

use super::{child, spec, spec_text};
use crate::tree::Tree;

/// States the address that a new service asks for under both names.
pub(super) fn create(object: &mut Tree) {
    let address = spec_text(object, "clusterIP").to_owned();
    if !address.is_empty() && list(object, "clusterIPs").is_empty() {
        child(object, "spec").insert("clusterIPs".into(), json!([address]));
    }
}

/// Carries over what the service was given and drops what its new type does not have,
/// where the client did not ask for anything else.
pub(super) fn update(old: &Tree, object: &mut Tree) {
    normalise(old, object);
    carry_over(old, object);
    drop_of_type(old, object);
}

/// Whether a type of service has an address.
pub(crate) fn has_address(service: &Tree) -> bool {
    matches!(spec_text(service, "type"), "ClusterIP" | "NodePort" | "LoadBalancer")
}

/// Whether a service may have ports on the nodes.
pub(crate) fn has_node_ports(service: &Tree) -> bool {
    matches!(spec_text(service, "type"), "NodePort" | "LoadBalancer")
}

/// Whether a service is asked on a port of its own which nodes have endpoints.
pub(crate) fn has_health_port(service: &Tree) -> bool {
    spec_text(service, "type") == "LoadBalancer" && spec_text(service, "externalTrafficPolicy") == "Local"
}

fn list<'a>(object: &'a Tree, field: &str) -> &'a [Value] {
    spec(object, field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whoever changes one name of the address means the other too.
fn normalise(old: &Tree, object: &mut Tree) {
    let (held, stated) = (spec_text(old, "clusterIP").to_owned(), spec_text(object, "clusterIP").to_owned());
    let is_other_same = list(old, "clusterIPs") == list(object, "clusterIPs");
    let fields = child(object, "spec");
    if held != stated && is_other_same {
        if stated.is_empty() {
            fields.remove("clusterIPs");
        } else {
            fields.insert("clusterIPs".into(), json!([stated]));
        }
    } else if !stated.is_empty() && fields.get("clusterIPs").is_none() {
        fields.insert("clusterIPs".into(), json!([stated]));
    }
}

fn carry_over(old: &Tree, object: &mut Tree) {
    if has_address(old) && has_address(object) {
        for field in ["clusterIP", "clusterIPs"] {
            let is_empty = spec(object, field).is_none_or(|value| *value == "" || *value == json!([]));
            if let Some(held) = spec(old, field).cloned().filter(|_| is_empty) {
                child(object, "spec").insert(field.into(), held);
            }
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if let Some(held) = spec(old, field).cloned().filter(|_| spec(object, field).is_none()) {
                child(object, "spec").insert(field.into(), held);
            }
        }
    }
    if has_node_ports(old) && has_node_ports(object) {
        carry_ports(old, object);
    }
    if has_health_port(old)
        && has_health_port(object)
        && spec(object, "healthCheckNodePort").is_none()
        && let Some(held) = spec(old, "healthCheckNodePort").cloned()
    {
        child(object, "spec").insert("healthCheckNodePort".into(), held);
    }
}

/// Ports keep their numbers on the nodes by their names.
fn carry_ports(old: &Tree, object: &mut Tree) {
    let number = |port: &Value| port.get("nodePort").and_then(Value::as_u64).filter(|number| *number != 0);
    let stated: Vec<u64> = list(object, "ports").iter().filter_map(number).collect();
    let held: Vec<(Option<Value>, u64)> =
        list(old, "ports").iter().filter_map(|port| Some((port.get("name").cloned(), number(port)?))).collect();
    let ports = child(object, "spec").get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten();
    for port in ports.filter(|port| number(port).is_none()) {
        let name = port.get("name").cloned();
        let kept = held.iter().find(|(held, _)| *held == name).map(|(_, number)| *number);
        if let (Some(kept), Some(fields)) = (kept.filter(|kept| !stated.contains(kept)), port.as_object_mut()) {
            fields.insert("nodePort".into(), json!(kept));
        }
    }
}

fn drop_of_type(old: &Tree, object: &mut Tree) {
    let is_same = |object: &Tree, field: &str| spec(old, field) == spec(object, field);
    let drop = |object: &mut Tree, fields: &[&str]| {
        for field in fields {
            child(object, "spec").remove(*field);
        }
    };
    if has_address(old) && !has_address(object) {
        if is_same(object, "clusterIPs") {
            drop(object, &["clusterIP", "clusterIPs"]);
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if is_same(object, field) {
                drop(object, &[field]);
            }
        }
    }
    let numbers = |service: &Tree| -> Vec<Option<u64>> {
        list(service, "ports").iter().map(|port| port.get("nodePort").and_then(Value::as_u64)).collect()
    };
    if has_node_ports(old) && !has_node_ports(object) && numbers(old) == numbers(object) {
        let ports = child(object, "spec").get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten();
        ports.filter_map(Value::as_object_mut).for_each(|port| std::mem::drop(port.remove("nodePort")));
    }
    if has_health_port(old) && !has_health_port(object) && is_same(object, "healthCheckNodePort") {
        drop(object, &["healthCheckNodePort"]);
    }
    let is_balanced = |service: &Tree| spec_text(service, "type") == "LoadBalancer";
    if is_balanced(old) && !is_balanced(object) {
        for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if is_same(object, field) {
                drop(object, &[field]);
            }
        }
    }
    if is_reached(old) && !is_reached(object) && is_same(object, "externalTrafficPolicy") {
        drop(object, &["externalTrafficPolicy"]);
    }
    if spec_text(object, "type") == "ExternalName" && is_same(object, "internalTrafficPolicy") {
        drop(object, &["internalTrafficPolicy"]);
    }
    if !is_balanced(object) && object.contains_key("status") {
        object.insert("status".into(), without_balancer(object.get("status")));
    }
}

/// Only a balanced service has addresses of a balancer.
fn without_balancer(status: Option<&Value>) -> Value {
    let mut status = status.and_then(Value::as_object).cloned().unwrap_or_default();
    status.insert("loadBalancer".into(), json!({}));
    Value::Object(status)
}

/// Whether a service is reached from outside its cluster.
fn is_reached(service: &Tree) -> bool {
    has_node_ports(service) || (spec_text(service, "type") == "ClusterIP" && !list(service, "externalIPs").is_empty())
}
