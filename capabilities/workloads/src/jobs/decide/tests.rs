//! Tables of how jobs end and of which pods they lack.

use std::sync::Arc;

use client::Item;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::backoff::Failures;
use super::super::samples::{at, job, now, pod};
use super::super::tally::Tally;
use super::{Act, completion, plan, start_time, time_left, verdict};
use crate::views::{Job, Pod};

fn pods(words: &[&str]) -> Vec<Arc<Item<Pod>>> {
    words.iter().enumerate().map(|(number, words)| pod(&format!("p{number}"), words)).collect()
}

/// The verdict on a job with these pods, as its reason.
fn judged(job: &Job, words: &[&str]) -> String {
    let pods = pods(words);
    let tally = Tally::of(job, &pods);
    verdict(job, &tally, &pods, now()).map_or_else(String::new, |verdict| verdict.reason)
}

/// What is planned, in words: `+2`, `+#0,#3`, `-p1`, `wait 10`.
fn planned(job: &Job, words: &[&str]) -> String {
    let pods = pods(words);
    let tally = Tally::of(job, &pods);
    let failures = Failures::default().then(&tally.new_succeeded, &tally.new_failed);
    let plan = plan(job, &tally, &pods, false, failures, now());
    let names = |pods: &[Arc<Item<Pod>>]| pods.iter().map(|pod| format!("-{}", pod.object.meta.name)).collect();
    let done = match plan.act {
        Act::Nothing => String::new(),
        Act::Create(new) if new[0].index.is_none() => format!("+{}", new.len()),
        Act::Create(new) => {
            let index = |pod: &super::NewPod| match pod.failures {
                Some((counted, ignored)) => format!("#{}({counted},{ignored})", pod.index.unwrap()),
                None => format!("#{}", pod.index.unwrap()),
            };
            format!("+{}", new.iter().map(index).collect::<Vec<_>>().join(","))
        }
        Act::Discard(pods) | Act::End(pods) => names(&pods),
    };
    match plan.wait {
        Some(wait) => format!("{done}wait {}", wait.as_secs()),
        None => done,
    }
}

fn indexed(spec: Value) -> Value {
    let mut spec = spec;
    spec["completionMode"] = json!("Indexed");
    spec
}

#[test]
fn a_job_has_as_many_pods_as_it_may_and_needs() {
    let check = |spec: Value, status: Value, words: &[&str], expect: &str| {
        assert_eq!(planned(&job(&spec, &status), words), expect, "{spec} {status} {words:?}");
    };
    check(json!({ "completions": 5 }), json!({}), &[], "+2");
    check(json!({ "completions": 1 }), json!({}), &[], "+1");
    check(json!({ "completions": 5 }), json!({ "succeeded": 4 }), &[], "+1");
    check(json!({ "completions": 5 }), json!({ "succeeded": 5 }), &[], "");
    check(json!({ "completions": 5 }), json!({}), &["Running tracked"], "+1");
    check(json!({ "completions": 5 }), json!({}), &["Succeeded tracked", "Running tracked"], "+1");
    // What is counted, and what is named to be counted, is counted once.
    check(json!({ "completions": 2 }), json!({ "succeeded": 1 }), &["Succeeded"], "+1");
    let named = json!({ "uncountedTerminatedPods": { "succeeded": ["p0"] } });
    check(json!({ "completions": 2 }), named, &["Succeeded tracked"], "+1");
    check(json!({ "completions": 5, "parallelism": 0 }), json!({}), &["Running", "Running"], "-p0-p1");
    check(json!({ "completions": 5, "parallelism": 1 }), json!({}), &["Running ready", "Running"], "-p1");
    check(json!({ "completions": 5, "parallelism": 1 }), json!({}), &["Running node", "Running"], "-p1");
    check(json!({ "completions": 5, "parallelism": 1 }), json!({}), &["Running", "node"], "-p0");
    check(json!({ "completions": 9000, "parallelism": 9000 }), json!({}), &[], "+500");
    // Without a number of completions, all run on after the first success.
    check(json!({}), json!({}), &[], "+2");
    check(json!({}), json!({ "succeeded": 1 }), &["Running"], "");
    check(json!({ "suspend": true, "completions": 5 }), json!({}), &["Running", "Pending"], "-p0-p1");
}

#[test]
fn a_failure_delays_what_is_made_next() {
    let check = |spec: Value, words: &[&str], expect: &str| {
        assert_eq!(planned(&job(&spec, &json!({})), words), expect, "{spec} {words:?}");
    };
    let one = json!({ "completions": 1 });
    check(one.clone(), &["Failed tracked exit1 ended=00:59:57"], "wait 7");
    check(one.clone(), &["Failed tracked exit1 ended=00:59:50"], "+1");
    check(one.clone(), &["Failed tracked ended=00:59:41", "Failed tracked ended=00:59:45"], "wait 5");
    check(one.clone(), &["Pending tracked going ended=00:59:55"], "wait 5");
    let careful = json!({ "completions": 1, "podReplacementPolicy": "Failed" });
    check(careful.clone(), &["Running tracked going ended=00:00:00"], "");
    check(careful, &["Failed tracked going ended=00:00:00"], "+1");
}

