//! Where the scheduler hears of everything, and how it takes it in: all that
//! the live copies know by now, before each decision.

use std::collections::{BTreeSet, HashMap};

use api::{ClusterName, Status};
use capability::Context;
use client::{Cache, Change, Changes, Object, View};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::board::Budget;
use super::claims::{Claim, Class, Volume};
use super::cluster::Cluster;
use super::node::Facts;
use super::pod::Pod;
use crate::resource::Resource;
use crate::world::World;

/// A namespace, of which nothing but its metadata matters.
#[derive(Debug)]
pub(super) struct Namespace;

impl View for Namespace {
    fn read(_object: &Object) -> Result<Self, Status> {
        Ok(Namespace)
    }
}

/// The namespaces, which only the scheduler follows here.
pub(super) fn namespaces(ctx: &Context) -> Resource<Namespace> {
    Resource::start(ctx, "", "v1", "namespaces")
}

/// What takes in a change of one kind.
type Take = fn(&mut Cluster, &Change, Timestamp) -> Result<(), Status>;

/// The changes of every kind that matters, in the order in which they are taken in: what is
/// referred to before what refers to it.
pub(super) struct Sources(Vec<(Changes, Take)>);

/// The live copies of those kinds.
pub(super) fn caches<'a>(world: &'a World, namespaces: &'a Resource<Namespace>) -> [&'a Cache; 7] {
    [
        namespaces.cache(),
        world.storage_classes.cache(),
        world.volumes.cache(),
        world.volume_claims.cache(),
        world.disruption_budgets.cache(),
        world.nodes.cache(),
        world.pods.cache(),
    ]
}

impl Sources {
    /// Subscribes to everything.
    pub(super) fn new(world: &World, namespaces: &Resource<Namespace>) -> Sources {
        let takers: [Take; 7] = [namespace, class, volume, claim, budget, node, pod];
        let changes = caches(world, namespaces).map(Cache::subscribe);
        Sources(changes.into_iter().zip(takers).collect())
    }

    /// Takes in everything that is known by now, of all clusters.
    pub(super) fn absorb(&mut self, clusters: &mut HashMap<ClusterName, Cluster>, now: Timestamp) {
        for (changes, take) in &mut self.0 {
            while let Some(Some(change)) = changes.next().now_or_never() {
                let cluster = clusters.entry(change.object().cluster.clone()).or_default();
                // The API server validates what it stores, so this is a fault worth the operator's eye.
                if let Err(error) = take(cluster, &change, now) {
                    tracing::error!(object = %change.key(), %error, "the scheduler cannot read an object");
                }
            }
        }
    }
}

fn namespace(cluster: &mut Cluster, change: &Change, now: Timestamp) -> Result<(), Status> {
    let labels = change.new.as_ref().map(|namespace| namespace.meta.labels.clone());
    cluster.set_namespace(&change.object().meta.name, labels, now);
    Ok(())
}

fn class(cluster: &mut Cluster, change: &Change, now: Timestamp) -> Result<(), Status> {
    let class = change.new.as_ref().map(Class::read).transpose()?;
    cluster.set_class(&change.object().meta.name, class, now);
    Ok(())
}

fn volume(cluster: &mut Cluster, change: &Change, now: Timestamp) -> Result<(), Status> {
    let volume = change.new.as_ref().map(Volume::read).transpose()?;
    cluster.set_volume(&change.object().meta.name, volume, now);
    Ok(())
}

fn claim(cluster: &mut Cluster, change: &Change, now: Timestamp) -> Result<(), Status> {
    let claim = change.new.as_ref().map(Claim::read).transpose()?;
    let meta = &change.object().meta;
    cluster.set_claim(&meta.namespace, &meta.name, claim, now);
    Ok(())
}

fn budget(cluster: &mut Cluster, change: &Change, _now: Timestamp) -> Result<(), Status> {
    let budget = change.new.as_ref().map(read_budget).transpose()?;
    let meta = &change.object().meta;
    cluster.set_budget(&meta.namespace, &meta.name, budget);
    Ok(())
}

fn node(cluster: &mut Cluster, change: &Change, now: Timestamp) -> Result<(), Status> {
    let facts = change.new.as_ref().map(Facts::read).transpose()?;
    cluster.set_node(&change.object().meta.name, facts, now);
    Ok(())
}

fn pod(cluster: &mut Cluster, change: &Change, now: Timestamp) -> Result<(), Status> {
    let pod = change.new.as_ref().map(Pod::read).transpose()?;
    cluster.set_pod(&change.key(), pod, now);
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BudgetWire {
    spec: BudgetSpec,
    status: BudgetStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BudgetSpec {
    selector: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BudgetStatus {
    disruptions_allowed: i64,
    disrupted_pods: Map<String, Value>,
}

fn read_budget(object: &Object) -> Result<Budget, Status> {
    let BudgetWire { spec, status } = object.parse()?;
    Ok(Budget {
        namespace: object.meta.namespace.as_str().into(),
        selector: LabelSelector::from_object(&spec.selector).map_err(Status::internal)?,
        allowed: status.disruptions_allowed,
        disrupted: status.disrupted_pods.keys().map(|name| name.as_str().into()).collect::<BTreeSet<_>>(),
    })
}
