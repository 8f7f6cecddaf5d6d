//! The history of a template: one ControllerRevision for each that there was,
//! numbered, named by its hash, adopted and forgotten as Kubernetes does. It
//! knows no kind of owner, and never reads a pod.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::{Gvk, Status};
use client::{Change, Item, Object, ObjectKey, Patch, View};
use controller::{Error, owner};
use serde_json::{Value, json};

use crate::resource::Resource;
use crate::template;
use crate::views::{Revision, record};

/// The label of pods that says of which revision they are.
pub(crate) const REVISION_LABEL: &str = "controller-revision-hash";

/// Characters of a revision's name that are its owner's, as kube-controller-manager cuts them.
const LONGEST_PREFIX: usize = 223;
/// Hashes that are tried before something must be wrong with them.
const MOST_COLLISIONS: i64 = 20;

/// An owner whose template is recorded.
pub(crate) struct Recorded<'a> {
    /// The kind of the owner.
    pub(crate) gvk: Gvk,
    /// The owner.
    pub(crate) owner: &'a Object,
    /// What tells its template from earlier ones, from its view.
    pub(crate) digest: &'a str,
    /// How often a hash was taken by another template so far.
    pub(crate) collisions: i64,
    /// The label that holds the hash.
    pub(crate) hash_label: &'static str,
}

/// The revision of the template as it is now.
pub(crate) struct Newest {
    /// The revision.
    pub(crate) revision: Arc<Item<Revision>>,
    /// The collisions, to be reported by the owner's status.
    pub(crate) collisions: i64,
}

/// What is to be done about the record of a template.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// It is the newest already: the one at this place.
    Keep(usize),
    /// It was recorded before, at this place, and becomes the newest again by this number.
    Raise(usize, i64),
    /// It is recorded by this number.
    Record(i64),
}

fn plan(digest: &str, held: &[Arc<Item<Revision>>]) -> Plan {
    let is_equal = |revision: &&Arc<Item<Revision>>| revision.view.digest == digest;
    let others = held.iter().filter(|revision| !is_equal(revision));
    let next = others.map(|revision| revision.view.number).max().unwrap_or(0) + 1;
    let equal = held.iter().enumerate().filter(|(_, revision)| is_equal(revision));
    match equal.max_by_key(|(_, revision)| age(revision)) {
        Some((place, revision)) if revision.view.number >= next => Plan::Keep(place),
        Some((place, _)) => Plan::Raise(place, next),
        None => Plan::Record(next),
    }
}

/// Orders revisions, the oldest first.
fn age(revision: &Item<Revision>) -> impl Ord + use<> {
    let meta = &revision.object.meta;
    (revision.view.number, meta.creation_timestamp.clone(), meta.name.clone())
}

impl Recorded<'_> {
    /// Makes the record of the owner's template the newest of those `held`, making it if there is
    /// none.
    pub(crate) async fn newest(
        &self,
        revisions: &Resource<Revision>,
        held: &[Arc<Item<Revision>>],
    ) -> Result<Newest, Error> {
        match plan(self.digest, held) {
            Plan::Keep(place) => Ok(Newest { revision: held[place].clone(), collisions: self.collisions }),
            Plan::Raise(place, number) => {
                let object = &held[place].object;
                let patch = json!({
                    "metadata": { "resourceVersion": object.meta.resource_version }, "revision": number,
                });
                let raised = revisions.patch(object, None, Patch::Merge(patch.to_string().into())).await?;
                Ok(Newest { revision: item(raised)?, collisions: self.collisions })
            }
            Plan::Record(number) => self.record(revisions, number).await,
        }
    }

    async fn record(&self, revisions: &Resource<Revision>, number: i64) -> Result<Newest, Error> {
        let owner = self.owner.value()?;
        let data = record(&owner["spec"]["template"]);
        for collisions in self.collisions..self.collisions + MOST_COLLISIONS {
            let body = self.body(&owner, &data, number, collisions);
            match revisions.create(&self.owner.cluster, &body).await {
                Ok(made) => return Ok(Newest { revision: item(made)?, collisions }),
                Err(status) if status.is_already_exists() => {
                    let name = body["metadata"]["name"].as_str().unwrap_or_default();
                    let key = ObjectKey::new(&self.owner.cluster, &self.owner.meta.namespace, name);
                    let Some(object) = revisions.live(&key).await? else { return Err(status.into()) };
                    let held = item(object)?;
                    if held.view.digest == self.digest {
                        return Ok(Newest { revision: held, collisions });
                    }
                }
                Err(status) => return Err(status.into()),
            }
        }
        Err(Error::msg(format_args!("every name for a revision of {} is taken", self.owner.meta.name)))
    }

    fn body(&self, owner: &Value, data: &Value, number: i64, collisions: i64) -> Value {
        let meta = &self.owner.meta;
        let hash = template::hash(data, Some(collisions));
        let prefix = meta.name.get(..LONGEST_PREFIX).unwrap_or(&meta.name);
        let mut labels = owner["spec"]["template"]["metadata"]["labels"].clone();
        labels[self.hash_label] = json!(hash);
        let mut metadata = json!({
            "name": format!("{prefix}-{hash}"),
            "namespace": meta.namespace,
            "labels": labels,
            "ownerReferences": [owner::reference(&self.gvk, meta, true)],
        });
        if !meta.annotations.is_empty() {
            metadata["annotations"] = json!(meta.annotations);
        }
        json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data,
            "revision": number,
        })
    }
}

fn item(object: Object) -> Result<Arc<Item<Revision>>, Status> {
    Ok(Arc::new(Item { view: Revision::read(&object)?, object }))
}

/// The owner of this kind that a change of a revision concerns: what somebody deletes is made again.
pub(crate) fn owners(kind: &str, change: &Change) -> Vec<ObjectKey> {
    let revision = change.object();
    let owner = revision.meta.controller().filter(|owner| owner.kind == kind);
    owner.map(|owner| ObjectKey::new(&revision.cluster, &revision.meta.namespace, &owner.name)).into_iter().collect()
}

/// The template that a revision records.
pub(crate) fn template_of(revision: &Item<Revision>) -> Result<Value, Status> {
    let mut object = revision.object.value()?;
    let mut template = object["data"]["spec"]["template"].take();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    Ok(template)
}

/// The oldest of `unused`, so many of them.
pub(crate) fn oldest(mut unused: Vec<Arc<Item<Revision>>>, count: usize) -> Vec<Arc<Item<Revision>>> {
    unused.sort_by_cached_key(|revision| age(revision));
    unused.truncate(count);
    unused
}

/// Forgets revisions.
pub(crate) async fn forget(revisions: &Resource<Revision>, doomed: &[Arc<Item<Revision>>]) -> Result<(), Status> {
    for revision in doomed {
        revisions.delete(&revision.object).await?;
    }
    Ok(())
}