#[test]
fn an_indexed_job_makes_the_first_indexes_that_are_free() {
    let check = |spec: Value, status: Value, words: &[&str], expect: &str| {
        assert_eq!(planned(&job(&indexed(spec.clone()), &status), words), expect, "{spec} {status} {words:?}");
    };
    let five = || json!({ "completions": 5, "parallelism": 3 });
    check(five(), json!({}), &[], "+#0,#1,#2");
    check(five(), json!({ "completedIndexes": "0,2" }), &["Running #3"], "+#1,#4");
    check(five(), json!({}), &["Succeeded tracked #0", "Running #1"], "+#2,#3");
    // Pods without an index, with one beyond the end, and doubles go; the better double stays.
    check(five(), json!({}), &["Running", "Running #7", "Running #1", "Running ready #1"], "-p2-p1-p0");
    // A job that shrank forgets what is beyond its end.
    check(json!({ "completions": 2 }), json!({ "completedIndexes": "0,3,4" }), &[], "+#1");
    let careful = json!({ "completions": 2, "podReplacementPolicy": "Failed" });
    check(careful, json!({}), &["Running going tracked #0"], "+#1");
}

#[test]
fn each_index_has_failures_of_its_own() {
    let spec = || indexed(json!({ "completions": 4, "parallelism": 4, "backoffLimitPerIndex": 2 }));
    let check = |words: &[&str], expect: &str| {
        assert_eq!(planned(&job(&spec(), &json!({})), words), expect, "{words:?}");
    };
    check(&[], "+#0(0,0),#1(0,0),#2(0,0),#3(0,0)");
    check(&["Failed tracked #0 f0 ended=00:59:55"], "+#1(0,0),#2(0,0),#3(0,0)wait 5");
    check(&["Failed tracked #0 f0 ended=00:59:45", "Running #1", "Running #2", "Running #3"], "+#0(1,0)");
    let others = ["Running #1", "Running #2", "Running #3"];
    check(&[&["Failed tracked #0 f1 ended=00:59:45"][..], &others].concat(), "wait 5");
    // Of several, the last tells.
    let two = ["Failed tracked #0 f0 ended=00:40:00", "Failed tracked #0 f1 ended=00:50:00"];
    check(&[&two[..], &others].concat(), "+#0(2,0)");
    // An index that failed for good is not made again.
    check(&[&["Failed tracked #0 f2 ended=00:00:00"][..], &others].concat(), "");

    let ignoring = json!({ "rules": [{ "action": "Ignore", "onExitCodes": { "operator": "In", "values": [3] } }] });
    let mut spec = spec();
    spec["podFailurePolicy"] = ignoring;
    let job = job(&spec, &json!({}));
    let words = [&["Failed tracked #0 f1 i1 exit3 ended=00:00:00"][..], &others].concat();
    assert_eq!(planned(&job, &words), "+#0(1,2)");
}

#[test]
fn a_job_fails_for_these_reasons() {
    let check = |spec: Value, status: Value, words: &[&str], expect: &str| {
        assert_eq!(judged(&job(&spec, &status), words), expect, "{spec} {status} {words:?}");
    };
    let failed = "Failed tracked exit1";
    check(json!({ "backoffLimit": 1 }), json!({}), &[failed], "");
    check(json!({ "backoffLimit": 1 }), json!({}), &[failed, failed], "BackoffLimitExceeded");
    check(json!({ "backoffLimit": 1 }), json!({ "failed": 1 }), &[failed], "BackoffLimitExceeded");
    check(json!({ "backoffLimit": 1 }), json!({ "failed": 1 }), &["Failed exit1"], "");
    check(json!({ "backoffLimit": 0 }), json!({}), &["Running going tracked"], "BackoffLimitExceeded");
    let careful = json!({ "backoffLimit": 0, "podReplacementPolicy": "Failed" });
    check(careful, json!({}), &["Running going tracked"], "");
    let in_place =
        |limit: i64| json!({ "backoffLimit": limit, "template": { "spec": { "restartPolicy": "OnFailure" } } });
    check(in_place(3), json!({}), &["Running restarts2"], "");
    check(in_place(3), json!({}), &["Running restarts2", "Running restarts1"], "BackoffLimitExceeded");
    check(in_place(0), json!({}), &["Running"], "");
    check(in_place(0), json!({}), &["Running restarts1"], "BackoffLimitExceeded");
    check(json!({ "backoffLimit": 3 }), json!({}), &["Running restarts9"], "");

    let ignore = json!({ "rules": [{ "action": "Ignore", "onExitCodes": { "operator": "In", "values": [1] } }] });
    check(json!({ "backoffLimit": 0, "podFailurePolicy": ignore }), json!({}), &[failed], "");
    let fatal = json!({ "rules": [{ "action": "FailJob", "onExitCodes": { "operator": "In", "values": [1] } }] });
    check(json!({ "backoffLimit": 9, "podFailurePolicy": fatal }), json!({}), &[failed], "PodFailurePolicy");

    let started = |time: &str| json!({ "startTime": at(time).to_string() });
    check(json!({ "activeDeadlineSeconds": 60 }), started("00:59:00"), &[], "DeadlineExceeded");
    check(json!({ "activeDeadlineSeconds": 60 }), started("00:59:01"), &[], "");
    check(json!({ "activeDeadlineSeconds": 60, "suspend": true }), started("00:00:00"), &[], "");
}

