//! Field validation on every verb and kind of patch, and how OpenAPI documents are cached.
//! The expectations are answers of kube-apiserver 1.36.

use anyhow::{Result, ensure};
use http::header;
use http::{HeaderMap, Request, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};
use testkit::Platform;

use crate::wire::{CONFIGMAPS, JSON, JSON_PATCH, MERGE, Wire};

const YAML: &str = "application/yaml";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const GADGETS: &str = "/apis/decode.test/v1/namespaces/default/gadgets";

/// What came back: code, warnings, the answer.
struct Answer(u16, Vec<String>, Value);

async fn send(client: &kube::Client, method: &str, path: &str, media: &str, body: &str) -> Result<Answer> {
    let request = Request::builder().method(method).uri(path).header("content-type", media);
    let response = client.send(request.body(Body::from(body.as_bytes().to_vec()))?).await?;
    let texts = response.headers().get_all(header::WARNING).iter();
    let warnings = texts.map(|text| text.to_str().unwrap_or_default().to_owned()).collect();
    let code = response.status().as_u16();
    Ok(Answer(code, warnings, serde_json::from_slice(&response.into_body().collect_bytes().await?)?))
}

fn deployment(spec: &str) -> String {
    let template = r#"{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}"#;
    format!(
        r#"{{"metadata":{{"name":"d"}},"spec":{{{spec}"selector":{{"matchLabels":{{"a":"b"}}}},"template":{template}}}}}"#
    )
}

async fn prepared(platform: &Platform) -> Result<kube::Client> {
    let wire = Wire::to(platform).await?;
    wire.made(CONFIGMAPS, json!({"metadata": {"name": "c"}, "data": {"a": "b"}})).await?;
    wire.made(DEPLOYMENTS, serde_json::from_str(&deployment(""))?).await?;
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "metadata": {"name": "gadgets.decode.test"},
        "spec": {
            "group": "decode.test",
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "kind": "Gadget"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                "subresources": {"scale": {
                    "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                }},
            }],
        },
    });
    wire.made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition).await?;
    let gadget = json!({"apiVersion": "decode.test/v1", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {}});
    wire.made(GADGETS, gadget).await?;
    platform.kube().await
}

/// Method, path, media type, body; the code and words of `Strict`; the warnings of `Warn`.
type Case<'a> = (&'a str, String, &'a str, String, u16, &'a str, &'a [&'a str]);

/// Objects sent whole.
fn of_whole_objects() -> Vec<Case<'static>> {
    vec![
        (
            "POST",
            DEPLOYMENTS.to_owned(),
            JSON,
            deployment(r#""foo":1,"replicas":1,"replicas":2,"#).replace("\"d\"", "\"e\""),
            400,
            r#"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo", duplicate field "spec.replicas""#,
            &["unknown field \"spec.foo\"", "duplicate field \"spec.replicas\""],
        ),
        (
            "POST",
            CONFIGMAPS.to_owned(),
            YAML,
            "metadata:\n  name: x\ndata:\n  a: b\n  a: c\nfoo: 1\nbar: 1\n".to_owned(),
            400,
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 5: key \"a\" already set in map, unknown field \"bar\", unknown field \"foo\"",
            &["line 5: key \"a\" already set in map", "unknown field \"bar\"", "unknown field \"foo\""],
        ),
        (
            "PUT",
            format!("{CONFIGMAPS}/c"),
            JSON,
            r#"{"metadata":{"name":"c","name":"c"},"foo":1}"#.to_owned(),
            400,
            r#"strict decoding error: duplicate field "metadata.name", unknown field "foo""#,
            &["duplicate field \"metadata.name\"", "unknown field \"foo\""],
        ),
    ]
}

