//! The status that a pod is born with: pending, of a class of service, and perhaps held
//! back by gates.

use std::collections::BTreeMap;

use api::Cause;
use machinery::quantity::Quantity;
use serde_json::{Value, json};

use super::{child, spec};
use crate::tree::{Tree, meta_text};

/// Gives a new pod its status.
pub(super) fn create(object: &mut Tree) {
    const GRACE: &str = "terminationGracePeriodSeconds";
    if spec(object, GRACE).and_then(Value::as_i64).is_some_and(|secs| secs < 0) {
        child(object, "spec").insert(GRACE.into(), json!(1));
    }
    let mut status = json!({"phase": "Pending", "qosClass": quality(object)});
    if spec(object, "schedulingGates").and_then(Value::as_array).is_some_and(|gates| !gates.is_empty()) {
        status["conditions"] = json!([{
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": null,
            "lastTransitionTime": meta_text(object, "creationTimestamp"),
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
    object.insert("status".into(), status);
}

/// The pod with the ephemeral containers that `sent` states.
pub fn with_ephemeral_containers(old: &Tree, sent: &Tree) -> Tree {
    let mut new = old.clone();
    match spec(sent, "ephemeralContainers") {
        Some(containers) => child(&mut new, "spec").insert("ephemeralContainers".into(), containers.clone()),
        None => child(&mut new, "spec").remove("ephemeralContainers"),
    };
    new
}

/// The pod whose containers have the resources that those of their names and places in `sent`
/// have.
pub fn resized(old: &Tree, sent: &Tree) -> Tree {
    let mut new = old.clone();
    for list in ["containers", "initContainers"] {
        let held = child(&mut new, "spec").get_mut(list).and_then(Value::as_array_mut);
        let wanted = spec(sent, list).and_then(Value::as_array);
        let (Some(held), Some(wanted)) = (held, wanted) else { continue };
        for (held, wanted) in held.iter_mut().zip(wanted).filter(|(held, wanted)| held["name"] == wanted["name"]) {
            for field in ["resources", "resizePolicy"] {
                match (held.as_object_mut(), wanted.get(field)) {
                    (Some(held), Some(value)) => held.insert(field.to_owned(), value.clone()),
                    (Some(held), None) => held.remove(field),
                    (None, _) => None,
                };
            }
        }
    }
    new
}

/// The refusal of a resize that would make another class of service of a pod.
pub fn changed_quality(old: &Tree, new: &Tree) -> Option<Cause> {
    let class = quality(new);
    (quality(old) != class).then(|| Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: \"{class}\": Pod QOS Class may not change as a result of resizing"),
        field: "spec".into(),
    })
}

type Amounts = BTreeMap<String, Quantity>;

/// BestEffort, Burstable or Guaranteed, by what the pod or its containers ask for.
fn quality(pod: &Tree) -> &'static str {
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    let mut is_guaranteed = true;
    let mut take = |resources: Option<&Value>| {
        add(&mut requests, amounts(resources, "requests"));
        let limited = amounts(resources, "limits");
        is_guaranteed &= limited.len() == 2;
        add(&mut limits, limited);
    };
    match spec(pod, "resources") {
        Some(resources) => take(Some(resources)),
        None => {
            let lists = ["containers", "initContainers"].into_iter();
            let containers = lists.filter_map(|list| spec(pod, list)?.as_array()).flatten();
            containers.for_each(|container| take(container.get("resources")));
        }
    }
    if requests.is_empty() && limits.is_empty() {
        return "BestEffort";
    }
    if is_guaranteed && requests == limits { "Guaranteed" } else { "Burstable" }
}

fn amounts(resources: Option<&Value>, list: &str) -> Amounts {
    let held = resources.and_then(|resources| resources.get(list)).and_then(Value::as_object);
    let counts = |(name, amount): (&String, &Value)| {
        let amount = Quantity::from_json(amount).filter(|amount| *amount > Quantity::from_integer(0))?;
        matches!(&**name, "cpu" | "memory").then(|| (name.clone(), amount))
    };
    held.into_iter().flatten().filter_map(counts).collect()
}

fn add(to: &mut Amounts, more: Amounts) {
    for (name, amount) in more {
        let sum = to.get(&name).map_or(Some(amount), |held| held.checked_add(amount));
        to.insert(name, sum.unwrap_or(amount));
    }
}
