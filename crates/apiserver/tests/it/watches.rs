//! Watches in process: order, selection, and the end of history.

use anyhow::{Result, bail, ensure};
use client::{Event, Target, WatchOptions, WriteOptions};
use futures::StreamExt;
use serde_json::json;
use testkit::Platform;

fn configmaps() -> Target {
    Target::namespaced(&api::ClusterName::root(), &api::Gvr::new("", "v1", "configmaps"), "default")
}

fn configmap(name: &str, labels: serde_json::Value) -> bytes::Bytes {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}).to_string().into()
}

fn describe(event: &Event) -> String {
    match event {
        Event::Added(object) => format!("+{}", object.meta.name),
        Event::Modified(object) => format!("~{}", object.meta.name),
        Event::Deleted(object) => format!("-{}", object.meta.name),
        Event::Bookmark { initial_events_end, .. } => format!("bookmark {initial_events_end}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_enter_and_leave_a_selection() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let objects = platform.objects.clone();
    objects.create(&configmaps(), configmap("old", json!({"a": "1"})), WriteOptions::default()).await?;
    let options = WatchOptions { label_selector: "a=1".into(), send_initial_events: true, ..Default::default() };
    let mut events = objects.watch(&configmaps(), options).await?;
    objects.create(&configmaps(), configmap("other", json!({"a": "2"})), WriteOptions::default()).await?;
    objects.create(&configmaps(), configmap("new", json!({"a": "1"})), WriteOptions::default()).await?;
    objects
        .update(&configmaps(), "other", None, configmap("other", json!({"a": "1"})), WriteOptions::default())
        .await?;
    objects
        .update(&configmaps(), "other", None, configmap("other", json!({"a": "1", "b": "x"})), WriteOptions::default())
        .await?;
    objects.update(&configmaps(), "new", None, configmap("new", json!({})), WriteOptions::default()).await?;
    objects.delete(&configmaps(), "old", client::DeleteOptions::default()).await?;
    let mut seen = Vec::new();
    let mut last = 0;
    while seen.len() < 7 {
        let Some(event) = events.next().await else { bail!("the watch ended early") };
        let event = event?;
        if let Event::Added(object) | Event::Modified(object) | Event::Deleted(object) = &event {
            ensure!(object.meta.revision() > last, "revisions rise");
            last = object.meta.revision();
        }
        seen.push(describe(&event));
    }
    ensure!(seen == ["+old", "bookmark true", "+new", "+other", "~other", "-new", "-old"], "{seen:?}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_is_not_written() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let objects = platform.objects.clone();
    let first = objects.create(&configmaps(), configmap("still", json!({"a": "1"})), WriteOptions::default()).await?;
    let second = objects
        .update(&configmaps(), "still", None, configmap("still", json!({"a": "1"})), WriteOptions::default())
        .await?;
    ensure!(first.meta.resource_version == second.meta.resource_version);
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_of_the_future_is_not_waited_for() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let options = WatchOptions { resource_version: "999999".into(), ..Default::default() };
    let Err(status) = platform.objects.watch(&configmaps(), options).await else { bail!("it was to be refused") };
    ensure!(status.code == 504 && status.causes[0].reason == "ResourceVersionTooLarge", "{status:?}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_arrives_whole_over_the_wire() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let remote = client::kube_transport::KubeObjects::new(platform.kube().await?, api::ClusterName::root());
    let large = "x".repeat(100_000);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "large"}, "data": {"a": large}});
    platform.objects.create(&configmaps(), object.to_string().into(), WriteOptions::default()).await?;
    let options = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut events = client::Objects::watch(&remote, &configmaps(), options).await?;
    platform.objects.delete(&configmaps(), "large", client::DeleteOptions::default()).await?;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let Some(event) = events.next().await else { bail!("the watch ended early") };
        let event = event?;
        if let Event::Added(object) | Event::Deleted(object) = &event {
            ensure!(object.value()?["data"]["a"] == large.as_str());
        }
        seen.push(describe(&event));
    }
    ensure!(seen == ["+large", "bookmark true", "-large"], "{seen:?}");
    platform.stop().await;
    Ok(())
}
