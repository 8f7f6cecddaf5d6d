//! What the API refuses, and in which words.

use anyhow::{Result, ensure};
use testkit::{Kubectl, Platform};

async fn check(kubectl: &Kubectl, arguments: &[&str], input: &str, expect: &str) -> Result<()> {
    let output = kubectl.run_with(arguments, input).await?;
    ensure!(!output.ok, "{arguments:?} was to be refused: {}", output.stdout);
    ensure!(output.stderr.contains(expect), "{arguments:?}: expected {expect:?} in {}", output.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_in_kubernetes_words() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    let create: &[&str] = &["create", "--validate=false", "-f", "-"];
    let named = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    check(&kubectl, create, &named("Not_A_Name"), "a lowercase RFC 1123 subdomain must consist of").await?;
    kubectl.ok_with(create, &named("taken")).await?;
    check(&kubectl, create, &named("taken"), r#"configmaps "taken" already exists"#).await?;
    check(&kubectl, &["get", "configmaps", "-n", "nowhere", "missing"], "", "NotFound").await?;
    check(&kubectl, &["create", "configmap", "x", "-n", "nowhere"], "", r#"namespaces "nowhere" not found"#).await?;
    check(&kubectl, &["get", "configmaps", "--field-selector=spec.color=red"], "", "is not a known field selector")
        .await?;
    check(&kubectl, &["get", "configmaps", "-l", "a in b"], "", "unable to parse requirement").await?;
    check(&kubectl, &["delete", "namespace", "default"], "", "this namespace may not be deleted").await?;
    check(&kubectl, &["get", "--raw", "/apis/none.example.com/v1"], "", "could not find the requested resource")
        .await?;
    check(&kubectl, &["get", "--raw", "/api/v1/configmaps?resourceVersion=abc"], "", "resourceVersion").await?;
    check(&kubectl, &["get", "--raw", "/api/v1/configmaps?limit=5&continue=%21"], "", "continue token").await?;
    let large =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: large}}\ndata: {{a: {}}}\n", "x".repeat(4 << 20));
    check(&kubectl, create, &large, "limit is").await?;
    platform.stop().await;
    Ok(())
}

/// Asks as somebody with this token, or with none.
async fn ask(platform: &Platform, token: Option<&str>, path: &str) -> Result<(bool, String)> {
    let kubeconfig = kube::config::Kubeconfig::read_from(platform.kubeconfig())?;
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    config.auth_info = kube::config::AuthInfo { token: token.map(|token| token.into()), ..Default::default() };
    let client = kube::Client::try_from(config)?;
    match client.request_text(http::Request::get(path).body(Vec::new())?).await {
        Ok(text) => Ok((true, text)),
        Err(error) => Ok((false, error.to_string())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_read_health_and_version_only() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    ensure!(ask(&platform, None, "/readyz").await? == (true, "ok".to_owned()));
    ensure!(ask(&platform, None, "/version").await?.1.contains("v1.36"));
    for path in ["/api/v1/secrets", "/apis", "/openapi/v3", "/metrics"] {
        let (answered, text) = ask(&platform, None, path).await?;
        ensure!(!answered && text.contains("forbidden"), "{path}: {text}");
    }
    let (answered, text) = ask(&platform, Some("wrong-wrong-wrong"), "/version").await?;
    ensure!(!answered && text.contains("Unauthorized"), "{text}");
    let admin = std::fs::read_to_string(platform.layout().pki().join("admin.token"))?;
    ensure!(ask(&platform, Some(&admin), "/api/v1/namespaces").await?.1.contains("kube-system"));
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_as_somebody_gives_their_rights_only() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    let get: &[&str] = &["get", "--raw", "/api/v1/secrets"];
    check(&kubectl, &[get, &["--as=bob"]].concat(), "", "User \"bob\" cannot list resource").await?;
    check(&kubectl, &[get, &["--as=bob", "--as-group=devs"]].concat(), "", "User \"bob\" cannot list").await?;
    check(&kubectl, &[get, &["--as=system:anonymous"]].concat(), "", "system:anonymous").await?;
    kubectl.ok(&[get, &["--as=bob", "--as-group=system:masters"]].concat()).await?;
    platform.stop().await;
    Ok(())
}
