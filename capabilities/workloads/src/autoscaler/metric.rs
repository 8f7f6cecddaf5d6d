//! What one metric asks for: its figures are read, the algorithm is run, and
//! what comes of it is put in Kubernetes' words.

use std::sync::Arc;

use client::Item;
use jiff::Timestamp;
use machinery::quantity::Quantity;
use serde_json::{Value, json};

use super::decide::{Failure, Proposal};
use super::members::member;
use super::replicas::{Member, Scene, Tolerance};
use super::source::Source;
use super::spec::{Metric, OfObject, OfPods, OfResource};
use super::words;
use crate::views::Pod;

/// What a metric is looked at with.
pub(super) struct Look<'a> {
    pub(super) source: Source<'a>,
    /// The selector of the target's pods, and those pods.
    pub(super) selector: &'a str,
    pub(super) pods: &'a [Arc<Item<Pod>>],
    /// Replicas as wanted and as they are.
    pub(super) current: i64,
    pub(super) running: i64,
    pub(super) tolerance: Tolerance,
    pub(super) now: Timestamp,
}

impl Look<'_> {
    /// What a metric asks for.
    pub(super) async fn at(&self, metric: &Metric) -> Result<Proposal, Failure> {
        match metric.kind.as_str() {
            "Resource" => {
                let of = &metric.resource;
                self.resource(of, "", "resource").await.map_err(|message| Failure {
                    reason: "FailedGetResourceMetric",
                    summary: format!("failed to get {} resource metric value: {message}", of.name),
                    message,
                })
            }
            "ContainerResource" => {
                let of = &metric.container_resource;
                self.resource(of, &of.container, "containerResource").await.map_err(|message| Failure {
                    reason: "FailedGetContainerResourceMetric",
                    summary: format!("failed to get {} container metric value: {message}", of.container),
                    message,
                })
            }
            "Pods" => self.of_pods(&metric.pods).await.map_err(|message| Failure {
                reason: "FailedGetPodsMetric",
                summary: format!("failed to get pods metric value: {message}"),
                message,
            }),
            "Object" => self.of_object(&metric.object).await.map_err(|message| Failure {
                reason: "FailedGetObjectMetric",
                summary: format!("failed to get object metric value: {message}"),
                message,
            }),
            "External" => self.external(&metric.external).await.map_err(|message| Failure {
                reason: "FailedGetExternalMetric",
                summary: format!("failed to get {} external metric value: {message}", metric.external.metric.name),
                message,
            }),
            other => {
                let message = format!("unknown metric source type \"{other}\"");
                Err(Failure { reason: "InvalidMetricSourceType", summary: message.clone(), message })
            }
        }
    }

    async fn resource(&self, of: &OfResource, container: &str, field: &str) -> Result<Proposal, String> {
        let name = &of.name;
        let target = &of.target;
        let by = if target.average_value.is_some() { "usage" } else { "utilization" };
        if target.average_value.is_none() && target.average_utilization.is_none() {
            return Err("invalid resource metric source: neither an average utilization target nor an average value \
                        (usage) target was set"
                .into());
        }
        let failed = |why: String| format!("failed to get {name} {by}: {why}");
        let samples = self.source.resource(name, container, self.selector).await.map_err(failed)?;
        let members = self.members(name, container).map_err(failed)?;
        let scene = self.scene(&members, name == "cpu");
        let kind = if container.is_empty() { "Resource" } else { "ContainerResource" };
        let word = if container.is_empty() { "resource" } else { "container resource" };
        let status = |current: Value| {
            let mut status = json!({ "type": kind, field: { "name": name, "current": current } });
            if !container.is_empty() {
                status[field]["container"] = container.into();
            }
            status
        };
        if let Some(target) = target.average_value {
            let (replicas, average) = scene.by_average(target, samples).map_err(failed)?;
            let metric = format!("{name} {word}");
            return Ok(Proposal { replicas, metric, status: status(json!({ "averageValue": quantity(average) })) });
        }
        let found = scene.by_share(target.average_utilization.unwrap_or(0), samples).map_err(failed)?;
        let current = json!({ "averageUtilization": found.percent, "averageValue": quantity(found.average) });
        let metric = format!("{name} {word} utilization (percentage of request)");
        Ok(Proposal { replicas: found.replicas, metric, status: status(current) })
    }

    async fn of_pods(&self, of: &OfPods) -> Result<Proposal, String> {
        let samples = self.source.pods(&of.metric, self.selector).await?;
        let members = self.members("", "")?;
        let target = of.target.average_value.unwrap_or(0);
        let (replicas, average) = self.scene(&members, false).by_average(target, samples)?;
        let current = json!({ "averageValue": quantity(average) });
        let status = json!({ "type": "Pods", "pods": { "metric": identifier(of), "current": current } });
        Ok(Proposal { replicas, metric: format!("pods metric {}", of.metric.name), status })
    }

    async fn of_object(&self, of: &OfObject) -> Result<Proposal, String> {
        let members = self.members("", "")?;
        let scene = self.scene(&members, false);
        let named = OfPods { metric: of.metric.clone(), target: of.target.clone() };
        let described = &of.described_object;
        let status = |current: Value| {
            let mut object = json!({ "kind": described.kind, "name": described.name });
            if !described.api_version.is_empty() {
                object["apiVersion"] = described.api_version.as_str().into();
            }
            let metric = identifier(&named);
            json!({ "type": "Object", "object": { "describedObject": object, "metric": metric, "current": current } })
        };
        let name = &of.metric.name;
        match (of.target.kind.as_str(), of.target.value, of.target.average_value) {
            ("Value", Some(target), _) => {
                let usage = self.source.object(&of.metric, described).await?;
                let replicas = scene.by_value(usage, target)?;
                let metric = format!("{} metric {name}", described.kind);
                Ok(Proposal { replicas, metric, status: status(json!({ "value": quantity(usage) })) })
            }
            ("AverageValue", _, Some(target)) => {
                let usage = self.source.object(&of.metric, described).await;
                let usage = usage.map_err(|why| format!("failed to get {name} object metric: {why}"))?;
                let (replicas, average) = scene.by_value_per_pod(usage, target, self.running);
                let metric = format!("external metric {name}({})", words::selector(&of.metric.selector));
                Ok(Proposal { replicas, metric, status: status(json!({ "averageValue": quantity(average) })) })
            }
            _ => Err("invalid object metric source: neither a value target nor an average value target was set".into()),
        }
    }

    async fn external(&self, of: &OfPods) -> Result<Proposal, String> {
        let name = &of.metric.name;
        let members = self.members("", "")?;
        let scene = self.scene(&members, false);
        let metric = format!("external metric {name}({})", words::selector(&of.metric.selector));
        let status = |current: Value| json!({ "type": "External", "external": { "metric": identifier(of), "current": current } });
        if let Some(target) = of.target.average_value {
            let usage = self.source.external(&of.metric).await;
            let usage = usage.map_err(|why| format!("failed to get {name} external metric: {why}"))?;
            let (replicas, average) = scene.by_value_per_pod(usage, target, self.running);
            return Ok(Proposal { replicas, metric, status: status(json!({ "averageValue": quantity(average) })) });
        }
        if let Some(target) = of.target.value {
            let failed = |why: String| format!("failed to get external metric {name}: {why}");
            let usage = self.source.external(&of.metric).await.map_err(failed)?;
            let replicas = scene.by_value(usage, target).map_err(failed)?;
            return Ok(Proposal { replicas, metric, status: status(json!({ "value": quantity(usage) })) });
        }
        Err("invalid external metric source: neither a value target nor an average value target was set".into())
    }

    fn members(&self, resource: &str, container: &str) -> Result<Vec<Member>, String> {
        let members = self.pods.iter().map(|pod| member(pod, resource, container));
        members.collect::<Result<_, _>>().map_err(|status| status.message)
    }

    fn scene<'a>(&self, members: &'a [Member], is_cpu: bool) -> Scene<'a> {
        Scene { current: self.current, members, is_cpu, tolerance: self.tolerance, now: self.now }
    }
}

fn identifier(of: &OfPods) -> Value {
    let mut identifier = json!({ "name": of.metric.name });
    if !of.metric.selector.is_null() {
        identifier["selector"] = of.metric.selector.clone();
    }
    identifier
}

/// Thousandths as a quantity.
fn quantity(milli: i64) -> String {
    Quantity::parse(&format!("{milli}m")).map_or_else(|| format!("{milli}m"), |quantity| quantity.to_string())
}
