//! Groups that answer for themselves: their requests, and how discovery lists them. What
//! they answer is theirs; who may ask was judged before.

use std::sync::Arc;

use api::{ClusterName, Status};
use axum::body::Body;
use contracts::groups::{GroupResource, Question, ResourceGroup};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::query::Query;
use super::reply::json_response;
use crate::ApiServer;
use crate::request::ResourcePath;

impl ApiServer {
    /// The group that answers what a path leads to, if one does.
    pub(super) fn group_of(&self, path: &ResourcePath) -> Option<Arc<dyn ResourceGroup>> {
        self.groups().find(&path.gvr.group, &path.gvr.version)
    }

    /// Has a group answer.
    pub(super) async fn answer_by(
        &self,
        group: &dyn ResourceGroup,
        verb: &str,
        path: &ResourcePath,
        query: &Query,
    ) -> Result<Response<Body>, Status> {
        self.known(&path.cluster)?;
        if !matches!(verb, "get" | "list") {
            return Err(Status::method_not_allowed(verb));
        }
        let question = Question {
            cluster: path.cluster.clone(),
            resource: path.gvr.resource.to_string(),
            namespace: path.namespace.clone(),
            name: path.name.clone(),
            subresource: path.subresource.clone(),
            parameters: query.all(),
        };
        Ok(json_response(StatusCode::OK, &group.answer(&question).await?))
    }

    /// The groups with what can be asked of them in a cluster.
    pub(super) fn listed_groups(&self, cluster: &ClusterName) -> Vec<Listed> {
        let listed = |group: Arc<dyn ResourceGroup>| Listed {
            group: group.group().to_owned(),
            version: group.version().to_owned(),
            resources: group.resources(cluster),
        };
        self.groups().all().into_iter().map(listed).collect()
    }
}

/// A group as discovery lists it.
pub(super) struct Listed {
    pub(super) group: String,
    pub(super) version: String,
    resources: Vec<GroupResource>,
}

impl Listed {
    /// `APIResourceList`.
    pub(super) fn resource_list(&self) -> Value {
        let resources: Vec<Value> = self.resources.iter().map(listed).collect();
        json!({
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": format!("{}/{}", self.group, self.version),
            "resources": resources,
        })
    }

    /// The group's entry of one version in aggregated discovery.
    pub(super) fn aggregated_version(&self) -> Value {
        let mut resources: Vec<Value> = Vec::new();
        for resource in &self.resources {
            let Some((parent, sub)) = resource.name.split_once('/') else {
                resources.push(self.aggregated(resource));
                continue;
            };
            let known = resources.iter().position(|held| held["resource"] == parent);
            let index = known.unwrap_or_else(|| {
                resources.push(stub(parent, resource));
                resources.len() - 1
            });
            let entry =
                json!({"subresource": sub, "responseKind": self.response_kind(resource), "verbs": resource.verbs});
            match resources[index]["subresources"].as_array_mut() {
                Some(held) => held.push(entry),
                None => resources[index]["subresources"] = json!([entry]),
            }
        }
        json!({"version": self.version, "freshness": "Current", "resources": resources})
    }

    fn aggregated(&self, resource: &GroupResource) -> Value {
        let mut entry = json!({
            "resource": resource.name,
            "responseKind": self.response_kind(resource),
            "scope": scope(resource),
            "singularResource": resource.singular,
            "verbs": resource.verbs,
        });
        if !resource.short_names.is_empty() {
            entry["shortNames"] = json!(resource.short_names);
        }
        entry
    }

    fn response_kind(&self, resource: &GroupResource) -> Value {
        json!({"group": self.group, "version": self.version, "kind": resource.kind})
    }
}

fn scope(resource: &GroupResource) -> &'static str {
    if resource.namespaced { "Namespaced" } else { "Cluster" }
}

/// What stands for a resource of which only subresources can be asked for, as kube-apiserver
/// lists it.
fn stub(name: &str, resource: &GroupResource) -> Value {
    let no_kind = json!({"group": "", "version": "", "kind": ""});
    json!({"resource": name, "responseKind": no_kind, "scope": scope(resource), "singularResource": "", "verbs": null})
}

fn listed(resource: &GroupResource) -> Value {
    let mut entry = json!({
        "name": resource.name,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    entry
}
