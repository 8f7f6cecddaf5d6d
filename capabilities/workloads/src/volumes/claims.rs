//! The claims' side of the binder: decides in `decide`, binds, asks for volumes
//! to be made, and reports the phase of the claim.

use std::sync::Arc;

use client::{Change, Item, Object, ObjectKey};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use serde_json::Value;

use super::decide::{self, Around, ForClaim};
use super::{phase, shape};

use crate::views::{Pod, StorageClass, Volume, VolumeClaim};
use crate::world::World;

const WORKERS: usize = 4;

pub(super) fn start(world: &World) -> Handle {
    let recorder = world.recorder("persistentvolume-controller");
    let reconciler = Claims { world: world.clone(), recorder };
    let (of_volume, of_class, of_pod) = (world.clone(), world.clone(), world.clone());
    Controller::new("volume claims", Arc::new(reconciler))
        .owns(world.volume_claims.cache())
        .watches(world.volumes.cache(), move |change| keys_of_volume(&of_volume, change))
        .watches(world.storage_classes.cache(), move |change| keys_of_class(&of_class, change))
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The claims that name a volume, those that it names, and, if it is nobody's, those it might suit.
fn keys_of_volume(world: &World, change: &Change) -> Vec<ObjectKey> {
    let object = change.object();
    let find = |word: &str| world.volume_claims.find(&object.cluster, word).into_iter().map(|claim| claim.key());
    let mut keys: Vec<ObjectKey> = find(&VolumeClaim::of_volume(&object.meta.name)).collect();
    if let Some(volume) = world.volumes.get(&change.key()) {
        match &volume.view.claim {
            Some(claim) => keys.push(ObjectKey::new(&object.cluster, &claim.namespace, &claim.name)),
            None => keys.extend(find(&VolumeClaim::unbound_of_class(&volume.view.class))),
        }
    }
    keys
}

/// The claims that wait for a class: those that name it, and those that name none.
fn keys_of_class(world: &World, change: &Change) -> Vec<ObjectKey> {
    let object = change.object();
    let words = [&object.meta.name, ""].map(VolumeClaim::unbound_of_class);
    let claims = words.iter().flat_map(|word| world.volume_claims.find(&object.cluster, word));
    claims.map(|claim| claim.key()).collect()
}

/// The unbound claims of a pod that is new: what they wait for has a name now.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    let (None, Some(pod)) = (&change.old, &change.new) else { return Vec::new() };
    let Some(item) = world.pods.get(&change.key()) else { return Vec::new() };
    let names = item.view.spec.volumes.iter().filter_map(|volume| volume.claim_name(&pod.meta.name));
    let keys = names.map(|name| ObjectKey::new(&pod.cluster, &pod.meta.namespace, &name));
    keys.filter(|key| world.volume_claims.get(key).is_some_and(|claim| &*claim.view.phase == "Pending")).collect()
}

struct Claims {
    world: World,
    recorder: Recorder,
}

impl Reconciler for Claims {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            if let Some(claim) = self.world.volume_claims.get(key) {
                self.sync(&claim).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Claims {
    async fn sync(&self, claim: &Item<VolumeClaim>) -> Result<(), Error> {
        let class = self.class(claim);
        let default_class = self.default_class(claim);
        let around = self.around(claim, class.as_deref(), default_class.as_deref());
        match decide::claim(claim, around) {
            ForClaim::Bind(volume) => self.bind(claim, &volume).await,
            ForClaim::Classify(name) => self.classify(claim, &name).await,
            ForClaim::AwaitVolume => self.pending(claim).await,
            ForClaim::AwaitConsumer => {
                let (reason, message) = decide::awaited(&self.unscheduled(claim));
                self.tell(claim, EventKind::Normal, reason, &message).await;
                self.pending(claim).await
            }
            ForClaim::Provision => self.provision(claim, class.as_deref()).await,
            ForClaim::NoVolume => {
                let message = "no persistent volumes available for this claim and no storage class is set";
                self.tell(claim, EventKind::Normal, "FailedBinding", message).await;
                self.pending(claim).await
            }
            ForClaim::Refuse { reason, message } => {
                self.tell(claim, EventKind::Warning, reason, &message).await;
                self.pending(claim).await
            }
            ForClaim::Lose { reason, message } => {
                if self.report(&claim.object, "Lost", None).await? {
                    self.tell(claim, EventKind::Warning, reason, message).await;
                }
                Ok(())
            }
            ForClaim::Confused(sentence) => Err(Error::msg(sentence)),
        }
    }

    fn around<'a>(
        &self,
        claim: &Item<VolumeClaim>,
        class: Option<&'a Item<StorageClass>>,
        default_class: Option<&'a str>,
    ) -> Around<'a> {
        let (cluster, meta, view) = (&claim.object.cluster, &claim.object.meta, &claim.view);
        let named = ObjectKey::new(cluster, "", &view.volume_name);
        let words = [Volume::claimed_by(&meta.namespace, &meta.name), Volume::free_of_class(view.class())];
        Around {
            named: self.world.volumes.get(&named),
            candidates: words.iter().flat_map(|word| self.world.volumes.find(cluster, word)).collect(),
            class,
            default_class,
        }
    }

