//! Makes, grows and deletes volumes of the class `local-path`: directories on
//! the node of the pod that needs them. It answers to Rancher's name for it, so
//! that packages and manifests written for kind, k3s and CNOE work unchanged.
//! It must never touch anything outside of its own directory.

mod class;
mod decide;
mod place;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use client::{Change, Item, ObjectKey, Patch};
use controller::{Controller, Error, EventKind, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::views::{SELECTED_NODE, Volume, VolumeClaim};
use crate::volumes::{PROVISIONED_BY, PROVISIONER};
use crate::world::World;
use decide::{Ask, End, Step};
use place::Root;

/// Who makes these volumes, in classes, claims and volumes.
const NAME: &str = "rancher.io/local-path";
const WORKERS: usize = 4;

pub(crate) fn start(world: &World) {
    class::start(world, NAME);
    let root = Root::below(&world.ctx().directory);
    let recorder = world.recorder(NAME);
    let makes = Makes { world: world.clone(), root: root.clone(), recorder: recorder.clone() };
    let (of_class, of_volume) = (world.clone(), world.clone());
    Controller::new("local path claims", Arc::new(makes))
        .watches(world.volume_claims.cache(), keys_of_claim)
        .watches(world.volumes.cache(), move |change| keys_of_volume(&of_volume, change))
        .watches(world.storage_classes.cache(), move |change| keys_of_class(&of_class, change))
        .workers(WORKERS)
        .start(world.tasks());
    let deletes = Deletes { world: world.clone(), root, recorder };
    Controller::new("local path volumes", Arc::new(deletes))
        .watches(world.volumes.cache(), |change| {
            let is_ours = change.object().meta.annotations.get(PROVISIONED_BY).is_some_and(|by| by == NAME);
            if is_ours { vec![change.key()] } else { Vec::new() }
        })
        .workers(WORKERS)
        .start(world.tasks());
}

fn keys_of_claim(change: &Change) -> Vec<ObjectKey> {
    let is_ours = change.object().meta.annotations.get(PROVISIONER).is_some_and(|by| by == NAME);
    if is_ours { vec![change.key()] } else { Vec::new() }
}

/// The claim of a volume: it may have asked for more before the volume was there.
fn keys_of_volume(world: &World, change: &Change) -> Vec<ObjectKey> {
    let Some(volume) = world.volumes.get(&change.key()) else { return Vec::new() };
    let claim = volume.view.claim.as_ref().map(|it| ObjectKey::new(&volume.object.cluster, &it.namespace, &it.name));
    claim.into_iter().collect()
}

/// The claims of a class that could not be served as it was.
fn keys_of_class(world: &World, change: &Change) -> Vec<ObjectKey> {
    let class = change.object();
    let claims = world.volume_claims.find(&class.cluster, &VolumeClaim::unbound_of_class(&class.meta.name));
    claims.iter().map(|claim| claim.key()).collect()
}

struct Makes {
    world: World,
    root: Root,
    recorder: Recorder,
}

impl Reconciler for Makes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            if let Some(claim) = self.world.volume_claims.get(key) {
                self.sync(&claim).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Makes {
    async fn sync(&self, claim: &Item<VolumeClaim>) -> Result<(), Error> {
        let cluster = &claim.object.cluster;
        let name = decide::volume_name(claim);
        let bound = self.world.volumes.get(&ObjectKey::new(cluster, "", &claim.view.volume_name));
        let class = self.world.storage_classes.get(&ObjectKey::new(cluster, "", claim.view.class()));
        let node = claim.object.meta.annotations.get(SELECTED_NODE);
        let node = node.and_then(|name| self.world.nodes.get(&ObjectKey::new(cluster, "", name)));
        let ask = Ask {
            claim,
            class: class.as_deref(),
            node: node.as_ref().map(|node| &node.object),
            is_made: self.world.volumes.get(&ObjectKey::new(cluster, "", &name)).is_some(),
            volume: bound.as_deref(),
        };
        match decide::step(&ask, &self.root, NAME) {
            Step::Nothing => Ok(()),
            Step::Make(volume) => self.make(claim, &volume).await,
            Step::Refuse(why) => {
                self.fail(claim, &why).await;
                Ok(())
            }
            Step::Reschedule(why) => {
                self.fail(claim, &why).await;
                let mut body = claim.object.value()?;
                body["metadata"]["annotations"].as_object_mut().map(|held| held.remove(SELECTED_NODE));
                self.world.volume_claims.update(&claim.object, &body).await?;
                Ok(())
            }
            Step::Grow(volume) => self.grow(claim, volume).await,
        }
    }

    async fn make(&self, claim: &Item<VolumeClaim>, volume: &Value) -> Result<(), Error> {
        let meta = &claim.object.meta;
        let message =
            format!("External provisioner is provisioning volume for claim \"{}/{}\"", meta.namespace, meta.name);
        self.recorder.record(&claim.object, EventKind::Normal, "Provisioning", "", &message).await;
        match self.world.volumes.create(&claim.object.cluster, volume).await {
            // Another provisioner of the same name was here before.
            Err(status) if status.is_already_exists() => Ok(()),
            Err(status) => {
                self.fail(claim, &format!("error saving the volume: {}", status.message)).await;
                Err(status.into())
            }
            Ok(made) => {
                let message = format!("Successfully provisioned volume {}", made.meta.name);
                self.recorder.record(&claim.object, EventKind::Normal, "ProvisioningSucceeded", "", &message).await;
                Ok(())
            }
        }
    }

    /// A directory has the room of its file system, so it suffices to say that there is more.
    async fn grow(&self, claim: &Item<VolumeClaim>, volume: &Item<Volume>) -> Result<(), Error> {
        let asked = &claim.object.value()?["spec"]["resources"]["requests"]["storage"];
        if volume.view.capacity < claim.view.request {
            let mut body = volume.object.value()?;
            body["spec"]["capacity"]["storage"] = asked.clone();
            self.world.volumes.update(&volume.object, &body).await?;
        }
        let mut status = claim.object.value()?["status"].clone();
        status["capacity"] = json!({ "storage": asked });
        if self.world.volume_claims.update_status(&claim.object, status).await? {
            self.recorder
                .record(&claim.object, EventKind::Normal, "VolumeResizeSuccessful", "", "Resize volume succeeded")
                .await;
        }
        Ok(())
    }

    async fn fail(&self, claim: &Item<VolumeClaim>, why: &str) {
        let message = format!("failed to provision volume with StorageClass {:?}: {why}", claim.view.class());
        self.recorder.record(&claim.object, EventKind::Warning, "ProvisioningFailed", "", &message).await;
    }
}

struct Deletes {
    world: World,
    root: Root,
    recorder: Recorder,
}

impl Reconciler for Deletes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(volume) = self.world.volumes.get(key) else { return Ok(Next::Done) };
            match decide::end(&volume) {
                End::Nothing => {}
                End::Delete => self.delete(&volume).await?,
                End::LetGo => self.let_go(&volume).await?,
            }
            Ok(Next::Done)
        })
    }
}

