//! The objects of a cache, and for each subscriber the keys it has yet to hear
//! of. Plain data under the cache's lock: it never waits and never calls out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::task::Waker;

use super::changes::Change;
use super::key::ObjectKey;
use crate::Object;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<ObjectKey, Object>,
    subscribers: BTreeMap<u64, Subscriber>,
    next_subscriber: u64,
}

/// What one subscriber has not pulled yet: one entry per key however often it changed, so
/// that its memory is bounded by the number of objects.
#[derive(Default)]
struct Subscriber {
    pending: HashMap<ObjectKey, Pending>,
    order: BTreeMap<u64, ObjectKey>,
    next_place: u64,
    waker: Option<Waker>,
}

struct Pending {
    place: u64,
    /// The object as the subscriber knows it.
    known: Option<Object>,
}

impl State {
    /// Takes in an object unless a newer state of it is held.
    pub(crate) fn upsert(&mut self, object: Object) {
        let key = ObjectKey::of(&object);
        let old = match self.objects.get(&key) {
            Some(held) if is_newer_or_same(held, &object) => return,
            held => held.cloned(),
        };
        self.notify(&key, old.as_ref(), false);
        self.objects.insert(key, object);
    }

    /// Forgets an object unless one made after this end is held.
    pub(crate) fn delete(&mut self, object: &Object) {
        let key = ObjectKey::of(object);
        let Some(held) = self.objects.get(&key) else { return };
        if held.meta.uid != object.meta.uid && held.meta.revision() > object.meta.revision() {
            return;
        }
        self.remove(&key);
    }

    /// Forgets every object that a complete list did not show.
    pub(crate) fn retain(&mut self, seen: &HashSet<ObjectKey>) {
        let gone: Vec<ObjectKey> = self.objects.keys().filter(|key| !seen.contains(*key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &ObjectKey) {
        let old = self.objects.remove(key);
        self.notify(key, old.as_ref(), true);
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
            let known = subscriber.pending.remove(&key).and_then(|pending| pending.known);
            match (known, self.objects.get(&key).cloned()) {
                (None, None) => {}
                // Deleted and made again since the last pull: two changes, the end first.
                (Some(old), Some(new)) if old.meta.uid != new.meta.uid => {
                    subscriber.order.insert(place, key.clone());
                    subscriber.pending.insert(key, Pending { place, known: None });
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
        if let Some(pending) = self.pending.get(key) {
            // Came and went unseen: nothing to tell.
            if gone && pending.known.is_none() {
                let place = pending.place;
                self.pending.remove(key);
                self.order.remove(&place);
            }
            return;
        }
        self.next_place += 1;
        self.pending.insert(key.clone(), Pending { place: self.next_place, known: old.cloned() });
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
