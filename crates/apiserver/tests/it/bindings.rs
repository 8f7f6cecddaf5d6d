//! Pods are bound to nodes as kube-apiserver does it: once, with conditions, and in its words.

use anyhow::{Result, ensure};
use client::{DeleteOptions, WriteOptions};
use serde_json::json;

use super::both::{Both, condition, on_both, pod, refused, target};
use super::wire::Wire;

const BINDINGS: &str = "/api/v1/namespaces/default/bindings";

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_is_bound_once() -> Result<()> {
    on_both(async |both: &Both| {
        let labels = json!({"topology.kubernetes.io/zone": "z1", "other": "x"});
        both.create("nodes", json!({"metadata": {"name": "n1", "labels": labels}})).await?;
        both.create("pods", pod("p", json!({}))).await?;
        both.merge("pods", "p", Some("status"), json!({"status": {"nominatedNodeName": "n0"}})).await?;
        let binding = json!({
            "metadata": {"name": "p", "annotations": {"why": "fits"}, "labels": {"chosen": "yes"}},
            "target": {"kind": "Node", "name": "n1"},
        });
        let answer = both.post("p", "binding", binding).await?;
        ensure!(answer["kind"] == "Status" && answer["status"] == "Success" && answer["code"] == 201, "{answer}");
        let bound = both.get("pods", "p").await?;
        ensure!(bound["spec"]["nodeName"] == "n1" && bound["metadata"]["annotations"]["why"] == "fits", "{bound}");
        let labels = &bound["metadata"]["labels"];
        ensure!(labels["chosen"] == "yes" && labels["topology.kubernetes.io/zone"] == "z1", "{bound}");
        ensure!(labels["app"] == "web" && labels["other"].is_null(), "{bound}");
        ensure!(bound["status"]["nominatedNodeName"].is_null(), "{bound}");
        let scheduled = condition(&bound, "PodScheduled");
        ensure!(scheduled["status"] == "True" && scheduled["lastTransitionTime"].is_string(), "{bound}");
        ensure!(scheduled["reason"].is_null(), "{bound}");
        let why = "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"";
        let status = refused(both.bind("p", "n2").await, 409, why)?;
        ensure!(status.is_conflict() && status.kind == "pods/binding", "{status:?}");
        ensure!(both.get("pods", "p").await?["spec"]["nodeName"] == "n1");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_bound_is_refused() -> Result<()> {
    on_both(async |both: &Both| {
        let prefix = "Operation cannot be fulfilled on pods/binding";
        both.create("pods", pod("gated", json!({"schedulingGates": [{"name": "example.dev/wait"}]}))).await?;
        let why = format!("{prefix} \"gated\": pod gated has non-empty .spec.schedulingGates");
        refused(both.bind("gated", "n").await, 409, &why)?;

        let mut held = pod("held", json!({}));
        held["metadata"]["finalizers"] = json!(["example.dev/hold"]);
        both.create("pods", held).await?;
        ensure!(both.delete("held", DeleteOptions::default()).await?.is_some());
        let why = format!("{prefix} \"held\": pod held is being deleted, cannot be assigned to a host");
        refused(both.bind("held", "n").await, 409, &why)?;

        refused(both.bind("none", "n").await, 404, "pods \"none\" not found")?;
        let made = both.create("pods", pod("p", json!({}))).await?;
        let binding = |meta: serde_json::Value, target: serde_json::Value| json!({"metadata": meta, "target": target});
        let node = || json!({"kind": "Node", "name": "n"});
        let other = binding(json!({"name": "other"}), node());
        refused(both.post("p", "binding", other).await, 400, "name in URL does not match name in Binding object")?;
        let nowhere = binding(json!({"name": "p"}), json!({"kind": "Node"}));
        refused(both.post("p", "binding", nowhere).await, 500, "target.name: Required value")?;
        let stale = binding(json!({"name": "p", "uid": "u"}), node());
        let held = made["metadata"]["uid"].as_str().unwrap_or_default();
        let why = format!("UID in precondition: u, UID in object meta: {held}");
        let why = format!("Operation cannot be fulfilled on pods \"p\": Precondition failed: {why}");
        refused(both.post("p", "binding", stale).await, 409, &why)?;
        refused(both.post("p", "nothing", json!({})).await, 404, "the server could not find the requested resource")?;
        let dry = WriteOptions { dry_run: true, ..WriteOptions::default() };
        let body = binding(json!({"name": "p"}), node()).to_string().into();
        both.objects.create_subresource(&target("pods"), "p", "binding", body, dry).await?;
        ensure!(both.get("pods", "p").await?["spec"]["nodeName"].is_null(), "a dry run binds nothing");
        Ok(())
    })
    .await
}

/// Many bind many pods at once, each pod twice: each goes to one node, and one of the two is told.
#[tokio::test(flavor = "multi_thread")]
async fn bindings_race_and_one_wins() -> Result<()> {
    on_both(async |both: &Both| {
        for index in 0..8 {
            both.create("pods", pod(&format!("p{index}"), json!({}))).await?;
        }
        let bind = |index: usize| async move { both.bind(&format!("p{}", index / 2), &format!("n{index}")).await };
        let outcomes = futures::future::join_all((0..16).map(bind)).await;
        for index in 0..8 {
            let pair = [&outcomes[2 * index], &outcomes[2 * index + 1]];
            ensure!(pair.iter().filter(|outcome| outcome.is_ok()).count() == 1, "{pair:?}");
            let winner = 2 * index + usize::from(pair[1].is_ok());
            let bound = both.get("pods", &format!("p{index}")).await?;
            ensure!(bound["spec"]["nodeName"] == format!("n{winner}"), "{bound}");
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_path_of_bindings_binds_too() -> Result<()> {
    let platform = testkit::Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    wire.made("/api/v1/namespaces/default/pods", pod("p", json!({}))).await?;
    let body = json!({"metadata": {"name": "p"}, "target": {"name": "n"}});
    let (code, answer) = wire.post(BINDINGS, body).await?;
    ensure!(code == 201 && answer["status"] == "Success", "{code} {answer}");
    let (_, bound) = wire.get("/api/v1/namespaces/default/pods/p").await?;
    ensure!(bound["spec"]["nodeName"] == "n", "{bound}");
    ensure!(bound["metadata"]["generation"] == 1, "a binding is no change of what is wanted: {bound}");
    let (_, listed) = wire.get("/api/v1").await?;
    let names: Vec<&str> =
        listed["resources"].as_array().into_iter().flatten().filter_map(|resource| resource["name"].as_str()).collect();
    ensure!(names.contains(&"pods/binding") && names.contains(&"bindings"), "{names:?}");
    platform.stop().await;
    Ok(())
}
