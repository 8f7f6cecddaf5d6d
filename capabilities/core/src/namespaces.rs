//! Empties a namespace that is being deleted, then lets go of it: pods first,
//! then everything else, waiting for what has finalizers. It must never touch a
//! namespace that is not being deleted.

mod conditions;
mod contents;
#[cfg(test)]
mod tests;
mod waits;

use std::sync::Arc;

use api::{Gvr, KindDescriptor, Status};
use base::Clock;
use capability::Context;
use client::{Cache, Object, ObjectKey, Objects, Target, WriteOptions};
use controller::{Controller, Error, Handle, Next, Reconciler, place, report};
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::Value;

use contents::Contents;
use waits::Waits;

/// The entry of `spec.finalizers` that is ours to remove.
const FINALIZER: &str = "kubernetes";

pub(crate) fn start(ctx: &Context, cache: &Cache) -> Handle {
    let (waits, due) = Waits::new(ctx.objects.clone(), ctx.tasks.clone());
    let namespaces = Namespaces { objects: ctx.objects.clone(), clock: ctx.clock.clone(), cache: cache.clone(), waits };
    Controller::new("namespaces", Arc::new(namespaces))
        .owns(cache)
        .triggered_by(due.boxed())
        .workers(2)
        .start(&ctx.tasks)
}

struct Namespaces {
    objects: Arc<dyn Objects>,
    clock: Clock,
    cache: Cache,
    waits: Waits,
}

impl Reconciler for Namespaces {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            if self.cache.get(key).is_some_and(|namespace| namespace.meta.is_deleting()) {
                self.empty_and_finalize(key).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Namespaces {
    async fn empty_and_finalize(&self, key: &ObjectKey) -> Result<(), Error> {
        let Some(namespace) = self.get(key).await? else { return Ok(()) };
        if !namespace.meta.is_deleting() || !awaits_us(&namespace)? {
            return Ok(());
        }
        let contents = self.empty(key).await;
        let status = namespace.value()?["status"].take();
        let now = self.clock.now_rfc3339();
        let new_status = conditions::decide(status, &contents, !namespace.meta.finalizers.is_empty(), &now);
        let target = Target::cluster(&key.cluster, &resource());
        report::status_if_changed(&*self.objects, &target, &namespace, new_status).await?;
        for (gvr, revision) in contents.remaining() {
            self.waits.start(key, gvr, revision);
        }
        match contents.failure() {
            Some(error) => Err(Error::msg(error)),
            None if contents.is_empty() => self.finalize(key).await,
            None => Ok(()),
        }
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Object>, Status> {
        match self.objects.get(&place::at(&resource(), key), &key.name).await {
            Err(status) if status.is_not_found() => Ok(None),
            read => read.map(Some),
        }
    }

    /// Deletes all there is and reports what is left.
    async fn empty(&self, key: &ObjectKey) -> Contents {
        let mut contents = Contents::default();
        let kinds = match self.objects.kinds(&key.cluster).await {
            Ok(kinds) => kinds,
            Err(status) => {
                contents.discovery_failed(status);
                return contents;
            }
        };
        let resources = contents::resources(&kinds);
        let is_pods = |gvr: &Gvr| gvr.group.is_empty() && &*gvr.resource == "pods";
        let (pods, others): (Vec<Gvr>, Vec<Gvr>) = resources.into_iter().partition(is_pods);
        // Pods go first, so that they never run without the policies and secrets around them.
        for batch in [pods, others] {
            for gvr in batch {
                contents.clear(&*self.objects, key, &gvr).await;
            }
            if !contents.is_empty() {
                break;
            }
        }
        contents
    }

    async fn finalize(&self, key: &ObjectKey) -> Result<(), Error> {
        let Some(namespace) = self.get(key).await? else { return Ok(()) };
        let mut body = namespace.value()?;
        if let Some(finalizers) = body.pointer_mut("/spec/finalizers").and_then(Value::as_array_mut) {
            finalizers.retain(|finalizer| finalizer != FINALIZER);
        }
        let target = place::at(&resource(), key);
        let body = body.to_string().into();
        match self.objects.update(&target, &key.name, Some("finalize"), body, WriteOptions::default()).await {
            Err(status) if !status.is_not_found() => Err(status.into()),
            _ => Ok(()),
        }
    }
}

fn awaits_us(namespace: &Object) -> Result<bool, Status> {
    let value = namespace.value()?;
    let finalizers = value.pointer("/spec/finalizers").and_then(Value::as_array);
    Ok(finalizers.is_some_and(|finalizers| finalizers.iter().any(|finalizer| finalizer == FINALIZER)))
}

/// Whether objects of a kind are stored in namespaces and can be deleted.
fn is_content(kind: &KindDescriptor) -> bool {
    kind.namespaced && kind.verbs == api::kind::Verbs::All
}

/// The resource of namespaces.
pub fn resource() -> Gvr {
    Gvr::new("", "v1", "namespaces")
}
