//! The families of addresses that a service has: this server gives out IPv4 alone. It
//! completes what is not stated and refuses what cannot be, in Kubernetes' words.

use std::net::IpAddr;

use api::Cause;
use serde_json::{Map, Value, json};

use crate::tree::Tree;

/// Completes `ipFamilyPolicy` and `ipFamilies`.
pub(super) fn complete(service: &mut Tree) -> Result<(), Vec<Cause>> {
    let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut) else { return Ok(()) };
    if spec.get("type").and_then(Value::as_str) == Some("ExternalName") {
        return Ok(());
    }
    let is_headless = spec.get("clusterIP").and_then(Value::as_str) == Some("None");
    let is_selecting = spec.get("selector").and_then(Value::as_object).is_some_and(|selector| !selector.is_empty());
    let is_open = is_headless && !is_selecting;
    let default = if is_open { "RequireDualStack" } else { "SingleStack" };
    let policy = spec.entry("ipFamilyPolicy").or_insert_with(|| json!(default)).clone();
    infer(spec, &policy)?;
    let mut families = list(spec, "ipFamilies");
    if families.is_empty() {
        families.push(json!("IPv4"));
    }
    if is_open {
        if families.len() < 2 && policy != "SingleStack" {
            let other = if families[0] == "IPv4" { "IPv6" } else { "IPv4" };
            families.push(json!(other));
        }
    } else {
        let mut causes = Vec::new();
        if policy == "RequireDualStack" {
            let why = "this cluster is not configured for dual-stack services";
            causes.push(invalid("spec.ipFamilyPolicy", &policy, why));
        }
        for (index, family) in families.iter().enumerate().filter(|(_, family)| **family != "IPv4") {
            causes.push(invalid(&format!("spec.ipFamilies[{index}]"), family, "not configured on this cluster"));
        }
        if !causes.is_empty() {
            return Err(causes);
        }
    }
    spec.insert("ipFamilies".into(), Value::Array(families));
    Ok(())
}

/// Reads the families off the addresses that are asked for.
fn infer(spec: &mut Map<String, Value>, policy: &Value) -> Result<(), Vec<Cause>> {
    let addresses = list(spec, "clusterIPs");
    let mut families = list(spec, "ipFamilies");
    let mut causes = Vec::new();
    if policy == "SingleStack" {
        for (held, what) in [(addresses.len(), "cluster IPs"), (families.len(), "IP families")] {
            if held > 1 {
                let why = format!("must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified");
                causes.push(invalid("spec.ipFamilyPolicy", policy, &why));
            }
        }
    }
    for (index, address) in addresses.iter().enumerate() {
        let field = format!("spec.clusterIPs[{index}]");
        let family = match address.as_str().and_then(|text| text.parse::<IpAddr>().ok()) {
            Some(IpAddr::V4(_)) => "IPv4",
            Some(IpAddr::V6(_)) => "IPv6",
            None => continue,
        };
        match families.get(index) {
            Some(stated) if stated != family => {
                let stated = stated.as_str().unwrap_or_default();
                let why = format!("expected an {stated} value as indicated by `ipFamilies[{index}]`");
                causes.push(invalid(&field, address, &why));
            }
            Some(_) => {}
            None if family == "IPv4" => families.push(json!(family)),
            None => {
                let shown = Value::Array(addresses.clone());
                causes.push(invalid(&field, &shown, &format!("{family} is not configured on this cluster")));
            }
        }
    }
    if !causes.is_empty() {
        return Err(causes);
    }
    spec.insert("ipFamilies".into(), Value::Array(families));
    Ok(())
}

fn list(spec: &Map<String, Value>, field: &str) -> Vec<Value> {
    spec.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn invalid(field: &str, value: &Value, why: &str) -> Cause {
    Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {value}: {why}"),
        field: field.to_owned(),
    }
}
