//! The definitions that people use (Argo CD, cert-manager, Crossplane, External Secrets, Argo
//! Workflows), where they are at hand: installed as their users do it, served at once, and an
//! object of every group makes the whole round. The objects stand in `real_definitions/`; their
//! defaults and refusals are kube-apiserver 1.36's. Nothing of the definitions is kept here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use testkit::{Kubectl, Platform};

use super::wire::{APPLY, JSON, Wire};

const OBJECTS: [&str; 5] = [
    include_str!("real_definitions/argo-cd.yaml"),
    include_str!("real_definitions/argo-workflows.yaml"),
    include_str!("real_definitions/cert-manager.yaml"),
    include_str!("real_definitions/crossplane.yaml"),
    include_str!("real_definitions/external-secrets.yaml"),
];

/// What a change says where it takes a field away.
const REMOVED: &str = "removed";

/// Files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The definitions at hand; none if the folder is not there.
fn definitions() -> Vec<Value> {
    let data = testkit::tools::root().join("../shared/data");
    let mut paths = Vec::new();
    for folder in ["crds", "cnoe"] {
        files(&data.join(folder), &mut paths);
    }
    paths.sort();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts
        .filter(|text| text.contains("kind: CustomResourceDefinition"))
        .flat_map(|text| machinery::yaml::values(&text).unwrap_or_default())
        .filter(|document| document["kind"] == "CustomResourceDefinition")
        .collect()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_of_the_field_are_served_at_once() -> Result<()> {
    let definitions = definitions();
    if definitions.is_empty() {
        eprintln!("skipped: there are no definitions in ../shared/data");
        return Ok(());
    }
    let platform = Platform::start(Vec::new()).await?;
    let kubectl = Kubectl::new(&platform)?;
    let list = json!({"apiVersion": "v1", "kind": "List", "items": definitions}).to_string();
    kubectl.ok_with(&["apply", "--server-side", "-f", "-"], &list).await?;
    let wire = Wire::to(&platform).await?;
    let (_, held) = wire.get(super::semantics::DEFINITIONS).await?;
    let held = held["items"].as_array().context("a list")?;
    for definition in &definitions {
        let name = &definition["metadata"]["name"];
        let held = held.iter().find(|held| held["metadata"]["name"] == *name).with_context(|| name.to_string())?;
        let conditions = held["status"]["conditions"].as_array().context("conditions")?;
        let established = conditions.iter().any(|held| held["type"] == "Established" && held["status"] == "True");
        ensure!(established, "{name}: {conditions:?}");
    }
    for definition in &definitions {
        reads_and_explains(&kubectl, definition).await?;
    }
    let known: HashMap<(String, String), &Value> = definitions
        .iter()
        .map(|held| ((text(held, "/spec/group").to_owned(), text(held, "/spec/names/kind").to_owned()), held))
        .collect();
    for fixture in OBJECTS.iter().flat_map(|text| machinery::yaml::values(text).expect("the fixtures are YAML")) {
        let version = text(&fixture, "/object/apiVersion").to_owned();
        let (group, _) = version.split_once('/').context("a group")?;
        let kind = text(&fixture, "/object/kind").to_owned();
        let definition = known.get(&(group.to_owned(), kind.clone())).context("a definition")?;
        let scope = if definition["spec"]["scope"] == "Namespaced" { "/namespaces/default" } else { "" };
        let base = format!("/apis/{version}{scope}/{}", text(definition, "/spec/names/plural"));
        let round = Round { kubectl: &kubectl, wire: &wire, base, fixture: &fixture };
        round.play().await.with_context(|| format!("{version} {kind}"))?;
    }
    platform.stop().await;
    Ok(())
}

async fn reads_and_explains(kubectl: &Kubectl, definition: &Value) -> Result<()> {
    let name = text(definition, "/metadata/name");
    let found = kubectl.run(&["get", name]).await?;
    ensure!(found.ok && found.stderr.contains("No resources found"), "{name}: {}{}", found.stdout, found.stderr);
    let versions = definition["spec"]["versions"].as_array().context("versions")?;
    let stored = versions.iter().find(|version| version["storage"] == true).context("a stored version")?;
    if stored["schema"]["openAPIV3Schema"]["properties"]["spec"].is_object() {
        let version = format!("--api-version={}/{}", text(definition, "/spec/group"), text(stored, "/name"));
        let plural = format!("{}.spec", text(definition, "/spec/names/plural"));
        let said = kubectl.ok(&["explain", &plural, &version]).await?;
        ensure!(said.contains("FIELD: spec"), "{name}: {said}");
    }
    Ok(())
}

/// One object of a fixture and everything that is tried with it.
struct Round<'a> {
    kubectl: &'a Kubectl,
    wire: &'a Wire,
    base: String,
    fixture: &'a Value,
}

