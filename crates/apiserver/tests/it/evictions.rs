//! Evictions as kube-apiserver does them: they take from the budget what it allows and never
//! more, and `kubectl drain` gets along with them.

use anyhow::{Result, ensure};
use client::DeleteOptions;
use serde_json::{Value, json};
use testkit::Kubectl;

use super::both::{Both, condition, on_both, pod, refused};

const VIOLATES: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

fn eviction(name: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}})
}

/// A budget of the pods `app=web` whose controller allows so many disruptions.
async fn budget(both: &Both, name: &str, allowed: i64) -> Result<()> {
    let spec = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}});
    both.create("poddisruptionbudgets", json!({"metadata": {"name": name}, "spec": spec})).await?;
    let status = json!({
        "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 1 + allowed, "desiredHealthy": 1,
        "expectedPods": 1 + allowed,
    });
    both.merge("poddisruptionbudgets", name, Some("status"), json!({"status": status})).await?;
    Ok(())
}

async fn is_going(both: &Both, name: &str) -> Result<bool> {
    Ok(both.get("pods", name).await?["metadata"]["deletionTimestamp"].is_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_eviction_takes_from_the_budget() -> Result<()> {
    on_both(async |both: &Both| {
        both.running("free", true).await?;
        let answer = both.post("free", "eviction", eviction("free")).await?;
        ensure!(answer["status"] == "Success" && answer["code"] == 201, "{answer}");
        let going = both.get("pods", "free").await?;
        let why = condition(&going, "DisruptionTarget");
        ensure!(why["status"] == "True" && why["reason"] == "EvictionByEvictionAPI", "{going}");
        ensure!(why["message"] == "Eviction API: evicting", "{going}");
        ensure!(going["metadata"]["deletionGracePeriodSeconds"] == 30, "{going}");

        budget(both, "b", 1).await?;
        both.running("p", true).await?;
        both.running("q", true).await?;
        let mut dry = eviction("p");
        dry["deleteOptions"] = json!({"dryRun": ["All"]});
        both.post("p", "eviction", dry).await?;
        ensure!(!is_going(both, "p").await?, "a dry run evicts nobody");
        ensure!(both.get("poddisruptionbudgets", "b").await?["status"]["disruptionsAllowed"] == 1);

        let mut soon = eviction("p");
        soon["deleteOptions"] = json!({"gracePeriodSeconds": 3});
        both.post("p", "eviction", soon).await?;
        ensure!(both.get("pods", "p").await?["metadata"]["deletionGracePeriodSeconds"] == 3);
        let held = both.get("poddisruptionbudgets", "b").await?;
        ensure!(held["status"]["disruptionsAllowed"] == 0, "{held}");
        ensure!(held["status"]["disruptedPods"]["p"].is_string(), "{held}");
        ensure!(condition(&held, "DisruptionAllowed")["reason"] == "InsufficientPods", "{held}");
        ensure!(held["metadata"]["generation"] == 1, "{held}");

        let status = refused(both.post("q", "eviction", eviction("q")).await, 429, VIOLATES)?;
        let cause = status.causes.first().cloned();
        let cause = cause.map(|cause| (cause.reason, cause.message));
        let why = "The disruption budget b does not allow evicting pods currently";
        ensure!(cause == Some(("DisruptionBudget".into(), why.into())), "{cause:?}");
        ensure!(!is_going(both, "q").await?);
        let again = both.post("p", "eviction", eviction("p")).await?;
        ensure!(again["status"] == "Success", "what goes already goes: {again}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_serve_nobody_need_no_budget() -> Result<()> {
    on_both(async |both: &Both| {
        budget(both, "b", 0).await?;
        both.create("pods", pod("pending", json!({}))).await?;
        both.post("pending", "eviction", eviction("pending")).await?;
        ensure!(both.get("pods", "pending").await.is_err(), "no node runs it, so that it goes at once");
        for phase in ["Succeeded", "Failed"] {
            both.running("over", true).await?;
            both.merge("pods", "over", Some("status"), json!({"status": {"phase": phase}})).await?;
            both.post("over", "eviction", eviction("over")).await?;
            ensure!(both.get("pods", "over").await.is_err(), "{phase}");
        }
        both.running("going", true).await?;
        both.delete("going", DeleteOptions::default()).await?;
        let mut now = eviction("going");
        now["deleteOptions"] = json!({"gracePeriodSeconds": 0});
        both.post("going", "eviction", now).await?;
        ensure!(both.get("pods", "going").await.is_err());

        // The budget has more than it needs, and none to give: what is not healthy is not counted.
        let status = json!({"status": {"currentHealthy": 1, "desiredHealthy": 1}});
        both.merge("poddisruptionbudgets", "b", Some("status"), status).await?;
        both.running("sick", false).await?;
        both.post("sick", "eviction", eviction("sick")).await?;
        ensure!(is_going(both, "sick").await?);
        let status = json!({"status": {"currentHealthy": 0, "desiredHealthy": 1}});
        both.merge("poddisruptionbudgets", "b", Some("status"), status).await?;
        both.running("ill", false).await?;
        refused(both.post("ill", "eviction", eviction("ill")).await, 429, VIOLATES)?;
        let always = json!({"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}});
        both.merge("poddisruptionbudgets", "b", None, always).await?;
        both.post("ill", "eviction", eviction("ill")).await?;
        ensure!(is_going(both, "ill").await?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_budget_cannot_say_is_refused() -> Result<()> {
    on_both(async |both: &Both| {
        both.running("p", true).await?;
        budget(both, "b", 1).await?;
        both.merge("poddisruptionbudgets", "b", None, json!({"spec": {"minAvailable": 2}})).await?;
        let status = refused(both.post("p", "eviction", eviction("p")).await, 429, VIOLATES)?;
        ensure!(status.retry_after_secs == 10, "{status:?}");
        let why = "The disruption budget b is still being processed by the server.";
        ensure!(status.causes.first().is_some_and(|cause| cause.message == why), "{status:?}");
        budget(both, "c", 1).await?;
        let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        refused(both.post("p", "eviction", eviction("p")).await, 500, why)?;
        refused(both.post("none", "eviction", eviction("none")).await, 404, "pods \"none\" not found")?;
        let mut other = eviction("p");
        other["deleteOptions"] = json!({"preconditions": {"uid": "other"}});
        both.merge("poddisruptionbudgets", "c", None, json!({"spec": {"selector": {"matchLabels": {"app": "db"}}}}))
            .await?;
        both.merge("poddisruptionbudgets", "b", Some("status"), json!({"status": {"observedGeneration": 2}})).await?;
        let outcome = both.post("p", "eviction", other).await;
        ensure!(outcome.is_err_and(|status| status.is_conflict()), "another pod was meant");
        ensure!(!is_going(both, "p").await?);
        Ok(())
    })
    .await
}

/// Many evictions at once take what the budget allows, and not one more.
#[tokio::test(flavor = "multi_thread")]
async fn evictions_race_and_never_overdraw() -> Result<()> {
    on_both(async |both: &Both| {
        budget(both, "b", 5).await?;
        for index in 0..20 {
            both.running(&format!("p{index}"), true).await?;
        }
        let evict = |index: usize| async move {
            let name = format!("p{index}");
            both.post(&name, "eviction", eviction(&name)).await
        };
        let outcomes = futures::future::join_all((0..20).map(evict)).await;
        let evicted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        ensure!(evicted == 5, "{outcomes:?}");
        ensure!(outcomes.iter().flat_map(|outcome| outcome.as_ref().err()).all(|status| status.code == 429));
        let held = both.get("poddisruptionbudgets", "b").await?;
        ensure!(held["status"]["disruptionsAllowed"] == 0, "{held}");
        ensure!(held["status"]["disruptedPods"].as_object().is_some_and(|pods| pods.len() == 5), "{held}");
        let mut going = 0;
        for index in 0..20 {
            going += usize::from(is_going(both, &format!("p{index}")).await?);
        }
        ensure!(going == 5, "{going} go");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_cordoned_tainted_and_drained() -> Result<()> {
    let platform = testkit::Platform::start(Vec::new()).await?;
    let both = Both { objects: platform.objects.clone(), platform };
    let kubectl = Kubectl::new(&both.platform)?;
    both.create("nodes", json!({"metadata": {"name": "n"}})).await?;
    kubectl.ok(&["cordon", "n"]).await?;
    ensure!(both.get("nodes", "n").await?["spec"]["unschedulable"] == true);
    ensure!(kubectl.ok(&["get", "nodes"]).await?.contains("SchedulingDisabled"));
    kubectl.ok(&["uncordon", "n"]).await?;
    ensure!(both.get("nodes", "n").await?["spec"]["unschedulable"].is_null());
    kubectl.ok(&["taint", "nodes", "n", "only=these:NoSchedule"]).await?;
    let taints = both.get("nodes", "n").await?["spec"]["taints"].clone();
    ensure!(taints == json!([{"key": "only", "value": "these", "effect": "NoSchedule"}]), "{taints}");
    kubectl.ok(&["taint", "nodes", "n", "only-"]).await?;
    ensure!(both.get("nodes", "n").await?["spec"]["taints"].is_null());

    budget(&both, "b", 1).await?;
    for name in ["p", "q"] {
        both.running(name, true).await?;
    }
    let drain = ["drain", "n", "--force", "--grace-period=0", "--timeout=3s"];
    let told = kubectl.fails(&drain).await?;
    ensure!(told.contains("Cannot evict pod as it would violate the pod's disruption budget."), "{told}");
    let left = [both.get("pods", "p").await.is_ok(), both.get("pods", "q").await.is_ok()];
    ensure!(left.iter().filter(|left| **left).count() == 1, "the budget allowed one: {left:?}");
    let more = json!({"status": {"disruptionsAllowed": 1}});
    both.merge("poddisruptionbudgets", "b", Some("status"), more).await?;
    let told = kubectl.ok(&["drain", "n", "--force", "--grace-period=0", "--timeout=20s"]).await?;
    ensure!(told.contains("node/n drained"), "{told}");
    ensure!(both.get("pods", "p").await.is_err() && both.get("pods", "q").await.is_err());
    both.platform.stop().await;
    Ok(())
}
