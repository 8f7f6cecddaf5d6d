//! Cron jobs, from their schedule to the jobs they leave behind.

use serde_json::{Value, json};
use testkit::Kubectl;

use crate::bed::{Bed, on_both};
use crate::jobs::job;

/// A cron job whose pods end as `then` says.
fn cron_job(name: &str, schedule: &str, then: &str, spec: Value) -> Value {
    let mut cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": { "name": name, "namespace": "default" },
        "spec": spec,
    });
    cron_job["spec"]["schedule"] = json!(schedule);
    cron_job["spec"]["jobTemplate"] = json!({
        "metadata": { "labels": { "from": name }, "annotations": { "note": "kept" } },
        "spec": job("", then, json!({}))["spec"],
    });
    cron_job
}

/// Makes a cron job that was to start a job for a long time, as after a clock was set forward:
/// its last start is long past.
async fn overdue(bed: &Bed, cron_job: Value) {
    let name = cron_job["metadata"]["name"].as_str().unwrap().to_owned();
    let mut asleep = cron_job;
    asleep["spec"]["suspend"] = json!(true);
    bed.create(asleep).await;
    bed.merge_status("cronjobs", &name, json!({ "lastScheduleTime": "2020-01-01T00:00:00Z" })).await;
    bed.merge("cronjobs", &name, json!({ "spec": { "suspend": false } })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_job_starts_jobs_at_their_time() {
    on_both(async |bed| {
        bed.create(cron_job("tick", "@every 1s", "Succeeded", json!({ "timeZone": "Europe/Berlin" }))).await;
        let two = |jobs: &[Value]| !jobs.is_empty();
        let jobs = bed.until("a job was started", "jobs", two).await;
        let meta = &jobs[0]["metadata"];
        let (_, minutes) = meta["name"].as_str().unwrap().rsplit_once('-').unwrap();
        let scheduled = meta["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"].as_str().unwrap();
        let scheduled: jiff::Timestamp = scheduled.parse().unwrap();
        assert_eq!(minutes.parse::<i64>().unwrap(), scheduled.as_second() / 60);
        assert_eq!([&meta["annotations"]["note"], &meta["labels"]["from"]], ["kept", "tick"]);
        let owner = &meta["ownerReferences"][0];
        assert_eq!(
            [&owner["kind"], &owner["name"], &owner["controller"]],
            [&json!("CronJob"), &json!("tick"), &json!(true)]
        );
        assert!(bed.until_event("tick", "SuccessfulCreate").await.starts_with("Created job tick-"));
        let seen = bed.until_event("tick", "SawCompletedJob").await;
        assert!(seen.starts_with("Saw completed job: tick-") && seen.ends_with(", condition: Complete"), "{seen}");
        let is_told = |cron_job: &Value| {
            let status = &cron_job["status"];
            status["lastScheduleTime"].is_string()
                && status["lastSuccessfulTime"].is_string()
                && status["active"].is_null()
        };
        bed.until_one("it is reported", "cronjobs", "tick", is_told).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_job_that_missed_very_many_starts_one() {
    on_both(async |bed| {
        overdue(bed, cron_job("late", "* * * * *", "Running", json!({}))).await;
        let told = bed.until_event("late", "TooManyMissedTimes").await;
        let expect = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        assert_eq!(told, expect);
        let runs = |cron_job: &Value| cron_job["status"]["active"].as_array().is_some_and(|active| active.len() == 1);
        let held = bed.until_one("one runs", "cronjobs", "late", runs).await;
        let jobs = bed.list("jobs").await;
        assert_eq!(jobs.len(), 1);
        let active = &held["status"]["active"][0];
        assert_eq!([&active["kind"], &active["name"]], [&json!("Job"), &jobs[0]["metadata"]["name"]]);
        assert_eq!(active["uid"], jobs[0]["metadata"]["uid"]);
        // A job that goes is noticed.
        bed.delete("jobs", jobs[0]["metadata"]["name"].as_str().unwrap()).await;
        let told = bed.until_event("late", "MissingJob").await;
        assert!(told.starts_with("Active job went missing: late-"), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_forbids_or_replaces() {
    on_both(async |bed| {
        for policy in ["Forbid", "Replace"] {
            let name = policy.to_lowercase();
            overdue(bed, cron_job(&name, "* * * * *", "Running", json!({ "concurrencyPolicy": policy }))).await;
            let runs = |cron_job: &Value| cron_job["status"]["active"][0]["name"].is_string();
            let held = bed.until_one("it runs", "cronjobs", &name, runs).await;
            let first = held["status"]["active"][0].clone();
            // As if the job that runs had been started at another time.
            let other = format!("{name}-1");
            let mut older = job(&other, "Running", json!({}));
            let owner = json!({
                "apiVersion": "batch/v1", "kind": "CronJob", "name": name, "uid": held["metadata"]["uid"], "controller": true,
            });
            older["metadata"]["ownerReferences"] = json!([owner]);
            let older = bed.create(older).await;
            let active = json!({
                "apiVersion": "batch/v1", "kind": "Job", "namespace": "default", "name": other, "uid": older["metadata"]["uid"],
            });
            bed.merge("cronjobs", &name, json!({ "spec": { "suspend": true } })).await;
            bed.delete("jobs", first["name"].as_str().unwrap()).await;
            bed.until_event(&name, "MissingJob").await;
            let status = json!({ "active": [active], "lastScheduleTime": "2020-01-01T00:00:00Z" });
            bed.merge_status("cronjobs", &name, status).await;
            bed.merge("cronjobs", &name, json!({ "spec": { "suspend": false } })).await;
            if policy == "Forbid" {
                let told = bed.until_event(&name, "JobAlreadyActive").await;
                let expect = "Not starting job because prior execution is running and concurrency policy is Forbid";
                assert_eq!(told, expect);
                assert!(bed.get("jobs", &other).await.is_some());
            } else {
                assert_eq!(bed.until_event(&name, "SuccessfulDelete").await, format!("Deleted job {other}"));
                let replaced = |cron_job: &Value| {
                    let active = cron_job["status"]["active"].as_array();
                    active.is_some_and(|active| active.len() == 1 && active[0]["name"] != *other)
                };
                bed.until_one("another runs", "cronjobs", &name, replaced).await;
                assert!(bed.get("jobs", &other).await.is_none());
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finished_jobs_are_kept_up_to_a_limit() {
    on_both(async |bed| {
        let limits = json!({ "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 0, "suspend": true });
        let made = bed.create(cron_job("tidy", "0 0 1 1 *", "Succeeded", limits)).await;
        let owner = json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "name": "tidy", "uid": made["metadata"]["uid"], "controller": true,
        });
        for (name, then) in [("a", "Succeeded"), ("b", "Succeeded"), ("c", "Failed")] {
            let mut child = job(name, then, json!({ "backoffLimit": 0 }));
            child["metadata"]["ownerReferences"] = json!([owner]);
            bed.create(child).await;
        }
        bed.until("one is kept", "jobs", |jobs| jobs.len() == 1).await;
        let complete = |jobs: &[Value]| jobs.iter().all(|job| job["status"]["succeeded"] == 1);
        bed.until("it is one that succeeded", "jobs", complete).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_scheduled_is_told() {
    on_both(async |bed| {
        let far = json!({ "timeZone": "Moon/Crater" });
        bed.create(cron_job("far", "* * * * *", "Running", far)).await;
        let told = bed.until_event("far", "UnknownTimeZone").await;
        assert_eq!(told, "invalid timeZone: \"Moon/Crater\": unknown time zone Moon/Crater");
        bed.create(cron_job("never", "0 0 31 2 *", "Running", json!({}))).await;
        let told = bed.until_event("never", "InvalidSchedule").await;
        assert_eq!(told, "invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second");
        assert!(bed.list("jobs").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_started_once_however_often_the_controller_dies() {
    on_both(async |bed| {
        for writes in 0.. {
            let name = format!("once-{writes}");
            let mut asleep = cron_job(&name, "0 0 1 1 *", "Succeeded", json!({}));
            asleep["spec"]["suspend"] = json!(true);
            bed.create(asleep).await;
            bed.merge_status("cronjobs", &name, json!({ "lastScheduleTime": "2020-01-01T00:00:00Z" })).await;
            bed.faults.freeze_after(writes);
            bed.merge("cronjobs", &name, json!({ "spec": { "suspend": false } })).await;
            let done = |cron_job: &Value| {
                let status = &cron_job["status"];
                status["lastSuccessfulTime"].is_string() && status["active"].is_null()
            };
            let end = async || bed.until_one("it is done", "cronjobs", &name, done).await;
            let is_dead = tokio::select! {
                () = bed.faults.frozen() => true,
                _ = end() => false,
            };
            bed.restart().await;
            let held = end().await;
            assert_ne!(held["status"]["lastScheduleTime"], "2020-01-01T00:00:00Z");
            let is_its = |job: &&Value| job["metadata"]["labels"]["from"] == *name;
            assert_eq!(bed.list("jobs").await.iter().filter(is_its).count(), 1, "{writes}");
            if !is_dead {
                assert!(writes > 5, "it was done in {writes} writes");
                break;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_starts_a_job_of_a_cron_job() {
    on_both(async |bed| {
        let kubectl = Kubectl::new(&bed.platform).unwrap();
        let made = ["create", "cronjob", "nightly", "--image=example/job:1", "--schedule=0 3 * * *", "--", "true"];
        assert_eq!(kubectl.ok(&made).await.unwrap(), "cronjob.batch/nightly created\n");
        let made = bed.create(cron_job("yearly", "@yearly", "Succeeded", json!({}))).await;
        let said = kubectl.ok(&["create", "job", "now", "--from=cronjob/yearly"]).await.unwrap();
        assert_eq!(said, "job.batch/now created\n");
        let waited = kubectl.ok(&["wait", "--for=condition=complete", "job/now", "--timeout=20s"]).await.unwrap();
        assert_eq!(waited, "job.batch/now condition met\n");
        let job = bed.get("jobs", "now").await.unwrap();
        assert_eq!(job["metadata"]["annotations"]["cronjob.kubernetes.io/instantiate"], "manual");
        assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], made["metadata"]["uid"]);
        let told = |cron_job: &Value| cron_job["status"]["lastSuccessfulTime"].is_string();
        bed.until_one("the cron job knows", "cronjobs", "yearly", told).await;
        let listed = kubectl.ok(&["get", "cronjobs"]).await.unwrap();
        assert!(listed.contains("nightly") && listed.contains("0 3 * * *"), "{listed}");
    })
    .await;
}
