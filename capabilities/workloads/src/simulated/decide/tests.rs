//! Tables of what happens to a pod next.

use std::time::Duration;

use api::ObjectMeta;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::marks::wishes;
use super::{Act, Move, next};

const START: &str = "2026-01-01T00:00:00Z";

fn at(secs: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + Duration::from_secs(secs.unsigned_abs())
}

/// What happens after a minute to a pod with these marks, of this policy and in this status.
fn decided(metadata: &Value, policy: &str, status: &Value) -> Option<Move> {
    let meta: ObjectMeta = serde_json::from_value(metadata.clone()).unwrap();
    let pod = json!({
        "spec": { "restartPolicy": policy, "containers": [{ "name": "main", "image": "web" }] }, "status": status,
    });
    next(&meta, &serde_json::from_value(pod).unwrap(), &wishes(&meta), at(60))
}

fn check(name: &str, metadata: Value, policy: &str, status: Value, expect: Option<(&'static str, i64, Act)>) {
    let expect = expect.map(|(stage, secs, act)| Move { stage, at: at(secs), act });
    assert_eq!(decided(&metadata, policy, &status), expect, "{name}");
}

fn running(restarts: u32) -> Value {
    json!({
        "phase": "Running", "podIP": "10.0.0.1", "startTime": START,
        "containerStatuses": [{ "restartCount": restarts, "state": { "running": { "startedAt": START } } }],
    })
}

fn waiting(restarts: u32) -> Value {
    json!({
        "phase": "Running", "podIP": "10.0.0.1", "startTime": START,
        "containerStatuses": [{
            "restartCount": restarts,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": { "finishedAt": START } },
        }],
    })
}

fn own(key: &str, value: &str) -> Value {
    json!({ "annotations": { format!("simulated.coracle.dev/{key}"): value } })
}

#[test]
fn pods_start_as_their_marks_say() {
    let pending = || json!({ "phase": "Pending" });
    let ready = || Act::Start { ready: true };
    check("plain", json!({}), "Always", pending(), Some(("pod-ready", 60, ready())));
    check("runs already", json!({}), "Always", running(0), None);
    let bound = json!({ "conditions": [{ "type": "PodScheduled", "status": "True", "lastTransitionTime": START }] });
    check("slow", own("starts-after", "90s"), "Always", bound, Some(("pod-ready", 90, ready())));
    let start = |ready| Some(("pod-ready", 60, Act::Start { ready }));
    check("never ready", own("ready", "false"), "Always", pending(), start(false));
    check("ends at once", own("exit-code", "1"), "Always", pending(), start(false));
    check("ends later", own("runs-for", "5s"), "Always", pending(), start(true));
    check("no image", own("image-pull", "fail"), "Always", pending(), Some(("pod-ready", 60, Act::FailPull)));
    let told = json!({ "phase": "Pending", "containerStatuses": [{ "restartCount": 0 }] });
    check("no image, known", own("image-pull", "fail"), "Always", told, None);
}

#[test]
fn containers_end_by_restart_policy() {
    let complete = |secs, act| Some(("pod-complete", secs, act));
    let code = |code: &str| own("exit-code", code);
    check("fails for good", code("3"), "Never", running(0), complete(0, Act::End { exit_code: 3 }));
    check("succeeds for good", code("0"), "OnFailure", running(0), complete(0, Act::End { exit_code: 0 }));
    let restart = |exit_code| Act::Restart { exit_code, ready: false };
    check("restarts at once", code("3"), "OnFailure", running(0), complete(0, restart(Some(3))));
    check("ends well and restarts", code("0"), "Always", running(0), complete(0, restart(Some(0))));
    let crash = |secs| Act::Crash { exit_code: 3, backoff: Duration::from_secs(secs) };
    check("backs off", code("3"), "Always", running(1), complete(0, crash(10)));
    check("backs off longer", code("3"), "Always", running(3), complete(0, crash(40)));
    check("backs off longest", code("3"), "Always", running(90), complete(0, crash(300)));
    check("comes back", code("3"), "Always", waiting(3), complete(40, restart(None)));
    let mut slow = code("0");
    slow["annotations"]["simulated.coracle.dev/runs-for"] = json!("75s");
    check("runs for a while", slow, "Never", running(0), complete(75, Act::End { exit_code: 0 }));
    let owners = json!({ "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": "a", "uid": "a" }] });
    check("of a job", owners, "Never", running(0), complete(0, Act::End { exit_code: 0 }));
    check("ended", code("3"), "Never", json!({ "phase": "Failed", "podIP": "10.0.0.1" }), None);
    let failing = json!({ "labels": { "pod-container-running-failed.stage.kwok.x-k8s.io": "true" } });
    check("fails as in KWOK", failing, "Always", running(0), Some(("pod-container-running-failed", 1, Act::Fail)));
}

#[test]
fn deleted_pods_go_within_their_grace_period() {
    // Asked for at 50 s with 30 s of grace.
    let deleted = |takes: &str, finalizers: Value| {
        json!({
            "deletionTimestamp": at(80).to_string(), "deletionGracePeriodSeconds": 30, "finalizers": finalizers,
            "annotations": { "pod-delete.stage.kwok.x-k8s.io/delay": takes },
        })
    };
    let remove = |secs| Some(("pod-delete", secs, Act::Remove));
    check("at once", deleted("0s", json!([])), "Always", running(0), remove(50));
    check("slowly", deleted("20s", json!([])), "Always", running(0), remove(70));
    check("never longer than granted", deleted("200s", json!([])), "Always", running(0), remove(80));
    let ended = json!({ "phase": "Succeeded" });
    check("what has ended goes at once", deleted("20s", json!([])), "Always", ended.clone(), remove(50));
    let end = Some(("pod-delete", 50, Act::End { exit_code: 143 }));
    check("says how it ended", deleted("0s", json!(["a"])), "Never", running(0), end);
    check("then goes", deleted("0s", json!(["a"])), "Never", ended.clone(), remove(50));
    let held = json!({
        "deletionTimestamp": START, "deletionGracePeriodSeconds": 0, "finalizers": ["a"],
    });
    check("and waits", held, "Never", ended, None);
    let forced = json!({ "deletionTimestamp": START, "deletionGracePeriodSeconds": 0 });
    check("forced", forced, "Always", running(0), remove(0));
}
