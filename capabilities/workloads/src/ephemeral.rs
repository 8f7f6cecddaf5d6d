//! Makes the claims that pods bring along: of each ephemeral volume one, named
//! after pod and volume and owned by the pod, with which it goes. A claim of that
//! name that is another's is never touched.

use std::sync::Arc;

use api::{Gvk, ObjectMeta};
use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder, owner};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::views::Pod;
use crate::world::World;

const WORKERS: usize = 4;

pub(crate) fn start(world: &World) -> Handle {
    let recorder = world.recorder("ephemeral_volume");
    let seen = world.clone();
    let bringing = move |change: &Change| {
        let key = change.key();
        let brings = seen.pods.get(&key).is_some_and(|pod| pod.view.spec.volumes.iter().any(|it| it.is_ephemeral()));
        if brings && change.old.is_none() { vec![key] } else { Vec::new() }
    };
    Controller::new("ephemeral volumes", Arc::new(Ephemeral { world: world.clone(), recorder }))
        .watches(world.pods.cache(), bringing)
        .watches(world.volume_claims.cache(), pod_of_lost_claim)
        .workers(WORKERS)
        .start(world.tasks())
}

/// The pod of a claim that is gone: it needs another.
fn pod_of_lost_claim(change: &Change) -> Vec<ObjectKey> {
    let (Some(gone), None) = (&change.old, &change.new) else { return Vec::new() };
    let pod = gone.meta.controller().filter(|owner| owner.kind == "Pod");
    pod.map(|pod| ObjectKey::new(&gone.cluster, &gone.meta.namespace, &pod.name)).into_iter().collect()
}

/// Whether a claim was made for this pod.
pub(crate) fn is_for(claim: &ObjectMeta, pod: &ObjectMeta) -> bool {
    claim.controller().is_some_and(|owner| owner.uid == pod.uid)
}

/// A claim that was made for another is not the pod's to use.
fn owned(claim: &ObjectMeta, pod: &ObjectMeta) -> Result<(), Error> {
    if is_for(claim, pod) {
        return Ok(());
    }
    Err(Error::msg(format_args!(
        "PVC {}/{} was not created for pod {}/{} (pod is not owner)",
        claim.namespace, claim.name, pod.namespace, pod.name
    )))
}

struct Ephemeral {
    world: World,
    recorder: Recorder,
}

impl Reconciler for Ephemeral {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.pods.get(key) {
                Some(pod) if !pod.object.meta.is_deleting() => self.sync(&pod).await?,
                _ => {}
            }
            Ok(Next::Done)
        })
    }
}

impl Ephemeral {
    async fn sync(&self, pod: &Item<Pod>) -> Result<(), Error> {
        let object = pod.object.value()?;
        let volumes = object["spec"]["volumes"].as_array().into_iter().flatten();
        for volume in volumes.filter(|volume| volume["ephemeral"].is_object()) {
            let name = volume["name"].as_str().unwrap_or_default();
            if let Err(error) = self.provide(pod, name, &volume["ephemeral"]["volumeClaimTemplate"]).await {
                let message = format!("ephemeral volume {name}: {error}");
                self.recorder.record(&pod.object, EventKind::Warning, "FailedBinding", "", &message).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn provide(&self, pod: &Item<Pod>, volume: &str, template: &Value) -> Result<(), Error> {
        let meta = &pod.object.meta;
        let name = format!("{}-{volume}", meta.name);
        let key = ObjectKey::new(&pod.object.cluster, &meta.namespace, &name);
        if let Some(held) = self.world.volume_claims.get(&key) {
            return owned(&held.object.meta, meta);
        }
        let mut metadata = json!({
            "name": name,
            "namespace": meta.namespace,
            "ownerReferences": [owner::reference(&Gvk::new("", "v1", "Pod"), meta, true)],
        });
        for field in ["labels", "annotations"] {
            if !template["metadata"][field].is_null() {
                metadata[field] = template["metadata"][field].clone();
            }
        }
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"],
        });
        match self.world.volume_claims.create(&pod.object.cluster, &claim).await {
            // The live copy lags: what is there may be ours.
            Err(status) if status.is_already_exists() => match self.world.volume_claims.live(&key).await? {
                Some(held) => owned(&held.meta, meta),
                None => Err(status.into()),
            },
            Err(status) if !status.is_namespace_terminating() => {
                Err(Error::msg(format_args!("create PVC {name}: {}", status.message)))
            }
            _ => Ok(()),
        }
    }
}
