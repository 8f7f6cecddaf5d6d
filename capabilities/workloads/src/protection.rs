//! Keeps claims that pods use and volumes that claims have from going away: each
//! bears a finalizer from the moment it is seen, and loses it when it is to go
//! and nobody needs it. The finalizer is given here and not by admission, so that
//! an API server without this controller is not left with objects that cannot go.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::Gvr;
use client::{Change, Item, ListOptions, Object, ObjectKey, Patch, View};
use controller::{Controller, Error, Next, Reconciler, finalizer, place};
use futures::future::BoxFuture;
use serde_json::json;

use crate::ephemeral;
use crate::resource::Resource;
use crate::views::{Pod, Volume, VolumeClaim};
use crate::world::World;

const OF_CLAIM: &str = "kubernetes.io/pvc-protection";
const OF_VOLUME: &str = "kubernetes.io/pv-protection";
const WORKERS: usize = 2;

pub(crate) fn start(world: &World) {
    let seen = world.clone();
    Controller::new("claim protection", Arc::new(Claims { world: world.clone() }))
        .owns(world.volume_claims.cache())
        .watches(world.pods.cache(), move |change| claims_of_pod(&seen, change))
        .workers(WORKERS)
        .start(world.tasks());
    Controller::new("volume protection", Arc::new(Volumes { world: world.clone() }))
        .owns(world.volumes.cache())
        .workers(WORKERS)
        .start(world.tasks());
}

/// The claims that are to go in the namespace of a pod that goes, ends or is gone: it may have been
/// the last one. What it used is not known any more when it is gone, so all are looked at; those
/// that are to go are few.
fn claims_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    let object = change.object();
    let is_news = change.new.as_ref().is_none_or(|pod| pod.meta.is_deleting());
    if !is_news {
        return Vec::new();
    }
    let claims = world.volume_claims.find_in(&object.cluster, &object.meta.namespace);
    claims.iter().filter(|claim| claim.object.meta.is_deleting()).map(|claim| claim.key()).collect()
}

/// What is to be done about a finalizer.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Add,
    /// If nobody needs the object.
    Remove,
}

fn step(object: &Object, name: &str) -> Step {
    match (object.meta.is_deleting(), finalizer::has(object, name)) {
        (false, false) => Step::Add,
        (true, true) => Step::Remove,
        _ => Step::Nothing,
    }
}

struct Claims {
    world: World,
}

impl Reconciler for Claims {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(claim) = self.world.volume_claims.get(key) else { return Ok(Next::Done) };
            match step(&claim.object, OF_CLAIM) {
                Step::Nothing => {}
                Step::Add => add(&self.world.volume_claims, &claim.object, OF_CLAIM).await?,
                Step::Remove if self.is_used(&claim).await? => {}
                Step::Remove => remove(&self.world.volume_claims, &claim.object, OF_CLAIM).await?,
            }
            Ok(Next::Done)
        })
    }
}

impl Claims {
    async fn is_used(&self, claim: &Item<VolumeClaim>) -> Result<bool, Error> {
        let (cluster, meta) = (&claim.object.cluster, &claim.object.meta);
        let seen = self.world.pods.find(cluster, &Pod::using_claim(&meta.namespace, &meta.name));
        if seen.iter().any(|pod| uses(pod, claim)) {
            return Ok(true);
        }
        // The live copy may lag, and a claim that is gone does not come back: ask for the pods.
        let pods = place::at(&Gvr::new("", "v1", "pods"), &ObjectKey::new(cluster, &meta.namespace, ""));
        let list = self.world.ctx().objects.list(&pods, ListOptions::default()).await?;
        for object in list.items {
            let pod = Item { view: Pod::read(&object)?, object };
            if uses(&pod, claim) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a pod uses a claim. One without a node does not yet, and will not be started with a
/// claim that is to go.
fn uses(pod: &Item<Pod>, claim: &Item<VolumeClaim>) -> bool {
    let (own, meta) = (&pod.object.meta, &claim.object.meta);
    let is_shut_down = own.is_deleting() && own.deletion_grace_period_seconds == Some(0);
    !pod.view.spec.node_name.is_empty()
        && pod.view.spec.volumes.iter().any(|volume| {
            volume.claim_name(&own.name).as_deref() == Some(&*meta.name)
                && (!volume.is_ephemeral() || (!is_shut_down && ephemeral::is_for(meta, own)))
        })
}

struct Volumes {
    world: World,
}

impl Reconciler for Volumes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(volume) = self.world.volumes.get(key) else { return Ok(Next::Done) };
            match step(&volume.object, OF_VOLUME) {
                Step::Nothing => {}
                Step::Add => add(&self.world.volumes, &volume.object, OF_VOLUME).await?,
                Step::Remove if is_bound(&volume) => {}
                Step::Remove => remove(&self.world.volumes, &volume.object, OF_VOLUME).await?,
            }
            Ok(Next::Done)
        })
    }
}

fn is_bound(volume: &Item<Volume>) -> bool {
    &*volume.view.phase == "Bound"
}

async fn add<V: View>(resource: &Resource<V>, object: &Object, name: &str) -> Result<(), Error> {
    let mut finalizers = object.meta.finalizers.clone();
    finalizers.push(name.to_owned());
    write(resource, object, &finalizers).await
}

async fn remove<V: View>(resource: &Resource<V>, object: &Object, name: &str) -> Result<(), Error> {
    let finalizers: Vec<String> = object.meta.finalizers.iter().filter(|held| *held != name).cloned().collect();
    write(resource, object, &finalizers).await
}

/// Fails if the object has changed; that it is gone is fine.
async fn write<V: View>(resource: &Resource<V>, object: &Object, finalizers: &[String]) -> Result<(), Error> {
    let meta = &object.meta;
    let patch = json!({
        "metadata": { "uid": meta.uid, "resourceVersion": meta.resource_version, "finalizers": finalizers },
    });
    match resource.patch(object, None, Patch::Merge(patch.to_string().into())).await {
        Err(status) if !status.is_not_found() => Err(status.into()),
        _ => Ok(()),
    }
}
