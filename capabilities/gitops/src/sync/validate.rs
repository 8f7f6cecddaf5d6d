//! The look at every task before anything is written: a kind that the destination does
//! not serve, an object that the project does not permit or that the server would refuse
//! ends the sync whole. It must never change anything.

use api::KindDescriptor;

use super::decide::{NOT_VALID, REHEARSAL_FAILED, Stage};
use super::results::Results;
use super::run::{Run, Stop};
use super::write::{mode, not_served};
use crate::apply::{Mode, Request};
use crate::resource::definition_of;
use crate::task::{Action, Task};

/// Looks at every task that was not done yet; the server is asked once, at the beginning.
pub async fn all(run: &Run<'_>, results: &mut Results) -> Result<(), Stop> {
    let defined: Vec<(String, String)> = run
        .plan
        .tasks()
        .filter(|task| &*task.key.kind == "CustomResourceDefinition")
        .filter_map(|task| task.desired.as_ref().map(|desired| definition_of(desired)))
        .collect();
    let (mut valid, mut accepted) = (true, true);
    for task in run.plan.tasks().filter(|task| task.action == Action::Apply) {
        if results.stage(task) != Stage::Pending {
            continue;
        }
        let kind = run.kinds.get(&task.gvk).and_then(Option::as_ref);
        let problem = match kind {
            Some(kind) => run.project.refusal(&task.key, &task.gvk, kind, run.destination),
            None if defined.contains(&(task.key.group.to_string(), task.key.kind.to_string())) => None,
            None if run.options.for_object(&task.options, "SkipDryRunOnMissingResource", "true") => None,
            None => Some(not_served(task)),
        };
        if let Some(problem) = problem {
            results.set(task, "SyncFailed", &problem, Stage::Failed);
            valid = false;
        } else if let Some(kind) = kind.filter(|_| run.before.is_empty())
            && let Some(problem) = refusal(run, task, kind).await
        {
            results.set(task, "SyncFailed", &problem, Stage::Failed);
            accepted = false;
        }
    }
    match (valid, accepted) {
        (false, _) => Err(Stop::Fail(NOT_VALID.into())),
        (true, false) => Err(Stop::Fail(REHEARSAL_FAILED.into())),
        (true, true) => Ok(()),
    }
}

async fn refusal(run: &Run<'_>, task: &Task, kind: &KindDescriptor) -> Option<String> {
    // What is as it is wanted was accepted before, and a dry run of it would only take time.
    if !task.is_change || task.is_leaving || run.options.for_object(&task.options, "Validate", "false") {
        return None;
    }
    // A hook mostly is made anew, so that it need not fit what an earlier sync left of it.
    if task.is_hook() && run.live(task).is_some() {
        return None;
    }
    let desired = task.desired.as_ref()?;
    let live = task.live.as_ref().map(|live| &live.object);
    let request = Request { cluster: run.hands.cluster, kind, desired, live, mode: Mode::Merge, dry_run: true };
    match run.hands.applier.apply(request).await {
        // Other refusals may be gone when it is this task's turn: a namespace or a definition of
        // the same sync may be missing yet.
        Err(status) if matches!(status.code, 400 | 422) && mode(run, task) == Mode::Merge => Some(status.message),
        _ => None,
    }
}
