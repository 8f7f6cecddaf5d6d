//! The objects of a cache, and for each subscriber the keys it has yet to hear
//! of. Plain data under the cache's lock: it never waits and never calls out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::task::Waker;

use super::changes::Change;
use super::key::ObjectKey;
use crate::Object;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<ObjectKey, Object>,
    /// Up to where the reflector has seen everything.
    reached: u64,
    /// Uids of objects that their deleter knows to be gone, until the reflector sees it too.
    tombstones: HashSet<String>,
    /// Kept in step with the objects.
    mirror: Option<Arc<dyn Mirror>>,
    subscribers: BTreeMap<u64, Subscriber>,
    next_subscriber: u64,
}

/// What one subscriber has not pulled yet: one entry per key however often it changed, so
/// that its memory is bounded by the number of objects that are, or were since it pulled last.
#[derive(Default)]
struct Subscriber {
    /// With the object as the subscriber knows it.
    pending: HashMap<ObjectKey, Option<Object>>,
    order: BTreeMap<u64, ObjectKey>,
    next_place: u64,
    waker: Option<Waker>,
}

/// Derives something from every object of a cache. Called under the cache's lock, in order.
pub(crate) trait Mirror: Send + Sync {
    /// The object is there in this state.
    fn upsert(&self, key: &ObjectKey, object: &Object);
    /// The object is not there.
    fn remove(&self, key: &ObjectKey);
}

impl State {
    pub(crate) fn mirrored_by(mirror: Option<Arc<dyn Mirror>>) -> Self {
        State { mirror, ..State::default() }
    }

    /// Takes in an object that the reflector saw, unless a newer state of it is held.
    pub(crate) fn upsert(&mut self, object: Object) {
        self.reached(object.meta.revision());
        if !self.tombstones.contains(&object.meta.uid) {
            self.insert(object);
        }
    }

    /// Takes in what a write answered, ahead of the reflector. What the reflector has passed
    /// it has seen itself, and perhaps its end as well: then there is nothing to take in, but the
    /// writer, who believes in it, is to hear of the end.
    pub(crate) fn wrote(&mut self, object: Object) {
        if self.tombstones.contains(&object.meta.uid) {
            return;
        }
        if object.meta.revision() > self.reached {
            return self.insert(object);
        }
        let key = ObjectKey::of(&object);
        if self.objects.get(&key).is_none_or(|held| held.meta.uid != object.meta.uid) {
            self.notify(&key, Some(&object), true);
        }
    }

    /// Forgets an object that its deleter knows to be gone, ahead of the reflector.
    pub(crate) fn removed(&mut self, key: &ObjectKey, uid: &str) {
        if self.objects.get(key).is_some_and(|held| held.meta.uid == uid) {
            self.tombstones.insert(uid.to_owned());
            self.remove(key);
        }
    }

    /// The reflector has seen everything up to this revision.
    pub(crate) fn reached(&mut self, revision: u64) {
        self.reached = self.reached.max(revision);
    }

    fn insert(&mut self, object: Object) {
        let key = ObjectKey::of(&object);
        let old = match self.objects.get(&key) {
            Some(held) if is_newer_or_same(held, &object) => return,
            held => held.cloned(),
        };
        self.notify(&key, old.as_ref(), false);
        if let Some(mirror) = &self.mirror {
            mirror.upsert(&key, &object);
        }
        self.objects.insert(key, object);
    }

    /// Forgets an object unless one made after this end is held.
    pub(crate) fn delete(&mut self, object: &Object) {
        self.reached(object.meta.revision());
        self.tombstones.remove(&object.meta.uid);
        let key = ObjectKey::of(object);
        let Some(held) = self.objects.get(&key) else { return };
        if held.meta.uid != object.meta.uid && held.meta.revision() > object.meta.revision() {
            return;
        }
        self.remove(&key);
    }

    /// Forgets every object that a complete list at this revision did not show. What was
    /// written since stays: the list could not know it.
    pub(crate) fn retain(&mut self, seen: &HashSet<ObjectKey>, revision: u64) {
        self.reached(revision);
        self.tombstones.clear();
        let is_gone = |(key, object): &(&ObjectKey, &Object)| {
            !seen.contains(*key) && (revision == 0 || object.meta.revision() <= revision)
        };
        let gone: Vec<ObjectKey> = self.objects.iter().filter(is_gone).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &ObjectKey) {
        let old = self.objects.remove(key);
        self.notify(key, old.as_ref(), true);
        if let Some(mirror) = &self.mirror {
            mirror.remove(key);
        }
    }

    fn notify(&mut self, key: &ObjectKey, old: Option<&Object>, gone: bool) {
        for subscriber in self.subscribers.values_mut() {
            subscriber.push(key, old, gone);
        }
    }

    /// Adds a subscriber that has yet to hear of everything.
    pub(crate) fn subscribe(&mut self) -> u64 {
        let mut subscriber = Subscriber::default();
        for key in self.objects.keys() {
            subscriber.push(key, None, false);
        }
        self.next_subscriber += 1;
        self.subscribers.insert(self.next_subscriber, subscriber);
        self.next_subscriber
    }

    pub(crate) fn unsubscribe(&mut self, id: u64) {
        self.subscribers.remove(&id);
    }

    /// The next change for a subscriber; with none, `waker` is woken when there is one.
    pub(crate) fn pull(&mut self, id: u64, waker: &Waker) -> Option<Change> {
        let subscriber = self.subscribers.get_mut(&id)?;
        while let Some((place, key)) = subscriber.order.pop_first() {
            let known = subscriber.pending.remove(&key).flatten();
            match (known, self.objects.get(&key).cloned()) {
                (None, None) => {}
                // Deleted and made again since the last pull: two changes, the end first.
                (Some(old), Some(new)) if old.meta.uid != new.meta.uid => {
                    subscriber.order.insert(place, key.clone());
                    subscriber.pending.insert(key, None);
                    return Some(Change { old: Some(old), new: None });
                }
                (old, new) => return Some(Change { old, new }),
            }
        }
        subscriber.waker = Some(waker.clone());
        None
    }
}

impl Subscriber {
    fn push(&mut self, key: &ObjectKey, old: Option<&Object>, gone: bool) {
        if let Some(known) = self.pending.get_mut(key) {
            // It came and went before this subscriber heard of it. Who reads the cache may have seen
            // it all the same, or made it, and waits to hear: the end is told.
            if gone && known.is_none() {
                *known = old.cloned();
            }
            return;
        }
        self.next_place += 1;
        self.pending.insert(key.clone(), old.cloned());
        self.order.insert(self.next_place, key.clone());
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Watches may repeat what a list already showed; a state is never replaced by an older one.
fn is_newer_or_same(held: &Object, object: &Object) -> bool {
    held.meta.uid == object.meta.uid && held.meta.revision() >= object.meta.revision()
}
