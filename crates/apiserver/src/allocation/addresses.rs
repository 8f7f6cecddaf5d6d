//! The address of a service: the one it asks for, or one that is free. Each is held by an
//! `IPAddress` object of its name.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use store::Key;

use super::Giver;
use super::plan::{Plan, Refusal};
use super::ranges::seed;
use crate::strategy::has_address;
use crate::tree::{Tree, meta_text};

const GROUP: &str = "networking.k8s.io";
const PLURAL: &str = "ipaddresses";
const FIELD: &str = "spec.clusterIPs";

/// Gives a service its address, and releases the one that it no longer has.
pub(super) fn plan(giver: &Giver<'_>, old: Option<&Tree>, new: &mut Tree, plan: &mut Plan) -> Result<(), Refusal> {
    let before = old.map(held).unwrap_or_default();
    let stated = held(new);
    if let Some(old) = old {
        release(giver, old, &stated, plan);
    }
    if !has_address(new) || is_headless(new) {
        return Ok(());
    }
    for address in stated.iter().filter(|address| !before.contains(address)) {
        claim(giver, address, new, plan)?;
    }
    if stated.is_empty() {
        let free = free(giver, new)?;
        let value = holder(giver, &free, new);
        plan.take(key(giver, &free), value);
        if let Some(spec) = new.get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert("clusterIP".into(), json!(free));
            spec.insert("clusterIPs".into(), json!([free]));
        }
    }
    Ok(())
}

/// Releases the addresses of a service but those that it keeps.
pub(super) fn release(giver: &Giver<'_>, old: &Tree, kept: &[String], plan: &mut Plan) {
    for address in held(old).iter().filter(|address| !kept.contains(address)) {
        let key = key(giver, address);
        if let Some(entry) = giver.view.entry(&key).filter(|entry| is_held_by(entry, old)) {
            plan.release(key, entry.revision);
        }
    }
}

/// The addresses that a service states; a headless one has none.
fn held(service: &Tree) -> Vec<String> {
    if !has_address(service) {
        return Vec::new();
    }
    let stated = service.get("spec").and_then(|spec| spec.get("clusterIPs")).and_then(Value::as_array);
    let texts = stated.into_iter().flatten().filter_map(Value::as_str);
    texts.filter(|text| *text != "None" && !text.is_empty()).map(str::to_owned).collect()
}

fn is_headless(service: &Tree) -> bool {
    service.get("spec").and_then(|spec| spec.get("clusterIP")).and_then(Value::as_str) == Some("None")
}

fn claim(giver: &Giver<'_>, address: &str, service: &Tree, plan: &mut Plan) -> Result<(), Refusal> {
    let refuse =
        |why: &str| Refusal::invalid(FIELD, &json!(held(service)), &format!("failed to allocate IP {address}: {why}"));
    let is_ours = address.parse::<Ipv4Addr>().is_ok_and(|address| giver.ranges.has_address(address));
    if !is_ours {
        return Err(refuse("the provided network does not match the current range"));
    }
    let key = key(giver, address);
    if giver.view.entry(&key).is_some() || plan.takes(&key) {
        return Err(refuse("provided IP is already allocated"));
    }
    plan.take(key, holder(giver, address, service));
    Ok(())
}

fn free(giver: &Giver<'_>, service: &Tree) -> Result<String, Refusal> {
    let mut candidates = giver.ranges.addresses(seed(meta_text(service, "uid")));
    let free = candidates.find(|address| giver.view.entry(&key(giver, &address.to_string())).is_none());
    free.map(|address| address.to_string()).ok_or(Refusal::Full("serviceIP"))
}

fn key(giver: &Giver<'_>, address: &str) -> Key {
    giver.view.key(GROUP, PLURAL, "", address)
}

/// The object that holds an address for a service.
fn holder(giver: &Giver<'_>, address: &str, service: &Tree) -> store::Value {
    let meta = json!({
        "name": address,
        "uid": giver.ids.uid(),
        "creationTimestamp": giver.now,
        "labels": {
            "ipaddress.kubernetes.io/ip-family": "IPv4",
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        },
    });
    let body = json!({"spec": {"parentRef": {
        "group": "",
        "resource": "services",
        "namespace": meta_text(service, "namespace"),
        "name": meta_text(service, "name"),
    }}});
    store::Value::new(meta.to_string(), body.to_string())
}

fn is_held_by(entry: &store::Entry, service: &Tree) -> bool {
    let body: Value = serde_json::from_slice(&entry.value.body).unwrap_or_default();
    let parent = &body["spec"]["parentRef"];
    parent["resource"] == "services"
        && parent["namespace"] == meta_text(service, "namespace")
        && parent["name"] == meta_text(service, "name")
}
