//! The pods on simulated nodes: observes one, lets `decide` or a stage say what
//! comes next, and writes it. One write takes a pod from bound to running.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use client::{Change, DeleteOptions, Item, Object, ObjectKey, Patch};
use controller::{Controller, Error, Next, Reconciler};
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::addresses::Addresses;
use super::decide::{self, Act, Move};
use super::fleet::Fleet;
use super::marks;
use super::pod::Pod as Simulated;
use super::stage::Stage;
use super::stages::{Choice, Stages};
use super::status::Scene;
use super::template::Facts;
use crate::resource::Resource;
use crate::views::{Phase, Pod};
use crate::world::World;

/// Pods that are written at once. Writes wait for the disk together, so many cost little more
/// than one.
const WORKERS: usize = 32;

pub(super) fn start(world: &World, stages: &Resource<Stage>, fleet: &Arc<Fleet>, joined: UnboundedReceiver<ObjectKey>) {
    let pods = Arc::new(Pods {
        world: world.clone(),
        stages: Stages::new(world, "Pod", stages),
        addresses: OnceLock::new(),
        fleet: fleet.clone(),
    });
    let (of_pod, of_node, of_stage) = (pods.clone(), pods.clone(), pods.clone());
    let joined = futures::stream::unfold(joined, |mut joined| async move { Some((joined.recv().await?, joined)) });
    let of_joined = joined.flat_map(move |node| futures::stream::iter(of_node.keys_on(&node)));
    Controller::new("simulated pods", pods)
        .watches(world.pods.cache(), move |change| of_pod.keys_of_pod(change))
        .watches(stages.cache(), move |change| of_stage.keys_of_stage(change))
        .triggered_by(of_joined.boxed())
        .workers(WORKERS)
        .start(world.tasks());
}

struct Pods {
    world: World,
    stages: Stages,
    /// Filled when the first pod is reconciled, with what pods had before a restart.
    addresses: OnceLock<Addresses>,
    fleet: Arc<Fleet>,
}

