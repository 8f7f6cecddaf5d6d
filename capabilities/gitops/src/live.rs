//! What is there: a cache for every resource that some Application manages, and
//! whose each object is. A change of a managed object calls for its Application at
//! once; nothing is polled. Objects that were just written are seen before their
//! event arrives. It must never decide what an object should be.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvk, KindDescriptor};
use base::clock::Stopwatch;
use base::{Clock, Tasks};
use client::{Cache, CacheOptions, Change, Changes, Object, ObjectKey, Objects, Target};
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use crate::resource::{Key, Live};
use crate::tracking::{self, Owner};

/// How long a first list may take before a reconcile goes on without it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a write is believed although its event does not arrive: it may have been undone so
/// soon that nobody ever saw it.
const TRUSTED: Duration = Duration::from_secs(10);

/// One kind of one cluster.
type Place = (ClusterName, Gvk);

/// Live objects of every managed resource. Cheap to clone.
#[derive(Clone)]
pub struct LiveState(Arc<Shared>);

struct Shared {
    objects: Arc<dyn Objects>,
    clock: Clock,
    tasks: Tasks,
    control_namespace: String,
    /// Applications to look at again.
    wake: UnboundedSender<ObjectKey>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    followed: HashMap<Place, Followed>,
    /// What each Application follows and wants.
    users: HashMap<ObjectKey, Use>,
    /// Applications that want an object, owned or not.
    wanted: HashMap<(ClusterName, Key), HashSet<ObjectKey>>,
    owned: HashMap<Owner, HashSet<(Place, ObjectKey)>>,
    /// Written objects whose event has not arrived; `None` for deleted ones.
    written: HashMap<(Place, ObjectKey), Written>,
    /// Objects whose end was seen lately, by uid: the answer to a write may come after it.
    ended: HashMap<String, Stopwatch>,
}

#[derive(Default)]
struct Use {
    places: HashSet<Place>,
    wanted: HashSet<(ClusterName, Key)>,
}

struct Followed {
    cache: Cache,
    /// What changed since the index was last brought up to date.
    changes: Changes,
    tasks: Tasks,
}

struct Written {
    since: Stopwatch,
    revision: u64,
    object: Option<Object>,
}

impl LiveState {
    /// Nothing followed yet; `wake` hears of every Application that is concerned by a change.
    pub fn new(
        objects: Arc<dyn Objects>,
        clock: Clock,
        tasks: Tasks,
        control_namespace: &str,
        wake: UnboundedSender<ObjectKey>,
    ) -> Self {
        let control_namespace = control_namespace.to_owned();
        LiveState(Arc::new(Shared { objects, clock, tasks, control_namespace, wake, state: Mutex::default() }))
    }

    /// Follows these kinds for `app`, until it says otherwise, and waits until they are known.
    /// `wanted` are the objects whose changes concern it even while they are not its own.
    pub async fn follow(&self, app: &ObjectKey, cluster: &ClusterName, kinds: &[KindDescriptor], wanted: &[Key]) {
        let mut starting = Vec::new();
        {
            let mut state = self.0.state.lock();
            let mut next = Use::default();
            for kind in kinds {
                let place = place(cluster, kind);
                if !state.followed.contains_key(&place) {
                    let followed = self.start(&place, kind);
                    state.followed.insert(place.clone(), followed);
                }
                starting.push(state.followed[&place].cache.clone());
                next.places.insert(place);
            }
            next.wanted.extend(wanted.iter().map(|key| (cluster.clone(), key.clone())));
            state.replace_use(app, Some(next));
        }
        for cache in starting {
            // A kind that ceases to be served just now never becomes ready; its objects are gone.
            let _ = tokio::time::timeout(PATIENCE, cache.ready()).await;
        }
    }

    /// `app` is gone: what only it followed is followed no longer.
    pub fn forget(&self, app: &ObjectKey) {
        self.0.state.lock().replace_use(app, None);
    }

    /// One object, read from the server if only its metadata is held.
    pub async fn whole(&self, cluster: &ClusterName, kind: &KindDescriptor, key: &Key) -> Option<Object> {
        let object = self.get(cluster, kind, key)?;
        if !object.json.is_empty() {
            return Some(object);
        }
        let target = Target::cluster(cluster, &kind.gvr());
        let target = if kind.namespaced { Target { namespace: Some(key.namespace.clone()), ..target } } else { target };
        self.0.objects.get(&target, &key.name).await.ok()
    }

