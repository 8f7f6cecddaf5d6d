//! Does what was decided about a stateful set, and tells of it by events in
//! Kubernetes' words.

use std::sync::Arc;

use api::{OwnerReference, Status};
use client::{Item, Patch};
use controller::{Error, EventKind};
use serde_json::{Value, json};

use super::decide::{Plan, Step};
use super::{StatefulSets, claims, identity};
use crate::batch;
use crate::revisions;
use crate::views::{Pod, Revision, StatefulSet, VolumeClaim};

/// What pods are made of.
struct Templates {
    set: Value,
    current: Value,
    update: Value,
    current_revision: String,
    update_revision: String,
}

impl StatefulSets {
    /// Takes the steps of a plan, phase by phase.
    pub(super) async fn act(
        &self,
        set: &Item<StatefulSet>,
        plan: &Plan,
        current: &Item<Revision>,
        update: &Item<Revision>,
    ) -> Result<(), Error> {
        if plan.phases.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let templates = Templates {
            set: set.object.value()?,
            current: revisions::template_of(current)?,
            update: revisions::template_of(update)?,
            current_revision: current.object.meta.name.clone(),
            update_revision: update.object.meta.name.clone(),
        };
        for phase in &plan.phases {
            if plan.is_ordered {
                for step in phase {
                    self.take(set, &templates, step).await?;
                }
            } else {
                let (_, outcome) = batch::slowly(phase, |step| self.take(set, &templates, step)).await;
                outcome?;
            }
        }
        Ok(())
    }

    async fn take(&self, set: &Item<StatefulSet>, templates: &Templates, step: &Step) -> Result<(), Error> {
        match step {
            Step::Create { ordinal, is_current } => self.create(set, templates, *ordinal, *is_current).await,
            Step::Provide { ordinal } => self.provide(set, templates, *ordinal).await,
            Step::Identify { pod, patch } => self.identify(set, pod, patch).await,
            Step::Own { claim, pod, owners } => self.own(set, claim, pod, owners).await,
            Step::Delete(pod) => self.delete(set, pod).await,
        }
    }

