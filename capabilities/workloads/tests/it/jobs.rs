//! Jobs, from their creation to their end.

use serde_json::{Value, json};

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
