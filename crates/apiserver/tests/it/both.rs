//! One test on both transports: in process, and over TLS as any other client.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use api::{ClusterName, Gvr, Status};
use client::kube_transport::KubeObjects;
use client::{DeleteOptions, Objects, Patch, Target, WriteOptions};
use serde_json::{Value, json};
use testkit::Platform;

/// Objects of the namespace `default` of a platform of its own, over one transport.
pub struct Both {
    pub objects: Arc<dyn Objects>,
    pub platform: Platform,
}

/// Runs `test` on a fresh platform over each transport.
pub async fn on_both(test: impl AsyncFn(&Both) -> Result<()>) -> Result<()> {
    for name in ["in process", "over TLS"] {
        let platform = Platform::start(Vec::new()).await?;
        let objects: Arc<dyn Objects> = match name {
            "in process" => platform.objects.clone(),
            _ => Arc::new(KubeObjects::new(platform.kube().await?, ClusterName::root())),
        };
        let both = Both { objects, platform };
        let outcome = test(&both).await.context(name);
        both.platform.stop().await;
        outcome?;
    }
    Ok(())
}

pub fn target(plural: &str) -> Target {
    let (group, version, has_namespace) = match plural {
        "nodes" => ("", "v1", false),
        "poddisruptionbudgets" => ("policy", "v1", true),
        _ => ("", "v1", true),
    };
    let (gvr, root) = (Gvr::new(group, version, plural), ClusterName::root());
    if has_namespace { Target::namespaced(&root, &gvr, "default") } else { Target::cluster(&root, &gvr) }
}

/// A pod of one container, with what is to be merged into its spec.
pub fn pod(name: &str, spec: Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "example/web:1"}]},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][field] = value.clone();
    }
    pod
}

impl Both {
    pub async fn create(&self, plural: &str, object: Value) -> Result<Value> {
        let made = self.objects.create(&target(plural), object.to_string().into(), WriteOptions::default()).await?;
        Ok(made.value()?)
    }

    pub async fn get(&self, plural: &str, name: &str) -> std::result::Result<Value, Status> {
        self.objects.get(&target(plural), name).await?.value()
    }

    pub async fn merge(&self, plural: &str, name: &str, part: Option<&str>, change: Value) -> Result<Value, Status> {
        let patch = Patch::Merge(change.to_string().into());
        self.objects.patch(&target(plural), name, part, patch, WriteOptions::default()).await?.value()
    }

    /// Posts to a subresource of a pod.
    pub async fn post(&self, name: &str, subresource: &str, body: Value) -> std::result::Result<Value, Status> {
        let body = body.to_string().into();
        let options = WriteOptions::default();
        let answer = self.objects.create_subresource(&target("pods"), name, subresource, body, options).await?;
        serde_json::from_slice(&answer).map_err(Status::internal)
    }

    pub async fn bind(&self, name: &str, node: &str) -> std::result::Result<Value, Status> {
        let binding = json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": node}});
        self.post(name, "binding", binding).await
    }

    pub async fn delete(&self, name: &str, options: DeleteOptions) -> std::result::Result<Option<Value>, Status> {
        let left = self.objects.delete(&target("pods"), name, options).await?;
        left.map(|object| object.value()).transpose()
    }

    /// A pod that a node runs.
    pub async fn running(&self, name: &str, is_ready: bool) -> Result<Value> {
        self.create("pods", pod(name, json!({"nodeName": "n"}))).await?;
        let ready = if is_ready { "True" } else { "False" };
        let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}});
        Ok(self.merge("pods", name, Some("status"), status).await?)
    }
}

/// The condition of a type, or null.
pub fn condition(object: &Value, kind: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|held| held["type"] == kind).unwrap_or_default()
}

/// The refusal, which must be one.
pub fn refused<T: std::fmt::Debug>(
    outcome: std::result::Result<T, Status>,
    code: u16,
    message: &str,
) -> Result<Status> {
    match outcome {
        Ok(made) => anyhow::bail!("was to be refused with {message:?}, but made {made:?}"),
        Err(status) => {
            ensure!((status.code, &*status.message) == (code, message), "{} {}", status.code, status.message);
            Ok(status)
        }
    }
}
