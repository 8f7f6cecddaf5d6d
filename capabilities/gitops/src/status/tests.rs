//! Status as it is written, and the smallest patch.

use serde_json::{Value, json};

use super::{Report, build, patch};
use crate::compare::Sync;
use crate::health::{Health, State};
use crate::types::{Application, Condition, OperationState, SyncResult};

const NOW: &str = "2026-01-01T00:00:00Z";

fn spec() -> Value {
    json!({
        "project": "default",
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "web"},
        "source": {"repoURL": "https://git/r", "path": "."},
        "revisionHistoryLimit": 2,
    })
}

fn report<'a>(app: &'a Application, spec: &'a Value, status: &'a Value) -> Report<'a> {
    Report {
        app,
        spec,
        status,
        sync: Some(Sync::Synced),
        revisions: &[],
        health: Health::of(State::Healthy),
        resources: Some(&[]),
        conditions: Vec::new(),
        operation_state: None,
        is_deployed: false,
        source_types: vec!["Directory".into()],
        controller_namespace: "argocd",
        resource_health: true,
        now: NOW.parse().expect("a time"),
    }
}

fn app(spec: &Value, status: &Value) -> Application {
    serde_json::from_value(json!({"spec": spec, "status": status})).expect("an application")
}

#[test]
fn the_shape_is_argo_cds() {
    let (spec, stored) = (spec(), json!({}));
    let app = app(&spec, &stored);
    let revisions = ["c0ffee".to_owned()];
    let found = build(&Report {
        revisions: &revisions,
        conditions: vec![Condition::new("SyncError", "why")],
        ..report(&app, &spec, &stored)
    });
    let expect = json!({
        "sync": {
            "status": "Synced",
            "revision": "c0ffee",
            "comparedTo": {"source": spec["source"], "destination": spec["destination"]},
        },
        "health": {"status": "Healthy", "lastTransitionTime": NOW},
        "summary": {},
        "conditions": [{"type": "SyncError", "message": "why", "lastTransitionTime": NOW}],
        "sourceType": "Directory",
        "controllerNamespace": "argocd",
        "reconciledAt": NOW,
    });
    assert_eq!(found, expect);
}

#[test]
fn times_stay_while_nothing_changes() {
    let spec = spec();
    let earlier = "2025-01-01T00:00:00Z";
    let stored = json!({
        "health": {"status": "Healthy", "lastTransitionTime": earlier},
        "conditions": [{"type": "SyncError", "message": "why", "lastTransitionTime": earlier}],
    });
    let app = app(&spec, &stored);
    let same = build(&Report { conditions: vec![Condition::new("SyncError", "why")], ..report(&app, &spec, &stored) });
    assert_eq!(same["health"]["lastTransitionTime"], earlier);
    assert_eq!(same["conditions"][0]["lastTransitionTime"], earlier);
    let worse = build(&Report { health: Health::of(State::Degraded), ..report(&app, &spec, &stored) });
    assert_eq!(worse["health"]["lastTransitionTime"], NOW);
    assert_eq!(worse.get("conditions"), None);
}

#[test]
fn history_grows_to_its_limit() {
    let spec = spec();
    let stored = json!({"history": [{"id": 3, "revision": "a"}, {"id": 4, "revision": "b"}]});
    let app = app(&spec, &stored);
    let state = OperationState {
        started_at: NOW.into(),
        finished_at: Some(NOW.into()),
        sync_result: Some(SyncResult { revision: "c".into(), source: spec["source"].clone(), ..SyncResult::default() }),
        ..OperationState::default()
    };
    let found = build(&Report { operation_state: Some(&state), is_deployed: true, ..report(&app, &spec, &stored) });
    let entries: Vec<(i64, &str)> = found["history"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["id"].as_i64().unwrap_or(-1), entry["revision"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(entries, [(4, "b"), (5, "c")]);
    assert_eq!(found["history"][1]["source"], spec["source"]);
}

#[test]
fn only_what_is_new_is_written() {
    let spec = spec();
    let app_before = app(&spec, &json!({}));
    let first = build(&report(&app_before, &spec, &json!({})));
    let app_after = app(&spec, &first);
    let later = Report { now: "2026-01-01T00:05:00Z".parse().expect("a time"), ..report(&app_after, &spec, &first) };
    let second = build(&later);
    assert_ne!(first, second, "it was looked at again");
    assert_eq!(patch(&first, &second, None, None), None);

    let worse = build(&Report { health: Health::of(State::Degraded), ..later });
    let expect = json!({"status": {
        "health": {"status": "Degraded", "lastTransitionTime": "2026-01-01T00:05:00Z"},
        "reconciledAt": "2026-01-01T00:05:00Z",
    }});
    assert_eq!(patch(&first, &worse, None, None), Some(expect));
    let done = patch(&first, &second, Some(&json!({"sync": {}})), None).expect("the operation is over");
    assert_eq!(done["operation"], Value::Null);
    assert_eq!(done["status"], json!({"reconciledAt": "2026-01-01T00:05:00Z"}));
}
