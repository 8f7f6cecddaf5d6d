//! `external.metrics.k8s.io`: metrics of nothing in the cluster, by
//! `ExternalMetric` of the namespace that asks.

use api::{ClusterName, Status};
use contracts::groups::{GroupResource, Question, ResourceGroup};
use futures::future::BoxFuture;
use machinery::selector::LabelSelector;
use serde_json::{Value, json};

use super::custom_group::text;
use super::figures::Figures;

const GROUP: &str = "external.metrics.k8s.io";
const VERSION: &str = "v1beta1";

pub(super) struct ExternalMetrics(pub(super) Figures);

impl ResourceGroup for ExternalMetrics {
    fn group(&self) -> &str {
        GROUP
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn resources(&self, cluster: &ClusterName) -> Vec<GroupResource> {
        let all = self.0.external.all();
        let in_cluster = all.iter().filter(|metric| metric.object.cluster == *cluster);
        let mut names: Vec<String> = in_cluster.map(|metric| metric.view.spec.name.clone()).collect();
        names.sort();
        names.dedup();
        let resource = |name| GroupResource {
            name,
            kind: "ExternalMetricValueList".into(),
            namespaced: true,
            verbs: vec!["get".into()],
            ..GroupResource::default()
        };
        names.into_iter().map(resource).collect()
    }

    fn answer<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Value, Status>> {
        Box::pin(async move { self.find(question) })
    }
}

impl ExternalMetrics {
    fn find(&self, question: &Question) -> Result<Value, Status> {
        let Some(namespace) = question.namespace.as_deref().filter(|_| question.name.is_none()) else {
            return Err(Status::no_such_resource());
        };
        let selector = LabelSelector::parse(question.parameter("labelSelector"))
            .map_err(|error| Status::bad_request(error.to_string()))?;
        let now = self.0.world.clock().now_rfc3339();
        let mut items = Vec::new();
        for metric in self.0.external.find_in(&question.cluster, namespace) {
            let name = &metric.view.spec.name;
            let series = metric.view.spec.metrics.iter().filter(|_| *name == question.resource);
            for one in series.filter(|one| selector.matches_map(&one.labels)) {
                items.push(json!({
                    "metricName": name, "metricLabels": one.labels, "timestamp": now, "value": text(&one.value),
                }));
            }
        }
        let api_version = format!("{GROUP}/{VERSION}");
        Ok(json!({ "apiVersion": api_version, "kind": "ExternalMetricValueList", "metadata": {}, "items": items }))
    }
}
