//! Autoscalers as they are read, with the defaults of the API. Plain data.

use api::Status;
use client::{Object, View};
use machinery::quantity::Quantity;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::behavior::Behavior;

/// What is read of an autoscaler.
#[derive(Debug, Deserialize)]
pub(super) struct Autoscaler {
    pub(super) spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) scale_target_ref: Reference,
    #[serde(default = "one")]
    pub(super) min_replicas: i64,
    pub(super) max_replicas: i64,
    #[serde(default)]
    pub(super) metrics: Vec<Metric>,
    pub(super) behavior: Option<Behavior>,
}

fn one() -> i64 {
    1
}

/// An object in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// One metric to scale by.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metric {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) resource: OfResource,
    pub(super) container_resource: OfResource,
    pub(super) pods: OfPods,
    pub(super) object: OfObject,
    pub(super) external: OfPods,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OfResource {
    pub(super) name: String,
    pub(super) container: String,
    pub(super) target: Target,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OfPods {
    pub(super) metric: Identifier,
    pub(super) target: Target,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OfObject {
    pub(super) described_object: Reference,
    pub(super) metric: Identifier,
    pub(super) target: Target,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Identifier {
    pub(super) name: String,
    /// As it is written; null for none.
    pub(super) selector: Value,
}

/// What a metric should be, in thousandths and in percent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Target {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(deserialize_with = "milli")]
    pub(super) value: Option<i64>,
    #[serde(deserialize_with = "milli")]
    pub(super) average_value: Option<i64>,
    pub(super) average_utilization: Option<i64>,
}

fn milli<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    if value.is_null() {
        return Ok(None);
    }
    let quantity = Quantity::from_json(&value).ok_or_else(|| serde::de::Error::custom("no quantity"))?;
    Ok(Some(quantity.milli_value()))
}

impl View for Autoscaler {
    fn read(object: &Object) -> Result<Self, Status> {
        let mut read: Autoscaler = object.parse()?;
        if read.spec.metrics.is_empty() {
            let target = Target { kind: "Utilization".into(), average_utilization: Some(80), ..Target::default() };
            let resource = OfResource { name: "cpu".into(), target, ..OfResource::default() };
            read.spec.metrics = vec![Metric { kind: "Resource".into(), resource, ..Metric::default() }];
        }
        Ok(read)
    }
}