#[test]
fn indexes_fail_a_job_and_let_it_succeed() {
    let check = |spec: Value, status: Value, words: &[&str], expect: &str| {
        assert_eq!(judged(&job(&indexed(spec.clone()), &status), words), expect, "{spec} {status} {words:?}");
    };
    let spec = || json!({ "completions": 3, "backoffLimitPerIndex": 1, "backoffLimit": 2_147_483_647 });
    check(spec(), json!({}), &["Failed tracked #0 f0"], "");
    check(spec(), json!({}), &["Failed tracked #0 f1"], "");
    check(spec(), json!({ "completedIndexes": "1,2" }), &["Failed tracked #0 f1"], "FailedIndexes");
    check(spec(), json!({ "completedIndexes": "1", "failedIndexes": "2" }), &["Succeeded tracked #0"], "FailedIndexes");
    check(spec(), json!({ "completedIndexes": "0-2" }), &[], "");
    let mut most = spec();
    most["maxFailedIndexes"] = json!(1);
    check(most.clone(), json!({ "failedIndexes": "0" }), &[], "");
    check(most, json!({ "failedIndexes": "0" }), &["Failed tracked #1 f1"], "MaxFailedIndexesExceeded");
    let at_once = json!({ "rules": [{ "action": "FailIndex", "onExitCodes": { "operator": "In", "values": [9] } }] });
    let mut strict = spec();
    strict["podFailurePolicy"] = at_once;
    check(strict, json!({ "completedIndexes": "0,1" }), &["Failed tracked #2 f0 exit9"], "FailedIndexes");
    let enough = json!({ "completions": 3, "successPolicy": { "rules": [{ "succeededIndexes": "1" }] } });
    check(enough.clone(), json!({}), &["Succeeded tracked #0"], "");
    check(enough, json!({}), &["Succeeded tracked #1"], "SuccessPolicy");
}

#[test]
fn a_verdict_stands() {
    let condition = |kind: &str, reason: &str| json!({ "conditions": [{ "type": kind, "status": "True", "reason": reason, "message": "why" }] });
    let held = job(&json!({ "backoffLimit": 0 }), &condition("SuccessCriteriaMet", "SuccessPolicy"));
    assert_eq!(judged(&held, &["Failed tracked"]), "SuccessPolicy");
    let held = job(&json!({}), &condition("FailureTarget", "DeadlineExceeded"));
    assert_eq!(judged(&held, &[]), "DeadlineExceeded");
}

#[test]
fn a_job_is_complete_when_enough_succeeded_and_none_runs() {
    let check = |spec: Value, status: Value, words: &[&str], active: usize, expect: bool| {
        let (job, pods) = (job(&spec, &status), pods(words));
        assert_eq!(completion(&job, &Tally::of(&job, &pods), active).is_some(), expect, "{spec} {status} {words:?}");
    };
    check(json!({ "completions": 0 }), json!({}), &[], 0, true);
    check(json!({ "completions": 2 }), json!({ "succeeded": 1 }), &[], 0, false);
    check(json!({ "completions": 2 }), json!({ "succeeded": 1 }), &["Succeeded tracked"], 0, true);
    check(json!({ "completions": 2 }), json!({ "succeeded": 2 }), &[], 1, false);
    check(json!({}), json!({}), &[], 0, false);
    check(json!({}), json!({}), &["Succeeded tracked"], 1, false);
    check(json!({}), json!({}), &["Succeeded tracked"], 0, true);
}

#[test]
fn the_time_of_a_job_runs_while_it_is_not_suspended() {
    let suspended = json!([{ "type": "Suspended", "status": "True" }]);
    let check = |suspend: bool, status: Value, expect: Option<&str>| {
        let job = job(&json!({ "suspend": suspend, "activeDeadlineSeconds": 600 }), &status);
        assert_eq!(start_time(&job, now()), expect.map(at), "{suspend} {status}");
        let left =
            expect.filter(|_| !suspend).map(|start| SignedDuration::from_mins(10) - now().duration_since(at(start)));
        assert_eq!(time_left(&job, now()), left);
    };
    let started = json!("2026-01-01T00:55:00Z");
    check(false, json!({}), Some("01:00:00"));
    check(false, json!({ "startTime": started }), Some("00:55:00"));
    check(true, json!({}), None);
    check(true, json!({ "startTime": started }), Some("00:55:00"));
    check(false, json!({ "startTime": started, "conditions": suspended }), Some("01:00:00"));
}
