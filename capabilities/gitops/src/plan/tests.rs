//! Plans as text, and what must hold of every plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, ObjectMeta};
use bytes::Bytes;
use client::Object;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Wish, deletion, plan};
use crate::compare::{Part, Resource, Sync};
use crate::hooks::{Naming, Points, SyncPhase, Template, instances};
use crate::options::SyncOptions;
use crate::resource::{Key, Live, wave};
use crate::task::{Action, Plan, Task, Wave};
use crate::types::ResourceSelector;

fn value(kind: &str, name: &str, annotations: Value) -> Value {
    let (api_version, kind) = kind.rsplit_once('/').unwrap_or(("v1", kind));
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "n", "annotations": annotations}})
}

fn live_of(value: &Value) -> Live {
    let meta: ObjectMeta = serde_json::from_value(value["metadata"].clone()).expect("metadata");
    let object =
        Object { cluster: ClusterName::root(), meta: Arc::new(meta), json: Bytes::from(value.to_string()).into() };
    Live { object, value: Arc::new(value.clone()) }
}

fn resource(value: &Value, is_wanted: bool, is_there: bool) -> Resource {
    Resource {
        key: Key::of(value),
        gvk: crate::resource::gvk(value),
        desired: is_wanted.then(|| Arc::new(value.clone())),
        live: is_there.then(|| live_of(value)),
        sync: if is_wanted && is_there { Sync::Synced } else { Sync::OutOfSync },
        part: Part::Plain,
        requires_pruning: !is_wanted,
        is_tolerated: false,
        is_leaving: false,
        shared_with: None,
        health: None,
        ignores_health: false,
        options: SyncOptions::of_object(value),
        wave: wave(value),
    }
}

fn wanted(kind: &str, name: &str, wave: i32) -> Resource {
    resource(&value(kind, name, json!({"argocd.argoproj.io/sync-wave": wave.to_string()})), true, false)
}

fn extra(kind: &str, name: &str, wave: i32, options: &str) -> Resource {
    let annotations =
        json!({"argocd.argoproj.io/sync-wave": wave.to_string(), "argocd.argoproj.io/sync-options": options});
    resource(&value(kind, name, annotations), false, true)
}

fn text(plan: &Plan) -> Vec<String> {
    plan.waves
        .iter()
        .flat_map(|wave| {
            wave.tasks().map(|task| {
                let what = match task.action {
                    Action::Apply => "apply".to_owned(),
                    Action::Prune => "prune".to_owned(),
                    Action::KeepExtra(why) => why.to_owned(),
                };
                format!("{} {what} {}", wave.number, task.key.short())
            })
        })
        .collect()
}

fn pruning() -> Wish {
    Wish { prune: true, ..Wish::default() }
}

fn options(entries: &[&str]) -> SyncOptions {
    let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    SyncOptions::of(&[&entries])
}

fn check(resources: &[Resource], wish: &Wish, expect: &[&str]) {
    assert_eq!(text(&plan(resources, &[], None, wish)), expect);
}

#[test]
fn kinds_and_names_order_a_wave() {
    check(
        &[
            wanted("x.io/v1/Other", "z", 0),
            wanted("apps/v1/Deployment", "b", 0),
            wanted("apps/v1/Deployment", "a", 0),
            wanted("Service", "s", 0),
            wanted("ConfigMap", "c", 0),
            wanted("Secret", "s", 0),
            wanted("networking.k8s.io/v1/Ingress", "i", 0),
        ],
        &Wish::default(),
        &[
            "0 apply Secret/s",
            "0 apply ConfigMap/c",
            "0 apply Service/s",
            "0 apply apps/Deployment/a",
            "0 apply apps/Deployment/b",
            "0 apply networking.k8s.io/Ingress/i",
            "0 apply x.io/Other/z",
        ],
    );
}

#[test]
fn waves_come_in_their_order() {
    check(
        &[wanted("ConfigMap", "late", 5), wanted("ConfigMap", "early", -20), wanted("ConfigMap", "none", 0)],
        &Wish::default(),
        &["-20 apply ConfigMap/early", "0 apply ConfigMap/none", "5 apply ConfigMap/late"],
    );
}

#[test]
fn what_others_need_comes_before_them() {
    let mut definition = value("apiextensions.k8s.io/v1/CustomResourceDefinition", "namespaces.x.io", json!({}));
    definition["spec"] = json!({"group": "x.io", "names": {"kind": "Namespace"}});
    definition["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": "3"});
    let namespace = wanted("Namespace", "n", 7);
    check(
        &[
            namespace,
            resource(&definition, true, false),
            wanted("x.io/v1/Namespace", "custom", 1),
            wanted("ConfigMap", "c", 2),
        ],
        &Wish::default(),
        &[
            "1 apply Namespace/n",
            "1 apply apiextensions.k8s.io/CustomResourceDefinition/namespaces.x.io",
            "1 apply x.io/Namespace/custom",
            "2 apply ConfigMap/c",
        ],
    );
}