    fn class(&self, claim: &Item<VolumeClaim>) -> Option<Arc<Item<StorageClass>>> {
        self.world.storage_classes.get(&ObjectKey::new(&claim.object.cluster, "", claim.view.class()))
    }

    fn default_class(&self, claim: &Item<VolumeClaim>) -> Option<String> {
        if claim.view.names_class() {
            return None;
        }
        let classes = self.world.storage_classes.find_in(&claim.object.cluster, "");
        decide::default_class(&classes).map(str::to_owned)
    }

    /// The pods that need the claim and have no node yet.
    fn unscheduled(&self, claim: &Item<VolumeClaim>) -> Vec<String> {
        let meta = &claim.object.meta;
        let pods = self.world.pods.find(&claim.object.cluster, &Pod::using_claim(&meta.namespace, &meta.name));
        let waiting = pods.iter().filter(|pod| pod.view.spec.node_name.is_empty());
        waiting.map(|pod| pod.object.meta.name.clone()).collect()
    }

    /// Both sides come to name each other, the volume first: what it says decides for whom it is.
    async fn bind(&self, claim: &Item<VolumeClaim>, volume: &Item<Volume>) -> Result<(), Error> {
        let mut held = volume.object.clone();
        if let Some(body) = shape::volume_bound(volume, claim)? {
            held = self.world.volumes.update(&volume.object, &body).await?;
        }
        phase::report(&self.world, &held, "Bound", "").await?;
        let mut own = claim.object.clone();
        if let Some(body) = shape::claim_bound(claim, &volume.object.meta.name)? {
            own = self.world.volume_claims.update(&claim.object, &body).await?;
        }
        self.report(&own, "Bound", Some(&held)).await?;
        Ok(())
    }

    async fn classify(&self, claim: &Item<VolumeClaim>, class: &str) -> Result<(), Error> {
        let mut body = claim.object.value()?;
        body["spec"]["storageClassName"] = class.into();
        // The change comes back, and is decided by then.
        self.world.volume_claims.update(&claim.object, &body).await?;
        Ok(())
    }

    async fn provision(&self, claim: &Item<VolumeClaim>, class: Option<&Item<StorageClass>>) -> Result<(), Error> {
        let provisioner = match decide::provisioner(claim.view.class(), class) {
            Ok(provisioner) => provisioner,
            Err(message) => {
                self.tell(claim, EventKind::Warning, "ProvisioningFailed", &message).await;
                return self.pending(claim).await;
            }
        };
        if let Some(body) = shape::claim_asked_of(claim, provisioner)? {
            self.world.volume_claims.update(&claim.object, &body).await?;
            // Once it is asked; whoever makes it tells the rest.
            let message = format!(
                "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by \
                 the system administrator. If volume creation is delayed, please verify that the provisioner is \
                 running and correctly registered."
            );
            self.tell(claim, EventKind::Normal, "ExternalProvisioning", &message).await;
        }
        Ok(())
    }

    async fn pending(&self, claim: &Item<VolumeClaim>) -> Result<(), Error> {
        self.report(&claim.object, "Pending", None).await?;
        Ok(())
    }

    async fn report(&self, claim: &Object, phase: &str, volume: Option<&Object>) -> Result<bool, Error> {
        let volume: Option<Value> = volume.map(Object::value).transpose()?;
        let status = shape::claim_status(&claim.value()?, phase, volume.as_ref());
        Ok(self.world.volume_claims.update_status(claim, status).await?)
    }

    async fn tell(&self, claim: &Item<VolumeClaim>, kind: EventKind, reason: &str, message: &str) {
        self.recorder.record(&claim.object, kind, reason, "", message).await;
    }
}
