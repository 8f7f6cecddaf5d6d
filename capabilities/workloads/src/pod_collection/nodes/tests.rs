//! Pods of lost nodes, with a clock that the tests move.

use std::sync::Arc;
use std::time::Duration;

use api::ClusterName;
use base::{Clock, Ids, Tasks};
use capability::{Context, Endpoints, Health};
use client::fake::{FakeObjects, Verb, gvr};
use client::{ObjectKey, Objects, Patch, WriteOptions};
use controller::{Next, Reconciler, place};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Nodes;
use crate::world::World;

fn endpoints() -> Endpoints {
    Endpoints {
        name: "test".into(),
        protocol: "https".into(),
        host: "localhost".into(),
        port: 0,
        path_routing: true,
        api_url: String::new(),
        ca_pem: String::new(),
    }
}

struct Scene {
    server: FakeObjects,
    clock: Clock,
    nodes: Nodes,
    _tasks: Tasks,
}

impl Scene {
    async fn of(objects: &[Value]) -> Scene {
        let server = FakeObjects::new();
        for object in objects {
            let made = server.put(object);
            // A status is not made with its object.
            let patch = Patch::Merge(json!({ "status": object["status"] }).to_string().into());
            let target = place::at(&gvr("v1", "pods"), &ObjectKey::of(&made));
            server.patch(&target, &made.meta.name, Some("status"), patch, WriteOptions::default()).await.unwrap();
        }
        let (clock, tasks) = (server.clock(), Tasks::default());
        let context = Context {
            objects: server.objects(),
            clock: clock.clone(),
            ids: Ids::system(),
            tasks: tasks.clone(),
            contracts: contracts::Contracts::default(),
            directory: std::env::temp_dir(),
            endpoints: Arc::new(endpoints()),
            settings: Arc::new(Value::Null),
            health: Health::unheard(),
        };
        let world = World::start(&context);
        world.pods.cache().ready().await;
        world.nodes.cache().ready().await;
        Scene { server, clock, nodes: Nodes { world, missing: Mutex::default() }, _tasks: tasks }
    }

    async fn look(&self) -> Next {
        self.nodes.reconcile(&ObjectKey::new(&ClusterName::root(), "", "lost")).await.unwrap()
    }

    fn pods(&self) -> usize {
        self.server.all("pods").len()
    }
}

fn pod(name: &str, phase: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "default", "finalizers": ["example.com/hold"] },
        "spec": { "nodeName": "lost" }, "status": { "phase": phase },
    })
}

fn secs(next: Next) -> u64 {
    match next {
        Next::Done => 0,
        Next::After(wait) => wait.as_secs(),
    }
}

#[tokio::test]
async fn pods_of_a_node_that_is_gone_fail_after_a_while() {
    let scene = Scene::of(&[pod("runs", "Running"), pod("done", "Succeeded")]).await;
    assert_eq!(secs(scene.look().await), 40);
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(secs(scene.look().await), 10);
    assert_eq!(scene.server.count(Verb::Delete, "pods"), 0);
    scene.clock.advance(Duration::from_secs(10));
    assert_eq!(scene.look().await, Next::Done);
    let runs = scene.server.find("pods", "default", "runs").unwrap();
    assert_eq!(runs["status"]["phase"], "Failed");
    let condition = &runs["status"]["conditions"][0];
    assert_eq!([&condition["type"], &condition["status"]], ["DisruptionTarget", "True"]);
    assert_eq!([&condition["reason"], &condition["message"]], ["DeletionByPodGC", "PodGC: node no longer exists"]);
    let done = scene.server.find("pods", "default", "done").unwrap();
    assert_eq!([&done["status"]["phase"], &done["status"]["conditions"]], [&json!("Succeeded"), &Value::Null]);
    assert!(runs["metadata"]["deletionTimestamp"].is_string() && done["metadata"]["deletionTimestamp"].is_string());
}

#[tokio::test]
async fn a_node_that_comes_back_in_time_keeps_its_pods() {
    let scene = Scene::of(&[pod("runs", "Running")]).await;
    scene.look().await;
    scene.clock.advance(Duration::from_secs(39));
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "lost" } });
    scene.server.put(&node);
    // The node is read afresh even if the watch has not told of it.
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(scene.look().await, Next::Done);
    assert_eq!(scene.server.count(Verb::Delete, "pods"), 0);
    assert_eq!(scene.pods(), 1);
}

#[test]
fn only_a_node_that_is_not_ready_is_out_of_service() {
    let check = |key: &str, ready: &str, expect: bool| {
        let node = json!({
            "metadata": { "name": "n" },
            "spec": { "taints": [{ "key": key, "effect": "NoExecute" }] },
            "status": { "conditions": [{ "type": "Ready", "status": ready }] },
        });
        let node = client::Object::from_json(ClusterName::root(), node.to_string().into()).unwrap();
        assert_eq!(super::is_out_of_service(&node).unwrap(), expect, "{key} {ready}");
    };
    check("node.kubernetes.io/out-of-service", "False", true);
    check("node.kubernetes.io/out-of-service", "Unknown", true);
    check("node.kubernetes.io/out-of-service", "True", false);
    check("node.kubernetes.io/unreachable", "Unknown", false);
}
