//! One kind as controllers use it: a live copy with views, and writes that the
//! copy takes in as soon as they are answered. Whoever decides by the copy
//! therefore never does the same twice (docs/decisions/008). It knows no kind.

use std::sync::Arc;

use api::{ClusterName, Gvr, Status};
use bytes::Bytes;
use capability::Context;
use client::{
    Cache, DeleteOptions, Informer, Item, Object, ObjectKey, Objects, Patch, Preconditions, Propagation, Target, View,
    WriteOptions,
};
use controller::place;
use serde_json::Value;

/// Who Kubernetes says writes what its controllers write.
const MANAGER: &str = "kube-controller-manager";

/// A kind: its live copy and its writer. Cheap to clone.
pub(crate) struct Resource<V> {
    objects: Arc<dyn Objects>,
    gvr: Gvr,
    seen: Informer<V>,
}

impl<V> Clone for Resource<V> {
    fn clone(&self) -> Self {
        Resource { objects: self.objects.clone(), gvr: self.gvr.clone(), seen: self.seen.clone() }
    }
}

impl<V: View> Resource<V> {
    /// Begins to follow a kind in every cluster.
    pub(crate) fn start(ctx: &Context, group: &str, version: &str, plural: &str) -> Self {
        let gvr = Gvr::new(group, version, plural);
        let seen = Informer::start(ctx.objects.clone(), Target::everywhere(&gvr), &ctx.tasks);
        Resource { objects: ctx.objects.clone(), gvr, seen }
    }

    /// The cache beneath, to subscribe to.
    pub(crate) fn cache(&self) -> &Cache {
        self.seen.cache()
    }

    /// One object as last seen or written.
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<Arc<Item<V>>> {
        self.seen.get(key)
    }

    /// The objects of a cluster that bear a word (see `views`), in the order of their names.
    pub(crate) fn find(&self, cluster: &ClusterName, word: &str) -> Vec<Arc<Item<V>>> {
        self.seen.find(cluster, word)
    }

    /// How many objects of a cluster bear a word.
    pub(crate) fn count(&self, cluster: &ClusterName, word: &str) -> usize {
        self.seen.count(cluster, word)
    }

    /// The objects of one namespace, in the order of their names.
    pub(crate) fn find_in(&self, cluster: &ClusterName, namespace: &str) -> Vec<Arc<Item<V>>> {
        self.seen.find_in(cluster, namespace)
    }

    /// Every object of every cluster, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Item<V>>> {
        self.seen.all()
    }

    /// The object as the API has it now, past the live copy; `None` if it is gone.
    pub(crate) async fn live(&self, key: &ObjectKey) -> Result<Option<Object>, Status> {
        match self.objects.get(&place::at(&self.gvr, key), &key.name).await {
            Ok(object) => Ok(Some(object)),
            Err(status) if status.is_not_found() => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// Creates an object.
    pub(crate) async fn create(&self, cluster: &ClusterName, body: &Value) -> Result<Object, Status> {
        let namespace = body["metadata"]["namespace"].as_str().unwrap_or_default();
        let target = place::at(&self.gvr, &ObjectKey::new(cluster, namespace, ""));
        let made = self.objects.create(&target, body.to_string().into(), options()).await?;
        self.cache().wrote(made.clone());
        Ok(made)
    }

    /// Replaces an object by `body`, which carries the revision it was derived from.
    pub(crate) async fn update(&self, object: &Object, body: &Value) -> Result<Object, Status> {
        self.replace(object, None, body).await
    }

    /// Replaces the status of an object, unless it is its status already; says whether it wrote.
    /// A lost race is the caller's to decide again.
    pub(crate) async fn update_status(&self, object: &Object, status: Value) -> Result<bool, Status> {
        let mut body = object.value()?;
        if body["status"] == status || (body["status"].is_null() && status.as_object().is_some_and(|it| it.is_empty()))
        {
            return Ok(false);
        }
        body["status"] = status;
        self.replace(object, Some("status"), &body).await?;
        Ok(true)
    }

    /// Replaces the status of an object by that of `body`, and of its metadata what a kind lets
    /// come along; `body` carries the revision it was derived from.
    pub(crate) async fn replace_status(&self, object: &Object, body: &Value) -> Result<Object, Status> {
        self.replace(object, Some("status"), body).await
    }

    async fn replace(&self, object: &Object, subresource: Option<&str>, body: &Value) -> Result<Object, Status> {
        let target = self.place(object);
        let body = body.to_string().into();
        let written = self.objects.update(&target, &object.meta.name, subresource, body, options()).await?;
        self.cache().wrote(written.clone());
        Ok(written)
    }

    /// Changes an object or its subresource.
    pub(crate) async fn patch(
        &self,
        object: &Object,
        subresource: Option<&str>,
        patch: Patch,
    ) -> Result<Object, Status> {
        let target = self.place(object);
        let written = self.objects.patch(&target, &object.meta.name, subresource, patch, options()).await?;
        self.cache().wrote(written.clone());
        Ok(written)
    }

    /// Posts to a subresource of an object that acts, such as `binding`. The copy learns what came
    /// of it from the watch only.
    pub(crate) async fn post(&self, object: &Object, subresource: &str, body: &Value) -> Result<Bytes, Status> {
        let body = body.to_string().into();
        self.objects.create_subresource(&self.place(object), &object.meta.name, subresource, body, options()).await
    }

    /// Deletes this object and no other of its name; that it is gone already is success.
    pub(crate) async fn delete(&self, object: &Object) -> Result<(), Status> {
        self.delete_with(object, DeleteOptions::default()).await
    }

    /// As [`Resource::delete`], its dependents going as said.
    pub(crate) async fn delete_propagating(&self, object: &Object, propagation: Propagation) -> Result<(), Status> {
        self.delete_with(object, DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() }).await
    }

    /// As [`Resource::delete`], with options of the caller's; the uid is added to them.
    pub(crate) async fn delete_with(&self, object: &Object, options: DeleteOptions) -> Result<(), Status> {
        let preconditions = Preconditions { uid: Some(object.meta.uid.clone()), ..options.preconditions.clone() };
        let options = DeleteOptions { preconditions, ..options };
        match self.objects.delete(&self.place(object), &object.meta.name, options).await {
            Ok(Some(waiting)) => self.cache().wrote(waiting),
            Ok(None) => self.cache().removed(&ObjectKey::of(object), &object.meta.uid),
            // Another of the same name, if any, was not meant.
            Err(status) if status.is_not_found() => {}
            Err(status) => return Err(status),
        }
        Ok(())
    }

    fn place(&self, object: &Object) -> Target {
        place::at(&self.gvr, &ObjectKey::of(object))
    }
}

fn options() -> WriteOptions {
    WriteOptions { field_manager: MANAGER.into(), ..WriteOptions::default() }
}
