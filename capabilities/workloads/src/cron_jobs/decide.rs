//! Whether a job is due, which finished ones are too many, and what the jobs of
//! a cron job say of it. Pure.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use client::Item;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::schedule::Schedule;
use crate::views::{ConcurrencyPolicy, CronJob, CronJobStatus, Job};

/// Times that may be missed before somebody should know.
const MANY: i64 = 100;

/// When a cron job is due.
pub(super) struct Times<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) zone: &'a TimeZone,
    /// When the cron job was made.
    pub(super) created: Timestamp,
    pub(super) now: Timestamp,
}

/// The last time a job was due and was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) at: Timestamp,
    /// Whether very many were missed.
    pub(super) is_many: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Nothing,
    /// A job should have been started then; now it is too late.
    TooLate(Timestamp),
    /// A job would be started if no other ran.
    Forbidden,
    /// A job is to be started, for those that run if `replaces`.
    Start {
        at: Timestamp,
        replaces: bool,
    },
}

impl Times<'_> {
    fn next(&self, time: Timestamp) -> Result<Timestamp, String> {
        // What Kubernetes says of a schedule that never falls due.
        let never = || "time difference between two schedules is less than 1 second".to_owned();
        self.schedule.next(time, self.zone).ok_or_else(never)
    }

    /// The last time that was missed, counted from the last start, and not from before the
    /// deadline if there is one.
    pub(super) fn missed(&self, cron_job: &CronJob, deadline: Option<i64>) -> Result<Option<Missed>, String> {
        let earliest = self.earliest(cron_job, deadline);
        let first = self.next(earliest)?;
        if self.now < first {
            return Ok(None);
        }
        let second = self.next(first)?;
        if self.now < second {
            return Ok(Some(Missed { at: first, is_many: false }));
        }
        let distance = (second.as_second() - first.as_second()).max(1);
        let count = (self.now.as_second() - first.as_second()) / distance + 1;
        // From shortly before the last, rather than through all of them. Times that are not
        // evenly spaced may lie further back, so this goes back until there is one.
        let mut back = 2;
        loop {
            let from = first.as_second().saturating_add((count - back).max(-1) * distance);
            let from = Timestamp::from_second(from).unwrap_or(first).max(earliest);
            let mut next = self.next(from)?;
            let mut last = None;
            while next <= self.now {
                last = Some(next);
                next = self.next(next)?;
            }
            if let Some(at) = last {
                return Ok(Some(Missed { at, is_many: count > MANY }));
            }
            if from <= earliest {
                return Ok(None);
            }
            back *= 2;
        }
    }

    fn earliest(&self, cron_job: &CronJob, deadline: Option<i64>) -> Timestamp {
        let started = cron_job.status.last_schedule_time.unwrap_or(self.created);
        let limit = deadline.and_then(|secs| self.now.checked_sub(SignedDuration::from_secs(secs)).ok());
        limit.map_or(started, |limit| limit.max(started))
    }

    /// When the cron job is to be looked at again.
    pub(super) fn wake(&self, cron_job: &CronJob) -> Result<Timestamp, String> {
        let from = match self.missed(cron_job, None)? {
            Some(missed) => missed.at,
            None => self.earliest(cron_job, None),
        };
        self.next(from)
    }
}

/// What to do about a time that was missed.
pub(super) fn turn(cron_job: &CronJob, status: &CronJobStatus, name: &str, missed: Timestamp, now: Timestamp) -> Turn {
    let spec = &cron_job.spec;
    let is_late = |secs: i64| missed.as_second().saturating_add(secs) < now.as_second();
    if spec.starting_deadline_seconds.is_some_and(is_late) {
        return Turn::TooLate(missed);
    }
    let job = job_name(name, missed);
    if status.active.iter().any(|active| active.name == job) || status.last_schedule_time == Some(missed) {
        return Turn::Nothing;
    }
    match spec.concurrency_policy {
        ConcurrencyPolicy::Forbid if !status.active.is_empty() => Turn::Forbidden,
        policy => Turn::Start { at: missed, replaces: policy == ConcurrencyPolicy::Replace },
    }
}

/// The name of the job of a time: the same for the same time, so that there is one only.
pub(super) fn job_name(name: &str, at: Timestamp) -> String {
    format!("{name}-{}", at.as_second().div_euclid(60))
}

/// Finished jobs that are too many, the oldest.
pub(super) fn surplus(cron_job: &CronJob, jobs: &[Arc<Item<Job>>]) -> Vec<Arc<Item<Job>>> {
    let spec = &cron_job.spec;
    let limits = [("Complete", spec.successful_jobs_history_limit), ("Failed", spec.failed_jobs_history_limit)];
    let mut surplus = Vec::new();
    for (end, limit) in limits {
        let Some(limit) = limit else { continue };
        let ended = |job: &&Arc<Item<Job>>| job.view.status.end().is_some_and(|held| held.kind == end);
        let kept = jobs.iter().filter(|job| !job.object.meta.is_deleting());
        let mut ended: Vec<&Arc<Item<Job>>> = kept.filter(ended).collect();
        // What never started comes last.
        ended.sort_by_key(|job| {
            let start = job.view.status.start_time;
            (start.is_none(), start, job.object.meta.name.clone())
        });
        let count = ended.len().saturating_sub(limit);
        surplus.extend(ended.into_iter().take(count).cloned());
    }
    surplus
}

/// What the jobs of a cron job say of it.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// Jobs that ended, and how.
    pub(super) ended: Vec<(String, String)>,
    /// Jobs that run without the cron job knowing of them.
    pub(super) unexpected: Vec<String>,
}

/// Takes what the jobs say into the status.
pub(super) fn observe(status: &mut CronJobStatus, jobs: &[Arc<Item<Job>>]) -> Observed {
    let mut observed = Observed::default();
    for job in jobs {
        let meta = &job.object.meta;
        let is_active = status.active.iter().any(|active| active.uid == meta.uid);
        let Some(end) = job.view.status.end() else {
            if !is_active {
                observed.unexpected.push(meta.name.clone());
            }
            continue;
        };
        if is_active {
            status.active.retain(|active| active.uid != meta.uid);
            observed.ended.push((meta.name.clone(), end.kind.clone()));
        }
        if end.kind == "Complete" {
            // Absent is before any time.
            status.last_successful_time = status.last_successful_time.max(job.view.status.completion_time);
        }
    }
    observed
}
