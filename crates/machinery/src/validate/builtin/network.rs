//! Rules for `Ingress`, `IngressClass`, `NetworkPolicy` and `EndpointSlice`.

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{
    NO_ADDRESS, NO_RANGE, at, entries, is_address, is_range, list, number, object_at, objects, port_or_name,
    port_problem, text,
};
use super::{Object, selectors};
use crate::validate::dns_subdomain;

/// Checks an `Ingress`.
pub(super) fn ingress(object: &Object, found: &mut Findings) {
    if list(object, "spec.rules").is_empty() && at(object, "spec.defaultBackend").is_none() {
        let rules = at(object, "spec.rules").unwrap_or(&Value::Null);
        found.invalid("spec", rules, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(default) = object_at(object, "spec.defaultBackend") {
        backend(default, "spec.defaultBackend", found);
    }
    for (index, rule) in objects(object, "spec.rules") {
        let field = format!("spec.rules[{index}]");
        host(text(rule, "host"), &format!("{field}.host"), found);
        if at(rule, "http").is_some() {
            if list(rule, "http.paths").is_empty() {
                found.required(&format!("{field}.http.paths"), "");
            }
            for (index, item) in objects(rule, "http.paths") {
                path(item, &format!("{field}.http.paths[{index}]"), found);
            }
        }
    }
    for (index, tls) in objects(object, "spec.tls") {
        for (at, name) in list(tls, "hosts").iter().enumerate() {
            host(name.as_str().unwrap_or_default(), &format!("spec.tls[{index}].hosts[{at}]"), found);
        }
    }
    let class = text(object, "spec.ingressClassName");
    if !class.is_empty() {
        found.invalid_text("spec.ingressClassName", class, &dns_subdomain(class));
    }
}

/// Checks that a new `Ingress` does not name its class twice, and differently.
pub(super) fn ingress_create(object: &Object, found: &mut Findings) {
    const ANNOTATION: &str = "kubernetes.io/ingress.class";
    let class = text(object, "spec.ingressClassName");
    let annotated = entries(object, "metadata.annotations").find(|(key, _)| *key == ANNOTATION);
    if let Some((_, held)) = annotated.filter(|(_, held)| !class.is_empty() && *held != class) {
        let why = "must match `ingressClassName` when both are specified";
        found.invalid(&format!("annotations.{ANNOTATION}"), held, why);
    }
}

fn host(name: &str, field: &str, found: &mut Findings) {
    const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, \
        which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character \
        (e.g. '*.example.com', regex used for validation is \
        '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    if name.is_empty() {
        return;
    }
    if is_address(name) {
        found.invalid(field, &json!(name), "must be a DNS name, not an IP address");
    } else if name.contains('*') {
        if !name.strip_prefix("*.").is_some_and(|rest| dns_subdomain(rest).is_empty()) {
            found.invalid(field, &json!(name), WILDCARD);
        }
    } else {
        found.invalid_text(field, name, &dns_subdomain(name));
    }
}

fn path(item: &Object, field: &str, found: &mut Findings) {
    let path = text(item, "path");
    match text(item, "pathType") {
        "" => found.required(&format!("{field}.pathType"), "pathType must be specified"),
        "Exact" | "Prefix" => {
            let field = format!("{field}.path");
            if !path.starts_with('/') {
                found.invalid(&field, &json!(path), "must be an absolute path");
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if path.contains(part) {
                    found.invalid(&field, &json!(path), &format!("must not contain '{part}'"));
                }
            }
            for end in ["/..", "/."] {
                if path.ends_with(end) {
                    found.invalid(&field, &json!(path), &format!("cannot end with '{end}'"));
                }
            }
        }
        "ImplementationSpecific" => {
            if !path.is_empty() && !path.starts_with('/') {
                found.invalid(&format!("{field}.path"), &json!(path), "must be an absolute path");
            }
        }
        other => {
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            found.unsupported(&format!("{field}.pathType"), &json!(other), &known);
        }
    }
    let empty = Object::new();
    backend(object_at(item, "backend").unwrap_or(&empty), &format!("{field}.backend"), found);
}

fn backend(backend: &Object, field: &str, found: &mut Findings) {
    let service = object_at(backend, "service");
    let has_resource = at(backend, "resource").is_some();
    let Some(service) = service else {
        if !has_resource {
            found.invalid(field, &json!(""), "resource or service backend is required");
        }
        return;
    };
    if has_resource {
        found.invalid(field, &json!(""), "cannot set both resource and service backends");
        return;
    }
    match text(service, "name") {
        "" => found.required(&format!("{field}.service.name"), ""),
        name => found.invalid_text(&format!("{field}.service.name"), name, &crate::validate::dns_label(name)),
    }
    let (name, number) = (text(service, "port.name"), number(service, "port.number"));
    if !name.is_empty() && number != 0 {
        found.invalid(field, &json!(""), "cannot set both port name & port number");
    } else if name.is_empty() && number == 0 {
        found.required(field, "port name or number is required");
    } else if !name.is_empty() {
        let problems = super::places::port_name_problems(name);
        found.invalid_text(&format!("{field}.service.port.name"), name, &problems);
    } else if let Some(why) = port_problem(number) {
        found.invalid(&format!("{field}.service.port.number"), &json!(number), why);
    }
}

/// Checks an `IngressClass`.
pub(super) fn ingress_class(object: &Object, found: &mut Findings) {
    let controller = text(object, "spec.controller");
    if controller.len() > 250 {
        found.too_long("spec.controller", 250);
    } else if controller.is_empty() {
        found.required("spec.controller", "");
    } else if !controller.split_once('/').is_some_and(|(host, rest)| dns_subdomain(host).is_empty() && !rest.is_empty())
    {
        let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        found.invalid("spec.controller", &json!(controller), why);
    }
}

/// Checks a `NetworkPolicy`.
pub(super) fn policy(object: &Object, found: &mut Findings) {
    selectors::check("spec.podSelector", at(object, "spec.podSelector"), found);
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in objects(object, &format!("spec.{rules}")) {
            let field = format!("spec.{rules}[{index}]");
            for (index, port) in objects(rule, "ports") {
                let field = format!("{field}.ports[{index}]");
                found.one_of(&format!("{field}.protocol"), at(port, "protocol"), &["SCTP", "TCP", "UDP"]);
                port_or_name(&format!("{field}.port"), at(port, "port"), found);
            }
            for (index, item) in objects(rule, peers) {
                peer(item, &format!("{field}.{peers}[{index}]"), found);
            }
        }
    }
    let types = list(object, "spec.policyTypes");
    if types.len() > 2 {
        let why = "may not specify more than two policyTypes";
        found.invalid("spec.policyTypes", &Value::from(types.to_vec()), why);
        return;
    }
    for (index, of) in types.iter().enumerate() {
        found.one_of(&format!("spec.policyTypes[{index}]"), Some(of), &["Ingress", "Egress"]);
    }
}

fn peer(peer: &Object, field: &str, found: &mut Findings) {
    for name in ["podSelector", "namespaceSelector"] {
        selectors::check(&format!("{field}.{name}"), at(peer, name), found);
    }
    match object_at(peer, "ipBlock") {
        Some(block) => {
            let range = text(block, "cidr");
            if !is_range(range) {
                found.invalid(&format!("{field}.ipBlock.cidr"), &json!(range), NO_RANGE);
            }
            if at(peer, "podSelector").is_some() || at(peer, "namespaceSelector").is_some() {
                found.forbidden(field, "may not specify both ipBlock and another peer");
            }
        }
        None if peer.is_empty() => found.required(field, "must specify a peer"),
        None => {}
    }
}

/// Checks an `EndpointSlice`.
pub(super) fn endpoint_slice(object: &Object, found: &mut Findings) {
    match text(object, "addressType") {
        "" => found.required("addressType", ""),
        _ => found.one_of("addressType", at(object, "addressType"), &["FQDN", "IPv4", "IPv6"]),
    }
    let are_addresses = matches!(text(object, "addressType"), "IPv4" | "IPv6");
    for (index, endpoint) in objects(object, "endpoints") {
        let field = format!("endpoints[{index}].addresses");
        if list(endpoint, "addresses").is_empty() {
            found.required(&field, "must contain at least 1 address");
        }
        for (index, address) in list(endpoint, "addresses").iter().enumerate() {
            if are_addresses && !is_address(address.as_str().unwrap_or_default()) {
                found.invalid(&format!("{field}[{index}]"), address, NO_ADDRESS);
            }
        }
    }
}
