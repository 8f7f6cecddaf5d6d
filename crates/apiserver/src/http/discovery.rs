//! Discovery: which groups, versions and resources a cluster serves, in the old
//! form (one document per group version) and aggregated (v2, two documents).

use api::{ClusterName, Status};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Value, json};

use super::accept;
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
        match (named_groups, group, version) {
            (named, None, None) if accept::aggregated_discovery(headers) => {
                Ok(self.cached(cluster, named, &aggregated(&groups, named), headers))
            }
            (false, None, None) => Ok(json_response(StatusCode::OK, &legacy_versions())),
            (true, None, None) => Ok(json_response(StatusCode::OK, &group_list(&groups))),
            (true, Some(group), None) => match groups.get(group).filter(|_| !group.is_empty()) {
                Some(versions) => {
                    let mut document = group_entry(group, versions);
                    document["kind"] = json!("APIGroup");
                    document["apiVersion"] = json!("v1");
                    Ok(json_response(StatusCode::OK, &document))
                }
                None => Err(Status::no_such_resource()),
            },
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
        let tag = format!("\"{cluster}-{named}-{}\"", self.registry().generation());
        let matches = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(&tag);
        let mut response = if matches {
            respond(StatusCode::NOT_MODIFIED, AGGREGATED, Bytes::new())
        } else {
            respond(StatusCode::OK, AGGREGATED, Bytes::from(document.to_string()))
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

fn group_list(groups: &Groups) -> Value {
    let listed: Vec<Value> = groups
        .iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, versions)| group_entry(group, versions))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})
}

fn group_entry(group: &str, versions: &[(String, Vec<Kind>)]) -> Value {
    let listed: Vec<Value> = versions
        .iter()
        .map(|(version, _)| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
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
const ANSWERED: &[(&str, &str)] = &[("namespaces", "finalize"), ("pods", "binding")];

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

fn aggregated(groups: &Groups, named: bool) -> Value {
    let items: Vec<Value> = groups
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
    // FNV-1a: short, stable, and not a secret.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    crate::record::base64(&hash.to_be_bytes())
}
