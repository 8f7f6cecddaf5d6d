//! Whose an object is: a controller keeps what it controls and its selector
//! matches, adopts orphans that match, and lets go of what matches no more.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::{Gvk, ObjectMeta, Status};
use client::{Change, Item, Object, ObjectKey, Patch, View};
use controller::{Error, owner};
use machinery::selector::LabelSelector;
use serde_json::json;

use crate::resource::Resource;
use crate::views::{orphan_in, owned_by};

/// Who claims.
pub(crate) struct Claimant<'a, O> {
    /// The kind of the owner.
    pub(crate) gvk: Gvk,
    /// The owner.
    pub(crate) owner: &'a Object,
    /// What it selects.
    pub(crate) selector: &'a LabelSelector,
    /// Where the owner is read afresh before anything is adopted.
    pub(crate) owners: &'a Resource<O>,
}

/// What a claimant does about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    Keep,
    Adopt,
    Release,
    Ignore,
}

/// Decides about one object. Objects under deletion are kept but never adopted; an owner under
/// deletion neither adopts nor releases.
pub(crate) fn decide(owner: &ObjectMeta, selector: &LabelSelector, object: &ObjectMeta) -> Claim {
    let matches = selector.matches_map(&object.labels);
    match object.controller() {
        Some(reference) if reference.uid != owner.uid => Claim::Ignore,
        Some(_) if matches => Claim::Keep,
        Some(_) if owner.is_deleting() => Claim::Ignore,
        Some(_) => Claim::Release,
        None if matches && !owner.is_deleting() && !object.is_deleting() => Claim::Adopt,
        None => Claim::Ignore,
    }
}

/// Whom a change of a pod concerns: the owners of this kind that it had and has, or, while it is
/// an orphan, those that `adopters` finds for it.
pub(crate) fn concerned(kind: &str, change: &Change, adopters: impl Fn(&Object) -> Vec<ObjectKey>) -> Vec<ObjectKey> {
    let mut keys = Vec::new();
    for pod in [&change.old, &change.new].into_iter().flatten() {
        let found = match pod.meta.controller() {
            Some(owner) if owner.kind == kind => {
                vec![ObjectKey::new(&pod.cluster, &pod.meta.namespace, &owner.name)]
            }
            Some(_) => Vec::new(),
            None => adopters(pod),
        };
        for key in found {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

impl<O: View> Claimant<'_, O> {
    /// Everything of `resource` that is the owner's, after adopting and releasing.
    pub(crate) async fn claim<V: View>(&self, resource: &Resource<V>) -> Result<Vec<Arc<Item<V>>>, Error> {
        self.claim_as(resource, None, |_| true).await
    }

    /// As [`Claimant::claim`], of those objects that could be the owner's at all.
    pub(crate) async fn claim_where<V: View>(
        &self,
        resource: &Resource<V>,
        could_be: impl Fn(&ObjectMeta) -> bool,
    ) -> Result<Vec<Arc<Item<V>>>, Error> {
        self.claim_as(resource, None, could_be).await
    }

    /// As [`Claimant::claim`]; what is adopted gets a finalizer, and what is released loses it.
    pub(crate) async fn claim_with<V: View>(
        &self,
        resource: &Resource<V>,
        finalizer: &str,
    ) -> Result<Vec<Arc<Item<V>>>, Error> {
        self.claim_as(resource, Some(finalizer), |_| true).await
    }

    async fn claim_as<V: View>(
        &self,
        resource: &Resource<V>,
        finalizer: Option<&str>,
        could_be: impl Fn(&ObjectMeta) -> bool,
    ) -> Result<Vec<Arc<Item<V>>>, Error> {
        let (cluster, meta) = (&self.owner.cluster, &self.owner.meta);
        let mut kept = Vec::new();
        let mut may_adopt = false;
        let owned = resource.find(cluster, &owned_by(&meta.uid));
        let orphans = resource.find(cluster, &orphan_in(&meta.namespace));
        for item in owned.into_iter().chain(orphans).filter(|item| could_be(&item.object.meta)) {
            match decide(meta, self.selector, &item.object.meta) {
                Claim::Keep => kept.push(item),
                Claim::Ignore => {}
                Claim::Release => self.release(resource, &item.object, finalizer).await?,
                Claim::Adopt => {
                    if !may_adopt {
                        self.check_alive().await?;
                        may_adopt = true;
                    }
                    if self.adopt(resource, &item.object, finalizer).await? {
                        kept.extend(resource.get(&item.key()));
                    }
                }
            }
        }
        Ok(kept)
    }

    /// An owner that is gone or going must not adopt: the garbage collector would take what it
    /// adopts along.
    async fn check_alive(&self) -> Result<(), Error> {
        let live = self.owners.live(&ObjectKey::of(self.owner)).await?;
        match live {
            Some(live) if live.meta.uid == self.owner.meta.uid && !live.meta.is_deleting() => Ok(()),
            _ => Err(Error::msg(format_args!("{} is gone or going and adopts nothing", self.owner.meta.name))),
        }
    }

    /// Says whether it is ours now; what is gone, or another's by now, is not.
    async fn adopt<V: View>(
        &self,
        resource: &Resource<V>,
        object: &Object,
        finalizer: Option<&str>,
    ) -> Result<bool, Status> {
        let reference = owner::reference(&self.gvk, &self.owner.meta, true);
        let mut patch = json!({ "metadata": { "uid": object.meta.uid, "ownerReferences": [reference] } });
        if let Some(finalizer) = finalizer {
            patch["metadata"]["finalizers"] = json!([finalizer]);
        }
        match resource.patch(object, None, Patch::Strategic(patch.to_string().into())).await {
            Ok(_) => Ok(true),
            Err(status) if status.is_not_found() || status.is_invalid() => Ok(false),
            Err(status) => Err(status),
        }
    }

    async fn release<V: View>(
        &self,
        resource: &Resource<V>,
        object: &Object,
        finalizer: Option<&str>,
    ) -> Result<(), Status> {
        let reference = json!({ "$patch": "delete", "uid": self.owner.meta.uid });
        let mut patch = json!({ "metadata": { "uid": object.meta.uid, "ownerReferences": [reference] } });
        if let Some(finalizer) = finalizer {
            patch["metadata"]["$deleteFromPrimitiveList/finalizers"] = json!([finalizer]);
        }
        match resource.patch(object, None, Patch::Strategic(patch.to_string().into())).await {
            Err(status) if !status.is_not_found() && !status.is_invalid() => Err(status),
            _ => Ok(()),
        }
    }
}
