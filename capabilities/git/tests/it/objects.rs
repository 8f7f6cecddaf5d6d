//! Repositories as objects: both directions, status, events.

use client::fake::{FakeObjects, Verb};
use client::{DeleteOptions, Target, WriteOptions};
use contracts::git::{NewRepository, RepositoryId};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::harness::{Server, commit, run};

fn found(objects: &FakeObjects, name: &str) -> Option<Value> {
    objects.find("repositories", "gitea", name)
}

fn target() -> Target {
    Target::namespaced(&api::ClusterName::root(), &git::kinds::repositories(), "gitea")
}

fn ready(object: &Value) -> Option<&str> {
    object["status"]["conditions"].as_array()?.iter().find(|held| held["type"] == "Ready")?["status"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applied_object_makes_a_repository_and_its_deletion_removes_it() {
    let server = Server::start().await;
    server.objects.put(&json!({
        "apiVersion": "coracle.dev/v1alpha1", "kind": "Repository",
        "metadata": {"name": "applied", "namespace": "gitea"},
        "spec": {"description": "from an object", "defaultBranch": "trunk"},
    }));
    let is_ready =
        |objects: &FakeObjects| found(objects, "applied").is_some_and(|object| ready(&object) == Some("True"));
    server.objects.until("the repository is ready", is_ready).await;
    let object = found(&server.objects, "applied").unwrap();
    assert_eq!(object["status"]["cloneURL"], server.url("applied"));
    assert_eq!(object["status"]["head"], "trunk");
    let shown = server.api("GET", "/repos/giteaAdmin/applied", None).await.json();
    assert_eq!((&shown["description"], &shown["empty"]), (&json!("from an object"), &json!(true)));
    let objects = server.objects.objects();
    objects.delete(&target(), "applied", DeleteOptions::default()).await.unwrap();
    server.objects.until("the object is gone", |objects| found(objects, "applied").is_none()).await;
    assert!(!server.bare("applied").exists());
    assert_eq!(server.api("GET", "/repos/giteaAdmin/applied", None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_made_elsewhere_gets_an_object_and_its_removal_takes_it() {
    let server = Server::start().await;
    let id = RepositoryId { owner: "giteaAdmin".into(), name: "By.Contract".into() };
    let new = NewRepository { id: id.clone(), description: "d".into(), private: true, default_branch: "main".into() };
    assert!(server.repositories().ensure(&new).await.unwrap());
    let name = git::names::object_name(&id);
    let object = found(&server.objects, &name).expect("the object is there when the call returns");
    assert_eq!(object["spec"]["private"], true);
    assert!(server.bare("By.Contract").is_dir());
    assert_eq!(server.api("DELETE", "/repos/giteaAdmin/By.Contract", None).await.status, 204);
    server.objects.until("the object is gone", |objects| found(objects, &name).is_none()).await;
    assert!(!server.bare("By.Contract").exists());
    // And it can be made again.
    assert!(server.repositories().ensure(&new).await.unwrap());
    server
        .objects
        .until("it is ready", |objects| found(objects, &name).is_some_and(|o| ready(&o) == Some("True")))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_one_status_write_one_event_and_a_change() {
    let server = Server::start().await;
    server.make("demo").await;
    let is_ready = |objects: &FakeObjects| found(objects, "giteaadmin-demo").is_some_and(|o| ready(&o) == Some("True"));
    server.objects.until("it is ready", is_ready).await;
    let writes = |objects: &FakeObjects| {
        let status = |call: &&client::fake::Call| call.verb == Verb::Update && call.subresource == "status";
        objects.calls().iter().filter(status).count()
    };
    let before = writes(&server.objects);
    let mut changes = server.repositories().changes();
    let work = server.workspace("demo").await;
    let first = run(&work, &["rev-parse", "HEAD"]).await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main", "main:other", "main:third"]).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(changes.next().await.unwrap().reference);
    }
    assert_eq!(seen, ["refs/heads/main", "refs/heads/other", "refs/heads/third"]);
    let at_first = |objects: &FakeObjects| found(objects, "giteaadmin-demo").unwrap()["status"]["revision"] == *first;
    server.objects.until("the status shows the push", at_first).await;
    let described = |objects: &FakeObjects| {
        let events = objects.all("events");
        events
            .iter()
            .any(|event| event.value().unwrap()["message"].as_str().unwrap().contains("giteaAdmin pushed: main is new"))
    };
    server.objects.until("an event tells of it", described).await;
    let status = &found(&server.objects, "giteaadmin-demo").unwrap()["status"];
    assert_eq!(status["branches"].as_array().unwrap().len(), 3);
    assert!(status["lastPush"].is_string());
    assert_eq!(writes(&server.objects), before + 1, "three branches, one status write");

    let second = commit(&work, "a.txt", "two\n").await;
    run(&work, &["push", "-q", &server.own_url("demo"), "main"]).await;
    let at_second = |objects: &FakeObjects| found(objects, "giteaadmin-demo").unwrap()["status"]["revision"] == *second;
    server.objects.until("the status shows the second push", at_second).await;
    assert_eq!(writes(&server.objects), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_object_reach_the_repository() {
    let server = Server::start().await;
    server.pushed("demo").await;
    let patch = client::Patch::Merge(json!({"spec": {"private": true, "description": "new"}}).to_string().into());
    let objects = server.objects.objects();
    objects.patch(&target(), "giteaadmin-demo", None, patch, WriteOptions::default()).await.unwrap();
    let observed = |objects: &FakeObjects| {
        let object = found(objects, "giteaadmin-demo").unwrap();
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
    };
    server.objects.until("the controller has seen it", observed).await;
    let shown = server.api("GET", "/repos/giteaAdmin/demo", None).await.json();
    assert_eq!((&shown["private"], &shown["description"]), (&json!(true), &json!("new")));
    assert_eq!(server.http("GET", "/gitea/api/v1/repos/giteaAdmin/demo", &[], b"").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_in_the_object() {
    let server = Server::start().await;
    server.pushed("demo").await;
    let object = |name: &str, spec: Value| {
        json!({"apiVersion": "coracle.dev/v1alpha1", "kind": "Repository",
            "metadata": {"name": name, "namespace": "gitea"}, "spec": spec})
    };
    server.objects.put(&object("bad-name", json!({"owner": "..", "name": "x"})));
    server.objects.put(&object("second", json!({"owner": "giteaAdmin", "name": "demo"})));
    for name in ["bad-name", "second"] {
        let refused =
            |objects: &FakeObjects| found(objects, name).is_some_and(|object| ready(&object) == Some("False"));
        server.objects.until("the object says so", refused).await;
    }
    let reason = |name: &str| found(&server.objects, name).unwrap()["status"]["conditions"][0]["reason"].clone();
    assert_eq!((reason("bad-name"), reason("second")), (json!("InvalidName"), json!("Conflict")));
    // The second object goes without taking the repository of the first.
    let objects = server.objects.objects();
    objects.delete(&target(), "second", DeleteOptions::default()).await.unwrap();
    server.objects.until("it is gone", |objects| found(objects, "second").is_none()).await;
    assert!(server.bare("demo").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_keeps_its_name() {
    let server = Server::start().await;
    server.pushed("demo").await;
    let objects = server.objects.objects();
    let patch = client::Patch::Merge(json!({"spec": {"name": "other"}}).to_string().into());
    objects.patch(&target(), "giteaadmin-demo", None, patch, WriteOptions::default()).await.unwrap();
    let refused = |objects: &FakeObjects| {
        found(objects, "giteaadmin-demo").unwrap()["status"]["conditions"][0]["reason"] == "Renamed"
    };
    server.objects.until("the object says so", refused).await;
    assert!(server.bare("demo").is_dir() && !server.bare("other").exists());
    objects.delete(&target(), "giteaadmin-demo", DeleteOptions::default()).await.unwrap();
    server.objects.until("it is gone", |objects| found(objects, "giteaadmin-demo").is_none()).await;
    assert!(!server.bare("demo").exists(), "what it stood for goes with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_took_the_name_first_is_left_alone() {
    let server = Server::start().await;
    server.objects.put(&json!({
        "apiVersion": "coracle.dev/v1alpha1", "kind": "Repository",
        "metadata": {"name": "giteaadmin-demo", "namespace": "gitea"}, "spec": {"name": "other"},
    }));
    let is_ready = |objects: &FakeObjects| found(objects, "giteaadmin-demo").is_some_and(|o| ready(&o) == Some("True"));
    server.objects.until("the first is ready", is_ready).await;
    let id = server.make("demo").await;
    let own = git::names::distinct_object_name(&id);
    server.objects.until("the second has an object", |objects| found(objects, &own).is_some()).await;
    let objects = server.objects.objects();
    objects.delete(&target(), "giteaadmin-demo", DeleteOptions::default()).await.unwrap();
    server.objects.until("the first is gone", |objects| found(objects, "giteaadmin-demo").is_none()).await;
    assert!(server.bare("demo").is_dir() && !server.bare("other").exists());
}
