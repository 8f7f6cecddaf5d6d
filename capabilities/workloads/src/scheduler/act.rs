//! What the scheduler writes: bindings, what volumes need first, why there is
//! no node, and whom it asks to go. It decides nothing.

use std::sync::Arc;

use api::Status;
use client::{ObjectKey, Patch};
use controller::{EventKind, Recorder};
use futures::future::join_all;
use serde_json::{Value, json};

use super::claims::SELECTED_NODE;
use super::pod::{Pod, SCHEDULER_NAME};
use super::preempt::Choice;
use super::storage::Step;
use crate::world::World;

/// The scheduler's pen. Cheap to clone.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) world: World,
    pub(super) recorder: Recorder,
}

impl Actor {
    /// Binds a pod to a node.
    pub(super) async fn bind(&self, pod: &Pod, node: &str) -> Result<(), Status> {
        let meta = &pod.object.meta;
        let binding = json!({
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": { "name": meta.name, "namespace": meta.namespace, "uid": meta.uid },
            "target": { "kind": "Node", "name": node },
        });
        match self.world.pods.post(&pod.object, "binding", &binding).await {
            Ok(_) => {
                let message = format!("Successfully assigned {}/{} to {node}", meta.namespace, meta.name);
                self.recorder.record(&pod.object, EventKind::Normal, "Scheduled", "Binding", &message).await;
                Ok(())
            }
            // It is gone: its end is on its way, and nobody is to be told.
            Err(status) if status.is_not_found() => Ok(()),
            Err(status) => {
                self.report_failure(pod, &format!("binding rejected: {}", status.message)).await?;
                Err(status)
            }
        }
    }

    /// Writes what the volumes of a pod need before it can be bound to a node.
    pub(super) async fn prepare(&self, pod: &Pod, node: &str, steps: &[Step]) -> Result<(), Status> {
        for step in steps {
            if let Err(status) = self.step(pod, node, step).await {
                self.report_failure(pod, &format!("binding volumes: {}", status.message)).await?;
                return Err(status);
            }
        }
        Ok(())
    }

    async fn step(&self, pod: &Pod, node: &str, step: &Step) -> Result<(), Status> {
        let key = ObjectKey::new(&pod.object.cluster, pod.namespace(), step.claim());
        let gone = || Status::internal(format_args!("persistentvolumeclaim \"{}\" not found", step.claim()));
        let claim = self.world.volume_claims.get(&key).ok_or_else(gone)?;
        match step {
            Step::Provision { .. } => {
                let held = &claim.object.meta;
                if held.annotations.get(SELECTED_NODE).is_some_and(|selected| selected == node) {
                    return Ok(());
                }
                let metadata = json!({
                    "resourceVersion": held.resource_version,
                    "annotations": { SELECTED_NODE: node },
                });
                let patch = Patch::Merge(json!({ "metadata": metadata }).to_string().into());
                self.world.volume_claims.patch(&claim.object, None, patch).await.map(drop)
            }
            Step::Give { volume, .. } => {
                let key = ObjectKey::new(&pod.object.cluster, "", volume);
                let held = self.world.volumes.get(&key).ok_or_else(gone)?;
                let meta = &claim.object.meta;
                let reference = json!({
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta.namespace,
                    "name": meta.name, "uid": meta.uid, "resourceVersion": meta.resource_version,
                });
                let metadata = json!({
                    "resourceVersion": held.object.meta.resource_version,
                    "annotations": { "pv.kubernetes.io/bound-by-controller": "yes" },
                });
                let patch = json!({ "metadata": metadata, "spec": { "claimRef": reference } });
                self.world.volumes.patch(&held.object, None, Patch::Merge(patch.to_string().into())).await.map(drop)
            }
        }
    }

    /// Tells the owner of a pod that there is no node for it.
    pub(super) async fn report(&self, pod: &Pod, message: &str, nomination: Option<&str>) -> Result<(), Status> {
        self.tell(pod, "Unschedulable", message, nomination).await
    }

    async fn report_failure(&self, pod: &Pod, message: &str) -> Result<(), Status> {
        self.tell(pod, "SchedulerError", message, None).await
    }

    /// `nomination` is written if it is there; if it is empty, there is none any more.
    async fn tell(&self, pod: &Pod, reason: &str, message: &str, nomination: Option<&str>) -> Result<(), Status> {
        self.recorder.record(&pod.object, EventKind::Warning, "FailedScheduling", "Scheduling", message).await;
        let held = pod.scheduled.as_ref();
        let is_told =
            held.is_some_and(|held| (&*held.status, &*held.reason, &*held.message) == ("False", reason, message));
        let nomination = nomination.filter(|node| **node != *pod.nominated_node);
        if is_told && nomination.is_none() {
            return Ok(());
        }
        let mut condition = json!({
            "type": "PodScheduled", "status": "False", "reason": reason, "message": message,
            "lastProbeTime": null, "observedGeneration": pod.object.meta.generation,
        });
        if held.is_none_or(|held| &*held.status != "False") {
            condition["lastTransitionTime"] = self.world.clock().now_rfc3339().into();
        }
        let mut status = json!({ "conditions": [condition] });
        if let Some(node) = nomination {
            status["nominatedNodeName"] = if node.is_empty() { Value::Null } else { node.into() };
        }
        self.patch_status(pod, status).await
    }

    /// Asks pods to go so that another can come, and tells the owner of that one.
    pub(super) async fn make_room(
        &self,
        pod: &Pod,
        message: &str,
        room: &Choice,
        displaced: &[Arc<Pod>],
    ) -> Result<(), Status> {
        self.report(pod, message, Some(&room.node)).await?;
        for other in displaced {
            self.patch_status(other, json!({ "nominatedNodeName": null })).await?;
        }
        let going = room.victims.iter().filter(|victim| !victim.is_deleting());
        let outcomes = join_all(going.map(|victim| self.evict(pod, victim, &room.node))).await;
        outcomes.into_iter().collect()
    }

    async fn evict(&self, pod: &Pod, victim: &Pod, node: &str) -> Result<(), Status> {
        let condition = json!({
            "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
            "message": format!("{SCHEDULER_NAME}: preempting to accommodate a higher priority pod"),
            "lastProbeTime": null, "lastTransitionTime": self.world.clock().now_rfc3339(),
            "observedGeneration": victim.object.meta.generation,
        });
        self.patch_status(victim, json!({ "conditions": [condition] })).await?;
        self.world.pods.delete(&victim.object).await?;
        let message = format!("Preempted by pod {} on node {node}", pod.uid());
        self.recorder.record(&victim.object, EventKind::Normal, "Preempted", "Preempting", &message).await;
        Ok(())
    }

    /// Changes the status of this pod and no other of its name; that it is gone is fine.
    async fn patch_status(&self, pod: &Pod, status: Value) -> Result<(), Status> {
        let patch = json!({ "metadata": { "uid": pod.uid() }, "status": status });
        let patch = Patch::Strategic(patch.to_string().into());
        match self.world.pods.patch(&pod.object, Some("status"), patch).await {
            Err(status) if !status.is_not_found() && !status.is_conflict() => Err(status),
            _ => Ok(()),
        }
    }
}
