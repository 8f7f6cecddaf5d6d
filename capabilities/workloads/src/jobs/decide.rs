//! Whether a job is over, and which pods it lacks or has too many of. Pure.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use client::Item;
use jiff::{SignedDuration, Timestamp};

use super::backoff::{self, Failures};
use super::facts;
use super::indexes::Indexes;
use super::policy::{self, Meaning};
use super::tally::Tally;
use crate::views::{Job, Phase, Pod};

/// Pods that are made or deleted at once at most.
const BURST: usize = 500;

/// How a job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) is_success: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Verdict {
    fn failure(reason: &str, message: &str) -> Verdict {
        Verdict { is_success: false, reason: reason.to_owned(), message: message.to_owned() }
    }

    fn success(reason: &str, message: &str) -> Verdict {
        Verdict { is_success: true, reason: reason.to_owned(), message: message.to_owned() }
    }
}

/// What is to be done about the pods of a job.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) act: Act,
    /// Until pods may be replaced that failed.
    pub(super) wait: Option<SignedDuration>,
}

#[derive(Debug, Default)]
pub(super) enum Act {
    #[default]
    Nothing,
    Create(Vec<NewPod>),
    /// Deletes pods which the job counts once they have ended: it is over.
    End(Vec<Arc<Item<Pod>>>),
    /// Deletes pods which the job never counts: it does not want them now.
    Discard(Vec<Arc<Item<Pod>>>),
}

/// A pod to be made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NewPod {
    /// Its number, of an indexed job.
    pub(super) index: Option<usize>,
    /// Failures of its index so far, counted and ignored, if the job limits them.
    pub(super) failures: Option<(i64, i64)>,
}

/// Since when the job runs: a job that is suspended does not, and one that is resumed starts anew.
pub(super) fn start_time(job: &Job, now: Timestamp) -> Option<Timestamp> {
    if job.spec.suspend {
        return job.status.start_time;
    }
    let is_resumed = job.status.holds("Suspended").is_some();
    job.status.start_time.filter(|_| !is_resumed).or(Some(now))
}

/// Until the job has run for as long as it may; negative from then on.
pub(super) fn time_left(job: &Job, now: Timestamp) -> Option<SignedDuration> {
    let limit = job.spec.active_deadline_seconds.filter(|_| !job.spec.suspend)?;
    let start = start_time(job, now)?;
    Some(SignedDuration::from_secs(limit) - now.duration_since(start))
}

