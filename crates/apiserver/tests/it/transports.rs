//! `Objects` answers the same in process and over TLS through kube-rs.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use api::{ClusterName, Gvk, Gvr};
use client::kube_transport::KubeObjects;
use client::{DeleteOptions, Event, ListOptions, Objects, Patch, Target, WatchOptions, WriteOptions};
use futures::StreamExt;
use serde_json::{Value, json};
use testkit::Platform;

use super::both::{Both, on_both};

fn target() -> Target {
    Target::namespaced(&ClusterName::root(), &Gvr::new("", "v1", "configmaps"), "default")
}

fn object(name: &str, value: &str) -> bytes::Bytes {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}})
        .to_string()
        .into()
}

/// Walks through every call and notes what came back, without what differs from run to run.
async fn walk(objects: Arc<dyn Objects>) -> Result<Vec<String>> {
    let (target, write) = (target(), WriteOptions::default);
    let mut notes = Vec::new();
    let mut note = |what: &str, value: &Value| notes.push(format!("{what} {}", value["data"]));
    let created = objects.create(&target, object("both", "1"), write()).await?;
    note("create", &created.value()?);
    let watch = WatchOptions { resource_version: created.meta.resource_version.clone(), ..Default::default() };
    let mut events = objects.watch(&target, watch).await?;
    let dry =
        objects.update(&target, "both", None, object("both", "dry"), WriteOptions { dry_run: true, ..write() }).await?;
    note("dry run", &dry.value()?);
    note("update", &objects.update(&target, "both", None, object("both", "2"), write()).await?.value()?);
    for patch in [
        Patch::Merge(json!({"data": {"merge": "3"}}).to_string().into()),
        Patch::Strategic(json!({"data": {"strategic": "4"}}).to_string().into()),
        Patch::Json(json!([{"op": "add", "path": "/data/json", "value": "5"}]).to_string().into()),
    ] {
        note("patch", &objects.patch(&target, "both", None, patch, write()).await?.value()?);
    }
    let applied = |value: &str| Patch::Apply(object("both", value));
    let as_one = |force| WriteOptions { field_manager: "one".into(), force, ..Default::default() };
    let refused = objects.patch(&target, "both", None, applied("6"), as_one(false)).await;
    // The owner is called by its client, which is another on each side.
    let told =
        |status: api::Status| (status.code, status.reason, status.causes.first().map(|cause| cause.field.clone()));
    note("apply", &json!({"data": format!("{:?}", refused.err().map(told))}));
    note("force", &objects.patch(&target, "both", None, applied("6"), as_one(true)).await?.value()?);
    note("get", &objects.get(&target, "both").await?.value()?);
    let options = ListOptions { field_selector: "metadata.name=both".into(), ..Default::default() };
    notes.push(format!("list {}", objects.list(&target, options).await?.items.len()));
    let again = objects.create(&target, object("both", "1"), write()).await;
    notes.push(format!("again {:?}", again.err().map(|status| (status.code, status.reason, status.message))));
    notes.push(format!("delete {:?}", objects.delete(&target, "both", DeleteOptions::default()).await?.is_some()));
    let gone = objects.get(&target, "both").await;
    notes.push(format!("gone {:?}", gone.err().map(|status| (status.code, status.reason, status.message))));
    loop {
        match events.next().await {
            Some(Ok(Event::Modified(object))) => notes.push(format!("~{}", object.value()?["data"])),
            Some(Ok(Event::Deleted(object))) => {
                notes.push(format!("-{}", object.meta.name));
                break;
            }
            other => bail!("unexpected: {other:?}"),
        }
    }
    let kind = objects.kind(&ClusterName::root(), &Gvk::new("apps", "v1", "Deployment")).await?;
    notes.push(format!("kind {:?}", kind.map(|kind| (kind.plural, kind.namespaced, kind.subresources.status))));
    let none = objects.kind(&ClusterName::root(), &Gvk::new("none.dev", "v1", "None")).await?;
    notes.push(format!("no kind {}", none.is_none()));
    notes.push(format!("kinds {}", objects.kinds(&ClusterName::root()).await?.len()));
    Ok(notes)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_transports_answer_the_same() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let here = walk(platform.objects.clone()).await?;
    let there = walk(Arc::new(KubeObjects::new(platform.kube().await?, ClusterName::root()))).await?;
    for (here, there) in here.iter().zip(&there) {
        ensure!(here == there, "in process: {here}\nover TLS: {there}");
    }
    ensure!(here.len() == there.len());
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scale_is_written_through_both() -> Result<()> {
    on_both(async |both: &Both| {
        let target = Target::namespaced(&ClusterName::root(), &Gvr::new("apps", "v1", "replicasets"), "default");
        let labels = json!({"app": "web"});
        let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "b"}]}});
        let spec = json!({"replicas": 2, "selector": {"matchLabels": labels}, "template": template});
        let body = json!({"metadata": {"name": "web"}, "spec": spec}).to_string().into();
        both.objects.create(&target, body, WriteOptions::default()).await?;
        let path = "/apis/apps/v1/namespaces/default/replicasets/web/scale";
        let answer = both.objects.get_raw(&ClusterName::root(), path).await?;
        let mut scale: Value = serde_json::from_slice(&answer)?;
        ensure!(scale["spec"]["replicas"] == 2 && scale["status"]["selector"] == "app=web", "{scale}");
        scale["spec"]["replicas"] = json!(5);
        let put = async |scale: &Value| {
            let body = scale.to_string().into();
            both.objects.update(&target, "web", Some("scale"), body, WriteOptions::default()).await
        };
        let written = put(&scale).await?.value()?;
        ensure!(written["kind"] == "Scale" && written["spec"]["replicas"] == 5, "{written}");
        let refused = put(&scale).await;
        ensure!(refused.as_ref().is_err_and(api::Status::is_conflict), "{refused:?}");
        let patch = Patch::Merge(json!({"spec": {"replicas": 3}}).to_string().into());
        let patched = both.objects.patch(&target, "web", Some("scale"), patch, WriteOptions::default()).await?;
        ensure!(patched.value()?["spec"]["replicas"] == 3, "{patched:?}");
        let held = both.objects.get(&target, "web").await?.value()?;
        ensure!(held["spec"]["replicas"] == 3, "{held}");
        Ok(())
    })
    .await
}
