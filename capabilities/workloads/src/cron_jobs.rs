//! Starts a job whenever a cron job is due: looks when that was last, decides
//! in `decide`, creates and deletes jobs, and reports those that run.

mod decide;
mod schedule;

use std::sync::Arc;
use std::time::Duration;

use api::{Gvk, Status};
use client::{Change, Item, Object, ObjectKey, Propagation};
use controller::{Controller, Error, EventKind, Next, Reconciler, Recorder, owner};
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::views::{CronJob, CronJobStatus, Job, Reference, owned_by};
use crate::world::World;
use decide::{Times, Turn};
use schedule::Schedule;

const WORKERS: usize = 4;
/// For when a job was due, which may be before it was made.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

fn gvk() -> Gvk {
    Gvk::new("batch", "v1", "CronJob")
}

pub(crate) fn start(world: &World) {
    let cron_jobs = CronJobs { world: world.clone(), recorder: world.recorder("cronjob-controller") };
    Controller::new("cron jobs", Arc::new(cron_jobs))
        .owns(world.cron_jobs.cache())
        .watches(world.jobs.cache(), keys_of_job)
        .workers(WORKERS)
        .start(world.tasks());
}

/// The cron jobs that a job belongs to, before and now.
fn keys_of_job(change: &Change) -> Vec<ObjectKey> {
    let mut keys = Vec::new();
    for job in [&change.old, &change.new].into_iter().flatten() {
        let owner = job.meta.controller().filter(|owner| owner.kind == "CronJob");
        let key = owner.map(|owner| ObjectKey::new(&job.cluster, &job.meta.namespace, &owner.name));
        keys.extend(key.filter(|key| !keys.contains(key)));
    }
    keys
}

struct CronJobs {
    world: World,
    recorder: Recorder,
}

impl Reconciler for CronJobs {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.cron_jobs.get(key) {
                Some(cron_job) => self.sync(&cron_job).await,
                None => Ok(Next::Done),
            }
        })
    }
}

impl CronJobs {
    async fn sync(&self, cron_job: &Item<CronJob>) -> Result<Next, Error> {
        let object = &cron_job.object;
        let jobs = self.world.jobs.find(&object.cluster, &owned_by(&object.meta.uid));
        let mut status = cron_job.view.status.clone();
        for job in decide::surplus(&cron_job.view, &jobs) {
            // What cannot be deleted now is still too many when the next job ends.
            let _ = self.delete(cron_job, &job.object, &mut status).await;
        }
        let outcome = self.advance(cron_job, &jobs, &mut status).await;
        self.world.cron_jobs.update_status(object, json!(status)).await?;
        outcome
    }

