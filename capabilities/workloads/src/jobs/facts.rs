//! What one pod is to its job. Pure.

use api::ObjectMeta;
use client::Item;
use jiff::{SignedDuration, Timestamp};

use crate::views::{ContainerStatus, Job, Phase, Pod};

/// The number of a pod of an indexed job.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// How often pods of the same index failed before this one.
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// How many failures of the index a pod failure policy ignored.
pub(super) const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// Whether it counts as one that runs.
pub(super) fn is_active(pod: &Item<Pod>) -> bool {
    !pod.view.is_finished() && !pod.object.meta.is_deleting()
}

/// Whether it was asked to end and has not.
pub(super) fn is_terminating(pod: &Item<Pod>) -> bool {
    !pod.view.is_finished() && pod.object.meta.is_deleting()
}

/// Whether it failed, which it did, too, when it was deleted before it ended, unless the job
/// waits for what comes of it.
pub(super) fn has_failed(job: &Job, pod: &Item<Pod>) -> bool {
    pod.view.status.phase == Phase::Failed || (is_terminating(pod) && !job.replaces_only_failed())
}

pub(super) fn has_succeeded(pod: &Item<Pod>) -> bool {
    pod.view.status.phase == Phase::Succeeded
}

/// Its number, if it has one that its job still asks for.
pub(super) fn index(job: &Job, pod: &Item<Pod>) -> Option<usize> {
    let index = stated_index(pod)?;
    (index < job.spec.completions.unwrap_or(0)).then_some(index)
}

/// Its number, if it has one.
pub(super) fn stated_index(pod: &Item<Pod>) -> Option<usize> {
    pod.object.meta.annotations.get(INDEX)?.parse().ok()
}

/// How often its index failed before it: counted, and ignored.
pub(super) fn earlier_failures(pod: &Item<Pod>) -> (i64, i64) {
    let meta = &pod.object.meta;
    (count(meta, FAILURES), count(meta, IGNORED_FAILURES))
}

fn count(meta: &ObjectMeta, annotation: &str) -> i64 {
    let count = meta.annotations.get(annotation).and_then(|count| count.parse::<i32>().ok());
    count.map_or(0, |count| i64::from(count.max(0)))
}

/// When it ended, as well as can be told: by its containers, else since when it is not ready,
/// else when it was deleted, else when it was made.
pub(super) fn ended_at(pod: &Item<Pod>) -> Timestamp {
    let not_ready = || pod.view.condition("Ready").filter(|held| &*held.status == "False")?.last_transition_time;
    by_containers(pod).or_else(not_ready).or_else(|| deleted_at(&pod.object.meta)).unwrap_or_else(|| {
        let created = pod.object.meta.creation_timestamp.as_deref();
        created.and_then(|time| time.parse().ok()).unwrap_or_default()
    })
}

/// Containers beside the main ones that run as long end last.
fn by_containers(pod: &Item<Pod>) -> Option<Timestamp> {
    let (spec, status) = (&pod.view.spec, &pod.view.status);
    let sidecars =
        spec.init_containers.iter().filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let beside: Vec<&str> = sidecars.map(|container| &*container.name).collect();
    let beside = status.init_container_statuses.iter().filter(|status| beside.contains(&&*status.name));
    let ends = status.container_statuses.iter().chain(beside).map(ContainerStatus::ended_at);
    let ends: Option<Vec<Timestamp>> = ends.collect();
    ends?.into_iter().max()
}

/// A deletion is dated when its grace is over.
fn deleted_at(meta: &ObjectMeta) -> Option<Timestamp> {
    let due: Timestamp = meta.deletion_timestamp.as_deref()?.parse().ok()?;
    let grace = SignedDuration::from_secs(meta.deletion_grace_period_seconds.unwrap_or(0));
    due.checked_sub(grace).ok()
}
