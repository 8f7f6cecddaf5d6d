//! `coracle get packages`: the Applications that packages brought, with where
//! they come from and how they are.

use std::collections::BTreeMap;

use base::Diagnostic;
use packages::kinds::{self, CustomPackage, GitRepository, Localbuild};
use packages::{naming, remote};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Connection, Listing};
use crate::{banner, connection};

/// The CustomPackages named, or all of them.
pub async fn list(platform: &Connection, names: &[String]) -> Result<Listing, Diagnostic> {
    let localbuilds: Vec<Localbuild> = all(platform, &kinds::localbuilds()).await?;
    let wanted = platform.config.as_ref().map(|config| config.name.as_str());
    let localbuild = localbuilds
        .into_iter()
        .find(|found| wanted.is_none_or(|wanted| wanted == found.metadata.name))
        .unwrap_or_default();
    let namespace = naming::namespace(&localbuild.metadata.name);
    let repositories: Vec<GitRepository> = all(platform, &kinds::git_repositories()).await?;
    let mut applications = BTreeMap::new();
    for object in
        connection::list(&*platform.objects, &connection::everywhere(&kinds::applications("Application")), "").await?
    {
        let key = (object.meta.namespace.clone(), object.meta.name.clone());
        applications.insert(key, object.value().map_err(|status| connection::refused(&status))?);
    }
    let mut found: Vec<CustomPackage> = all(platform, &kinds::custom_packages()).await?;
    found.retain(|package| package.metadata.namespace == namespace);
    found.retain(|package| names.is_empty() || names.contains(&package.metadata.name));
    let argocd = argocd_url(platform, &localbuild);
    let values: Vec<Value> = found
        .iter()
        .map(|package| {
            let wanted = &package.spec.argo_cd;
            let application = applications.get(&(wanted.namespace.clone(), wanted.name.clone()));
            described(package, &argocd, &repositories, application.unwrap_or(&Value::Null))
        })
        .collect();
    Ok(Listing {
        heading: vec!["NAME", "IDP NAMESPACE", "GIT REPOSITORY", "ARGOCD URL", "STATUS", "SYNC", "HEALTH"],
        rows: values.iter().map(row).collect(),
        value: Value::Array(values),
        nothing: "no packages found",
    })
}

async fn all<T: DeserializeOwned>(platform: &Connection, gvr: &api::Gvr) -> Result<Vec<T>, Diagnostic> {
    let objects = connection::list(&*platform.objects, &connection::everywhere(gvr), "").await?;
    objects.iter().map(|object| object.parse().map_err(|status| connection::refused(&status))).collect()
}

fn argocd_url(platform: &Connection, localbuild: &Localbuild) -> String {
    if let Some(config) = &platform.config {
        return banner::part_url(config, "argocd", false);
    }
    let facts = &localbuild.spec.build_customization;
    if facts.use_path_routing {
        format!("{}://{}:{}/argocd", facts.protocol, facts.host, facts.port)
    } else {
        format!("{}://argocd.{}:{}", facts.protocol, facts.host, facts.port)
    }
}

fn described(package: &CustomPackage, argocd: &str, repositories: &[GitRepository], application: &Value) -> Value {
    let wanted = &package.spec.argo_cd;
    let text = |pointer: &str| application.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    json!({
        "Name": package.metadata.name,
        "Namespace": package.metadata.namespace,
        "Type": "",
        "GitRepository": git_repository(package, repositories),
        "ArgocdRepository": format!("{argocd}/applications/{}/{}", wanted.namespace, wanted.name),
        "Status": package.status.synced.to_string(),
        "Sync": text("/status/sync/status"),
        "Health": text("/status/health/status"),
    })
}

/// The repository that the platform made for the package, or the one the package is in.
fn git_repository(package: &CustomPackage, repositories: &[GitRepository]) -> String {
    if let Some(reference) = package.status.git_repository_refs.first() {
        let made = repositories.iter().find(|repository| repository.metadata.uid == reference.uid);
        let url = made.map(|repository| repository.status.external_git_repository_url.as_str()).unwrap_or_default();
        return url.trim_end_matches(".git").to_owned();
    }
    match &package.spec.remote_repository {
        Some(repository) => {
            let reference = if repository.reference.is_empty() { "main" } else { &repository.reference };
            let url = remote::redact(&repository.url);
            format!("{}/tree/{reference}/{}", url.trim_end_matches(".git"), repository.path)
        }
        None => String::new(),
    }
}

fn row(package: &Value) -> Vec<String> {
    ["Name", "Namespace", "GitRepository", "ArgocdRepository", "Status", "Sync", "Health"]
        .iter()
        .map(|key| package[*key].as_str().unwrap_or_default().to_owned())
        .collect()
}