    /// One object; of one that no Application manages only the metadata.
    pub fn get(&self, cluster: &ClusterName, kind: &KindDescriptor, key: &Key) -> Option<Object> {
        let place = place(cluster, kind);
        let namespace = if kind.namespaced { &*key.namespace } else { "" };
        self.0.state.lock().get(&place, &ObjectKey::new(cluster, namespace, &key.name))
    }

    /// The objects in `cluster` that bear the tracking id of `owner`.
    pub fn owned(&self, owner: &Owner, cluster: &ClusterName) -> BTreeMap<Key, Live> {
        let mut state = self.0.state.lock();
        state.catch_up(&self.0.clock);
        let places: Vec<(Place, ObjectKey)> =
            state.owned.get(owner).into_iter().flatten().filter(|(place, _)| place.0 == *cluster).cloned().collect();
        let mut found = BTreeMap::new();
        for (place, object_key) in places {
            // The newest word on the object decides, not the index: it may have been written since.
            let Some(object) = state.get(&place, &object_key) else { continue };
            let is_owned =
                tracking::owner(cluster, &object.meta, &place.1.group, &place.1.kind).as_ref() == Some(owner);
            let key = Key::new(&place.1.group, &place.1.kind, &object_key.namespace, &object_key.name);
            if let Some(live) = is_owned.then(|| Live::read(object)).flatten() {
                found.insert(key, live);
            }
        }
        found
    }

    /// Applications that want an object that bears the tracking id of `owner`.
    pub fn rivals(&self, owner: &Owner) -> HashSet<ObjectKey> {
        let mut state = self.0.state.lock();
        state.catch_up(&self.0.clock);
        let held = state.owned.get(owner).into_iter().flatten();
        let wanted = held
            .map(|((cluster, gvk), key)| (cluster.clone(), Key::new(&gvk.group, &gvk.kind, &key.namespace, &key.name)));
        wanted.filter_map(|wanted| state.wanted.get(&wanted)).flatten().cloned().collect()
    }

    /// An object was just written: from now on it is as it was answered.
    pub fn wrote(&self, kind: &KindDescriptor, object: &Object) {
        let place = place(&object.cluster, kind);
        let key = ObjectKey::of(object);
        let written =
            Written { since: self.0.clock.stopwatch(), revision: object.meta.revision(), object: Some(object.clone()) };
        let mut state = self.0.state.lock();
        state.drain(&self.0.clock);
        if state.ended.contains_key(&object.meta.uid) {
            return;
        }
        if let Some(owner) = tracking::owner(&object.cluster, &object.meta, &place.1.group, &place.1.kind) {
            state.owned.entry(owner).or_default().insert((place.clone(), key.clone()));
        }
        state.written.insert((place, key), written);
    }

    /// An object was just deleted: what was seen of it is over.
    pub fn deleted(&self, kind: &KindDescriptor, object: &Object) {
        let place = place(&object.cluster, kind);
        let written = Written { since: self.0.clock.stopwatch(), revision: object.meta.revision(), object: None };
        self.0.state.lock().written.insert((place, ObjectKey::of(object)), written);
    }

    /// How many resources are followed, for tests and health.
    pub fn followed(&self) -> usize {
        self.0.state.lock().followed.len()
    }

    fn start(&self, place: &Place, kind: &KindDescriptor) -> Followed {
        let tasks = self.0.tasks.child();
        // Of what nobody manages only the metadata is kept: a cluster may hold far more of a kind
        // than Applications do.
        let options = CacheOptions { json_with_annotation: tracking::TRACKING_ID.to_owned(), ..Default::default() };
        let target = Target::cluster(&place.0, &kind.gvr());
        let cache = Cache::start_with(self.0.objects.clone(), target, options, &tasks);
        let mut watched = cache.subscribe();
        let changes = cache.subscribe();
        let shared = Arc::downgrade(&self.0);
        let place = place.clone();
        tasks.spawn(format!("live {}", kind.gvr()), async move {
            while let Some(change) = watched.next().await {
                let Some(shared) = shared.upgrade() else { return };
                shared.wake(&place, &change);
            }
        });
        Followed { cache, changes, tasks }
    }
}

