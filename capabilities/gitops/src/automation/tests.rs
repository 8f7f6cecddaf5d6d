//! Decisions, as cases.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Decision, Situation, decide, parse_go_duration, retry_after};
use crate::compare::{Part, Resource, Sync};
use crate::options::SyncOptions;
use crate::resource::Key;
use crate::tracking::Owner;
use crate::types::{Application, Backoff, Retry};

const NOW: &str = "2026-01-01T01:00:00Z";

fn resource(sync: Sync, requires_pruning: bool) -> Resource {
    let key = Key::new("", "ConfigMap", "n", if requires_pruning { "extra" } else { "wanted" });
    Resource {
        gvk: api::Gvk::new("", "v1", "ConfigMap"),
        desired: (!requires_pruning).then(|| Arc::new(json!({}))),
        live: None,
        sync,
        part: Part::Plain,
        requires_pruning,
        is_tolerated: false,
        is_leaving: false,
        shared_with: None,
        health: None,
        ignores_health: false,
        options: SyncOptions::default(),
        wave: 0,
        key,
    }
}

/// The decision in one line.
fn told(automated: Value, state: Value, resources: &[Resource]) -> String {
    let source = json!({"repoURL": "r", "path": "p"});
    let app: Application = serde_json::from_value(json!({
        "metadata": {"name": "a"},
        "spec": {"source": source, "syncPolicy": {"automated": automated, "syncOptions": ["A=b"]}},
        "status": {"operationState": state},
    }))
    .expect("an application");
    let revisions = ["r1".to_owned()];
    let situation = Situation {
        app: &app,
        sources: &source,
        revisions: &revisions,
        resources,
        sync: crate::compare::overall(resources),
        now: NOW.parse::<Timestamp>().expect("a time"),
    };
    match decide(&situation) {
        Decision::Rest => "rest".into(),
        Decision::Wait(pause) => format!("wait {}s", pause.as_secs()),
        Decision::Refuse(condition) => format!("refuse: {}: {}", condition.kind, condition.message),
        Decision::Start(operation) => {
            let sync = operation.sync.unwrap_or_default();
            assert!(operation.initiated_by.automated);
            let names: Vec<&str> = sync.resources.iter().map(|one| one.name.as_str()).collect();
            format!(
                "start {} prune={} only={names:?} heal={}",
                sync.revision, sync.prune, sync.self_heal_attempts_count
            )
        }
    }
}

fn last(phase: &str, revision: &str, finished: &str, heals: u32) -> Value {
    json!({
        "phase": phase, "message": "why", "startedAt": finished, "finishedAt": finished,
        "operation": {"sync": {"selfHealAttemptsCount": heals}},
        "syncResult": {"revision": revision, "source": {"repoURL": "r", "path": "p"}},
    })
}

