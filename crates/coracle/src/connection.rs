//! The platform's API as a client: one kubeconfig, one set of objects. It must
//! never look into the platform's directory for anything but that kubeconfig.

use std::path::Path;
use std::sync::Arc;

use api::{ClusterName, Gvr, Status};
use base::Diagnostic;
use client::kube_transport::KubeObjects;
use client::{ListOptions, Object, Objects, Target};

/// Connects with the current context of a kubeconfig.
pub async fn connect(kubeconfig: &Path) -> Result<Arc<dyn Objects>, Diagnostic> {
    let unusable = |error: &dyn std::fmt::Display| {
        Diagnostic::new("unusable-kubeconfig", format!("the kubeconfig {} cannot be used", kubeconfig.display()))
            .detail(error)
            .hint("start the platform with `coracle start`, or name another file with --kubeconfig")
    };
    let objects = KubeObjects::from_kubeconfig(kubeconfig, ClusterName::root()).await;
    Ok(Arc::new(objects.map_err(|error| unusable(&error))?))
}

/// Whether anyone answers there, whatever the answer is.
pub async fn answers(kubeconfig: &Path) -> bool {
    let Ok(objects) = connect(kubeconfig).await else { return false };
    let asked = objects.get(&everywhere(&Gvr::new("", "v1", "namespaces")), "default").await;
    asked.map_or_else(|status| status.code != 503, |_| true)
}

/// The API said no.
pub fn refused(status: &Status) -> Diagnostic {
    if status.code == 503 {
        return Diagnostic::new("platform-unreachable", "the platform does not answer")
            .detail(&status.message)
            .hint("look with `coracle status`, start it with `coracle start`");
    }
    Diagnostic::new("refused-object", "the platform's API refused a request").detail(&status.message)
}

/// Every object of a resource in a scope; none if the kind is not served.
pub async fn list(objects: &dyn Objects, target: &Target, label_selector: &str) -> Result<Vec<Object>, Diagnostic> {
    let options = ListOptions { label_selector: label_selector.to_owned(), ..ListOptions::default() };
    match objects.list(target, options).await {
        Ok(list) => Ok(list.items),
        Err(status) if status.is_not_found() => Ok(Vec::new()),
        Err(status) => Err(refused(&status)),
    }
}

/// A resource in every namespace of the platform.
pub fn everywhere(gvr: &Gvr) -> Target {
    Target::cluster(&ClusterName::root(), gvr)
}

/// Resource of Secret.
pub fn secrets() -> Gvr {
    Gvr::new("", "v1", "secrets")
}

/// Resource of Capability.
pub fn capabilities() -> Gvr {
    Gvr::new("coracle.dev", "v1alpha1", "capabilities")
}
