//! What a namespace holds: deletes it resource by resource and counts what is
//! left. It decides nothing about the namespace itself.

use std::collections::BTreeMap;
use std::collections::HashSet;

use api::{Gvr, KindDescriptor, Status};
use client::{DeleteOptions, ListOptions, Object, ObjectKey, Objects, Preconditions, Propagation, Target};

use super::is_content;

const PAGE: u64 = 500;

/// What is left in a namespace after deleting all there was.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) discovery_error: Option<String>,
    /// Why objects could not be deleted.
    pub(super) errors: Vec<String>,
    left: BTreeMap<Gvr, Left>,
    /// Finalizers of what is left, and how many objects bear each.
    pub(super) finalizers: BTreeMap<String, usize>,
}

/// What is left of one resource.
#[derive(Default)]
struct Left {
    objects: usize,
    /// Revision of the list that showed it.
    revision: String,
}

/// Each resource that holds objects in namespaces once, though several groups may serve it.
pub(super) fn resources(kinds: &[KindDescriptor]) -> Vec<Gvr> {
    let mut stored = HashSet::new();
    let once = |kind: &&KindDescriptor| stored.insert((kind.storage_group.clone(), kind.plural.clone()));
    kinds.iter().filter(|kind| is_content(kind)).filter(once).map(KindDescriptor::gvr).collect()
}

impl Contents {
    pub(super) fn discovery_failed(&mut self, status: Status) {
        self.discovery_error = Some(status.message);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.failure().is_none()
    }

    /// What went wrong first; waiting for finalizers is no failure.
    pub(super) fn failure(&self) -> Option<&String> {
        self.discovery_error.as_ref().or(self.errors.first())
    }

    /// Resources that have objects left, and the revision from which to watch them.
    pub(super) fn remaining(&self) -> impl Iterator<Item = (&Gvr, &str)> {
        self.left.iter().map(|(gvr, left)| (gvr, left.revision.as_str()))
    }

    /// Resources that have objects left, and how many.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&Gvr, usize)> {
        self.left.iter().map(|(gvr, left)| (gvr, left.objects))
    }

    /// Deletes the namespace's objects of one resource, and counts those that stay.
    pub(super) async fn clear(&mut self, objects: &dyn Objects, namespace: &ObjectKey, gvr: &Gvr) {
        let target = Target::namespaced(&namespace.cluster, gvr, &namespace.name);
        let mut options = ListOptions { limit: PAGE, ..ListOptions::default() };
        loop {
            let page = match objects.list(&target, options.clone()).await {
                Ok(page) => page,
                // The kind has just ceased to be served.
                Err(status) if status.is_not_found() => return,
                Err(status) => return self.errors.push(status.message),
            };
            for object in page.items {
                match delete(objects, &target, object).await {
                    Ok(None) => {}
                    Ok(Some(object)) => self.count(gvr, &object, &page.resource_version),
                    Err((status, object)) => {
                        self.errors.push(status.message);
                        self.count(gvr, &object, &page.resource_version);
                    }
                }
            }
            if page.continue_token.is_empty() {
                return;
            }
            options.continue_token = page.continue_token;
        }
    }

    pub(super) fn count(&mut self, gvr: &Gvr, object: &Object, revision: &str) {
        let left = self.left.entry(gvr.clone()).or_default();
        left.objects += 1;
        revision.clone_into(&mut left.revision);
        for finalizer in &object.meta.finalizers {
            *self.finalizers.entry(finalizer.clone()).or_default() += 1;
        }
    }
}

/// Deletes an object unless that was asked before; returns it if it stays for now.
async fn delete(objects: &dyn Objects, target: &Target, object: Object) -> Result<Option<Object>, (Status, Object)> {
    if object.meta.is_deleting() {
        return Ok(Some(object));
    }
    let options = DeleteOptions {
        preconditions: Preconditions { uid: Some(object.meta.uid.clone()), resource_version: None },
        propagation: Some(Propagation::Background),
        ..DeleteOptions::default()
    };
    match objects.delete(target, &object.meta.name, options).await {
        Err(status) if status.is_not_found() => Ok(None),
        deleted => deleted.map_err(|status| (status, object)),
    }
}
