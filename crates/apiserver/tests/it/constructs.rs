//! The constructs of definitions one by one, on definitions of our own: what schemas do to
//! objects, what becomes of objects when their definition changes, and what kubectl makes of
//! names and columns. The tables stand in `constructs/`; they hold for kube-apiserver 1.36.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use testkit::{Kubectl, Platform};

use super::semantics::DEFINITIONS;
use super::wire::{APPLY, JSON, MERGE, Wire};

const GROUP: &str = "constructs.dev";

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn plural(kind: &str) -> String {
    format!("{}s", kind.to_lowercase())
}

/// A whole definition from the little that a table says of it.
fn definition(said: &Value) -> Value {
    let kind = text(said, "kind");
    let one = json!({"v1": {"stored": true, "spec": said["spec"], "status": said["status"]}});
    let versions = said.get("versions").unwrap_or(&one).as_object().cloned().unwrap_or_default();
    let selectable: Vec<Value> =
        said["selectable"].as_array().into_iter().flatten().map(|path| json!({"jsonPath": path})).collect();
    let versions = versions.iter().map(|(name, version)| {
        let mut properties = json!({"spec": {"type": "object", "properties": version["spec"]}});
        if version["status"].is_object() {
            properties["status"] = json!({"type": "object", "properties": version["status"]});
        }
        json!({
            "name": name, "served": version["served"] != false, "storage": version["stored"] == true,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
            "subresources": said.get("subresources").cloned().unwrap_or_else(|| json!({})), "selectableFields": selectable,
        })
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{GROUP}", plural(kind))},
        "spec": {
            "group": GROUP, "scope": "Namespaced", "names": {"plural": plural(kind), "kind": kind},
            "versions": versions.collect::<Vec<_>>(),
        },
    })
}

/// The requests of one construct.
struct Player<'a> {
    wire: &'a Wire,
    kind: &'a str,
}

impl Player<'_> {
    async fn define(&self, said: &Value) -> Result<(u16, Value)> {
        let definition = definition(said);
        let path = format!("{DEFINITIONS}/{}.{GROUP}?fieldManager=table&force=true", plural(self.kind));
        self.wire.send("PATCH", &path, APPLY, definition.to_string()).await
    }

    async fn play(&self, step: &Value) -> Result<()> {
        let (code, answer) = self.send(step).await?;
        let expect = step["code"].as_u64().unwrap_or(200);
        ensure!(u64::from(code) == expect, "{step}: {code} {answer}");
        for (pointer, value) in step["has"].as_object().into_iter().flatten() {
            let got = answer.pointer(pointer).unwrap_or(&Value::Null);
            ensure!(got == value, "{step}: {pointer} is {got}");
        }
        ensure!(text(&answer, "message").contains(text(step, "message")), "{step}: {answer}");
        let Some(says) = step["says"].as_array() else { return Ok(()) };
        let causes = answer["details"]["causes"].as_array().cloned().unwrap_or_default();
        let said: Vec<String> =
            causes.iter().map(|cause| format!("{}: {}", text(cause, "field"), text(cause, "message"))).collect();
        for words in says.iter().filter_map(Value::as_str) {
            ensure!(said.iter().any(|said| said.contains(words)), "{step}: {said:?}");
        }
        ensure!(said.len() == says.len(), "{step}: {said:?}");
        Ok(())
    }

    async fn send(&self, step: &Value) -> Result<(u16, Value)> {
        let (verb, rest) = text(step, "do").split_once(' ').unwrap_or((text(step, "do"), ""));
        let version = step["version"].as_str().unwrap_or("v1");
        let base = format!("/apis/{GROUP}/{version}/namespaces/default/{}", plural(self.kind));
        let body = |object: bool| {
            let mut body = step["body"].as_object().cloned().unwrap_or_default();
            if object {
                let own = [
                    ("apiVersion", json!(format!("{GROUP}/{version}"))),
                    ("kind", json!(self.kind)),
                    ("metadata", json!({"name": "a"})),
                ];
                for (field, value) in own {
                    body.entry(field).or_insert(value);
                }
            }
            Value::Object(body)
        };
        match verb {
            "DEFINE" => self.define(&step["body"]).await,
            "DEFINITION" => self.wire.get(&format!("{DEFINITIONS}/{}.{GROUP}", plural(self.kind))).await,
            "GET" => self.got(&format!("{base}{rest}")).await,
            "POST" => {
                let query = if rest == "strict" { "fieldValidation=Strict" } else { "fieldManager=unknown" };
                self.wire.post(&format!("{base}?{query}"), body(true)).await
            }
            "APPLY" => {
                let (manager, force) = rest.split_once(' ').map_or((rest, ""), |(manager, _)| (manager, "&force=true"));
                let path = format!("{base}/a?fieldManager={manager}{force}");
                self.wire.send("PATCH", &path, APPLY, body(true).to_string()).await
            }
            _ => self.wire.send("PATCH", &format!("{base}{rest}"), MERGE, body(false).to_string()).await,
        }
    }

    /// An answer that may be plain text, as it is where nothing is served.
    async fn got(&self, path: &str) -> Result<(u16, Value)> {
        Ok(self.wire.send("GET", path, JSON, "").await.unwrap_or((404, Value::Null)))
    }
}

