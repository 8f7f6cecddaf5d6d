//! Tests of when the runtime reconciles which key.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvr, Status};
use base::Tasks;
use client::fake::FakeObjects;
use client::{Cache, ObjectKey, Target};
use controller::{Controller, Error, Next, Reconciler};
use futures::StreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::{Semaphore, watch};

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(&ClusterName::root(), "ns", name)
}

enum Answer {
    Next(Next),
    Fail(Error),
    Panic,
}

/// Answers from a script, then `Done`; remembers what it was asked.
struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    asked: watch::Sender<Vec<String>>,
    running: Mutex<Vec<ObjectKey>>,
    /// How many reconciles may go on; all of them unless a test holds them up.
    gate: Semaphore,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Scripted {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: watch::Sender::default(),
            running: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    fn closed() -> Arc<Self> {
        let scripted = Scripted::new([]);
        scripted.gate.forget_permits(Semaphore::MAX_PERMITS);
        scripted
    }

    async fn asked(&self, count: usize) -> Vec<String> {
        let mut asked = self.asked.subscribe();
        let wait = asked.wait_for(|asked| asked.len() >= count);
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time").expect("open").clone()
    }
}

impl Reconciler for Scripted {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            {
                let mut running = self.running.lock();
                assert!(!running.contains(key), "{key} is reconciled twice at once");
                running.push(key.clone());
            }
            self.asked.send_modify(|asked| asked.push(key.to_string()));
            self.gate.acquire().await?.forget();
            let answer = self.answers.lock().pop_front();
            self.running.lock().retain(|held| held != key);
            match answer {
                None => Ok(Next::Done),
                Some(Answer::Next(next)) => Ok(next),
                Some(Answer::Fail(error)) => Err(error),
                Some(Answer::Panic) => panic!("as the script says"),
            }
        })
    }
}

fn config_maps() -> Gvr {
    Gvr::new("", "v1", "configmaps")
}

fn config_map(name: &str) -> serde_json::Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": "ns", "name": name } })
}

#[tokio::test]
async fn reconciles_what_is_there_and_what_changes() {
    let (fake, tasks, scripted) = (FakeObjects::new(), Tasks::default(), Scripted::new([]));
    fake.put(&config_map("a"));
    let cache = Cache::start(fake.objects(), Target::everywhere(&config_maps()), &tasks);
    let handle = Controller::new("test", scripted.clone()).owns(&cache).start(&tasks);
    handle.idle().await;
    assert_eq!(scripted.asked(1).await, ["ns/a"]);
    fake.put(&config_map("b"));
    assert_eq!(scripted.asked(2).await, ["ns/a", "ns/b"]);
    handle.enqueue(key("c"));
    handle.idle().await;
    assert_eq!(scripted.asked(3).await[2], "ns/c");
    assert_eq!(handle.stats().reconciled, 3);
    assert!(tasks.stop(Duration::from_secs(5)).await && tasks.failures().is_empty());
}

#[tokio::test]
async fn maps_changes_to_other_keys_and_takes_streams() {
    let (fake, tasks, scripted) = (FakeObjects::new(), Tasks::default(), Scripted::new([]));
    fake.put(&config_map("a"));
    let cache = Cache::start(fake.objects(), Target::everywhere(&config_maps()), &tasks);
    let owner = |change: &client::Change| vec![key(&format!("owner-of-{}", change.object().meta.name))];
    let stream = futures::stream::iter([key("streamed")]).boxed();
    let controller = Controller::new("test", scripted.clone()).watches(&cache, owner).triggered_by(stream);
    controller.start(&tasks).idle().await;
    let mut asked = scripted.asked(2).await;
    asked.sort();
    assert_eq!(asked, ["ns/owner-of-a", "ns/streamed"]);
}

#[tokio::test]
async fn failures_and_panics_are_tried_again() {
    let answers = [
        Answer::Fail(Error::msg("first")),
        Answer::Panic,
        Answer::Fail(Status::stale(&config_maps(), "a").into()),
        Answer::Next(Next::After(Duration::from_millis(1))),
    ];
    let (tasks, scripted) = (Tasks::default(), Scripted::new(answers));
    let handle = Controller::new("test", scripted.clone()).start(&tasks);
    handle.enqueue(key("a"));
    assert_eq!(scripted.asked(5).await, ["ns/a"; 5]);
    handle.idle().await;
    let stats = handle.stats();
    assert_eq!((stats.reconciled, stats.failed, stats.panicked, stats.delayed), (5, 3, 1, 0));
    assert!(tasks.failures().is_empty());
}

#[tokio::test]
async fn workers_share_the_keys_and_never_one_key() {
    let (tasks, scripted) = (Tasks::default(), Scripted::closed());
    let handle = Controller::new("test", scripted.clone()).workers(3).start(&tasks);
    for name in ["a", "b", "c", "d", "a", "a"] {
        handle.enqueue(key(name));
    }
    let mut first = scripted.asked(3).await;
    first.sort();
    assert_eq!(first, ["ns/a", "ns/b", "ns/c"]);
    handle.enqueue(key("a"));
    handle.enqueue(key("a"));
    scripted.gate.add_permits(100);
    handle.idle().await;
    let mut asked = scripted.asked(5).await;
    asked.sort();
    assert_eq!(asked, ["ns/a", "ns/a", "ns/b", "ns/c", "ns/d"]);
}

#[tokio::test]
async fn one_change_that_concerns_many_keys_wakes_many_workers() {
    let (fake, tasks, scripted) = (FakeObjects::new(), Tasks::default(), Scripted::closed());
    let cache = Cache::start(fake.objects(), Target::everywhere(&config_maps()), &tasks);
    let many = |_: &client::Change| ["a", "b", "c"].map(key).to_vec();
    let handle = Controller::new("test", scripted.clone()).watches(&cache, many).workers(3).start(&tasks);
    handle.idle().await;
    // One thread: after this, every worker waits.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    fake.put(&config_map("one"));
    let mut asked = scripted.asked(3).await;
    asked.sort();
    assert_eq!(asked, ["ns/a", "ns/b", "ns/c"]);
    assert_eq!(handle.stats().running, 3);
}
