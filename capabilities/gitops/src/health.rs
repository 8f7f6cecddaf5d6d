//! Stop 8, health: how well one live object is, by the rules Argo CD builds in, and
//! how well an Application is by its objects. Pure; it must never ask the API.

mod argo;
mod batch;
mod cluster;
mod crossplane;
mod flux;
mod gateway;
mod pods;
mod read;
mod table;
#[cfg(test)]
mod tests;
mod workloads;

use std::fmt;

use serde_json::Value;

use crate::resource::{self, Key};

/// How well something is, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// As it should be.
    Healthy,
    /// Paused on purpose.
    Suspended,
    /// On its way.
    Progressing,
    /// Not there.
    Missing,
    /// Broken.
    Degraded,
    /// Nobody can tell.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            State::Healthy => "Healthy",
            State::Suspended => "Suspended",
            State::Progressing => "Progressing",
            State::Missing => "Missing",
            State::Degraded => "Degraded",
            State::Unknown => "Unknown",
        })
    }
}

/// How well one object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// State.
    pub state: State,
    /// One sentence; empty if there is nothing to say.
    pub message: String,
}

impl Health {
    /// A state and what there is to say.
    pub fn new(state: State, message: impl Into<String>) -> Self {
        Health { state, message: message.into() }
    }

    /// A state with nothing to say.
    pub fn of(state: State) -> Self {
        Health::new(state, "")
    }
}

/// What a platform's settings say of health.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// A child Application is as well as it says; without, it has no health of its own.
    pub applications: bool,
}

/// How well an object is; `None` for kinds without a rule, which count as well.
pub fn assess(object: &Value, rules: Rules) -> Option<Health> {
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    let is_held_hook =
        finalizers.is_some_and(|list| list.iter().any(|name| name == "argocd.argoproj.io/hook-finalizer"));
    if !resource::text(object, "/metadata/deletionTimestamp").is_empty() && !is_held_hook {
        return Some(Health::new(State::Progressing, "Pending deletion"));
    }
    let gvk = resource::gvk(object);
    rule(&gvk.group, &gvk.kind, rules).map(|rule| rule(object))
}

type Rule = Box<dyn Fn(&Value) -> Health>;

/// The rule of a kind: an exact one, one of the table, or one of a family of groups.
fn rule(group: &str, kind: &str, rules: Rules) -> Option<Rule> {
    let exact: fn(&Value) -> Health = match (group, kind) {
        ("apps", "Deployment") => workloads::deployment,
        ("apps", "StatefulSet") => workloads::stateful_set,
        ("apps", "DaemonSet") => workloads::daemon_set,
        ("apps", "ReplicaSet") => workloads::replica_set,
        ("", "Pod") => pods::pod,
        ("batch", "Job") => batch::job,
        ("batch", "CronJob") => batch::cron_job,
        ("", "Service") => cluster::service,
        ("extensions" | "networking.k8s.io", "Ingress") => cluster::ingress,
        ("", "PersistentVolumeClaim") => cluster::volume_claim,
        ("apiregistration.k8s.io", "APIService") => cluster::api_service,
        ("autoscaling", "HorizontalPodAutoscaler") => cluster::autoscaler,
        ("policy", "PodDisruptionBudget") => cluster::disruption_budget,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => cluster::definition,
        ("argoproj.io", "Application") if rules.applications => argo::application,
        ("argoproj.io", "Workflow") => argo::workflow,
        ("argoproj.io", "CronWorkflow") => argo::cron_workflow,
        ("argoproj.io", "ApplicationSet") => argo::application_set,
        ("argoproj.io", "Rollout") => argo::rollout,
        ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute") => gateway::route,
        ("gateway.networking.k8s.io", "Gateway") => gateway::gateway,
        ("pkg.crossplane.io", "Provider") => crossplane::provider,
        _ => return family(group, kind),
    };
    Some(Box::new(exact))
}

fn family(group: &str, kind: &str) -> Option<Rule> {
    if let Some(row) = table::row(group, kind) {
        return Some(Box::new(move |object| row.assess(object)));
    }
    if group.ends_with(".toolkit.fluxcd.io") {
        let kind = kind.to_owned();
        return Some(Box::new(move |object| flux::assess(object, &kind)));
    }
    if group.ends_with(".crossplane.io") || group.ends_with(".upbound.io") {
        let kind = kind.to_owned();
        return Some(Box::new(move |object| crossplane::resource(object, &kind)));
    }
    None
}

/// One object as it counts for its Application.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Which object.
    pub key: &'a Key,
    /// Its health; `None` for kinds without a rule.
    pub health: Option<&'a Health>,
    /// Whether it asks not to be counted.
    pub ignored: bool,
}

/// How well an Application is: the worst of its objects. Absent objects count only when all
/// are absent, and child Applications only when they say something.
pub fn aggregate(parts: &[Part<'_>]) -> Health {
    let counted: Vec<_> = parts.iter().filter(|part| !part.ignored).collect();
    let is_missing = |part: &&&Part<'_>| part.health.is_some_and(|health| health.state == State::Missing);
    if !counted.is_empty() && counted.iter().filter(is_missing).count() == counted.len() {
        return Health::of(State::Missing);
    }
    let mut worst = State::Healthy;
    let mut causes: Vec<String> = Vec::new();
    for part in counted {
        let state = part.health.map_or(State::Healthy, |health| health.state);
        let is_application = &*part.key.group == "argoproj.io" && &*part.key.kind == "Application";
        let is_silent = state == State::Missing || (is_application && state == State::Unknown);
        if is_silent || state < worst || state == State::Healthy {
            continue;
        }
        if state > worst {
            worst = state;
            causes.clear();
        }
        causes.push(part.key.short());
    }
    if causes.is_empty() {
        return Health::of(worst);
    }
    let named = causes.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    Health::new(worst, format!("Caused by {named}"))
}
