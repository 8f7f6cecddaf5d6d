//! What becomes of one object, from what is known of it and its owners: the
//! rules of Kubernetes' garbage collector as a pure function.

use api::{ObjectMeta, OwnerReference};
use client::Propagation;

/// Holds an object until its dependents are gone.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an object until its dependents no longer name it.
pub(super) const ORPHAN: &str = "orphan";

fn waits_with(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.is_deleting() && meta.finalizers.iter().any(|held| held == finalizer)
}

/// Whether the object is being deleted after its dependents.
pub(super) fn is_foreground(meta: &ObjectMeta) -> bool {
    waits_with(meta, FOREGROUND)
}

/// Whether the object is being deleted and its dependents stay.
pub(super) fn is_orphaning(meta: &ObjectMeta) -> bool {
    waits_with(meta, ORPHAN)
}

/// How an owner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnerState {
    /// There, and not on its way out in the foreground.
    Solid,
    /// There, being deleted, and waiting for its dependents.
    Waiting,
    /// Not there.
    Absent,
}

/// What is known of an object.
pub(super) struct Facts<'a> {
    pub(super) meta: &'a ObjectMeta,
    /// Its owner references, each with how the owner stands.
    pub(super) owners: &'a [(OwnerReference, OwnerState)],
    /// Objects that name it as an owner.
    pub(super) dependents: usize,
    /// Those among them for which its foreground deletion waits.
    pub(super) blocking: usize,
    /// Whether one of them is itself being deleted in the foreground.
    pub(super) dependents_in_foreground: bool,
}

/// What to do with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Leave,
    /// Take this object out of its dependents' owners, then let it go.
    Orphan,
    /// Nothing blocks its foreground deletion any more: let it go.
    Release,
    /// Delete what blocks its foreground deletion.
    DeleteBlocking,
    /// Keep it, without the owners of these uids.
    DropOwners(Vec<String>),
    /// Delete it; with `unblock`, first stop blocking its owners, lest they wait for each other.
    Delete {
        propagation: Propagation,
        unblock: bool,
    },
}

pub(super) fn decide(facts: &Facts<'_>) -> Action {
    if is_orphaning(facts.meta) {
        return Action::Orphan;
    }
    if is_foreground(facts.meta) {
        return if facts.blocking == 0 { Action::Release } else { Action::DeleteBlocking };
    }
    if facts.meta.is_deleting() || facts.owners.is_empty() {
        return Action::Leave;
    }
    let has = |wanted: OwnerState| facts.owners.iter().any(|(_, state)| *state == wanted);
    if has(OwnerState::Solid) {
        let lost = facts.owners.iter().filter(|(_, state)| *state != OwnerState::Solid);
        let lost: Vec<String> = lost.map(|(owner, _)| owner.uid.clone()).collect();
        return if lost.is_empty() { Action::Leave } else { Action::DropOwners(lost) };
    }
    if has(OwnerState::Waiting) && facts.dependents > 0 {
        // Its owner waits for it, and it must wait for its own dependents.
        return Action::Delete { propagation: Propagation::Foreground, unblock: facts.dependents_in_foreground };
    }
    let bears = |finalizer: &str| facts.meta.finalizers.iter().any(|held| held == finalizer);
    let propagation = match () {
        () if bears(ORPHAN) => Propagation::Orphan,
        () if bears(FOREGROUND) => Propagation::Foreground,
        () => Propagation::Background,
    };
    Action::Delete { propagation, unblock: false }
}
