//! Runs a reconciler: sources fill the queue, workers empty it. It decides when
//! a key is reconciled, never what that means.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use base::clock::Stopwatch;
use base::{Clock, Ids, Tasks};
use client::cache::Backoff;
use client::{Cache, Change, ObjectKey};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::error::Error;
use crate::queue::Queue;

const FIRST_RETRY: Duration = Duration::from_millis(5);
const LARGEST_RETRY: Duration = Duration::from_secs(60);
/// Ready keys beyond which sources wait. Sources coalesce, so nothing is lost by waiting.
const CAPACITY: usize = 100_000;

/// Brings the world of one key to what its object says. Level-triggered: it is told which
/// key, never what happened, and must be idempotent.
pub trait Reconciler: Send + Sync + 'static {
    /// Reconciles one key. The same key is never reconciled twice at once.
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>>;
}

/// When a key is to be reconciled again, beside when something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Not before something changes.
    Done,
    /// After this time, for want of an event; say why where you return it.
    After(Duration),
}

type Keys = BoxStream<'static, Vec<ObjectKey>>;

struct Source {
    /// A cache that must be ready before anything is reconciled.
    cache: Option<Cache>,
    keys: Keys,
}

/// A controller before it starts.
pub struct Controller {
    name: String,
    reconciler: Arc<dyn Reconciler>,
    sources: Vec<Source>,
    workers: usize,
}

impl Controller {
    /// A controller with one worker and no sources. The name appears in logs.
    pub fn new(name: impl Into<String>, reconciler: Arc<dyn Reconciler>) -> Self {
        Controller { name: name.into(), reconciler, sources: Vec::new(), workers: 1 }
    }

    /// Reconciles the key of every object of `cache` that changes.
    #[must_use]
    pub fn owns(self, cache: &Cache) -> Self {
        self.watches(cache, |change| vec![change.key()])
    }

    /// Reconciles the keys that `keys` finds for every change in `cache`.
    #[must_use]
    pub fn watches(mut self, cache: &Cache, keys: impl Fn(&Change) -> Vec<ObjectKey> + Send + Sync + 'static) -> Self {
        let stream = cache.subscribe().map(move |change| keys(&change)).boxed();
        self.sources.push(Source { cache: Some(cache.clone()), keys: stream });
        self
    }

    /// Reconciles the keys of a stream.
    #[must_use]
    pub fn triggered_by(mut self, keys: BoxStream<'static, ObjectKey>) -> Self {
        self.sources.push(Source { cache: None, keys: keys.map(|key| vec![key]).boxed() });
        self
    }

    /// How many keys are reconciled at once.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Starts on `tasks`; ends with them.
    pub fn start(self, tasks: &Tasks) -> Handle {
        let caches: Vec<Cache> = self.sources.iter().filter_map(|source| source.cache.clone()).collect();
        let shared = Arc::new(Shared {
            name: self.name.clone(),
            state: Mutex::new(State { starting: self.sources.len(), ..State::default() }),
            work: Notify::new(),
            room: Notify::new(),
            delays: Notify::new(),
            settled: Notify::new(),
            open: watch::Sender::new(false),
            stopwatch: Clock::system().stopwatch(),
            backoff: Backoff::new(FIRST_RETRY, LARGEST_RETRY, Ids::system()),
        });
        for source in self.sources {
            tasks.spawn(format!("{} source", self.name), shared.clone().fill(source));
        }
        tasks.spawn(format!("{} delays", self.name), shared.clone().release());
        let opener = shared.clone();
        tasks.spawn(format!("{} start", self.name), async move {
            for cache in caches {
                cache.ready().await;
            }
            opener.open.send_replace(true);
        });
        for number in 0..self.workers {
            tasks.spawn(format!("{} worker {number}", self.name), shared.clone().work(self.reconciler.clone()));
        }
        Handle(shared)
    }
}

/// A running controller. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Asks for a key to be reconciled soon.
    pub fn enqueue(&self, key: ObjectKey) {
        self.0.enqueue([key]);
    }

    /// Waits until the caches are ready, everything they held at first was asked for, the queue
    /// is empty and no worker is busy. Delayed keys do not count. For tests.
    pub async fn idle(&self) {
        let mut open = self.0.open.subscribe();
        // The sender lives in `self`.
        let _ = open.wait_for(|open| *open).await;
        loop {
            let settled = self.0.settled.notified();
            {
                let state = self.0.state.lock();
                if state.starting == 0 && state.queue.is_idle() {
                    return;
                }
            }
            settled.await;
        }
    }

    /// What it did so far and has to do.
    pub fn stats(&self) -> Stats {
        let state = self.0.state.lock();
        Stats {
            queued: state.queue.depth(),
            running: state.queue.running(),
            delayed: state.queue.delayed(),
            ..state.stats
        }
    }
}

/// Numbers of a controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reconciles that ended, however they did.
    pub reconciled: u64,
    /// Those that failed, lost races and panics included.
    pub failed: u64,
    /// Those that panicked.
    pub panicked: u64,
    /// Keys that wait for a worker.
    pub queued: usize,
    /// Keys being reconciled.
    pub running: usize,
    /// Keys that wait for a time.
    pub delayed: usize,
}

