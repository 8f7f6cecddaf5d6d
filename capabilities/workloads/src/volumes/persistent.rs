//! The volumes' side of the binder: reports the phase of a volume by its claim,
//! and has those reclaimed whose claim is gone. It deletes nothing itself.

use std::sync::Arc;

use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use futures::future::BoxFuture;

use super::decide::{self, ForVolume, Reclaim};
use super::{phase, shape};
use crate::views::{Volume, VolumeClaim};
use crate::world::World;

const WORKERS: usize = 4;

pub(super) fn start(world: &World) -> Handle {
    let recorder = world.recorder("persistentvolume-controller");
    let of_claim = world.clone();
    Controller::new("persistent volumes", Arc::new(Volumes { world: world.clone(), recorder }))
        .owns(world.volumes.cache())
        .watches(world.volume_claims.cache(), move |change| keys_of_claim(&of_claim, change))
        .workers(WORKERS)
        .start(world.tasks())
}

/// The volumes that name a claim, or that it names.
fn keys_of_claim(world: &World, change: &Change) -> Vec<ObjectKey> {
    let object = change.object();
    let naming = world.volumes.find(&object.cluster, &Volume::claimed_by(&object.meta.namespace, &object.meta.name));
    let mut keys: Vec<ObjectKey> = naming.iter().map(|volume| volume.key()).collect();
    if let Some(claim) = world.volume_claims.get(&change.key())
        && !claim.view.volume_name.is_empty()
    {
        keys.push(ObjectKey::new(&object.cluster, "", &claim.view.volume_name));
    }
    keys
}

struct Volumes {
    world: World,
    recorder: Recorder,
}

impl Reconciler for Volumes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            if let Some(volume) = self.world.volumes.get(key) {
                self.sync(&volume).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Volumes {
    async fn sync(&self, volume: &Item<Volume>) -> Result<(), Error> {
        let claim = self.claim(volume);
        match decide::volume(volume, claim.as_deref()) {
            ForVolume::Available => self.report(volume, "Available").await,
            ForVolume::Bound => self.report(volume, "Bound").await,
            // The claim hears of the volume as well, and binds both.
            ForVolume::AwaitClaim => Ok(()),
            ForVolume::WrongMode => {
                self.tell_of_wrong_mode(volume, claim.as_deref()).await;
                Ok(())
            }
            ForVolume::Unbind => {
                let unbound = self.world.volumes.update(&volume.object, &shape::volume_unbound(volume)?).await?;
                phase::report(&self.world, &unbound, "Available", "").await?;
                Ok(())
            }
            ForVolume::Release => self.release(volume, claim.as_deref()).await,
        }
    }

    fn claim(&self, volume: &Item<Volume>) -> Option<Arc<Item<VolumeClaim>>> {
        let named = volume.view.claim.as_ref()?;
        self.world.volume_claims.get(&ObjectKey::new(&volume.object.cluster, &named.namespace, &named.name))
    }

    async fn release(&self, volume: &Item<Volume>, seen: Option<&Item<VolumeClaim>>) -> Result<(), Error> {
        // The live copy may lag, and what is reclaimed is lost: ask before believing that it is gone.
        if let Some(named) = &volume.view.claim
            && seen.is_none_or(|claim| *claim.object.meta.uid != *named.uid)
        {
            let key = ObjectKey::new(&volume.object.cluster, &named.namespace, &named.name);
            let live = self.world.volume_claims.live(&key).await?;
            if live.is_some_and(|claim| *claim.meta.uid == *named.uid) {
                return Err(Error::msg(format_args!("the claim {key} is there, but has not been seen yet")));
            }
        }
        let is_reclaimed = matches!(&*volume.view.phase, "Released" | "Failed");
        if !is_reclaimed {
            // Comes back as a change, and is reclaimed then.
            return self.report(volume, "Released").await;
        }
        match decide::reclaim(volume) {
            Reclaim::Leave => Ok(()),
            Reclaim::Fail { reason, message } => {
                if phase::report(&self.world, &volume.object, "Failed", &message).await? {
                    self.recorder.record(&volume.object, EventKind::Warning, reason, "", &message).await;
                }
                Ok(())
            }
        }
    }

    async fn report(&self, volume: &Item<Volume>, name: &str) -> Result<(), Error> {
        phase::report(&self.world, &volume.object, name, "").await?;
        Ok(())
    }

    async fn tell_of_wrong_mode(&self, volume: &Item<Volume>, claim: Option<&Item<VolumeClaim>>) {
        let Some(claim) = claim else { return };
        let (meta, name) = (&claim.object.meta, &volume.object.meta.name);
        let message = format!(
            "Cannot bind PersistentVolume to requested PersistentVolumeClaim {:?} due to incompatible volumeMode.",
            meta.name
        );
        self.recorder.record(&volume.object, EventKind::Warning, "VolumeMismatch", "", &message).await;
        let message = format!(
            "Cannot bind PersistentVolume {name:?} to requested PersistentVolumeClaim {:?} due to incompatible \
             volumeMode.",
            meta.name
        );
        self.recorder.record(&claim.object, EventKind::Warning, "VolumeMismatch", "", &message).await;
    }
}
