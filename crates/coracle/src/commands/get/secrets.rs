//! `coracle get secrets`: the core secrets, and those that packages mark.

use std::collections::BTreeMap;

use api::ClusterName;
use base::Diagnostic;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::{Object, Objects, Target};
use serde_json::{Value, json};

use super::Listing;
use crate::connection;

/// Marks a Secret to be shown.
const CLI_SECRET: &str = "cnoe.io/cli-secret=true";
/// Core packages, which are namespaces too, with the Secrets of their administrators.
const CORE: [(&str, &str); 2] = [("argocd", "argocd-initial-admin-secret"), ("gitea", "gitea-credential")];

/// The core packages whose administrators have a Secret.
pub async fn core(objects: &dyn Objects) -> Result<Vec<String>, Diagnostic> {
    let mut present = Vec::new();
    for (package, name) in CORE {
        let target = Target::namespaced(&ClusterName::root(), &connection::secrets(), package);
        match objects.get(&target, name).await {
            Ok(_) => present.push(package.to_owned()),
            Err(status) if status.is_not_found() => {}
            Err(status) => return Err(connection::refused(&status)),
        }
    }
    Ok(present)
}

/// The secrets of the packages named, or of all.
pub async fn list(objects: &dyn Objects, packages: &[String]) -> Result<Listing, Diagnostic> {
    let wanted = |name: &str| packages.is_empty() || packages.iter().any(|package| package == name);
    let mut found: Vec<(bool, Object)> = Vec::new();
    for (namespace, name) in CORE.into_iter().filter(|(package, _)| wanted(package)) {
        let target = Target::namespaced(&ClusterName::root(), &connection::secrets(), namespace);
        match objects.get(&target, name).await {
            Ok(secret) => found.push((true, secret)),
            Err(status) if status.is_not_found() => {}
            Err(status) => return Err(connection::refused(&status)),
        }
    }
    let is_core = |package: &String| CORE.iter().any(|(core, _)| core == package);
    let mut selectors = Vec::new();
    if packages.is_empty() {
        selectors.push(CLI_SECRET.to_owned());
    }
    for package in packages.iter().filter(|package| !is_core(package)) {
        selectors.push(format!("cnoe.io/package-name={package},{CLI_SECRET}"));
    }
    let everywhere = connection::everywhere(&connection::secrets());
    for selector in selectors {
        for secret in connection::list(objects, &everywhere, &selector).await? {
            if !found.iter().any(|(_, held)| held.meta.uid == secret.meta.uid) {
                found.push((false, secret));
            }
        }
    }
    let secrets: Result<Vec<Value>, Diagnostic> = found.iter().map(|(core, secret)| described(*core, secret)).collect();
    let secrets = secrets?;
    Ok(Listing {
        heading: vec!["NAME", "NAMESPACE", "USERNAME", "PASSWORD", "TOKEN", "DATA"],
        rows: secrets.iter().map(row).collect(),
        value: Value::Array(secrets),
        nothing: "no secrets found",
    })
}

/// A secret with the keys of CNOE's builder: those of a core one at the top, others under `data`.
fn described(core: bool, secret: &Object) -> Result<Value, Diagnostic> {
    let value = secret.value().map_err(|status| connection::refused(&status))?;
    let data = decoded(&value["data"]);
    let mut shown = json!({"IsCore": core, "name": secret.meta.name, "namespace": secret.meta.namespace});
    if !core {
        shown["data"] = json!(data);
        return Ok(shown);
    }
    for key in ["username", "password", "token"] {
        if let Some(text) = data.get(key) {
            shown[key] = json!(text);
        }
    }
    if secret.meta.name == CORE[0].1 {
        shown["username"] = json!("admin");
    }
    Ok(shown)
}

fn decoded(data: &Value) -> BTreeMap<String, String> {
    let entries = data.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
            (key.clone(), String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect()
}

fn row(secret: &Value) -> Vec<String> {
    let text = |key: &str| secret[key].as_str().unwrap_or_default().to_owned();
    let data = secret["data"].as_object().into_iter().flatten();
    let data: Vec<String> = data.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    vec![text("name"), text("namespace"), text("username"), text("password"), text("token"), data.join(", ")]
}
