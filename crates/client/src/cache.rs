//! A live, in-memory copy of one resource that many controllers share: lookups
//! cost no call, and subscribers are told of every key that changed. It must
//! never write objects, nor know what a kind means.

mod backoff;
mod changes;
mod informer;
mod key;
mod reflector;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use api::ClusterName;
use base::Tasks;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{Json, Object, Objects, Target};

pub use backoff::Backoff;
pub use changes::{Change, Changes};
pub use informer::{Informer, Item, View};
pub use key::ObjectKey;
pub use reflector::{Reflector, Sink};

use state::{Mirror, State};

/// What a cache holds, and what of each object.
#[derive(Clone, Default)]
pub struct CacheOptions {
    /// Label selector; empty for all.
    pub label_selector: String,
    /// Field selector; empty for all.
    pub field_selector: String,
    /// Drop the JSON and keep the metadata: for those who need only names, owners and labels.
    pub metadata_only: bool,
    /// Keep the JSON of those objects only that bear this annotation; empty for all. The others
    /// are there with their metadata and empty JSON.
    pub json_with_annotation: String,
}

/// A live copy of one resource. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    ready: watch::Sender<bool>,
    metadata_only: bool,
    json_with_annotation: String,
}

impl Cache {
    /// Begins to follow `target` on `tasks`, until those are stopped.
    pub fn start(objects: Arc<dyn Objects>, target: Target, tasks: &Tasks) -> Cache {
        Cache::start_with(objects, target, CacheOptions::default(), tasks)
    }

    /// As [`Cache::start`], but holds metadata alone: objects have empty JSON.
    pub fn metadata_only(objects: Arc<dyn Objects>, target: Target, tasks: &Tasks) -> Cache {
        Cache::start_with(objects, target, CacheOptions { metadata_only: true, ..CacheOptions::default() }, tasks)
    }

    /// As [`Cache::start`], for a selection.
    pub fn start_with(objects: Arc<dyn Objects>, target: Target, options: CacheOptions, tasks: &Tasks) -> Cache {
        Cache::begin(objects, target, options, None, tasks)
    }

    fn begin(
        objects: Arc<dyn Objects>,
        target: Target,
        options: CacheOptions,
        mirror: Option<Arc<dyn Mirror>>,
        tasks: &Tasks,
    ) -> Cache {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::mirrored_by(mirror)),
            ready: watch::Sender::new(false),
            metadata_only: options.metadata_only,
            json_with_annotation: options.json_with_annotation,
        });
        let name = format!("cache {}", target.gvr);
        let reflector = Reflector {
            objects,
            target,
            label_selector: options.label_selector,
            field_selector: options.field_selector,
            sink: shared.clone(),
        };
        tasks.spawn(name, reflector.run());
        Cache(shared)
    }

    /// Waits until the first list is complete. A kind that is not served (yet) counts as empty.
    pub async fn ready(&self) {
        let mut ready = self.0.ready.subscribe();
        // The sender lives in this cache, so waiting cannot fail while `self` does.
        let _ = ready.wait_for(|ready| *ready).await;
    }

    /// One object as last seen.
    pub fn get(&self, key: &ObjectKey) -> Option<Object> {
        self.0.state.lock().objects.get(key).cloned()
    }

    /// Every object, in the order of cluster, namespace and name.
    pub fn list(&self) -> Vec<Object> {
        self.0.state.lock().objects.values().cloned().collect()
    }

    /// The objects of one namespace (empty for cluster-scoped kinds), in the order of their names.
    pub fn list_in(&self, cluster: &ClusterName, namespace: &str) -> Vec<Object> {
        let first = ObjectKey::new(cluster, namespace, "");
        let state = self.0.state.lock();
        let same = |key: &ObjectKey| key.cluster == first.cluster && key.namespace == first.namespace;
        state.objects.range(&first..).take_while(|(key, _)| same(key)).map(|(_, object)| object.clone()).collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.0.state.lock().objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in what a write of ours answered, before the watch tells: whoever decides by this
    /// cache then never does the same twice. Relies on revisions of one resource being ordered,
    /// which Kubernetes promises since 1.35 and kept long before.
    pub fn wrote(&self, object: Object) {
        self.0.state.lock().wrote(self.0.trimmed(object));
    }

    /// Forgets an object of which a delete of ours answered that it is gone.
    pub fn removed(&self, key: &ObjectKey, uid: &str) {
        self.0.state.lock().removed(key, uid);
    }

    /// Everything there is now, as changes from nothing, then every change. A subscriber that
    /// is slow sees fewer, larger changes, and never misses the last state of a key.
    pub fn subscribe(&self) -> Changes {
        Changes::new(self.0.clone())
    }
}

impl Shared {
    /// The object with as much of it as this cache keeps.
    fn trimmed(&self, mut object: Object) -> Object {
        let annotation = &self.json_with_annotation;
        let is_plain = !annotation.is_empty() && !object.meta.annotations.contains_key(annotation);
        if self.metadata_only || is_plain {
            object.json = Json::default();
        }
        object
    }
}

impl Sink for Shared {
    fn upsert(&self, object: Object) {
        self.state.lock().upsert(self.trimmed(object));
    }

    fn delete(&self, object: Object) {
        self.state.lock().delete(&object);
    }

    fn listed(&self, seen: &std::collections::HashSet<ObjectKey>, revision: u64) {
        self.state.lock().retain(seen, revision);
        self.ready.send_replace(true);
    }

    fn reached(&self, revision: u64) {
        self.state.lock().reached(revision);
    }
}