#[test]
fn automated_syncs() {
    let differs = || vec![resource(Sync::OutOfSync, false)];
    let extra = || vec![resource(Sync::OutOfSync, true)];
    let long_ago = "2026-01-01T00:00:00Z";
    let just_now = "2026-01-01T00:59:59Z";
    let heal = json!({"selfHeal": true});
    let cases: Vec<(Value, Value, Vec<Resource>, &str)> = vec![
        (Value::Null, Value::Null, differs(), "rest"),
        (json!({"enabled": false}), Value::Null, differs(), "rest"),
        (json!({}), Value::Null, vec![resource(Sync::Synced, false)], "rest"),
        (json!({}), Value::Null, differs(), "start r1 prune=false only=[] heal=0"),
        (json!({}), Value::Null, extra(), "rest"),
        (json!({"prune": true}), Value::Null, differs(), "start r1 prune=true only=[] heal=0"),
        (
            json!({"prune": true}),
            Value::Null,
            extra(),
            "refuse: SyncError: Skipping sync attempt to r1: auto-sync will wipe out all resources",
        ),
        (json!({"prune": true, "allowEmpty": true}), Value::Null, extra(), "start r1 prune=true only=[] heal=0"),
        (json!({}), last("Succeeded", "r1", long_ago, 0), differs(), "rest"),
        (json!({}), last("Succeeded", "r0", long_ago, 0), differs(), "start r1 prune=false only=[] heal=0"),
        (
            json!({}),
            last("Failed", "r1", long_ago, 0),
            differs(),
            "refuse: SyncError: Failed last sync attempt to r1: why",
        ),
        (
            heal.clone(),
            last("Failed", "r1", long_ago, 0),
            differs(),
            "refuse: SyncError: Failed last sync attempt to r1: why",
        ),
        (
            heal.clone(),
            last("Succeeded", "r1", just_now, 0),
            differs(),
            "start r1 prune=false only=[\"wanted\"] heal=1",
        ),
        (
            heal.clone(),
            last("Succeeded", "r1", just_now, 4),
            differs(),
            "start r1 prune=false only=[\"wanted\"] heal=5",
        ),
        (heal.clone(), last("Succeeded", "r1", just_now, 5), differs(), "wait 1s"),
        (heal.clone(), last("Succeeded", "r1", just_now, 7), differs(), "wait 17s"),
        (heal.clone(), last("Succeeded", "r1", just_now, 99), differs(), "wait 299s"),
        (
            heal.clone(),
            last("Succeeded", "r1", "2026-01-01T00:55:00Z", 99),
            differs(),
            "start r1 prune=false only=[\"wanted\"] heal=100",
        ),
        (
            heal.clone(),
            last("Succeeded", "r1", "2026-01-01T00:59:45Z", 5),
            differs(),
            "start r1 prune=false only=[\"wanted\"] heal=1",
        ),
        (heal, last("Succeeded", "r1", long_ago, 99), differs(), "start r1 prune=false only=[\"wanted\"] heal=1"),
    ];
    for (automated, state, resources, expect) in cases {
        assert_eq!(told(automated.clone(), state.clone(), &resources), expect, "{automated} {state}");
    }
}

#[test]
fn what_another_application_took_is_not_taken_back() {
    let mut taken = resource(Sync::OutOfSync, false);
    taken.shared_with = Some(Owner { cluster: api::ClusterName::root(), instance: "other".into() });
    let state = last("Succeeded", "r1", "2026-01-01T00:00:00Z", 0);
    assert_eq!(told(json!({"selfHeal": true}), state, &[taken]), "rest");
}

#[test]
fn what_is_on_its_way_out_is_waited_for() {
    let leaving = Resource { is_leaving: true, ..resource(Sync::OutOfSync, false) };
    let policy = json!({"prune": true, "selfHeal": true});
    let state = last("Succeeded", "r1", "2026-01-01T00:00:00Z", 0);
    assert_eq!(told(policy.clone(), Value::Null, std::slice::from_ref(&leaving)), "rest");
    assert_eq!(told(policy.clone(), state.clone(), std::slice::from_ref(&leaving)), "rest");
    let mut other = resource(Sync::OutOfSync, false);
    other.key.name = "other".into();
    assert_eq!(told(policy, state, &[leaving, other]), "start r1 prune=true only=[\"other\"] heal=1");
}

#[test]
fn retries_wait_longer_each_time() {
    let policy = |limit, backoff| Retry { limit, backoff, ..Retry::default() };
    let backoff = |duration: &str, factor, max: &str| {
        Some(Backoff { duration: duration.into(), factor, max_duration: max.into() })
    };
    let cases: &[(Retry, i64, Option<u64>)] = &[
        (policy(0, None), 0, None),
        (policy(2, None), 0, Some(5)),
        (policy(2, None), 1, Some(10)),
        (policy(2, None), 2, None),
        (policy(-1, None), 20, Some(180)),
        (policy(3, backoff("10s", Some(3), "1m")), 1, Some(30)),
        (policy(3, backoff("10s", Some(3), "1m")), 2, Some(60)),
        (policy(3, backoff("7", None, "")), 0, Some(7)),
    ];
    for (policy, retry, expect) in cases {
        assert_eq!(retry_after(policy, *retry), expect.map(Duration::from_secs), "{policy:?} {retry}");
    }
}

#[test]
fn go_durations() {
    for (text, expect) in [
        ("5s", Some(5.0)),
        ("1m30s", Some(90.0)),
        ("2h", Some(7200.0)),
        ("500ms", Some(0.5)),
        ("3", Some(3.0)),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(parse_go_duration(text), expect, "{text}");
    }
}
