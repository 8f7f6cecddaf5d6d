//! Runs pods of a job until enough of them have succeeded, or the job has
//! failed: observes pods, decides in `decide`, creates and deletes, and counts
//! every pod that ended exactly once, in `report`.

mod act;
mod backoff;
mod decide;
mod facts;
mod indexes;
mod leftover;
mod policy;
mod report;
#[cfg(test)]
mod samples;
mod tally;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use api::Gvk;
use client::{Change, Item, ObjectKey};
use controller::{Controller, Error, EventKind, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::json;

use crate::claim::{self, Claimant};
use crate::views::{Job, JobStatus, Pod, TRACKING, is_tracked, owned_by};
use crate::world::World;
use act::Hands;
use backoff::Failures;
use decide::{Plan, Verdict};
use report::{Found, Report};
use tally::Tally;

const WORKERS: usize = 8;

pub(crate) fn gvk() -> Gvk {
    Gvk::new("batch", "v1", "Job")
}

pub(crate) fn start(world: &World) {
    let jobs = Jobs { world: world.clone(), recorder: world.recorder("job-controller"), failures: Mutex::default() };
    let of_pod = world.clone();
    Controller::new("jobs", Arc::new(jobs))
        .owns(world.jobs.cache())
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change))
        .workers(WORKERS)
        .start(world.tasks());
    leftover::start(world);
}

/// The jobs that a pod concerns: its owners before and now, or, for an orphan, those that could
/// adopt it.
fn keys_of_pod(world: &World, change: &Change) -> Vec<ObjectKey> {
    claim::concerned("Job", change, |pod| {
        let jobs = world.jobs.find_in(&pod.cluster, &pod.meta.namespace);
        let selecting = jobs.iter().filter(|job| job.view.selector.matches_map(&pod.meta.labels));
        selecting.map(|job| job.key()).collect()
    })
}

struct Jobs {
    world: World,
    recorder: Recorder,
    /// What failed lately, by job and uid. Lost with the process, and then told from the pods
    /// that are there.
    failures: Mutex<HashMap<ObjectKey, (String, Failures)>>,
}

impl Reconciler for Jobs {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.world.jobs.get(key) {
                Some(job) if job.view.status.end().is_none() && !job.view.is_foreign() => self.sync(&job).await,
                _ => {
                    self.failures.lock().remove(key);
                    Ok(Next::Done)
                }
            }
        })
    }
}

impl Jobs {
    async fn sync(&self, job: &Item<Job>) -> Result<Next, Error> {
        let pods = self.claim(job).await?;
        let now = self.world.clock().now();
        let tally = Tally::of(&job.view, &pods);
        let failures = self.failures_of(job, &pods).then(&tally.new_succeeded, &tally.new_failed);
        let verdict = decide::verdict(&job.view, &tally, &pods, now);
        let is_deleting = job.object.meta.is_deleting();
        let plan = match &verdict {
            None if is_deleting => Plan::default(),
            verdict => decide::plan(&job.view, &tally, &pods, verdict.is_some(), failures, now),
        };
        let hands = Hands { world: &self.world, recorder: &self.recorder, gvk: gvk(), job: &job.object };
        let outcome = hands.act(&plan.act).await;

        let after = self.world.pods.find(&job.object.cluster, &owned_by(&job.object.meta.uid));
        let active = after.iter().filter(|pod| facts::is_active(pod)).count();
        // As long as pods are left that should be gone, the job is not over.
        let verdict = verdict.or_else(|| decide::completion(&job.view, &tally, active)).filter(|_| outcome.is_ok());
        let found = Found { job: &job.view, is_deleting, pods: &pods, tally: &tally, verdict: verdict.as_ref() };
        let now = in_seconds(now);
        let report = report::first(&found, &after, now);
        self.report(job, report, verdict.as_ref(), &hands, failures, now).await?;
        outcome?;
        Ok(next(&job.view, &plan, verdict.is_some(), now))
    }

    async fn claim(&self, job: &Item<Job>) -> Result<Vec<Arc<Item<Pod>>>, Error> {
        let claimant =
            Claimant { gvk: gvk(), owner: &job.object, selector: &job.view.selector, owners: &self.world.jobs };
        claimant.claim_with(&self.world.pods, TRACKING).await
    }

    /// What had failed before the pods that are not counted yet.
    fn failures_of(&self, job: &Item<Job>, pods: &[Arc<Item<Pod>>]) -> Failures {
        let uid = &job.object.meta.uid;
        let held = self.failures.lock().get(&job.key()).filter(|(held, _)| held == uid).map(|(_, failures)| *failures);
        if let Some(failures) = held {
            return failures;
        }
        let counted = || pods.iter().map(|pod| &**pod).filter(|pod| !is_tracked(&pod.object.meta));
        let succeeded: Vec<&Item<Pod>> = counted().filter(|pod| facts::has_succeeded(pod)).collect();
        let failed: Vec<&Item<Pod>> = counted().filter(|pod| facts::has_failed(&job.view, pod)).collect();
        Failures::default().then(&succeeded, &failed)
    }

    /// Writes the status that names the pods that ended, lets these go, and counts them.
    async fn report(
        &self,
        job: &Item<Job>,
        report: Report,
        verdict: Option<&Verdict>,
        hands: &Hands<'_>,
        failures: Failures,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Report { mut status, free, is_cut, happened } = report;
        self.world.jobs.update_status(&job.object, json!(status)).await?;
        self.failures.lock().insert(job.key(), (job.object.meta.uid.clone(), failures));
        if let Some((reason, message)) = happened {
            self.recorder.record(&job.object, EventKind::Normal, reason, "", message).await;
        }
        let outcome = hands.free(&free).await;

        let written = self.world.jobs.get(&job.key()).filter(|held| held.view.status == status);
        // Another wrote meanwhile: its change leads here again.
        let Some(written) = written else { return outcome };
        let pods = self.world.pods.find(&job.object.cluster, &owned_by(&job.object.meta.uid));
        let tracked = pods.iter().filter(|pod| is_tracked(&pod.object.meta));
        let tracked: HashSet<&str> = tracked.map(|pod| pod.object.meta.uid.as_str()).collect();
        let verdict = verdict.filter(|_| outcome.is_ok() && !is_cut);
        let is_over = report::second(&mut status, &tracked, verdict, now);
        self.world.jobs.update_status(&written.object, json!(status)).await?;
        if let Some(verdict) = verdict.filter(|_| is_over) {
            self.tell_end(job, &status, verdict).await;
        }
        outcome
    }

    async fn tell_end(&self, job: &Item<Job>, status: &JobStatus, verdict: &Verdict) {
        let object = &job.object;
        if !verdict.is_success {
            self.recorder.record(object, EventKind::Warning, &verdict.reason, "", &verdict.message).await;
            return;
        }
        if job.view.spec.completions.is_some_and(|completions| status.succeeded > completions) {
            let message = "Too many succeeded pods running after completion count reached";
            self.recorder.record(object, EventKind::Warning, "TooManySucceededPods", "", message).await;
        }
        self.recorder.record(object, EventKind::Normal, "Completed", "", "Job completed").await;
    }
}

/// No event tells that a back-off or the time that a job may run is over.
fn next(job: &Job, plan: &Plan, is_over: bool, now: Timestamp) -> Next {
    let deadline = decide::time_left(job, now).filter(|_| !is_over);
    let due = plan.wait.into_iter().chain(deadline).min();
    due.map_or(Next::Done, |due| Next::After(Duration::try_from(due.max(SignedDuration::ZERO)).unwrap_or_default()))
}

/// Times in objects have whole seconds.
fn in_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
