//! Which kinds a real cluster serves, from aggregated discovery or, on older
//! servers, group by group; kept for a short time. It never guesses a kind.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::kind::{ScalePaths, Subresources};
use api::{ClusterName, Gvk, KindDescriptor};
use base::Clock;
use base::clock::Stopwatch;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{KubeObjects, request, verbs};
use crate::Result;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
const PLAIN: &str = "application/json";
/// What was found holds so long.
const FRESH: Duration = Duration::from_secs(60);
/// What was not found is asked for again after so long: a definition may be new.
const FRESH_MISS: Duration = Duration::from_millis(500);

/// Kinds, and since when they are known.
type Known = (Stopwatch, Arc<Vec<KindDescriptor>>);

#[derive(Default)]
pub(super) struct Discovery {
    /// The lock is held over a fetch, so that many callers cause one.
    known: Mutex<HashMap<ClusterName, Known>>,
}

impl Discovery {
    /// Every kind in every version, as known or found out.
    pub(super) async fn kinds(&self, objects: &KubeObjects, cluster: &ClusterName) -> Result<Arc<Vec<KindDescriptor>>> {
        self.fresher_than(objects, cluster, FRESH).await
    }

    /// As [`Discovery::kinds`], for those who look for what is new.
    pub(super) async fn newer_kinds(
        &self,
        objects: &KubeObjects,
        cluster: &ClusterName,
    ) -> Result<Arc<Vec<KindDescriptor>>> {
        self.fresher_than(objects, cluster, FRESH_MISS).await
    }

    async fn fresher_than(
        &self,
        objects: &KubeObjects,
        cluster: &ClusterName,
        age: Duration,
    ) -> Result<Arc<Vec<KindDescriptor>>> {
        let mut known = self.known.lock().await;
        if let Some((since, kinds)) = known.get(cluster)
            && since.elapsed() < age
        {
            return Ok(kinds.clone());
        }
        let stopwatch = Clock::system().stopwatch();
        let kinds = Arc::new(fetch(objects, cluster).await?);
        known.insert(cluster.clone(), (stopwatch, kinds.clone()));
        Ok(kinds)
    }
}

async fn fetch(objects: &KubeObjects, cluster: &ClusterName) -> Result<Vec<KindDescriptor>> {
    let mut kinds = Vec::new();
    for root in ["/api", "/apis"] {
        let answer = get(objects, cluster, root, AGGREGATED).await?;
        if answer["kind"] == "APIGroupDiscoveryList" {
            kinds.extend(aggregated(&answer));
            continue;
        }
        for version in versions(&answer) {
            let path = format!("{root}/{version}");
            match get(objects, cluster, &path, PLAIN).await {
                Ok(resources) => kinds.extend(legacy(&version, &resources)),
                // One extension server being down must not hide every other kind.
                Err(error) => tracing::warn!(path, %error, "an API group cannot be discovered"),
            }
        }
    }
    Ok(kinds)
}

async fn get(objects: &KubeObjects, cluster: &ClusterName, path: &str, accept: &str) -> Result<Value> {
    let body = objects.fetch(request::plain(&objects.home, cluster, path, accept)?).await?;
    serde_json::from_slice(&body).map_err(|error| api::Status::internal(format_args!("{path} is unreadable: {error}")))
}

/// The kinds of an `APIGroupDiscoveryList`, preferred versions first.
pub(super) fn aggregated(answer: &Value) -> Vec<KindDescriptor> {
    let mut kinds = Vec::new();
    for group in array(answer, "items") {
        let group_name = text(&group["metadata"], "name");
        for version in array(group, "versions") {
            for resource in array(version, "resources") {
                let response = &resource["responseKind"];
                let gvk = Gvk::new(group_name, text(version, "version"), text(response, "kind"));
                let subresources = array(resource, "subresources").iter().map(|held| text(held, "subresource"));
                let namespaced = resource["scope"] == "Namespaced";
                let singular = text(resource, "singularResource");
                let plural = text(resource, "resource");
                let names = Names { plural, singular, namespaced };
                kinds.push(descriptor(gvk, &names, resource, subresources));
            }
        }
    }
    kinds
}

/// `version` or `group/version` of an `APIVersions` or `APIGroupList`, preferred ones first.
pub(super) fn versions(answer: &Value) -> Vec<String> {
    if answer["kind"] == "APIVersions" {
        return strings(answer, "versions");
    }
    let mut found = Vec::new();
    for group in array(answer, "groups") {
        let preferred = text(&group["preferredVersion"], "groupVersion");
        let others = array(group, "versions").iter().map(|version| text(version, "groupVersion"));
        let mut all = vec![preferred.to_owned()];
        all.extend(others.filter(|version| *version != preferred).map(str::to_owned));
        found.extend(all.into_iter().filter(|version| !version.is_empty()));
    }
    found
}

/// The kinds of an `APIResourceList`.
pub(super) fn legacy(api_version: &str, answer: &Value) -> Vec<KindDescriptor> {
    let resources = array(answer, "resources");
    let main = resources.iter().filter(|resource| !text(resource, "name").contains('/'));
    main.map(|resource| {
        let plural = text(resource, "name");
        let gvk = Gvk::from_api_version(api_version, text(resource, "kind"));
        let below = resources.iter().filter_map(|held| text(held, "name").strip_prefix(plural)?.strip_prefix('/'));
        let namespaced = resource["namespaced"] == true;
        let names = Names { plural, singular: text(resource, "singularName"), namespaced };
        descriptor(gvk, &names, resource, below)
    })
    .collect()
}

struct Names<'a> {
    plural: &'a str,
    singular: &'a str,
    namespaced: bool,
}

fn descriptor<'a>(
    gvk: Gvk,
    names: &Names<'_>,
    resource: &Value,
    subresources: impl Iterator<Item = &'a str>,
) -> KindDescriptor {
    let subresources: Vec<&str> = subresources.collect();
    // Discovery does not say where the numbers are; nobody on this side scales by path.
    let scale = subresources.contains(&"scale").then(|| ScalePaths {
        spec_replicas: ".spec.replicas".into(),
        status_replicas: ".status.replicas".into(),
        label_selector: None,
    });
    let singular = if names.singular.is_empty() { gvk.kind.to_lowercase() } else { names.singular.to_owned() };
    KindDescriptor {
        plural: names.plural.into(),
        singular: singular.into(),
        list_kind: format!("{}List", gvk.kind).into(),
        short_names: strings(resource, "shortNames").into_iter().map(Into::into).collect(),
        categories: strings(resource, "categories").into_iter().map(Into::into).collect(),
        namespaced: names.namespaced,
        subresources: Subresources { status: subresources.contains(&"status"), scale },
        has_generation: true,
        verbs: verbs(&strings(resource, "verbs")),
        selectable_fields: Vec::new(),
        columns: Vec::new(),
        storage_group: gvk.group.clone(),
        storage_version: gvk.version.clone(),
        type_name: "".into(),
        gvk,
    }
}

/// Each resource in the first version that serves it.
pub(super) fn preferred(kinds: &[KindDescriptor]) -> Vec<KindDescriptor> {
    let mut seen = std::collections::HashSet::new();
    let first = |kind: &&KindDescriptor| seen.insert((kind.gvk.group.clone(), kind.plural.clone()));
    kinds.iter().filter(first).cloned().collect()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn array<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value, field: &str) -> Vec<String> {
    array(value, field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
