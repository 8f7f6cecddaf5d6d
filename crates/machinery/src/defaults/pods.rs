//! Conditional defaults of pods and of what stands in pod templates. Nothing here is
//! about the objects that make pods.

use serde_json::{Map, Value, json};

use super::place::{child, held, is_set, items, number, set, set_empty, text};
use super::{Fields, Rule, image, resources};

/// The rule of a type, if it has one.
pub(super) fn rule(type_name: &str) -> Option<Rule> {
    Some(match type_name {
        "core.v1.Container" | "core.v1.EphemeralContainer" => container,
        "core.v1.Pod" => pod,
        "core.v1.PodSpec" => pod_spec,
        "core.v1.Volume" => volume,
        _ => return None,
    })
}

fn container(container: &mut Fields) {
    let policy = image::pull_policy(text(container, "image"));
    set_empty(container, "imagePullPolicy", policy);
    set_empty(container, "terminationMessagePath", "/dev/termination-log");
    set_empty(container, "terminationMessagePolicy", "File");
}

/// The account has an older name, under which it is served too.
fn pod_spec(spec: &mut Fields) {
    let account = match (text(spec, "serviceAccountName"), text(spec, "serviceAccount")) {
        ("", "") => return,
        ("", older) => older,
        (name, _) => name,
    };
    let account = account.to_owned();
    spec.insert("serviceAccountName".into(), account.clone().into());
    spec.insert("serviceAccount".into(), account.into());
}

/// Defaults that pods have and pod templates have not.
fn pod(pod: &mut Fields) {
    let Some(spec) = child(pod, "spec") else { return };
    let on_host = spec.get("hostNetwork") == Some(&json!(true));
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            request_limits(container);
            if on_host {
                publish(container);
            }
        }
    }
    resources::of_pod(spec);
    set(spec, "enableServiceLinks", true);
}

/// What is limited and not requested is requested up to its limit.
fn request_limits(container: &mut Fields) {
    let Some(resources) = held(container, "resources") else { return };
    let Some(limits) = held(resources, "limits").map(|limits| limits.clone()) else { return };
    if let Some(requests) = child(resources, "requests") {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

/// In the host's network a container's ports are the host's.
fn publish(container: &mut Fields) {
    for port in items(container, "ports") {
        let inner = number(port, "containerPort");
        if inner != 0 {
            set_empty(port, "hostPort", inner);
        }
    }
}

fn volume(volume: &mut Fields) {
    let is_source = |(field, value): (&String, &Value)| field != "name" && !value.is_null();
    if !volume.iter().any(is_source) {
        volume.insert("emptyDir".into(), Map::new().into());
    }
    if is_set(volume, "image")
        && let Some(source) = held(volume, "image")
    {
        let policy = image::pull_policy(text(source, "reference"));
        set_empty(source, "pullPolicy", policy);
    }
}
