//! What a job reports, and that it counts every pod once however often it is
//! interrupted.

use std::collections::HashSet;
use std::sync::Arc;

use client::Item;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::decide::Verdict;
use super::super::samples::{job, now, pod};
use super::super::tally::Tally;
use super::{Found, Report, first, second};
use crate::views::{JobStatus, Pod};

const NOW: &str = "2026-01-01T01:00:00Z";

fn reported(spec: &Value, status: &Value, pods: &[Arc<Item<Pod>>], verdict: Option<&Verdict>) -> Report {
    let job = job(spec, status);
    let tally = Tally::of(&job, pods);
    let found = Found { job: &job, is_deleting: false, pods, tally: &tally, verdict };
    first(&found, pods, now())
}

fn names(pods: &[Arc<Item<Pod>>]) -> Vec<&str> {
    pods.iter().map(|pod| pod.object.meta.name.as_str()).collect()
}

fn verdict(is_success: bool) -> Verdict {
    Verdict { is_success, reason: "Reason".into(), message: "why".into() }
}

#[test]
fn pods_are_named_before_they_are_let_go_and_counted_after() {
    let pods = [
        pod("good", "Succeeded tracked"),
        pod("bad", "Failed tracked"),
        pod("runs", "Running ready tracked"),
        pod("going", "Running tracked going"),
        pod("old", "Failed"),
    ];
    let mut report = reported(&json!({ "completions": 5 }), &json!({ "failed": 1 }), &pods, None);
    assert_eq!(names(&report.free), ["good", "bad", "going"]);
    let mut expect = json!({
        "startTime": NOW, "active": 1, "ready": 1, "terminating": 1, "failed": 1,
        "uncountedTerminatedPods": { "succeeded": ["good"], "failed": ["bad", "going"] },
    });
    assert_eq!(json!(report.status), expect);

    // One of them could not be let go.
    assert!(!second(&mut report.status, &HashSet::from(["bad", "runs"]), None, now()));
    expect["succeeded"] = json!(1);
    expect["failed"] = json!(2);
    expect["uncountedTerminatedPods"] = json!({ "failed": ["bad"] });
    assert_eq!(json!(report.status), expect);
    assert!(!second(&mut report.status, &HashSet::new(), None, now()));
    assert_eq!(report.status.failed, 3);
}

#[test]
fn a_job_ends_when_all_is_counted_and_nothing_terminates() {
    let condition = |kind: &str| {
        json!({
            "type": kind, "status": "True", "reason": "Reason", "message": "why",
            "lastProbeTime": NOW, "lastTransitionTime": NOW,
        })
    };
    for (is_success, interim, end, failed) in
        [(true, "SuccessCriteriaMet", "Complete", 0), (false, "FailureTarget", "Failed", 1)]
    {
        let verdict = verdict(is_success);
        let pods = [pod("runs", "Running tracked")];
        let mut report = reported(&json!({ "completions": 5 }), &json!({}), &pods, Some(&verdict));
        // Pods that a failure stops are failures; those that a success stops are nothing.
        assert_eq!(report.status.uncounted_terminated_pods.as_ref().unwrap().failed.len(), failed);
        assert_eq!(names(&report.free), ["runs"]);
        assert_eq!(json!(report.status)["conditions"], json!([condition(interim)]));

        report.status.terminating = Some(1);
        assert!(!second(&mut report.status, &HashSet::new(), Some(&verdict), now()));
        report.status.terminating = Some(0);
        assert!(second(&mut report.status, &HashSet::new(), Some(&verdict), now()));
        assert_eq!(json!(report.status)["conditions"], json!([condition(interim), condition(end)]));
        assert_eq!(report.status.failed, failed);
        assert_eq!(report.status.completion_time, is_success.then(now));
    }
}

#[test]
fn indexes_are_counted_by_themselves() {
    let spec = json!({ "completions": 4, "completionMode": "Indexed", "backoffLimitPerIndex": 0 });
    let pods = [
        pod("two", "Succeeded tracked #2"),
        pod("again", "Succeeded tracked #2"),
        pod("bad", "Failed tracked #1 f0"),
        pod("beyond", "Failed tracked #9 f0"),
        pod("none", "Succeeded tracked"),
    ];
    let report = reported(&spec, &json!({ "completedIndexes": "0", "succeeded": 1 }), &pods, None);
    assert_eq!(report.status.succeeded, 2);
    assert_eq!(report.status.completed_indexes, "0,2");
    assert_eq!(report.status.failed_indexes.as_deref(), Some("1"));
    assert_eq!(report.status.uncounted_terminated_pods.unwrap().failed, ["bad"]);
    assert_eq!(report.free.len(), 5);
    // A failure that its successor has to know of is kept.
    let spec = json!({ "completions": 4, "completionMode": "Indexed", "backoffLimitPerIndex": 1 });
    let pods = [pod("first", "Failed tracked #1 f0"), pod("other", "Failed tracked #2 f0"), pod("next", "Running #2")];
    assert_eq!(names(&reported(&spec, &json!({}), &pods, None).free), ["other"]);
}

