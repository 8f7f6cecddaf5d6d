//! What a claim needs next to be bound, and what a volume's phase is. Pure: it
//! is handed what it may look at.

use std::sync::Arc;

use client::Item;

use super::matching::{best, is_for, mismatch};
use super::shape::PROVISIONED_BY;
use crate::views::{BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE, StorageClass, Volume, VolumeClaim, is_default};

/// What there is around a claim.
pub(super) struct Around<'a> {
    /// The volume that the claim names, if it does and there is one.
    pub(super) named: Option<Arc<Item<Volume>>>,
    /// Volumes that are kept for the claim, or are nobody's and of its class.
    pub(super) candidates: Vec<Arc<Item<Volume>>>,
    /// Its class, if there is one of that name.
    pub(super) class: Option<&'a Item<StorageClass>>,
    /// The name of the class of claims that name none.
    pub(super) default_class: Option<&'a str>,
}

/// What becomes of a claim.
#[derive(Debug)]
pub(super) enum ForClaim {
    /// Both sides shall know each other.
    Bind(Arc<Item<Volume>>),
    /// The claim becomes one of this class.
    Classify(String),
    /// A pod must need it first.
    AwaitConsumer,
    /// Someone must make a volume.
    Provision,
    /// There is none, and nobody makes one.
    NoVolume,
    /// The volume it names is not there yet.
    AwaitVolume,
    /// It cannot have the volume it names: why.
    Refuse { reason: &'static str, message: String },
    /// It was bound, and is no more: why.
    Lose { reason: &'static str, message: &'static str },
    /// What nobody but a user's change can have caused.
    Confused(String),
}

/// Decides about a claim.
pub(super) fn claim(claim: &Item<VolumeClaim>, around: Around<'_>) -> ForClaim {
    if claim.object.meta.annotations.contains_key(BIND_COMPLETED) {
        return bound(claim, around.named);
    }
    if claim.view.volume_name.is_empty() {
        return unbound(claim, around);
    }
    match around.named {
        None => ForClaim::AwaitVolume,
        Some(volume) => asking_for(claim, volume),
    }
}

/// A claim that was bound once: it keeps its volume or is lost.
fn bound(claim: &Item<VolumeClaim>, named: Option<Arc<Item<Volume>>>) -> ForClaim {
    const NO_REFERENCE: &str = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
    const NO_VOLUME: &str = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    const NOT_ITS: &str = "Two claims are bound to the same volume, this one is bound incorrectly";
    if claim.view.volume_name.is_empty() {
        return ForClaim::Lose { reason: "ClaimLost", message: NO_REFERENCE };
    }
    let Some(volume) = named else { return ForClaim::Lose { reason: "ClaimLost", message: NO_VOLUME } };
    match &volume.view.claim {
        Some(held) if *held.uid != *claim.object.meta.uid => {
            ForClaim::Lose { reason: "ClaimMisbound", message: NOT_ITS }
        }
        _ => ForClaim::Bind(volume),
    }
}

/// A claim that takes any volume that suits it.
fn unbound(claim: &Item<VolumeClaim>, around: Around<'_>) -> ForClaim {
    let has_node = claim.object.meta.annotations.contains_key(SELECTED_NODE);
    let waits = !has_node && around.class.is_some_and(|class| class.view.waits_for_consumer());
    if let Some(volume) = best(claim, around.candidates, waits) {
        return ForClaim::Bind(volume);
    }
    match around.default_class {
        Some(class) if !claim.view.names_class() => ForClaim::Classify(class.to_owned()),
        _ if waits => ForClaim::AwaitConsumer,
        _ if !claim.view.class().is_empty() => ForClaim::Provision,
        _ => ForClaim::NoVolume,
    }
}

/// A claim that names the volume it wants.
fn asking_for(claim: &Item<VolumeClaim>, volume: Arc<Item<Volume>>) -> ForClaim {
    let name = &volume.object.meta.name;
    let Some(held) = &volume.view.claim else {
        return match mismatch(claim, &volume) {
            None => ForClaim::Bind(volume),
            Some(why) => ForClaim::Refuse {
                reason: "VolumeMismatch",
                message: format!("Cannot bind to requested volume {name:?}: {why}"),
            },
        };
    };
    if is_for(&volume.view, claim) {
        return ForClaim::Bind(volume);
    }
    let meta = &claim.object.meta;
    if meta.annotations.contains_key(BOUND_BY_CONTROLLER) {
        return ForClaim::Confused(format!(
            "invalid binding of claim \"{}/{}\" to volume {name:?}: volume already claimed by \"{}/{}\"",
            meta.namespace, meta.name, held.namespace, held.name
        ));
    }
    let message = format!("volume {name:?} already bound to a different claim.");
    ForClaim::Refuse { reason: "FailedBinding", message }
}

/// What becomes of a volume.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ForVolume {
    /// Nobody has it.
    Available,
    /// Its claim has it.
    Bound,
    /// It waits for its claim to be bound.
    AwaitClaim,
    /// Its claim cannot have it: block devices are no file systems.
    WrongMode,
    /// Its claim is gone, or has another volume: it is reclaimed.
    Release,
    /// Its claim has another volume: it forgets the claim.
    Unbind,
}

