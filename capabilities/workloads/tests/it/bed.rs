//! A platform with the capability on it, and the few things that tests do to
//! objects. The same test runs where the controllers are in the server's
//! process and where they reach it over TLS as a stranger would.

use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvr};
use base::{Clock, Ids, Tasks};
use capability::{Capability, Context, Health};
use client::{DeleteOptions, KubeObjects, ListOptions, Objects, Patch, Target, WatchOptions, WriteOptions};
use futures::StreamExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::Platform;

use crate::faults::{Faults, Faulty, kill};
use crate::kubelet;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A platform under test.
pub struct Bed {
    pub platform: Platform,
    pub objects: Arc<dyn Objects>,
    /// Tasks of the test itself and of its node agent.
    pub tasks: Tasks,
    /// What goes wrong for the controllers.
    pub faults: Faults,
    /// What the controllers are given, and their tasks.
    context: Context,
    controllers: Mutex<Tasks>,
}

/// Runs a test on both transports, one after the other.
pub async fn on_both(test: impl AsyncFn(&Bed)) {
    for in_process in [true, false] {
        let bed = Bed::start(in_process).await;
        test(&bed).await;
        bed.stop().await;
    }
}

/// As [`on_both`], without the kubelet of the tests: nodes are simulated by the capability.
pub async fn on_both_simulated(settings: Value, test: impl AsyncFn(&Bed)) {
    for in_process in [true, false] {
        let bed = Bed::simulated(in_process, settings.clone()).await;
        test(&bed).await;
        bed.stop().await;
    }
}

impl Bed {
    /// A platform whose controllers reach it in its process, or from outside.
    pub async fn start(in_process: bool) -> Bed {
        let bed = Bed::simulated(in_process, Value::Null).await;
        kubelet::start(&bed.objects, &bed.tasks);
        bed
    }

    /// The same without a kubelet, with settings of the capability.
    pub async fn simulated(in_process: bool, settings: Value) -> Bed {
        let platform = Platform::start(Vec::new()).await.unwrap();
        let (tasks, faults, controllers) = (Tasks::default(), Faults::default(), Tasks::default());
        let reached: Arc<dyn Objects> = match in_process {
            true => platform.objects.clone(),
            false => Arc::new(KubeObjects::new(platform.kube().await.unwrap(), ClusterName::root())),
        };
        define(&platform).await;
        let context = given(&platform, Faulty { objects: reached, faults: faults.clone() }, &controllers);
        let context = Context { settings: Arc::new(settings), ..context };
        let objects = platform.objects.clone();
        workloads::capability().run(context.clone()).await.unwrap();
        Bed { platform, objects, tasks, faults, context, controllers: Mutex::new(controllers) }
    }

    /// Drops the controllers where they stand, as a `kill -9` does, and starts them anew.
    pub async fn restart(&self) {
        self.restart_with((*self.context.settings).clone()).await;
    }

    /// As [`Bed::restart`], with other settings.
    pub async fn restart_with(&self, settings: Value) {
        let tasks = Tasks::default();
        let old = std::mem::replace(&mut *self.controllers.lock(), tasks.clone());
        kill(&old).await;
        self.faults.clear();
        workloads::capability()
            .run(Context { tasks, settings: Arc::new(settings), ..self.context.clone() })
            .await
            .unwrap();
    }

    async fn stop(self) {
        kill(&self.controllers.into_inner()).await;
        kill(&self.tasks).await;
        self.platform.stop().await;
    }

    pub async fn create(&self, object: Value) -> Value {
        let target = target_of(&object);
        self.objects.create(&target, object.to_string().into(), WriteOptions::default()).await.unwrap().value().unwrap()
    }

