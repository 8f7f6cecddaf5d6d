//! Deletes objects whose owners are gone, and carries out foreground and orphan
//! deletion. It follows owner references of every kind in every cluster; it must
//! never delete an object that has an owner which it has not itself found absent
//! or waiting for that object in foreground deletion.

mod decide;
mod graph;
mod monitors;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvk, Gvr, OwnerReference, Status};
use capability::Context;
use client::{
    Cache, DeleteOptions, Object, ObjectKey, Objects, Patch, Preconditions, Propagation, Target, WriteOptions,
};
use controller::{Controller, Error, Handle, Next, Reconciler, finalizer, place};
use futures::StreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::json;

use decide::{Action, Facts, OwnerState};
use graph::{Graph, Node};
use monitors::{Monitors, Progress};

/// How long a worker waits for every kind to be listed before it tries again later.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn start(ctx: &Context) -> Handle {
    let (graph, progress) = (Arc::<Mutex<Graph>>::default(), Arc::<Progress>::default());
    let collector = Collector {
        objects: ctx.objects.clone(),
        graph: graph.clone(),
        progress: progress.clone(),
        itself: Mutex::default(),
    };
    let collector = Arc::new(collector);
    let handle = Controller::new("garbage collector", collector.clone()).workers(4).start(&ctx.tasks);
    *collector.itself.lock() = Some(handle.clone());
    let monitors = Monitors {
        objects: ctx.objects.clone(),
        tasks: ctx.tasks.clone(),
        graph,
        collector: handle.clone(),
        progress,
        running: Mutex::default(),
    };
    let definitions = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let definitions = Cache::metadata_only(ctx.objects.clone(), Target::everywhere(&definitions), &ctx.tasks);
    // Built-in kinds are the same everywhere; a cluster differs by its definitions alone.
    let kinds_of = |cluster: &ClusterName| ObjectKey::new(cluster, "", "kinds");
    let root = futures::stream::iter([kinds_of(&ClusterName::root())]);
    Controller::new("garbage monitors", Arc::new(monitors))
        .watches(&definitions, move |change| vec![kinds_of(&change.object().cluster)])
        .triggered_by(root.boxed())
        .start(&ctx.tasks);
    handle
}

struct Collector {
    objects: Arc<dyn Objects>,
    graph: Arc<Mutex<Graph>>,
    progress: Arc<Progress>,
    /// The running controller, once it runs.
    itself: Mutex<Option<Handle>>,
}

