//! A node agent for tests that need pods to come alive and nothing more of a
//! node: what is there runs and is ready at once. A pod annotated `test/then`
//! stays `Pending`, is `Running` without being ready, or ends as `Succeeded` or `Failed`, its
//! container with the code of `test/exit-code`, and with the condition `test/condition` if there
//! is one. What has ended is left alone.

use std::sync::Arc;

use base::Tasks;
use client::{Cache, Objects, Patch, Target, WriteOptions};
use controller::{Controller, Error, Next, Reconciler, place};
use futures::future::BoxFuture;
use serde_json::json;

use api::Gvr;

pub fn start(objects: &Arc<dyn Objects>, tasks: &Tasks) {
    let target = Target::everywhere(&Gvr::new("", "v1", "pods"));
    let pods = Cache::start(objects.clone(), target, tasks);
    let kubelet = Kubelet { objects: objects.clone(), pods: pods.clone() };
    Controller::new("kubelet", Arc::new(kubelet)).owns(&pods).workers(4).start(tasks);
}

struct Kubelet {
    objects: Arc<dyn Objects>,
    pods: Cache,
}

impl Reconciler for Kubelet {
    fn reconcile<'a>(&'a self, key: &'a client::ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(pod) = self.pods.get(key) else { return Ok(Next::Done) };
            let then = pod.meta.annotations.get("test/then").map_or("Ready", String::as_str);
            let (phase, ready) = if then == "Ready" { ("Running", "True") } else { (then, "False") };
            let held = pod.value()?;
            let held_ready = held["status"]["conditions"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|it| it["type"] == "Ready" && it["status"] == ready);
            let has_ended = held["status"]["phase"] == "Succeeded" || held["status"]["phase"] == "Failed";
            if has_ended || pod.meta.is_deleting() || (held["status"]["phase"] == phase && held_ready) {
                return Ok(Next::Done);
            }
            let now = jiff::Timestamp::from_second(base::Clock::system().now().as_second()).unwrap();
            let condition = json!({ "type": "Ready", "status": ready, "lastTransitionTime": now.to_string() });
            let mut status = json!({ "phase": phase, "conditions": [condition] });
            if let Some(kind) = pod.meta.annotations.get("test/condition") {
                let also = json!({ "type": kind, "status": "True", "lastTransitionTime": now.to_string() });
                status["conditions"] = json!([condition, also]);
            }
            if let Some(code) = pod.meta.annotations.get("test/exit-code") {
                let code: i64 = code.parse()?;
                let state = json!({ "terminated": { "exitCode": code, "finishedAt": now.to_string() } });
                status["containerStatuses"] = json!([{
                    "name": held["spec"]["containers"][0]["name"], "image": "example/web:1", "imageID": "",
                    "ready": false, "restartCount": 0, "state": state,
                }]);
            }
            let patch = json!({ "status": status });
            let patch = Patch::Strategic(patch.to_string().into());
            let target = place::at(&Gvr::new("", "v1", "pods"), key);
            match self.objects.patch(&target, &key.name, Some("status"), patch, WriteOptions::default()).await {
                Err(status) if !status.is_not_found() => Err(status.into()),
                _ => Ok(Next::Done),
            }
        })
    }
}