/// How the job ends, if it does so for another reason than that all is done.
pub(super) fn verdict(job: &Job, tally: &Tally<'_>, pods: &[Arc<Item<Pod>>], now: Timestamp) -> Option<Verdict> {
    if let Some(held) = job.status.holds("SuccessCriteriaMet") {
        return Some(Verdict::success(&held.reason, &held.message));
    }
    if let Some(held) = job.status.holds("FailureTarget") {
        return Some(Verdict::failure(&held.reason, &held.message));
    }
    let failed = pods.iter().filter(|pod| facts::has_failed(job, pod));
    let mut fatal = failed.filter_map(|pod| match policy::meaning(job, pod) {
        Meaning::FailsJob(message) => Some(message),
        _ => None,
    });
    if let Some(message) = fatal.next() {
        return Some(Verdict::failure("PodFailurePolicy", &message));
    }
    let limit = usize::try_from(job.spec.backoff_limit).unwrap_or(0);
    if tally.failed > limit || restarts_exceed(job, pods) {
        return Some(Verdict::failure("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    }
    if time_left(job, now).is_some_and(|left| left <= SignedDuration::ZERO) {
        return Some(Verdict::failure("DeadlineExceeded", "Job was active longer than specified deadline"));
    }
    if job.is_indexed() { verdict_by_index(job, tally) } else { None }
}

/// Where containers are restarted in their pods, restarts are the failures.
fn restarts_exceed(job: &Job, pods: &[Arc<Item<Pod>>]) -> bool {
    if &*job.spec.template.spec.restart_policy != "OnFailure" {
        return false;
    }
    let live = pods.iter().filter(|pod| matches!(pod.view.status.phase, Phase::Pending | Phase::Running));
    let restarts: i64 = live.map(|pod| i64::from(pod.view.all_restarts())).sum();
    restarts >= job.spec.backoff_limit.max(1)
}

fn verdict_by_index(job: &Job, tally: &Tally<'_>) -> Option<Verdict> {
    let completions = job.spec.completions.unwrap_or(0);
    if let Some(failed) = tally.failed_indexes.as_ref().map(Indexes::count) {
        if job.spec.max_failed_indexes.is_some_and(|most| failed > most) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Verdict::failure("MaxFailedIndexesExceeded", message));
        }
        if failed > 0 && failed + tally.done.count() >= completions {
            return Some(Verdict::failure("FailedIndexes", "Job has failed indexes"));
        }
    }
    let rule = policy::success(job.spec.success_policy.as_ref(), completions, &tally.done)?;
    Some(Verdict::success("SuccessPolicy", &format!("Matched rules at index {rule}")))
}

/// Success, when as many pods succeeded as the job asks for and none is left.
pub(super) fn completion(job: &Job, tally: &Tally<'_>, active: usize) -> Option<Verdict> {
    // Without a number, any success speaks for the job.
    let wanted = job.spec.completions.unwrap_or(1);
    let is_complete = tally.succeeded >= wanted && active == 0;
    is_complete.then(|| Verdict::success("CompletionsReached", "Reached expected number of succeeded pods"))
}

/// What to do about the pods of a job that has come to this verdict, or to none. The job is not
/// one under deletion, unless it is over.
pub(super) fn plan(
    job: &Job,
    tally: &Tally<'_>,
    pods: &[Arc<Item<Pod>>],
    is_over: bool,
    failures: Failures,
    now: Timestamp,
) -> Plan {
    let mut active: Vec<&Arc<Item<Pod>>> = pods.iter().filter(|pod| facts::is_active(pod)).collect();
    let all = || active.iter().map(|pod| (*pod).clone()).collect();
    if is_over {
        return Plan { act: Act::End(all()), wait: None };
    }
    if job.spec.suspend {
        return Plan { act: Act::Discard(all()), wait: None };
    }
    let running = active.len();
    let wanted = match job.spec.completions {
        None if tally.succeeded > 0 => running,
        None => job.spec.parallelism,
        Some(completions) => completions.saturating_sub(tally.succeeded).min(job.spec.parallelism),
    };
    let excess = excess(job, &mut active, running.saturating_sub(wanted));
    if !excess.is_empty() {
        return Plan { act: Act::Discard(excess), wait: None };
    }
    let ending: Vec<&Arc<Item<Pod>>> = match job.replaces_only_failed() {
        true => pods.iter().filter(|pod| facts::is_terminating(pod)).collect(),
        false => Vec::new(),
    };
    let missing = wanted.saturating_sub(running + ending.len()).min(BURST);
    if missing == 0 {
        return Plan::default();
    }
    if !job.is_indexed() {
        return when_due(failures.wait(now), || (0..missing).map(|_| NewPod::default()).collect());
    }
    let taken = active.iter().chain(&ending).filter_map(|pod| facts::stated_index(pod));
    let mut taken = tally.done.with(taken);
    if let Some(failed) = &tally.failed_indexes {
        taken = taken.and(failed);
    }
    let free = taken.missing(job.spec.completions.unwrap_or(0), missing);
    if job.spec.backoff_limit_per_index.is_some() {
        return by_index(job, &free, &tally.unreplaced, now);
    }
    when_due(failures.wait(now), || free.iter().map(|index| NewPod { index: Some(*index), failures: None }).collect())
}

fn when_due(wait: SignedDuration, pods: impl FnOnce() -> Vec<NewPod>) -> Plan {
    if wait.is_zero() {
        Plan { act: Act::Create(pods()), wait: None }
    } else {
        Plan { act: Act::Nothing, wait: Some(wait) }
    }
}

/// Where each index has its own back-off, those are made that are due.
fn by_index(job: &Job, free: &BTreeSet<usize>, unreplaced: &BTreeMap<usize, &Item<Pod>>, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let mut due = Vec::new();
    for index in free {
        let last = unreplaced.get(index);
        let wait = last.map_or(SignedDuration::ZERO, |pod| {
            let (counted, ignored) = facts::earlier_failures(pod);
            backoff::wait_after(counted + ignored + 1, facts::ended_at(pod), now)
        });
        if wait.is_zero() {
            let failures = last.map_or((0, 0), |pod| failures_after(job, pod));
            due.push(NewPod { index: Some(*index), failures: Some(failures) });
        } else {
            plan.wait = plan.wait.map_or(Some(wait), |held| Some(held.min(wait)));
        }
    }
    if !due.is_empty() {
        plan.act = Act::Create(due);
    }
    plan
}

/// The failures of an index after this one.
fn failures_after(job: &Job, pod: &Item<Pod>) -> (i64, i64) {
    let (counted, ignored) = facts::earlier_failures(pod);
    match policy::meaning(job, pod) {
        Meaning::Ignored => (counted, ignored + 1),
        _ => (counted + 1, ignored),
    }
}

/// Active pods that are too many: of an indexed job first those without a valid number and
/// those whose number another has, then those that are missed least, until `at_least` are found.
fn excess(job: &Job, active: &mut Vec<&Arc<Item<Pod>>>, at_least: usize) -> Vec<Arc<Item<Pod>>> {
    active.sort_by_cached_key(|pod| rank(pod));
    let mut excess: Vec<Arc<Item<Pod>>> = Vec::new();
    if job.is_indexed() {
        let mut seen = BTreeSet::new();
        // Those that are missed most come last and keep their number.
        let mut kept: Vec<&Arc<Item<Pod>>> = Vec::new();
        for pod in active.iter().rev() {
            match facts::index(job, pod) {
                Some(index) if seen.insert(index) => kept.push(pod),
                _ => excess.push((*pod).clone()),
            }
        }
        kept.reverse();
        *active = kept;
    }
    let more = at_least.saturating_sub(excess.len());
    excess.extend(active.iter().take(more).map(|pod| (*pod).clone()));
    excess.truncate(BURST);
    excess
}

/// Orders active pods, those first that are missed least: without a node, not running, not ready,
/// ready for a short time, restarted often, young.
fn rank(pod: &Item<Pod>) -> impl Ord + use<> {
    let (meta, view) = (&pod.object.meta, &pod.view);
    (
        !view.spec.node_name.is_empty(),
        view.status.phase,
        view.is_ready(),
        Reverse(view.ready_since()),
        Reverse(view.restarts()),
        Reverse(meta.creation_timestamp.clone()),
        meta.uid.clone(),
    )
}