impl Round<'_> {
    async fn play(&self) -> Result<()> {
        let sent = &self.fixture["object"];
        self.kubectl.ok_with(&["create", "--validate=strict", "-f", "-"], &sent.to_string()).await?;
        let path = format!("{}/{}", self.base, text(sent, "/metadata/name"));
        let (_, read) = self.wire.get(&path).await?;
        let mut expect = sent.clone();
        for (pointer, value) in entries(&self.fixture["defaults"]) {
            put(&mut expect, pointer, value.clone())?;
        }
        ensure!(bare(&read) == bare(&expect), "{read}\nis not\n{expect}");
        for refused in self.fixture["refused"].as_array().into_iter().flatten() {
            self.is_refused(refused).await?;
        }
        self.knows_its_fields(&bare(&expect)).await?;
        self.applies_twice(&path).await
    }

    /// The object under another name, with changes.
    fn changed(&self, changes: &Map<String, Value>) -> Result<Value> {
        let mut object = self.fixture["object"].clone();
        object["metadata"]["name"] = json!(format!("{}-x", text(&object, "/metadata/name")));
        for (pointer, value) in changes {
            if value == REMOVED { remove(&mut object, pointer)? } else { put(&mut object, pointer, value.clone())? }
        }
        Ok(object)
    }

    async fn is_refused(&self, refused: &Value) -> Result<()> {
        let object = self.changed(refused["change"].as_object().context("a change")?)?;
        let (code, status) = self.wire.post(&format!("{}?fieldValidation=Strict", self.base), object).await?;
        ensure!(code == 422, "{}: {code} {status}", refused["change"]);
        let causes = status["details"]["causes"].as_array().context("causes")?;
        let said: Vec<String> =
            causes.iter().map(|cause| format!("{}: {}", text(cause, "/field"), text(cause, "/message"))).collect();
        let expect = refused["causes"].as_array().context("causes")?;
        for cause in expect.iter().filter_map(Value::as_str) {
            ensure!(
                said.iter().any(|said| said.starts_with(cause)),
                "{}: {cause}\nis not in {said:?}",
                refused["change"]
            );
        }
        // Where the schema also has rules, Kubernetes adds that they were not looked at.
        let others = said.iter().filter(|said| !said.contains("some validation rules were not checked")).count();
        ensure!(others == expect.len(), "{}: {said:?}", refused["change"]);
        Ok(())
    }

    /// Fields that the kind does not know are refused strictly, and dropped otherwise.
    async fn knows_its_fields(&self, expect: &Value) -> Result<()> {
        let unknown = self.fixture["unknown"].as_array().context("unknown fields")?;
        let pointers: Vec<&str> = unknown.iter().filter_map(Value::as_str).collect();
        let object = self.changed(&pointers.iter().map(|pointer| ((*pointer).to_owned(), json!("x"))).collect())?;
        let (code, status) = self.wire.post(&format!("{}?fieldValidation=Strict", self.base), object.clone()).await?;
        for pointer in &pointers {
            let expect = format!("unknown field \"{}\"", dotted(pointer));
            ensure!(code == 400 && text(&status, "/message").contains(&expect), "{pointer}: {code} {status}");
        }
        let (code, made) = self.wire.post(&format!("{}?dryRun=All", self.base), object).await?;
        ensure!(code == 201 && bare(&made) == *expect, "{code} {made}");
        Ok(())
    }

    /// The second of two equal applies changes nothing.
    async fn applies_twice(&self, path: &str) -> Result<()> {
        let applied = format!("{path}?fieldManager=twice&force=true&fieldValidation=Strict");
        let mut revisions = Vec::new();
        for _ in 0..2 {
            let (code, object) = self.wire.send("PATCH", &applied, APPLY, self.fixture["object"].to_string()).await?;
            ensure!(code == 200, "{code} {object}");
            revisions.push(text(&object, "/metadata/resourceVersion").to_owned());
        }
        ensure!(revisions[0] == revisions[1], "{revisions:?}");
        let (code, _) = self.wire.send("GET", path, JSON, "").await?;
        ensure!(code == 200);
        Ok(())
    }
}

/// An object without what the server says about it.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(object) = object.as_object_mut() {
        object.remove("metadata");
    }
    object
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A pointer as messages write it: `/spec/a/0/b` is `spec.a[0].b`.
fn dotted(pointer: &str) -> String {
    let mut out = String::new();
    for step in pointer.split('/').skip(1) {
        if step.parse::<usize>().is_ok() {
            out.push_str(&format!("[{step}]"));
        } else {
            out.push_str(if out.is_empty() { "" } else { "." });
            out.push_str(step);
        }
    }
    out
}

/// What holds the last step of a pointer, and that step; maps on the way are made.
fn holder<'v>(object: &'v mut Value, pointer: &str) -> Result<(&'v mut Value, String)> {
    let (above, last) = pointer.rsplit_once('/').context("a pointer")?;
    let mut holder = object;
    for step in above.split('/').skip(1) {
        holder = match holder {
            Value::Array(list) => {
                step.parse::<usize>().ok().and_then(|index| list.get_mut(index)).context("an item")?
            }
            Value::Object(map) => map.entry(step).or_insert_with(|| json!({})),
            other => anyhow::bail!("{pointer} leads through {other}"),
        };
    }
    Ok((holder, last.replace("~1", "/").replace("~0", "~")))
}

fn put(object: &mut Value, pointer: &str, value: Value) -> Result<()> {
    match holder(object, pointer)? {
        (Value::Array(list), last) => *list.get_mut(last.parse::<usize>()?).context("an item")? = value,
        (Value::Object(map), last) => drop(map.insert(last, value)),
        (other, _) => anyhow::bail!("{pointer} leads to {other}"),
    }
    Ok(())
}

fn remove(object: &mut Value, pointer: &str) -> Result<()> {
    let (Value::Object(map), last) = holder(object, pointer)? else { anyhow::bail!("{pointer} is no field") };
    map.remove(&last).map(drop).with_context(|| format!("{pointer} is not there"))
}