impl Shared {
    /// Calls for every Application that a change concerns.
    fn wake(&self, place: &Place, change: &Change) {
        let owner = |object: &Option<Object>| {
            let meta = &object.as_ref()?.meta;
            tracking::owner(&place.0, meta, &place.1.group, &place.1.kind)
        };
        let mut apps: HashSet<ObjectKey> = [&change.old, &change.new]
            .into_iter()
            .filter_map(owner)
            .map(|owner| owner.app(&self.control_namespace))
            .collect();
        let key = change.key();
        let wanted = (place.0.clone(), Key::new(&place.1.group, &place.1.kind, &key.namespace, &key.name));
        apps.extend(self.state.lock().wanted.get(&wanted).into_iter().flatten().cloned());
        for app in apps {
            // The receiver ends with the controller, and then nobody is to be called.
            let _ = self.wake.send(app);
        }
    }
}

impl State {
    fn get(&self, place: &Place, key: &ObjectKey) -> Option<Object> {
        let cached = self.followed.get(place).and_then(|followed| followed.cache.get(key));
        let Some(written) = self.written.get(&(place.clone(), key.clone())) else { return cached };
        match cached {
            Some(cached) if cached.meta.revision() > written.revision => Some(cached),
            _ => written.object.clone(),
        }
    }

    /// Brings the index up to date with the caches.
    fn catch_up(&mut self, clock: &Clock) {
        self.drain(clock);
        self.owned.retain(|_, held| !held.is_empty());
        self.written.retain(|_, written| written.since.elapsed() < TRUSTED);
        self.ended.retain(|_, since| since.elapsed() < TRUSTED);
    }

    /// Takes in what changed.
    fn drain(&mut self, clock: &Clock) {
        for (place, followed) in &mut self.followed {
            while let Some(Some(change)) = followed.changes.next().now_or_never() {
                let key = change.key();
                let owner = |object: &Object| tracking::owner(&place.0, &object.meta, &place.1.group, &place.1.kind);
                if let Some(before) = change.old.as_ref().and_then(owner)
                    && let Some(held) = self.owned.get_mut(&before)
                {
                    held.remove(&(place.clone(), key.clone()));
                }
                if let Some(after) = change.new.as_ref().and_then(owner) {
                    self.owned.entry(after).or_default().insert((place.clone(), key.clone()));
                }
                let arrived = change.new.as_ref().map_or(u64::MAX, |object| object.meta.revision());
                let remains = change.new.as_ref().map(|object| &object.meta.uid);
                if let Some(gone) = change.old.as_ref().filter(|old| remains != Some(&old.meta.uid)) {
                    self.ended.insert(gone.meta.uid.clone(), clock.stopwatch());
                }
                let slot = (place.clone(), key);
                if self
                    .written
                    .get(&slot)
                    .is_some_and(|written| arrived >= written.revision && written.is_over(&change))
                {
                    self.written.remove(&slot);
                }
            }
        }
    }

    fn replace_use(&mut self, app: &ObjectKey, next: Option<Use>) {
        let before = self.users.remove(app).unwrap_or_default();
        let empty = Use::default();
        let now = next.as_ref().unwrap_or(&empty);
        for wanted in before.wanted.difference(&now.wanted) {
            if let Some(apps) = self.wanted.get_mut(wanted) {
                apps.remove(app);
                if apps.is_empty() {
                    self.wanted.remove(wanted);
                }
            }
        }
        for wanted in now.wanted.difference(&before.wanted) {
            self.wanted.entry(wanted.clone()).or_default().insert(app.clone());
        }
        let dropped: Vec<Place> = before.places.difference(&now.places).cloned().collect();
        if let Some(next) = next {
            self.users.insert(app.clone(), next);
        }
        for place in dropped {
            if !self.users.values().any(|user| user.places.contains(&place))
                && let Some(followed) = self.followed.remove(&place)
            {
                followed.tasks.shutdown().cancel();
                self.written.retain(|(held, _), _| *held != place);
                self.owned.values_mut().for_each(|held| held.retain(|(other, _)| *other != place));
            }
        }
    }
}

impl Written {
    /// Whether what arrived says at least as much: a deletion is over when the object is gone or
    /// was made again.
    fn is_over(&self, change: &Change) -> bool {
        self.object.is_some() || change.new.as_ref().is_none_or(|object| object.meta.revision() > self.revision)
    }
}

fn place(cluster: &ClusterName, kind: &KindDescriptor) -> Place {
    (cluster.clone(), kind.gvk.clone())
}

#[cfg(test)]
mod tests;
