//! Rendered objects to wanted objects, as cases.

use api::{ClusterName, Gvk};
use client::ObjectKey;
use serde_json::{Value, json};

use super::{Kinds, Place, Targets, targets};
use crate::resource::{Key, annotation, text};
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
    let with = |metadata: Value, hook: &str| {
        let mut object = object("batch/v1", "Job", metadata);
        object["metadata"]["annotations"] = json!({"argocd.argoproj.io/hook": hook});
        object
    };
    let test = object("v1", "Pod", json!({"name": "t", "annotations": {"helm.sh/hook": "test"}}));
    let found = run(&[
        with(json!({"generateName": "job-"}), "PostSync"),
        with(json!({"name": "named"}), "PreSync"),
        with(json!({"name": "skipped"}), "Skip"),
        test,
    ]);
    let names: Vec<String> = found.objects.keys().map(Key::to_string).collect();
    assert_eq!(names, ["batch/Job/web/skipped"], "what is skipped is known and not pruned");
    let hooks: Vec<&str> = found.hooks.iter().map(|hook| text(&hook.object, "/metadata/namespace")).collect();
    assert_eq!(hooks, ["web", "web"]);
    assert_eq!(annotation(&found.hooks[1].object, TRACKING_ID), None, "a hook is marked when it is named");
    assert_eq!(found.conditions, []);
}

#[test]
fn a_hook_and_an_object_of_one_name_are_one() {
    let plain = object("batch/v1", "Job", json!({"name": "a"}));
    let mut hook = plain.clone();
    hook["metadata"]["annotations"] = json!({"argocd.argoproj.io/hook": "Sync"});
    let found = run(&[plain.clone(), hook.clone()]);
    assert_eq!((found.objects.len(), found.hooks.len(), found.conditions.len()), (0, 1, 1));
    let found = run(&[hook, plain]);
    assert_eq!((found.objects.len(), found.hooks.len(), found.conditions.len()), (1, 0, 1));
}
