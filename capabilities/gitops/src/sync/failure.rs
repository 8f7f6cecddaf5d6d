//! The end of a sync that failed: hooks that go with a failure are deleted, hooks that run
//! on a failure are run, and then it is told. It must never say that a sync failed before
//! everything that runs has ended.

use super::decide::{Awaited, NO_CONSOLATION, RUNNING, Stage, because, waiting};
use super::results::Results;
use super::run::{Run, Stop};
use super::{hook, review, write};
use crate::task::{Task, Wave};

/// Ends a failed sync, or says what its end waits for.
pub async fn end(run: &Run<'_>, results: &mut Results, what: &str) -> Stop {
    hook::clean(run, results, |policies| policies.failed).await;
    let reasons = run.plan.regular().flat_map(Wave::tasks).filter_map(|task| results.refusal(task));
    let message = because(what, reasons);
    let last: Vec<&Task> = run.plan.on_failure().flat_map(Wave::tasks).collect();
    if last.iter().all(|task| results.stage(task).is_completed()) {
        let refusals: Vec<&str> = last.iter().filter_map(|task| results.refusal(task)).collect();
        return Stop::Fail(if refusals.is_empty() {
            message
        } else {
            format!("{message}\n{}", because(NO_CONSOLATION, refusals.into_iter()))
        });
    }
    if let Err(stop) = hook::prepare(run, last.iter().copied(), results).await {
        return stop;
    }
    let batches = run.plan.on_failure().flat_map(|wave| &wave.batches).map(Vec::as_slice);
    if let Err(stop) = write::apply_batches(run, batches, results).await {
        return stop;
    }
    for wave in run.plan.on_failure() {
        review::wave(run, wave, results).await;
    }
    let running: Vec<&Task> = last.into_iter().filter(|task| results.stage(task) == Stage::Running).collect();
    // What ended at once must be stored as well before it is let go.
    let message = if running.is_empty() { RUNNING.into() } else { waiting(&running, Awaited::Completion) };
    Stop::Wait(message)
}
