//! Gives every active namespace what Kubernetes promises: the ServiceAccount
//! `default`, and the ConfigMap `kube-root-ca.crt` that pods trust the API by.
//! Whatever removes or changes them, they come back. It touches nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Gvr, Status};
use capability::Context;
use client::{Cache, CacheOptions, Change, Object, ObjectKey, Objects, Patch, Target, WriteOptions};
use controller::{Controller, Error, Handle, Next, Reconciler, place};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

const SERVICE_ACCOUNT: &str = "default";
const ROOT_CA: &str = "kube-root-ca.crt";
const ROOT_CA_KEY: &str = "ca.crt";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
    endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
    distributions of Kubernetes clusters.";

pub(crate) fn start(ctx: &Context, namespaces: &Cache) -> Handle {
    let named = |plural: &str, name: &str, metadata_only: bool| {
        let options =
            CacheOptions { field_selector: format!("metadata.name={name}"), metadata_only, ..CacheOptions::default() };
        Cache::start_with(ctx.objects.clone(), Target::everywhere(&resource(plural)), options, &ctx.tasks)
    };
    let accounts = named("serviceaccounts", SERVICE_ACCOUNT, true);
    let root_cas = named("configmaps", ROOT_CA, false);
    let furnisher = Furnisher {
        objects: ctx.objects.clone(),
        namespaces: namespaces.clone(),
        accounts: accounts.clone(),
        root_cas: root_cas.clone(),
        ca_pem: ctx.endpoints.ca_pem.as_str().into(),
    };
    let namespace_of = |change: &Change| {
        let object = change.object();
        vec![ObjectKey::new(&object.cluster, "", &object.meta.namespace)]
    };
    Controller::new("furnish namespaces", Arc::new(furnisher))
        .owns(namespaces)
        .watches(&accounts, namespace_of)
        .watches(&root_cas, namespace_of)
        .workers(2)
        .start(&ctx.tasks)
}

fn resource(plural: &str) -> Gvr {
    Gvr::new("", "v1", plural)
}

struct Furnisher {
    objects: Arc<dyn Objects>,
    namespaces: Cache,
    accounts: Cache,
    root_cas: Cache,
    ca_pem: Arc<str>,
}

impl Reconciler for Furnisher {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let is_active = self.namespaces.get(key).is_some_and(|namespace| !namespace.meta.is_deleting());
            if is_active {
                self.account(key).await?;
                self.root_ca(key).await?;
            }
            Ok(Next::Done)
        })
    }
}

impl Furnisher {
    async fn account(&self, namespace: &ObjectKey) -> Result<(), Status> {
        if self.accounts.get(&ObjectKey::new(&namespace.cluster, &namespace.name, SERVICE_ACCOUNT)).is_some() {
            return Ok(());
        }
        let account = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": SERVICE_ACCOUNT, "namespace": &*namespace.name },
        });
        self.create(namespace, "serviceaccounts", &account).await
    }

    async fn root_ca(&self, namespace: &ObjectKey) -> Result<(), Status> {
        let key = ObjectKey::new(&namespace.cluster, &namespace.name, ROOT_CA);
        let Some(held) = self.root_cas.get(&key) else {
            let config_map = json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": ROOT_CA,
                    "namespace": &*namespace.name,
                    "annotations": { "kubernetes.io/description": DESCRIPTION },
                },
                "data": { ROOT_CA_KEY: &*self.ca_pem },
            });
            return self.create(namespace, "configmaps", &config_map).await;
        };
        let Some(data) = correction(&held, &self.ca_pem) else { return Ok(()) };
        let patch = json!({ "metadata": { "resourceVersion": held.meta.resource_version }, "data": data });
        let patch = Patch::Merge(patch.to_string().into());
        let target = place::at(&resource("configmaps"), &key);
        settle(self.objects.patch(&target, ROOT_CA, None, patch, WriteOptions::default()).await)
    }

    async fn create(&self, namespace: &ObjectKey, plural: &str, object: &Value) -> Result<(), Status> {
        let target = Target::namespaced(&namespace.cluster, &resource(plural), &namespace.name);
        settle(self.objects.create(&target, object.to_string().into(), WriteOptions::default()).await)
    }
}

/// The merge patch of `data` that makes it hold the certificate and nothing else.
fn correction(held: &Object, ca_pem: &str) -> Option<Value> {
    #[derive(Default, Deserialize)]
    struct ConfigMap {
        #[serde(default)]
        data: Option<BTreeMap<String, String>>,
    }
    let data = held.parse::<ConfigMap>().unwrap_or_default().data.unwrap_or_default();
    let mut patch = serde_json::Map::new();
    for key in data.keys().filter(|key| *key != ROOT_CA_KEY) {
        patch.insert(key.clone(), Value::Null);
    }
    if data.get(ROOT_CA_KEY).is_none_or(|pem| pem != ca_pem) {
        patch.insert(ROOT_CA_KEY.to_owned(), ca_pem.into());
    }
    (!patch.is_empty()).then(|| patch.into())
}

/// Somebody else made it, it is gone again (its end is an event of its own), or the namespace
/// is on its way out: nothing to do.
fn settle(written: client::Result<Object>) -> Result<(), Status> {
    match written {
        Err(status) if status.is_already_exists() || status.is_not_found() => Ok(()),
        Err(status) if is_terminating(&status) => Ok(()),
        written => written.map(drop),
    }
}

fn is_terminating(status: &Status) -> bool {
    status.causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
}
