//! The care for hooks: an old one gives way, a new one is announced before it is made, one
//! that ended is let go, and some are deleted at the end. Each may be done again by a new
//! process. It must never judge how a hook ended.

use std::collections::BTreeSet;

use api::{KindDescriptor, Status};
use client::Object;
use controller::finalizer;

use super::decide::{Awaited, RUNNING, Stage, waiting};
use super::results::Results;
use super::run::{Run, Stop};
use crate::hooks::{FINALIZER, Policies};
use crate::resource::Key;
use crate::task::Task;

/// Makes room for hooks that are about to run, and announces them. What is stored of an announced
/// hook lets a new process tell one that was made from one that an earlier sync left.
pub async fn prepare<'a>(
    run: &Run<'_>,
    hooks: impl Iterator<Item = &'a Task>,
    results: &mut Results,
) -> Result<(), Stop> {
    let pending: Vec<&Task> = hooks.filter(|task| results.stage(task) == Stage::Pending).collect();
    let mut leaving = Vec::new();
    for task in &pending {
        if results.get(task).is_some() {
            continue;
        }
        let Some((kind, object)) = live(run, task).await else { continue };
        match make_room(run, task, &kind, &object).await {
            Ok(()) if task.hook.is_some_and(|policies| policies.before_creation) && run.live(task).is_some() => {
                leaving.push(*task);
            }
            Ok(()) => {}
            Err(message) => results.judge(task, Stage::Error, &message),
        }
    }
    if !leaving.is_empty() {
        return Err(Stop::Wait(waiting(&leaving, Awaited::Deletion)));
    }
    let unknown: Vec<&Task> = pending.into_iter().filter(|task| results.get(task).is_none()).collect();
    unknown.iter().for_each(|task| results.intend(task));
    if unknown.is_empty() { Ok(()) } else { Err(Stop::Wait(RUNNING.into())) }
}

/// What an earlier sync left is let go, and deleted if it must not be there.
async fn make_room(run: &Run<'_>, task: &Task, kind: &KindDescriptor, object: &Object) -> Result<(), String> {
    if task.hook.is_some_and(|policies| policies.before_creation) {
        return run.hands.delete(kind, object).await.map_err(|status| format!("failed to delete resource: {status}"));
    }
    run.hands.release(kind, object).await.map_err(|status| format!("failed to remove hook finalizer: {status}"))
}

/// Lets go of hooks whose end is stored.
pub async fn release(run: &Run<'_>, results: &mut Results) {
    for task in run.plan.tasks().filter(|task| task.is_hook()) {
        if !results.stage(task).is_completed() {
            continue;
        }
        let Some((kind, object)) = live(run, task).await else { continue };
        if !finalizer::has(&object, FINALIZER) {
            continue;
        }
        if let Err(status) = run.hands.release(&kind, &object).await {
            results.judge(task, Stage::Error, &format!("Failed to remove hook finalizer: {status}"));
        }
    }
}

/// Deletes hooks that are not running and ask for it.
pub async fn clean(run: &Run<'_>, results: &mut Results, asks: impl Fn(Policies) -> bool) {
    let mut seen: BTreeSet<&Key> = BTreeSet::new();
    for task in run.plan.tasks().filter(|task| task.hook.is_some_and(&asks)) {
        let is_announced = results.get(task).is_some() && !results.stage(task).is_completed();
        // One object may be a hook of several phases.
        if is_announced || !seen.insert(&task.key) {
            continue;
        }
        let Some((kind, object)) = live(run, task).await else { continue };
        if let Err(status) = run.hands.delete(&kind, &object).await {
            results.judge(task, Stage::Error, &format!("failed to delete resource: {status}"));
        }
    }
}

async fn live(run: &Run<'_>, task: &Task) -> Option<(KindDescriptor, Object)> {
    let kind: Result<Option<KindDescriptor>, Status> = run.kind(task).await;
    let kind = kind.ok().flatten()?;
    let object = run.hands.live.get(run.hands.cluster, &kind, &task.key)?;
    Some((kind, object))
}
