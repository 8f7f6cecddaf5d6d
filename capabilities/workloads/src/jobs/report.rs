//! The status of a job: every pod that ended is counted in it exactly once,
//! whenever the controller dies. First the status names the pods that are about
//! to be counted, then these lose their finalizers, then those named that have
//! none are counted and named no more. Pure.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use client::Item;
use jiff::Timestamp;

use super::decide::{self, Verdict};
use super::facts;
use super::policy::{self, Meaning};
use super::tally::Tally;
use crate::views::{Job, JobCondition, JobStatus, Pod, Uncounted, is_tracked};

/// Pods that are named in one status at most, so that it stays small.
const MOST_NAMED: usize = 500;

/// A job as it was found.
pub(super) struct Found<'a> {
    pub(super) job: &'a Job,
    pub(super) is_deleting: bool,
    /// Its pods, before anything was done about them.
    pub(super) pods: &'a [Arc<Item<Pod>>],
    pub(super) tally: &'a Tally<'a>,
    /// How it ends, if it does.
    pub(super) verdict: Option<&'a Verdict>,
}

/// What is reported before finalizers are removed.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) status: JobStatus,
    /// Pods to take the finalizer from.
    pub(super) free: Vec<Arc<Item<Pod>>>,
    /// Whether some pods have to wait for their turn.
    pub(super) is_cut: bool,
    /// What happened, as the reason and the message of an event.
    pub(super) happened: Option<(&'static str, &'static str)>,
}

/// The first report, which names the pods that have ended. `after` are the pods of the job after
/// all that was done about them; `is_settled` says that nothing is left to be done.
pub(super) fn first(found: &Found<'_>, after: &[Arc<Item<Pod>>], now: Timestamp) -> Report {
    let job = found.job;
    let mut status = job.status.clone();
    status.start_time = decide::start_time(job, now);
    let active = after.iter().filter(|pod| facts::is_active(pod));
    status.active = active.clone().count();
    status.ready = Some(active.filter(|pod| pod.view.is_ready()).count());
    status.terminating = Some(after.iter().filter(|pod| facts::is_terminating(pod)).count());
    status.uncounted_terminated_pods.get_or_insert_default();

    let tracked = found.pods.iter().filter(|pod| is_tracked(&pod.object.meta));
    count(&mut status, &tracked.map(|pod| pod.object.meta.uid.as_str()).collect());
    let happened = suspension(found, &mut status, now);
    let (free, is_cut) = name(found, &mut status);
    if job.is_indexed() {
        status.succeeded = found.tally.done.count();
        status.completed_indexes = found.tally.done.to_string();
        status.failed_indexes = found.tally.failed_indexes.as_ref().map(ToString::to_string);
    }
    if let Some(verdict) = found.verdict {
        let kind = if verdict.is_success { "SuccessCriteriaMet" } else { "FailureTarget" };
        if status.holds(kind).is_none() {
            set(&mut status, kind, true, &verdict.reason, &verdict.message, now);
        }
    }
    Report { status, free, is_cut, happened }
}

/// The second report: counts what was named and has no finalizer any more, and ends the job if
/// nothing is left. `tracked` are the uids of the pods that still have one.
pub(super) fn second(
    status: &mut JobStatus,
    tracked: &HashSet<&str>,
    verdict: Option<&Verdict>,
    now: Timestamp,
) -> bool {
    count(status, tracked);
    let is_counted = status.uncounted_terminated_pods.as_ref().is_none_or(|held| *held == Uncounted::default());
    let Some(verdict) = verdict.filter(|_| is_counted && status.terminating.unwrap_or(0) == 0) else { return false };
    let kind = if verdict.is_success { "Complete" } else { "Failed" };
    set(status, kind, true, &verdict.reason, &verdict.message, now);
    if verdict.is_success {
        status.completion_time = Some(now);
    }
    true
}

