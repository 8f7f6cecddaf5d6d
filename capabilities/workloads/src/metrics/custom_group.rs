//! `custom.metrics.k8s.io`: metrics of objects by `CustomMetric`. A metric is a
//! subresource: `pods/*/requests`, `services/web/requests`.

use api::{ClusterName, KindDescriptor, Status};
use contracts::groups::{GroupResource, Question, ResourceGroup};
use futures::future::BoxFuture;
use machinery::selector::LabelSelector;
use serde_json::{Value, json};

use super::figures::Figures;

const GROUP: &str = "custom.metrics.k8s.io";
const VERSION: &str = "v1beta2";

pub(super) struct CustomMetrics(pub(super) Figures);

impl ResourceGroup for CustomMetrics {
    fn group(&self) -> &str {
        GROUP
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn resources(&self, cluster: &ClusterName) -> Vec<GroupResource> {
        let mut names: Vec<String> = Vec::new();
        for metric in self.0.custom.find_in(cluster, "") {
            let plural = plural(metric.view.kind());
            names.extend(metric.view.names().map(|name| format!("{plural}/{name}")));
        }
        names.sort();
        names.dedup();
        let resource = |name| GroupResource {
            name,
            kind: "MetricValueList".into(),
            namespaced: true,
            verbs: vec!["get".into()],
            ..GroupResource::default()
        };
        names.into_iter().map(resource).collect()
    }

    fn answer<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Value, Status>> {
        Box::pin(async move { self.find(question).await })
    }
}

impl CustomMetrics {
    async fn find(&self, question: &Question) -> Result<Value, Status> {
        let (Some(name), Some(metric)) = (&question.name, &question.subresource) else {
            return Err(Status::no_such_resource());
        };
        // What is stated bears no labels, so no requirement on them holds.
        if !question.parameter("metricLabelSelector").is_empty() {
            return Err(missing(metric, &question.resource));
        }
        let (resource, group) = question.resource.split_once('.').unwrap_or((&question.resource, ""));
        let kinds = self.0.world.ctx().objects.kinds(&question.cluster).await?;
        let is_it = |kind: &&KindDescriptor| {
            *kind.plural == *resource && (!question.resource.contains('.') || *kind.gvk.group == *group)
        };
        let gvk = &kinds.iter().find(is_it).ok_or_else(|| missing(metric, &question.resource))?.gvk;
        let stated = self.0.custom.find_in(&question.cluster, "");
        let now = self.0.world.clock().now_rfc3339();
        let namespace = question.namespace.as_deref().unwrap_or_default();
        let value = |name: &str| {
            let found = stated.iter().find_map(|one| one.view.value(&gvk.kind, namespace, name, metric))?;
            let mut described = json!({ "kind": &*gvk.kind, "name": name, "apiVersion": gvk.api_version() });
            if !namespace.is_empty() {
                described["namespace"] = namespace.into();
            }
            let metric = json!({ "name": metric, "selector": null });
            Some(json!({ "describedObject": described, "metric": metric, "timestamp": now, "value": text(found) }))
        };
        let names = match (name.as_str(), resource) {
            ("*", "pods") => self.pods(question)?,
            ("*", _) => return Err(missing(metric, &question.resource)),
            (name, _) => vec![name.to_owned()],
        };
        let items: Vec<Value> = names.iter().filter_map(|name| value(name)).collect();
        if items.is_empty() {
            return Err(missing(metric, &question.resource));
        }
        let api_version = format!("{GROUP}/{VERSION}");
        Ok(json!({ "apiVersion": api_version, "kind": "MetricValueList", "metadata": {}, "items": items }))
    }

    fn pods(&self, question: &Question) -> Result<Vec<String>, Status> {
        let selector = LabelSelector::parse(question.parameter("labelSelector"))
            .map_err(|error| Status::bad_request(error.to_string()))?;
        let pods = self.0.pods(&question.cluster, question.namespace.as_deref());
        let selected =
            pods.iter().filter(|pod| selector.matches_map(&pod.object.meta.labels) && self.0.of_pod(pod).is_some());
        Ok(selected.map(|pod| pod.object.meta.name.clone()).collect())
    }
}

/// As the adapters of custom metrics word it.
fn missing(metric: &str, resource: &str) -> Status {
    let message = format!("the server could not find the metric {metric} for {resource}");
    Status::new(404, api::status::Reason::NotFound, message)
}

/// A quantity as it was written.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The plural that a kind has by rule, for the list of what there is.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}
