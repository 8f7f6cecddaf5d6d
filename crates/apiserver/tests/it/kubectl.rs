//! kubectl as people use it, command by command.

use anyhow::{Result, ensure};
use testkit::{Kubectl, Platform};
use tokio::io::{AsyncBufReadExt, BufReader};

const DEPLOYMENT: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'nginx:1.29', ports: [{containerPort: 80}]}
      - {name: side, image: 'busybox:1.37'}
";

async fn platform() -> Result<(Platform, Kubectl)> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    Ok((platform, kubectl))
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_prints() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    ensure!(kubectl.ok(&["version"]).await?.contains("Server Version: v1.36"), "a version is reported");
    let resources = kubectl.ok(&["api-resources"]).await?;
    for line in ["deployments", "configmaps", "customresourcedefinitions", "cronjobs", "clusterroles"] {
        ensure!(resources.contains(line), "{line} is listed in:\n{resources}");
    }
    ensure!(kubectl.ok(&["api-versions"]).await?.lines().any(|line| line == "apps/v1"));
    let namespaces = kubectl.ok(&["get", "namespaces"]).await?;
    ensure!(namespaces.contains("STATUS") && namespaces.contains("Active"), "{namespaces}");
    kubectl.ok_with(&["create", "-f", "-"], DEPLOYMENT).await?;
    let table = kubectl.ok(&["get", "deployments"]).await?;
    ensure!(table.contains("READY") && table.contains("0/2"), "{table}");
    ensure!(kubectl.ok(&["get", "deploy", "-o", "wide"]).await?.contains("nginx:1.29,busybox:1.37"));
    ensure!(kubectl.ok(&["get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"]).await? == "2");
    let described = kubectl.ok(&["describe", "deployment", "web"]).await?;
    ensure!(described.contains("2 desired") && described.contains("nginx:1.29"), "{described}");
    ensure!(kubectl.ok(&["get", "all", "-A"]).await?.contains("deployment.apps/web"));
    ensure!(kubectl.ok(&["explain", "deployment.spec.replicas"]).await?.contains("Number of desired pods"));
    ensure!(kubectl.ok(&["auth", "can-i", "create", "pods"]).await?.trim() == "yes");
    ensure!(kubectl.ok(&["auth", "whoami"]).await?.contains("coracle:admin"));
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn create_generators_send_protobuf() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    let commands: &[&[&str]] = &[
        &["namespace", "team"],
        &["configmap", "settings", "--from-literal=color=blue"],
        &["secret", "generic", "login", "--from-literal=password=hunter2"],
        &["serviceaccount", "robot"],
        &["deployment", "api", "--image=nginx:1.29", "--replicas=3", "--port=8080"],
        &["job", "once", "--image=busybox:1.37", "--", "true"],
        &["cronjob", "nightly", "--image=busybox:1.37", "--schedule=0 3 * * *"],
        &["role", "reader", "--verb=get,list", "--resource=pods"],
        &["rolebinding", "reader", "--role=reader", "--serviceaccount=default:robot"],
        &["clusterrole", "peek", "--verb=get", "--resource=nodes"],
        &["clusterrolebinding", "peek", "--clusterrole=peek", "--user=alice"],
        &["service", "clusterip", "api", "--tcp=80:8080"],
        &["ingress", "api", "--rule=api.example.com/*=api:80"],
        &["quota", "small", "--hard=pods=10"],
        &["poddisruptionbudget", "api", "--selector=app=api", "--min-available=1"],
        &["priorityclass", "high", "--value=1000", "--description=important"],
    ];
    for command in commands {
        let mut arguments = vec!["create"];
        arguments.extend_from_slice(command);
        kubectl.ok(&arguments).await?;
    }
    ensure!(
        kubectl
            .ok(&["get", "deploy", "api", "-o", "jsonpath={.spec.template.spec.containers[0].ports[0].containerPort}"])
            .await?
            == "8080"
    );
    ensure!(kubectl.ok(&["get", "secret", "login", "-o", "jsonpath={.data.password}"]).await? == "aHVudGVyMg==");
    ensure!(kubectl.ok(&["get", "cronjob", "nightly", "-o", "jsonpath={.spec.schedule}"]).await? == "0 3 * * *");
    ensure!(kubectl.ok(&["get", "pdb", "api", "-o", "jsonpath={.spec.minAvailable}"]).await? == "1");
    ensure!(kubectl.ok(&["get", "ingress", "api"]).await?.contains("api.example.com"));
    let run = kubectl.ok(&["run", "shell", "--image=busybox:1.37"]).await?;
    ensure!(run.contains("pod/shell created"), "{run}");
    ensure!(kubectl.ok(&["get", "pods"]).await?.contains("Pending"));
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_labels_scales_and_patches() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    ensure!(kubectl.ok_with(&["apply", "-f", "-"], DEPLOYMENT).await?.contains("created"));
    ensure!(kubectl.ok_with(&["apply", "-f", "-"], DEPLOYMENT).await?.contains("unchanged"));
    let changed = DEPLOYMENT.replace("nginx:1.29", "nginx:1.30");
    ensure!(kubectl.ok_with(&["diff", "-f", "-"], DEPLOYMENT).await?.is_empty(), "diff is empty after apply");
    ensure!(kubectl.ok_with(&["apply", "-f", "-"], &changed).await?.contains("configured"));
    let images =
        kubectl.ok(&["get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[*].image}"]).await?;
    ensure!(images == "nginx:1.30 busybox:1.37", "the list was merged by name: {images}");
    ensure!(kubectl.ok(&["get", "deploy", "web", "-o", "jsonpath={.metadata.generation}"]).await? == "2");

    kubectl.ok(&["label", "deploy", "web", "tier=front"]).await?;
    kubectl.ok(&["annotate", "deploy", "web", "note=kept"]).await?;
    ensure!(
        kubectl.ok(&["get", "deploy", "-l", "tier=front,app in (web)", "-o", "name"]).await?.trim()
            == "deployment.apps/web"
    );
    ensure!(kubectl.ok(&["get", "deploy", "-l", "tier!=front", "-o", "name"]).await?.is_empty());
    ensure!(
        kubectl.ok(&["get", "deploy", "web", "-o", "jsonpath={.metadata.generation}"]).await? == "3",
        "of a deployment, annotations are a change of the desired state, and labels are none"
    );

    kubectl.ok(&["scale", "deploy", "web", "--replicas=5"]).await?;
    ensure!(kubectl.ok(&["get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"]).await? == "5");
    kubectl.ok(&["set", "image", "deploy/web", "side=busybox:1.38"]).await?;
    kubectl
        .ok(&[
            "patch",
            "deploy",
            "web",
            "-p",
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}"#,
        ])
        .await?;
    kubectl
        .ok(&["patch", "deploy", "web", "--type=json", "-p", r#"[{"op":"replace","path":"/spec/replicas","value":1}]"#])
        .await?;
    kubectl.ok(&["patch", "deploy", "web", "--type=merge", "-p", r#"{"spec":{"paused":true}}"#]).await?;
    let spec = kubectl
        .ok(&[
            "get",
            "deploy",
            "web",
            "-o",
            "jsonpath={.spec.replicas} {.spec.paused} {.spec.template.spec.containers[*].name}",
        ])
        .await?;
    ensure!(spec == "1 true web", "{spec}");
    kubectl
        .ok(&["patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", r#"{"status":{"replicas":1}}"#])
        .await?;
    kubectl.ok(&["wait", "deploy/web", "--for=jsonpath={.status.replicas}=1", "--timeout=5s"]).await?;

    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replaces_and_deletes() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    kubectl.ok_with(&["create", "-f", "-"], DEPLOYMENT).await?;
    kubectl.ok(&["annotate", "deploy", "web", "note=kept"]).await?;
    let read = kubectl.ok(&["get", "deploy", "web", "-o", "yaml"]).await?;
    let edited = read.replace("note: kept", "note: edited");
    ensure!(kubectl.ok_with(&["replace", "-f", "-"], &edited).await?.contains("replaced"));
    let stale = kubectl.run_with(&["replace", "-f", "-"], &read.replace("note: kept", "note: late")).await?;
    ensure!(!stale.ok && stale.stderr.contains("the object has been modified"), "{}", stale.stderr);

    let dry = kubectl.ok(&["create", "configmap", "ghost", "--dry-run=server"]).await?;
    ensure!(dry.contains("server dry run"), "{dry}");
    ensure!(kubectl.fails(&["get", "configmap", "ghost"]).await?.contains(r#"configmaps "ghost" not found"#));
    kubectl.ok(&["delete", "deploy", "web", "--wait=true", "--timeout=10s"]).await?;
    ensure!(kubectl.fails(&["get", "deploy", "web"]).await?.contains("NotFound"));
    kubectl.ok(&["create", "configmap", "one"]).await?;
    kubectl.ok(&["create", "configmap", "two"]).await?;
    kubectl.ok(&["delete", "configmaps", "--all"]).await?;
    ensure!(kubectl.ok(&["get", "configmaps", "-o", "name"]).await?.is_empty());
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_while_things_happen() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    let mut watch = kubectl.command(&["get", "configmaps", "-w", "--output-watch-events"]);
    let mut child = watch.stdout(std::process::Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
    kubectl.ok(&["create", "configmap", "seen"]).await?;
    let heading = lines.next_line().await?.unwrap_or_default();
    ensure!(heading.contains("EVENT") && heading.contains("DATA"), "{heading}");
    let first = lines.next_line().await?.unwrap_or_default();
    ensure!(first.contains("ADDED") && first.contains("seen"), "{first}");
    kubectl.ok(&["label", "configmap", "seen", "a=b"]).await?;
    let second = lines.next_line().await?.unwrap_or_default();
    ensure!(second.contains("MODIFIED"), "{second}");
    kubectl.ok(&["delete", "configmap", "seen"]).await?;
    let third = lines.next_line().await?.unwrap_or_default();
    ensure!(third.contains("DELETED"), "{third}");
    child.kill().await?;
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_list_are_of_one_state() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    let mut many = String::new();
    for number in 0..60 {
        many.push_str(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number:03}}}\n---\n"));
    }
    kubectl.ok_with(&["create", "-f", "-"], &many).await?;
    let names = kubectl.ok(&["get", "configmaps", "--chunk-size=7", "-o", "name"]).await?;
    ensure!(names.lines().count() == 60, "{names}");
    let raw = kubectl.ok(&["get", "--raw", "/api/v1/namespaces/default/configmaps?limit=10"]).await?;
    let page: serde_json::Value = serde_json::from_str(&raw)?;
    ensure!(page["metadata"]["remainingItemCount"] == 50, "{}", page["metadata"]);
    kubectl.ok(&["delete", "configmap", "c030"]).await?;
    let token = page["metadata"]["continue"].as_str().unwrap_or_default();
    let raw = kubectl
        .ok(&["get", "--raw", &format!("/api/v1/namespaces/default/configmaps?limit=100&continue={token}")])
        .await?;
    let rest: serde_json::Value = serde_json::from_str(&raw)?;
    ensure!(
        rest["items"].as_array().map(Vec::len) == Some(50),
        "what was deleted meanwhile is still in the list's state"
    );
    ensure!(rest["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]);
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_the_same_in_both_groups() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    let event = "apiVersion: events.k8s.io/v1\nkind: Event\nmetadata: {name: e, namespace: default}\neventTime: '2026-01-01T00:00:00.000000Z'\nreportingController: example.com/test\nreportingInstance: test-1\naction: Testing\nreason: Tested\ntype: Normal\nnote: it was tested\nregarding: {apiVersion: v1, kind: Pod, name: p, namespace: default}\n";
    kubectl.ok_with(&["create", "-f", "-"], event).await?;
    let core = kubectl.ok(&["get", "--raw", "/api/v1/namespaces/default/events/e"]).await?;
    let core: serde_json::Value = serde_json::from_str(&core)?;
    ensure!(core["message"] == "it was tested" && core["involvedObject"]["name"] == "p", "{core}");
    let table = kubectl.ok(&["get", "events"]).await?;
    ensure!(table.contains("pod/p") && table.contains("it was tested"), "{table}");
    let named = kubectl.ok(&["get", "events", "--field-selector=involvedObject.name=p", "-o", "name"]).await?;
    ensure!(named.contains("event/e"), "{named}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_get_prints_can_be_applied_again() -> Result<()> {
    let (platform, kubectl) = platform().await?;
    kubectl.ok_with(&["create", "-f", "-"], DEPLOYMENT).await?;
    kubectl.ok(&["create", "configmap", "settings", "--from-literal=color=blue"]).await?;
    let printed = kubectl.ok(&["get", "deployments,configmaps,serviceaccounts", "-o", "yaml"]).await?;
    ensure!(printed.contains("kind: List"), "{printed}");
    kubectl.ok_with(&["apply", "-f", "-"], &printed).await?;
    let replaced = kubectl.ok_with(&["replace", "-f", "-"], &printed).await;
    ensure!(replaced.is_err(), "apply wrote an annotation, so the printed revisions are old");
    kubectl.ok(&["delete", "deployment", "web"]).await?;
    let created = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}}\n";
    ensure!(kubectl.ok_with(&["create", "-f", "-"], created).await?.contains("configmap/listed created"));
    platform.stop().await;
    Ok(())
}
