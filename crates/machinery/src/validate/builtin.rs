//! Validation of built-in kinds beyond their metadata: what a new object must state, and
//! what of an object must never change, in kube-apiserver's words. It is pure and never
//! changes an object. It holds what clients notice and what would break controllers; the
//! long tail of rules about single fields is not here.

mod containers;
mod cron;
mod findings;
mod immutable;
mod jobs;
mod network;
mod places;
mod pod_parts;
mod pod_update;
mod pods;
mod resources;
mod roles;
mod scaling;
mod selectors;
mod services;
mod settings;
mod storage;
#[cfg(test)]
mod tests;
mod volumes;
mod workloads;

use api::{Cause, KindDescriptor};
use serde_json::{Map, Value};

use findings::Findings;

/// An object or a part of one.
type Object = Map<String, Value>;

/// Checks a new object of a built-in kind, defaults and server-given fields filled. Kinds
/// without rules pass.
pub fn builtin_create(kind: &KindDescriptor, object: &Map<String, Value>) -> Vec<Cause> {
    let mut found = Findings::default();
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "pods") => pods::create(object, &mut found),
        ("networking.k8s.io", "ingresses") => network::ingress_create(object, &mut found),
        _ => {}
    }
    check(kind, object, &mut found);
    found.into_causes()
}

/// Checks an object of a built-in kind that replaces `old`, with the defaults of both
/// filled: first what a new object of its kind must satisfy, then what may not change.
pub fn builtin_update(kind: &KindDescriptor, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Cause> {
    let mut found = Findings::default();
    check(kind, new, &mut found);
    let group = &*kind.gvk.group;
    match (group, &*kind.plural) {
        ("", "nodes") => roles::node_update(old, new, &mut found),
        ("", "persistentvolumeclaims") => storage::claim_update(old, new, &mut found),
        ("", "persistentvolumes") => storage::volume_update(old, new, &mut found),
        ("", "pods") => pod_update::check(old, new, &mut found),
        ("", "configmaps" | "secrets") => settings::update(old, new, &mut found),
        ("", "services") => services::update(old, new, &mut found),
        ("apps", "statefulsets") => workloads::stateful_set_update(old, new, &mut found),
        ("batch", "jobs") => jobs::update(old, new, &mut found),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => {
            roles::binding_update(old, new, &mut found);
        }
        _ => {}
    }
    immutable::check(group, &kind.plural, old, new, &mut found);
    found.into_causes()
}

/// Checks a pod of which the fields of a subresource replace those of `old`.
pub fn pod_part_update(subresource: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Cause> {
    let mut found = Findings::default();
    match subresource {
        "ephemeralcontainers" => pod_parts::ephemeral_containers(old, new, &mut found),
        "resize" => {
            pods::pod(new, &mut found);
            pod_parts::resize(old, new, &mut found);
        }
        _ => {}
    }
    found.into_causes()
}

/// The rules for an object however it came to be.
fn check(kind: &KindDescriptor, object: &Object, found: &mut Findings) {
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "configmaps") => settings::config_map(object, found),
        ("", "limitranges" | "resourcequotas") => resources::limits(object, found),
        ("", "persistentvolumeclaims") => storage::claim(object, found),
        ("", "persistentvolumes") => storage::volume(object, found),
        ("", "pods") => pods::pod(object, found),
        ("", "podtemplates") => pods::template(object.get("template"), "template", found),
        ("", "replicationcontrollers") => workloads::replication_controller(object, found),
        ("", "secrets") => settings::secret(object, found),
        ("", "services") => services::check(object, found),
        ("apps", "daemonsets") => workloads::daemon_set(object, found),
        ("apps", "deployments") => workloads::deployment(object, found),
        ("apps", "replicasets") => workloads::replica_set(object, found),
        ("apps", "statefulsets") => workloads::stateful_set(object, found),
        ("autoscaling", "horizontalpodautoscalers") => scaling::autoscaler(object, found),
        ("batch", "cronjobs") => jobs::cron_job(object, found),
        ("batch", "jobs") => jobs::job(object, found),
        ("coordination.k8s.io", "leases") => roles::lease(object, found),
        ("discovery.k8s.io", "endpointslices") => network::endpoint_slice(object, found),
        ("networking.k8s.io", "ingressclasses") => network::ingress_class(object, found),
        ("networking.k8s.io", "ingresses") => network::ingress(object, found),
        ("networking.k8s.io", "networkpolicies") => network::policy(object, found),
        ("node.k8s.io", "runtimeclasses") => roles::runtime_class(object, found),
        ("policy", "poddisruptionbudgets") => scaling::disruption_budget(object, found),
        ("rbac.authorization.k8s.io", "rolebindings") => roles::binding(object, true, found),
        ("rbac.authorization.k8s.io", "clusterrolebindings") => roles::binding(object, false, found),
        ("rbac.authorization.k8s.io", "roles") => roles::role(object, true, found),
        ("rbac.authorization.k8s.io", "clusterroles") => roles::role(object, false, found),
        ("scheduling.k8s.io", "priorityclasses") => roles::priority_class(object, found),
        ("storage.k8s.io", "storageclasses") => storage::class(object, found),
        _ => {}
    }
}
