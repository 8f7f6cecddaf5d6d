//! Tests of the cache against the fake: what is listed, followed, missed and
//! caught up on.

use std::collections::HashSet;
use std::time::Duration;

use api::{ClusterName, Gvk, Status};
use base::{Ids, Tasks};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};

use super::*;
use crate::fake::{FakeObjects, Verb, descriptor, gvr};
use crate::{DeleteOptions, Patch, WriteOptions};

fn config_map(namespace: &str, name: &str, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": namespace, "name": name }, "data": { "v": value } })
}

fn target() -> Target {
    Target::everywhere(&gvr("v1", "configmaps"))
}

fn in_namespace(namespace: &str) -> Target {
    Target::namespaced(&ClusterName::root(), &gvr("v1", "configmaps"), namespace)
}

async fn change(fake: &FakeObjects, namespace: &str, name: &str, value: &str) {
    let patch = Patch::Merge(json!({ "data": { "v": value } }).to_string().into());
    fake.patch(&in_namespace(namespace), name, None, patch, WriteOptions::default()).await.unwrap();
}

async fn delete(fake: &FakeObjects, namespace: &str, name: &str) {
    fake.delete(&in_namespace(namespace), name, DeleteOptions::default()).await.unwrap();
}

/// A change in short: `+ns/a=1`, `ns/a=1>2`, `-ns/a=2`.
fn short(change: &Change) -> String {
    let value = |object: &Object| object.value().unwrap()["data"]["v"].as_str().unwrap_or("?").to_owned();
    match (&change.old, &change.new) {
        (None, Some(new)) => format!("+{}={}", change.key(), value(new)),
        (Some(old), Some(new)) => format!("{}={}>{}", change.key(), value(old), value(new)),
        (Some(old), None) => format!("-{}={}", change.key(), value(old)),
        (None, None) => "nothing".to_owned(),
    }
}

async fn take(changes: &mut Changes, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(20), changes.next()).await;
        let next = next.unwrap_or_else(|_| panic!("only these changes came: {seen:?}"));
        seen.push(short(&next.unwrap()));
    }
    seen
}

#[tokio::test]
async fn lists_then_follows() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    fake.put(&config_map("b", "y", "1"));
    fake.put(&config_map("a", "x", "1"));
    fake.put_in(&ClusterName::new("team").unwrap(), &config_map("a", "z", "1"));
    let cache = Cache::start(fake.objects(), target(), &tasks);
    cache.ready().await;

    let names: Vec<String> = cache.list().iter().map(|object| ObjectKey::of(object).to_string()).collect();
    assert_eq!(names, ["a/x", "b/y", "team|a/z"]);
    assert_eq!(cache.list_in(&ClusterName::root(), "a").len(), 1);
    assert!(cache.get(&ObjectKey::new(&ClusterName::root(), "a", "nope")).is_none());

    let mut changes = cache.subscribe();
    assert_eq!(take(&mut changes, 3).await, ["+a/x=1", "+b/y=1", "+team|a/z=1"]);
    change(&fake, "a", "x", "2").await;
    assert_eq!(take(&mut changes, 1).await, ["a/x=1>2"]);
    delete(&fake, "b", "y").await;
    assert_eq!(take(&mut changes, 1).await, ["-b/y=1"]);
    assert_eq!(cache.len(), 2);
    assert!(tasks.stop(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_subscriber_that_does_not_pull_is_told_the_difference_only() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    fake.put(&config_map("a", "changed", "1"));
    fake.put(&config_map("a", "replaced", "1"));
    let cache = Cache::start(fake.objects(), target(), &tasks);
    cache.ready().await;
    let mut slow = cache.subscribe();
    assert_eq!(take(&mut slow, 2).await.len(), 2);
    let mut quick = cache.subscribe();
    assert_eq!(take(&mut quick, 2).await.len(), 2);

    for value in ["2", "3", "4"] {
        change(&fake, "a", "changed", value).await;
    }
    fake.put(&config_map("a", "fleeting", "1"));
    delete(&fake, "a", "fleeting").await;
    delete(&fake, "a", "replaced").await;
    fake.put(&config_map("a", "replaced", "2"));
    fake.put(&config_map("a", "last", "1"));
    // What the quick subscriber saw last is in the cache, so also what the slow one is owed.
    while !take(&mut quick, 1).await.contains(&"+a/last=1".to_owned()) {}
    // Of what came and went only the end: whoever reads the cache may have seen it.
    let owed = ["a/changed=1>4", "-a/fleeting=1", "-a/replaced=1", "+a/replaced=2", "+a/last=1"];
    assert_eq!(take(&mut slow, 5).await, owed);
    assert!(slow.next().now_or_never().is_none());
}

#[tokio::test]
async fn resumes_without_listing_when_a_watch_ends() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    let cache = Cache::start(fake.objects(), target(), &tasks);
    let mut changes = cache.subscribe();
    fake.until("the watch", |fake| fake.count(Verb::Watch, "configmaps") == 1).await;
    fake.fail_next(Verb::Watch, "configmaps", Status::unavailable("not now"));
    fake.end_watches();
    fake.put(&config_map("a", "x", "1"));
    assert_eq!(take(&mut changes, 1).await, ["+a/x=1"]);
    assert_eq!(fake.count(Verb::List, "configmaps"), 1);
}

