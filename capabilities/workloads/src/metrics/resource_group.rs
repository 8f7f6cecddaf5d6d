//! `metrics.k8s.io`: what nodes and pods use, as metrics-server answers it.

use std::collections::BTreeMap;

use api::{ClusterName, Gvr, ObjectMeta, Status};
use contracts::groups::{GroupResource, Question, ResourceGroup};
use futures::future::BoxFuture;
use machinery::selector::LabelSelector;
use serde_json::{Value, json};

use super::figures::{Figures, Used};

const GROUP: &str = "metrics.k8s.io";
const VERSION: &str = "v1beta1";
/// The time that a figure is an average of: what is stated holds at once.
const WINDOW: &str = "0s";

pub(super) struct ResourceMetrics(pub(super) Figures);

impl ResourceGroup for ResourceMetrics {
    fn group(&self) -> &str {
        GROUP
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn resources(&self, _cluster: &ClusterName) -> Vec<GroupResource> {
        let resource = |name: &str, kind: &str, namespaced| GroupResource {
            name: name.into(),
            kind: kind.into(),
            namespaced,
            verbs: vec!["get".into(), "list".into()],
            ..GroupResource::default()
        };
        vec![resource("nodes", "NodeMetrics", false), resource("pods", "PodMetrics", true)]
    }

    fn answer<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Value, Status>> {
        Box::pin(async move {
            match (question.resource.as_str(), question.subresource.is_some()) {
                ("nodes", false) => self.nodes(question),
                ("pods", false) => self.pods(question),
                _ => Err(Status::no_such_resource()),
            }
        })
    }
}

impl ResourceMetrics {
    fn nodes(&self, question: &Question) -> Result<Value, Status> {
        let world = &self.0.world;
        let now = world.clock().now_rfc3339();
        let metrics = |meta: &ObjectMeta| {
            let (cpu, memory) = self.0.of_node(&question.cluster, &meta.name)?;
            let mut answer = head("NodeMetrics", meta, &now);
            answer["usage"] = json!({ "cpu": cpu.to_string(), "memory": memory.to_string() });
            Some(answer)
        };
        let nodes = world.nodes.find_in(&question.cluster, "");
        if let Some(name) = &question.name {
            let node = nodes.iter().find(|node| node.object.meta.name == *name);
            let found = node.and_then(|node| metrics(&node.object.meta));
            return found.ok_or_else(|| missing("nodes", name));
        }
        let selector = selector(question)?;
        let metas = nodes.iter().map(|node| &*node.object.meta);
        let selected = metas.filter(|meta| selector.matches_map(&meta.labels));
        Ok(list("NodeMetricsList", selected.filter_map(metrics).collect()))
    }

    fn pods(&self, question: &Question) -> Result<Value, Status> {
        let now = self.0.world.clock().now_rfc3339();
        let metrics = |meta: &ObjectMeta, used: &[Used]| {
            let container = |used: &Used| {
                let usage = json!({ "cpu": used.cpu.to_string(), "memory": used.memory.to_string() });
                json!({ "name": used.container, "usage": usage })
            };
            let mut answer = head("PodMetrics", meta, &now);
            answer["containers"] = used.iter().map(container).collect();
            answer
        };
        let pods = self.0.pods(&question.cluster, question.namespace.as_deref());
        if let Some(name) = &question.name {
            let pod = pods.iter().find(|pod| pod.object.meta.name == *name);
            let found = pod.and_then(|pod| Some(metrics(&pod.object.meta, &self.0.of_pod(pod)?)));
            return found.ok_or_else(|| missing("pods", name));
        }
        let selector = selector(question)?;
        let selected = pods.iter().filter(|pod| selector.matches_map(&pod.object.meta.labels));
        let items = selected.filter_map(|pod| Some(metrics(&pod.object.meta, &self.0.of_pod(pod)?)));
        Ok(list("PodMetricsList", items.collect()))
    }
}

fn selector(question: &Question) -> Result<LabelSelector, Status> {
    LabelSelector::parse(question.parameter("labelSelector")).map_err(|error| Status::bad_request(error.to_string()))
}

fn missing(plural: &str, name: &str) -> Status {
    Status::not_found(&Gvr::new(GROUP, VERSION, plural), name)
}

fn head(kind: &str, of: &ObjectMeta, now: &str) -> Value {
    let mut metadata = json!({ "name": of.name, "creationTimestamp": now });
    if !of.namespace.is_empty() {
        metadata["namespace"] = of.namespace.as_str().into();
    }
    let labels: &BTreeMap<String, String> = &of.labels;
    if !labels.is_empty() {
        metadata["labels"] = json!(labels);
    }
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": kind, "metadata": metadata,
        "timestamp": now, "window": WINDOW,
    })
}

fn list(kind: &str, items: Vec<Value>) -> Value {
    json!({ "apiVersion": format!("{GROUP}/{VERSION}"), "kind": kind, "metadata": {}, "items": items })
}
