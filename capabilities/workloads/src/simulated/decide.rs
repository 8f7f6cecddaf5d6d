//! What a simulated node does about a pod next, and when. It is told by the
//! pod's own status how far the pod is, so it needs no memory. Pure.

#[cfg(test)]
mod tests;

use std::time::Duration;

use api::ObjectMeta;
use jiff::{SignedDuration, Timestamp};

use super::marks::{End, Wishes};
use super::pod::{Pod, RestartPolicy};

/// The stages that are there without a Stage object; one of the same name replaces them.
pub(super) const READY: &str = "pod-ready";
pub(super) const COMPLETE: &str = "pod-complete";
pub(super) const DELETE: &str = "pod-delete";
pub(super) const FAIL: &str = "pod-container-running-failed";

/// Exit code of what ends by SIGTERM.
const TERMINATED: i32 = 143;
const FIRST_BACKOFF: Duration = Duration::from_secs(10);
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// One step of a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Move {
    /// The stage that it is.
    pub(super) stage: &'static str,
    /// When.
    pub(super) at: Timestamp,
    pub(super) act: Act,
}

/// What happens to a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// Its containers run; ready or not.
    Start { ready: bool },
    /// Its images cannot be pulled.
    FailPull,
    /// Its containers end for good.
    End { exit_code: i32 },
    /// Its containers have ended and are started again after a while.
    Crash { exit_code: i32, backoff: Duration },
    /// Its containers are started again; `exit_code` is how they ended if that was just now.
    Restart { exit_code: Option<i32>, ready: bool },
    /// It fails for good as its label says.
    Fail,
    /// It is removed.
    Remove,
}

/// The next step; `None` if nothing happens by itself.
pub(super) fn next(meta: &ObjectMeta, pod: &Pod, wishes: &Wishes, now: Timestamp) -> Option<Move> {
    if meta.is_deleting() {
        return removal(meta, pod, wishes, now);
    }
    if pod.is_finished() {
        return None;
    }
    if pod.status.pod_ip.is_empty() {
        return start(pod, wishes, now);
    }
    if let Some(failing) = &wishes.failing {
        let at = after(pod.status.start_time.unwrap_or(now), failing.after);
        return Some(Move { stage: FAIL, at, act: Act::Fail });
    }
    wishes.end.and_then(|end| run(pod, wishes, end, now))
}

/// What is deleted ends within its grace period. The pod's status tells how it ended if somebody
/// holds it back by a finalizer to read it.
fn removal(meta: &ObjectMeta, pod: &Pod, wishes: &Wishes, now: Timestamp) -> Option<Move> {
    let grace = Duration::from_secs(meta.deletion_grace_period_seconds.unwrap_or(0).unsigned_abs());
    let is_held = !meta.finalizers.is_empty();
    if grace.is_zero() && is_held && pod.is_finished() {
        // It was removed already, as far as that is ours.
        return None;
    }
    let deadline = meta.deletion_timestamp.as_deref().and_then(|time| time.parse().ok()).unwrap_or(now);
    let asked = SignedDuration::try_from(grace).ok().and_then(|grace| deadline.checked_sub(grace).ok());
    let takes = if pod.is_finished() { Duration::ZERO } else { wishes.deletes_after.min(grace) };
    let at = after(asked.unwrap_or(deadline), takes).min(deadline.max(now));
    let act = if is_held && !pod.is_finished() { Act::End { exit_code: TERMINATED } } else { Act::Remove };
    Some(Move { stage: DELETE, at, act })
}

fn start(pod: &Pod, wishes: &Wishes, now: Timestamp) -> Option<Move> {
    if wishes.pull_fails {
        let is_told = !pod.status.container_statuses.is_empty();
        return (!is_told).then_some(Move { stage: READY, at: now, act: Act::FailPull });
    }
    let at = match wishes.starts_after {
        Duration::ZERO => now,
        wait => after(pod.bound_at().unwrap_or(now), wait),
    };
    Some(Move { stage: READY, at, act: Act::Start { ready: becomes_ready(wishes) } })
}

/// The life of containers that end by themselves.
fn run(pod: &Pod, wishes: &Wishes, end: End, now: Timestamp) -> Option<Move> {
    let held = pod.status.container_statuses.first()?;
    let restarts = pod.restarts();
    if let Some(running) = &held.state.running {
        let at = after(running.started_at.unwrap_or(now), end.after);
        let exit_code = end.exit_code;
        let is_over = match pod.spec.restart_policy {
            RestartPolicy::Never => true,
            RestartPolicy::OnFailure => exit_code == 0,
            RestartPolicy::Always => false,
        };
        let act = match restarts {
            _ if is_over => Act::End { exit_code },
            // As a kubelet does: the first time at once.
            0 => Act::Restart { exit_code: Some(exit_code), ready: becomes_ready(wishes) },
            _ => Act::Crash { exit_code, backoff: backoff(restarts) },
        };
        return Some(Move { stage: COMPLETE, at, act });
    }
    let ended = held.last_state.terminated.as_ref().and_then(|ended| ended.finished_at).unwrap_or(now);
    let act = Act::Restart { exit_code: None, ready: becomes_ready(wishes) };
    Some(Move { stage: COMPLETE, at: after(ended, backoff(restarts)), act })
}

/// What ends as soon as it runs was never ready.
fn becomes_ready(wishes: &Wishes) -> bool {
    !wishes.is_never_ready && wishes.end.is_none_or(|end| !end.after.is_zero())
}

fn backoff(restarts: u32) -> Duration {
    FIRST_BACKOFF.saturating_mul(1 << restarts.saturating_sub(1).min(10)).min(LONGEST_BACKOFF)
}

fn after(since: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| since.checked_add(wait).ok()).unwrap_or(since)
}
