//! The capability on a whole platform: its kind through the real API server, git
//! over the real listener with TLS.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::{Object, Objects, Target, WatchOptions, WriteOptions};
use futures::StreamExt;
use git::Git;
use serde_json::{Value, json};
use testkit::Platform;

use crate::harness::{commit, run};

fn target() -> Target {
    Target::namespaced(&api::ClusterName::root(), &git::kinds::repositories(), "gitea")
}

/// Waits until an object is as asked.
async fn until(objects: &dyn Objects, wanted: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        let mut events = objects.watch(&target(), WatchOptions::default()).await.unwrap();
        loop {
            let object: Object = match events.next().await.unwrap().unwrap() {
                client::Event::Added(object) | client::Event::Modified(object) => object,
                _ => continue,
            };
            let value = object.value().unwrap();
            if wanted(&value) {
                return value;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the object gets there")
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_applied_object_to_a_push_in_its_status() {
    let platform = Platform::start(vec![Box::new(Git::new())]).await.unwrap();
    let objects = platform.objects.clone();
    let repository = json!({
        "apiVersion": "coracle.dev/v1alpha1", "kind": "Repository",
        "metadata": {"name": "demo", "namespace": "gitea"}, "spec": {"description": "on a platform"},
    });
    objects.create(&target(), repository.to_string().into(), WriteOptions::default()).await.unwrap();
    let object = until(&*objects, |object| object["status"]["conditions"][0]["status"] == "True").await;
    let url = object["status"]["cloneURL"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("{}/giteaAdmin/demo.git", platform.endpoints.url("gitea", "/gitea")));

    let secrets = Target::namespaced(&api::ClusterName::root(), &git::kinds::secrets(), "gitea");
    let secret = objects.get(&secrets, "gitea-credential").await.unwrap().value().unwrap();
    let password = STANDARD.decode(secret["data"]["password"].as_str().unwrap()).unwrap();
    let credentials = format!("giteaAdmin:{}@", String::from_utf8(password).unwrap());
    let own_url = url.replacen("https://", &format!("https://{credentials}"), 1);

    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("ca.pem");
    std::fs::write(&authority, &platform.endpoints.ca_pem).unwrap();
    let trust = format!("http.sslCAInfo={}", authority.display());
    run(directory.path(), &["init", "-q", "-b", "main", "work"]).await;
    let work = directory.path().join("work");
    let head = commit(&work, "a.txt", "one\n").await;
    run(&work, &["-c", &trust, "push", "-q", &own_url, "main"]).await;
    until(&*objects, |object| object["status"]["revision"] == *head).await;
    run(directory.path(), &["-c", &trust, "clone", "-q", &url, "copy"]).await;

    platform.stop().await;
}
