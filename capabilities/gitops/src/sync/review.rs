//! The look at what was made: hooks that completed, objects that are healthy or broken.
//! It writes what it finds into the results and must never touch an object.

use super::decide::{self, Stage};
use super::results::Results;
use super::run::Run;
use crate::task::{Action, Task, Wave};

/// Looks at every task that was done and has not come to its end.
pub async fn all(run: &Run<'_>, results: &mut Results) {
    for task in run.plan.tasks() {
        one(run, task, results).await;
    }
}

/// Looks at the tasks of a wave.
pub async fn wave(run: &Run<'_>, wave: &Wave, results: &mut Results) {
    for task in wave.tasks() {
        one(run, task, results).await;
    }
}

async fn one(run: &Run<'_>, task: &Task, results: &mut Results) {
    if task.action != Action::Apply || results.stage(task) != Stage::Running {
        return;
    }
    // A kind that came to be served just now, or whose server cannot be asked, is looked at again.
    let Ok(Some(kind)) = run.kind(task).await else { return };
    let live = run.hands.live.get(run.hands.cluster, &kind, &task.key);
    let health = live.as_ref().map(|object| run.hands.health(object));
    match (task.is_hook(), health) {
        (true, Some(health)) => {
            let (stage, message) = decide::hook(&task.key.name, health.as_ref());
            results.judge(task, stage, &message);
        }
        (false, Some(health)) => {
            if let Some((stage, message)) = decide::object(health.as_ref()) {
                results.judge(task, stage, &message);
            }
        }
        (true, None) => {
            // The cache may be behind what this operation wrote; only the server knows that it is gone.
            if let Ok(None) = run.hands.read(&kind, &task.key).await {
                let message = format!("Resource {} is missing, it might have been deleted", task.key.with_group());
                results.judge(task, Stage::Error, &message);
                results.set(task, "SyncFailed", &message, Stage::Error);
            }
        }
        (false, None) => {}
    }
}
