//! The rules that clients lean on without saying so: which revision an update
//! must state, what a status write touches, what lists promise.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::Platform;

use super::wire::{CONFIGMAPS, Wire};

const WIDGETS: &str = "/apis/example.com/v1/namespaces/default/widgets";

pub fn definition(plural: &str, kind: &str, served: &[bool]) -> Value {
    let versions: Vec<Value> = served
        .iter()
        .enumerate()
        .map(|(at, served)| {
            json!({
                "name": format!("v{}", at + 1), "served": served, "storage": at == 0,
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count"}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            })
        })
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.example.com")},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": plural, "kind": kind}, "versions": versions},
    })
}

pub const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn widget(count: u64) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"count": count}})
}

#[tokio::test(flavor = "multi_thread")]
async fn some_kinds_are_replaced_only_by_revision() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made(DEFINITIONS, definition("widgets", "Widget", &[true])).await?;
    wire.made(WIDGETS, widget(1)).await?;
    let (code, status) = wire.put(&format!("{WIDGETS}/w"), widget(2)).await?;
    ensure!(code == 422 && status["details"]["causes"][0]["field"] == "metadata.resourceVersion", "{status}");
    let (code, scale) = wire.merge(&format!("{WIDGETS}/w/scale"), json!({"spec": {"replicas": 7}})).await?;
    ensure!(code == 200 && scale["spec"]["replicas"] == 7, "{scale}");
    let (code, scale) = wire.put(&format!("{WIDGETS}/w/scale"), json!({"spec": {"replicas": 8}})).await?;
    ensure!(code == 200 && scale["spec"]["replicas"] == 8, "{scale}");

    wire.made(CONFIGMAPS, json!({"metadata": {"name": "c"}})).await?;
    let (code, updated) = wire.put(&format!("{CONFIGMAPS}/c"), json!({"data": {"a": "b"}})).await?;
    ensure!(code == 200 && updated["data"]["a"] == "b", "{updated}");
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}});
    ensure!(wire.put(&format!("{leases}/l"), lease.clone()).await?.0 == 200, "a PUT makes a lease");
    ensure!(wire.put(&format!("{leases}/l"), lease).await?.0 == 422);
    let accounts = "/api/v1/namespaces/default/serviceaccounts/none";
    ensure!(wire.put(accounts, json!({"metadata": {"name": "none"}})).await?.0 == 404, "but no service account");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_uid_is_a_conflict_that_says_so() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made(CONFIGMAPS, json!({"metadata": {"name": "c"}})).await?;
    let path = format!("{CONFIGMAPS}/c");
    let foreign = json!({"metadata": {"name": "c", "uid": "other"}});
    for (code, status) in [wire.put(&path, foreign.clone()).await?, wire.merge(&path, foreign).await?] {
        let message = status["message"].as_str().unwrap_or_default();
        ensure!(code == 409 && message.contains("UID in precondition: other"), "{code} {status}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_write_touches_what_kubernetes_lets_it() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made(DEFINITIONS, definition("widgets", "Widget", &[true])).await?;
    wire.made(WIDGETS, widget(1)).await?;
    let pods = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let deployment =
        json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pods}});
    wire.made("/apis/apps/v1/namespaces/default/deployments", deployment).await?;
    let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}});
    wire.made("/api/v1/namespaces/default/services", service).await?;
    let patch = json!({
        "metadata": {"labels": {"l": "1"}, "annotations": {"n": "1"}},
        "spec": {"count": 9, "replicas": 9, "externalName": "x"},
        "status": {"replicas": 3, "loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
    });
    let cases = [
        (format!("{WIDGETS}/w"), false, false),
        ("/apis/apps/v1/namespaces/default/deployments/d".to_owned(), false, true),
        ("/api/v1/namespaces/default/services/s".to_owned(), true, true),
    ];
    for (path, labels, annotations) in cases {
        let (_, before) = wire.get(&path).await?;
        let (code, after) = wire.merge(&format!("{path}/status"), patch.clone()).await?;
        let status = &after["status"];
        // A Service knows no replicas.
        let is_written = status["replicas"] == 3 || status["loadBalancer"]["ingress"][0]["ip"] == "10.0.0.1";
        ensure!(code == 200 && is_written, "{path}: {after}");
        ensure!(after["spec"] == before["spec"], "{path}: the spec stays: {after}");
        ensure!(after["metadata"]["generation"] == before["metadata"]["generation"], "{path}: {after}");
        ensure!(after["metadata"]["uid"] == before["metadata"]["uid"], "{path}: {after}");
        ensure!((after["metadata"]["labels"]["l"] == "1") == labels, "{path}: {after}");
        ensure!((after["metadata"]["annotations"]["n"] == "1") == annotations, "{path}: {after}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_finalize_lets_a_namespace_go() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made("/api/v1/namespaces", json!({"metadata": {"name": "team"}})).await?;
    wire.made("/api/v1/namespaces/team/configmaps", json!({"metadata": {"name": "c"}})).await?;
    let path = "/api/v1/namespaces/team";
    ensure!(wire.delete(path).await?.0 == 200);
    let (code, stored) = wire.put(path, json!({"metadata": {"name": "team"}, "spec": {}})).await?;
    ensure!(code == 200 && stored["spec"]["finalizers"] == json!(["kubernetes"]), "{code} {stored}");
    ensure!(wire.merge(path, json!({"spec": {"finalizers": null}})).await?.0 == 200);
    ensure!(wire.get(path).await?.1["status"]["phase"] == "Terminating", "it is still there");
    let (code, status) = wire.post("/api/v1/namespaces/team/configmaps", json!({"metadata": {"name": "d"}})).await?;
    ensure!(code == 403 && status["details"]["causes"][0]["reason"] == "NamespaceTerminating", "{status}");
    ensure!(wire.put(&format!("{path}/finalize"), json!({"metadata": {"name": "team"}, "spec": {}})).await?.0 == 200);
    ensure!(wire.get(path).await?.0 == 404);
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_keep_to_the_revision_asked_for() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let first = wire.made(CONFIGMAPS, json!({"metadata": {"name": "a"}})).await?;
    wire.made(CONFIGMAPS, json!({"metadata": {"name": "b"}})).await?;
    let revision = first["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    let count = async |query: String| -> Result<usize> {
        let (code, list) = wire.get(&format!("{CONFIGMAPS}?{query}")).await?;
        ensure!(code == 200, "{query}: {list}");
        Ok(list["items"].as_array().map_or(0, Vec::len))
    };
    ensure!(count(format!("resourceVersion={revision}&resourceVersionMatch=Exact")).await? == 1);
    ensure!(count(format!("resourceVersion={revision}&limit=9")).await? == 1, "pages are of the very revision");
    ensure!(count(format!("resourceVersion={revision}")).await? == 2);
    ensure!(count("resourceVersion=0".to_owned()).await? == 2);
    let (_, page) = wire.get(&format!("{CONFIGMAPS}?limit=1")).await?;
    let token = page["metadata"]["continue"].as_str().unwrap_or_default();
    let cases = [
        (format!("resourceVersion={revision}&continue={token}&limit=1"), 400),
        ("resourceVersionMatch=Exact".to_owned(), 422),
        (format!("resourceVersionMatch=Exact&continue={token}&limit=1"), 422),
        ("resourceVersion=0&resourceVersionMatch=Exact".to_owned(), 422),
        ("resourceVersion=1&resourceVersionMatch=Nearly".to_owned(), 422),
        ("sendInitialEvents=true".to_owned(), 422),
        ("watch=1&sendInitialEvents=true&allowWatchBookmarks=true".to_owned(), 422),
        ("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan".to_owned(), 422),
        (
            "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&resourceVersion=x"
                .to_owned(),
            400,
        ),
    ];
    for (query, expect) in cases {
        let (code, status) = wire.get(&format!("{CONFIGMAPS}?{query}")).await?;
        ensure!(code == expect, "{query}: {code} {status}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_leaves_no_trace() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made(CONFIGMAPS, json!({"metadata": {"name": "c", "labels": {"a": "b"}}})).await?;
    let (_, before) = wire.get(CONFIGMAPS).await?;
    let cluster = json!({"apiVersion": "coracle.dev/v1alpha1", "kind": "LogicalCluster", "metadata": {"name": "dry"}});
    let clusters = "/apis/coracle.dev/v1alpha1/logicalclusters";
    for (code, answer) in [
        wire.post(&format!("{CONFIGMAPS}?dryRun=All"), json!({"metadata": {"generateName": "d-"}})).await?,
        wire.put(&format!("{CONFIGMAPS}/c?dryRun=All"), json!({"data": {"a": "b"}})).await?,
        wire.merge(&format!("{CONFIGMAPS}/c?dryRun=All"), json!({"data": {"a": "b"}})).await?,
        wire.delete(&format!("{CONFIGMAPS}/c?dryRun=All")).await?,
        wire.delete(&format!("{CONFIGMAPS}?labelSelector=a%3Db&dryRun=All")).await?,
        wire.post(&format!("{DEFINITIONS}?dryRun=All"), definition("widgets", "Widget", &[true])).await?,
        wire.post(&format!("{clusters}?dryRun=All"), cluster).await?,
    ] {
        ensure!(code == 200 || code == 201, "{code} {answer}");
    }
    let (_, after) = wire.get(CONFIGMAPS).await?;
    ensure!(after["items"] == before["items"], "{after}");
    ensure!(after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"], "no revision was used");
    ensure!(wire.get(WIDGETS).await?.0 == 404);
    ensure!(wire.get("/clusters/dry/api/v1/namespaces").await?.0 == 404);
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_a_crooked_status_can_be_deleted() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made("/api/v1/namespaces", json!({"metadata": {"name": "team"}})).await?;
    wire.merge("/api/v1/namespaces/team/status", json!({"status": "foo"})).await?;
    let (code, answer) = wire.delete("/api/v1/namespaces/team").await?;
    ensure!(code == 200 && answer["status"]["phase"] == "Terminating", "{code} {answer}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_sparse_selection_miss_nothing() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    for number in 0..40 {
        let labels = if number % 7 == 0 { json!({"pick": "me"}) } else { json!({}) };
        wire.made(CONFIGMAPS, json!({"metadata": {"name": format!("c{number:02}"), "labels": labels}})).await?;
    }
    let (mut token, mut names) = (String::new(), Vec::new());
    loop {
        let (_, page) = wire.get(&format!("{CONFIGMAPS}?labelSelector=pick%3Dme&limit=2&continue={token}")).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        ensure!(items.len() <= 2, "{page}");
        names.extend(items.iter().filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned)));
        token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    ensure!(names == ["c00", "c07", "c14", "c21", "c28", "c35"], "{names:?}");
    platform.stop().await;
    Ok(())
}