impl Reconciler for Collector {
    fn reconcile<'a>(&'a self, id: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let node = self.graph.lock().node(id);
            if let Some(node) = node {
                self.collect(id, &node).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Collector {
    async fn collect(&self, id: &ObjectKey, node: &Node) -> Result<(), Error> {
        let target = place::at(&node.gvr, &node.key);
        let latest = match self.objects.get(&target, &node.key.name).await {
            Ok(latest) if *latest.meta.uid == *id.name => latest,
            Err(status) if !status.is_not_found() => return Err(status.into()),
            _ => {
                let work = self.graph.lock().forget(id);
                self.enqueue(work);
                return Ok(());
            }
        };
        if decide::is_foreground(&latest.meta) || decide::is_orphaning(&latest.meta) {
            // Only who knows every kind knows that no dependent is left.
            let complete = tokio::time::timeout(PATIENCE, self.progress.complete()).await;
            complete.map_err(|_| Error::msg("not every kind has been listed yet"))?;
        }
        let Some(owners) = self.owners(node, &latest).await? else {
            self.graph.lock().leave_unresolved(id);
            return Ok(());
        };
        let dependents = self.graph.lock().dependents(id);
        let facts = Facts {
            meta: &latest.meta,
            owners: &owners,
            dependents: dependents.len(),
            blocking: dependents.iter().filter(|(_, dependent)| dependent.blocks(id)).count(),
            dependents_in_foreground: dependents.iter().any(|(_, dependent)| dependent.is_foreground),
        };
        self.act(id, &target, &latest, decide::decide(&facts), dependents).await
    }

    async fn act(
        &self,
        id: &ObjectKey,
        target: &Target,
        latest: &Object,
        action: Action,
        dependents: Vec<(ObjectKey, Node)>,
    ) -> Result<(), Error> {
        match action {
            Action::Leave => {}
            Action::Release => finalizer::remove(&*self.objects, target, latest, decide::FOREGROUND).await?,
            Action::DeleteBlocking => {
                let blocking = dependents.into_iter().filter(|(_, node)| !node.is_deleting && node.blocks(id));
                self.enqueue(blocking.map(|(id, _)| id));
            }
            Action::Orphan => {
                for (_, dependent) in &dependents {
                    self.orphan(dependent, &id.name).await?;
                }
                finalizer::remove(&*self.objects, target, latest, decide::ORPHAN).await?;
            }
            Action::DropOwners(lost) => {
                let kept = latest.meta.owner_references.iter().filter(|owner| !lost.contains(&owner.uid));
                self.set_owners(target, latest, kept.cloned().collect()).await?;
            }
            Action::Delete { propagation, unblock: true } => {
                let mut owners = latest.meta.owner_references.clone();
                owners.iter_mut().for_each(|owner| owner.block_owner_deletion = Some(false));
                let unblocked = self.set_owners(target, latest, owners).await?;
                self.delete(target, &unblocked, propagation).await?;
            }
            Action::Delete { propagation, unblock: false } => self.delete(target, latest, propagation).await?,
        }
        Ok(())
    }

    /// How each owner stands; `None` if one is of a kind that is not served.
    async fn owners(&self, node: &Node, latest: &Object) -> Result<Option<Vec<(OwnerReference, OwnerState)>>, Status> {
        let mut owners = Vec::new();
        // An object on its way out is decided without its owners.
        if latest.meta.is_deleting() {
            return Ok(Some(owners));
        }
        for reference in &latest.meta.owner_references {
            match self.owner(&node.key, reference).await? {
                Some(state) => owners.push((reference.clone(), state)),
                None => return Ok(None),
            }
        }
        Ok(Some(owners))
    }

    async fn owner(&self, dependent: &ObjectKey, reference: &OwnerReference) -> Result<Option<OwnerState>, Status> {
        let (known, doubts) = self.graph.lock().owner(dependent, reference);
        if known.is_some() {
            return Ok(known);
        }
        let gvk = Gvk::from_api_version(&reference.api_version, &reference.kind);
        let Some(kind) = self.objects.kind(&dependent.cluster, &gvk).await? else { return Ok(None) };
        if kind.namespaced && dependent.namespace.is_empty() {
            // Such a reference is void, but Kubernetes leaves its bearer alone, and so do we.
            tracing::info!(%dependent, owner = %gvk, "a cluster-scoped object names a namespaced owner");
            return Ok(Some(OwnerState::Solid));
        }
        // An owner is in the namespace of its dependents, or in none: elsewhere it does not count.
        let namespace = if kind.namespaced { &*dependent.namespace } else { "" };
        let key = ObjectKey::new(&dependent.cluster, namespace, &reference.name);
        match self.objects.get(&place::at(&kind.gvr(), &key), &reference.name).await {
            Ok(owner) if owner.meta.uid == reference.uid => {
                self.graph.lock().confirm(dependent, reference, doubts);
                let is_waiting = decide::is_foreground(&owner.meta);
                Ok(Some(if is_waiting { OwnerState::Waiting } else { OwnerState::Solid }))
            }
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Some(OwnerState::Absent)),
        }
    }

    /// Takes an owner out of a dependent's references.
    async fn orphan(&self, dependent: &Node, owner_uid: &str) -> Result<(), Status> {
        let target = place::at(&dependent.gvr, &dependent.key);
        let latest = match self.objects.get(&target, &dependent.key.name).await {
            Err(status) if status.is_not_found() => return Ok(()),
            read => read?,
        };
        let mut owners = latest.meta.owner_references.clone();
        owners.retain(|owner| owner.uid != owner_uid);
        if owners.len() < latest.meta.owner_references.len() {
            self.set_owners(&target, &latest, owners).await?;
        }
        Ok(())
    }

    /// Writes the owner references, unless the object has changed since it was read.
    async fn set_owners(
        &self,
        target: &Target,
        object: &Object,
        owners: Vec<OwnerReference>,
    ) -> Result<Object, Status> {
        let metadata = json!({
            "uid": object.meta.uid,
            "resourceVersion": object.meta.resource_version,
            "ownerReferences": owners,
        });
        let patch = Patch::Merge(json!({ "metadata": metadata }).to_string().into());
        match self.objects.patch(target, &object.meta.name, None, patch, WriteOptions::default()).await {
            Err(status) if status.is_not_found() => Ok(object.clone()),
            written => written,
        }
    }

    /// Deletes the object as it was judged: were it given another owner meanwhile, this fails.
    async fn delete(&self, target: &Target, object: &Object, propagation: Propagation) -> Result<(), Status> {
        let options = DeleteOptions {
            preconditions: Preconditions {
                uid: Some(object.meta.uid.clone()),
                resource_version: Some(object.meta.resource_version.clone()),
            },
            propagation: Some(propagation),
            ..DeleteOptions::default()
        };
        match self.objects.delete(target, &object.meta.name, options).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }

    fn enqueue(&self, work: impl IntoIterator<Item = ObjectKey>) {
        let itself = self.itself.lock();
        for id in work {
            itself.iter().for_each(|handle| handle.enqueue(id.clone()));
        }
    }
}
