//! Amounts of resources: that they can be read, are not negative, and that no request is
//! above its limit. What there is to be had is not known here.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Object;
use super::findings::Findings;
use super::places::{entries, objects, text};
use crate::quantity::Quantity;
use crate::validate::qualified_name;

const NOT_READABLE: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Checks the `resources` of a container.
pub(super) fn check(resources: &Object, field: &str, found: &mut Findings) {
    for list in ["limits", "requests"] {
        for (name, amount) in entries(resources, list) {
            one(name, amount, &format!("{field}.{list}"), found);
        }
    }
    let limit =
        |name: &str| entries(resources, "limits").find(|(limited, _)| *limited == name).map(|(_, amount)| amount);
    for (name, request) in entries(resources, "requests") {
        match (Quantity::from_json(request), limit(name).and_then(Quantity::from_json)) {
            (Some(asked), Some(most)) if asked > most && is_shared(name) => {
                let why = format!("must be less than or equal to {name} limit of {most}");
                found.invalid(&format!("{field}.requests"), request, &why);
            }
            (Some(asked), Some(most)) if asked != most && !is_shared(name) => {
                let why = format!("must be equal to {name} limit of {most}");
                found.invalid(&format!("{field}.requests"), request, &why);
            }
            (Some(_), None) if !is_shared(name) => {
                found.required(&format!("{field}.limits"), "Limit must be set for non overcommitable resources");
            }
            _ => {}
        }
    }
}

/// Resources of which more may be limited than requested.
fn is_shared(name: &str) -> bool {
    (!name.contains('/') || name.contains("kubernetes.io/")) && !name.starts_with("hugepages-")
}

fn one(name: &str, amount: &Value, list: &str, found: &mut Findings) {
    let field = format!("{list}[{name}]");
    name_of(name, &field, "must be a standard resource for containers", found);
    let Some(quantity) = Quantity::from_json(amount) else {
        found.invalid(&field, amount, NOT_READABLE);
        return;
    };
    if quantity < Quantity::from_integer(0) {
        found.invalid(&field, amount, "must be greater than or equal to 0");
    }
    if !is_shared(name) && quantity.milli_value() % 1000 != 0 {
        found.invalid(&field, amount, "must be an integer");
    }
}

fn name_of(name: &str, field: &str, why: &str, found: &mut Findings) {
    found.invalid_text(field, name, &qualified_name(name));
    let is_standard = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    if !name.contains('/') && !is_standard {
        found.invalid(field, &json!(name), "must be a standard resource type or fully qualified");
        found.invalid(field, &json!(name), why);
    }
}

/// Checks a `LimitRange` or a `ResourceQuota`.
pub(super) fn limits(object: &Object, found: &mut Findings) {
    let mut types = BTreeSet::new();
    for (index, item) in objects(object, "spec.limits") {
        let field = format!("spec.limits[{index}]");
        let of = text(item, "type");
        if !types.insert(of) {
            found.duplicate(&format!("{field}.type"), &json!(of));
        }
        order(item, &field, found);
    }
    for (name, amount) in entries(object, "spec.hard") {
        let field = format!("spec.hard[{name}]");
        if !name.contains('/') && !is_counted(name) {
            found.invalid(&field, &json!(name), "must be a standard resource type or fully qualified");
            found.invalid(&field, &json!(name), "must be a standard resource for quota");
        }
        match Quantity::from_json(amount) {
            None => found.invalid(&field, amount, NOT_READABLE),
            Some(quantity) if quantity < Quantity::from_integer(0) => {
                found.invalid(&field, amount, "must be greater than or equal to 0");
            }
            Some(_) => {}
        }
    }
}

/// Whether a quota can be set on a resource without a domain.
fn is_counted(name: &str) -> bool {
    const COUNTED: [&str; 16] = [
        "configmaps",
        "cpu",
        "ephemeral-storage",
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "memory",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        "requests.storage",
    ];
    let is_part = |name: &str| {
        matches!(name, "cpu" | "memory" | "ephemeral-storage" | "storage") || name.starts_with("hugepages-")
    };
    COUNTED.contains(&name) || name.starts_with("hugepages-") || name.strip_prefix("requests.").is_some_and(is_part)
}

fn order(item: &Object, field: &str, found: &mut Findings) {
    let amount = |list: &str, name: &str| {
        let held = entries(item, list).find(|(held, _)| *held == name).map(|(_, amount)| amount);
        held.and_then(Quantity::from_json)
    };
    for (name, min) in entries(item, "min") {
        let Some(least) = Quantity::from_json(min) else { continue };
        for (list, what) in
            [("max", "max value"), ("defaultRequest", "default request value"), ("default", "default value")]
        {
            let Some(other) = amount(list, name).filter(|other| least > *other) else { continue };
            let why = format!("min value {least} is greater than {what} {other}");
            // Of two bounds the lower one is shown, and of two defaults the one of limits, as Kubernetes does.
            let (place, shown) = match list {
                "max" => ("min", least),
                "default" => ("default", least),
                _ => (list, other),
            };
            found.invalid(&format!("{field}.{place}[{name}]"), &json!(shown.to_string()), &why);
        }
    }
}