/// Patches, and the scale.
fn of_patches() -> Vec<Case<'static>> {
    vec![
        (
            "PATCH",
            format!("{CONFIGMAPS}/c"),
            JSON_PATCH,
            r#"[{"op":"add","path":"/foo","value":1,"op":"add","bar":2}]"#.to_owned(),
            422,
            r#": strict decoding error: json patch duplicate field "[0].op", json patch unknown field "[0].bar", unknown field "foo""#,
            &["json patch duplicate field \"[0].op\"", "json patch unknown field \"[0].bar\"", "unknown field \"foo\""],
        ),
        (
            "PATCH",
            format!("{CONFIGMAPS}/c"),
            MERGE,
            r#"{"foo":1,"data":{"x":"y","x":"z"}}"#.to_owned(),
            422,
            r#": strict decoding error: duplicate field "data.x", unknown field "foo""#,
            &["duplicate field \"data.x\"", "unknown field \"foo\""],
        ),
        (
            "PATCH",
            format!("{DEPLOYMENTS}/d"),
            STRATEGIC,
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"c","foo":1}]}}}}"#.to_owned(),
            422,
            r#" "" is invalid: patch: Invalid value: "map[spec:map[template:map[spec:map[containers:[map[foo:1 name:c]]]]]]": strict decoding error: unknown field "spec.template.spec.containers[0].foo""#,
            &["unknown field \"spec.template.spec.containers[0].foo\""],
        ),
        (
            "PUT",
            format!("{DEPLOYMENTS}/d/scale"),
            JSON,
            r#"{"metadata":{"name":"d"},"spec":{"replicas":1,"foo":1}}"#.to_owned(),
            400,
            r#"Scale in version "v1" cannot be handled as a Scale: strict decoding error: unknown field "spec.foo""#,
            &["unknown field \"spec.foo\""],
        ),
        (
            "PATCH",
            format!("{DEPLOYMENTS}/d/scale"),
            MERGE,
            r#"{"spec":{"foo":1}}"#.to_owned(),
            422,
            r#": strict decoding error: unknown field "spec.foo""#,
            &["unknown field \"spec.foo\""],
        ),
        (
            "PATCH",
            format!("{DEPLOYMENTS}/d/status"),
            MERGE,
            r#"{"status":{"foo":1}}"#.to_owned(),
            422,
            r#": strict decoding error: unknown field "status.foo""#,
            &["unknown field \"status.foo\""],
        ),
    ]
}