/// Decides about a volume by the claim of the names that it states.
pub(super) fn volume(volume: &Item<Volume>, claim: Option<&Item<VolumeClaim>>) -> ForVolume {
    let Some(held) = volume.view.claim.as_ref().filter(|held| !held.uid.is_empty()) else {
        return ForVolume::Available;
    };
    // Another claim of that name is another claim.
    let Some(claim) = claim.filter(|claim| *claim.object.meta.uid == *held.uid) else { return ForVolume::Release };
    if claim.view.volume_name.is_empty() {
        let fits = claim.view.volume_mode == volume.view.volume_mode;
        return if fits { ForVolume::AwaitClaim } else { ForVolume::WrongMode };
    }
    if *claim.view.volume_name == *volume.object.meta.name {
        return ForVolume::Bound;
    }
    // It was made for this claim, which got another in the meantime.
    let was_made = volume.object.meta.annotations.contains_key(PROVISIONED_BY);
    if was_made && &*volume.view.reclaim_policy == "Delete" { ForVolume::Release } else { ForVolume::Unbind }
}

/// The class of claims that name none: the newest that says so, and of two as new the first.
pub(super) fn default_class(classes: &[Arc<Item<StorageClass>>]) -> Option<&str> {
    let defaults = classes.iter().filter(|class| is_default(class)).map(|class| &class.object.meta);
    let newest = defaults.max_by(|left, right| {
        left.creation_timestamp.cmp(&right.creation_timestamp).then_with(|| right.name.cmp(&left.name))
    });
    newest.map(|meta| meta.name.as_str())
}

/// Who makes volumes of a class; the error says why nobody does.
pub(super) fn provisioner<'a>(name: &str, class: Option<&'a Item<StorageClass>>) -> Result<&'a str, String> {
    let class = class.ok_or_else(|| format!("storageclass.storage.k8s.io {name:?} not found"))?;
    let provisioner = &*class.view.provisioner;
    match provisioner.starts_with("kubernetes.io/") {
        // Names that Kubernetes keeps for itself, of which it knows none any more.
        true => Err(format!("no volume plugin matched name: {provisioner}")),
        false => Ok(provisioner),
    }
}

/// What a claim waits for whose class wants a pod first: reason and sentence, by the pods that
/// need it and have no node.
pub(super) fn awaited(pods: &[String]) -> (&'static str, String) {
    let message = match pods {
        [] => return ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".to_owned()),
        [pod] => format!("waiting for pod {pod} to be scheduled"),
        pods => format!("waiting for pods {} to be scheduled", pods.join(",")),
    };
    ("WaitForPodScheduled", message)
}

/// What becomes of a volume that was released.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reclaim {
    /// It stays, or whoever made it deletes it.
    Leave,
    /// Nobody can do what it asks for.
    Fail { reason: &'static str, message: String },
}

/// Decides by the volume's reclaim policy.
pub(super) fn reclaim(volume: &Item<Volume>) -> Reclaim {
    let name = &volume.object.meta.name;
    let (reason, message) = match &*volume.view.reclaim_policy {
        "Retain" => return Reclaim::Leave,
        "Delete" if volume.object.meta.annotations.contains_key(PROVISIONED_BY) => return Reclaim::Leave,
        "Delete" => {
            let why = "no deletable volume plugin matched";
            ("VolumeFailedDelete", format!("error getting deleter volume plugin for volume {name:?}: {why}"))
        }
        "Recycle" => ("VolumeFailedRecycle", "No recycler plugin found for the volume!".to_owned()),
        _ => ("VolumeUnknownReclaimPolicy", "Volume has unrecognized reclaim policy".to_owned()),
    };
    Reclaim::Fail { reason, message }
}
