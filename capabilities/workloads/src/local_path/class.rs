//! Gives every cluster its default storage class. It comes back when it is
//! deleted, as an add-on that must exist; whatever a user changes in it stays, so
//! that another class can be made the default.

use std::sync::Arc;

use api::{Gvr, Status};
use client::{Cache, CacheOptions, Change, ObjectKey, Target};
use controller::{Controller, Error, Handle, Next, Reconciler};
use futures::future::BoxFuture;
use serde_json::json;

use crate::world::World;

const CLASS: &str = "local-path";
/// A namespace that every cluster is born with, and so the cluster's key here.
const ANCHOR: &str = "kube-system";

pub(super) fn start(world: &World, provisioner: &'static str) -> Handle {
    let ctx = world.ctx();
    let target = Target::everywhere(&Gvr::new("", "v1", "namespaces"));
    let options = CacheOptions {
        field_selector: format!("metadata.name={ANCHOR}"),
        metadata_only: true,
        ..CacheOptions::default()
    };
    let anchors = Cache::start_with(ctx.objects.clone(), target, options, &ctx.tasks);
    let reconciler = Classes { world: world.clone(), anchors: anchors.clone(), provisioner };
    let own = |change: &Change| {
        let object = change.object();
        let anchor = (object.meta.name == CLASS).then(|| ObjectKey::new(&object.cluster, "", ANCHOR));
        anchor.into_iter().collect()
    };
    Controller::new("default storage class", Arc::new(reconciler))
        .owns(&anchors)
        .watches(world.storage_classes.cache(), own)
        .start(&ctx.tasks)
}

struct Classes {
    world: World,
    anchors: Cache,
    provisioner: &'static str,
}

impl Reconciler for Classes {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let own = ObjectKey::new(&key.cluster, "", CLASS);
            if self.anchors.get(key).is_some() && self.world.storage_classes.get(&own).is_none() {
                self.create(key).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Classes {
    async fn create(&self, anchor: &ObjectKey) -> Result<(), Status> {
        let class = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": CLASS,
                "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
            },
            "provisioner": self.provisioner,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": true,
        });
        match self.world.storage_classes.create(&anchor.cluster, &class).await {
            Err(status) if status.is_already_exists() => Ok(()),
            made => made.map(drop),
        }
    }
}
