//! Tests of what controllers write: finalizers, status and events.

use std::time::Duration;

use api::{ClusterName, Gvk, Gvr, Status};
use base::Ids;
use client::fake::{FakeObjects, Verb};
use client::{Object, Objects, Patch, Target, WriteOptions};
use controller::{EventKind, Recorder, finalizer, owner, report};
use serde_json::{Value, json};

fn deployments() -> Target {
    Target::everywhere(&Gvr::new("apps", "v1", "deployments"))
}

fn deployment(fake: &FakeObjects) -> Object {
    let metadata = json!({ "namespace": "ns", "name": "web" });
    fake.put(&json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {} }))
}

fn found(fake: &FakeObjects) -> Value {
    fake.find("deployments", "ns", "web").unwrap()
}

async fn merge(fake: &FakeObjects, subresource: Option<&str>, change: Value) {
    let target = Target::namespaced(&ClusterName::root(), &deployments().gvr, "ns");
    let patch = Patch::Merge(change.to_string().into());
    fake.patch(&target, "web", subresource, patch, WriteOptions::default()).await.unwrap();
}

#[tokio::test]
async fn finalizers_are_written_once_and_never_over_a_newer_object() {
    let fake = FakeObjects::new();
    let object = deployment(&fake);
    let with = finalizer::add(&fake, &deployments(), &object, "test/clean").await.unwrap();
    assert!(finalizer::has(&with, "test/clean") && !finalizer::has(&object, "test/clean"));
    finalizer::add(&fake, &deployments(), &with, "test/clean").await.unwrap();
    assert_eq!(fake.count(Verb::Patch, "deployments"), 1);

    let raced = finalizer::add(&fake, &deployments(), &object, "test/other").await.unwrap_err();
    assert!(raced.is_conflict());
    finalizer::remove(&fake, &deployments(), &with, "test/clean").await.unwrap();
    assert_eq!(found(&fake)["metadata"]["finalizers"], json!([]));
    let gone = Status::not_found(&deployments().gvr, "web");
    fake.fail_next(Verb::Patch, "deployments", gone);
    finalizer::remove(&fake, &deployments(), &with, "test/clean").await.unwrap();
}

#[tokio::test]
async fn a_status_is_written_only_when_it_changed() {
    let fake = FakeObjects::new();
    let object = deployment(&fake);
    assert!(!report::status_if_changed(&fake, &deployments(), &object, json!({})).await.unwrap());
    assert!(report::status_if_changed(&fake, &deployments(), &object, json!({ "replicas": 1 })).await.unwrap());
    assert_eq!(fake.count(Verb::Update, "deployments"), 1);
    assert_eq!(found(&fake)["status"], json!({ "replicas": 1 }));
}

#[tokio::test]
async fn a_status_survives_a_race_over_the_spec_but_not_over_itself() {
    let fake = FakeObjects::new();
    let object = deployment(&fake);
    merge(&fake, None, json!({ "spec": { "replicas": 3 } })).await;
    assert!(report::status_if_changed(&fake, &deployments(), &object, json!({ "replicas": 1 })).await.unwrap());
    assert_eq!(
        (&found(&fake)["spec"], &found(&fake)["status"]),
        (&json!({ "replicas": 3 }), &json!({ "replicas": 1 }))
    );

    merge(&fake, Some("status"), json!({ "status": { "replicas": 2 } })).await;
    let raced = report::status_if_changed(&fake, &deployments(), &object, json!({ "replicas": 9 })).await;
    assert!(raced.unwrap_err().is_conflict());
    assert_eq!(found(&fake)["status"], json!({ "replicas": 2 }));
}

#[tokio::test]
async fn events_are_made_then_counted_then_made_anew() {
    let fake = FakeObjects::new();
    let object = deployment(&fake);
    let recorder = Recorder::new(fake.objects(), fake.clock(), Ids::system(), "test");
    let record = || recorder.record(&object, EventKind::Warning, "Failed", "Sync", "It failed.");
    record().await;
    fake.clock().advance(Duration::from_secs(60));
    record().await;
    let events = fake.all("events");
    let event = events[0].value().unwrap();
    assert_eq!(events.len(), 1);
    assert!(events[0].meta.name.starts_with("web.") && &*events[0].meta.namespace == "ns");
    assert_eq!(event["count"], 2);
    assert_eq!(event["firstTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(event["lastTimestamp"], "2026-01-01T00:01:00Z");
    assert_eq!(event["involvedObject"]["kind"], "Deployment");
    assert_eq!((&event["type"], &event["action"]), (&json!("Warning"), &json!("Sync")));

    fake.fail_next(Verb::Patch, "events", Status::not_found(&Gvr::new("", "v1", "events"), "web"));
    record().await;
    record().await;
    let mut counts: Vec<Value> =
        fake.all("events").iter().map(|event| event.value().unwrap()["count"].clone()).collect();
    counts.sort_by_key(Value::as_i64);
    assert_eq!(counts, [2, 2]);
}

#[test]
fn owners_that_control_also_block() {
    let meta = api::ObjectMeta { name: "web".into(), uid: "u".into(), ..api::ObjectMeta::default() };
    let gvk = Gvk::new("apps", "v1", "Deployment");
    let json = |controller| serde_json::to_value(owner::reference(&gvk, &meta, controller)).unwrap();
    let plain = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u" });
    assert_eq!(json(false), plain);
    assert_eq!(json(true)["blockOwnerDeletion"], true);
}
