//! Watches what is left of a namespace's contents, so that nobody has to ask
//! again and again whether it is gone. It never deletes anything.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use api::Gvr;
use base::Tasks;
use client::{Event, ObjectKey, Objects, Target, WatchOptions};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Before a namespace is looked at again because its contents cannot be watched.
const PAUSE: Duration = Duration::from_secs(1);
/// Namespaces that wait to be told of; watches wait beyond it.
const CAPACITY: usize = 64;

/// One watch for each resource that has something left in a namespace under deletion.
pub(super) struct Waits {
    objects: Arc<dyn Objects>,
    tasks: Tasks,
    active: Arc<Mutex<HashSet<(ObjectKey, Gvr)>>>,
    due: mpsc::Sender<ObjectKey>,
}

impl Waits {
    /// No watches yet, and the stream of namespaces to look at again.
    pub(super) fn new(objects: Arc<dyn Objects>, tasks: Tasks) -> (Self, impl Stream<Item = ObjectKey> + Send) {
        let (due, receiver) = mpsc::channel(CAPACITY);
        let next = |mut receiver: mpsc::Receiver<_>| async move { receiver.recv().await.map(|key| (key, receiver)) };
        (Waits { objects, tasks, active: Arc::default(), due }, futures::stream::unfold(receiver, next))
    }

    /// Tells of the namespace once an object of this resource is gone from it after `revision`.
    pub(super) fn start(&self, namespace: &ObjectKey, gvr: &Gvr, revision: &str) {
        let wait = (namespace.clone(), gvr.clone());
        if !self.active.lock().insert(wait.clone()) {
            return;
        }
        let (objects, active, due) = (self.objects.clone(), self.active.clone(), self.due.clone());
        let target = Target::namespaced(&namespace.cluster, gvr, &namespace.name);
        let options = WatchOptions { resource_version: revision.to_owned(), ..WatchOptions::default() };
        self.tasks.spawn(format!("wait for {gvr}"), async move {
            if !deletion(&*objects, &target, options).await {
                // A timer, because the watch that would have told is what failed.
                tokio::time::sleep(PAUSE).await;
            }
            active.lock().remove(&wait);
            // Nobody listens any more only when the controller has stopped.
            let _ = due.send(wait.0).await;
        });
    }
}

/// Waits for a deletion; false if the watch ended without one.
async fn deletion(objects: &dyn Objects, target: &Target, options: WatchOptions) -> bool {
    let Ok(mut events) = objects.watch(target, options).await else { return false };
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Deleted(_)) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}
