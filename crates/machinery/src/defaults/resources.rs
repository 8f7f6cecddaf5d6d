//! Resources that a pod states as a whole, completed from those of its containers. It
//! adds and compares amounts and knows nothing else of a pod.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Fields;
use super::place::{child, held};
use crate::quantity::Quantity;

type Amounts = BTreeMap<String, Quantity>;

/// Completes `resources` of a pod's spec, if there is any.
pub(super) fn of_pod(spec: &mut Fields) {
    let (requests, limits) = (of_containers(spec, "requests"), of_containers(spec, "limits"));
    let Some(resources) = held(spec, "resources") else { return };
    limit_huge_pages(resources, &limits);
    request(resources, &requests);
}

/// Pages that the containers limit are limited for the pod.
fn limit_huge_pages(resources: &mut Fields, of_containers: &Amounts) {
    if size(resources, "limits") == 0 && size(resources, "requests") == 0 {
        return;
    }
    for (name, amount) in of_containers.iter().filter(|(name, _)| is_huge_pages(name)) {
        let is_requested = held(resources, "requests").is_some_and(|requests| requests.contains_key(name));
        if !is_requested && let Some(limits) = child(resources, "limits") {
            limits.entry(name.clone()).or_insert_with(|| json!(amount.to_string()));
        }
    }
}

/// A pod with limits requests what its containers do, and else up to its limits.
fn request(resources: &mut Fields, of_containers: &Amounts) {
    let Some(limits) = held(resources, "limits").filter(|limits| !limits.is_empty()).map(|limits| limits.clone())
    else {
        return;
    };
    let summed = of_containers.iter().filter(|(name, _)| is_overcommitted(name));
    let summed = summed.map(|(name, amount)| (name.clone(), json!(amount.to_string())));
    let limited = limits.into_iter().filter(|(name, _)| is_overcommitted(name) || is_huge_pages(name));
    let found: Vec<(String, Value)> = summed.chain(limited).collect();
    if found.is_empty() {
        return;
    }
    if let Some(requests) = child(resources, "requests") {
        for (name, amount) in found {
            requests.entry(name).or_insert(amount);
        }
    }
}

fn size(resources: &mut Fields, list: &str) -> usize {
    held(resources, list).map_or(0, |amounts| amounts.len())
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_overcommitted(name: &str) -> bool {
    matches!(name, "cpu" | "memory")
}

/// What the containers of a pod need at most at one time.
fn of_containers(spec: &Fields, list: &str) -> Amounts {
    let containers = |field: &str| spec.get(field).and_then(Value::as_array).into_iter().flatten();
    let mut all = Amounts::new();
    for container in containers("containers") {
        add(&mut all, &amounts(container, list));
    }
    // Those that stay beside the others count with them; the others of the start run one
    // after another, each beside those that stay by then.
    let (mut staying, mut most) = (Amounts::new(), Amounts::new());
    for container in containers("initContainers") {
        let own = amounts(container, list);
        if container.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
            add(&mut all, &own);
            add(&mut staying, &own);
            raise(&mut most, &staying);
        } else {
            let mut together = own;
            add(&mut together, &staying);
            raise(&mut most, &together);
        }
    }
    raise(&mut all, &most);
    all
}

fn amounts(container: &Value, list: &str) -> Amounts {
    let held = container.get("resources").and_then(|resources| resources.get(list)).and_then(Value::as_object);
    let read = |(name, amount): (&String, &Value)| Some((name.clone(), Quantity::from_json(amount)?));
    held.into_iter().flatten().filter_map(read).collect()
}

fn add(to: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = to.get(name).map_or(Some(*amount), |held| held.checked_add(*amount));
        to.insert(name.clone(), sum.unwrap_or(*amount));
    }
}

fn raise(to: &mut Amounts, at_least: &Amounts) {
    for (name, amount) in at_least {
        let held = to.entry(name.clone()).or_insert(*amount);
        if *held < *amount {
            *held = *amount;
        }
    }
}
