//! Tests of the whole capability against the fake API server: each starts it,
//! does what a user does, and waits for what must come of it.

// The lint spares functions marked as tests only, not those they share.
#![allow(clippy::unwrap_used)]

mod furnish;
mod garbage;
mod namespaces;

use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvr};
use base::{Ids, Tasks};
use capability::{Capability, Context, Endpoints, Health};
use client::fake::FakeObjects;
use client::{DeleteOptions, ObjectKey, Objects, Patch, Propagation, Target, WriteOptions};
use serde_json::{Value, json};

const CA_PEM: &str = "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n";

/// A server with the capability running.
struct Platform {
    fake: FakeObjects,
    tasks: Tasks,
    _directory: tempfile::TempDir,
}

impl Platform {
    async fn start(fake: FakeObjects) -> Platform {
        let (tasks, directory) = (Tasks::default(), tempfile::tempdir().unwrap());
        let endpoints = Endpoints {
            name: "test".into(),
            protocol: "https".into(),
            host: "localhost".into(),
            port: 8443,
            path_routing: true,
            api_url: "https://127.0.0.1:6443".into(),
            ca_pem: CA_PEM.into(),
        };
        let context = Context {
            objects: fake.objects(),
            clock: fake.clock(),
            ids: Ids::system(),
            tasks: tasks.clone(),
            contracts: contracts::Contracts::default(),
            directory: directory.path().to_owned(),
            endpoints: Arc::new(endpoints),
            settings: Arc::new(Value::Null),
            health: Health::unheard(),
        };
        core_loops::capability().run(context).await.unwrap();
        Platform { fake, tasks, _directory: directory }
    }

    /// Ends the capability and fails the test if anything in it panicked.
    async fn stop(self) {
        assert!(self.tasks.stop(Duration::from_secs(10)).await);
        assert!(self.tasks.failures().is_empty(), "{:?}", self.tasks.failures());
    }
}

fn target(api_version: &str, plural: &str, namespace: &str) -> Target {
    let (group, version) = api::name::split_api_version(api_version);
    let gvr = Gvr::new(group, version, plural);
    match namespace {
        "" => Target::cluster(&ClusterName::root(), &gvr),
        namespace => Target::namespaced(&ClusterName::root(), &gvr, namespace),
    }
}

async fn delete(fake: &FakeObjects, target: &Target, name: &str, propagation: Propagation) {
    let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
    fake.delete(target, name, options).await.unwrap();
}

async fn merge(fake: &FakeObjects, target: &Target, name: &str, change: Value) {
    let patch = Patch::Merge(change.to_string().into());
    fake.patch(target, name, None, patch, WriteOptions::default()).await.unwrap();
}

fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

/// Keys of a resource, as text.
fn keys(fake: &FakeObjects, plural: &str) -> Vec<String> {
    fake.all(plural).iter().map(|object| ObjectKey::of(object).to_string()).collect()
}

/// Lets everything run that can, until nobody calls the API any more: what happens after this is
/// caused by what the test does next. Works because each test has one thread.
async fn quiet(fake: &FakeObjects) {
    loop {
        let before = fake.calls().len();
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        if fake.calls().len() == before {
            return;
        }
    }
}

/// Makes an object with an absent owner and waits until it is collected, and until the collector has
/// nothing left to do: then it works, and has taken in all there is.
async fn collector_works(fake: &FakeObjects) {
    let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "never", "uid": "never" });
    let metadata = json!({ "namespace": "default", "name": "canary", "ownerReferences": [owner] });
    fake.put(&json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata }));
    fake.until("the canary is collected", |fake| !keys(fake, "secrets").contains(&"default/canary".to_owned())).await;
    quiet(fake).await;
}
