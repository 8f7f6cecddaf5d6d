//! Reads the schemas of Kubernetes' published OpenAPI v3 documents. Versions
//! that kube-apiserver serves only when told to (alpha, beta) are left out:
//! nothing could ask for their types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use super::fetch::Sources;

/// Schemas by full type name.
pub type Schemas = BTreeMap<String, Value>;

/// Reads every schema of every version served by default.
pub fn read(sources: &Sources) -> anyhow::Result<Schemas> {
    let dir = sources.kubernetes.join("api/openapi-spec/v3");
    let mut schemas = Schemas::new();
    let entries = std::fs::read_dir(&dir).context("listing OpenAPI documents")?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let has_version = name.starts_with("api") && name.contains("__v");
        if !has_version || name.contains("alpha") || name.contains("beta") {
            continue;
        }
        let document: Value = serde_json::from_slice(&std::fs::read(&path)?).with_context(|| name.clone())?;
        let found = document["components"]["schemas"].as_object().with_context(|| format!("{name} has no schemas"))?;
        for (name, schema) in found {
            schemas.entry(name.clone()).or_insert_with(|| schema.clone());
        }
    }
    Ok(schemas)
}

/// The type a schema refers to, directly or through a single `allOf`.
pub fn reference(schema: &Value) -> Option<&str> {
    let target = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref"))?;
    target.as_str()?.rsplit('/').next()
}

/// The group, version and kind a schema states, if it states exactly one.
pub fn only_gvk(schema: &Value) -> Option<(Box<str>, Box<str>, Box<str>)> {
    let [gvk] = schema.get("x-kubernetes-group-version-kind")?.as_array()?.as_slice() else { return None };
    let text = |key: &str| gvk[key].as_str().map(Box::from);
    Some((text("group")?, text("version")?, text("kind")?))
}
