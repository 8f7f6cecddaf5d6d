//! Judgements and sentences of a sync, as cases.

use api::Gvk;

use super::{Awaited, Stage, because, hook, object, waiting};
use crate::health::{Health, State};
use crate::hooks::{Policies, SyncPhase};
use crate::options::SyncOptions;
use crate::resource::Key;
use crate::task::{Action, Task};
use crate::types::ResourceResult;

fn task(kind: &str, name: &str, is_hook: bool) -> Task {
    let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
    Task {
        key: Key::new(group, kind, "n", name),
        gvk: Gvk::new(group, "v1", kind),
        phase: SyncPhase::Sync,
        hook: is_hook.then(Policies::default),
        action: Action::Apply,
        desired: None,
        live: None,
        options: SyncOptions::default(),
        is_change: true,
        is_leaving: false,
    }
}

#[test]
fn a_hook_ends_as_its_health_says() {
    for (state, expect) in [
        (State::Healthy, Stage::Succeeded),
        (State::Degraded, Stage::Failed),
        (State::Unknown, Stage::Failed),
        (State::Progressing, Stage::Running),
        (State::Suspended, Stage::Running),
    ] {
        let found = hook("job", Some(&Health::new(state, "told")));
        assert_eq!(found, (expect, "told".to_owned()), "{state}");
    }
    assert_eq!(hook("job", None), (Stage::Succeeded, "job created".to_owned()));
}

#[test]
fn an_object_is_waited_for_until_it_is_well_or_broken() {
    for (state, expect) in [
        (State::Healthy, Some(Stage::Succeeded)),
        (State::Degraded, Some(Stage::Failed)),
        (State::Progressing, None),
        (State::Suspended, None),
        (State::Unknown, None),
        (State::Missing, None),
    ] {
        let found = object(Some(&Health::new(state, "told")));
        assert_eq!(found, expect.map(|stage| (stage, "told".to_owned())), "{state}");
    }
    assert_eq!(object(None), Some((Stage::Succeeded, String::new())));
}

#[test]
fn what_is_waited_for_is_said_as_argo_cd_says_it() {
    let (job, other) = (task("batch/Job", "migrate", true), task("Pod", "seed", true));
    let (first, second) = (task("apps/Deployment", "web", false), task("ConfigMap", "map", false));
    for (tasks, awaited, expect) in [
        (vec![], Awaited::Completion, ""),
        (vec![&job], Awaited::Completion, "waiting for completion of hook batch/Job/migrate"),
        (vec![&job, &other], Awaited::Completion, "waiting for completion of hook batch/Job/migrate and 1 more hooks"),
        (vec![&other], Awaited::Completion, "waiting for completion of hook /Pod/seed"),
        (vec![&first], Awaited::Completion, "waiting for healthy state of apps/Deployment/web"),
        (
            vec![&first, &second, &second],
            Awaited::Completion,
            "waiting for healthy state of apps/Deployment/web and 2 more resources",
        ),
        (
            vec![&first, &job],
            Awaited::Completion,
            "waiting for completion of hook batch/Job/migrate and 1 more resources",
        ),
        (vec![&job], Awaited::Deletion, "waiting for deletion of hook batch/Job/migrate"),
        (vec![&second], Awaited::Deletion, "waiting for deletion of /ConfigMap/map"),
    ] {
        assert_eq!(waiting(&tasks, awaited), expect);
    }
}

#[test]
fn every_reason_is_told_once() {
    for (reasons, expect) in [
        (vec![], "it failed"),
        (vec!["no"], "it failed, reason: no"),
        (vec!["no", "never", "no"], "it failed, reason: no,never"),
    ] {
        assert_eq!(because("it failed", reasons.into_iter()), expect);
    }
}

#[test]
fn stages_are_read_as_they_are_written() {
    for stage in [Stage::Pending, Stage::Running, Stage::Succeeded, Stage::Failed, Stage::Error] {
        let result = ResourceResult { hook_phase: stage.word().into(), ..ResourceResult::default() };
        assert_eq!(Stage::of(Some(&result)), stage);
        assert_eq!(stage.is_completed(), !matches!(stage, Stage::Pending | Stage::Running));
    }
    assert_eq!(Stage::of(None), Stage::Pending);
}
