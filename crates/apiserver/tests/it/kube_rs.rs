//! kube-rs, typed and dynamic, over TLS.

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::json;
use testkit::Platform;

#[tokio::test(flavor = "multi_thread")]
async fn a_kube_rs_program_works_unchanged() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let client = platform.kube().await?;
    let version = client.apiserver_version().await?;
    ensure!(version.minor == "36", "{version:?}");
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
    let configmaps: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
    let mut object = DynamicObject::new("from-rust", &resource);
    object.data = json!({"data": {"a": "1"}});
    let created = configmaps.create(&PostParams::default(), &object).await?;
    ensure!(created.metadata.uid.is_some());

    let patch = Patch::Merge(json!({"data": {"b": "2"}}));
    let patched = configmaps.patch("from-rust", &PatchParams::default(), &patch).await?;
    ensure!(patched.data["data"] == json!({"a": "1", "b": "2"}));

    let listed = configmaps.list(&ListParams::default().fields("metadata.name=from-rust")).await?;
    ensure!(listed.items.len() == 1);
    let revision = listed.metadata.resource_version.unwrap_or_default();
    let mut events = configmaps.watch(&WatchParams::default(), &revision).await?.boxed();
    configmaps.delete("from-rust", &DeleteParams::default()).await?;
    let event = events.try_next().await?;
    ensure!(
        matches!(&event, Some(WatchEvent::Deleted(object)) if object.metadata.name.as_deref() == Some("from-rust")),
        "{event:?}"
    );

    let missing = configmaps.get("from-rust").await;
    ensure!(matches!(&missing, Err(kube::Error::Api(status)) if status.code == 404), "{missing:?}");
    platform.stop().await;
    Ok(())
}