async fn play(table: &str) -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let table = machinery::yaml::value(table)?;
    for construct in table.as_array().context("a list")? {
        let said = &construct["define"];
        let player = Player { wire: &wire, kind: text(said, "kind") };
        let (code, answer) = player.define(said).await?;
        ensure!(code == 201, "{}: {code} {answer}", construct["about"]);
        for step in construct["steps"].as_array().into_iter().flatten() {
            player.play(step).await.with_context(|| construct["about"].to_string())?;
        }
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_rule_construct_by_construct() -> Result<()> {
    play(include_str!("constructs/schemas.yaml")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_live_on_when_definitions_change() -> Result<()> {
    play(include_str!("constructs/changes.yaml")).await
}

/// A definition with names and columns of every kind.
fn printed() -> Value {
    let column = |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
    let mut wide = column("Wide", "string", ".spec.wide");
    wide["priority"] = json!(1);
    let mut said = definition(&json!({
        "kind": "Printed",
        "spec": {"x-kubernetes-preserve-unknown-fields": {"type": "boolean"}},
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count"}},
    }));
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    said["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"] = json!({"spec": open, "status": open});
    said["spec"]["versions"][0]["additionalPrinterColumns"] = json!([
        column("Text", "string", ".spec.text"),
        column("Count", "integer", ".spec.count"),
        column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        column("Escaped", "string", ".metadata.labels.example\\.com/team"),
        column("First", "string", ".spec.list[0].name"),
        column("All", "string", ".spec.list[*].name"),
        column("Flag", "boolean", ".spec.flag"),
        column("Made", "date", ".spec.made"),
        column("Object", "string", ".spec.object"),
        column("Wrong", "integer", ".spec.text"),
        wide,
        column("Age", "date", ".metadata.creationTimestamp"),
    ]);
    said["spec"]["names"]["shortNames"] = json!(["prt", "pr"]);
    said["spec"]["names"]["categories"] = json!(["all", "constructs"]);
    said
}

fn object(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "Printed",
        "metadata": {"name": name, "labels": {"example.com/team": "blue"}}, "spec": spec,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_finds_prints_and_scales() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let kubectl = Kubectl::new(&platform)?;
    wire.made(DEFINITIONS, printed()).await?;
    let base = format!("/apis/{GROUP}/v1/namespaces/default/printeds");
    let spec = json!({
        "text": "hello", "count": 3, "list": [{"name": "x"}, {"name": "y"}], "flag": false, "made": "2020-01-01T00:00:00Z",
        "object": {"a": [1]}, "wide": "w",
    });
    wire.made(&base, object("full", spec)).await?;
    wire.made(&base, object("bare", json!({"text": ["odd"]}))).await?;
    let ready =
        json!({"status": {"conditions": [{"type": "Synced", "status": "No"}, {"type": "Ready", "status": "Yes"}]}});
    ensure!(wire.merge(&format!("{base}/full/status"), ready).await?.0 == 200);

    let table = kubectl.ok(&["get", "prt"]).await?;
    let cells = |name: &str| -> Vec<String> {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect()
    };
    let titles = "NAME TEXT COUNT READY ESCAPED FIRST ALL FLAG MADE OBJECT WRONG AGE";
    ensure!(cells("NAME") == titles.split(' ').collect::<Vec<_>>(), "{table}");
    let full = cells("full");
    ensure!(full[..8] == ["full", "hello", "3", "Yes", "blue", "x", "x", "false"].map(str::to_owned), "{table}");
    ensure!(full[8].starts_with('6') && full[8].contains('y') && full[9] == "{\"a\":[1]}", "{table}");
    ensure!(cells("bare")[..3] == ["bare", "[\"odd\"]", "blue"].map(str::to_owned), "{table}");
    ensure!(kubectl.ok(&["get", "pr", "full", "-o", "wide"]).await?.contains(" WIDE "), "priority columns are wide");
    for names in ["printed", "printeds", "printeds.constructs.dev", "printeds.v1.constructs.dev", "constructs", "all"] {
        let found = kubectl.ok(&["get", names, "-o", "name"]).await?;
        ensure!(found.contains("printed.constructs.dev/full"), "{names}: {found}");
    }
    kubectl.ok(&["scale", "printed/full", "--current-replicas=3", "--replicas=5"]).await?;
    ensure!(kubectl.ok(&["get", "pr", "full", "-o", "jsonpath={.spec.count}"]).await? == "5");
    ensure!(!kubectl.run(&["scale", "printed/full", "--current-replicas=3", "--replicas=7"]).await?.ok);
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cluster_has_its_own_schema_of_a_kind() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let spec = |name: &str| -> Map<String, Value> {
        Map::from_iter([(name.to_owned(), json!({"type": "string", "default": "d"}))])
    };
    for name in ["blue", "green"] {
        let cluster =
            json!({"apiVersion": "coracle.dev/v1alpha1", "kind": "LogicalCluster", "metadata": {"name": name}});
        wire.made("/apis/coracle.dev/v1alpha1/logicalclusters", cluster).await?;
        let said = definition(&json!({"kind": "Shared", "spec": spec(name)}));
        wire.made(&format!("/clusters/{name}{DEFINITIONS}"), said).await?;
    }
    for (name, other) in [("blue", "green"), ("green", "blue")] {
        let base = format!("/clusters/{name}/apis/{GROUP}/v1/namespaces/default/shareds");
        let body = json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "Shared", "metadata": {"name": "a"}, "spec": {other: "x"},
        });
        let (code, status) = wire.post(&format!("{base}?fieldValidation=Strict"), body.clone()).await?;
        ensure!(code == 400, "{code} {status}");
        let made = wire.made(&base, body).await?;
        ensure!(made["spec"] == json!({name: "d"}), "{made}");
    }
    let (code, _) = wire.delete(&format!("/clusters/blue{DEFINITIONS}/shareds.{GROUP}")).await?;
    ensure!(code == 200);
    let green = format!("/clusters/green/apis/{GROUP}/v1/namespaces/default/shareds/a");
    ensure!(wire.get(&green).await?.0 == 200, "what goes in one cluster stays in the other");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deprecated_versions_say_so() -> Result<()> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    let versions = json!({"v1alpha1": {"spec": {}}, "v1beta1": {"spec": {}}, "v1": {"stored": true, "spec": {}}});
    let mut said = definition(&json!({"kind": "Aged", "versions": versions}));
    for version in said["spec"]["versions"].as_array_mut().into_iter().flatten() {
        match version["name"].as_str() {
            Some("v1alpha1") => version["deprecated"] = json!(true),
            Some("v1beta1") => {
                version["deprecated"] = json!(true);
                version["deprecationWarning"] = json!("use another");
            }
            _ => {}
        }
    }
    wire.made(DEFINITIONS, said).await?;
    let kubectl = Kubectl::new(&platform)?;
    for (version, expect) in [
        ("v1alpha1", "Warning: constructs.dev/v1alpha1 Aged is deprecated; use constructs.dev/v1 Aged"),
        ("v1beta1", "Warning: use another"),
        ("v1", ""),
    ] {
        let output = kubectl.run(&["get", &format!("ageds.{version}.{GROUP}")]).await?;
        let warned = output.stderr.lines().find(|line| line.starts_with("Warning")).unwrap_or_default();
        ensure!(output.ok && warned == expect, "{version}: {}", output.stderr);
    }
    platform.stop().await;
    Ok(())
}