impl Deletes {
    /// The directory first: as long as it is there, so is the volume that tells of it.
    async fn delete(&self, volume: &Item<Volume>) -> Result<(), Error> {
        let path = decide::path(&volume.object.value()?);
        if let Err(why) = self.root.remove(&path, &volume.object.meta.name).await {
            self.recorder.record(&volume.object, EventKind::Warning, "VolumeFailedDelete", "", &why).await;
            return Err(Error::msg(why));
        }
        if volume.object.meta.is_deleting() {
            return self.let_go(volume).await;
        }
        // Comes back as a change, and is let go then.
        self.world.volumes.delete(&volume.object).await?;
        Ok(())
    }

    async fn let_go(&self, volume: &Item<Volume>) -> Result<(), Error> {
        let meta = &volume.object.meta;
        let left: Vec<&String> = meta.finalizers.iter().filter(|held| *held != decide::FINALIZER).collect();
        if left.len() == meta.finalizers.len() {
            return Ok(());
        }
        let patch = json!({
            "metadata": { "uid": meta.uid, "resourceVersion": meta.resource_version, "finalizers": left },
        });
        match self.world.volumes.patch(&volume.object, None, Patch::Merge(patch.to_string().into())).await {
            Err(status) if !status.is_not_found() => Err(status.into()),
            _ => Ok(()),
        }
    }
}
