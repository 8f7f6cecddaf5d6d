//! Who owns whom, as last seen. It holds only objects that have owners or whose
//! deletion waits for us, so that it stays small; it never asks the API.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use api::{ClusterName, Gvr, OwnerReference};
use client::{Object, ObjectKey};

use super::decide::{self, OwnerState};

/// An object by its uid, in the form that the queue takes. Copies of a cluster may repeat uids.
pub(super) fn id(cluster: &ClusterName, uid: &str) -> ObjectKey {
    ObjectKey::new(cluster, "", uid)
}

/// An object that has owners, or whose deletion waits for its dependents.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) gvr: Arc<Gvr>,
    pub(super) key: ObjectKey,
    pub(super) owners: Vec<OwnerReference>,
    pub(super) is_deleting: bool,
    pub(super) is_foreground: bool,
    pub(super) is_orphaning: bool,
}

impl Node {
    fn of(gvr: &Arc<Gvr>, object: &Object) -> Self {
        Node {
            gvr: gvr.clone(),
            key: ObjectKey::of(object),
            owners: object.meta.owner_references.clone(),
            is_deleting: object.meta.is_deleting(),
            is_foreground: decide::is_foreground(&object.meta),
            is_orphaning: decide::is_orphaning(&object.meta),
        }
    }

    /// Whether a foreground deletion of the owner waits for this object.
    pub(super) fn blocks(&self, owner: &ObjectKey) -> bool {
        let names = |held: &&OwnerReference| *held.uid == *owner.name;
        self.owners.iter().find(names).is_some_and(|held| held.block_owner_deletion == Some(true))
    }
}

/// What is known of an object that others name as their owner.
#[derive(Default)]
struct Owner {
    dependents: BTreeSet<ObjectKey>,
    /// The reference by which it was found alive, seen from a namespace.
    confirmed: Option<(Arc<str>, OwnerReference)>,
    /// Counts what may have ended it, so that an answer from before is not taken for news.
    doubts: u64,
    /// Its end was seen. Uids do not come back, so this holds wherever it is looked for, and
    /// even when its kind is no longer served.
    is_gone: bool,
}

#[derive(Default)]
pub(super) struct Graph {
    nodes: HashMap<ObjectKey, Node>,
    owners: HashMap<ObjectKey, Owner>,
    /// Objects that name an owner of a kind that was not served.
    unresolved: HashSet<ObjectKey>,
}

fn matters(object: &Object) -> bool {
    let meta = &object.meta;
    !meta.owner_references.is_empty() || decide::is_foreground(meta) || decide::is_orphaning(meta)
}

/// Two references to the same place, whatever else they say.
fn same_place(left: &OwnerReference, right: &OwnerReference) -> bool {
    left.api_version == right.api_version && left.kind == right.kind && left.name == right.name
}