struct Shared {
    name: String,
    state: Mutex<State>,
    /// A key is ready.
    work: Notify,
    /// The queue is below its capacity.
    room: Notify,
    /// A key was delayed.
    delays: Notify,
    /// A worker has finished or a source has caught up.
    settled: Notify,
    /// Every cache is ready: workers may begin.
    open: watch::Sender<bool>,
    stopwatch: Stopwatch,
    backoff: Backoff,
}

#[derive(Default)]
struct State {
    queue: Queue,
    stats: Stats,
    /// Sources that have not delivered yet what was there at first.
    starting: usize,
}

impl Shared {
    fn enqueue(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        let mut state = self.state.lock();
        for key in keys {
            state.queue.add(key);
        }
        drop(state);
        self.work.notify_one();
    }

    /// Moves keys from a source to the queue until the source ends.
    async fn fill(self: Arc<Self>, mut source: Source) {
        if let Some(cache) = &source.cache {
            cache.ready().await;
        }
        while let Some(Some(keys)) = source.keys.next().now_or_never() {
            self.put(keys).await;
        }
        self.state.lock().starting -= 1;
        self.settled.notify_waiters();
        while let Some(keys) = source.keys.next().await {
            self.put(keys).await;
        }
    }

    async fn put(&self, keys: Vec<ObjectKey>) {
        loop {
            let room = self.room.notified();
            if self.state.lock().queue.depth() < CAPACITY {
                break;
            }
            room.await;
        }
        self.enqueue(keys);
    }

    /// Makes delayed keys ready when they fall due. A timer, because a delay is what was asked for.
    async fn release(self: Arc<Self>) {
        loop {
            let next = self.state.lock().queue.release(self.stopwatch.elapsed());
            self.work.notify_one();
            let Some(due) = next else {
                self.delays.notified().await;
                continue;
            };
            let wait = due.saturating_sub(self.stopwatch.elapsed());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.delays.notified() => {}
            }
        }
    }

    async fn work(self: Arc<Self>, reconciler: Arc<dyn Reconciler>) {
        let mut open = self.open.subscribe();
        // The sender lives in `self`.
        let _ = open.wait_for(|open| *open).await;
        loop {
            let key = self.take().await;
            // A panic is this key's failure; the worker lives on. The reconciler must expect that
            // its locks do not poison, which parking_lot's do not.
            let outcome = AssertUnwindSafe(async { reconciler.reconcile(&key).await }).catch_unwind().await;
            self.finish(&key, outcome);
        }
    }

    async fn take(&self) -> ObjectKey {
        loop {
            let (key, more, has_room) = {
                let mut state = self.state.lock();
                let key = state.queue.pop();
                (key, state.queue.depth() > 0, state.queue.depth() < CAPACITY)
            };
            // One notification may stand for many keys: pass it on.
            if more {
                self.work.notify_one();
            }
            if let Some(key) = key {
                if has_room {
                    self.room.notify_waiters();
                }
                return key;
            }
            self.work.notified().await;
        }
    }

    fn finish(&self, key: &ObjectKey, outcome: Result<Result<Next, Error>, Box<dyn Any + Send>>) {
        let now = self.stopwatch.elapsed();
        let mut state = self.state.lock();
        state.stats.reconciled += 1;
        match outcome {
            Ok(Ok(Next::Done)) => state.queue.succeeded(key, None),
            Ok(Ok(Next::After(delay))) => state.queue.succeeded(key, Some(now.saturating_add(delay))),
            Ok(Err(error)) => {
                state.stats.failed += 1;
                let failures = state.queue.count_failure(key);
                let delay = self.retry_delay(&error, failures);
                self.log(key, &error, failures);
                state.queue.ended(key, Some(now + delay));
            }
            Err(payload) => {
                state.stats.failed += 1;
                state.stats.panicked += 1;
                let failures = state.queue.count_failure(key);
                let message = panic_text(payload.as_ref());
                tracing::error!(controller = %self.name, %key, failures, message, "a reconcile panicked");
                state.queue.ended(key, Some(now + self.backoff.delay(failures)));
            }
        }
        drop(state);
        self.work.notify_one();
        self.delays.notify_one();
        self.settled.notify_waiters();
    }

    /// A lost race is tried again at once; if the cache is still behind, with the usual delays.
    fn retry_delay(&self, error: &Error, failures: u32) -> Duration {
        match error.status() {
            Some(status) if status.is_conflict() && failures == 1 => Duration::ZERO,
            Some(status) => {
                let asked = Duration::from_secs(u64::from(status.retry_after_secs)).min(LARGEST_RETRY);
                self.backoff.delay(failures).max(asked)
            }
            None => self.backoff.delay(failures),
        }
    }

    fn log(&self, key: &ObjectKey, error: &Error, failures: u32) {
        if error.is_conflict() {
            tracing::debug!(controller = %self.name, %key, failures, %error, "a write lost a race");
        } else {
            tracing::warn!(controller = %self.name, %key, failures, %error, "a reconcile failed");
        }
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
