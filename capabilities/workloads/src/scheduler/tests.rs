//! The scheduler, by its parts: each topic a table over small clusters that are
//! written down as objects.

mod places;
mod preemption;
mod promises;
mod storage;
mod waits;

use std::sync::Arc;

use api::ClusterName;
use client::{Object, ObjectKey};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::{Cluster, Work};
use super::node::Facts;
use super::pod::Pod;

/// A cluster under test, and the time there.
struct Table {
    cluster: Cluster,
    now: Timestamp,
    revision: u64,
}

fn object(mut value: Value) -> Object {
    if value["metadata"]["uid"].is_null() {
        value["metadata"]["uid"] = format!("uid-{}", value["metadata"]["name"].as_str().unwrap()).into();
    }
    Object::from_json(ClusterName::root(), value.to_string().into()).unwrap()
}

/// A pod of the namespace `default`, with what `spec` says over what every pod has.
fn pod(name: &str, spec: Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "default", "labels": { "app": "web" } },
        "spec": { "schedulerName": "default-scheduler", "containers": [{ "name": "main" }] },
    });
    merge(&mut pod["spec"], &spec);
    pod
}

/// A pod that asks for this much of a processor.
fn asking(name: &str, cpu: &str, spec: Value) -> Value {
    let mut pod = pod(name, spec);
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": cpu } });
    pod
}

/// A node with four processors, 8Gi of memory and room for 110 pods.
fn node(name: &str, labels: Value, spec: Value) -> Value {
    let mut node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
        "spec": spec,
        "status": { "allocatable": { "cpu": "4", "memory": "8Gi", "pods": "110" } },
    });
    merge(&mut node["metadata"]["labels"], &labels);
    node
}

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(&ClusterName::root(), "default", name)
}

impl Table {
    fn of(nodes: &[Value]) -> Table {
        let mut table =
            Table { cluster: Cluster::default(), now: "2026-01-01T00:00:00Z".parse().unwrap(), revision: 0 };
        nodes.iter().for_each(|node| table.node(node));
        table
    }

    fn node(&mut self, node: &Value) {
        let node = object(node.clone());
        self.cluster.set_node(&node.meta.name, Some(Facts::read(&node).unwrap()), self.now);
    }

    fn pod(&mut self, pod: &Value) {
        let pod = Pod::read(&object(pod.clone())).unwrap();
        self.cluster.set_pod(&pod.key.clone(), Some(pod), self.now);
    }

    fn gone(&mut self, name: &str) {
        self.cluster.set_pod(&key(name), None, self.now);
    }

    /// A pod that is on a node already.
    fn placed(&mut self, mut pod: Value, node: &str) {
        pod["spec"]["nodeName"] = node.into();
        self.pod(&pod);
    }

    fn next(&mut self) -> Option<Work> {
        self.revision += 1;
        let chance = self.revision;
        self.cluster.next(self.now, || chance)
    }

    /// Where the next pod goes, or what its owner is told.
    fn outcome(&mut self) -> String {
        match self.next() {
            Some(Work::Bind { pod, node }) => {
                // It is seen on its node, as the API server tells of it.
                let mut bound = pod.object.value().unwrap();
                bound["spec"]["nodeName"] = (*node).into();
                self.pod(&bound);
                node.to_string()
            }
            Some(Work::Report { pod, message, .. }) => {
                self.cluster.reported(&pod, self.now);
                message
            }
            Some(Work::Prepare { node, steps, .. }) => format!("{node} after {steps:?}"),
            Some(Work::MakeRoom { room, .. }) => {
                let names: Vec<&str> = room.victims.iter().map(|pod| &*pod.object.meta.name).collect();
                format!("{} without {}", room.node, names.join(", "))
            }
            None => "nothing".to_owned(),
        }
    }

    /// Where a pod goes that comes now.
    fn comes(&mut self, pod: &Value) -> String {
        self.pod(pod);
        self.outcome()
    }

    fn later(&mut self, secs: i64) {
        self.now += jiff::SignedDuration::from_secs(secs);
    }
}

fn of_work(work: Option<Work>) -> Option<(Arc<Pod>, Arc<str>)> {
    match work {
        Some(Work::Bind { pod, node }) => Some((pod, node)),
        _ => None,
    }
}