impl Graph {
    pub(super) fn node(&self, id: &ObjectKey) -> Option<Node> {
        self.nodes.get(id).cloned()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.nodes.len(), self.owners.len())
    }

    /// The objects that name this one as an owner.
    pub(super) fn dependents(&self, id: &ObjectKey) -> Vec<(ObjectKey, Node)> {
        let ids = self.owners.get(id).into_iter().flat_map(|owner| &owner.dependents);
        ids.filter_map(|id| Some((id.clone(), self.node(id)?))).collect()
    }

    /// Takes in an object as it is now; returns who must be looked at.
    pub(super) fn observe(&mut self, gvr: &Arc<Gvr>, object: &Object) -> Vec<ObjectKey> {
        let id = id(&object.cluster, &object.meta.uid);
        let old = self.nodes.get(&id);
        // By far the most objects have no owner and are not being deleted.
        if old.is_none() && !matters(object) {
            return Vec::new();
        }
        let node = Node::of(gvr, object);
        if old == Some(&node) {
            return Vec::new();
        }
        let begins_foreground = node.is_foreground && !old.is_some_and(|old| old.is_foreground);
        let mut work = self.unlink(&id);
        for owner in &node.owners {
            let owner = self.owners.entry(self::id(&object.cluster, &owner.uid)).or_default();
            owner.dependents.insert(id.clone());
        }
        if begins_foreground {
            work.extend(self.owners.get(&id).into_iter().flat_map(|owner| owner.dependents.iter().cloned()));
        }
        if matters(object) {
            self.nodes.insert(id.clone(), node);
            work.push(id);
        }
        work
    }

    /// Forgets an object whose end was seen; returns who must be looked at: its dependents, and
    /// owners that waited for it.
    pub(super) fn remove(&mut self, id: &ObjectKey) -> Vec<ObjectKey> {
        if let Some(owner) = self.owners.get_mut(id) {
            owner.is_gone = true;
        }
        self.forget(id)
    }

    /// As [`Graph::remove`], for an object that is not where it was: whether it is gone, its
    /// dependents must find out.
    pub(super) fn forget(&mut self, id: &ObjectKey) -> Vec<ObjectKey> {
        let mut work = self.unlink(id);
        self.unresolved.remove(id);
        work.extend(self.doubt(id));
        work
    }

    /// What was known of an owner may no longer hold; returns its dependents.
    fn doubt(&mut self, id: &ObjectKey) -> Vec<ObjectKey> {
        let Some(owner) = self.owners.get_mut(id) else { return Vec::new() };
        owner.confirmed = None;
        owner.doubts += 1;
        owner.dependents.iter().cloned().collect()
    }

    /// Takes an object out, and returns the owners whose deletion may have waited for it.
    fn unlink(&mut self, id: &ObjectKey) -> Vec<ObjectKey> {
        let Some(node) = self.nodes.remove(id) else { return Vec::new() };
        let mut waiting = Vec::new();
        for reference in &node.owners {
            let owner_id = self::id(&id.cluster, &reference.uid);
            let Some(owner) = self.owners.get_mut(&owner_id) else { continue };
            owner.dependents.remove(id);
            if owner.dependents.is_empty() {
                self.owners.remove(&owner_id);
            }
            if self.nodes.get(&owner_id).is_some_and(|owner| owner.is_foreground) {
                waiting.push(owner_id);
            }
        }
        waiting
    }

    /// A resource was listed afresh: some ends may have been missed. `seen` are the objects that
    /// are there. Returns who must be looked at.
    pub(super) fn relisted(&mut self, gvr: &Gvr, kind: &str, seen: &HashSet<ObjectKey>) -> Vec<ObjectKey> {
        let of_resource = self.nodes.iter().filter(|(_, node)| *node.gvr == *gvr);
        let (kept, gone): (Vec<_>, Vec<_>) = of_resource.partition(|(_, node)| seen.contains(&node.key));
        let gone: Vec<ObjectKey> = gone.into_iter().map(|(id, _)| id.clone()).collect();
        // A kept name may have another uid now; looking at it will tell.
        let mut work: Vec<ObjectKey> = kept.into_iter().map(|(id, _)| id.clone()).collect();
        for id in gone {
            work.extend(self.forget(&id));
        }
        let is_kind = |reference: &OwnerReference| {
            reference.kind == kind && *api::name::split_api_version(&reference.api_version).0 == *gvr.group
        };
        let nodes = self.nodes.iter();
        let named: HashSet<ObjectKey> = nodes
            .flat_map(|(id, node)| node.owners.iter().map(move |owner| (id, owner)))
            .filter(|(_, owner)| is_kind(owner))
            .map(|(id, owner)| self::id(&id.cluster, &owner.uid))
            .collect();
        for id in named {
            work.extend(self.doubt(&id));
        }
        work
    }

    /// What is known of an owner without asking, and the count of doubts to confirm it with.
    pub(super) fn owner(&self, dependent: &ObjectKey, reference: &OwnerReference) -> (Option<OwnerState>, u64) {
        let owner_id = id(&dependent.cluster, &reference.uid);
        let Some(owner) = self.owners.get(&owner_id) else { return (None, 0) };
        if owner.is_gone {
            return (Some(OwnerState::Absent), owner.doubts);
        }
        let confirmed = owner.confirmed.as_ref();
        let holds = confirmed.is_some_and(|(from, held)| *from == dependent.namespace && same_place(held, reference));
        let is_foreground = self.nodes.get(&owner_id).is_some_and(|node| node.is_foreground);
        let state = if is_foreground { OwnerState::Waiting } else { OwnerState::Solid };
        (holds.then_some(state), owner.doubts)
    }

    /// An owner was found alive after `doubts` doubts.
    pub(super) fn confirm(&mut self, dependent: &ObjectKey, reference: &OwnerReference, doubts: u64) {
        if let Some(owner) = self.owners.get_mut(&id(&dependent.cluster, &reference.uid))
            && owner.doubts == doubts
        {
            owner.confirmed = Some((dependent.namespace.clone(), reference.clone()));
        }
    }

    /// Looking at this object must wait until more kinds are served.
    pub(super) fn leave_unresolved(&mut self, id: &ObjectKey) {
        if self.nodes.contains_key(id) {
            self.unresolved.insert(id.clone());
        }
    }

    /// The objects of a cluster that waited for more kinds.
    pub(super) fn take_unresolved(&mut self, cluster: &ClusterName) -> Vec<ObjectKey> {
        self.unresolved.extract_if(|id| id.cluster == *cluster).collect()
    }
}
