//! Metrics beyond processors and memory as they are stated: KWOK's
//! `CustomMetric` (of objects of a kind) and `ExternalMetric` (of nothing in the
//! cluster). Pure.

use std::collections::BTreeMap;

use api::Status;
use client::{Object, View};
use serde::Deserialize;
use serde_json::Value;

use super::usage::Selector;

/// Metrics of objects.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CustomMetric {
    spec: Custom,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Custom {
    resource_ref: ResourceRef,
    selector: Selector,
    metrics: Vec<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResourceRef {
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
    value: Value,
}

/// A metric of something outside.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExternalMetric {
    pub(super) spec: External,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct External {
    pub(super) name: String,
    pub(super) metrics: Vec<Series>,
}

/// One value of an external metric. Labels tell several apart; KWOK's have none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Series {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: Value,
}

impl CustomMetric {
    /// The kind of object it is about.
    pub(super) fn kind(&self) -> &str {
        &self.spec.resource_ref.kind
    }

    /// Names of the metrics it states.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.spec.metrics.iter().map(|metric| metric.name.as_str())
    }

    /// The value of a metric for one object.
    pub(super) fn value(&self, kind: &str, namespace: &str, name: &str, metric: &str) -> Option<&Value> {
        if self.kind() != kind || !self.spec.selector.selects(namespace, name) {
            return None;
        }
        let found = self.spec.metrics.iter().find(|stated| stated.name == metric)?;
        Some(&found.value).filter(|value| !value.is_null())
    }
}

impl View for CustomMetric {
    fn read(object: &Object) -> Result<Self, Status> {
        object.parse()
    }
}

impl View for ExternalMetric {
    fn read(object: &Object) -> Result<Self, Status> {
        let mut metric: ExternalMetric = object.parse()?;
        if metric.spec.name.is_empty() {
            metric.spec.name.clone_from(&object.meta.name);
        }
        Ok(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_metric_is_of_the_objects_it_selects() {
        let metric: CustomMetric = serde_json::from_value(json!({ "spec": {
            "resourceRef": { "kind": "Pod" },
            "selector": { "matchNamespaces": ["shop"] },
            "metrics": [{ "name": "requests", "value": "5" }, { "name": "empty" }],
        } }))
        .unwrap();
        let cases = [
            (("Pod", "shop", "web", "requests"), Some(json!("5"))),
            (("Pod", "other", "web", "requests"), None),
            (("Service", "shop", "web", "requests"), None),
            (("Pod", "shop", "web", "errors"), None),
            (("Pod", "shop", "web", "empty"), None),
        ];
        for ((kind, namespace, name, asked), expect) in cases {
            assert_eq!(metric.value(kind, namespace, name, asked).cloned(), expect, "{kind} {namespace} {asked}");
        }
    }
}
