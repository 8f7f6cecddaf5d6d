//! Logical clusters: isolated from each other, made and removed as one.

use anyhow::{Result, ensure};
use testkit::{Kubectl, Platform};

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