#[test]
fn extras_go_in_the_opposite_order() {
    let resources = [
        extra("ConfigMap", "first", 1, ""),
        extra("ConfigMap", "second", 2, ""),
        extra("apps/v1/Deployment", "second", 2, ""),
        extra("ConfigMap", "third", 5, ""),
        wanted("ConfigMap", "new", 2),
    ];
    check(
        &resources,
        &pruning(),
        &[
            "1 prune ConfigMap/third",
            "2 prune apps/Deployment/second",
            "2 prune ConfigMap/second",
            "2 apply ConfigMap/new",
            "5 prune ConfigMap/first",
        ],
    );
    let last = Wish { options: options(&["PruneLast=true"]), ..pruning() };
    let found = plan(&resources, &[], None, &last);
    assert_eq!(found.waves.last().map(|wave| (wave.number, wave.prunes.len())), Some((6, 4)));
}

#[test]
fn extras_are_kept_with_a_word() {
    check(&[extra("ConfigMap", "e", 0, "")], &Wish::default(), &["0 ignored (requires pruning) ConfigMap/e"]);
    check(&[extra("ConfigMap", "e", 0, "Prune=false")], &pruning(), &["0 ignored (no prune) ConfigMap/e"]);
    check(
        &[extra("ConfigMap", "e", 0, "Prune=confirm")],
        &pruning(),
        &["0 ignored (waiting for deletion confirmation) ConfigMap/e"],
    );
    let approved = Wish { deletion_approved: true, ..pruning() };
    check(&[extra("ConfigMap", "e", 0, "Prune=confirm")], &approved, &["0 prune ConfigMap/e"]);
    let app = Wish { options: options(&["Prune=false"]), ..pruning() };
    check(&[extra("ConfigMap", "e", 0, "Prune=true")], &app, &["0 prune ConfigMap/e"]);
}

#[test]
fn a_wish_can_be_for_less() {
    let resources = [
        wanted("ConfigMap", "a", 0),
        wanted("ConfigMap", "b", 0),
        resource(&value("Secret", "s", json!({})), true, true),
    ];
    let selector = ResourceSelector { kind: "ConfigMap".into(), name: "b".into(), ..ResourceSelector::default() };
    let partial = Wish { selected: vec![selector], ..Wish::default() };
    check(&resources, &partial, &["0 apply ConfigMap/b"]);
    let changed = Wish { options: options(&["ApplyOutOfSyncOnly=true"]), ..Wish::default() };
    check(&resources, &changed, &["0 apply ConfigMap/a", "0 apply ConfigMap/b"]);
}

#[test]
fn a_made_namespace_comes_first() {
    let namespace = wanted("Namespace", "n", 0);
    let found = plan(&[wanted("ConfigMap", "a", -50)], &[], Some(&namespace), &Wish::default());
    assert_eq!(text(&found), [format!("{} apply Namespace/n", i32::MIN), "-50 apply ConfigMap/a".to_owned()]);
}

fn hook(kind: &str, name: &str, phases: &[SyncPhase], wave: i32) -> Template {
    let annotations = json!({"argocd.argoproj.io/hook": "any", "argocd.argoproj.io/sync-wave": wave.to_string()});
    let points = Points { phases: phases.to_vec(), ..Points::default() };
    Template { object: Arc::new(value(kind, name, annotations)), points }
}

/// A plan with hooks as text, its phases named.
fn check_hooks(resources: &[Resource], hooks: &[Template], wish: &Wish, expect: &[&str]) {
    let instances = instances(hooks, Naming { revision: "r", began: 0 });
    let found = plan(resources, &instances, None, wish);
    let line = |wave: &Wave, task: &Task| {
        let what = if task.is_hook() { "hook" } else { "object" };
        format!("{} {} {what} {}", task.phase.word(), wave.number, task.key.short())
    };
    let lines: Vec<String> =
        found.waves.iter().flat_map(|wave| wave.tasks().map(move |task| line(wave, task))).collect();
    assert_eq!(lines, expect);
    assert!(found.waves.iter().all(|wave| wave.tasks().all(|task| task.phase == wave.phase)));
}

#[test]
fn phases_order_a_plan() {
    use SyncPhase::{PostSync, PreSync, Sync, SyncFail};
    check_hooks(
        &[wanted("apps/v1/Deployment", "web", 0), wanted("ConfigMap", "late", 3)],
        &[
            hook("batch/v1/Job", "both", &[PostSync, PreSync], 0),
            hook("batch/v1/Job", "first", &[PreSync], -1),
            hook("ServiceAccount", "runner", &[PreSync], 0),
            hook("batch/v1/Job", "with", &[Sync], 0),
            hook("batch/v1/Job", "consolation", &[SyncFail], -9),
        ],
        &Wish::default(),
        &[
            "PreSync -1 hook batch/Job/first",
            "PreSync 0 hook ServiceAccount/runner",
            "PreSync 0 hook batch/Job/both",
            "Sync 0 object apps/Deployment/web",
            "Sync 0 hook batch/Job/with",
            "Sync 3 object ConfigMap/late",
            "PostSync 0 hook batch/Job/both",
            "SyncFail -9 hook batch/Job/consolation",
        ],
    );
}

