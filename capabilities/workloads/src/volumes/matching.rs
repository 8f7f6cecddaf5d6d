//! Which volume suits a claim: enough room, every mode of access, the class,
//! the mode, the labels. Pure; it knows neither nodes nor caches.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use client::{Item, ObjectKey};

use crate::views::{SELECTED_NODE, Volume, VolumeClaim};

/// Whether a volume is for this claim: by its names and, if it was bound already, by its uid.
pub(crate) fn is_for(volume: &Volume, claim: &Item<VolumeClaim>) -> bool {
    let meta = &claim.object.meta;
    volume.claim.as_ref().is_some_and(|held| {
        *held.namespace == *meta.namespace
            && *held.name == *meta.name
            && (held.uid.is_empty() || *held.uid == *meta.uid)
    })
}

/// The volume that suits a claim best among `volumes`: one that is kept for it, else the one with
/// the fewest modes of access beyond those asked for, else the smallest. With `only_kept`,
/// nothing but a volume that is kept for it: of the others the scheduler chooses.
pub(crate) fn best(
    claim: &Item<VolumeClaim>,
    volumes: impl IntoIterator<Item = Arc<Item<Volume>>>,
    only_kept: bool,
) -> Option<Arc<Item<Volume>>> {
    let fitting = volumes.into_iter().filter(|volume| fits(claim, volume));
    let suiting = fitting.filter(|volume| is_for(&volume.view, claim) || (!only_kept && is_free_for(claim, volume)));
    suiting.min_by(|left, right| {
        let rank = |volume: &Item<Volume>| {
            (
                !is_for(&volume.view, claim),
                volume.view.access_modes.len(),
                volume.view.capacity,
                ObjectKey::of(&volume.object),
            )
        };
        rank(left).cmp(&rank(right))
    })
}

/// What even a volume that is kept for the claim must have.
fn fits(claim: &Item<VolumeClaim>, volume: &Item<Volume>) -> bool {
    let (asked, held) = (&claim.view, &volume.view);
    held.capacity >= asked.request
        && held.volume_mode == asked.volume_mode
        && has_modes(held, asked)
        && !volume.object.meta.is_deleting()
}

/// Whether a volume that is nobody's may become the claim's.
fn is_free_for(claim: &Item<VolumeClaim>, volume: &Item<Volume>) -> bool {
    let (asked, held) = (&claim.view, &volume.view);
    let is_selected = asked.selector.as_ref().is_none_or(|it| it.matches_map(&volume.object.meta.labels));
    // With a node chosen, the scheduler has looked at what can be reached from there, and wants
    // a new volume.
    let is_passed_over = held.has_node_affinity && claim.object.meta.annotations.contains_key(SELECTED_NODE);
    held.claim.is_none()
        && &*held.phase == "Available"
        && *held.class == *asked.class()
        && is_selected
        && !is_passed_over
}

fn has_modes(volume: &Volume, claim: &VolumeClaim) -> bool {
    claim.access_modes.iter().all(|mode| volume.access_modes.contains(mode))
}

/// Why a claim cannot have the volume that it names, if it cannot.
pub(super) fn mismatch(claim: &Item<VolumeClaim>, volume: &Item<Volume>) -> Option<String> {
    let (asked, held) = (&claim.view, &volume.view);
    if volume.object.meta.is_deleting() {
        return Some(format!("the volume is marked for deletion {:?}", volume.object.meta.name));
    }
    let why = if held.capacity < asked.request {
        "requested PV is too small"
    } else if *held.class != *asked.class() {
        "storageClassName does not match"
    } else if held.volume_mode != asked.volume_mode {
        "incompatible volumeMode"
    } else if !has_modes(held, asked) {
        "incompatible accessMode"
    } else {
        return None;
    };
    Some(why.to_owned())
}
