//! Health of a Pod.

use serde_json::Value;

use super::read::{condition, items};
use super::{Health, State};
use crate::resource::{annotation, text};

pub fn pod(object: &Value) -> Health {
    // A Pod that states no policy runs under the default, which is Always.
    let stated = text(object, "/spec/restartPolicy");
    let is_hook = annotation(object, "argocd.argoproj.io/hook").is_some();
    let ignores_policy = annotation(object, "argocd.argoproj.io/ignore-restart-policy") == Some("true");
    let restarts = stated.is_empty() || stated == "Always";
    if restarts || (ignores_policy && !is_hook) {
        let waiting = containers(object)
            .map(|container| (text(container, "/state/waiting/reason"), text(container, "/state/waiting/message")));
        let broken =
            |reason: &str| reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff");
        let messages: Vec<&str> = waiting.filter(|(reason, _)| broken(reason)).map(|(_, message)| message).collect();
        if !messages.is_empty() {
            return Health::new(State::Degraded, messages.join(", "));
        }
    }
    let message = text(object, "/status/message");
    match text(object, "/status/phase") {
        "Pending" => Health::new(State::Progressing, message),
        "Succeeded" => Health::new(State::Healthy, message),
        "Failed" => Health::new(State::Degraded, failure(object)),
        "Running" if restarts => running(object),
        "Running" => Health::new(State::Progressing, message),
        _ => Health::new(State::Unknown, message),
    }
}

fn running(object: &Value) -> Health {
    let message = text(object, "/status/message");
    if condition(object, "Ready").is_some_and(|ready| ready.is_true()) {
        return Health::new(State::Healthy, message);
    }
    let ended = items(object, "/status/containerStatuses")
        .iter()
        .any(|container| container.pointer("/lastState/terminated").is_some());
    Health::new(if ended { State::Degraded } else { State::Progressing }, message)
}

fn containers(object: &Value) -> impl Iterator<Item = &Value> {
    items(object, "/status/initContainerStatuses").iter().chain(items(object, "/status/containerStatuses"))
}

/// Why a Pod failed: its own word, or that of the container that failed.
fn failure(object: &Value) -> String {
    let own = text(object, "/status/message");
    if !own.is_empty() {
        return own.to_owned();
    }
    for container in containers(object) {
        let message = text(container, "/state/terminated/message");
        let code = container.pointer("/state/terminated/exitCode").and_then(Value::as_i64).unwrap_or(0);
        if !message.is_empty() {
            return message.to_owned();
        }
        if text(container, "/state/terminated/reason") == "OOMKilled" {
            return "OOMKilled".into();
        }
        if code != 0 {
            let name = text(container, "/name");
            return format!("container {name:?} failed with exit code {code}");
        }
    }
    String::new()
}
