//! When jobs of a cron job are started, the clock jumping or not.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::schedule::Schedule;
use super::{Times, Turn, job_name, observe, surplus, turn};
use crate::views::{CronJob, CronJobStatus, Job};

const CREATED: &str = "2026-01-01T00:00:30Z";

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

fn time(text: &str) -> Timestamp {
    if text.len() == 8 { format!("2026-01-01T{text}Z").parse().unwrap() } else { text.parse().unwrap() }
}

fn cron_job(spec: &Value, status: &Value) -> CronJob {
    item::<CronJob>(&json!({ "metadata": { "name": "tick" }, "spec": spec, "status": status })).view
}

/// What is due at a time, and when it is looked at again.
fn due(spec: Value, status: Value, now: &str) -> (String, String) {
    let cron_job = cron_job(&spec, &status);
    let schedule = Schedule::parse(&cron_job.spec.schedule).unwrap();
    let times = Times { schedule: &schedule, zone: &TimeZone::UTC, created: time(CREATED), now: time(now) };
    let short = |time: Timestamp| time.strftime("%H:%M:%S").to_string();
    let wake = times.wake(&cron_job).unwrap();
    assert!(wake > time(now), "it would be looked at again at once");
    let missed = times.missed(&cron_job, cron_job.spec.starting_deadline_seconds).unwrap();
    let Some(missed) = missed else { return ("nothing".into(), short(wake)) };
    let turn = match turn(&cron_job, &cron_job.status, "tick", missed.at, times.now) {
        Turn::Nothing => "done".to_owned(),
        Turn::TooLate(at) => format!("too late {}", short(at)),
        Turn::Forbidden => "forbidden".to_owned(),
        Turn::Start { at, replaces } => format!("{} {}", if replaces { "replace" } else { "start" }, short(at)),
    };
    (if missed.is_many { format!("{turn}!") } else { turn }, short(wake))
}

#[test]
fn a_job_is_started_once_for_the_last_time_that_was_missed() {
    let check = |spec: Value, status: Value, now: &str, turn: &str, wake: &str| {
        assert_eq!(due(spec.clone(), status.clone(), now), (turn.into(), wake.into()), "{spec} {status} {now}");
    };
    let hourly = || json!({ "schedule": "0 * * * *" });
    let last = |text: &str| json!({ "lastScheduleTime": time(text).to_string() });
    check(hourly(), json!({}), "00:30:00", "nothing", "01:00:00");
    check(hourly(), json!({}), "01:00:00", "start 01:00:00", "02:00:00");
    check(hourly(), json!({}), "01:10:00", "start 01:00:00", "02:00:00");
    check(hourly(), last("01:00:00"), "01:10:00", "nothing", "02:00:00");
    check(hourly(), json!({}), "05:59:59", "start 05:00:00", "06:00:00");
    check(hourly(), last("01:00:00"), "04:00:00", "start 04:00:00", "05:00:00");
    // A clock that was set back waits until it is where it was.
    check(hourly(), last("06:00:00"), "02:30:00", "nothing", "07:00:00");
    // A clock that was set forward a long way tells so, and starts one job.
    check(json!({ "schedule": "* * * * *" }), json!({}), "03:30:10", "start 03:30:00!", "03:31:00");
    check(hourly(), json!({}), "2036-01-01T00:10:00Z", "start 00:00:00!", "01:00:00");
    let every = json!({ "schedule": "@every 40m" });
    check(every.clone(), json!({}), "00:40:29", "nothing", "00:40:30");
    check(every, json!({}), "02:10:00", "start 02:00:30", "02:40:30");
    // Times that are not evenly spaced.
    let uneven = || json!({ "schedule": "0,1 9 * * *" });
    check(uneven(), last("09:01:00"), "2026-01-05T08:00:00Z", "start 09:01:00!", "09:00:00");
    check(uneven(), json!({}), "23:00:00", "start 09:01:00!", "09:00:00");
}

#[test]
fn a_deadline_leaves_out_what_was_too_long_ago() {
    let check = |deadline: i64, now: &str, turn: &str| {
        let spec = json!({ "schedule": "0 * * * *", "startingDeadlineSeconds": deadline });
        assert_eq!(due(spec, json!({}), now).0, turn, "{deadline} {now}");
    };
    check(60, "01:00:30", "start 01:00:00");
    check(60, "01:00:59", "start 01:00:00");
    check(60, "01:10:00", "nothing");
    check(7200, "05:10:00", "start 05:00:00");
    // Very many were missed, but not since the deadline.
    let spec = json!({ "schedule": "* * * * *", "startingDeadlineSeconds": 200 });
    assert_eq!(due(spec, json!({}), "20:00:10").0, "start 20:00:00");
    // A fraction of a second beyond is not too late.
    let late = |deadline: i64| {
        let cron_job = cron_job(&json!({ "schedule": "* * * * *", "startingDeadlineSeconds": deadline }), &json!({}));
        turn(&cron_job, &cron_job.status, "tick", time("01:00:00"), time("01:00:10"))
    };
    assert_eq!(late(9), Turn::TooLate(time("01:00:00")));
    assert_eq!(late(10), Turn::Start { at: time("01:00:00"), replaces: false });
}

