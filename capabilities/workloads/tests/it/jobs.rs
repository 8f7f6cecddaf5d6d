//! Jobs, from their creation to their end.

use client::{DeleteOptions, Propagation};
use serde_json::{Value, json};
use testkit::Kubectl;

use crate::bed::{Bed, on_both};

/// A job whose pods end as `then` says: `Succeeded`, `Failed`, or `Running` for those that do not.
pub fn job(name: &str, then: &str, spec: Value) -> Value {
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": name, "namespace": "default" },
        "spec": spec,
    });
    job["spec"]["template"] = json!({
        "metadata": { "annotations": { "test/then": then } },
        "spec": { "restartPolicy": "Never", "containers": [{ "name": "main", "image": "example/job:1" }] },
    });
    job
}

/// A condition of a job that holds.
fn holds<'a>(job: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().find(|held| held["type"] == *kind && held["status"] == "True")
}

/// Waits until the job has ended in this way.
async fn until_end(bed: &Bed, name: &str, kind: &str) -> Value {
    bed.until_one(&format!("{name} is {kind}"), "jobs", name, |job| holds(job, kind).is_some()).await
}

/// Pods of a job by their index, and their names.
fn indexes(pods: &[Value]) -> Vec<String> {
    let index = |pod: &Value| {
        pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"].as_str().unwrap_or("").to_owned()
    };
    let mut indexes: Vec<String> = pods.iter().map(index).collect();
    indexes.sort();
    indexes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_runs_pods_until_enough_have_succeeded() {
    on_both(async |bed| {
        bed.create(job("work", "Succeeded", json!({ "completions": 5, "parallelism": 2 }))).await;
        let done = until_end(bed, "work", "Complete").await;
        let status = &done["status"];
        assert_eq!(status["succeeded"], 5);
        assert_eq!([&status["active"], &status["failed"]], [&Value::Null, &Value::Null]);
        assert_eq!([&status["ready"], &status["terminating"]], [&json!(0), &json!(0)]);
        assert_eq!(status["uncountedTerminatedPods"], json!({}));
        assert!(status["startTime"].is_string() && status["completionTime"].is_string());
        let reached = holds(&done, "SuccessCriteriaMet").unwrap();
        assert_eq!(reached["reason"], "CompletionsReached");
        assert_eq!(reached["message"], "Reached expected number of succeeded pods");
        assert_eq!(bed.until_event("work", "Completed").await, "Job completed");
        let made = bed.until_event("work", "SuccessfulCreate").await;
        assert!(made.starts_with("Created pod: work-"), "{made}");
        let pods = bed.list("pods").await;
        assert_eq!(pods.len(), 5);
        for pod in pods {
            assert_eq!(pod["metadata"]["finalizers"], Value::Null);
            assert_eq!(pod["metadata"]["labels"]["batch.kubernetes.io/job-name"], "work");
            assert_eq!(pod["metadata"]["labels"]["job-name"], "work");
            assert_eq!(pod["metadata"]["labels"]["controller-uid"], done["metadata"]["uid"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexed_job_runs_every_index_once() {
    on_both(async |bed| {
        let spec = json!({ "completions": 4, "parallelism": 4, "completionMode": "Indexed" });
        bed.create(job("work", "Succeeded", spec)).await;
        let done = until_end(bed, "work", "Complete").await;
        assert_eq!([&done["status"]["succeeded"], &done["status"]["completedIndexes"]], [&json!(4), &json!("0-3")]);
        let pods = bed.list("pods").await;
        assert_eq!(indexes(&pods), ["0", "1", "2", "3"]);
        for pod in pods {
            let index = pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"].as_str().unwrap();
            assert!(pod["metadata"]["name"].as_str().unwrap().starts_with(&format!("work-{index}-")));
            assert_eq!(pod["spec"]["hostname"], format!("work-{index}"));
            let env = &pod["spec"]["containers"][0]["env"][0];
            assert_eq!(env["name"], "JOB_COMPLETION_INDEX");
            let path = "metadata.labels['batch.kubernetes.io/job-completion-index']";
            assert_eq!(env["valueFrom"]["fieldRef"]["fieldPath"], path);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_fails_beyond_its_limit_of_failures() {
    on_both(async |bed| {
        bed.create(job("bad", "Failed", json!({ "backoffLimit": 0 }))).await;
        let failed = until_end(bed, "bad", "Failed").await;
        for kind in ["FailureTarget", "Failed"] {
            let held = holds(&failed, kind).unwrap();
            assert_eq!(held["reason"], "BackoffLimitExceeded");
            assert_eq!(held["message"], "Job has reached the specified backoff limit");
        }
        assert_eq!(failed["status"]["failed"], 1);
        assert_eq!(failed["status"]["completionTime"], Value::Null);
        let told = bed.until_event("bad", "BackoffLimitExceeded").await;
        assert_eq!(told, "Job has reached the specified backoff limit");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_pod_is_replaced_only_after_a_while() {
    on_both(async |bed| {
        bed.create(job("slow", "Failed", json!({ "backoffLimit": 5 }))).await;
        let failed = |job: &Value| job["status"]["failed"] == 1 && job["status"]["active"].is_null();
        bed.until_one("the failure is counted", "jobs", "slow", failed).await;
        // A job that needs no waiting goes through all its life meanwhile.
        bed.create(job("other", "Succeeded", json!({}))).await;
        until_end(bed, "other", "Complete").await;
        let of_slow = |pod: &&Value| pod["metadata"]["labels"]["job-name"] == "slow";
        assert_eq!(bed.list("pods").await.iter().filter(of_slow).count(), 1);
    })
    .await;
}

/// Whether the node agent has done all it will about the pod.
fn runs(pod: &Value) -> bool {
    pod["status"]["phase"] == "Running"
}

/// Lets a pod fail as if it had so many seconds ago.
async fn fail(bed: &Bed, pod: &Value, secs_ago: i64) {
    let now = base::Clock::system().now().as_second();
    let end = jiff::Timestamp::from_second(now - secs_ago).unwrap().to_string();
    let status = json!({
        "phase": "Failed",
        "containerStatuses": [{
            "name": "main", "image": "example/job:1", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "terminated": { "exitCode": 1, "finishedAt": end } },
        }],
    });
    bed.merge_status("pods", pod["metadata"]["name"].as_str().unwrap(), status).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_pod_is_replaced_when_the_while_is_over() {
    on_both(async |bed| {
        bed.create(job("retry", "Running", json!({ "backoffLimit": 1 }))).await;
        let pods = bed.until("it runs", "pods", |pods| pods.iter().any(runs)).await;
        fail(bed, &pods[0], 9).await;
        let pods = bed.until("it runs again", "pods", |pods| pods.len() == 2 && pods.iter().any(runs)).await;
        let next = pods.iter().find(|pod| runs(pod)).unwrap();
        let counted = |job: &Value| job["status"]["failed"] == 1 && job["status"]["active"] == 1;
        bed.until_one("both are counted", "jobs", "retry", counted).await;
        fail(bed, next, 0).await;
        let failed = until_end(bed, "retry", "Failed").await;
        assert_eq!(failed["status"]["failed"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_failures_of_an_index_pass_from_pod_to_pod() {
    on_both(async |bed| {
        let spec = json!({ "completions": 1, "completionMode": "Indexed", "backoffLimitPerIndex": 1 });
        bed.create(job("retry", "Running", spec)).await;
        let failures = |pod: &Value| {
            pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"].as_str().unwrap().to_owned()
        };
        let first = bed.until("it runs", "pods", |pods| pods.iter().any(runs)).await.remove(0);
        assert_eq!(failures(&first), "0");
        fail(bed, &first, 60).await;
        let pods = bed.until("it runs again", "pods", |pods| pods.len() == 2 && pods.iter().any(runs)).await;
        let next = pods.iter().find(|pod| pod["metadata"]["name"] != first["metadata"]["name"]).unwrap();
        assert_eq!(failures(next), "1");
        let counted = |job: &Value| job["status"]["failed"] == 1 && job["status"]["failedIndexes"] == "";
        bed.until_one("the first is counted", "jobs", "retry", counted).await;
        fail(bed, next, 60).await;
        let failed = until_end(bed, "retry", "Failed").await;
        assert_eq!([&failed["status"]["failed"], &failed["status"]["failedIndexes"]], [&json!(2), &json!("0")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_policy_ends_a_job_or_forgives() {
    on_both(async |bed| {
        let fatal = json!({ "rules": [{ "action": "FailJob", "onExitCodes": { "operator": "In", "values": [42] } }] });
        let mut bad = job("bad", "Failed", json!({ "backoffLimit": 6, "podFailurePolicy": fatal }));
        bad["spec"]["template"]["metadata"]["annotations"]["test/exit-code"] = json!("42");
        bed.create(bad).await;
        let failed = until_end(bed, "bad", "Failed").await;
        let held = holds(&failed, "Failed").unwrap();
        assert_eq!(held["reason"], "PodFailurePolicy");
        let message = held["message"].as_str().unwrap();
        assert!(message.starts_with("Container main for pod default/bad-"), "{message}");
        assert!(message.ends_with(" failed with exit code 42 matching FailJob rule at index 0"), "{message}");
        assert_eq!(failed["status"]["failed"], 1);

        let forgiving =
            json!({ "rules": [{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget" }] }] });
        let mut moved = job("moved", "Failed", json!({ "backoffLimit": 0, "podFailurePolicy": forgiving }));
        moved["spec"]["template"]["metadata"]["annotations"]["test/condition"] = json!("DisruptionTarget");
        bed.create(moved).await;
        let is_freed = |pod: &Value| {
            pod["metadata"]["labels"]["job-name"] == "moved"
                && pod["status"]["phase"] == "Failed"
                && pod["metadata"]["finalizers"].is_null()
        };
        bed.until("the pod is let go", "pods", |pods| pods.iter().any(is_freed)).await;
        let goes_on = |job: &Value| job["status"]["active"].is_null() && job["status"]["ready"] == 0;
        let moved = bed.until_one("the job goes on", "jobs", "moved", goes_on).await;
        assert_eq!([&moved["status"]["failed"], &moved["status"]["conditions"]], [&Value::Null, &Value::Null]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_fail_for_themselves() {
    on_both(async |bed| {
        let spec = |most: Value| {
            json!({
                "completions": 3, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 0,
                "maxFailedIndexes": most,
            })
        };
        bed.create(job("all", "Failed", spec(Value::Null))).await;
        let failed = until_end(bed, "all", "Failed").await;
        assert_eq!(holds(&failed, "Failed").unwrap()["reason"], "FailedIndexes");
        assert_eq!([&failed["status"]["failedIndexes"], &failed["status"]["failed"]], [&json!("0-2"), &json!(3)]);
        bed.create(job("few", "Failed", spec(json!(0)))).await;
        let failed = until_end(bed, "few", "Failed").await;
        let held = holds(&failed, "Failed").unwrap();
        assert_eq!(held["reason"], "MaxFailedIndexesExceeded");
        assert_eq!(held["message"], "Job has exceeded the specified maximal number of failed indexes");
        let pods = bed.list("pods").await;
        let first = pods.iter().find(|pod| pod["metadata"]["labels"]["job-name"] == "all").unwrap();
        assert_eq!(first["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"], "0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_policy_ends_a_job_early() {
    on_both(async |bed| {
        let spec = json!({
            "completions": 3, "parallelism": 3, "completionMode": "Indexed",
            "successPolicy": { "rules": [{ "succeededIndexes": "1" }] },
        });
        bed.create(job("lead", "Running", spec)).await;
        let pods = bed.until("all run", "pods", |pods| pods.len() == 3 && pods.iter().all(runs)).await;
        let leader = pods.iter().find(|pod| pod["spec"]["hostname"] == "lead-1").unwrap();
        bed.merge_status("pods", leader["metadata"]["name"].as_str().unwrap(), json!({ "phase": "Succeeded" })).await;
        let done = until_end(bed, "lead", "Complete").await;
        let reached = holds(&done, "SuccessCriteriaMet").unwrap();
        assert_eq!([&reached["reason"], &reached["message"]], ["SuccessPolicy", "Matched rules at index 0"]);
        assert_eq!([&done["status"]["succeeded"], &done["status"]["completedIndexes"]], [&json!(1), &json!("1")]);
        bed.until("the others are gone", "pods", |pods| pods.len() == 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_has_a_deadline() {
    on_both(async |bed| {
        bed.create(job("long", "Running", json!({ "activeDeadlineSeconds": 1, "parallelism": 2 }))).await;
        bed.until("it runs", "pods", |pods| !pods.is_empty()).await;
        let failed = until_end(bed, "long", "Failed").await;
        let held = holds(&failed, "Failed").unwrap();
        assert_eq!(held["reason"], "DeadlineExceeded");
        assert_eq!(held["message"], "Job was active longer than specified deadline");
        assert_eq!(failed["status"]["active"], Value::Null);
        assert!(bed.list("pods").await.is_empty());
        assert!(bed.until_event("long", "SuccessfulDelete").await.starts_with("Deleted pod: long-"));
        assert_eq!(bed.until_event("long", "DeadlineExceeded").await, "Job was active longer than specified deadline");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_suspended_and_resumed() {
    on_both(async |bed| {
        bed.create(job("pause", "Running", json!({ "parallelism": 2, "completions": 2, "suspend": true }))).await;
        let held = bed.until_one("it is suspended", "jobs", "pause", |job| holds(job, "Suspended").is_some()).await;
        assert_eq!([&held["status"]["startTime"], &held["status"]["active"]], [&Value::Null; 2]);
        assert_eq!(holds(&held, "Suspended").unwrap()["reason"], "JobSuspended");
        assert!(bed.list("pods").await.is_empty());
        bed.merge("jobs", "pause", json!({ "spec": { "suspend": false } })).await;
        let runs = |job: &Value| job["status"]["active"] == 2 && job["status"]["startTime"].is_string();
        let held = bed.until_one("it runs", "jobs", "pause", runs).await;
        let condition = &held["status"]["conditions"][0];
        assert_eq!([&condition["status"], &condition["reason"]], ["False", "JobResumed"]);
        bed.merge("jobs", "pause", json!({ "spec": { "suspend": true } })).await;
        let stopped = |job: &Value| holds(job, "Suspended").is_some() && job["status"]["active"].is_null();
        let held = bed.until_one("it is suspended again", "jobs", "pause", stopped).await;
        assert_eq!(held["status"]["failed"], Value::Null);
        bed.until("its pods are gone", "pods", <[Value]>::is_empty).await;
        assert_eq!(bed.until_event("pause", "Suspended").await, "Job suspended");
        assert_eq!(bed.until_event("pause", "Resumed").await, "Job resumed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_another_controller_is_left_alone() {
    on_both(async |bed| {
        bed.create(job("theirs", "Succeeded", json!({ "managedBy": "example.com/other" }))).await;
        bed.create(job("ours", "Succeeded", json!({ "managedBy": "kubernetes.io/job-controller" }))).await;
        until_end(bed, "ours", "Complete").await;
        assert_eq!(bed.list("pods").await.len(), 1);
        let theirs = bed.get("jobs", "theirs").await.unwrap();
        assert!(theirs["status"].as_object().is_none_or(serde_json::Map::is_empty), "{:#}", theirs["status"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexed_job_grows_and_shrinks() {
    on_both(async |bed| {
        let spec = json!({ "completions": 2, "parallelism": 2, "completionMode": "Indexed" });
        bed.create(job("elastic", "Running", spec)).await;
        for size in [2, 4, 1] {
            let sizes = json!({ "spec": { "completions": size, "parallelism": size } });
            bed.merge("jobs", "elastic", sizes).await;
            let expect: Vec<String> = (0..size).map(|index| index.to_string()).collect();
            bed.until(&format!("{size} run"), "pods", |pods| indexes(pods) == expect).await;
            bed.until_one("it is counted", "jobs", "elastic", |job| job["status"]["active"] == size).await;
        }
        let pods = bed.until("one is left", "pods", |pods| pods.len() == 1 && pods.iter().all(runs)).await;
        bed.merge_status("pods", pods[0]["metadata"]["name"].as_str().unwrap(), json!({ "phase": "Succeeded" })).await;
        let done = until_end(bed, "elastic", "Complete").await;
        assert_eq!([&done["status"]["succeeded"], &done["status"]["failed"]], [&json!(1), &Value::Null]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_of_a_job_are_released_and_adopted() {
    on_both(async |bed| {
        let made = bed.create(job("keep", "Running", json!({}))).await;
        let pods = bed.until("it runs", "pods", |pods| pods.len() == 1).await;
        let name = pods[0]["metadata"]["name"].as_str().unwrap();
        let label = |uid: &str| json!({ "metadata": { "labels": { "batch.kubernetes.io/controller-uid": uid } } });
        bed.merge("pods", name, label("other")).await;
        let is_free =
            |pod: &Value| pod["metadata"]["ownerReferences"].is_null() && pod["metadata"]["finalizers"].is_null();
        bed.until_one("it is released", "pods", name, is_free).await;
        bed.until("another takes its place", "pods", |pods| pods.len() == 2).await;
        bed.merge("pods", name, label(made["metadata"]["uid"].as_str().unwrap())).await;
        // Two are one too many.
        let pods = bed.until("one is left", "pods", |pods| pods.len() == 1).await;
        assert_eq!(pods[0]["metadata"]["ownerReferences"][0]["name"], "keep");
        assert_eq!(pods[0]["metadata"]["finalizers"], json!(["batch.kubernetes.io/job-tracking"]));
        let one = |job: &Value| job["status"]["active"] == 1 && job["status"]["failed"].is_null();
        bed.until_one("one is counted", "jobs", "keep", one).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_deleted_by_hand_is_a_failure() {
    on_both(async |bed| {
        bed.create(job("work", "Running", json!({ "backoffLimit": 1 }))).await;
        let pods = bed.until("it runs", "pods", |pods| pods.len() == 1).await;
        bed.delete("pods", pods[0]["metadata"]["name"].as_str().unwrap()).await;
        let failed = |job: &Value| job["status"]["failed"] == 1 && job["status"]["terminating"] == 0;
        bed.until_one("it is counted", "jobs", "work", failed).await;
        bed.until("it is gone", "pods", <[Value]>::is_empty).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_in_place_are_failures() {
    on_both(async |bed| {
        let mut work = job("work", "Running", json!({ "backoffLimit": 2 }));
        work["spec"]["template"]["spec"]["restartPolicy"] = json!("OnFailure");
        bed.create(work).await;
        let pods = bed.until("it runs", "pods", |pods| pods.iter().any(runs)).await;
        let restarts = |count: i64| {
            json!({ "containerStatuses": [{
                "name": "main", "image": "example/job:1", "imageID": "", "ready": false, "restartCount": count,
                "state": { "running": {} },
            }] })
        };
        let name = pods[0]["metadata"]["name"].as_str().unwrap();
        bed.merge_status("pods", name, restarts(1)).await;
        assert!(holds(&bed.get("jobs", "work").await.unwrap(), "FailureTarget").is_none());
        bed.merge_status("pods", name, restarts(2)).await;
        let failed = until_end(bed, "work", "Failed").await;
        assert_eq!(holds(&failed, "Failed").unwrap()["reason"], "BackoffLimitExceeded");
        assert_eq!(failed["status"]["failed"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_deleted_lets_its_pods_go() {
    on_both(async |bed| {
        for (name, propagation) in [("gone", Propagation::Background), ("going", Propagation::Foreground)] {
            bed.create(job(name, "Running", json!({ "parallelism": 2 }))).await;
            let is_its = |pod: &&Value| pod["metadata"]["labels"]["job-name"] == name;
            let two = |pods: &[Value]| pods.iter().filter(is_its).count() == 2;
            bed.until("two run", "pods", two).await;
            let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
            bed.delete_with("jobs", name, options).await;
            let are_free =
                |pods: &[Value]| pods.iter().filter(is_its).all(|pod| pod["metadata"]["finalizers"].is_null());
            bed.until("they are let go", "pods", are_free).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_delays_a_job() {
    on_both(async |bed| {
        bed.faults.refuse("pods", "pods is forbidden: exceeded quota: few");
        bed.create(job("work", "Succeeded", json!({ "completions": 3, "parallelism": 3 }))).await;
        let told = bed.until_event("work", "FailedCreate").await;
        assert_eq!(told, "Error creating: pods is forbidden: exceeded quota: few");
        let held = bed.until_one("it has begun", "jobs", "work", |job| job["status"]["startTime"].is_string()).await;
        assert_eq!(held["status"]["active"], Value::Null);
        bed.faults.clear();
        let done = until_end(bed, "work", "Complete").await;
        assert_eq!([&done["status"]["succeeded"], &done["status"]["failed"]], [&json!(3), &Value::Null]);
    })
    .await;
}

/// The controllers die after each of their writes in turn, of which they never hear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_counts_every_pod_once_however_often_its_controller_dies() {
    on_both(async |bed| {
        for writes in 0.. {
            let (good, bad, numbered) =
                (format!("good-{writes}"), format!("bad-{writes}"), format!("numbered-{writes}"));
            bed.faults.freeze_after(writes);
            bed.create(job(&good, "Succeeded", json!({ "completions": 2, "parallelism": 2 }))).await;
            bed.create(job(&bad, "Failed", json!({ "backoffLimit": 0 }))).await;
            let spec = json!({ "completions": 1, "completionMode": "Indexed" });
            bed.create(job(&numbered, "Succeeded", spec)).await;
            let ends = async || {
                let good = until_end(bed, &good, "Complete").await;
                let bad = until_end(bed, &bad, "Failed").await;
                [good, bad, until_end(bed, &numbered, "Complete").await]
            };
            let is_dead = tokio::select! {
                () = bed.faults.frozen() => true,
                _ = ends() => false,
            };
            bed.restart().await;
            let [good, bad, numbered] = ends().await;
            assert_eq!([&good["status"]["succeeded"], &good["status"]["failed"]], [&json!(2), &Value::Null]);
            assert_eq!([&bad["status"]["succeeded"], &bad["status"]["failed"]], [&Value::Null, &json!(1)]);
            assert_eq!([&numbered["status"]["succeeded"], &numbered["status"]["failed"]], [&json!(1), &Value::Null]);
            for (job, pods) in [(&good, 2), (&bad, 1), (&numbered, 1)] {
                let is_its = |pod: &&Value| pod["metadata"]["labels"]["controller-uid"] == job["metadata"]["uid"];
                assert_eq!(bed.list("pods").await.iter().filter(is_its).count(), pods, "{writes}");
                assert_eq!(job["status"]["uncountedTerminatedPods"], json!({}));
            }
            if !is_dead {
                assert!(writes > 12, "the jobs were done in {writes} writes");
                break;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_makes_jobs_and_waits_for_them() {
    on_both(async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let said =
            kubectl.ok(&["create", "job", "hello", "--image=example/job:1", "--", "echo", "hello"]).await.unwrap();
        assert_eq!(said, "job.batch/hello created\n");
        let pods = bed.until("it runs", "pods", |pods| pods.iter().any(runs)).await;
        let listed = kubectl.ok(&["get", "jobs"]).await.unwrap();
        assert!(listed.contains("hello   Running   0/1"), "{listed}");
        bed.merge_status("pods", pods[0]["metadata"]["name"].as_str().unwrap(), json!({ "phase": "Succeeded" })).await;
        let waited = kubectl.ok(&["wait", "--for=condition=complete", "job/hello", "--timeout=20s"]).await.unwrap();
        assert_eq!(waited, "job.batch/hello condition met\n");
        let described = kubectl.ok(&["describe", "job", "hello"]).await.unwrap();
        assert!(described.contains("0 Active (0 Ready) / 1 Succeeded / 0 Failed"), "{described}");
        assert!(described.contains("SuccessfulCreate"), "{described}");
        let listed = kubectl.ok(&["get", "jobs"]).await.unwrap();
        assert!(listed.contains("hello   Complete   1/1"), "{listed}");
    })
    .await;
}
