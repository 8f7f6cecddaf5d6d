//! Discovery: which groups, versions and resources a cluster serves, in the old
//! form (one document per group version) and aggregated (v2, two documents).

use std::collections::BTreeSet;

use api::{ClusterName, Status};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Value, json};

use super::accept;
use super::groups::Listed;
use super::reply::{json_response, respond};
use crate::ApiServer;
use crate::registry::Kind;
use crate::versions::{Groups, groups};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

impl ApiServer {
    pub(super) fn discovery(
        &self,
        cluster: &ClusterName,
        named_groups: bool,
        group: Option<&str>,
        version: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Status> {
        self.known(cluster)?;
        let groups = groups(&self.registry().all(cluster));
        let listed = self.listed_groups(cluster);
        match (named_groups, group, version) {
            (named, None, None) if accept::aggregated_discovery(headers) => {
                Ok(self.cached(cluster, named, &aggregated(&groups, &listed, named), headers))
            }
            (false, None, None) => Ok(json_response(StatusCode::OK, &legacy_versions())),
            (true, None, None) => Ok(json_response(StatusCode::OK, &group_list(&groups, &listed))),
            (true, Some(group), None) => match versions_of(&groups, &listed, group) {
                Some(versions) => {
                    let mut document = group_entry(group, &versions);
                    document["kind"] = json!("APIGroup");
                    document["apiVersion"] = json!("v1");
                    Ok(json_response(StatusCode::OK, &document))
                }
                None => Err(Status::no_such_resource()),
            },
            (_, Some(group), Some(version)) if self.groups().find(group, version).is_some() => {
                let is_it = |listed: &&Listed| listed.group == group && listed.version == version;
                let found = listed.iter().find(is_it).ok_or_else(Status::no_such_resource)?;
                Ok(json_response(StatusCode::OK, &found.resource_list()))
            }
            (_, group, Some(version)) => {
                let versions = groups.get(group.unwrap_or_default());
                let kinds = versions.into_iter().flatten().find(|(held, _)| held == version).map(|(_, kinds)| kinds);
                let kinds = kinds.ok_or_else(Status::no_such_resource)?;
                let api_version = api::name::join_api_version(group.unwrap_or_default(), version);
                Ok(json_response(StatusCode::OK, &resource_list(&api_version, kinds)))
            }
            (false, Some(_), None) => Err(Status::no_such_resource()),
        }
    }

    /// The cluster must exist; discovery of one that does not must not look like an empty one.
    pub(super) fn known(&self, cluster: &ClusterName) -> Result<(), Status> {
        self.subject(cluster, &api::Gvr::new("", "v1", "namespaces"), "").map(|_| ())
    }

    fn cached(&self, cluster: &ClusterName, named: bool, document: &Value, headers: &HeaderMap) -> Response<Body> {
        let text = document.to_string();
        // Groups that answer for themselves come and go apart from the kinds.
        let tag = format!("\"{cluster}-{named}-{}-{:x}\"", self.registry().generation(), fnv(&text));
        let matches = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(&tag);
        let mut response = if matches {
            respond(StatusCode::NOT_MODIFIED, AGGREGATED, Bytes::new())
        } else {
            respond(StatusCode::OK, AGGREGATED, Bytes::from(text))
        };
        let headers = response.headers_mut();
        headers.insert(header::VARY, header::HeaderValue::from_static("Accept"));
        if let Ok(tag) = header::HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

fn legacy_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

fn group_list(groups: &Groups, listed: &[Listed]) -> Value {
    let names: BTreeSet<&str> =
        groups.keys().map(String::as_str).chain(listed.iter().map(|listed| listed.group.as_str())).collect();
    let entries: Vec<Value> = names
        .into_iter()
        .filter_map(|group| versions_of(groups, listed, group).map(|versions| group_entry(group, &versions)))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": entries})
}

/// The versions of a group, the preferred one first: those of its kinds, then those that answer
/// for themselves. `None` if there is no such group with a name.
fn versions_of<'a>(groups: &'a Groups, listed: &'a [Listed], group: &str) -> Option<Vec<&'a str>> {
    let kinds = groups.get(group).into_iter().flatten().map(|(version, _)| version.as_str());
    let apart = listed.iter().filter(|listed| listed.group == group).map(|listed| listed.version.as_str());
    let versions: Vec<&str> = kinds.chain(apart).collect();
    (!versions.is_empty() && !group.is_empty()).then_some(versions)
}

fn group_entry(group: &str, versions: &[&str]) -> Value {
    let listed: Vec<Value> = versions
        .iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    json!({"name": group, "versions": listed, "preferredVersion": listed.first()})
}

fn verbs(kind: &Kind) -> Value {
    json!(kind.descriptor.verbs.names())
}

/// A subresource as discovery lists it: its name, the kind it speaks, its verbs.
struct Sub {
    name: String,
    gvk: api::Gvk,
    verbs: Vec<String>,
}

/// The subresources of built-in kinds that are answered, other than `scale` and `status`.
const ANSWERED: &[(&str, &str)] = &[
    ("namespaces", "finalize"),
    ("pods", "binding"),
    ("pods", "ephemeralcontainers"),
    ("pods", "eviction"),
    ("pods", "resize"),
];

/// The subresources that are really answered.
fn subresources(kind: &Kind) -> Vec<Sub> {
    let descriptor = &kind.descriptor;
    let verbs = || vec!["get".to_owned(), "patch".to_owned(), "update".to_owned()];
    let mut subs = Vec::new();
    if !kind.is_custom() {
        let stated = api::builtin::subresources(&descriptor.gvr());
        let apart = stated.iter().filter(|sub| ANSWERED.contains(&(&*descriptor.plural, &*sub.name)));
        subs.extend(apart.map(|sub| Sub {
            name: sub.name.to_string(),
            gvk: sub.gvk.clone(),
            verbs: sub.verbs.iter().map(ToString::to_string).collect(),
        }));
    }
    if descriptor.subresources.scale.is_some() {
        subs.push(Sub { name: "scale".into(), gvk: api::Gvk::new("autoscaling", "v1", "Scale"), verbs: verbs() });
    }
    if descriptor.subresources.status {
        subs.push(Sub { name: "status".into(), gvk: descriptor.gvk.clone(), verbs: verbs() });
    }
    subs
}

fn resource_list(api_version: &str, kinds: &[Kind]) -> Value {
    let mut resources = Vec::new();
    for kind in kinds {
        let descriptor = &kind.descriptor;
        let mut entry = json!({
            "name": descriptor.plural,
            "singularName": descriptor.singular,
            "namespaced": descriptor.namespaced,
            "kind": descriptor.gvk.kind,
            "verbs": verbs(kind),
            "storageVersionHash": storage_hash(kind),
        });
        if !descriptor.short_names.is_empty() {
            entry["shortNames"] = json!(descriptor.short_names);
        }
        if !descriptor.categories.is_empty() {
            entry["categories"] = json!(descriptor.categories);
        }
        resources.push(entry);
        for sub in subresources(kind) {
            let mut entry = json!({
                "name": format!("{}/{}", descriptor.plural, sub.name),
                "singularName": "",
                "namespaced": descriptor.namespaced,
                "kind": sub.gvk.kind,
                "verbs": sub.verbs,
            });
            if sub.gvk != descriptor.gvk {
                entry["group"] = json!(sub.gvk.group);
                entry["version"] = json!(sub.gvk.version);
            }
            resources.push(entry);
        }
    }
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources})
}

fn aggregated(groups: &Groups, listed: &[Listed], named: bool) -> Value {
    let mut items: Vec<Value> = groups
        .iter()
        .filter(|(group, _)| group.is_empty() != named)
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|(version, kinds)| {
                    let resources: Vec<Value> = kinds.iter().map(aggregated_resource).collect();
                    json!({"version": version, "freshness": "Current", "resources": resources})
                })
                .collect();
            let mut metadata = json!({"creationTimestamp": null});
            if !group.is_empty() {
                metadata["name"] = json!(group);
            }
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    for group in listed.iter().filter(|_| named) {
        let known = items.iter_mut().find(|item| item["metadata"]["name"] == *group.group);
        match known.and_then(|item| item["versions"].as_array_mut()) {
            Some(versions) => versions.push(group.aggregated_version()),
            None => items.push(json!({
                "metadata": {"name": group.group, "creationTimestamp": null},
                "versions": [group.aggregated_version()],
            })),
        }
    }
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_resource(kind: &Kind) -> Value {
    let descriptor = &kind.descriptor;
    let response_kind = |gvk: &api::Gvk| json!({"group": gvk.group, "version": gvk.version, "kind": gvk.kind});
    let mut entry = json!({
        "resource": descriptor.plural,
        "responseKind": response_kind(&descriptor.gvk),
        "scope": if descriptor.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": descriptor.singular,
        "verbs": verbs(kind),
    });
    if !descriptor.short_names.is_empty() {
        entry["shortNames"] = json!(descriptor.short_names);
    }
    if !descriptor.categories.is_empty() {
        entry["categories"] = json!(descriptor.categories);
    }
    let subs: Vec<Value> = subresources(kind)
        .into_iter()
        .map(|sub| json!({"subresource": sub.name, "responseKind": response_kind(&sub.gvk), "verbs": sub.verbs}))
        .collect();
    if !subs.is_empty() {
        entry["subresources"] = json!(subs);
    }
    entry
}

/// Changes when the version that objects are stored in does; storage is the same for all versions here.
fn storage_hash(kind: &Kind) -> String {
    let descriptor = &kind.descriptor;
    let text = format!("{}/{}/{}", descriptor.storage_group, descriptor.plural, descriptor.storage_version);
    crate::record::base64(&fnv(&text).to_be_bytes())
}

/// FNV-1a: short, stable, and not a secret.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
