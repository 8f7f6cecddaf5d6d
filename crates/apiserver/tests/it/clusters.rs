//! Logical clusters: isolated from each other, made and removed as one.

use anyhow::{Context, Result, bail, ensure};
use api::{ClusterName, Gvr};
use client::{Event, Target, WatchOptions};
use futures::StreamExt;
use serde_json::{Value, json};
use testkit::{Kubectl, Platform};

use super::semantics::{DEFINITIONS, definition};
use super::wire::Wire;

fn cluster(name: &str) -> String {
    format!("apiVersion: coracle.dev/v1alpha1\nkind: LogicalCluster\nmetadata: {{name: {name}}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_do_not_see_each_other() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    kubectl.ok_with(&["create", "-f", "-"], &format!("{}---\n{}", cluster("blue"), cluster("green"))).await?;
    let server = |name: &str| format!("--server={}/clusters/{name}", platform.endpoints.api_url);
    let (blue, green) = (server("blue"), server("green"));
    kubectl.ok(&[&blue, "create", "configmap", "mine", "--from-literal=a=b"]).await?;
    ensure!(kubectl.ok(&[&blue, "get", "configmap", "mine", "-o", "jsonpath={.data.a}"]).await? == "b");
    ensure!(kubectl.fails(&[&green, "get", "configmap", "mine"]).await?.contains("NotFound"));
    ensure!(kubectl.fails(&["get", "configmap", "mine"]).await?.contains("NotFound"));
    ensure!(kubectl.ok(&[&green, "get", "namespaces", "-o", "name"]).await?.contains("namespace/kube-system"));

    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.b.dev}\nspec:\n  group: b.dev\n  scope: Cluster\n  names: {plural: things, kind: Thing}\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n";
    kubectl.ok_with(&[&blue, "create", "-f", "-"], definition).await?;
    kubectl.ok_with(&[&blue, "create", "-f", "-"], "apiVersion: b.dev/v1\nkind: Thing\nmetadata: {name: t}\n").await?;
    ensure!(!kubectl.run(&[&green, "get", "things"]).await?.ok, "a definition counts only where it is");

    kubectl.ok(&["delete", "logicalcluster", "blue"]).await?;
    ensure!(!kubectl.run(&[&blue, "get", "configmaps"]).await?.ok);
    kubectl.ok_with(&["create", "-f", "-"], &cluster("blue")).await?;
    ensure!(kubectl.ok(&[&blue, "get", "configmaps", "-o", "name"]).await?.is_empty(), "a new cluster is empty");
    for name in ["root", "a.b"] {
        let output = kubectl.run_with(&["create", "-f", "-"], &cluster(name)).await?;
        ensure!(!output.ok && output.stderr.contains("is a DNS label"), "{name}: {}", output.stderr);
    }
    let unknown = server("nowhere");
    ensure!(!kubectl.run(&[&unknown, "get", "configmaps"]).await?.ok);
    platform.stop().await;
    Ok(())
}

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_cluster_reads_no_other() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    for name in ["blue", "green"] {
        let object =
            json!({"apiVersion": "coracle.dev/v1alpha1", "kind": "LogicalCluster", "metadata": {"name": name}});
        wire.made("/apis/coracle.dev/v1alpha1/logicalclusters", object).await?;
        for at in 0..3 {
            let path = format!("/clusters/{name}/api/v1/namespaces/default/configmaps");
            wire.made(&path, named(&format!("{name}-{at}"))).await?;
        }
    }
    let all = |cluster: &str| format!("/clusters/{cluster}/api/v1/configmaps?limit=1");
    for (of, to) in [("blue", "green"), ("green", "blue")] {
        let (_, page) = wire.get(&all(of)).await?;
        let token = page["metadata"]["continue"].as_str().unwrap_or_default();
        for path in
            [format!("{}&continue={token}", all(to)), format!("/clusters/{to}/api/v1/secrets?limit=9&continue={token}")]
        {
            let (_, list) = wire.get(&path).await?;
            let text = list["items"].to_string();
            ensure!(!text.contains(&format!("\"{of}-")) && !text.contains("\"data\""), "{path}: {list}");
        }
        let (_, list) = wire.get(&format!("/api/v1/configmaps?limit=9&continue={token}")).await?;
        let text = list["items"].to_string();
        ensure!(!text.contains("blue-") && !text.contains("green-"), "{list}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_sees_its_cluster_go() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let clusters = "/apis/coracle.dev/v1alpha1/logicalclusters";
    let object = json!({"apiVersion": "coracle.dev/v1alpha1", "kind": "LogicalCluster", "metadata": {"name": "blue"}});
    wire.made(clusters, object.clone()).await?;
    wire.made("/clusters/blue/api/v1/namespaces/default/configmaps", named("mine")).await?;
    wire.made(&format!("/clusters/blue{DEFINITIONS}"), definition("widgets", "Widget", &[true])).await?;
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}});
    let widgets = "/clusters/blue/apis/example.com/v1/namespaces/default/widgets";
    wire.made(widgets, widget).await?;
    // Instances of a kind that is no longer served must go as well.
    let unserved = json!({"spec": definition("widgets", "Widget", &[false])["spec"]});
    let (code, answer) = wire.merge(&format!("/clusters/blue{DEFINITIONS}/widgets.example.com"), unserved).await?;
    ensure!(code == 200, "{answer}");
    let blue = ClusterName::new("blue").context("a name")?;
    let target = Target::namespaced(&blue, &Gvr::new("", "v1", "configmaps"), "default");
    let options = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut events = platform.objects.watch(&target, options).await?;
    ensure!(wire.delete(&format!("{clusters}/blue")).await?.0 == 200);
    loop {
        match events.next().await.context("the watch ended early")?? {
            Event::Deleted(object) => {
                ensure!(object.meta.name == "mine");
                break;
            }
            Event::Added(_) | Event::Bookmark { .. } => {}
            other => bail!("unexpected: {other:?}"),
        }
    }
    wire.made(clusters, object).await?;
    wire.made(&format!("/clusters/blue{DEFINITIONS}"), definition("widgets", "Widget", &[true])).await?;
    ensure!(wire.get(widgets).await?.1["items"] == json!([]), "nothing of the former cluster is left");
    platform.stop().await;
    Ok(())
}