impl Reconciler for Pods {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.pods.get(key) {
                Some(pod) => match self.node_ip(&pod) {
                    Some(node_ip) => self.sync(key, &pod, &node_ip).await,
                    None => Ok(Next::Done),
                },
                None => {
                    self.addresses().release(key);
                    self.stages.forget(key);
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl Pods {
    fn keys_of_pod(&self, change: &Change) -> Vec<ObjectKey> {
        let key = change.key();
        let concerns = match self.world.pods.get(&key) {
            Some(pod) => self.is_simulated(&pod),
            None => self.addresses.get().is_some_and(|addresses| addresses.is_held_by(&key)),
        };
        if concerns { vec![key] } else { Vec::new() }
    }

    fn keys_on(&self, node: &ObjectKey) -> Vec<ObjectKey> {
        let pods = self.world.pods.find(&node.cluster, &Pod::on_node(&node.name));
        pods.iter().map(|pod| pod.key()).collect()
    }

    /// Every pod on a simulated node, unless only the stage's status changed.
    fn keys_of_stage(&self, change: &Change) -> Vec<ObjectKey> {
        let generation = |stage: Option<&Object>| stage.map(|stage| stage.meta.generation);
        if generation(change.old.as_ref()) == generation(change.new.as_ref()) {
            return Vec::new();
        }
        let cluster = &change.object().cluster;
        let nodes = self.fleet.nodes().into_iter().filter(|node| node.cluster == *cluster);
        nodes.flat_map(|node| self.keys_on(&node)).collect()
    }

    fn node_ip(&self, pod: &Item<Pod>) -> Option<Arc<str>> {
        let name = &pod.view.spec.node_name;
        if name.is_empty() {
            return None;
        }
        self.fleet.address(&ObjectKey::new(&pod.object.cluster, "", name))
    }

    fn is_simulated(&self, pod: &Item<Pod>) -> bool {
        self.node_ip(pod).is_some()
    }

    fn addresses(&self) -> &Addresses {
        self.addresses.get_or_init(|| {
            let addresses = Addresses::of_pods();
            for pod in self.world.pods.all().iter().filter(|pod| self.is_simulated(pod)) {
                if let Ok(simulated) = pod.object.parse::<Simulated>() {
                    addresses.claim(&pod.key(), &simulated.status.pod_ip);
                }
            }
            addresses
        })
    }

    /// Whether nothing can be due: it is decided by what is at hand, for most pods most of the time.
    fn is_settled(&self, pod: &Item<Pod>) -> bool {
        let meta = &pod.object.meta;
        let runs_on = pod.view.status.phase == Phase::Running && !marks::is_of_job(meta) && !marks::has_wishes(meta);
        (runs_on || pod.view.is_finished()) && !meta.is_deleting() && self.stages.is_empty(&pod.object)
    }

    async fn sync(&self, key: &ObjectKey, pod: &Item<Pod>, node_ip: &str) -> Result<Next, Error> {
        if self.is_settled(pod) {
            return Ok(Next::Done);
        }
        let now = self.world.clock().now();
        let simulated: Simulated = pod.object.parse()?;
        let wishes = marks::wishes(&pod.object.meta);
        let next = decide::next(&pod.object.meta, &simulated, &wishes, now);
        let offered = next.as_ref().map(|next| (next.stage, next.at));
        match (self.stages.choose(&pod.object, offered, now)?, &next) {
            // What is simulated to take time is told by no event.
            (Choice::Wait(wait), _) => Ok(Next::After(wait.max(Duration::from_millis(1)))),
            (Choice::Builtin, Some(Move { act: Act::Remove, .. })) => {
                let options = DeleteOptions { grace_period_secs: Some(0), ..DeleteOptions::default() };
                self.world.pods.delete_with(&pod.object, options).await?;
                Ok(Next::Done)
            }
            (Choice::Builtin, Some(Move { act, .. })) => {
                let pod_ip = match act {
                    Act::Start { .. } => self.pod_ip(key, &simulated, node_ip),
                    _ => String::new(),
                };
                let now = self.world.clock().now_rfc3339();
                let meta = &pod.object.meta;
                let scene = Scene { meta, pod: &simulated, wishes: &wishes, pod_ip: &pod_ip, node_ip, now: &now };
                self.report(pod, scene.after(act)).await?;
                Ok(Next::Done)
            }
            (Choice::Stage(stage), _) => {
                let facts = Facts {
                    now: self.world.clock().now_rfc3339(),
                    node_ip: node_ip.to_owned(),
                    node_name: pod.view.spec.node_name.to_string(),
                    pod_ip: self.pod_ip(key, &simulated, node_ip),
                };
                self.stages.take(&stage, &self.world.pods, &pod.object, &facts).await?;
                Ok(Next::Done)
            }
            _ => Ok(Next::Done),
        }
    }

    async fn report(&self, pod: &Item<Pod>, status: Option<Value>) -> Result<(), Error> {
        let Some(status) = status else { return Ok(()) };
        // Another pod of the same name is not meant.
        let patch = json!({ "metadata": { "uid": pod.object.meta.uid }, "status": status });
        let patch = Patch::Strategic(patch.to_string().into());
        match self.world.pods.patch(&pod.object, Some("status"), patch).await {
            Err(status) if !status.is_not_found() => Err(status.into()),
            _ => Ok(()),
        }
    }

    /// The address of a pod; one that has none yet is given one.
    fn pod_ip(&self, key: &ObjectKey, simulated: &Simulated, node_ip: &str) -> String {
        if !simulated.status.pod_ip.is_empty() {
            return simulated.status.pod_ip.clone();
        }
        if simulated.spec.host_network {
            return node_ip.to_owned();
        }
        self.addresses().give(key).map(|address| address.to_string()).unwrap_or_default()
    }
}
