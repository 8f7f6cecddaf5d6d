//! The API as bytes on the wire: any method, path and body, and the code and JSON
//! that come back.

use anyhow::{Context, Result, ensure};
use http::Request;
use kube::client::Body;
use serde_json::{Value, json};
use testkit::Platform;

/// The default namespace's configmaps.
pub const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";
/// Media types.
pub const JSON: &str = "application/json";
pub const MERGE: &str = "application/merge-patch+json";
pub const APPLY: &str = "application/apply-patch+yaml";
pub const JSON_PATCH: &str = "application/json-patch+json";

/// A client that shows what the server says without judging it.
pub struct Wire(kube::Client);

impl Wire {
    pub async fn to(platform: &Platform) -> Result<Wire> {
        Ok(Wire(platform.kube().await?))
    }

    /// Sends and returns the code and the JSON.
    pub async fn send(&self, method: &str, path: &str, media: &str, body: impl Into<Vec<u8>>) -> Result<(u16, Value)> {
        let request = Request::builder().method(method).uri(path).header("content-type", media);
        let response = self.0.send(request.body(Body::from(body.into()))?).await?;
        let code = response.status().as_u16();
        let bytes = response.into_body().collect_bytes().await?;
        Ok((code, serde_json::from_slice(&bytes).with_context(|| format!("{method} {path} answers no JSON"))?))
    }

    pub async fn get(&self, path: &str) -> Result<(u16, Value)> {
        self.send("GET", path, JSON, "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Result<(u16, Value)> {
        self.send("POST", path, JSON, body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Result<(u16, Value)> {
        self.send("PUT", path, JSON, body.to_string()).await
    }

    pub async fn merge(&self, path: &str, body: Value) -> Result<(u16, Value)> {
        self.send("PATCH", path, MERGE, body.to_string()).await
    }

    pub async fn delete(&self, path: &str) -> Result<(u16, Value)> {
        self.send("DELETE", path, JSON, "").await
    }

    /// Creates what must be creatable.
    pub async fn made(&self, path: &str, body: Value) -> Result<Value> {
        let (code, object) = self.post(path, body).await?;
        ensure!(code == 201, "{path}: {code} {object}");
        Ok(object)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_status() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let named = format!("{CONFIGMAPS}/x");
    let large = json!({"metadata": {"name": "large"}, "data": {"a": "x".repeat(2 << 20)}}).to_string();
    let cases: [(&str, &str, &str, Vec<u8>, u16); 22] = [
        ("GET", "/nope", JSON, Vec::new(), 404),
        ("GET", "/api/v1/namespaces/%00/configmaps", JSON, Vec::new(), 404),
        ("GET", "/api/v1/namespaces/default/configmaps/a%2fb", JSON, Vec::new(), 404),
        ("GET", "/api/v1/namespaces/default/configmaps/%2e%2e", JSON, Vec::new(), 404),
        ("GET", "/api/v1/namespaces/default/configmaps/%+f", JSON, Vec::new(), 404),
        ("GET", "/clusters/nope/api/v1/pods", JSON, Vec::new(), 404),
        ("POST", "/version", JSON, Vec::new(), 405),
        ("POST", "/apis", JSON, Vec::new(), 405),
        ("OPTIONS", CONFIGMAPS, JSON, Vec::new(), 405),
        ("PROPFIND", CONFIGMAPS, JSON, Vec::new(), 405),
        ("PUT", CONFIGMAPS, JSON, Vec::new(), 405),
        ("POST", CONFIGMAPS, "application/cbor", b"x".to_vec(), 415),
        ("PATCH", &named, JSON, b"{}".to_vec(), 415),
        ("POST", CONFIGMAPS, JSON, b"[".repeat(1 << 20), 400),
        ("POST", CONFIGMAPS, JSON, b"{\"a\":\"\xff\"}".to_vec(), 422),
        ("POST", CONFIGMAPS, "application/yaml", b"[".repeat(1 << 18), 400),
        ("POST", CONFIGMAPS, "application/vnd.kubernetes.protobuf", b"k8s\0\x0a\xff\xff\xff\xff\x0f".to_vec(), 400),
        ("POST", CONFIGMAPS, JSON, b"{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[]}".to_vec(), 400),
        ("POST", CONFIGMAPS, JSON, large.into_bytes(), 413),
        ("DELETE", &named, JSON, b"{\"dryRun\":[\"Some\"]}".to_vec(), 400),
        ("GET", "/api/v1/configmaps?limit=-1", JSON, Vec::new(), 400),
        ("GET", "/api/v1/configmaps?continue=eyJ2IjoieCJ9", JSON, Vec::new(), 400),
    ];
    for (method, path, media, body, expect) in cases {
        let (code, status) = wire.send(method, path, media, body).await?;
        ensure!(code == expect && status["kind"] == "Status", "{method} {path}: {code} {status}");
        ensure!(status["status"] == "Failure" && status["code"] == expect, "{method} {path}: {status}");
    }
    let (code, root) = wire.get("/").await?;
    ensure!(code == 200 && root["paths"].as_array().is_some_and(|paths| paths.contains(&json!("/apis/apps/v1"))));
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_patch_stores_can_be_read_and_deleted() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let definition = json!({
        "metadata": {"name": "deeps.test.dev"},
        "spec": {
            "group": "test.dev",
            "scope": "Namespaced",
            "names": {"plural": "deeps", "kind": "Deep"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            }}],
        },
    });
    wire.made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition).await?;
    let deeps = "/apis/test.dev/v1/namespaces/default/deeps";
    for depth in 100..=130 {
        wire.made(
            deeps,
            json!({"apiVersion": "test.dev/v1", "kind": "Deep", "metadata": {"name": "deep"}, "data": {}}),
        )
        .await?;
        let half = depth / 2;
        let nested = |levels: usize| (0..levels).fold(json!("x"), |inner, _| json!({"a": inner}));
        let patch = json!([
            {"op": "add", "path": "/data/a", "value": nested(half)},
            {"op": "add", "path": format!("/data{}", "/a".repeat(half + 1)), "value": nested(depth - half - 2)},
        ]);
        let (code, status) = wire.send("PATCH", &format!("{deeps}/deep"), JSON_PATCH, patch.to_string()).await?;
        ensure!(code == 200 || code == 400, "{depth}: {code} {status}");
        let (code, status) = wire.merge(&format!("{deeps}/deep"), json!({"metadata": {"labels": {"a": "b"}}})).await?;
        ensure!(code == 200, "{depth}: {code} {status}");
        let (code, status) = wire.delete(&format!("{deeps}/deep")).await?;
        ensure!(code == 200, "{depth}: {code} {status}");
    }
    platform.stop().await;
    Ok(())
}