    async fn advance(
        &self,
        cron_job: &Item<CronJob>,
        jobs: &[Arc<Item<Job>>],
        status: &mut CronJobStatus,
    ) -> Result<Next, Error> {
        self.observe(cron_job, jobs, status).await?;
        let (object, spec) = (&cron_job.object, &cron_job.view.spec);
        if object.meta.is_deleting() {
            return Ok(Next::Done);
        }
        let zone = match spec.time_zone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get) {
            Ok(zone) => zone,
            Err(_) => {
                let name = spec.time_zone.as_deref().unwrap_or_default();
                let message = format!("invalid timeZone: {name:?}: unknown time zone {name}");
                self.warn(object, "UnknownTimeZone", &message).await;
                return Ok(Next::Done);
            }
        };
        if spec.suspend {
            return Ok(Next::Done);
        }
        let schedule = match Schedule::parse(&spec.schedule) {
            Ok(schedule) => schedule,
            Err(problem) => {
                let message = format!("unparseable schedule: {:?} : {problem}", spec.schedule);
                self.warn(object, "UnparseableSchedule", &message).await;
                return Ok(Next::Done);
            }
        };
        let created = object.meta.creation_timestamp.as_deref().and_then(|time| time.parse().ok());
        let now = self.world.clock().now();
        let times = Times { schedule: &schedule, zone: &zone, created: created.unwrap_or(now), now };
        self.take_turn(cron_job, &times, status).await
    }

    /// Takes in what became of the jobs that ran.
    async fn observe(
        &self,
        cron_job: &Item<CronJob>,
        jobs: &[Arc<Item<Job>>],
        status: &mut CronJobStatus,
    ) -> Result<(), Error> {
        let object = &cron_job.object;
        let observed = decide::observe(status, jobs);
        for name in observed.unexpected {
            let message = format!("Saw a job that the controller did not create or forgot: {name}");
            self.warn(object, "UnexpectedJob", &message).await;
        }
        for (name, end) in observed.ended {
            self.tell(object, "SawCompletedJob", &format!("Saw completed job: {name}, condition: {end}")).await;
        }
        let unseen: Vec<Reference> = status.active.clone();
        for active in unseen.iter().filter(|active| !jobs.iter().any(|job| job.object.meta.uid == active.uid)) {
            let key = ObjectKey::new(&object.cluster, &object.meta.namespace, &active.name);
            if self.world.jobs.live(&key).await?.is_none() {
                self.tell(object, "MissingJob", &format!("Active job went missing: {}", active.name)).await;
                status.active.retain(|held| held.uid != active.uid);
            }
        }
        Ok(())
    }

    /// Starts a job if one is due.
    async fn take_turn(
        &self,
        cron_job: &Item<CronJob>,
        times: &Times<'_>,
        status: &mut CronJobStatus,
    ) -> Result<Next, Error> {
        let (object, spec) = (&cron_job.object, &cron_job.view.spec);
        let found = times.missed(&cron_job.view, spec.starting_deadline_seconds);
        let (missed, wake) = match found.and_then(|missed| Ok((missed, times.wake(&cron_job.view)?))) {
            Ok(found) => found,
            Err(problem) => {
                let message = format!("invalid schedule: {} : {problem}", spec.schedule);
                self.warn(object, "InvalidSchedule", &message).await;
                return Ok(Next::Done);
            }
        };
        if let Some(missed) = missed {
            if missed.is_many {
                let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check \
                               clock skew";
                self.warn(object, "TooManyMissedTimes", message).await;
            }
            match decide::turn(&cron_job.view, status, &object.meta.name, missed.at, times.now) {
                Turn::Nothing => {}
                Turn::TooLate(at) => {
                    let at = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
                    self.warn(object, "MissSchedule", &format!("Missed scheduled time to start a job: {at}")).await;
                }
                Turn::Forbidden => {
                    let message =
                        "Not starting job because prior execution is running and concurrency policy is Forbid";
                    self.tell(object, "JobAlreadyActive", message).await;
                }
                Turn::Start { at, replaces } => {
                    if replaces {
                        self.replace(cron_job, status).await?;
                    }
                    self.create(cron_job, at, times.zone, status).await?;
                }
            }
        }
        // No event tells that a time has come.
        let wait = self.world.clock().now().duration_until(wake);
        Ok(Next::After(Duration::try_from(wait).unwrap_or_default()))
    }

    async fn replace(&self, cron_job: &Item<CronJob>, status: &mut CronJobStatus) -> Result<(), Error> {
        for active in status.active.clone() {
            let key = ObjectKey::new(&cron_job.object.cluster, &cron_job.object.meta.namespace, &active.name);
            match self.world.jobs.live(&key).await? {
                Some(job) => self.delete(cron_job, &job, status).await?,
                None => status.active.retain(|held| held.uid != active.uid),
            }
        }
        Ok(())
    }

    async fn delete(&self, cron_job: &Item<CronJob>, job: &Object, status: &mut CronJobStatus) -> Result<(), Status> {
        if let Err(problem) = self.world.jobs.delete_propagating(job, Propagation::Background).await {
            self.warn(&cron_job.object, "FailedDelete", &format!("Deleted job: {problem}")).await;
            return Err(problem);
        }
        status.active.retain(|active| active.uid != job.meta.uid);
        self.tell(&cron_job.object, "SuccessfulDelete", &format!("Deleted job {}", job.meta.name)).await;
        Ok(())
    }

    async fn create(
        &self,
        cron_job: &Item<CronJob>,
        at: Timestamp,
        zone: &TimeZone,
        status: &mut CronJobStatus,
    ) -> Result<(), Error> {
        let object = &cron_job.object;
        let body = job(object, at, zone)?;
        let made = match self.world.jobs.create(&object.cluster, &body).await {
            Ok(made) => {
                self.tell(object, "SuccessfulCreate", &format!("Created job {}", made.meta.name)).await;
                made
            }
            // It was made, and then the status could not be written, or it is another's.
            Err(problem) if problem.is_already_exists() => {
                let name = decide::job_name(&object.meta.name, at);
                let key = ObjectKey::new(&object.cluster, &object.meta.namespace, &name);
                let live = self.world.jobs.live(&key).await?;
                let ours = live.filter(|job| job.meta.controller().is_some_and(|owner| owner.uid == object.meta.uid));
                match ours {
                    Some(job) => job,
                    None => return Ok(()),
                }
            }
            Err(problem) => {
                if !problem.is_namespace_terminating() {
                    self.warn(object, "FailedCreate", &format!("Error creating job: {problem}")).await;
                }
                return Err(problem.into());
            }
        };
        if !status.active.iter().any(|active| active.uid == made.meta.uid) {
            status.active.push(Reference::of(&made));
        }
        status.last_schedule_time = Some(at);
        Ok(())
    }

    async fn tell(&self, object: &Object, reason: &str, message: &str) {
        self.recorder.record(object, EventKind::Normal, reason, "", message).await;
    }

    async fn warn(&self, object: &Object, reason: &str, message: &str) {
        self.recorder.record(object, EventKind::Warning, reason, "", message).await;
    }
}

/// The job of a cron job for the time at which it was due.
fn job(cron_job: &Object, at: Timestamp, zone: &TimeZone) -> Result<Value, Status> {
    let mut template = cron_job.value()?["spec"]["jobTemplate"].take();
    let mut metadata = json!({
        "name": decide::job_name(&cron_job.meta.name, at),
        "namespace": cron_job.meta.namespace,
        "ownerReferences": [owner::reference(&gvk(), &cron_job.meta, true)],
    });
    for field in ["labels", "annotations"] {
        let stated = template["metadata"][field].take();
        if !stated.is_null() {
            metadata[field] = stated;
        }
    }
    let at = at.to_zoned(zone.clone());
    let format = if at.offset().is_zero() { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%:z" };
    metadata["annotations"][SCHEDULED] = json!(at.strftime(format).to_string());
    Ok(json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"].take() }))
}
