//! Server-side apply by the clients that live on it: kubectl, kube-rs, Python, and controllers in
//! process.

use anyhow::{Result, bail, ensure};
use api::{ClusterName, Gvr};
use client::{Patch, Target, WriteOptions};
use kube::api::{Api, Patch as KubePatch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};
use testkit::{Kubectl, Platform, tools};
use tokio::process::Command;

fn deployment(replicas: u32, image: &str) -> String {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
            },
        },
    })
    .to_string()
}

async fn start() -> Result<(Platform, Kubectl)> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    Ok((platform, kubectl))
}

async fn read(kubectl: &Kubectl, what: &[&str]) -> Result<Value> {
    let command: Vec<&str> =
        ["get"].iter().chain(what).chain(&["-o", "json", "--show-managed-fields"]).copied().collect();
    Ok(serde_json::from_str(&kubectl.ok(&command).await?)?)
}

/// Names of those who own anything, with what they do.
fn owners(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries
        .map(|entry| {
            format!("{} {}", entry["manager"].as_str().unwrap_or(""), entry["operation"].as_str().unwrap_or(""))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_managers_meet_in_kubectl() -> Result<()> {
    let (platform, kubectl) = start().await?;
    let (one, two) = (deployment(2, "nginx:1.29"), deployment(3, "nginx:1.30"));
    let apply = |manager: &'static str| ["apply", "--server-side", "--field-manager", manager, "-f", "-"];
    ensure!(kubectl.ok_with(&apply("one"), &one).await?.contains("serverside-applied"));
    let refused = kubectl.run_with(&apply("two"), &two).await?;
    ensure!(!refused.ok);
    let expect = "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.replicas\n\
                  - .spec.template.spec.containers[name=\"web\"].image";
    ensure!(refused.stderr.contains(expect), "{}", refused.stderr);
    let forced = ["apply", "--server-side", "--force-conflicts", "--field-manager", "two", "-f", "-"];
    kubectl.ok_with(&forced, &two).await?;
    let object = read(&kubectl, &["deployment", "web"]).await?;
    ensure!(object["spec"]["replicas"] == 3 && owners(&object) == ["one Apply", "two Apply"], "{object}");
    ensure!(kubectl.ok_with(&["diff", "--server-side", "--field-manager", "two", "-f", "-"], &two).await?.is_empty());
    let revision = object["metadata"]["resourceVersion"].clone();
    kubectl.ok_with(&apply("two"), &two).await?;
    let again = read(&kubectl, &["deployment", "web"]).await?;
    ensure!(again["metadata"]["resourceVersion"] == revision, "the same again is no write");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_goes_over_to_the_server_side_and_back() -> Result<()> {
    let (platform, kubectl) = start().await?;
    kubectl.ok_with(&["apply", "-f", "-"], &deployment(2, "nginx:1.29")).await?;
    let object = read(&kubectl, &["deployment", "web"]).await?;
    ensure!(owners(&object) == ["kubectl-client-side-apply Update"], "{:?}", owners(&object));
    kubectl.ok_with(&["apply", "--server-side", "-f", "-"], &deployment(4, "nginx:1.29")).await?;
    let object = read(&kubectl, &["deployment", "web"]).await?;
    ensure!(
        owners(&object) == ["kubectl-last-applied Apply", "kubectl Apply"] && object["spec"]["replicas"] == 4,
        "{:?}",
        owners(&object)
    );
    // What was applied is kept in step for the way back, so that a field that goes then, goes.
    let without_port = deployment(4, "nginx:1.29").replace(r#","ports":[{"containerPort":80}]"#, "");
    kubectl.ok_with(&["apply", "-f", "-"], &without_port).await?;
    let object = read(&kubectl, &["deployment", "web"]).await?;
    let container = &object["spec"]["template"]["spec"]["containers"][0];
    ensure!(container.get("ports").is_none(), "{container}");
    ensure!(kubectl.ok_with(&["diff", "-f", "-"], &without_port).await?.is_empty(), "diff is empty after apply");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_path_records_its_owner() -> Result<()> {
    let (platform, kubectl) = start().await?;
    kubectl.ok_with(&["create", "-f", "-"], &deployment(1, "nginx:1.29")).await?;
    kubectl.ok(&["label", "deployment", "web", "tier=front", "--field-manager=labeller"]).await?;
    kubectl.ok(&["scale", "deployment", "web", "--replicas=5"]).await?;
    let patch = |kind: &'static str, body: &'static str, manager: &'static str| {
        let kind = format!("--type={kind}");
        let manager = format!("--field-manager={manager}");
        let kubectl = &kubectl;
        async move { kubectl.ok(&["patch", "deployment", "web", &kind, "-p", body, &manager]).await }
    };
    patch("json", r#"[{"op":"add","path":"/spec/minReadySeconds","value":3}]"#, "by-json").await?;
    patch("merge", r#"{"spec":{"paused":true}}"#, "by-merge").await?;
    patch(
        "strategic",
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:1.30"}]}}}}"#,
        "by-strategy",
    )
    .await?;
    let status =
        ["patch", "deployment", "web", "--subresource=status", "--type=merge", "--field-manager=watcher", "-p"];
    kubectl.ok(&[&status[..], &[r#"{"status":{"observedGeneration":1}}"#]].concat()).await?;
    let object = read(&kubectl, &["deployment", "web"]).await?;
    let owned = |manager: &str| {
        let entries = object["metadata"]["managedFields"].as_array()?;
        entries.iter().find(|entry| entry["manager"] == manager).map(|entry| entry["fieldsV1"].clone())
    };
    ensure!(owned("labeller") == Some(json!({"f:metadata": {"f:labels": {"f:tier": {}}}})), "{object}");
    ensure!(owned("kubectl") == Some(json!({"f:spec": {"f:replicas": {}}})), "{object}");
    ensure!(owned("by-json") == Some(json!({"f:spec": {"f:minReadySeconds": {}}})));
    ensure!(owned("by-merge") == Some(json!({"f:spec": {"f:paused": {}}})));
    let image =
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {"f:image": {}}}}}}});
    ensure!(owned("by-strategy") == Some(image), "{object}");
    ensure!(owned("watcher") == Some(json!({"f:status": {"f:observedGeneration": {}}})), "{object}");
    let made = owned("kubectl-create").unwrap_or_default();
    ensure!(made["f:spec"].get("f:replicas").is_none() && made["f:spec"].get("f:selector").is_some(), "{made}");
    let subresources: Vec<&Value> = object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("subresource"))
        .collect();
    ensure!(subresources == ["scale", "status"], "{subresources:?}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kube_rs_applies() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "ConfigMap"));
    let maps: Api<DynamicObject> = Api::namespaced_with(platform.kube().await?, "default", &resource);
    let config = |value: &str| {
        KubePatch::Apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": value}}),
        )
    };
    let made = maps.patch("m", &PatchParams::apply("one"), &config("1")).await?;
    ensure!(made.metadata.managed_fields.as_ref().is_some_and(|fields| fields.len() == 1), "{made:?}");
    let refused = maps.patch("m", &PatchParams::apply("two"), &config("2")).await;
    let Err(kube::Error::Api(status)) = refused else { bail!("a conflict was to come: {refused:?}") };
    ensure!(
        status.code == 409 && status.message == r#"Apply failed with 1 conflict: conflict with "one": .data.a"#,
        "{status:?}"
    );
    let taken = maps.patch("m", &PatchParams::apply("two").force(), &config("2")).await?;
    ensure!(taken.data["data"] == json!({"a": "2"}));
    platform.stop().await;
    Ok(())
}

const PYTHON: &str = r#"
import sys
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

config.load_kube_config(sys.argv[1])
maps = DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
body = lambda value: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p", "namespace": "default"}, "data": {"a": value}}
made = maps.server_side_apply(body=body("1"), field_manager="one")
assert made.data.a == "1", made
try:
    maps.server_side_apply(body=body("2"), field_manager="two")
    raise SystemExit("a conflict was to come")
except ApiException as error:
    assert error.status == 409 and "Apply failed with 1 conflict" in str(error.body), error
taken = maps.server_side_apply(body=body("2"), field_manager="two", force_conflicts=True)
assert [entry.manager for entry in taken.metadata.managedFields] == ["two"], taken
print("done")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python_applies() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let output = Command::new(tools::python()?).args(["-c", PYTHON]).arg(platform.kubeconfig()).output().await?;
    if String::from_utf8_lossy(&output.stdout).trim() != "done" {
        bail!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn controllers_in_process_apply_and_race() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let objects = platform.objects.clone();
    let target = Target::namespaced(&ClusterName::root(), &Gvr::new("", "v1", "configmaps"), "default");
    let apply = |manager: usize| {
        let (objects, target) = (objects.clone(), target.clone());
        async move {
            let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {format!("k{manager}"): "v"}});
            let options = WriteOptions { field_manager: format!("m{manager}"), ..WriteOptions::default() };
            objects.patch(&target, "m", None, Patch::Apply(config.to_string().into()), options).await
        }
    };
    // Nobody loses what another wrote at the same instant, and who came first made the object.
    let outcomes = futures::future::join_all((0..8).map(apply)).await;
    for outcome in outcomes {
        outcome?;
    }
    let object = objects.get(&target, "m").await?.value()?;
    ensure!(object["data"].as_object().is_some_and(|data| data.len() == 8), "{object}");
    ensure!(owners(&object).len() == 8, "{object}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_can_be_forgotten_and_stated() -> Result<()> {
    let (platform, kubectl) = start().await?;
    kubectl.ok_with(&["apply", "--server-side", "-f", "-"], &deployment(1, "nginx:1.29")).await?;
    let patch = ["patch", "deployment", "web", "--type=merge", "-p"];
    kubectl.ok(&[&patch[..], &[r#"{"metadata":{"managedFields":[{}]}}"#]].concat()).await?;
    ensure!(read(&kubectl, &["deployment", "web"]).await?["metadata"].get("managedFields").is_none());
    kubectl.ok_with(&["apply", "--server-side", "-f", "-"], &deployment(1, "nginx:1.29")).await?;
    ensure!(owners(&read(&kubectl, &["deployment", "web"]).await?) == ["kubectl Apply", "before-first-apply Update"]);
    platform.stop().await;
    Ok(())
}
