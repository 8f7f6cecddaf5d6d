//! Reads kinds and subresources from Kubernetes' published discovery
//! documents, in the order they list groups, versions and resources. Only
//! versions served by default are read.

use anyhow::Context;
use api::builtin::data::{KindData, SubresourceData};
use serde_json::Value;

use super::fetch::Sources;
use super::openapi::{Schemas, only_gvk};

/// Every kind, the core group first.
pub fn read(sources: &Sources, schemas: &Schemas) -> anyhow::Result<Vec<KindData>> {
    let dir = sources.kubernetes.join("api/discovery");
    let load = |name: &str| -> anyhow::Result<Value> {
        let bytes = std::fs::read(dir.join(name)).with_context(|| format!("reading {name}"))?;
        serde_json::from_slice(&bytes).with_context(|| format!("parsing {name}"))
    };
    let mut kinds = of_version(&load("api__v1.json")?, "", "v1", schemas)?;
    let groups = load("apis.json")?;
    for group in groups["groups"].as_array().context("apis.json lists no groups")? {
        let group_name = group["name"].as_str().context("a group without a name")?;
        for version in group["versions"].as_array().context("a group without versions")? {
            let version = version["version"].as_str().context("a version without a name")?;
            if version.contains("alpha") || version.contains("beta") {
                continue;
            }
            let list = load(&format!("apis__{group_name}__{version}.json"))?;
            kinds.extend(of_version(&list, group_name, version, schemas)?);
        }
    }
    Ok(kinds)
}

fn of_version(list: &Value, group: &str, version: &str, schemas: &Schemas) -> anyhow::Result<Vec<KindData>> {
    let mut kinds: Vec<KindData> = Vec::new();
    for resource in list["resources"].as_array().context("a resource list without resources")? {
        let text = |key: &str| resource[key].as_str().unwrap_or_default();
        let texts = |key: &str| -> Vec<Box<str>> {
            resource[key].as_array().into_iter().flatten().filter_map(|text| text.as_str().map(Box::from)).collect()
        };
        let Some((plural, subresource)) = text("name").split_once('/') else {
            kinds.push(KindData {
                group: group.into(),
                version: version.into(),
                kind: text("kind").into(),
                plural: text("name").into(),
                singular: text("singularName").into(),
                namespaced: resource["namespaced"].as_bool().unwrap_or_default(),
                short: texts("shortNames"),
                categories: texts("categories"),
                verbs: texts("verbs"),
                type_name: type_name(schemas, group, version, text("kind"))?.into(),
                subresources: Vec::new(),
            });
            continue;
        };
        let owner = kinds.iter_mut().find(|kind| &*kind.plural == plural);
        let own_version = if text("version").is_empty() { version } else { text("version") };
        let own_group = if text("version").is_empty() { group } else { text("group") };
        owner.with_context(|| format!("{plural}/{subresource} stands before {plural}"))?.subresources.push(
            SubresourceData {
                name: subresource.into(),
                group: own_group.into(),
                version: own_version.into(),
                kind: text("kind").into(),
                verbs: texts("verbs"),
            },
        );
    }
    Ok(kinds)
}

fn type_name<'a>(schemas: &'a Schemas, group: &str, version: &str, kind: &str) -> anyhow::Result<&'a str> {
    let is_kind = |schema: &Value| {
        only_gvk(schema).is_some_and(|(of_group, of_version, of_kind)| {
            &*of_group == group && &*of_version == version && &*of_kind == kind
        })
    };
    schemas
        .iter()
        .find(|(_, schema)| is_kind(schema))
        .map(|(name, _)| name.as_str())
        .with_context(|| format!("no schema for {group}/{version} {kind}"))
}