#[test]
fn a_status_names_so_many_pods_at_most() {
    let pods: Vec<_> = (0..700).map(|number| pod(&format!("p{number}"), "Succeeded tracked")).collect();
    let report = reported(&json!({ "completions": 700 }), &json!({}), &pods, None);
    assert!(report.is_cut);
    assert_eq!(report.free.len(), 500);
    assert_eq!(report.status.uncounted_terminated_pods.unwrap().succeeded.len(), 500);
    let pods: Vec<_> =
        (0..700).map(|number| pod(&format!("p{number}"), &format!("Succeeded tracked #{number}"))).collect();
    let report = reported(&json!({ "completions": 700, "completionMode": "Indexed" }), &json!({}), &pods, None);
    assert!(report.is_cut);
    assert_eq!([report.free.len(), report.status.succeeded], [500, 700]);
}

#[test]
fn a_job_is_suspended_and_resumed() {
    let report = reported(&json!({ "suspend": true }), &json!({}), &[], None);
    assert_eq!(report.happened, Some(("Suspended", "Job suspended")));
    let held = json!(report.status);
    assert_eq!(held["conditions"][0]["type"], "Suspended");
    assert_eq!(held["startTime"], Value::Null);
    assert_eq!(reported(&json!({ "suspend": true }), &held, &[], None).happened, None);
    let report = reported(&json!({ "suspend": false }), &held, &[], None);
    assert_eq!(report.happened, Some(("Resumed", "Job resumed")));
    let held = json!(report.status);
    let condition = &held["conditions"][0];
    assert_eq!([&condition["status"], &condition["reason"]], [&json!("False"), &json!("JobResumed")]);
    assert_eq!(held["startTime"], NOW);
    // A job that was never suspended says nothing of it.
    assert_eq!(reported(&json!({}), &json!({}), &[], None).status.conditions, []);
}

/// Where the controller dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    BeforeNaming,
    WhileFreeing(usize),
    BeforeCounting,
    Never,
}

fn deaths() -> impl Strategy<Value = Vec<Death>> {
    let death = prop_oneof![
        Just(Death::BeforeNaming),
        (0..10usize).prop_map(Death::WhileFreeing),
        Just(Death::BeforeCounting),
        Just(Death::Never),
    ];
    proptest::collection::vec(death, 0..12)
}

proptest! {
    #[test]
    fn every_pod_is_counted_once(deaths in deaths(), outcomes in proptest::collection::vec(any::<bool>(), 0..20), vanish in any::<u32>()) {
        let spec = json!({ "completions": 100, "backoffLimit": 100 });
        let mut tracked: Vec<bool> = outcomes.iter().map(|_| true).collect();
        let mut status = json!({});
        for death in deaths.into_iter().chain([Death::Never, Death::Never]) {
            // Some pods are gone as soon as nothing holds them.
            let there = |number: usize| tracked[number] || vanish & (1 << number) == 0;
            let pods: Vec<_> = (0..outcomes.len()).filter(|number| there(*number)).map(|number| {
                let phase = if outcomes[number] { "Succeeded" } else { "Failed" };
                pod(&format!("{number}"), &format!("{phase} {}", if tracked[number] { "tracked" } else { "" }))
            }).collect();
            let report = reported(&spec, &status, &pods, None);
            if matches!(death, Death::BeforeNaming) {
                continue;
            }
            let mut named: JobStatus = report.status;
            status = json!(named);
            let most = if let Death::WhileFreeing(most) = death { most } else { usize::MAX };
            for freed in report.free.iter().take(most) {
                tracked[freed.object.meta.name.parse::<usize>().unwrap()] = false;
            }
            if !matches!(death, Death::Never) {
                continue;
            }
            let left: Vec<String> = (0..tracked.len()).filter(|number| tracked[*number]).map(|number| number.to_string()).collect();
            second(&mut named, &left.iter().map(String::as_str).collect(), None, now());
            status = json!(named);
        }
        let succeeded = outcomes.iter().filter(|outcome| **outcome).count();
        let counts = [&status["succeeded"], &status["failed"]].map(|count| count.as_u64().unwrap_or(0) as usize);
        prop_assert_eq!(counts, [succeeded, outcomes.len() - succeeded]);
        prop_assert_eq!(&status["uncountedTerminatedPods"], &json!({}));
    }
}
