//! The scale of a target, whatever kind it is: read and changed through its
//! subresource.

use api::{Gvk, KindDescriptor, Status};
use client::{Object, Objects, Target, WriteOptions};
use serde_json::{Value, json};

use super::source::no_match;
use super::spec::Reference;

/// The scale of a target as it was read.
pub(super) struct Scale {
    target: Target,
    name: String,
    value: Value,
}

impl Scale {
    /// Reads the scale of what an autoscaler refers to; the error is a sentence.
    pub(super) async fn read(objects: &dyn Objects, of: &Object, reference: &Reference) -> Result<Scale, String> {
        let (cluster, namespace, name) = (&of.cluster, &of.meta.namespace, &reference.name);
        let gvk = Gvk::from_api_version(&reference.api_version, &reference.kind);
        let kind = objects.kind(cluster, &gvk).await.map_err(|status| status.message)?;
        let kind = kind.ok_or_else(|| no_match(&gvk))?;
        let path = format!("{}/namespaces/{namespace}/{}/{name}/scale", root(&kind), kind.plural);
        let answer = objects.get_raw(cluster, &path).await.map_err(|status| status.message)?;
        let value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let target = Target::namespaced(cluster, &kind.gvr(), namespace);
        Ok(Scale { target, name: name.clone(), value })
    }

    /// Replicas that are asked for.
    pub(super) fn wanted(&self) -> i64 {
        self.value["spec"]["replicas"].as_i64().unwrap_or(0)
    }

    /// Replicas that there are.
    pub(super) fn running(&self) -> i64 {
        self.value["status"]["replicas"].as_i64().unwrap_or(0)
    }

    /// The selector of its pods; empty if it has none.
    pub(super) fn selector(&self) -> &str {
        self.value["status"]["selector"].as_str().unwrap_or_default()
    }

    /// Asks for so many replicas, if nobody has changed the target meanwhile.
    pub(super) async fn set(&self, objects: &dyn Objects, replicas: i64) -> Result<(), Status> {
        let mut body = self.value.clone();
        body["spec"] = json!({ "replicas": replicas });
        let options = WriteOptions { field_manager: "kube-controller-manager".into(), ..WriteOptions::default() };
        objects.update(&self.target, &self.name, Some("scale"), body.to_string().into(), options).await.map(drop)
    }
}

fn root(kind: &KindDescriptor) -> String {
    let gvk = &kind.gvk;
    if gvk.group.is_empty() { format!("/api/{}", gvk.version) } else { format!("/apis/{}", gvk.api_version()) }
}
