//! Following what is there, and no longer than someone needs it.

use api::{ClusterName, Gvk, KindDescriptor};
use base::{Clock, Tasks};
use client::fake::{FakeObjects, descriptor};
use client::{DeleteOptions, ObjectKey, Target};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::LiveState;
use crate::resource::Key;
use crate::tracking::Owner;

struct World {
    fake: FakeObjects,
    live: LiveState,
    woken: UnboundedReceiver<ObjectKey>,
    maps: KindDescriptor,
    secrets: KindDescriptor,
}

fn world() -> World {
    let fake = FakeObjects::new();
    let (wake, woken) = tokio::sync::mpsc::unbounded_channel();
    let live = LiveState::new(fake.objects(), Clock::system(), Tasks::default(), "argocd", wake);
    let kind = |kind: &str, plural: &str| descriptor(&Gvk::new("", "v1", kind), plural, true, false);
    World { fake, live, woken, maps: kind("ConfigMap", "configmaps"), secrets: kind("Secret", "secrets") }
}

fn app(name: &str) -> ObjectKey {
    ObjectKey::new(&ClusterName::root(), "argocd", name)
}

fn map(name: &str, tracking_id: &str) -> Value {
    let annotations = json!({"argocd.argoproj.io/tracking-id": tracking_id});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n", "annotations": annotations}})
}

#[tokio::test]
async fn kinds_are_followed_while_someone_uses_them() {
    let world = world();
    let root = ClusterName::root();
    world.live.follow(&app("a"), &root, &[world.maps.clone(), world.secrets.clone()], &[]).await;
    world.live.follow(&app("b"), &root, std::slice::from_ref(&world.maps), &[]).await;
    assert_eq!(world.live.followed(), 2);
    world.live.follow(&app("a"), &root, std::slice::from_ref(&world.maps), &[]).await;
    assert_eq!(world.live.followed(), 1);
    world.live.forget(&app("b"));
    assert_eq!(world.live.followed(), 1);
    world.live.forget(&app("a"));
    assert_eq!(world.live.followed(), 0);
}

#[tokio::test]
async fn changes_call_for_those_they_concern() {
    let mut world = world();
    let root = ClusterName::root();
    let wanted = Key::new("", "ConfigMap", "n", "wanted");
    world.live.follow(&app("a"), &root, std::slice::from_ref(&world.maps), &[wanted]).await;
    world.fake.put(&map("strange", "nonsense"));
    world.fake.put(&map("mine", "b:/ConfigMap:n/mine"));
    assert_eq!(world.woken.recv().await, Some(app("b")), "its tracking id names b");
    world.fake.put(&map("wanted", ""));
    assert_eq!(world.woken.recv().await, Some(app("a")), "a wants it, whosever it is");
}

#[tokio::test]
async fn what_nobody_manages_is_read_when_it_is_wanted() {
    let world = world();
    let root = ClusterName::root();
    let mut plain = map("x", "");
    plain["metadata"]["annotations"] = json!({});
    world.fake.put(&plain);
    world.live.follow(&app("a"), &root, std::slice::from_ref(&world.maps), &[]).await;
    let key = Key::new("", "ConfigMap", "n", "x");
    let held = world.live.get(&root, &world.maps, &key).expect("it is known");
    assert!(held.json.is_empty(), "only its metadata is held");
    let whole = world.live.whole(&root, &world.maps, &key).await.expect("it is there");
    assert!(whole.value().is_ok_and(|value| value["kind"] == "ConfigMap"));
}

#[tokio::test]
async fn what_was_just_written_is_seen_at_once() {
    let world = world();
    let root = ClusterName::root();
    world.live.follow(&app("a"), &root, std::slice::from_ref(&world.maps), &[]).await;
    let owner = Owner::of(&app("a"), "argocd");
    let key = Key::new("", "ConfigMap", "n", "x");
    // The event of this write has not been seen by anyone: nothing yields in between.
    let object = world.fake.put(&map("x", "a:/ConfigMap:n/x"));
    assert!(world.live.get(&root, &world.maps, &key).is_none());
    world.live.wrote(&world.maps, &object);
    assert!(world.live.get(&root, &world.maps, &key).is_some());
    assert_eq!(world.live.owned(&owner, &root).len(), 1);
    world.live.deleted(&world.maps, &object);
    assert!(world.live.get(&root, &world.maps, &key).is_none());
    assert_eq!(world.live.owned(&owner, &root).len(), 0);
}

#[tokio::test]
async fn an_answer_that_comes_after_the_end_of_its_object_is_not_believed() {
    let mut world = world();
    let root = ClusterName::root();
    world.live.follow(&app("a"), &root, std::slice::from_ref(&world.maps), &[]).await;
    let key = Key::new("", "ConfigMap", "n", "x");
    let object = world.fake.put(&map("x", "a:/ConfigMap:n/x"));
    assert_eq!(world.woken.recv().await, Some(app("a")));
    let owner = Owner::of(&app("a"), "argocd");
    assert_eq!(world.live.owned(&owner, &root).len(), 1);
    // It is deleted and let go by another before the answer to the deletion is noted.
    let target = Target::namespaced(&root, &world.maps.gvr(), "n");
    world.fake.objects().delete(&target, "x", DeleteOptions::default()).await.expect("the delete is accepted");
    assert_eq!(world.woken.recv().await, Some(app("a")));
    world.live.wrote(&world.maps, &object);
    assert!(world.live.get(&root, &world.maps, &key).is_none(), "nothing would ever call for it again");
    assert!(world.live.owned(&owner, &root).is_empty());
}
