//! How one object is brought to what is wanted: the seam between a sync and the API.
//! Server-side apply under the Applications' own field manager, which takes over what
//! others own as Argo CD does; what was applied from the client side before comes
//! over with its record, and what the server cannot take so is merged here. It must never write what is already so.

use std::sync::Arc;

use api::{ClusterName, KindDescriptor, Status};
use client::{DeleteOptions, Object, Objects, Patch, Preconditions, Propagation, Target, WriteOptions};
use futures::future::BoxFuture;
use serde_json::Value;

use crate::client_side;
use crate::migrate;
use crate::normalise::{self, FIELD_MANAGER};
use crate::resource;

/// Races that are lost in a row before a sync hears of it.
const ATTEMPTS: usize = 5;

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Server-side apply onto what is there.
    Merge,
    /// What is there gives way.
    Replace,
    /// What is there is deleted and made again.
    Recreate,
}

/// One object to write.
pub struct Request<'a> {
    /// Cluster.
    pub cluster: &'a ClusterName,
    /// How its kind is served.
    pub kind: &'a KindDescriptor,
    /// As it is wanted.
    pub desired: &'a Value,
    /// As it was last seen.
    pub live: Option<&'a Object>,
    /// How it is written.
    pub mode: Mode,
    /// Check everything, store nothing.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there.
    Created,
    /// It was changed.
    Configured,
    /// It was so already.
    Unchanged,
    /// It was replaced.
    Replaced,
}

impl Outcome {
    /// The word that kubectl has for it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Created => "created",
            Outcome::Configured => "configured",
            Outcome::Unchanged => "unchanged",
            Outcome::Replaced => "replaced",
        }
    }
}

/// An object that was written.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What came of it.
    pub outcome: Outcome,
    /// As it is now.
    pub object: Object,
}

/// Writes and deletes objects of Applications.
pub trait Apply: Send + Sync + 'static {
    /// Brings one object to what is wanted.
    fn apply<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Applied, Status>>;

    /// Deletes one object, if it is still the one that was seen; `Some` if it waits for finalizers.
    fn delete<'a>(
        &'a self,
        kind: &'a KindDescriptor,
        object: &'a Object,
        propagation: Propagation,
        dry_run: bool,
    ) -> BoxFuture<'a, Result<Option<Object>, Status>>;
}

/// Server-side apply.
pub struct ServerSide {
    objects: Arc<dyn Objects>,
}