#[test]
fn what_hooks_need_comes_in_their_phase() {
    let mut definition = value("apiextensions.k8s.io/v1/CustomResourceDefinition", "runs.x.io", json!({}));
    definition["spec"] = json!({"group": "x.io", "names": {"kind": "Run"}});
    check_hooks(
        &[wanted("Namespace", "n", 7), resource(&definition, true, false), wanted("ConfigMap", "c", 0)],
        &[hook("x.io/v1/Run", "migrate", &[SyncPhase::PreSync], 2)],
        &Wish::default(),
        &[
            "PreSync 2 object Namespace/n",
            "PreSync 2 object apiextensions.k8s.io/CustomResourceDefinition/runs.x.io",
            "PreSync 2 hook x.io/Run/migrate",
            "Sync 0 object ConfigMap/c",
        ],
    );
}

#[test]
fn extras_that_go_last_go_after_the_hooks_of_their_phase() {
    let last = Wish { options: options(&["PruneLast=true"]), ..pruning() };
    check_hooks(
        &[extra("ConfigMap", "e", -3, "")],
        &[
            hook("batch/v1/Job", "with", &[SyncPhase::Sync], 4),
            hook("batch/v1/Job", "after", &[SyncPhase::PostSync], 9),
        ],
        &last,
        &["Sync 4 hook batch/Job/with", "Sync 5 object ConfigMap/e", "PostSync 9 hook batch/Job/after"],
    );
    check_hooks(&[extra("ConfigMap", "e", -3, "")], &[], &last, &["Sync 1 object ConfigMap/e"]);
}

#[test]
fn what_is_not_compared_is_not_planned() {
    let skipped = Resource { part: Part::Skipped, ..wanted("ConfigMap", "s", 0) };
    let left = Resource { part: Part::Hook, ..extra("batch/v1/Job", "h", 0, "") };
    check(&[skipped, left], &pruning(), &[]);
}

#[test]
fn deletion_begins_with_the_last_wave() {
    let key = |kind: &str, name: &str| Key::new("", kind, "n", name);
    let batches = deletion(&[
        (0, key("Namespace", "n")),
        (0, key("ConfigMap", "a")),
        (2, key("ConfigMap", "b")),
        (-1, key("Secret", "s")),
    ]);
    let found: Vec<Vec<String>> = batches.iter().map(|batch| batch.iter().map(Key::short).collect()).collect();
    assert_eq!(found, [vec!["ConfigMap/b"], vec!["ConfigMap/a", "Namespace/n"], vec!["Secret/s"]]);
}

/// What a plan leaves behind: every applied object as it is wanted, no pruned one.
fn carry_out(resources: &[Resource], plan: &Plan) -> Vec<Resource> {
    let mut left: BTreeMap<Key, Resource> =
        resources.iter().map(|resource| (resource.key.clone(), resource.clone())).collect();
    for task in plan.changes() {
        if task.action == Action::Prune {
            left.remove(&task.key);
        } else if let Some(resource) = left.get_mut(&task.key) {
            resource.sync = Sync::Synced;
            resource.live = resource.desired.as_ref().map(|desired| live_of(desired));
        }
    }
    left.into_values().collect()
}

fn any_resource() -> impl Strategy<Value = Resource> {
    let kinds = prop::sample::select(vec![
        "Namespace",
        "ConfigMap",
        "apps/v1/Deployment",
        "x.io/v1/Other",
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
    ]);
    let words = prop::sample::select(vec!["", "Prune=false", "PruneLast=true"]);
    (kinds, 0u8..6, -3i32..4, any::<bool>(), any::<bool>(), words).prop_map(
        |(kind, name, wave, wanted, there, word)| {
            let annotations =
                json!({"argocd.argoproj.io/sync-wave": wave.to_string(), "argocd.argoproj.io/sync-options": word});
            resource(&value(kind, &format!("r{name}"), annotations), wanted, there || !wanted)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn planning_is_deterministic_and_once_is_enough(
        drawn in prop::collection::vec(any_resource(), 0..20),
        prune in any::<bool>(),
    ) {
        let resources: Vec<Resource> = drawn
            .into_iter()
            .map(|resource| (resource.key.clone(), resource))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect();
        let wish = Wish { prune, ..Wish::default() };
        let first = plan(&resources, &[], None, &wish);
        let reversed: Vec<Resource> = resources.iter().rev().cloned().collect();
        prop_assert_eq!(text(&first), text(&plan(&reversed, &[], None, &wish)));

        let numbers: Vec<i32> = first.waves.iter().map(|wave| wave.number).collect();
        prop_assert!(numbers.is_sorted(), "waves are in order: {:?}", numbers);
        prop_assert_eq!(first.tasks().count(), resources.len(), "every object has one task");

        let left = carry_out(&resources, &first);
        let second = plan(&left, &[], None, &wish);
        prop_assert_eq!(second.changes().count(), 0, "a plan that was carried out needs no second one");
    }
}
