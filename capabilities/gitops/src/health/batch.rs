//! Health of Jobs and CronJobs.

use serde_json::Value;

use super::read::{conditions, flag, items};
use super::{Health, State};
use crate::resource::text;

pub fn job(object: &Value) -> Health {
    let holds = |kind: &str| conditions(object).find(|found| found.kind() == kind && found.is_true());
    if let Some(failed) = holds("Failed") {
        return Health::new(State::Degraded, failed.message());
    }
    if let Some(complete) = holds("Complete") {
        return Health::new(State::Healthy, complete.message());
    }
    // One that was suspended and goes on is not complete, whatever Argo CD makes of the condition
    // that it keeps: a sync must not go on before its hook.
    if holds("Suspended").is_some() {
        return Health::of(State::Suspended);
    }
    Health::of(State::Progressing)
}

pub fn cron_job(object: &Value) -> Health {
    if flag(object, "/spec/suspend") {
        return Health::new(State::Healthy, "CronJob is Suspended");
    }
    if object.get("status").is_none() {
        return Health::new(State::Progressing, "Waiting for CronJob");
    }
    let scheduled = text(object, "/status/lastScheduleTime");
    let succeeded = text(object, "/status/lastSuccessfulTime");
    if scheduled.is_empty() {
        return Health::new(State::Healthy, "CronJob has not been scheduled yet");
    }
    if succeeded.is_empty() {
        return Health::new(State::Healthy, "The Cronjob never completed succesfully. It may not be healthy");
    }
    if !items(object, "/status/active").is_empty() {
        return Health::new(State::Healthy, "The job is running. Its last execution may not have been successful");
    }
    // Both are RFC 3339 in UTC with whole seconds, so that their text order is their time order.
    if succeeded < scheduled {
        return Health::new(State::Degraded, "CronJob has not completed its last execution successfully");
    }
    Health::new(State::Healthy, "CronJob has completed its last execution successfully")
}