impl ServerSide {
    /// Server-side apply through these objects.
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        ServerSide { objects }
    }

    async fn write(&self, request: Request<'_>) -> Result<Applied, Status> {
        let target = target(request.cluster, request.kind, request.desired);
        let name = resource::text(request.desired, "/metadata/name");
        let mut live = request.live.cloned();
        if request.mode == Mode::Recreate
            && let Some(object) = live.take()
        {
            let gone = self.delete(request.kind, &object, Propagation::Background, request.dry_run).await?;
            if request.dry_run {
                return Ok(Applied { outcome: Outcome::Replaced, object });
            }
            if gone.is_some() {
                return Err(Status::conflict(&target.gvr, name, "object is being deleted"));
            }
        }
        for _ in 1..ATTEMPTS {
            match self.attempt(&request, &target, name, live.as_ref()).await {
                Err(status) if status.is_conflict() || status.is_already_exists() || status.is_not_found() => {
                    // A missing namespace answers 404 as well; then there is nothing to read either.
                    let found = self.objects.get(&target, name).await;
                    match found {
                        Ok(found) => live = Some(found),
                        Err(_) if status.is_not_found() && live.is_none() => return Err(status),
                        Err(missing) if missing.is_not_found() => live = None,
                        Err(other) => return Err(other),
                    }
                }
                answer => return answer,
            }
        }
        self.attempt(&request, &target, name, live.as_ref()).await
    }

    async fn attempt(
        &self,
        request: &Request<'_>,
        target: &Target,
        name: &str,
        live: Option<&Object>,
    ) -> Result<Applied, Status> {
        if request.mode != Mode::Merge {
            return self.put(request, target, name, live).await;
        }
        if client_side::is_needed(request.desired, request.kind) {
            return self.merge(request, target, name, live).await;
        }
        if let Some(live) = live {
            let before = live.value()?;
            if normalise::agrees(request.desired, &before, Some(request.kind), &[]) && migrate::is_owned(&before) {
                return Ok(Applied { outcome: Outcome::Unchanged, object: live.clone() });
            }
            if let Some(migrated) = migrate::to_server_side(&before).filter(|_| !request.dry_run) {
                let options = WriteOptions { field_manager: FIELD_MANAGER.into(), ..WriteOptions::default() };
                self.objects.update(target, name, None, migrated.to_string().into(), options).await?;
            }
        }
        let options = WriteOptions { dry_run: request.dry_run, field_manager: FIELD_MANAGER.into(), force: true };
        let patch = Patch::Apply(request.desired.to_string().into());
        let object = self.objects.patch(target, name, None, patch, options).await?;
        let outcome = match live {
            None => Outcome::Created,
            Some(live) if object.meta.resource_version == live.meta.resource_version && !request.dry_run => {
                Outcome::Unchanged
            }
            Some(_) => Outcome::Configured,
        };
        Ok(Applied { outcome, object })
    }

    /// Writes what cannot be applied from the server's side.
    async fn merge(
        &self,
        request: &Request<'_>,
        target: &Target,
        name: &str,
        live: Option<&Object>,
    ) -> Result<Applied, Status> {
        let options =
            WriteOptions { dry_run: request.dry_run, field_manager: FIELD_MANAGER.into(), ..WriteOptions::default() };
        let Some(live) = live else {
            let body = client_side::created(request.desired).to_string();
            let object = self.objects.create(target, body.into(), options).await?;
            return Ok(Applied { outcome: Outcome::Created, object });
        };
        let Some(body) = client_side::merged(request.desired, &live.value()?, request.kind) else {
            return Ok(Applied { outcome: Outcome::Unchanged, object: live.clone() });
        };
        let object = self.objects.update(target, name, None, body.to_string().into(), options).await?;
        Ok(Applied { outcome: Outcome::Configured, object })
    }

    /// Replaces what is there, or makes it.
    async fn put(
        &self,
        request: &Request<'_>,
        target: &Target,
        name: &str,
        live: Option<&Object>,
    ) -> Result<Applied, Status> {
        let options =
            WriteOptions { dry_run: request.dry_run, field_manager: FIELD_MANAGER.into(), ..WriteOptions::default() };
        let mut body = request.desired.clone();
        let object = match live {
            None => self.objects.create(target, body.to_string().into(), options).await?,
            Some(live) => {
                body["metadata"]["resourceVersion"] = live.meta.resource_version.as_str().into();
                self.objects.update(target, name, None, body.to_string().into(), options).await?
            }
        };
        Ok(Applied { outcome: Outcome::Replaced, object })
    }
}

impl Apply for ServerSide {
    fn apply<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Applied, Status>> {
        Box::pin(self.write(request))
    }

    fn delete<'a>(
        &'a self,
        kind: &'a KindDescriptor,
        object: &'a Object,
        propagation: Propagation,
        dry_run: bool,
    ) -> BoxFuture<'a, Result<Option<Object>, Status>> {
        Box::pin(async move {
            let key = client::ObjectKey::of(object);
            let target = controller::place::at(&kind.gvr(), &key);
            let options = DeleteOptions {
                preconditions: Preconditions { uid: Some(object.meta.uid.clone()), ..Preconditions::default() },
                propagation: Some(propagation),
                dry_run,
                ..DeleteOptions::default()
            };
            match self.objects.delete(&target, &object.meta.name, options).await {
                Err(status) if status.is_not_found() => Ok(None),
                answer => answer,
            }
        })
    }
}

/// Where an object is written.
pub fn target(cluster: &ClusterName, kind: &KindDescriptor, object: &Value) -> Target {
    let namespace = resource::text(object, "/metadata/namespace");
    if kind.namespaced && !namespace.is_empty() {
        Target::namespaced(cluster, &kind.gvr(), namespace)
    } else {
        Target::cluster(cluster, &kind.gvr())
    }
}