    async fn create(
        &self,
        set: &Item<StatefulSet>,
        templates: &Templates,
        ordinal: i64,
        is_current: bool,
    ) -> Result<(), Error> {
        let name = identity::pod_name(&set.object.meta.name, ordinal);
        if let Err(error) = self.provide(set, templates, ordinal).await {
            self.tell_pod(set, "create", &name, Err(&error)).await;
            return Err(error);
        }
        let (template, revision) = match is_current {
            true => (&templates.current, &templates.current_revision),
            false => (&templates.update, &templates.update_revision),
        };
        let pod = identity::pod(set, &templates.set["spec"]["serviceName"], template, revision, ordinal);
        match self.world.pods.create(&set.object.cluster, &pod).await {
            Ok(_) => self.tell_pod(set, "create", &name, Ok(())).await,
            // The namespace goes, and everything in it: there is nothing to report.
            Err(status) if status.is_namespace_terminating() => {}
            // Somebody else's pod has the name; it is waited for without a word.
            Err(status) if status.is_already_exists() => return Err(status.into()),
            Err(status) => {
                let error = Error::from(status);
                self.tell_pod(set, "create", &name, Err(&error)).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes the claims of an ordinal that are not there.
    async fn provide(&self, set: &Item<StatefulSet>, templates: &Templates, ordinal: i64) -> Result<(), Error> {
        let spec = &templates.set["spec"];
        let mut outcome = Ok(());
        for template in spec["volumeClaimTemplates"].as_array().into_iter().flatten() {
            let mut claim = claims::claim(set, template, ordinal);
            claims::label(&mut claim, &spec["selector"]["matchLabels"]);
            let name = claim["metadata"]["name"].as_str().unwrap_or_default();
            let problem = match self.volume_claim(set, name) {
                Some(held) if held.object.meta.is_deleting() => Some(format!("pvc {name} is being deleted")),
                Some(_) => None,
                None => match self.create_claim(set, &claim, name, ordinal).await {
                    Ok(()) => None,
                    Err(status) if status.is_namespace_terminating() => return Ok(()),
                    Err(status) => Some(format!("failed to create PVC {name}: {}", status.message)),
                },
            };
            if let (Ok(()), Some(problem)) = (&outcome, problem) {
                outcome = Err(Error::msg(problem));
            }
        }
        outcome
    }

    async fn create_claim(
        &self,
        set: &Item<StatefulSet>,
        claim: &Value,
        name: &str,
        ordinal: i64,
    ) -> Result<(), Status> {
        let set_name = &set.object.meta.name;
        let pod = identity::pod_name(set_name, ordinal);
        match self.world.volume_claims.create(&set.object.cluster, claim).await {
            Ok(_) => {
                let message = format!("create Claim {name} Pod {pod} in StatefulSet {set_name} success");
                self.recorder.record(&set.object, EventKind::Normal, "SuccessfulCreate", "", &message).await;
                Ok(())
            }
            Err(status) => {
                if !status.is_already_exists() && !status.is_namespace_terminating() {
                    let why = &status.message;
                    let message =
                        format!("create Claim {name} for Pod {pod} in StatefulSet {set_name} failed error: {why}");
                    self.recorder.record(&set.object, EventKind::Warning, "FailedCreate", "", &message).await;
                }
                Err(status)
            }
        }
    }

    async fn identify(&self, set: &Item<StatefulSet>, pod: &Item<Pod>, patch: &Value) -> Result<(), Error> {
        let outcome = self.world.pods.patch(&pod.object, None, Patch::Merge(patch.to_string().into())).await;
        let outcome = outcome.map(|_| ()).map_err(Error::from);
        self.tell_pod(set, "update", &pod.object.meta.name, outcome.as_ref().copied()).await;
        outcome
    }

    async fn own(
        &self,
        set: &Item<StatefulSet>,
        claim: &Item<VolumeClaim>,
        pod: &str,
        owners: &[OwnerReference],
    ) -> Result<(), Error> {
        let meta = &claim.object.meta;
        let patch = json!({
            "metadata": { "resourceVersion": meta.resource_version, "ownerReferences": owners },
        });
        let patch = Patch::Merge(patch.to_string().into());
        match self.world.volume_claims.patch(&claim.object, None, patch).await {
            Err(status) if !status.is_not_found() => {
                let error = Error::from(status);
                self.tell_pod(set, "update", pod, Err(&error)).await;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    async fn delete(&self, set: &Item<StatefulSet>, pod: &Arc<Item<Pod>>) -> Result<(), Error> {
        let outcome = self.world.pods.delete(&pod.object).await.map_err(Error::from);
        self.tell_pod(set, "delete", &pod.object.meta.name, outcome.as_ref().copied()).await;
        outcome
    }

    /// Tells what became of doing something with a pod.
    async fn tell_pod(&self, set: &Item<StatefulSet>, verb: &str, pod: &str, outcome: Result<(), &Error>) {
        let set_name = &set.object.meta.name;
        let done = match verb {
            "create" => "Create",
            "delete" => "Delete",
            _ => "Update",
        };
        let (kind, reason, message) = match outcome {
            Ok(()) => {
                let message = format!("{verb} Pod {pod} in StatefulSet {set_name} successful");
                (EventKind::Normal, format!("Successful{done}"), message)
            }
            Err(error) => {
                let why = error.status().map_or_else(|| error.to_string(), |status| status.message.clone());
                let message = format!("{verb} Pod {pod} in StatefulSet {set_name} failed error: {why}");
                (EventKind::Warning, format!("Failed{done}"), message)
            }
        };
        self.recorder.record(&set.object, kind, &reason, "", &message).await;
    }
}
