//! Pods end as kube-apiserver lets them: with the time that they are given, at once if nothing
//! runs, and never later than was said.

use anyhow::{Context, Result, ensure};
use client::{DeleteOptions, Event, ListOptions, Preconditions, WatchOptions};
use futures::StreamExt;
use serde_json::{Value, json};
use testkit::{Kubectl, Platform};

use super::both::{Both, on_both, pod, target};
use super::wire::Wire;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn grace(secs: i64) -> DeleteOptions {
    DeleteOptions { grace_period_secs: Some(secs), ..DeleteOptions::default() }
}

/// Seconds between what two texts say.
fn seconds(from: &Value, to: &Value) -> Result<i64> {
    let time = |value: &Value| -> Result<jiff::Timestamp> { Ok(value.as_str().context("no time")?.parse()?) };
    Ok(time(to)?.duration_since(time(from)?).as_secs())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_pod_has_time_to_end() -> Result<()> {
    on_both(async |both: &Both| {
        let made = both.running("p", true).await?;
        let going = both.delete("p", DeleteOptions::default()).await?.context("the pod goes at once")?;
        let meta = &going["metadata"];
        ensure!(meta["deletionGracePeriodSeconds"] == 30, "{meta}");
        let until_end = seconds(&made["metadata"]["creationTimestamp"], &meta["deletionTimestamp"])?;
        ensure!((30..60).contains(&until_end), "the time stated is that of the end: {meta}");
        ensure!(meta["generation"] == 2, "{meta}");

        let again = both.delete("p", grace(60)).await?.context("the pod goes at once")?;
        ensure!(again["metadata"] == *meta, "time is never made longer: {again}");
        let sooner = both.delete("p", grace(10)).await?.context("the pod goes at once")?;
        ensure!(sooner["metadata"]["deletionGracePeriodSeconds"] == 10, "{sooner}");
        ensure!(seconds(&sooner["metadata"]["deletionTimestamp"], &meta["deletionTimestamp"])? == 20, "{sooner}");
        ensure!(sooner["metadata"]["generation"] == 2, "{sooner}");
        let other = Preconditions { uid: Some("other".into()), ..Preconditions::default() };
        let refused = both.delete("p", DeleteOptions { preconditions: other, ..grace(0) }).await;
        ensure!(refused.is_err_and(|status| status.is_conflict()), "another pod was meant");
        ensure!(both.delete("p", grace(0)).await?.is_none(), "its node says that it has ended");
        ensure!(both.get("pods", "p").await.is_err_and(|status| status.is_not_found()));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_run_goes_at_once() -> Result<()> {
    on_both(async |both: &Both| {
        both.create("pods", pod("waits", json!({}))).await?;
        ensure!(both.delete("waits", grace(60)).await?.is_none(), "no node runs it");
        for phase in ["Succeeded", "Failed"] {
            both.running("p", true).await?;
            both.merge("pods", "p", Some("status"), json!({"status": {"phase": phase}})).await?;
            ensure!(both.delete("p", DeleteOptions::default()).await?.is_none(), "{phase}");
        }
        both.running("zero", true).await?;
        ensure!(both.delete("zero", grace(0)).await?.is_none(), "its end is not waited for");

        let mut held = pod("held", json!({}));
        held["metadata"]["finalizers"] = json!(["example.dev/hold"]);
        both.create("pods", held).await?;
        let left = both.delete("held", DeleteOptions::default()).await?.context("the finalizer is ignored")?;
        ensure!(left["metadata"]["deletionGracePeriodSeconds"] == 0, "{left}");
        both.merge("pods", "held", None, json!({"metadata": {"finalizers": null}})).await?;
        ensure!(both.get("pods", "held").await.is_err_and(|status| status.is_not_found()));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_a_pod_says_when_it_ended() -> Result<()> {
    on_both(async |both: &Both| {
        both.create("pods", pod("p", json!({}))).await?;
        let list = both.objects.list(&target("pods"), ListOptions::default()).await?;
        let from = WatchOptions { resource_version: list.resource_version, ..WatchOptions::default() };
        let mut events = both.objects.watch(&target("pods"), from).await?;
        both.delete("p", DeleteOptions::default()).await?;
        loop {
            match events.next().await.context("the watch ended")?? {
                Event::Deleted(last) => {
                    ensure!(last.meta.deletion_timestamp.is_some(), "{:?}", last.meta);
                    ensure!(last.meta.deletion_grace_period_seconds == Some(0), "{:?}", last.meta);
                    return Ok(());
                }
                Event::Added(_) | Event::Modified(_) | Event::Bookmark { .. } => {}
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_end_one_by_one_and_together() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let (wire, kubectl) = (Wire::to(&platform).await?, Kubectl::new(&platform)?);
    for name in ["a", "b", "c"] {
        wire.made(PODS, pod(name, json!({"nodeName": "n"}))).await?;
    }
    wire.made(PODS, pod("waits", json!({}))).await?;
    kubectl.ok(&["delete", "pod", "a", "--wait=false", "--grace-period=5"]).await?;
    let (_, going) = wire.get(&format!("{PODS}/a")).await?;
    ensure!(going["metadata"]["deletionGracePeriodSeconds"] == 5, "{going}");
    kubectl.ok(&["delete", "pod", "a", "--force", "--grace-period=0"]).await?;
    ensure!(wire.get(&format!("{PODS}/a")).await?.0 == 404, "force waits for nobody");
    let (code, listed) = wire.delete(&format!("{PODS}?gracePeriodSeconds=7")).await?;
    ensure!(code == 200 && listed["items"].as_array().is_some_and(|items| items.len() == 3), "{code} {listed}");
    let (_, left) = wire.get(PODS).await?;
    let graces: Vec<&Value> = left["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| &item["metadata"]["deletionGracePeriodSeconds"])
        .collect();
    ensure!(graces == [&json!(7), &json!(7)], "{left}");
    let (code, _) = wire.delete(&format!("{PODS}?gracePeriodSeconds=0")).await?;
    let (_, left) = wire.get(PODS).await?;
    ensure!(code == 200 && left["items"] == json!([]), "{left}");
    platform.stop().await;
    Ok(())
}
