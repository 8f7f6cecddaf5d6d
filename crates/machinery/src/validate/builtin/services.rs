//! Rules for services: ports with names, fields that only some types have, and addresses
//! that stay once they are given.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{
    NO_ADDRESS, NO_RANGE, at, entries, is_address, is_range, list, number, objects, port_or_name, port_problem, text,
};
use super::{Object, selectors};
use crate::validate::{dns_label, dns_subdomain};

/// Checks a `Service`.
pub(super) fn check(service: &Object, found: &mut Findings) {
    let of = text(service, "spec.type");
    let is_headless = list(service, "spec.clusterIPs").first() == Some(&json!("None"));
    found.one_of("spec.type", at(service, "spec.type"), &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    if of == "ExternalName" {
        named(service, found);
    } else if list(service, "spec.ports").is_empty() && !is_headless {
        found.required("spec.ports", "");
    }
    if is_headless && matches!(of, "NodePort" | "LoadBalancer") {
        let why = format!("may not be set to 'None' for {of} services");
        found.invalid("spec.clusterIPs[0]", &json!("None"), &why);
    }
    ports(service, of, is_headless, found);
    selectors::labels("spec.selector", entries(service, "spec.selector"), found);
    addresses(service, of, found);
    affinity(service, found);
    policies(service, of, found);
    balancer(service, of, found);
}

fn named(service: &Object, found: &mut Findings) {
    match text(service, "spec.externalName") {
        "" => found.required("spec.externalName", ""),
        name => found.invalid_text("spec.externalName", name, &dns_subdomain(name.trim_end_matches('.'))),
    }
}

fn ports(service: &Object, of: &str, is_headless: bool, found: &mut Findings) {
    let is_alone = list(service, "spec.ports").len() < 2;
    let mut names = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (index, port) in objects(service, "spec.ports") {
        let sub = |name: &str| format!("spec.ports[{index}].{name}");
        let name = text(port, "name");
        if name.is_empty() && !is_alone {
            found.required(&sub("name"), "");
        } else if !name.is_empty() {
            found.invalid_text(&sub("name"), name, &dns_label(name));
            if !names.insert(name) {
                found.duplicate(&sub("name"), &json!(name));
            }
        }
        let outer = number(port, "port");
        if let Some(why) = port_problem(outer) {
            found.invalid(&sub("port"), &json!(outer), why);
        }
        found.one_of(&sub("protocol"), at(port, "protocol"), &["SCTP", "TCP", "UDP"]);
        let target = at(port, "targetPort");
        port_or_name(&sub("targetPort"), target, found);
        if is_headless && target.is_some_and(|target| target.as_i64().is_some_and(|target| target != outer)) {
            // A headless service translates nothing; Kubernetes lets the field stand all the same.
            continue;
        }
        if number(port, "nodePort") != 0 && matches!(of, "ClusterIP" | "ExternalName") {
            found.forbidden(&sub("nodePort"), &format!("may not be used when `type` is '{of}'"));
        }
        if !numbers.insert((text(port, "protocol"), outer)) {
            let shown = json!({"protocol": text(port, "protocol"), "port": outer});
            found.duplicate(&format!("spec.ports[{index}]"), &shown);
        }
    }
}

fn addresses(service: &Object, of: &str, found: &mut Findings) {
    let (ip, ips) = (text(service, "spec.clusterIP"), list(service, "spec.clusterIPs"));
    let shown = at(service, "spec.clusterIPs").unwrap_or(&Value::Null);
    if of == "ExternalName" {
        if !ips.is_empty() {
            found.forbidden("spec.clusterIPs", "may not be set for ExternalName services");
        }
        return;
    }
    match ips.first() {
        Some(_) if ip.is_empty() => {
            found.invalid("spec.clusterIPs", shown, "must be empty when `clusterIP` is not specified");
        }
        Some(first) if first != ip => {
            found.invalid("spec.clusterIPs", shown, "first value must match `clusterIP`");
        }
        _ => {}
    }
    for (index, address) in ips.iter().enumerate() {
        let text = address.as_str().unwrap_or_default();
        if text != "None" && !is_address(text) {
            found.invalid(&format!("spec.clusterIPs[{index}]"), address, NO_ADDRESS);
        }
    }
    for (index, address) in list(service, "spec.externalIPs").iter().enumerate() {
        if !is_address(address.as_str().unwrap_or_default()) {
            found.invalid(&format!("spec.externalIPs[{index}]"), address, NO_ADDRESS);
        }
    }
}

fn affinity(service: &Object, found: &mut Findings) {
    found.one_of("spec.sessionAffinity", at(service, "spec.sessionAffinity"), &["ClientIP", "None"]);
    const SECONDS: &str = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    if let Some(seconds) = at(service, SECONDS).filter(|seconds| !(1..=86400).contains(&seconds.as_i64().unwrap_or(0)))
    {
        found.invalid(SECONDS, seconds, "must be greater than 0 and less than 86400");
    }
}

fn policies(service: &Object, of: &str, found: &mut Findings) {
    let choices = ["Cluster", "Local"];
    found.one_of("spec.internalTrafficPolicy", at(service, "spec.internalTrafficPolicy"), &choices);
    let has_external_ips = !list(service, "spec.externalIPs").is_empty();
    let is_reached = matches!(of, "NodePort" | "LoadBalancer") || (of == "ClusterIP" && has_external_ips);
    match at(service, "spec.externalTrafficPolicy") {
        Some(policy) if !is_reached => {
            let why = "may only be set for externally-accessible services";
            found.invalid("spec.externalTrafficPolicy", policy, why);
        }
        policy => found.one_of("spec.externalTrafficPolicy", policy, &choices),
    }
    let is_checked = of == "LoadBalancer" && text(service, "spec.externalTrafficPolicy") == "Local";
    if let Some(port) = at(service, "spec.healthCheckNodePort").filter(|_| !is_checked) {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        found.invalid("spec.healthCheckNodePort", port, why);
    }
}

fn balancer(service: &Object, of: &str, found: &mut Findings) {
    for field in ["spec.loadBalancerClass", "spec.allocateLoadBalancerNodePorts"] {
        if of != "LoadBalancer" && at(service, field).is_some() {
            found.forbidden(field, "may only be used when `type` is 'LoadBalancer'");
        }
    }
    for (index, range) in list(service, "spec.loadBalancerSourceRanges").iter().enumerate() {
        if !is_range(range.as_str().unwrap_or_default().trim()) {
            found.invalid(&format!("spec.LoadBalancerSourceRanges[{index}]"), range, NO_RANGE);
        }
    }
}

/// Checks what of a `Service` changes.
pub(super) fn update(old: &Object, new: &Object, found: &mut Findings) {
    keep_addresses(old, new, found);
    const CLASS: &str = "spec.loadBalancerClass";
    let is_balancer = |service: &Object| text(service, "spec.type") == "LoadBalancer";
    if is_balancer(old) && is_balancer(new) && at(old, CLASS) != at(new, CLASS) {
        found.invalid(CLASS, at(new, CLASS).unwrap_or(&Value::Null), "may not change once set");
    }
    const CHECK: &str = "spec.healthCheckNodePort";
    let is_checked = |service: &Object| text(service, "spec.externalTrafficPolicy") == "Local" && is_balancer(service);
    if is_checked(old) && is_checked(new) && number(old, CHECK) != 0 && number(old, CHECK) != number(new, CHECK) {
        found.forbidden(CHECK, "field is immutable");
    }
}

fn keep_addresses(old: &Object, new: &Object, found: &mut Findings) {
    const FIELD: &str = "spec.clusterIPs";
    let is_named = |service: &Object| text(service, "spec.type") == "ExternalName";
    let has_type = ["ClusterIP", "NodePort", "LoadBalancer"].contains(&text(new, "spec.type"));
    let (held, stated) = (list(old, FIELD), list(new, FIELD));
    let is_torn = stated.first().is_some_and(|first| *first != text(new, "spec.clusterIP"));
    // Two names for different addresses are reported as that, and not as a change of each.
    if is_named(old) || is_named(new) || !has_type || is_torn {
        return;
    }
    let shown = at(new, FIELD).unwrap_or(&Value::Null);
    if stated.is_empty() && !held.is_empty() {
        found.invalid(&format!("{FIELD}[0]"), shown, "primary clusterIP can not be unset");
    }
    for (index, (held, stated)) in held.iter().zip(stated).enumerate() {
        if held != stated {
            found.invalid(&format!("{FIELD}[{index}]"), shown, "may not change once set");
        }
    }
}
