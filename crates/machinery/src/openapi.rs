//! OpenAPI v3 documents, one per group and version, as kube-apiserver serves
//! them under `/openapi/v3`: kubectl reads from them which fields exist, how
//! they merge and what a PATCH accepts. A document is written piece by piece
//! into its final bytes, because as a tree of values it would take megabytes
//! for no one; whoever serves it compresses and keeps it. Nothing here knows
//! which kinds exist or who may see them.

mod custom;
mod json;
mod operations;
mod parameters;
mod paths;
mod resource;
mod schemas;
#[cfg(test)]
mod tests;

use api::KindDescriptor;
use serde_json::{Map, Value, json};

pub use json::key;
pub use resource::{KindSchema, Resource, Types};

/// The document of one group and version, as JSON. `release` is what
/// `/version` calls `gitVersion`. Resources of other versions are left out.
pub fn document(group: &str, version: &str, resources: &[Resource<'_>], types: Types<'_>, release: &str) -> Vec<u8> {
    let of_version = |kind: &KindDescriptor| &*kind.gvk.group == group && &*kind.gvk.version == version;
    let resources: Vec<Resource<'_>> = resources.iter().filter(|resource| of_version(resource.kind)).copied().collect();
    let mut out = String::from("{\"components\":{\"schemas\":{");
    schemas::write(&mut out, group, version, &resources, types);
    out.push_str("},\"securitySchemes\":");
    out.push_str(
        &json!({
            "BearerToken": {
                "description": "Bearer Token authentication",
                "in": "header",
                "name": "authorization",
                "type": "apiKey",
            }
        })
        .to_string(),
    );
    out.push_str("},\"info\":");
    out.push_str(&json!({ "title": "Kubernetes", "version": release }).to_string());
    out.push_str(",\"openapi\":\"3.0.0\",\"paths\":{");
    paths::write(&mut out, group, version, &resources, types);
    out.push_str("}}");
    out.into_bytes()
}

/// The index of documents. `documents` are keys as [`key`] gives them, each
/// with a hash of its document, which lets clients keep it for good; `prefix`
/// goes before every path (`/clusters/<name>`, or nothing).
pub fn index<'a>(prefix: &str, documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let entry = |(key, hash): (&str, &str)| {
        (key.to_owned(), json!({ "serverRelativeURL": format!("{prefix}/openapi/v3/{key}?hash={hash}") }))
    };
    let paths: Map<String, Value> = documents.into_iter().map(entry).collect();
    json!({ "paths": paths })
}
