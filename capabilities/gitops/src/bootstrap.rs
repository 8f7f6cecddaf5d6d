//! What every cluster with Applications has: the control namespace, the permissive
//! project `default`, and in the root cluster the administrator's Secret. It
//! creates what is missing and must never change what is there.

use api::{ClusterName, Gvr, Status};
use base::Ids;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::{Objects, Target, WriteOptions};
use serde_json::{Value, json};

use crate::settings::Settings;

/// Characters of the administrator's password.
const PASSWORD_LENGTH: usize = 16;

/// Makes sure of the namespace and the project.
pub async fn cluster(objects: &dyn Objects, cluster: &ClusterName, settings: &Settings) -> Result<(), Status> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": settings.namespace}});
    create(objects, &Target::cluster(cluster, &Gvr::new("", "v1", "namespaces")), &namespace).await?;
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": settings.namespace},
        "spec": {
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            "destinations": [{"namespace": "*", "server": "*"}],
            "sourceRepos": ["*"],
        },
    });
    let target = Target::namespaced(cluster, &crate::kinds::projects(), &settings.namespace);
    create(objects, &target, &project).await
}

/// Makes sure of the administrator's Secret, with the labels by which `coracle get secrets` finds it.
pub async fn admin_secret(objects: &dyn Objects, ids: &Ids, settings: &Settings) -> Result<(), Status> {
    let password = if settings.dev_password { "developer".to_owned() } else { ids.password(PASSWORD_LENGTH) };
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "argocd-initial-admin-secret",
            "namespace": settings.namespace,
            "labels": {"cnoe.io/cli-secret": "true", "cnoe.io/package-name": "argocd"},
        },
        "type": "Opaque",
        "data": {"password": STANDARD.encode(password)},
    });
    let root = ClusterName::root();
    create(objects, &Target::namespaced(&root, &Gvr::new("", "v1", "secrets"), &settings.namespace), &secret).await
}

async fn create(objects: &dyn Objects, target: &Target, object: &Value) -> Result<(), Status> {
    match objects.create(target, object.to_string().into(), WriteOptions::default()).await {
        Err(status) if !status.is_already_exists() => Err(status),
        _ => Ok(()),
    }
}
