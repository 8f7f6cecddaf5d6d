//! The figures of what runs on simulated nodes, put together from what pods and
//! usages state. Nothing is measured: a figure changes when somebody changes it.

use std::sync::Arc;

use api::ClusterName;
use client::{Cache, Item, ObjectKey};
use machinery::quantity::Quantity;
use serde::Deserialize;

use super::stated::{CustomMetric, ExternalMetric};
use super::usage::{Usage, Usages, annotated};
use crate::resource::Resource;
use crate::simulated;
use crate::views::{Phase, Pod};
use crate::world::World;

const GROUP: &str = "kwok.x-k8s.io";
const VERSION: &str = "v1alpha1";
/// Annotations of a pod that state what each of its containers uses, and what counts without.
const CPU: (&str, &str, &str) = ("cpu", "kwok.x-k8s.io/usage-cpu", "1m");
const MEMORY: (&str, &str, &str) = ("memory", "kwok.x-k8s.io/usage-memory", "1Mi");

/// What is stated. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(super) world: World,
    pub(super) usages: Resource<Usage>,
    pub(super) cluster_usages: Resource<Usage>,
    pub(super) custom: Resource<CustomMetric>,
    pub(super) external: Resource<ExternalMetric>,
}

/// What a container uses.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Used {
    pub(super) container: String,
    pub(super) cpu: Quantity,
    pub(super) memory: Quantity,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Containers {
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    containers: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Figures {
    pub(super) fn start(world: &World) -> Self {
        Figures {
            world: world.clone(),
            usages: Resource::start(world.ctx(), GROUP, VERSION, "resourceusages"),
            cluster_usages: Resource::start(world.ctx(), GROUP, VERSION, "clusterresourceusages"),
            custom: Resource::start(world.ctx(), GROUP, VERSION, "custommetrics"),
            external: Resource::start(world.ctx(), GROUP, VERSION, "externalmetrics"),
        }
    }

    /// The caches of all that states figures.
    pub(crate) fn stated(&self) -> [Cache; 4] {
        let caches = [self.usages.cache(), self.cluster_usages.cache(), self.custom.cache(), self.external.cache()];
        caches.map(Clone::clone)
    }

    /// The annotations of pods that state figures.
    pub(crate) fn annotations() -> [&'static str; 2] {
        [CPU.1, MEMORY.1]
    }

    /// What the containers of a pod use; `None` if nobody measures it: it does not run, or not on
    /// a simulated node.
    pub(super) fn of_pod(&self, pod: &Item<Pod>) -> Option<Vec<Used>> {
        let cluster = &pod.object.cluster;
        let node = self.world.nodes.get(&ObjectKey::new(cluster, "", &pod.view.spec.node_name))?;
        if pod.view.status.phase != Phase::Running || !simulated::is_simulated(&node.object.meta) {
            return None;
        }
        let containers: Containers = pod.object.parse().ok()?;
        let own = self.usages.get(&pod.key());
        let all = self.cluster_usages.find_in(cluster, "");
        let mut stated: Vec<&Usages> = own.iter().filter_map(|usage| usage.view.0.as_ref().ok()).collect();
        let of_all = all.iter().filter_map(|usage| usage.view.0.as_ref().ok());
        stated.extend(of_all.filter(|usage| usage.selects(&pod.object.meta)));
        let figure = |container: &str, (resource, annotation, least): (&str, &str, &str)| {
            let found = stated.iter().find_map(|usage| usage.figure(&pod.object.meta, container, resource));
            let found = found.or_else(|| annotated(&pod.object.meta, annotation));
            found.or_else(|| Quantity::parse(least)).unwrap_or(Quantity::from_integer(0))
        };
        let used = |container: Named| Used {
            cpu: figure(&container.name, CPU),
            memory: figure(&container.name, MEMORY),
            container: container.name,
        };
        Some(containers.spec.containers.into_iter().map(used).collect())
    }

    /// What all pods on a node use; `None` if it is not simulated.
    pub(super) fn of_node(&self, cluster: &ClusterName, name: &str) -> Option<(Quantity, Quantity)> {
        let node = self.world.nodes.get(&ObjectKey::new(cluster, "", name))?;
        if !simulated::is_simulated(&node.object.meta) {
            return None;
        }
        let pods = self.world.pods.find(cluster, &Pod::on_node(name));
        let used = pods.iter().filter_map(|pod| self.of_pod(pod)).flatten();
        let none = || Quantity::parse("0").unwrap_or(Quantity::from_integer(0));
        // Left sides give the form of a sum: memory in powers of two.
        let zero = (none(), Quantity::parse("0Ki").unwrap_or(Quantity::from_integer(0)));
        Some(used.fold(zero, |(cpu, memory), used| {
            (cpu.checked_add(used.cpu).unwrap_or(cpu), memory.checked_add(used.memory).unwrap_or(memory))
        }))
    }

    /// The pods of a namespace, or of all.
    pub(super) fn pods(&self, cluster: &ClusterName, namespace: Option<&str>) -> Vec<Arc<Item<Pod>>> {
        match namespace {
            Some(namespace) => self.world.pods.find_in(cluster, namespace),
            None => {
                let mut all = self.world.pods.all();
                all.retain(|pod| pod.object.cluster == *cluster);
                all.sort_by_cached_key(|pod| pod.key());
                all
            }
        }
    }
}
