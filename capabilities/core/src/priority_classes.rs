//! Gives every cluster the two priority classes of the system, as kube-apiserver does:
//! what keeps a cluster or a node alive names one of them. Whatever removes them, they
//! come back; it touches no other class.

use std::sync::Arc;

use api::{Gvr, Status};
use capability::Context;
use client::{Cache, CacheOptions, Change, ObjectKey, Objects, Target, WriteOptions};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;
use serde_json::json;

/// A namespace that every cluster is born with, and so the cluster's key here.
const ANCHOR: &str = "kube-system";
const CLASSES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

pub(crate) fn start(ctx: &Context, namespaces: &Cache) -> Handle {
    let options = CacheOptions { metadata_only: true, ..CacheOptions::default() };
    let classes = Cache::start_with(ctx.objects.clone(), Target::everywhere(&resource()), options, &ctx.tasks);
    let reconciler = Classes { objects: ctx.objects.clone(), namespaces: namespaces.clone(), classes: classes.clone() };
    let anchor = |change: &Change| vec![ObjectKey::new(&change.object().cluster, "", ANCHOR)];
    let anchor_only = move |change: &Change| match &*change.object().meta.name {
        ANCHOR => anchor(change),
        _ => Vec::new(),
    };
    let known_only = move |change: &Change| {
        let is_known = CLASSES.iter().any(|(name, ..)| *name == change.object().meta.name);
        if is_known { anchor(change) } else { Vec::new() }
    };
    Controller::new("system priority classes", Arc::new(reconciler))
        .watches(namespaces, anchor_only)
        .watches(&classes, known_only)
        .start(&ctx.tasks)
}

fn resource() -> Gvr {
    Gvr::new("scheduling.k8s.io", "v1", "priorityclasses")
}

struct Classes {
    objects: Arc<dyn Objects>,
    namespaces: Cache,
    classes: Cache,
}

impl Reconciler for Classes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            if self.namespaces.get(key).is_none() {
                return Ok(Next::Done);
            }
            for (name, value, description) in CLASSES {
                if self.classes.get(&ObjectKey::new(&key.cluster, "", name)).is_none() {
                    self.create(key, name, value, description).await?;
                }
            }
            Ok(Next::Done)
        })
    }
}

impl Classes {
    async fn create(&self, key: &ObjectKey, name: &str, value: i64, description: &str) -> Result<(), Status> {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": { "name": name },
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        });
        let target = Target::cluster(&key.cluster, &resource());
        match self.objects.create(&target, class.to_string().into(), WriteOptions::default()).await {
            Err(status) if status.is_already_exists() => Ok(()),
            written => written.map(drop),
        }
    }
}
