//! Stop 6, sync: carries out a plan. It remembers nothing itself: what is done is
//! read from the results so far, and everything it does may be done again. A phase
//! waits for the hooks of the one before, and a wave that others wait for must be
//! healthy; until then the sync waits for a change of a live object, never for a clock.

mod decide;
mod failure;
mod hook;
mod results;
mod review;
mod run;
mod terminate;
mod validate;
mod write;

use crate::task::{Action, Task, Wave};
use crate::types::{Phase, ResourceResult};
use decide::{ALL_RUN, Awaited, NO_MORE, NOT_APPLIED, REHEARSAL_FAILED, RUNNING, Stage, UNSUCCESSFUL};
use results::Results;
use run::Stop;
pub use run::{Hands, Run};
pub use terminate::hooks as terminate;

/// How far a sync came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Running while it waits.
    pub phase: Phase,
    /// One sentence.
    pub message: String,
    /// Object by object.
    pub results: Vec<ResourceResult>,
}

/// Carries out as much of a plan as can be done now.
#[tracing::instrument(level = "debug", name = "sync", skip_all)]
pub async fn run(run: &Run<'_>) -> Progress {
    let mut results = Results::new(run.before);
    let (phase, message) = match advance(run, &mut results).await {
        Ok(message) => (Phase::Succeeded, message.to_owned()),
        Err(Stop::Wait(message)) => (Phase::Running, message),
        Err(Stop::Fail(message)) => (Phase::Failed, message),
    };
    Progress { phase, message, results: results.into_list() }
}

async fn advance(run: &Run<'_>, results: &mut Results) -> Result<&'static str, Stop> {
    validate::all(run, results).await?;
    if run.dry_run {
        return rehearse(run, results).await;
    }
    review::all(run, results).await;
    check_news(results)?;
    hook::release(run, results).await;
    if run.plan.regular().flat_map(Wave::tasks).any(|task| results.stage(task).is_unsuccessful()) {
        await_running(run, run.plan.regular().flat_map(Wave::tasks), results)?;
        return Err(failure::end(run, results, UNSUCCESSFUL).await);
    }
    let last = run.plan.regular().next_back().map(|wave| (wave.phase, wave.number));
    for wave in run.plan.regular() {
        if wave.tasks().all(|task| results.stage(task) == Stage::Succeeded) {
            continue;
        }
        carry_out(run, wave, results).await?;
        if last == Some((wave.phase, wave.number)) && wave.hooks().next().is_none() {
            // Nobody waits for the last objects, so that the sync is over whatever becomes of them.
            hook::clean(run, results, |policies| policies.succeeded).await;
            return Ok(ALL_RUN);
        }
        settle(run, wave, results).await?;
    }
    hook::clean(run, results, |policies| policies.succeeded).await;
    Ok(NO_MORE)
}

/// Tries everything and changes nothing.
async fn rehearse(run: &Run<'_>, results: &mut Results) -> Result<&'static str, Stop> {
    for wave in &run.plan.waves {
        write::prune(run, wave, results).await;
        write::apply_batches(run, wave.batches.iter().map(Vec::as_slice), results).await?;
    }
    let has_failed = run.plan.tasks().any(|task| results.stage(task).is_unsuccessful());
    if has_failed { Err(Stop::Fail(REHEARSAL_FAILED.into())) } else { Ok(NO_MORE) }
}

/// The end of a hook must be stored before anything else is done: afterwards it may be gone.
fn check_news(results: &Results) -> Result<(), Stop> {
    if results.has_news() { Err(Stop::Wait(RUNNING.into())) } else { Ok(()) }
}

/// Does what is to be done of one wave.
async fn carry_out(run: &Run<'_>, wave: &Wave, results: &mut Results) -> Result<(), Stop> {
    write::prune(run, wave, results).await;
    if !has_failed(wave, results) {
        hook::prepare(run, wave.hooks(), results).await?;
    }
    if !has_failed(wave, results) {
        write::apply_batches(run, wave.batches.iter().map(Vec::as_slice), results).await?;
    }
    if !has_failed(wave, results) {
        return await_leaving(wave, results);
    }
    let is_alone = !wave.tasks().any(|task| results.stage(task) == Stage::Running);
    review::wave(run, wave, results).await;
    check_news(results)?;
    await_running(run, wave.tasks(), results)?;
    Err(failure::end(run, results, if is_alone { NOT_APPLIED } else { UNSUCCESSFUL }).await)
}

fn has_failed(wave: &Wave, results: &Results) -> bool {
    wave.tasks().any(|task| results.stage(task).is_unsuccessful())
}

/// What is being deleted cannot be made before it is gone, and a sync has not ended before it is made.
fn await_leaving(wave: &Wave, results: &Results) -> Result<(), Stop> {
    let leaving: Vec<&Task> = wave
        .tasks()
        .filter(|task| task.action == Action::Apply && task.is_leaving && results.stage(task) == Stage::Pending)
        .collect();
    if leaving.is_empty() { Ok(()) } else { Err(Stop::Wait(decide::waiting(&leaving, Awaited::Deletion))) }
}

/// Hooks are always waited for; objects, where something comes after them.
fn await_running<'a>(run: &Run<'_>, tasks: impl Iterator<Item = &'a Task>, results: &Results) -> Result<(), Stop> {
    let counts = |task: &&Task| task.is_hook() || run.plan.has_several_steps();
    let running: Vec<&Task> = tasks.filter(counts).filter(|task| results.stage(task) == Stage::Running).collect();
    if running.is_empty() { Ok(()) } else { Err(Stop::Wait(decide::waiting(&running, Awaited::Completion))) }
}

/// Lets what comes next begin only when this wave's hooks completed, its objects are healthy and
/// its extras gone.
async fn settle(run: &Run<'_>, wave: &Wave, results: &mut Results) -> Result<(), Stop> {
    review::wave(run, wave, results).await;
    check_news(results)?;
    await_running(run, wave.tasks(), results)?;
    if has_failed(wave, results) {
        return Err(failure::end(run, results, UNSUCCESSFUL).await);
    }
    let is_there = |task: &&Task| task.action == Action::Prune && run.live(task).is_some();
    let leaving: Vec<&Task> = wave.prunes.iter().filter(is_there).collect();
    if leaving.is_empty() { Ok(()) } else { Err(Stop::Wait(decide::waiting(&leaving, Awaited::Deletion))) }
}