    pub async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.objects.get(&target(kind), name).await.ok().map(|object| object.value().unwrap())
    }

    pub async fn list(&self, kind: &str) -> Vec<Value> {
        let list = self.objects.list(&target(kind), ListOptions::default()).await.unwrap();
        list.items.iter().map(|object| object.value().unwrap()).collect()
    }

    pub async fn merge(&self, kind: &str, name: &str, change: Value) -> Value {
        loop {
            let patch = Patch::Merge(change.to_string().into());
            match self.objects.patch(&target(kind), name, None, patch, WriteOptions::default()).await {
                Ok(changed) => return changed.value().unwrap(),
                // Whoever writes against many others tries again, as client-go's retry does.
                Err(status) if status.is_conflict() => {}
                Err(status) => panic!("{status:?}"),
            }
        }
    }

    pub async fn merge_status(&self, kind: &str, name: &str, status: Value) {
        let patch = Patch::Merge(json!({ "status": status }).to_string().into());
        self.objects.patch(&target(kind), name, Some("status"), patch, WriteOptions::default()).await.unwrap();
    }

    pub async fn delete(&self, kind: &str, name: &str) {
        self.delete_with(kind, name, DeleteOptions::default()).await;
    }

    pub async fn delete_with(&self, kind: &str, name: &str, options: DeleteOptions) {
        self.objects.delete(&target(kind), name, options).await.unwrap();
    }

    /// Waits until the objects of a kind are as `condition` wants them; looks again at every change.
    pub async fn until(&self, what: &str, kind: &str, condition: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let wait = async {
            loop {
                let options = WatchOptions::default();
                let list = self.objects.list(&target(kind), ListOptions::default()).await.unwrap();
                let options = WatchOptions { resource_version: list.resource_version, ..options };
                let mut changes = self.objects.watch(&target(kind), options).await.unwrap();
                let held: Vec<Value> = list.items.iter().map(|object| object.value().unwrap()).collect();
                if condition(&held) {
                    return held;
                }
                changes.next().await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(held) => held,
            Err(_) => panic!("waited in vain: {what}; there is {:#}", json!(self.list(kind).await)),
        }
    }

    /// As [`Bed::until`], for one object that must be there.
    pub async fn until_one(&self, what: &str, kind: &str, name: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let is_it = |object: &Value| object["metadata"]["name"] == *name;
        let held = self.until(what, kind, |held| held.iter().any(|object| is_it(object) && condition(object))).await;
        held.into_iter().find(is_it).unwrap()
    }

    /// Waits for an event of this reason about an object of this name; returns its message.
    pub async fn until_event(&self, about: &str, reason: &str) -> String {
        let is_it = |event: &Value| event["involvedObject"]["name"] == *about && event["reason"] == *reason;
        let held = self.until(reason, "events", |held| held.iter().any(is_it)).await;
        held.iter().find(|event| is_it(event)).unwrap()["message"].as_str().unwrap().to_owned()
    }
}

/// Installs the capability's kinds, as is done on a cluster that it is attached to.
async fn define(platform: &Platform) {
    let definitions = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let target = Target::cluster(&ClusterName::root(), &definitions);
    for text in workloads::capability().descriptor().kinds {
        for definition in machinery::yaml::documents(text).unwrap() {
            let body = definition.to_string().into();
            platform.objects.create(&target, body, WriteOptions::default()).await.unwrap();
        }
    }
}

/// What the capability is given.
fn given(platform: &Platform, objects: Faulty, tasks: &Tasks) -> Context {
    Context {
        objects: Arc::new(objects),
        clock: Clock::system(),
        ids: Ids::system(),
        tasks: tasks.clone(),
        contracts: platform.contracts.clone(),
        directory: std::env::temp_dir(),
        endpoints: platform.endpoints.clone(),
        settings: Arc::new(Value::Null),
        health: Health::unheard(),
    }
}

/// A kind by its plural, in the namespace `default` where it has namespaces.
pub fn target(plural: &str) -> Target {
    let (group, version, has_namespace) = match plural {
        "nodes" | "persistentvolumes" | "namespaces" => ("", "v1", false),
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" | "controllerrevisions" => ("apps", "v1", true),
        "jobs" | "cronjobs" => ("batch", "v1", true),
        "horizontalpodautoscalers" => ("autoscaling", "v2", true),
        "poddisruptionbudgets" => ("policy", "v1", true),
        "leases" => ("coordination.k8s.io", "v1", true),
        "priorityclasses" => ("scheduling.k8s.io", "v1", false),
        "stages" | "clusterresourceusages" | "custommetrics" => ("kwok.x-k8s.io", "v1alpha1", false),
        "resourceusages" | "externalmetrics" => ("kwok.x-k8s.io", "v1alpha1", true),
        "storageclasses" => ("storage.k8s.io", "v1", false),
        _ => ("", "v1", true),
    };
    let gvr = Gvr::new(group, version, plural);
    let root = ClusterName::root();
    if has_namespace { Target::namespaced(&root, &gvr, "default") } else { Target::cluster(&root, &gvr) }
}

fn target_of(object: &Value) -> Target {
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    let plural = match kind.strip_suffix('s') {
        Some(_) => format!("{kind}es"),
        None => format!("{}s", kind.strip_suffix('y').map_or(kind.clone(), |stem| format!("{stem}ie"))),
    };
    target(&plural)
}

/// Labels and a template of pods that bear them.
pub fn template(app: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": app } },
        "spec": { "containers": [{ "name": "main", "image": "example/web:1" }] },
    })
}