/// Counts the pods that are named and have no finalizer.
fn count(status: &mut JobStatus, tracked: &HashSet<&str>) {
    let Some(uncounted) = &mut status.uncounted_terminated_pods else { return };
    for (named, count) in
        [(&mut uncounted.succeeded, &mut status.succeeded), (&mut uncounted.failed, &mut status.failed)]
    {
        let before = named.len();
        named.retain(|uid| tracked.contains(uid.as_str()));
        *count += before - named.len();
    }
}

/// Names the pods that have ended; returns them and whether there are more.
fn name(found: &Found<'_>, status: &mut JobStatus) -> (Vec<Arc<Item<Pod>>>, bool) {
    let mut pods: Vec<&Arc<Item<Pod>>> = found.pods.iter().filter(|pod| may_be_freed(found, pod)).collect();
    if found.job.is_indexed() {
        pods.sort_by_key(|pod| facts::stated_index(pod));
    }
    let held = status.uncounted_terminated_pods.get_or_insert_default();
    let mut named: HashSet<String> = held.succeeded.iter().chain(&held.failed).cloned().collect();
    let (mut free, mut by_index) = (Vec::new(), 0);
    for pod in pods {
        if named.len() + by_index >= MOST_NAMED {
            return (free, true);
        }
        free.push(pod.clone());
        let uid = &pod.object.meta.uid;
        if named.contains(uid) {
            continue;
        }
        let index = facts::index(found.job, pod);
        if facts::has_succeeded(pod) {
            // The index itself says that it is counted.
            if found.job.is_indexed() {
                by_index += usize::from(index.is_some());
            } else {
                held.succeeded.push(uid.clone());
                named.insert(uid.clone());
            }
        } else if counts_as_failed(found, pod) && (!found.job.is_indexed() || index.is_some()) {
            held.failed.push(uid.clone());
            named.insert(uid.clone());
        }
    }
    (free, false)
}

/// Whether a pod that waits to be counted can be let go: it has ended, or nobody will ask.
fn may_be_freed(found: &Found<'_>, pod: &Item<Pod>) -> bool {
    if !is_tracked(&pod.object.meta) {
        return false;
    }
    if found.is_deleting || found.verdict.is_some() || facts::has_succeeded(pod) {
        return true;
    }
    if !facts::has_failed(found.job, pod) {
        return false;
    }
    let last = facts::index(found.job, pod).and_then(|index| found.tally.unreplaced.get(&index));
    last.is_none_or(|last| last.object.meta.uid != pod.object.meta.uid)
}

/// Pods that a failed job stops are failures, too.
fn counts_as_failed(found: &Found<'_>, pod: &Item<Pod>) -> bool {
    let is_stopped = found.verdict.is_some_and(|verdict| !verdict.is_success);
    (is_stopped || facts::has_failed(found.job, pod)) && policy::meaning(found.job, pod) != Meaning::Ignored
}

/// Reports that a job that goes on is suspended or resumed.
fn suspension(found: &Found<'_>, status: &mut JobStatus, now: Timestamp) -> Option<(&'static str, &'static str)> {
    if found.verdict.is_some() || found.is_deleting {
        return None;
    }
    match (found.job.spec.suspend, status.holds("Suspended").is_some()) {
        (true, false) => {
            set(status, "Suspended", true, "JobSuspended", "Job suspended", now);
            Some(("Suspended", "Job suspended"))
        }
        (false, true) => {
            set(status, "Suspended", false, "JobResumed", "Job resumed", now);
            Some(("Resumed", "Job resumed"))
        }
        _ => None,
    }
}

fn set(status: &mut JobStatus, kind: &str, holds: bool, reason: &str, message: &str, now: Timestamp) {
    let condition = JobCondition {
        kind: kind.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        last_probe_time: Some(now),
        last_transition_time: Some(now),
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    match status.conditions.iter_mut().find(|held| held.kind == kind) {
        Some(held) => *held = condition,
        None => status.conditions.push(condition),
    }
}
