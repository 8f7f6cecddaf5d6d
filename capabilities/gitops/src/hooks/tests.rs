//! Annotations to roles, policies and names, as cases.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{FINALIZER, Naming, Points, Policies, Role, SyncPhase, Template, instances, is_hook, policies, role};
use crate::resource::wave;

fn with(annotations: &Value) -> Value {
    json!({"metadata": {"annotations": annotations}})
}

fn hook(phases: &[SyncPhase]) -> Role {
    Role::Hook(Points { phases: phases.to_vec(), ..Points::default() })
}

#[test]
fn annotations_decide_what_an_object_is() {
    use SyncPhase::{PostSync, PreSync, Sync, SyncFail};
    let pre_delete = Role::Hook(Points { pre_delete: true, ..Points::default() });
    let late = Points { phases: vec![PostSync], post_delete: true, ..Points::default() };
    for (annotations, expect) in [
        (json!({}), Role::Plain),
        (json!({"argocd.argoproj.io/hook": "PreSync"}), hook(&[PreSync])),
        (json!({"argocd.argoproj.io/hook": "SyncFail, PreSync,Sync,PreSync"}), hook(&[PreSync, Sync, SyncFail])),
        (json!({"argocd.argoproj.io/hook": "Skip"}), Role::Skip),
        (json!({"argocd.argoproj.io/hook": "Skip,PostSync"}), hook(&[PostSync])),
        (json!({"argocd.argoproj.io/hook": ""}), Role::Ignored),
        (json!({"argocd.argoproj.io/hook": "presync"}), Role::Ignored),
        (json!({"argocd.argoproj.io/hook": "PreDelete"}), pre_delete.clone()),
        (json!({"argocd.argoproj.io/hook": "PostDelete,PostSync"}), Role::Hook(late)),
        (json!({"helm.sh/hook": "pre-install,pre-upgrade"}), hook(&[PreSync])),
        (json!({"helm.sh/hook": "pre-install, post-upgrade"}), hook(&[PreSync, PostSync])),
        (json!({"helm.sh/hook": "pre-delete"}), pre_delete),
        (json!({"helm.sh/hook": "crd-install"}), Role::Plain),
        (json!({"helm.sh/hook": "test"}), Role::Ignored),
        (json!({"helm.sh/hook": "test-success,post-install"}), hook(&[PostSync])),
        (json!({"helm.sh/hook": "pre-rollback,post-rollback"}), Role::Ignored),
        (json!({"helm.sh/hook": "pre-install", "argocd.argoproj.io/hook": "Sync"}), hook(&[Sync])),
        (json!({"helm.sh/hook": "pre-install", "argocd.argoproj.io/hook": "Skip"}), Role::Skip),
    ] {
        let object = with(&annotations);
        assert_eq!(role(&object), expect, "{annotations}");
        assert_eq!(is_hook(&object), !matches!(expect, Role::Plain | Role::Skip), "{annotations}");
    }
}

#[test]
fn policies_of_both_kinds_count() {
    let policy = |before_creation, succeeded, failed| Policies { before_creation, succeeded, failed };
    for (argo, helm, expect) in [
        ("", "", policy(true, false, false)),
        ("never heard of", "nor of this", policy(true, false, false)),
        ("HookSucceeded", "", policy(false, true, false)),
        ("HookSucceeded, HookFailed", "", policy(false, true, true)),
        ("BeforeHookCreation,HookFailed", "", policy(true, false, true)),
        ("", "before-hook-creation,hook-succeeded", policy(true, true, false)),
        ("HookSucceeded", "hook-failed", policy(false, true, true)),
    ] {
        let annotations = json!({"argocd.argoproj.io/hook-delete-policy": argo, "helm.sh/hook-delete-policy": helm});
        assert_eq!(policies(&with(&annotations)), expect, "{annotations}");
    }
}

#[test]
fn a_weight_is_a_wave() {
    for (annotations, expect) in [
        (json!({"helm.sh/hook-weight": "-5"}), -5),
        (json!({"helm.sh/hook-weight": "3", "argocd.argoproj.io/sync-wave": "7"}), 7),
        (json!({"helm.sh/hook-weight": "3", "argocd.argoproj.io/sync-wave": "none"}), 3),
        (json!({"helm.sh/hook-weight": "many"}), 0),
    ] {
        assert_eq!(wave(&with(&annotations)), expect, "{annotations}");
    }
}

#[test]
fn names_are_the_same_for_the_same_operation() {
    let naming = Naming { revision: "c0ffee1234567", began: 1_767_225_600 };
    let template = |metadata: Value, phases: &[SyncPhase]| Template {
        object: Arc::new(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata})),
        points: Points { phases: phases.to_vec(), ..Points::default() },
    };
    let names = |template: Template, naming| -> Vec<String> {
        instances(&[template], naming).into_iter().map(|one| one.key.name.to_string()).collect()
    };
    let generated = template(json!({"generateName": "migrate-"}), &[SyncPhase::PreSync, SyncPhase::PostSync]);
    let expect = ["migrate-c0ffee1-presync-1767225600", "migrate-c0ffee1-postsync-1767225600"];
    assert_eq!(names(generated.clone(), naming), expect);
    assert_eq!(
        names(generated, Naming { revision: "V1", began: 7 }),
        ["migrate-v1-presync-7", "migrate-v1-postsync-7"]
    );
    assert_eq!(names(template(json!({"name": "plain"}), &[SyncPhase::Sync]), naming), ["plain"]);
}

#[test]
fn hooks_are_held_by_one_finalizer() {
    let naming = Naming { revision: "", began: 0 };
    for (stated, expect) in [
        (Value::Null, json!([FINALIZER])),
        (json!(["x.io/own"]), json!(["x.io/own", FINALIZER])),
        (json!([FINALIZER]), json!([FINALIZER])),
    ] {
        let object = json!({"kind": "Job", "metadata": {"name": "j", "finalizers": stated}});
        let points = Points { phases: vec![SyncPhase::Sync], ..Points::default() };
        let found = instances(&[Template { object: Arc::new(object), points }], naming);
        assert_eq!(found[0].object["metadata"]["finalizers"], expect);
    }
}
