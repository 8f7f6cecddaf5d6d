//! What pods are said to use: KWOK's `ResourceUsage` (of the pod of its name)
//! and `ClusterResourceUsage` (of the pods it selects) as they are read, with
//! the expressions that need no engine. What is not understood is refused. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::{ObjectMeta, Status};
use client::{Object, View};
use machinery::quantity::Quantity;
use serde::Deserialize;
use serde_json::Value;

use crate::acceptance::Judged;

/// A usage, or why it is refused.
#[derive(Debug)]
pub(super) struct Usage(pub(super) Result<Usages, String>);

/// Figures of containers.
#[derive(Debug, Default)]
pub(super) struct Usages {
    selector: Selector,
    entries: Vec<Entry>,
}

/// Pods, or other objects, by name and namespace; nothing stated selects all.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Selector {
    match_names: Vec<String>,
    match_namespaces: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    /// Names; empty for all.
    containers: Vec<String>,
    figures: BTreeMap<String, Figure>,
}

#[derive(Clone, Debug, PartialEq)]
enum Figure {
    Constant(Quantity),
    Annotation { key: String, otherwise: Quantity },
}

impl Selector {
    pub(super) fn selects(&self, namespace: &str, name: &str) -> bool {
        let allows = |stated: &[String], held: &str| stated.is_empty() || stated.iter().any(|one| one == held);
        allows(&self.match_namespaces, namespace) && allows(&self.match_names, name)
    }
}

impl Usages {
    /// Whether it is for a pod, where that is not said by its own name.
    pub(super) fn selects(&self, pod: &ObjectMeta) -> bool {
        self.selector.selects(&pod.namespace, &pod.name)
    }

    /// The figure of a resource (`cpu`, `memory`) for a container of a pod.
    pub(super) fn figure(&self, pod: &ObjectMeta, container: &str, resource: &str) -> Option<Quantity> {
        let of_container =
            |entry: &&Entry| entry.containers.is_empty() || entry.containers.iter().any(|name| name == container);
        let figure = self.entries.iter().filter(of_container).find_map(|entry| entry.figures.get(resource))?;
        Some(match figure {
            Figure::Constant(value) => *value,
            Figure::Annotation { key, otherwise } => annotated(pod, key).unwrap_or(*otherwise),
        })
    }
}

/// A quantity that a pod states in an annotation.
pub(super) fn annotated(pod: &ObjectMeta, key: &str) -> Option<Quantity> {
    pod.annotations.get(key).and_then(|text| Quantity::parse(text))
}

impl View for Usage {
    fn read(object: &Object) -> Result<Self, Status> {
        let wire = object.parse::<wire::Usage>();
        Ok(Usage(wire.map_err(|status| status.message).and_then(|wire| usages(wire.spec))))
    }
}

impl Judged for Usage {
    fn verdict(&self) -> Result<(), &str> {
        self.0.as_ref().map(|_| ()).map_err(String::as_str)
    }
}

fn usages(spec: wire::Spec) -> Result<Usages, String> {
    let entry = |stated: wire::Entry| {
        let figures = stated.usage.into_iter().map(|(resource, value)| Ok((resource, figure(&value)?)));
        Ok(Entry { containers: stated.containers, figures: figures.collect::<Result<_, String>>()? })
    };
    Ok(Usages { selector: spec.selector, entries: spec.usages.into_iter().map(entry).collect::<Result<_, String>>()? })
}

fn figure(stated: &wire::Figure) -> Result<Figure, String> {
    if !stated.value.is_null() {
        let value = Quantity::from_json(&stated.value);
        return value.map(Figure::Constant).ok_or_else(|| format!("{} is no quantity", stated.value));
    }
    expression(&stated.expression).ok_or_else(|| {
        format!(
            "the expression {:?} is not supported: only a Quantity and one by annotation with a default are",
            stated.expression
        )
    })
}

/// The two forms that KWOK's own manifests have; a quantity and a key hold no spaces.
fn expression(text: &str) -> Option<Figure> {
    let text: String = text.split_whitespace().collect();
    if let Some(value) = constant(&text) {
        return Some(Figure::Constant(value));
    }
    let (key, rest) = text.strip_prefix('"')?.split_once("\"inpod.metadata.annotations?")?;
    let read = format!("Quantity(pod.metadata.annotations[\"{key}\"]):");
    let otherwise = constant(rest.strip_prefix(read.as_str())?)?;
    Some(Figure::Annotation { key: key.to_owned(), otherwise })
}

fn constant(text: &str) -> Option<Quantity> {
    Quantity::parse(text.strip_prefix("Quantity(\"")?.strip_suffix("\")")?)
}

/// The fields as they are written.
mod wire {
    use super::{BTreeMap, Deserialize, Selector, Value};

    #[derive(Deserialize)]
    pub(super) struct Usage {
        #[serde(default)]
        pub(super) spec: Spec,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Spec {
        pub(super) selector: Selector,
        pub(super) usages: Vec<Entry>,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Entry {
        pub(super) containers: Vec<String>,
        pub(super) usage: BTreeMap<String, Figure>,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Figure {
        pub(super) value: Value,
        pub(super) expression: String,
    }
}
