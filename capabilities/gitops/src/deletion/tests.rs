//! Steps of the cascade, as cases.

use std::sync::Arc;

use api::{ClusterName, Gvk, ObjectMeta};
use client::{Object, Propagation};
use serde_json::json;

use super::finalizers::{Stage, cascade, next, wanted};
use super::{Step, decide};
use crate::compare::{Part, Resource, Sync};
use crate::hooks::DeletePhase::{PostDelete, PreDelete};
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
    let object = Object { cluster: ClusterName::root(), meta: Arc::new(meta), json: client::Json::default() };
    Resource {
        key: Key::new("", "ConfigMap", "n", name),
        gvk: Gvk::new("", "v1", "ConfigMap"),
        desired: None,
        options: SyncOptions::of_object(&value),
        live: Some(Live { object, value: Arc::new(value) }),
        sync: Sync::OutOfSync,
        part: Part::Plain,
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
        assert_eq!(cascade(&names).map(|(_, propagation)| propagation), expect, "{name}");
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

const PRE: &str = "pre-delete-finalizer.argocd.argoproj.io";
const PRE_CLEANUP: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
const POST: &str = "post-delete-finalizer.argocd.argoproj.io";
const POST_CLEANUP: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";
const CASCADE: &str = "resources-finalizer.argocd.argoproj.io";

#[test]
fn stages_come_in_their_order() {
    let mut left = names(&[POST_CLEANUP, POST, CASCADE, PRE_CLEANUP, PRE, "other.example/finalizer"]);
    let mut seen = Vec::new();
    while let Some((name, stage)) = next(&left) {
        seen.push(stage);
        let name = name.to_owned();
        left.retain(|held| *held != name);
    }
    let expect = [
        Stage::Run(PreDelete),
        Stage::CleanUp(PreDelete),
        Stage::Cascade(Propagation::Foreground),
        Stage::Run(PostDelete),
        Stage::CleanUp(PostDelete),
    ];
    assert_eq!(seen, expect);
    assert_eq!(left, ["other.example/finalizer"]);
}

#[test]
fn hooks_put_their_finalizers_on_and_off() {
    for (held, pre, post, expect) in [
        (vec![], false, false, None),
        (vec!["x"], true, false, Some(vec!["x", PRE, PRE_CLEANUP])),
        (vec![POST, POST_CLEANUP], false, true, None),
        (vec![CASCADE, POST], false, true, Some(vec![CASCADE, POST, POST_CLEANUP])),
        (vec![PRE, CASCADE, PRE_CLEANUP, POST_CLEANUP], false, false, Some(vec![CASCADE])),
    ] {
        assert_eq!(wanted(&names(&held), pre, post), expect.map(|list| names(&list)), "{held:?}");
    }
}
