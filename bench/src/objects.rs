//! The objects that are applied: 10 KB of JSON each as a client sends it, an
//! Application of many resources and a Deployment of several containers.

use serde_json::{Value, json};

use crate::application;

/// Bytes of one object without what the server adds.
const SIZE: usize = 10 * 1024;

/// A kind of object that is applied.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A custom resource.
    Application,
    /// A built-in one.
    Deployment,
}

impl Kind {
    /// What it is called in the tables.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Application => "Application",
            Kind::Deployment => "Deployment",
        }
    }

    /// Where its objects are.
    pub fn objects(self) -> &'static str {
        match self {
            Kind::Application => application::OBJECTS,
            Kind::Deployment => "/apis/apps/v1/namespaces/default/deployments",
        }
    }

    /// An object in which the name and one field of the spec can be replaced.
    pub fn template(self) -> Template {
        let whole = match self {
            Kind::Application => application(),
            Kind::Deployment => deployment(),
        };
        Template(whole.to_string())
    }
}

/// An object as text, with places for its name and for a field that changes.
#[derive(Clone)]
pub struct Template(String);

const NAME: &str = "the-name";
const FIELD: &str = "the-field";

impl Template {
    /// The object of this name with this value in the field.
    pub fn object(&self, name: &str, field: &str) -> String {
        self.0.replace(NAME, name).replace(FIELD, field)
    }
}

/// An Application as Argo CD keeps it: what is wanted, what became of it, and a line for each object.
fn application() -> Value {
    let revision = "5f2b1c0e9d8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c";
    let source = json!({
        "repoURL": "https://git.example.com/teams/shop/deployment.git",
        "targetRevision": FIELD,
        "path": "environments/production/shop",
        "helm": {
            "releaseName": NAME,
            "valueFiles": ["values.yaml", "values-production.yaml"],
            "parameters": [
                {"name": "image.tag", "value": "v1.24.3"},
                {"name": "replicaCount", "value": "3", "forceString": true},
            ],
            "values": "ingress:\n  enabled: true\n  host: shop.example.com\nresources:\n  limits:\n    memory: 512Mi\n",
        },
    });
    let recorded = |id: u32| {
        json!({
            "id": id, "revision": revision, "source": source,
            "deployStartedAt": "2026-05-01T10:00:00Z", "deployedAt": "2026-05-01T10:00:07Z",
            "initiatedBy": {"automated": true},
        })
    };
    let destination = json!({"server": "https://kubernetes.default.svc", "namespace": "shop"});
    let mut object = json!({
        "apiVersion": format!("{}/v1alpha1", application::GROUP),
        "kind": "Application",
        "metadata": {
            "name": NAME,
            "labels": {"app.kubernetes.io/part-of": "shop", "team": "checkout", "environment": "production"},
            "annotations": {"argocd.argoproj.io/sync-wave": "3", "notifications.argoproj.io/subscribe": "shop"},
        },
        "spec": {
            "project": "shop", "source": source, "destination": destination, "revisionHistoryLimit": 3,
            "ignoreDifferences": [{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}],
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        },
        "status": {
            "health": {"status": "Healthy", "lastTransitionTime": "2026-05-01T10:00:20Z"},
            "history": [recorded(1), recorded(2), recorded(3)],
            "operationState": {
                "phase": "Succeeded", "message": "successfully synced (all tasks run)",
                "startedAt": "2026-05-01T10:00:00Z", "finishedAt": "2026-05-01T10:00:07Z",
                "operation": {"initiatedBy": {"automated": true}, "sync": {"revision": revision, "prune": true}},
                "syncResult": {"revision": revision, "source": source},
            },
            "reconciledAt": "2026-05-01T10:03:00Z",
            "resources": [],
            "sourceType": "Helm",
            "summary": {"images": ["registry.example.com/shop/web:v1.24.3"]},
            "sync": {"status": "Synced", "revision": revision, "comparedTo": {"source": source, "destination": destination}},
        },
    });
    fill(&mut object, "/status/resources", |number| {
        json!({
            "version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": format!("shop-settings-{number:02}"),
            "status": "Synced", "health": {"status": "Healthy"},
        })
    });
    object
}

/// A Deployment of three containers, with the rest of its size in environment variables.
fn deployment() -> Value {
    let probe =
        |path: &str| json!({"httpGet": {"path": path, "port": 8080}, "periodSeconds": 10, "failureThreshold": 3});
    let container = |name: &str| {
        json!({
            "name": name, "image": format!("registry.example.com/shop/{name}:v1.24.3"), "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=:8080", "--log-format=json"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "livenessProbe": probe("/healthz"), "readinessProbe": probe("/readyz"),
            "securityContext": {"runAsNonRoot": true, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "settings", "mountPath": "/etc/shop", "readOnly": true}, {"name": "scratch", "mountPath": "/tmp"}],
            "env": [],
        })
    };
    let labels = json!({"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": NAME});
    let mut object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": labels, "annotations": {"bench.example.com/revision": "7"}},
        "spec": {
            "replicas": 0,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": labels, "annotations": {"bench.example.com/checksum": FIELD}},
                "spec": {
                    "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
                    "containers": [container("web"), container("worker"), container("exporter")],
                    "volumes": [{"name": "settings", "configMap": {"name": "shop"}}, {"name": "scratch", "emptyDir": {}}],
                },
            },
        },
    });
    for container in 0..3 {
        let size = object.to_string().len() + (SIZE - object.to_string().len()) / (3 - container);
        let variables = format!("/spec/template/spec/containers/{container}/env");
        fill_to(
            &mut object,
            size,
            &variables,
            |number| json!({"name": format!("SHOP_SETTING_{number:02}"), "value": format!("https://settings.example.com/{number}")}),
        );
    }
    object
}

fn fill(object: &mut Value, list: &str, item: impl Fn(usize) -> Value) {
    fill_to(object, SIZE, list, item);
}

/// Appends items to a list until the whole has its size.
fn fill_to(object: &mut Value, size: usize, list: &str, item: impl Fn(usize) -> Value) {
    let mut number = 0;
    while object.to_string().len() < size {
        let Some(items) = object.pointer_mut(list).and_then(Value::as_array_mut) else { return };
        items.push(item(number));
        number += 1;
    }
}