#[tokio::test]
async fn lists_again_and_reports_what_was_missed_when_its_revision_expired() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    for name in ["gone", "kept", "changed"] {
        fake.put(&config_map("a", name, "1"));
    }
    let cache = Cache::start(fake.objects(), target(), &tasks);
    let mut changes = cache.subscribe();
    assert_eq!(take(&mut changes, 3).await.len(), 3);
    fake.until("the watch", |fake| fake.count(Verb::Watch, "configmaps") == 1).await;

    fake.end_watches();
    delete(&fake, "a", "gone").await;
    change(&fake, "a", "changed", "2").await;
    fake.put(&config_map("a", "new", "1"));
    fake.expire_watches();
    let mut seen = take(&mut changes, 3).await;
    seen.sort();
    assert_eq!(seen, ["+a/new=1", "-a/gone=1", "a/changed=1>2"]);
    assert_eq!(fake.count(Verb::List, "configmaps"), 2);
}

#[tokio::test]
async fn waits_out_failing_lists() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    fake.put(&config_map("a", "x", "1"));
    fake.fail_next(Verb::List, "configmaps", Status::unavailable("not now"));
    fake.fail_next(Verb::List, "configmaps", Status::internal("nor now"));
    let cache = Cache::start(fake.objects(), target(), &tasks);
    cache.ready().await;
    assert_eq!(cache.len(), 1);
}

#[tokio::test]
async fn a_kind_that_is_not_served_is_empty_until_it_is() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    let cache = Cache::start(fake.objects(), Target::everywhere(&gvr("example.dev/v1", "widgets")), &tasks);
    cache.ready().await;
    assert!(cache.is_empty());
    let mut changes = cache.subscribe();
    fake.serve(descriptor(&Gvk::new("example.dev", "v1", "Widget"), "widgets", true, false));
    let metadata = json!({ "namespace": "a", "name": "w" });
    fake.put(&json!({ "apiVersion": "example.dev/v1", "kind": "Widget", "metadata": metadata }));
    assert_eq!(take(&mut changes, 1).await, ["+a/w=?"]);
}

#[tokio::test]
async fn holds_metadata_alone_when_asked() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    fake.put(&config_map("a", "x", "1"));
    let cache = Cache::metadata_only(fake.objects(), target(), &tasks);
    cache.ready().await;
    assert!(cache.list().iter().all(|object| object.json.is_empty() && !object.meta.uid.is_empty()));
}

#[tokio::test]
async fn holds_the_json_of_marked_objects_alone_when_asked() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    let mut marked = config_map("a", "marked", "1");
    marked["metadata"]["annotations"] = json!({"mine": "yes"});
    fake.put(&marked);
    fake.put(&config_map("a", "plain", "1"));
    let options = CacheOptions { json_with_annotation: "mine".to_owned(), ..CacheOptions::default() };
    let cache = Cache::start_with(fake.objects(), target(), options, &tasks);
    cache.ready().await;
    let held: Vec<(String, bool)> =
        cache.list().iter().map(|object| (object.meta.name.clone(), !object.json.is_empty())).collect();
    assert_eq!(held, [("marked".to_owned(), true), ("plain".to_owned(), false)]);
}

#[test]
fn an_older_state_never_replaces_a_newer_one() {
    let mut state = State::default();
    let object = |uid: &str, revision: u64| {
        let json = json!({ "metadata": { "name": "x", "uid": uid, "resourceVersion": revision.to_string() } });
        Object::from_json(ClusterName::root(), json.to_string().into()).unwrap()
    };
    let held = |state: &State| state.objects.values().next().map(|object| object.meta.revision());
    state.upsert(object("one", 5));
    state.upsert(object("one", 4));
    assert_eq!(held(&state), Some(5));
    state.upsert(object("two", 9));
    state.delete(&object("one", 7));
    assert_eq!(held(&state), Some(9), "the end of an earlier object of the same name");
    state.delete(&object("two", 10));
    assert_eq!(held(&state), None);
}

#[test]
fn backoff_doubles_within_its_bounds() {
    let backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(60), Ids::system());
    for (failures, full) in [(0, 5), (1, 5), (2, 10), (3, 20), (10, 2560), (20, 60_000), (u32::MAX, 60_000)] {
        let delay = backoff.delay(failures);
        let full = Duration::from_millis(full);
        assert!(delay <= full && delay >= full.mul_f64(0.89), "{failures}: {delay:?}");
    }
}

/// A cache that nothing feeds but the test.
fn unfed() -> State {
    State::default()
}

fn object(name: &str, uid: &str, revision: u64) -> Object {
    let meta = json!({ "name": name, "namespace": "a", "uid": uid, "resourceVersion": revision.to_string() });
    Object::from_json(ClusterName::root(), json!({ "metadata": meta }).to_string().into()).unwrap()
}

fn held(state: &State) -> Vec<String> {
    state.objects.values().map(|object| format!("{}@{}", object.meta.name, object.meta.resource_version)).collect()
}

