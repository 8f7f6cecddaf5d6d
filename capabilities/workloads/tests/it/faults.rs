//! What goes wrong between the controllers and the API server: answers that
//! never come, because the process died right after a write, and refusals. It
//! changes nothing else.

use std::sync::Arc;

use api::{ClusterName, Gvk, KindDescriptor, Reason, Status};
use base::Tasks;
use bytes::Bytes;
use client::objects::Events;
use client::{DeleteOptions, List, ListOptions, Object, Objects, Patch, Result, Target, WatchOptions, WriteOptions};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;

/// The faults that a test has asked for. Cheap to clone.
#[derive(Clone)]
pub struct Faults(Arc<Shared>);

struct Shared {
    wanted: Mutex<Wanted>,
    /// Whether the controllers have met their end.
    frozen: watch::Sender<bool>,
    /// Writes that are on their way.
    under_way: watch::Sender<usize>,
}

/// A write on its way, until it is dropped.
struct UnderWay<'a>(&'a watch::Sender<usize>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[derive(Default)]
struct Wanted {
    /// Writes of the controllers that are answered before none is.
    answered: Option<usize>,
    /// A plural and why objects of it cannot be created.
    refused: Option<(String, String)>,
    /// Creations that were refused.
    refusals: usize,
}

impl Default for Faults {
    fn default() -> Self {
        Faults(Arc::new(Shared {
            wanted: Mutex::default(),
            frozen: watch::Sender::new(false),
            under_way: watch::Sender::new(0),
        }))
    }
}

impl Faults {
    /// The controllers die when this many more of their writes (events aside) have been answered:
    /// the next one is carried out, but nobody hears of it, nor of anything after.
    pub fn freeze_after(&self, writes: usize) {
        self.0.wanted.lock().answered = Some(writes);
    }

    /// Waits until they have died, and until their last writes have come to something: one that
    /// is carried out after the next controllers have looked would be theirs to undo.
    pub async fn frozen(&self) {
        let mut frozen = self.0.frozen.subscribe();
        frozen.wait_for(|frozen| *frozen).await.unwrap();
        let mut under_way = self.0.under_way.subscribe();
        under_way.wait_for(|count| *count == 0).await.unwrap();
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        let mut wanted = self.0.wanted.lock();
        wanted.answered = None;
        wanted.refused = None;
        self.0.frozen.send_replace(false);
    }

    /// Refuses to create objects of a kind as an exceeded quota does; a `{}` is the number of the
    /// refusal.
    pub fn refuse(&self, plural: &str, why: &str) {
        self.0.wanted.lock().refused = Some((plural.to_owned(), why.to_owned()));
    }

    /// How many creations have been refused.
    pub fn refusals(&self) -> usize {
        self.0.wanted.lock().refusals
    }

    /// Whether this write is still answered.
    fn answers(&self, target: &Target) -> bool {
        if &*target.gvr.resource == "events" {
            return true;
        }
        let mut wanted = self.0.wanted.lock();
        match &mut wanted.answered {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn refusal(&self, target: &Target) -> Option<Status> {
        let mut wanted = self.0.wanted.lock();
        let (_, why) = wanted.refused.as_ref().filter(|(plural, _)| **plural == *target.gvr.resource)?;
        let status = Status::new(403, Reason::Forbidden, why.replace("{}", &wanted.refusals.to_string()));
        wanted.refusals += 1;
        Some(status)
    }

    async fn pass<T>(&self, target: &Target, write: BoxFuture<'_, Result<T>>) -> Result<T> {
        self.0.under_way.send_modify(|count| *count += 1);
        let under_way = UnderWay(&self.0.under_way);
        if *self.0.frozen.borrow() {
            drop(under_way);
            return std::future::pending().await;
        }
        let answers = self.answers(target);
        let answer = write.await;
        if !answers {
            self.0.frozen.send_replace(true);
        }
        drop(under_way);
        if *self.0.frozen.borrow() {
            return std::future::pending().await;
        }
        answer
    }
}

/// Objects as the controllers reach them.
pub struct Faulty {
    pub objects: Arc<dyn Objects>,
    pub faults: Faults,
}

/// Tasks of controllers that can be dropped as a dying process drops them.
pub async fn kill(tasks: &Tasks) {
    assert!(tasks.stop(std::time::Duration::from_secs(10)).await);
    assert!(tasks.failures().is_empty(), "{:?}", tasks.failures());
}

impl Objects for Faulty {
    fn get<'a>(&'a self, target: &'a Target, name: &'a str) -> BoxFuture<'a, Result<Object>> {
        self.objects.get(target, name)
    }

    fn list<'a>(&'a self, target: &'a Target, options: ListOptions) -> BoxFuture<'a, Result<List>> {
        self.objects.list(target, options)
    }

    fn watch<'a>(&'a self, target: &'a Target, options: WatchOptions) -> BoxFuture<'a, Result<Events>> {
        self.objects.watch(target, options)
    }

    fn create<'a>(&'a self, target: &'a Target, body: Bytes, options: WriteOptions) -> BoxFuture<'a, Result<Object>> {
        match self.faults.refusal(target) {
            Some(status) => Box::pin(async { Err(status) }),
            None => Box::pin(self.faults.pass(target, self.objects.create(target, body, options))),
        }
    }

    fn create_subresource<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: &'a str,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Bytes>> {
        let write = self.objects.create_subresource(target, name, subresource, body, options);
        Box::pin(self.faults.pass(target, write))
    }

    fn update<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        body: Bytes,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        Box::pin(self.faults.pass(target, self.objects.update(target, name, subresource, body, options)))
    }

    fn patch<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        subresource: Option<&'a str>,
        patch: Patch,
        options: WriteOptions,
    ) -> BoxFuture<'a, Result<Object>> {
        Box::pin(self.faults.pass(target, self.objects.patch(target, name, subresource, patch, options)))
    }

    fn delete<'a>(
        &'a self,
        target: &'a Target,
        name: &'a str,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(self.faults.pass(target, self.objects.delete(target, name, options)))
    }

    fn get_raw<'a>(&'a self, cluster: &'a ClusterName, path: &'a str) -> BoxFuture<'a, Result<Bytes>> {
        self.objects.get_raw(cluster, path)
    }

    fn kind<'a>(&'a self, cluster: &'a ClusterName, gvk: &'a Gvk) -> BoxFuture<'a, Result<Option<KindDescriptor>>> {
        self.objects.kind(cluster, gvk)
    }

    fn kinds<'a>(&'a self, cluster: &'a ClusterName) -> BoxFuture<'a, Result<Vec<KindDescriptor>>> {
        self.objects.kinds(cluster)
    }
}
