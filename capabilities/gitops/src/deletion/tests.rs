//! Steps of the cascade, as cases.

use std::sync::Arc;

use api::{ClusterName, Gvk, ObjectMeta};
use client::{Object, Propagation};
use serde_json::json;

use super::{Step, decide, finalizer};
use crate::compare::{Resource, Sync};
use crate::options::SyncOptions;
use crate::resource::{Key, Live};

fn live(name: &str, wave: i32, options: &str, is_deleting: bool) -> Resource {
    let value = json!({
        "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-options": options}},
    });
    let meta = ObjectMeta {
        name: name.into(),
        deletion_timestamp: is_deleting.then(|| "2026-01-01T00:00:00Z".into()),
        ..ObjectMeta::default()
    };
    let object = Object { cluster: ClusterName::root(), meta: Arc::new(meta), json: bytes::Bytes::new() };
    Resource {
        key: Key::new("", "ConfigMap", "n", name),
        gvk: Gvk::new("", "v1", "ConfigMap"),
        desired: None,
        options: SyncOptions::of_object(&value),
        live: Some(Live { object, value: Arc::new(value) }),
        sync: Sync::OutOfSync,
        requires_pruning: true,
        is_tolerated: false,
        is_leaving: false,
        shared_with: None,
        health: None,
        ignores_health: false,
        wave,
    }
}

#[test]
fn one_wave_after_the_other() {
    let none = SyncOptions::default();
    let keys = |names: &[&str]| Step::Delete(names.iter().map(|name| Key::new("", "ConfigMap", "n", name)).collect());
    let cases = [
        (vec![], Step::Finish),
        (vec![live("a", 0, "", false), live("b", 1, "", false)], keys(&["b"])),
        (vec![live("a", 0, "", false), live("b", 1, "", true)], Step::Wait),
        (vec![live("a", 0, "", false)], keys(&["a"])),
        (vec![live("a", 0, "Delete=false", false)], Step::Finish),
        (vec![live("a", 0, "Delete=confirm", false)], Step::Finish),
    ];
    for (resources, expect) in cases {
        assert_eq!(decide(&resources, &none, false), expect);
    }
    assert_eq!(decide(&[live("a", 0, "Delete=confirm", false)], &none, true), keys(&["a"]));
    let keep = SyncOptions::of(&[&["Delete=false".to_owned()]]);
    assert_eq!(decide(&[live("a", 0, "", false)], &keep, false), Step::Finish);
}

#[test]
fn finalizers_say_how() {
    let cases = [
        ("resources-finalizer.argocd.argoproj.io", Some(Propagation::Foreground)),
        ("resources-finalizer.argocd.argoproj.io/foreground", Some(Propagation::Foreground)),
        ("resources-finalizer.argocd.argoproj.io/background", Some(Propagation::Background)),
        ("other.example/finalizer", None),
    ];
    for (name, expect) in cases {
        let names = [name.to_owned()];
        assert_eq!(finalizer(&names).map(|(_, propagation)| propagation), expect, "{name}");
    }
}
