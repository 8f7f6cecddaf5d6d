//! Rendered objects to wanted objects, as cases.

use api::{ClusterName, Gvk};
use client::ObjectKey;
use serde_json::{Value, json};

use super::{Kinds, Place, Targets, targets};
use crate::resource::{Key, annotation};
use crate::tracking::{Owner, TRACKING_ID};

fn run(rendered: &[Value]) -> Targets {
    let root = ClusterName::root();
    let owner = Owner::of(&ObjectKey::new(&root, "argocd", "app"), "argocd");
    let place = Place { owner: &owner, cluster: &root, namespace: "web" };
    let mut kinds = Kinds::new();
    let namespace = Gvk::new("", "v1", "Namespace");
    kinds.insert(namespace.clone(), Some(client::fake::descriptor(&namespace, "namespaces", false, true)));
    let rendered: Vec<&Value> = rendered.iter().collect();
    targets(&rendered, &place, &kinds).expect("the objects are accepted")
}

fn object(api_version: &str, kind: &str, metadata: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})
}

#[test]
fn namespaces_are_put_in_where_they_belong() {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "wides.x.io"}, "spec": {"scope": "Cluster", "group": "x.io", "names": {"kind": "Wide"}},
    });
    let found = run(&[
        definition,
        object("v1", "ConfigMap", json!({"name": "a"})),
        object("v1", "ConfigMap", json!({"name": "b", "namespace": "other"})),
        object("v1", "Namespace", json!({"name": "n", "namespace": "wrong"})),
        object("x.io/v1", "Wide", json!({"name": "w"})),
        object("y.io/v1", "Unknown", json!({"name": "u"})),
    ]);
    let keys: Vec<String> = found.objects.keys().map(Key::to_string).collect();
    assert_eq!(
        keys,
        [
            "/ConfigMap/other/b",
            "/ConfigMap/web/a",
            "/Namespace//n",
            "apiextensions.k8s.io/CustomResourceDefinition/web/wides.x.io",
            "x.io/Wide//w",
            "y.io/Unknown/web/u",
        ]
    );
    let id = annotation(&found.objects[&Key::new("", "ConfigMap", "web", "a")], TRACKING_ID).map(str::to_owned);
    assert_eq!(id.as_deref(), Some("app:/ConfigMap:web/a"));
}

#[test]
fn the_last_of_one_name_counts_and_it_is_said() {
    let mut second = object("v1", "ConfigMap", json!({"name": "a"}));
    second["data"] = json!({"x": "2"});
    let found = run(&[object("v1", "ConfigMap", json!({"name": "a", "namespace": "web"})), second]);
    assert_eq!(found.objects[&Key::new("", "ConfigMap", "web", "a")]["data"], json!({"x": "2"}));
    assert_eq!(found.conditions.len(), 1);
    assert_eq!(found.conditions[0].kind, "RepeatedResourceWarning");
    assert_eq!(found.conditions[0].message, "Resource /ConfigMap/web/a appeared 2 times among application resources.");
}

#[test]
fn hooks_are_set_apart() {
    let hook = json!({"generateName": "job-", "annotations": {"argocd.argoproj.io/hook": "PostSync"}});
    let skipped = json!({"name": "s", "annotations": {"argocd.argoproj.io/hook": "Skip"}});
    let found = run(&[object("batch/v1", "Job", hook), object("batch/v1", "Job", skipped)]);
    assert!(found.objects.is_empty());
    assert_eq!(found.conditions.len(), 1);
    assert!(found.conditions[0].message.starts_with("Hook Job/job- (PostSync) is not run"));
}