#[test]
fn a_policy_says_what_happens_to_a_job_that_runs() {
    let minutes = time("01:00:00").as_second() / 60;
    assert_eq!(job_name("tick", time("01:00:00")), format!("tick-{minutes}"));
    let check = |policy: &str, active: &str, expect: &str| {
        let spec = json!({ "schedule": "0 * * * *", "concurrencyPolicy": policy });
        let active = if active.is_empty() { json!([]) } else { json!([{ "name": active, "uid": "a" }]) };
        assert_eq!(due(spec, json!({ "active": active }), "01:00:05").0, expect);
    };
    check("Allow", "tick-1", "start 01:00:00");
    check("Forbid", "", "start 01:00:00");
    check("Forbid", "tick-1", "forbidden");
    check("Replace", "tick-1", "replace 01:00:00");
    for policy in ["Allow", "Forbid", "Replace"] {
        check(policy, &job_name("tick", time("01:00:00")), "done");
    }
}

#[test]
fn a_schedule_that_never_comes_is_an_error() {
    let cron_job = cron_job(&json!({ "schedule": "0 0 31 2 *" }), &json!({}));
    let schedule = Schedule::parse(&cron_job.spec.schedule).unwrap();
    let times = Times { schedule: &schedule, zone: &TimeZone::UTC, created: time(CREATED), now: time("01:00:00") };
    let problem = "time difference between two schedules is less than 1 second";
    assert_eq!(times.missed(&cron_job, None).unwrap_err(), problem);
    assert_eq!(times.wake(&cron_job).unwrap_err(), problem);
}

/// A job in words: `Complete` or `Failed`, `started=…`, `done=…`, `going`.
fn job(name: &str, words: &str) -> Arc<Item<Job>> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let after =
        |prefix: &str| words.iter().find_map(|word| word.strip_prefix(prefix)).map(|text| time(text).to_string());
    let end = ["Complete", "Failed"].into_iter().find(|end| words.contains(end));
    let mut job = json!({
        "metadata": { "name": name, "uid": name },
        "status": { "conditions": end.map(|end| json!({ "type": end, "status": "True" })).into_iter().collect::<Vec<_>>() },
    });
    for (prefix, field) in [("started=", "startTime"), ("done=", "completionTime")] {
        if let Some(time) = after(prefix) {
            job["status"][field] = json!(time);
        }
    }
    if words.contains(&"going") {
        job["metadata"]["deletionTimestamp"] = json!(CREATED);
    }
    Arc::new(item(&job))
}

#[test]
fn the_oldest_finished_jobs_are_too_many() {
    let jobs = [
        job("late", "Complete started=03:00:00"),
        job("early", "Complete started=01:00:00"),
        job("never", "Complete"),
        job("bad", "Failed started=00:00:00"),
        job("runs", "started=00:00:00"),
        job("goes", "Complete started=00:00:00 going"),
    ];
    let check = |spec: Value, expect: &[&str]| {
        let surplus = surplus(&cron_job(&spec, &json!({})), &jobs);
        let names: Vec<&str> = surplus.iter().map(|job| job.object.meta.name.as_str()).collect();
        assert_eq!(names, expect, "{spec}");
    };
    check(json!({}), &[]);
    check(json!({ "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1 }), &[]);
    check(json!({ "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1 }), &["early", "late"]);
    check(json!({ "successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0 }), &["early", "late", "never", "bad"]);
}

#[test]
fn a_status_tells_what_became_of_the_jobs() {
    let mut status: CronJobStatus = serde_json::from_value(json!({
        "active": [{ "name": "good", "uid": "good" }, { "name": "bad", "uid": "bad" }, { "name": "runs", "uid": "runs" }],
    }))
    .unwrap();
    let jobs = [
        job("good", "Complete done=02:00:00"),
        job("bad", "Failed"),
        job("runs", ""),
        job("stranger", ""),
        job("older", "Complete done=01:00:00"),
    ];
    let observed = observe(&mut status, &jobs);
    assert_eq!(observed.ended, [("good".into(), "Complete".into()), ("bad".into(), "Failed".into())]);
    assert_eq!(observed.unexpected, ["stranger"]);
    assert_eq!(status.active.len(), 1);
    assert_eq!(status.last_successful_time, Some(time("02:00:00")));
}