/// Custom kinds, and what is in order.
fn of_others() -> Vec<Case<'static>> {
    let gadget = |name: &str, meta: &str, spec: &str| {
        format!(
            r#"{{"apiVersion":"decode.test/v1","kind":"Gadget","metadata":{{"name":"{name}"{meta}}},"spec":{{{spec}}}}}"#
        )
    };
    vec![
        (
            "POST",
            GADGETS.to_owned(),
            JSON,
            gadget("h", r#","foo":1"#, r#""a":1,"a":2"#),
            400,
            r#"Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: duplicate field "spec.a", unknown field "metadata.foo""#,
            &["duplicate field \"spec.a\"", "unknown field \"metadata.foo\""],
        ),
        (
            "PATCH",
            format!("{GADGETS}/g"),
            MERGE,
            r#"{"metadata":{"foo":1}}"#.to_owned(),
            422,
            r#": strict decoding error: unknown field "metadata.foo""#,
            &["unknown field \"metadata.foo\""],
        ),
        ("PATCH", format!("{GADGETS}/g"), MERGE, r#"{"spec":{"free":{"x":1}}}"#.to_owned(), 200, "", &[]),
        ("PATCH", format!("{CONFIGMAPS}/c"), STRATEGIC, "{}".to_owned(), 200, "", &[]),
        ("PATCH", format!("{CONFIGMAPS}/c"), JSON_PATCH, "[]".to_owned(), 200, "", &[]),
        (
            "POST",
            CONFIGMAPS.to_owned(),
            JSON,
            r#"{"metadata":{"name":"y","creationTimestamp":null}}"#.to_owned(),
            201,
            "",
            &[],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_duplicate_fields_do_what_was_asked_for() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let client = prepared(&platform).await?;
    let cases = [of_whole_objects(), of_patches(), of_others()].concat();
    for (method, path, media, body, code, words, warnings) in cases {
        let ask = async |mode: &str| send(&client, method, &format!("{path}?dryRun=All{mode}"), media, &body).await;
        let Answer(got, _, status) = ask("&fieldValidation=Strict").await?;
        let message = status["message"].as_str().unwrap_or_default();
        ensure!(got == code && (code < 300 || message.ends_with(words)), "{method} {path} {body}: {got} {status}");
        let quoted: Vec<String> = warnings.iter().map(|text| format!("299 - {}", Value::from(*text))).collect();
        for mode in ["", "&fieldValidation=Warn"] {
            let Answer(got, told, answer) = ask(mode).await?;
            ensure!(got < 300 && told == quoted, "{method} {path} {body}: {got} {told:?} {answer}");
        }
        let Answer(got, told, answer) = ask("&fieldValidation=Ignore").await?;
        ensure!(got < 300 && told.is_empty(), "{method} {path} {body}: {got} {told:?} {answer}");
        let text = answer.to_string();
        ensure!(!text.contains("\"foo\""), "unknown fields are dropped: {text}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_another_type_are_refused_however_strict() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let client = prepared(&platform).await?;
    let of_patch = r#" "" is invalid: patch: Invalid value: "#;
    let cases = [
        (
            "POST", DEPLOYMENTS, JSON, deployment(r#""replicas":"x","#), 400,
            r#"Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"#.to_owned(),
        ),
        (
            "POST", GADGETS, JSON,
            r#"{"apiVersion":"decode.test/v1","kind":"Gadget","metadata":{"name":"h","labels":{"a":1}}}"#.to_owned(), 400,
            r#"Gadget in version "v1" cannot be handled as a Gadget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"#.to_owned(),
        ),
        ("POST", CONFIGMAPS, JSON, "[]".to_owned(), 400, "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct".to_owned()),
        ("POST", CONFIGMAPS, JSON, "{".to_owned(), 400, "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({)".to_owned()),
        ("POST", CONFIGMAPS, JSON, r#"{"kind":1}"#.to_owned(), 400, "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string".to_owned()),
        ("PATCH", "configmaps/c", STRATEGIC, r#"{"data":{"x":1}}"#.to_owned(), 422, format!("{of_patch}\"map[data:map[x:1]]\": cannot convert int64 to string")),
        ("PATCH", "configmaps/c", MERGE, r#"{"data":{"x":1}}"#.to_owned(), 422, of_patch.to_owned()),
        ("PATCH", "configmaps/c", MERGE, "[]".to_owned(), 400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}".to_owned()),
        ("PATCH", "configmaps/c", MERGE, "null".to_owned(), 400, "Invalid JSON Patch".to_owned()),
        ("PATCH", "configmaps/c", STRATEGIC, "{".to_owned(), 400, "unexpected end of JSON input".to_owned()),
        ("PATCH", "configmaps/c", JSON_PATCH, "[1]".to_owned(), 400, "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp".to_owned()),
    ];
    for (method, path, media, body, code, words) in cases {
        let path = if path == "configmaps/c" { format!("{CONFIGMAPS}/c") } else { path.to_owned() };
        for mode in ["Strict", "Warn", "Ignore"] {
            let Answer(got, _, status) =
                send(&client, method, &format!("{path}?fieldValidation={mode}"), media, &body).await?;
            let message = status["message"].as_str().unwrap_or_default();
            ensure!(got == code && message.starts_with(&words), "{method} {path} {body} {mode}: {got} {status}");
        }
    }
    for (method, path, media, options) in [
        ("POST", CONFIGMAPS.to_owned(), JSON, "CreateOptions"),
        ("PUT", format!("{CONFIGMAPS}/c"), JSON, "UpdateOptions"),
        ("PATCH", format!("{CONFIGMAPS}/c"), MERGE, "PatchOptions"),
    ] {
        let Answer(code, _, status) =
            send(&client, method, &format!("{path}?fieldValidation=strict"), media, "{}").await?;
        let expect = format!(
            "{options}.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"strict\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
        );
        ensure!(code == 422 && status["message"] == expect.as_str(), "{code} {status}");
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_what_kubernetes_would_answer() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let pods = json!({
        "metadata": {"creationTimestamp": null, "labels": {"a": "b"}, "annotations": {}},
        "spec": {"hostNetwork": false, "nodeSelector": {}, "containers": [{
            "name": "c", "image": "i", "args": [], "command": null, "stdin": false,
            "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}},
        }]},
    });
    let given = json!({
        "metadata": {"name": "d", "labels": {}},
        "spec": {"replicas": 0, "paused": false, "selector": {"matchLabels": {"a": "b"}}, "template": pods},
    });
    let made = wire.made(DEPLOYMENTS, given).await?;
    let spec = &made["spec"];
    ensure!(made["status"] == json!({}) && made["metadata"].get("labels").is_none(), "{made}");
    ensure!(spec["replicas"] == 0 && spec.get("paused").is_none() && spec["strategy"].is_object(), "{made}");
    ensure!(spec["template"]["metadata"] == json!({"labels": {"a": "b"}}), "{made}");
    let container = &spec["template"]["spec"]["containers"][0];
    ensure!(
        container["resources"] == json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}),
        "{made}"
    );
    ensure!(["args", "command", "stdin"].iter().all(|field| container.get(field).is_none()), "{made}");
    // What was read can be written again, and that changes nothing.
    let (code, again) = wire.put(&format!("{DEPLOYMENTS}/d"), made.clone()).await?;
    ensure!(code == 200 && again == made, "{again}");
    platform.stop().await;
    Ok(())
}

async fn fetch(
    client: &kube::Client,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<(StatusCode, HeaderMap, Vec<u8>)> {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.send(request.body(Body::empty())?).await?;
    let (parts, body) = response.into_parts();
    Ok((parts.status, parts.headers, body.collect_bytes().await?.to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn openapi_documents_are_kept_by_their_hash() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let client = platform.kube().await?;
    let index = async || -> Result<Value> { Ok(serde_json::from_slice(&fetch(&client, "/openapi/v3", &[]).await?.2)?) };
    let path_of =
        |index: &Value, key: &str| index["paths"][key]["serverRelativeURL"].as_str().unwrap_or_default().to_owned();
    let before = index().await?;
    let path = path_of(&before, "apis/apps/v1");
    let hash = path.split_once("?hash=").map(|(_, hash)| hash.to_owned()).unwrap_or_default();
    let tag = format!("\"{hash}\"");
    let text = |headers: &HeaderMap, name: &str| -> String {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (code, headers, body) = fetch(&client, &path, &[]).await?;
    ensure!(code == 200 && text(&headers, "cache-control") == "public, immutable" && text(&headers, "etag") == tag);
    ensure!(text(&headers, "expires").ends_with(" GMT") && text(&headers, "vary").contains("Accept"), "{headers:?}");
    let document: Value = serde_json::from_slice(&body)?;
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    let takes =
        |name: &str| patch["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
    ensure!(["dryRun", "fieldManager", "fieldValidation", "force"].iter().all(|name| takes(name)), "{patch}");
    let (code, headers, _) = fetch(&client, "/openapi/v3/apis/apps/v1", &[]).await?;
    ensure!(code == 200 && text(&headers, "cache-control") == "no-cache, private" && text(&headers, "etag") == tag);
    let (code, headers, body) = fetch(&client, "/openapi/v3/apis/apps/v1?hash=OLD", &[]).await?;
    ensure!(code == 301 && text(&headers, "location") == path && body.is_empty(), "{headers:?}");
    for held in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let (code, _, body) = fetch(&client, &path, &[("if-none-match", &held)]).await?;
        ensure!(code == 304 && body.is_empty(), "{held}: {code}");
    }
    let (code, headers, body) = fetch(&client, &path, &[("accept-encoding", "gzip")]).await?;
    ensure!(code == 200 && text(&headers, "content-encoding") == "gzip" && body.starts_with(&[0x1f, 0x8b]));
    ensure!(fetch(&client, &path, &[("accept", "text/plain")]).await?.0 == 406);
    ensure!(fetch(&client, "/openapi/v3/apis/nope/v1", &[]).await?.0 == 404);
    prepared(&platform).await?;
    let after = index().await?;
    ensure!(path_of(&after, "apis/apps/v1") == path, "a definition changes no other document");
    let custom: Value = serde_json::from_slice(&fetch(&client, &path_of(&after, "apis/decode.test/v1"), &[]).await?.2)?;
    let scale = &custom["paths"]["/apis/decode.test/v1/namespaces/{namespace}/gadgets/{name}/scale"]["patch"];
    ensure!(scale["x-kubernetes-group-version-kind"]["kind"] == "Gadget", "{scale}");
    let gadget = &custom["components"]["schemas"]["test.decode.v1.Gadget"];
    ensure!(gadget["x-kubernetes-group-version-kind"][0]["kind"] == "Gadget", "{gadget}");
    platform.stop().await;
    Ok(())
}
