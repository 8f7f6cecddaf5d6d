//! Subresources of pods that each change fields of their own and no others.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::{Kubectl, Platform};

use super::both::{Both, on_both, pod};
use super::wire::Wire;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn amounts(cpu: &str, memory: &str) -> Value {
    json!({"cpu": cpu, "memory": memory})
}

fn sized(name: &str, requests: Value, limits: Value) -> Value {
    let mut made = pod(name, json!({}));
    made["spec"]["containers"][0]["resources"] = json!({"requests": requests, "limits": limits});
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_a_pod_changes_nothing_else() -> Result<()> {
    on_both(async |both: &Both| {
        both.create("pods", pod("p", json!({}))).await?;
        let change = json!({"spec": {"nodeName": "n"}, "status": {"phase": "Running", "podIP": "10.1.2.3"}});
        let after = both.merge("pods", "p", Some("status"), change).await?;
        ensure!(after["status"]["phase"] == "Running" && after["spec"]["nodeName"].is_null(), "{after}");
        let after = both.merge("pods", "p", None, json!({"status": {"phase": "Failed"}})).await?;
        ensure!(after["status"]["phase"] == "Running" && after["metadata"]["generation"] == 1, "{after}");
        let refused = both.merge("pods", "p", None, json!({"spec": {"nodeName": "n"}})).await;
        ensure!(refused.is_err_and(|status| status.is_invalid()), "only a binding gives a node");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn ephemeral_containers_are_only_added() -> Result<()> {
    on_both(async |both: &Both| {
        both.create("pods", pod("p", json!({}))).await?;
        let part = Some("ephemeralcontainers");
        let first = json!({"name": "dbg", "image": "busybox:1", "targetContainerName": "main"});
        let add = json!({"spec": {"ephemeralContainers": [first], "restartPolicy": "Never"}});
        let after = both.merge("pods", "p", part, add).await?;
        ensure!(after["spec"]["ephemeralContainers"][0]["name"] == "dbg", "{after}");
        ensure!(after["spec"]["ephemeralContainers"][0]["terminationMessagePath"] == "/dev/termination-log", "{after}");
        ensure!(after["spec"]["restartPolicy"] == "Always", "nothing else changes: {after}");
        ensure!(after["metadata"]["generation"] == 2, "{after}");
        let cases = [
            (json!([]), "existing ephemeral containers \"dbg\" may not be removed"),
            (
                json!([{"name": "dbg", "image": "busybox:2"}]),
                "existing ephemeral containers \"dbg\" may not be changed",
            ),
        ];
        for (list, why) in cases {
            let refused = both.merge("pods", "p", part, json!({"spec": {"ephemeralContainers": list}})).await;
            let told = refused.as_ref().err().map(|status| status.message.clone()).unwrap_or_default();
            ensure!(told.contains(why), "{refused:?}");
        }
        let held = after["spec"]["ephemeralContainers"][0].clone();
        let wrong = [
            (json!({"name": "main", "image": "i"}), "Duplicate value: \"main\""),
            (json!({"name": "b"}), "spec.ephemeralContainers[1].image: Required value"),
            (
                json!({"name": "b", "image": "i", "ports": [{"containerPort": 1}]}),
                "cannot be set for an Ephemeral Container",
            ),
            (json!({"name": "b", "image": "i", "targetContainerName": "x"}), "Not found: \"x\""),
        ];
        for (container, why) in wrong {
            let change = json!({"spec": {"ephemeralContainers": [held, container]}});
            let refused = both.merge("pods", "p", part, change).await;
            let told = refused.as_ref().err().map(|status| status.message.clone()).unwrap_or_default();
            ensure!(told.contains(why), "{why}: {refused:?}");
        }
        let main = both.merge("pods", "p", None, json!({"spec": {"ephemeralContainers": null}})).await;
        ensure!(main.is_err_and(|status| status.is_invalid()), "the pod itself does not change them");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resize_changes_resources_and_nothing_else() -> Result<()> {
    on_both(async |both: &Both| {
        both.create("pods", sized("p", amounts("100m", "64Mi"), amounts("200m", "128Mi"))).await?;
        let with = |resources: Value, image: &str| {
            json!({"spec": {"containers": [{"name": "main", "image": image, "resources": resources}]}})
        };
        let larger = json!({"requests": amounts("150m", "64Mi"), "limits": amounts("300m", "128Mi")});
        let after = both.merge("pods", "p", Some("resize"), with(larger.clone(), "other/image:1")).await?;
        let container = &after["spec"]["containers"][0];
        ensure!(container["resources"] == larger && container["image"] == "example/web:1", "{after}");
        ensure!(after["metadata"]["generation"] == 2 && after["status"]["qosClass"] == "Burstable", "{after}");
        let cases = [
            (json!({"requests": amounts("150m", "64Mi"), "limits": {"cpu": "300m"}}), "resource limits cannot be removed"),
            (
                json!({"requests": amounts("300m", "128Mi"), "limits": amounts("300m", "128Mi")}),
                "Pod QOS Class may not change as a result of resizing",
            ),
            (
                json!({
                    "requests": {"cpu": "150m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
                    "limits": amounts("300m", "128Mi"),
                }),
                "only cpu and memory resources are mutable",
            ),
        ];
        for (resources, why) in cases {
            let refused = both.merge("pods", "p", Some("resize"), with(resources, "example/web:1")).await;
            let told = refused.as_ref().err().map(|status| status.message.clone()).unwrap_or_default();
            ensure!(told.contains(why), "{why}: {refused:?}");
        }
        let refused = both.merge("pods", "p", None, with(json!({"requests": amounts("1", "1Gi")}), "example/web:1")).await;
        ensure!(refused.is_err_and(|status| status.is_invalid()), "the pod itself is not resized");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_debugs_resizes_scales_and_sets() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let (wire, kubectl) = (Wire::to(&platform).await?, Kubectl::new(&platform)?);
    wire.made(PODS, sized("p", amounts("100m", "64Mi"), amounts("200m", "128Mi"))).await?;
    kubectl.ok(&["debug", "p", "--image=busybox:1", "-c", "dbg"]).await?;
    let (_, seen) = wire.get(&format!("{PODS}/p/ephemeralcontainers")).await?;
    ensure!(seen["kind"] == "Pod" && seen["spec"]["ephemeralContainers"][0]["name"] == "dbg", "{seen}");
    let larger = r#"{"spec":{"containers":[{"name":"main","resources":{"requests":{"cpu":"150m"}}}]}}"#;
    kubectl.ok(&["patch", "pod", "p", "--subresource=resize", "-p", larger]).await?;
    let (_, seen) = wire.get(&format!("{PODS}/p/resize")).await?;
    ensure!(seen["spec"]["containers"][0]["resources"]["requests"] == amounts("150m", "64Mi"), "{seen}");
    let (_, listed) = wire.get("/api/v1").await?;
    for name in ["pods/eviction", "pods/ephemeralcontainers", "pods/resize"] {
        let has = listed["resources"].as_array().is_some_and(|all| all.iter().any(|held| held["name"] == name));
        ensure!(has, "{name} is not listed");
    }

    kubectl.ok(&["create", "deployment", "web", "--image=example/web:1", "--replicas=2"]).await?;
    kubectl
        .ok(&["set", "resources", "deployment", "web", "--limits=cpu=200m,memory=512Mi", "--requests=cpu=100m"])
        .await?;
    let (_, web) = wire.get("/apis/apps/v1/namespaces/default/deployments/web").await?;
    let resources = &web["spec"]["template"]["spec"]["containers"][0]["resources"];
    ensure!(resources["limits"] == amounts("200m", "512Mi") && resources["requests"]["cpu"] == "100m", "{web}");
    kubectl.ok(&["autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu=80%"]).await?;
    let (_, scaler) = wire.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web").await?;
    ensure!(scaler["spec"]["minReplicas"] == 2 && scaler["spec"]["maxReplicas"] == 5, "{scaler}");
    ensure!(scaler["spec"]["scaleTargetRef"]["kind"] == "Deployment", "{scaler}");
    ensure!(scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80, "{scaler}");
    platform.stop().await;
    Ok(())
}
