//! Makes and deletes the pods of a job and tells of it in events. It decides
//! nothing.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::{Gvk, ObjectMeta, Status};
use client::{Item, Object, Patch};
use controller::{Error, EventKind, Recorder};
use serde_json::{Value, json};

use super::decide::{Act, NewPod};
use super::facts::{FAILURES, IGNORED_FAILURES, INDEX};
use crate::views::{Pod, TRACKING, is_tracked};
use crate::world::World;
use crate::{batch, template};

/// The variable by which a container learns its index.
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// Characters of a name that leave room for a suffix.
const LONGEST_PREFIX: usize = 63 - 5;

/// The hands of the controller.
pub(super) struct Hands<'a> {
    pub(super) world: &'a World,
    pub(super) recorder: &'a Recorder,
    pub(super) gvk: Gvk,
    pub(super) job: &'a Object,
}

impl Hands<'_> {
    /// Does what was planned; goes on as far as it can.
    pub(super) async fn act(&self, act: &Act) -> Result<(), Error> {
        match act {
            Act::Nothing => Ok(()),
            Act::Create(pods) => self.create(pods).await,
            Act::End(pods) => all(batch::slowly(pods, |pod| self.delete(pod)).await),
            Act::Discard(pods) => all(batch::slowly(pods, |pod| self.discard(pod)).await),
        }
    }

    /// Takes the finalizer from pods; goes on as far as it can.
    pub(super) async fn free(&self, pods: &[Arc<Item<Pod>>]) -> Result<(), Error> {
        all(batch::slowly(pods, |pod| free(self.world, &pod.object)).await)
    }

    async fn discard(&self, pod: &Item<Pod>) -> Result<(), Status> {
        free(self.world, &pod.object).await?;
        self.delete(pod).await
    }

    async fn create(&self, pods: &[NewPod]) -> Result<(), Error> {
        let object: Value = self.job.value()?;
        let template = &object["spec"]["template"];
        let bodies: Vec<Value> = pods.iter().map(|new| body(template, &self.gvk, &self.job.meta, new)).collect();
        all(batch::slowly(bodies, |body| self.create_one(body)).await)
    }

    async fn create_one(&self, body: Value) -> Result<(), Status> {
        match self.world.pods.create(&self.job.cluster, &body).await {
            Ok(made) => {
                let message = format!("Created pod: {}", made.meta.name);
                self.record(EventKind::Normal, "SuccessfulCreate", &message).await;
                Ok(())
            }
            // The namespace goes, and everything in it: there is nothing to report.
            Err(status) if status.is_namespace_terminating() => Ok(()),
            Err(status) => {
                let message = format!("Error creating: {}", status.message);
                self.record(EventKind::Warning, "FailedCreate", &message).await;
                Err(status)
            }
        }
    }

    async fn delete(&self, pod: &Item<Pod>) -> Result<(), Status> {
        match self.world.pods.delete(&pod.object).await {
            Ok(()) => {
                let message = format!("Deleted pod: {}", pod.object.meta.name);
                self.record(EventKind::Normal, "SuccessfulDelete", &message).await;
                Ok(())
            }
            Err(status) => {
                let message = format!("Error deleting: {}", status.message);
                self.record(EventKind::Warning, "FailedDelete", &message).await;
                Err(status)
            }
        }
    }

    async fn record(&self, kind: EventKind, reason: &str, message: &str) {
        self.recorder.record(self.job, kind, reason, "", message).await;
    }
}

/// Whether all of a batch was done.
fn all((_, outcome): (usize, Result<(), Status>)) -> Result<(), Error> {
    outcome.map_err(Error::from)
}

/// Takes the finalizer from a pod; that the pod is gone is fine.
pub(super) async fn free(world: &World, pod: &Object) -> Result<(), Status> {
    if !is_tracked(&pod.meta) {
        return Ok(());
    }
    let metadata = json!({ "uid": pod.meta.uid, "$deleteFromPrimitiveList/finalizers": [TRACKING] });
    let patch = Patch::Strategic(json!({ "metadata": metadata }).to_string().into());
    match world.pods.patch(pod, None, patch).await {
        Err(status) if !status.is_not_found() => Err(status),
        _ => Ok(()),
    }
}

/// A pod of a job, which tells it its index if it has one.
fn body(template: &Value, gvk: &Gvk, job: &ObjectMeta, new: &NewPod) -> Value {
    let mut pod = template::pod(template, gvk, job);
    let held = pod["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    if !held.iter().any(|finalizer| finalizer == TRACKING) {
        pod["metadata"]["finalizers"] = held.into_iter().chain([json!(TRACKING)]).collect();
    }
    let Some(index) = new.index else { return pod };
    let suffix = format!("-{index}-");
    let room = LONGEST_PREFIX.saturating_sub(suffix.len());
    let prefix = if job.name.len() > room { job.name.get(..room).unwrap_or(&job.name) } else { &job.name };
    pod["metadata"]["generateName"] = json!(format!("{prefix}{suffix}"));
    pod["metadata"]["annotations"][INDEX] = json!(index.to_string());
    pod["metadata"]["labels"][INDEX] = json!(index.to_string());
    if let Some((counted, ignored)) = new.failures {
        pod["metadata"]["annotations"][FAILURES] = json!(counted.to_string());
        if ignored > 0 {
            pod["metadata"]["annotations"][IGNORED_FAILURES] = json!(ignored.to_string());
        }
    }
    pod["spec"]["hostname"] = json!(format!("{}-{index}", job.name));
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            tell_index(container);
        }
    }
    pod
}

fn tell_index(container: &mut Value) {
    let mut variables = container["env"].as_array().cloned().unwrap_or_default();
    if variables.iter().any(|variable| variable["name"] == INDEX_VARIABLE) {
        return;
    }
    let path = format!("metadata.labels['{INDEX}']");
    variables.push(json!({ "name": INDEX_VARIABLE, "valueFrom": { "fieldRef": { "fieldPath": path } } }));
    container["env"] = json!(variables);
}