#[test]
fn a_write_is_seen_before_the_watch_tells() {
    let mut state = unfed();
    state.upsert(object("x", "1", 5));
    state.wrote(object("y", "2", 7));
    state.wrote(object("x", "1", 8));
    assert_eq!(held(&state), ["x@8", "y@7"]);
    // The watch comes after, and changes nothing that is newer.
    state.upsert(object("y", "2", 7));
    state.upsert(object("x", "1", 8));
    assert_eq!(held(&state), ["x@8", "y@7"]);
}

#[test]
fn an_answer_that_comes_late_brings_nothing_back() {
    let mut state = unfed();
    // Made and deleted by others before the answer to our write arrives.
    state.upsert(object("x", "1", 5));
    state.delete(&object("x", "1", 6));
    state.wrote(object("x", "1", 5));
    assert!(held(&state).is_empty());
    // A bookmark past the write means the same.
    state.reached(9);
    state.wrote(object("z", "3", 8));
    assert!(held(&state).is_empty());
}

/// The next change of a subscriber: `+` made, `=` changed, `-` gone; empty if there is none.
fn pulled(state: &mut State, subscriber: u64) -> String {
    let change = state.pull(subscriber, futures::task::noop_waker_ref());
    change.map_or(String::new(), |change| {
        let sign = match (&change.old, &change.new) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '=',
        };
        format!("{sign}{}", change.object().meta.uid)
    })
}

#[test]
fn the_end_of_what_a_subscriber_never_heard_of_is_told() {
    let mut state = unfed();
    let subscriber = state.subscribe();
    // Made by us, and deleted by others before the subscriber pulls.
    state.wrote(object("x", "1", 5));
    state.delete(&object("x", "1", 6));
    assert_eq!(pulled(&mut state, subscriber), "-1");
    assert_eq!(pulled(&mut state, subscriber), "");
    // Made again meanwhile: the end of the one, and the other.
    state.wrote(object("x", "2", 7));
    state.delete(&object("x", "2", 8));
    state.upsert(object("x", "3", 9));
    assert_eq!([pulled(&mut state, subscriber), pulled(&mut state, subscriber)], ["-2", "+3"]);
    // Gone before its maker was answered, in a gap between two watches.
    state.reached(12);
    state.wrote(object("y", "4", 11));
    assert_eq!(pulled(&mut state, subscriber), "-4");
    // The watch was there first: nothing is news.
    state.wrote(object("x", "3", 9));
    assert_eq!(pulled(&mut state, subscriber), "");
}

#[test]
fn what_we_deleted_stays_away_until_the_watch_agrees() {
    let mut state = unfed();
    state.upsert(object("x", "1", 5));
    state.removed(&ObjectKey::new(&ClusterName::root(), "a", "x"), "1");
    // A change from before the deletion is still under way.
    state.upsert(object("x", "1", 6));
    assert!(held(&state).is_empty());
    state.delete(&object("x", "1", 7));
    // Another of the same name is another.
    state.upsert(object("x", "2", 8));
    assert_eq!(held(&state), ["x@8"]);
    state.removed(&ObjectKey::new(&ClusterName::root(), "a", "x"), "1");
    assert_eq!(held(&state), ["x@8"]);
}

#[test]
fn a_list_forgets_only_what_it_could_know() {
    let mut state = unfed();
    state.upsert(object("old", "1", 5));
    state.wrote(object("new", "2", 9));
    state.retain(&HashSet::new(), 7);
    assert_eq!(held(&state), ["new@9"]);
    state.retain(&HashSet::new(), 0);
    assert!(held(&state).is_empty());
}

struct Colour(String);

impl View for Colour {
    fn read(object: &Object) -> Result<Self, Status> {
        let value = object.value()?;
        let colour = value["data"]["v"].as_str().ok_or_else(|| Status::internal("no colour"))?;
        Ok(Colour(colour.to_owned()))
    }

    fn words(&self, _object: &Object) -> Vec<String> {
        vec![self.0.clone()]
    }
}

#[tokio::test]
async fn an_informer_finds_objects_by_their_words() {
    let (fake, tasks) = (FakeObjects::new(), Tasks::default());
    for (name, colour) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        fake.put(&config_map("ns", name, colour));
    }
    let informer = Informer::<Colour>::start(fake.objects(), target(), &tasks);
    informer.cache().ready().await;
    let root = ClusterName::root();
    let names = |word: &str| -> Vec<String> {
        informer.find(&root, word).iter().map(|item| item.object.meta.name.clone()).collect()
    };
    assert_eq!(names("red"), ["a", "c"]);
    let mut changes = informer.cache().subscribe();
    assert_eq!(take(&mut changes, 3).await.len(), 3);
    change(&fake, "ns", "a", "blue").await;
    delete(&fake, "ns", "c").await;
    assert_eq!(take(&mut changes, 2).await, ["ns/a=red>blue", "-ns/c=red"]);
    assert_eq!((names("red").len(), names("blue")), (0, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((informer.count(&root, "blue"), informer.find_in(&root, "ns").len(), informer.all().len()), (2, 2, 2));
}
