//! What a sync works with, and the reasons for which it goes no further now. It must
//! never decide when that is.

use std::sync::Arc;

use api::{ClusterName, Gvk, KindDescriptor, Status};
use client::{Object, ObjectKey, Objects, Propagation};
use controller::finalizer;

use crate::apply::Apply;
use crate::health::{self, Health, Rules};
use crate::hooks::FINALIZER;
use crate::live::LiveState;
use crate::manifests::Kinds;
use crate::options::SyncOptions;
use crate::project::Project;
use crate::resource::Key;
use crate::task::{Plan, Task};
use crate::types::{Destination, IgnoreDifference, ResourceResult};

/// Races for one object that are lost in a row before a sync hears of it.
const ATTEMPTS: usize = 5;

/// What a sync needs.
pub struct Run<'a> {
    /// Where to, and by what means.
    pub hands: Hands<'a>,
    /// Where to, as projects are asked about it.
    pub destination: &'a Destination,
    /// What is to be done.
    pub plan: &'a Plan,
    /// Options of the Application and the operation.
    pub options: &'a SyncOptions,
    /// Check, and change nothing.
    pub dry_run: bool,
    /// What was done by this operation before, as it is stored.
    pub before: &'a [ResourceResult],
    /// Whose rules count.
    pub project: &'a Project,
    /// Places that may keep their live values.
    pub ignore: &'a [IgnoreDifference],
    /// How kinds are served.
    pub kinds: &'a Kinds,
}

impl Run<'_> {
    /// How a task's kind is served, also when that began during this sync.
    pub async fn kind(&self, task: &Task) -> Result<Option<KindDescriptor>, Status> {
        match self.kinds.get(&task.gvk) {
            Some(Some(kind)) => Ok(Some(kind.clone())),
            _ => self.hands.kind(&task.gvk).await,
        }
    }

    /// A task's object as it is.
    pub fn live(&self, task: &Task) -> Option<Object> {
        let kind = self.kinds.get(&task.gvk).and_then(Option::as_ref)?;
        self.hands.live.get(self.hands.cluster, kind, &task.key)
    }
}

/// Why a sync goes no further now.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// Something must come about first.
    Wait(String),
    /// It failed.
    Fail(String),
}

/// The means by which objects are looked at, let go and deleted.
pub struct Hands<'a> {
    /// Where.
    pub cluster: &'a ClusterName,
    /// Health rules.
    pub rules: Rules,
    /// What becomes of the dependents of what is deleted.
    pub propagation: Propagation,
    /// Who writes.
    pub applier: &'a dyn Apply,
    /// What is there.
    pub live: &'a LiveState,
    /// The server itself.
    pub objects: &'a Arc<dyn Objects>,
}

impl Hands<'_> {
    /// How a kind is served.
    pub async fn kind(&self, gvk: &Gvk) -> Result<Option<KindDescriptor>, Status> {
        self.objects.kind(self.cluster, gvk).await
    }

    /// An object as the server has it.
    pub async fn read(&self, kind: &KindDescriptor, key: &Key) -> Result<Option<Object>, Status> {
        let namespace = if kind.namespaced { &*key.namespace } else { "" };
        let target = controller::place::at(&kind.gvr(), &ObjectKey::new(self.cluster, namespace, &key.name));
        match self.objects.get(&target, &key.name).await {
            Err(status) if status.is_not_found() => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// How well an object is.
    pub fn health(&self, object: &Object) -> Option<Health> {
        health::assess(&object.value().ok()?, self.rules)
    }

    /// Lets a hook go: what became of it is known, or does not matter.
    pub async fn release(&self, kind: &KindDescriptor, object: &Object) -> Result<(), Status> {
        let target = controller::place::at(&kind.gvr(), &ObjectKey::of(object));
        let mut newest = object.clone();
        for _ in 1..ATTEMPTS {
            match finalizer::remove(&**self.objects, &target, &newest, FINALIZER).await {
                Err(status) if status.is_conflict() => match self.objects.get(&target, &object.meta.name).await {
                    Ok(found) if found.meta.uid == object.meta.uid => newest = found,
                    Err(other) if !other.is_not_found() => return Err(other),
                    // Another object of its name is none of this sync's.
                    _ => return Ok(()),
                },
                answer => return answer,
            }
        }
        finalizer::remove(&**self.objects, &target, &newest, FINALIZER).await
    }

    /// Lets a hook go and deletes it.
    pub async fn delete(&self, kind: &KindDescriptor, object: &Object) -> Result<(), Status> {
        self.release(kind, object).await?;
        let is_held = object.meta.finalizers.iter().any(|name| name != FINALIZER);
        if object.meta.is_deleting() && is_held {
            return Ok(());
        }
        match self.applier.delete(kind, object, self.propagation, false).await? {
            Some(remains) => self.live.wrote(kind, &remains),
            None => self.live.deleted(kind, object),
        }
        Ok(())
    }
}
