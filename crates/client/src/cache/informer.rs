//! A cache that holds beside every object what its readers need of it, read
//! once when it changes, and finds objects by more than their names. It must
//! never know a kind: a view does.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use api::{ClusterName, Status};
use base::Tasks;
use parking_lot::RwLock;

use super::state::Mirror;
use super::{Cache, CacheOptions, ObjectKey};
use crate::{Object, Objects, Target};

/// What the readers of a kind need of its objects.
pub trait View: Sized + Send + Sync + 'static {
    /// Reads it from an object.
    fn read(object: &Object) -> Result<Self, Status>;

    /// The words, beside its name, by which the object is to be found in its cluster.
    fn words(&self, _object: &Object) -> Vec<String> {
        Vec::new()
    }
}

/// An object with its view.
#[derive(Debug)]
pub struct Item<V> {
    /// The object.
    pub object: Object,
    /// What was read from it.
    pub view: V,
}

impl<V> Item<V> {
    /// Its key.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::of(&self.object)
    }
}

/// A live copy of one resource with views. Cheap to clone.
pub struct Informer<V> {
    cache: Cache,
    views: Arc<Views<V>>,
}

impl<V> Clone for Informer<V> {
    fn clone(&self) -> Self {
        Informer { cache: self.cache.clone(), views: self.views.clone() }
    }
}

impl<V: View> Informer<V> {
    /// Begins to follow `target` on `tasks`, until those are stopped.
    pub fn start(objects: Arc<dyn Objects>, target: Target, tasks: &Tasks) -> Self {
        let views = Arc::new(Views { state: RwLock::default() });
        let cache = Cache::begin(objects, target, CacheOptions::default(), Some(views.clone()), tasks);
        Informer { cache, views }
    }

    /// The cache beneath: to subscribe to, to wait for, and to tell of our own writes.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// One object as last seen or written.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<Item<V>>> {
        self.views.state.read().items.get(key).cloned()
    }

    /// Every object, in no order.
    pub fn all(&self) -> Vec<Arc<Item<V>>> {
        self.views.state.read().items.values().cloned().collect()
    }

    /// The objects of a cluster with this word among those of their view, in the order of their
    /// names.
    pub fn find(&self, cluster: &ClusterName, word: &str) -> Vec<Arc<Item<V>>> {
        let state = self.views.state.read();
        let Some(keys) = state.index.get(cluster).and_then(|words| words.get(word)) else { return Vec::new() };
        keys.iter().filter_map(|key| state.items.get(key).cloned()).collect()
    }

    /// How many objects of a cluster bear this word.
    pub fn count(&self, cluster: &ClusterName, word: &str) -> usize {
        let state = self.views.state.read();
        state.index.get(cluster).and_then(|words| words.get(word)).map_or(0, BTreeSet::len)
    }

    /// The objects of one namespace (empty for cluster-scoped kinds), in the order of their names.
    pub fn find_in(&self, cluster: &ClusterName, namespace: &str) -> Vec<Arc<Item<V>>> {
        self.cache.list_in(cluster, namespace).iter().filter_map(|object| self.get(&ObjectKey::of(object))).collect()
    }
}

struct Views<V> {
    state: RwLock<State<V>>,
}

struct State<V> {
    items: HashMap<ObjectKey, Arc<Item<V>>>,
    index: HashMap<ClusterName, HashMap<String, BTreeSet<ObjectKey>>>,
}

impl<V> Default for State<V> {
    fn default() -> Self {
        State { items: HashMap::new(), index: HashMap::new() }
    }
}

impl<V: View> Mirror for Views<V> {
    fn upsert(&self, key: &ObjectKey, object: &Object) {
        // An object that cannot be read is not there for readers of views; the API server
        // validates kinds, so this is a fault worth the operator's eye.
        let item = match V::read(object) {
            Ok(view) => Some(Arc::new(Item { object: object.clone(), view })),
            Err(error) => {
                tracing::error!(object = %key, %error, "an object cannot be read");
                None
            }
        };
        let mut state = self.state.write();
        state.forget(key);
        if let Some(item) = item {
            state.learn(key, item);
        }
    }

    fn remove(&self, key: &ObjectKey) {
        self.state.write().forget(key);
    }
}

impl<V: View> State<V> {
    fn learn(&mut self, key: &ObjectKey, item: Arc<Item<V>>) {
        for word in item.view.words(&item.object) {
            self.index.entry(key.cluster.clone()).or_default().entry(word).or_default().insert(key.clone());
        }
        self.items.insert(key.clone(), item);
    }

    fn forget(&mut self, key: &ObjectKey) {
        let Some(item) = self.items.remove(key) else { return };
        let Some(index) = self.index.get_mut(&key.cluster) else { return };
        for word in item.view.words(&item.object) {
            let Some(keys) = index.get_mut(&word) else { continue };
            keys.remove(key);
            if keys.is_empty() {
                index.remove(&word);
            }
        }
        if index.is_empty() {
            self.index.remove(&key.cluster);
        }
    }
}
