//! What the pods of a job come to, those included that its status does not
//! count yet. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use client::Item;

use super::facts;
use super::indexes::Indexes;
use super::policy::{self, Meaning};
use crate::views::{Job, Pod, is_tracked};

/// The pods of a job, summed up.
#[derive(Debug, Default)]
pub(super) struct Tally<'a> {
    /// Successes; of an indexed job, its indexes that succeeded.
    pub(super) succeeded: usize,
    /// Failures that count.
    pub(super) failed: usize,
    /// Pods that succeeded and that no status has named yet.
    pub(super) new_succeeded: Vec<&'a Item<Pod>>,
    /// Pods that failed and that no status has named yet.
    pub(super) new_failed: Vec<&'a Item<Pod>>,
    /// Indexes that succeeded.
    pub(super) done: Indexes,
    /// Indexes that failed for good, if the job limits failures by index.
    pub(super) failed_indexes: Option<Indexes>,
    /// By index, the last pod that failed and has no successor yet. It is kept until it has one,
    /// which takes over its count of failures.
    pub(super) unreplaced: BTreeMap<usize, &'a Item<Pod>>,
}

impl<'a> Tally<'a> {
    /// Sums up.
    pub(super) fn of(job: &Job, pods: &'a [Arc<Item<Pod>>]) -> Tally<'a> {
        let uncounted = job.status.uncounted_terminated_pods.clone().unwrap_or_default();
        let named_succeeded: BTreeSet<&str> = uncounted.succeeded.iter().map(String::as_str).collect();
        let named_failed: BTreeSet<&str> = uncounted.failed.iter().map(String::as_str).collect();
        let tracked = || pods.iter().map(|pod| &**pod).filter(|pod| is_valid(job, pod));
        let is_named = |named: &BTreeSet<&str>, pod: &Item<Pod>| named.contains(pod.object.meta.uid.as_str());

        let new_succeeded: Vec<&Item<Pod>> =
            tracked().filter(|pod| facts::has_succeeded(pod) && !is_named(&named_succeeded, pod)).collect();
        let new_failed: Vec<&Item<Pod>> =
            tracked().filter(|pod| facts::has_failed(job, pod) && !is_named(&named_failed, pod)).collect();
        let counted = new_failed.iter().filter(|pod| policy::meaning(job, pod) != Meaning::Ignored).count();
        let mut tally = Tally {
            succeeded: job.status.succeeded + new_succeeded.len() + named_succeeded.len(),
            failed: job.status.failed + counted + named_failed.len(),
            new_succeeded,
            new_failed,
            ..Tally::default()
        };
        if job.is_indexed() {
            tally.sum_up_indexes(job, pods);
        }
        tally
    }

    fn sum_up_indexes(&mut self, job: &Job, pods: &'a [Arc<Item<Pod>>]) {
        let completions = job.spec.completions.unwrap_or(0);
        let tracked = || pods.iter().map(|pod| &**pod).filter(|pod| is_valid(job, pod));
        let succeeded = tracked().filter(|pod| facts::has_succeeded(pod)).filter_map(|pod| facts::index(job, pod));
        self.done = Indexes::parse(&job.status.completed_indexes, completions).with(succeeded);
        self.succeeded = self.done.count();
        let Some(limit) = job.spec.backoff_limit_per_index else { return };
        let failed = tracked().filter(|pod| fails_its_index(job, pod, limit)).filter_map(|pod| facts::index(job, pod));
        let held = job.status.failed_indexes.as_deref().unwrap_or_default();
        let failed = Indexes::parse(held, completions).with(failed);

        let active = pods.iter().filter(|pod| facts::is_active(pod)).filter_map(|pod| facts::index(job, pod));
        let over = self.done.and(&failed).with(active);
        for pod in tracked().filter(|pod| facts::has_failed(job, pod)) {
            let Some(index) = facts::index(job, pod).filter(|index| !over.has(*index)) else { continue };
            match self.unreplaced.get(&index) {
                Some(held) if order(held) > order(pod) => {}
                _ => drop(self.unreplaced.insert(index, pod)),
            }
        }
        self.failed_indexes = Some(failed);
    }
}

/// Whether it waits to be counted, and can be.
fn is_valid(job: &Job, pod: &Item<Pod>) -> bool {
    is_tracked(&pod.object.meta) && (!job.is_indexed() || facts::index(job, pod).is_some())
}

fn fails_its_index(job: &Job, pod: &Item<Pod>, limit: i64) -> bool {
    if !facts::has_failed(job, pod) {
        return false;
    }
    match policy::meaning(job, pod) {
        Meaning::FailsIndex => true,
        Meaning::Ignored => false,
        Meaning::Counts | Meaning::FailsJob(_) => facts::earlier_failures(pod).0 >= limit,
    }
}

/// Orders pods of one index by their succession.
fn order(pod: &Item<Pod>) -> impl Ord + use<> {
    let (counted, ignored) = facts::earlier_failures(pod);
    (counted + ignored, facts::ended_at(pod))
}
